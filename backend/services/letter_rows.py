"""Where a message would go to a phone and there is none: a row of the letters to print, inside the caller's unit."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from backend.domain.ids import new_id
from backend.gateways.key_ring import KeyRingError
from backend.gateways.world import World
from backend.models.accounts import Account
from backend.models.dwellings import Dwelling
from backend.models.letters import Letter
from backend.models.persons import Person
from backend.models.registrations import Registration
from backend.models.units import Unit
from backend.services.wards import is_child

log = structlog.get_logger(__name__)

# What is said at the counter while the person stands there needs no letter afterwards.
SAID_AT_ONCE = ("codes_printed", "key_active", "identity_reviewed")


@dataclass(frozen=True)
class NewLetter:
    """A message to a person without a phone; the same `marker` again changes nothing."""

    person_id: str
    kind: str
    marker: str
    rule: str | None
    params: Mapping[str, Any]


def write_letter(world: World, session: Session, letter: NewLetter) -> None:
    """Put a message for somebody without a phone on the list of the office where they live, let or were entered."""
    write_letters(world, session, [letter])


def write_letters(world: World, session: Session, letters: Iterable[NewLetter]) -> None:
    """The same for many people, in as few statements as for one. A child is not written to: its guardian is told."""
    wanted = {letter.marker: letter for letter in letters if letter.kind not in SAID_AT_ONCE}
    if not wanted:
        return
    known = set(session.scalars(select(Letter.once).where(Letter.once.in_(list(wanted)))))
    areas = _find_areas(world, session, {letter.person_id for letter in wanted.values()})
    rows = [
        {"id": new_id(), "person_id": letter.person_id, "area": areas[letter.person_id], "kind": letter.kind,
         "once": marker, "rule": letter.rule, "params": dict(letter.params), "at": world.clock.now()}
        for marker, letter in wanted.items()
        if marker not in known and letter.person_id in areas
    ]  # fmt: skip
    if rows:
        session.connection().execute(insert(Letter), rows)


def move_letters(world: World, session: Session, person_ids: Collection[str]) -> None:
    """Put what is not printed yet on the list of the office that would write to these people today."""
    waiting = select(Letter).where(Letter.person_id.in_(person_ids), Letter.printed_at.is_(None))
    letters = session.scalars(waiting.order_by(Letter.id).with_for_update()).all()
    areas = _find_areas(world, session, {letter.person_id for letter in letters})
    for letter in letters:
        letter.area = areas.get(letter.person_id, letter.area)


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


def _find_areas(world: World, session: Session, person_ids: Collection[str]) -> dict[str, str]:
    """The division whose office writes to each: by where they live or lived last, let, or were entered.

    Whom nobody could place, and children, are missing.
    """
    entered = session.scalars(select(Person).where(Person.id.in_(person_ids), Person.guardian_id.is_not(None)))
    children = {person.id for person in entered if _is_child(world, session, person)}
    grown = sorted(set(person_ids) - children)
    homes = (
        select(Registration.person_id, Dwelling.division)
        .join(Unit, Unit.id == Registration.unit_id)
        .join(Dwelling, Dwelling.id == Unit.dwelling_id)
        .where(Registration.person_id.in_(grown), Registration.residence != "voided")
        .order_by((Registration.residence == "living").desc(), Registration.created_at.desc())
    )
    let = (
        select(Unit.landlord_id, Dwelling.division)
        .join(Dwelling, Dwelling.id == Unit.dwelling_id)
        .where(Unit.landlord_id.in_(grown))
        .order_by(Unit.created_at)
    )
    desks = select(Account.person_id, Account.desk_area).where(
        Account.person_id.in_(grown), Account.desk_area.is_not(None)
    )
    found: dict[str, str] = {}
    for question in (homes, let, desks):
        for person_id, division in session.execute(question):
            if person_id is not None and division is not None:
                found.setdefault(person_id, division)
    return found


def _is_child(world: World, session: Session, person: Person) -> bool:
    """Whether somebody is under 16; so is whoever's date of birth cannot be read, since no letter could be printed."""
    try:
        return is_child(world, session, person)
    except KeyRingError:
        log.error("birth_unreadable", person_id=person.id)
        return True
