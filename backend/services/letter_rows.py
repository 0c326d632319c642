"""Where a message would go to a phone and there is none: a row of the letters to print, inside the caller's unit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.domain.ids import new_id
from backend.gateways.world import World
from backend.models.accounts import Account
from backend.models.dwellings import Dwelling
from backend.models.letters import Letter
from backend.models.persons import Person
from backend.models.registrations import Registration
from backend.models.units import Unit

# What is said at the counter while the person stands there needs no letter afterwards.
SAID_AT_ONCE = ("codes_printed", "key_active", "identity_reviewed")


def write_letter(
    world: World,
    session: Session,
    person_id: str,
    kind: str,
    *,
    marker: str,
    rule: str | None,
    params: Mapping[str, Any],
) -> None:
    """Put a message for somebody without a phone on the list of the office where they live, let or were entered.

    The same `marker` again changes nothing. A child is not written to: its guardian is told.
    """
    if kind in SAID_AT_ONCE or session.get_one(Person, person_id).guardian_id is not None:
        return
    if session.scalar(select(Letter.id).where(Letter.once == marker)) is not None:
        return
    area = find_area(session, person_id)
    if area is not None:
        row = Letter(
            id=new_id(),
            person_id=person_id,
            area=area,
            kind=kind,
            once=marker,
            rule=rule,
            params=dict(params),
            at=world.clock.now(),
        )
        session.add(row)
        session.flush()


def find_home(session: Session, person_id: str) -> tuple[Unit, Dwelling] | None:
    """Where a person lives, or lived last: what a letter is addressed to."""
    found = session.execute(
        select(Unit, Dwelling)
        .join(Dwelling, Dwelling.id == Unit.dwelling_id)
        .join(Registration, Registration.unit_id == Unit.id)
        .where(Registration.person_id == person_id, Registration.residence != "voided")
        .order_by((Registration.residence == "living").desc(), Registration.created_at.desc())
        .limit(1)
    ).one_or_none()
    return None if found is None else (found[0], found[1])


def find_area(session: Session, person_id: str) -> str | None:
    """The division whose office writes to a person; None where nobody could say which."""
    home = find_home(session, person_id)
    if home is not None:
        return home[1].division
    lets = select(Dwelling.division).join(Unit, Unit.dwelling_id == Dwelling.id).where(Unit.landlord_id == person_id)
    division = session.scalar(lets.order_by(Unit.created_at).limit(1))
    return division or session.scalar(select(Account.desk_area).where(Account.person_id == person_id))
