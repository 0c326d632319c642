"""Declaring in person where no lease is recorded: the residence counts at once, the landlord is asked for the lease.

Whoever lives somewhere is registered there whether or not the landlord has done their part (ZJ-9-1 is the landlord's
duty, HK-15 the person's). An officer has seen the person and the original document; no key follows from it.
"""

from __future__ import annotations

from datetime import date

from sqlalchemy.orm import Session

from backend.domain.refusals import Refused
from backend.domain.registrations import decide_basis
from backend.gateways.world import World
from backend.models.leases import Lease
from backend.models.persons import Person
from backend.models.registrations import Registration
from backend.models.units import Unit
from backend.services import idempotency
from backend.services.declarations import Answers, declare_person, find_living, make_stay
from backend.services.hands import Desk, acting_for
from backend.services.inbox import tell_person
from backend.services.registrations import declarer_of
from backend.services.tenancies import RegistrationView, registration_view
from backend.services.unit_names import unit_alias
from backend.services.window_leases import offered_to


def declare_without_lease(
    world: World,
    *,
    account_id: str,
    unit_id: str,
    basis: str,
    move_in_on: date,
    planned_end_on: date | None = None,
    reason: str | None = None,
    hukou_division: str | None = None,
    idempotency_key: str | None = None,
    desk: Desk,
) -> RegistrationView:
    """Declare the residence of the person who stands here in a unit where no lease names them; `basis` says why.

    `declared_at` is fixed as by any declaration. The unit's landlord is told that somebody declared, not who, and is
    asked for the lease and the report (ZJ-9-1); a lease recorded later for the same document joins this registration.
    Raises Refused registration.basis, stay.offered where a lease waits to be accepted, stay.own, registration.already,
    notice.missing (PIPL-17), person.minor (ZJ-7), every faulty field, and as `acting_for`.
    """
    body = {"unit": unit_id, "basis": basis, "in": move_in_on, "out": planned_end_on, "why": reason,
            "hukou": hukou_division}  # fmt: skip
    with acting_for(world, account_id, desk, "declare_without_lease", unit_id=unit_id) as (session, hand):
        known = idempotency.find_answer(session, account_id, idempotency_key, "declare_without_lease", body)
        if known is not None:
            return registration_view(session, session.get_one(Registration, known["id"]))
        refusal = decide_basis(basis)
        if refusal is not None:
            raise Refused.of([refusal])
        person = declarer_of(world, session, account_id)
        unit = session.get_one(Unit, unit_id, with_for_update=True)  # of two declarations at once, one waits
        _require_none(session, unit, person)
        stay = make_stay(world, session, unit, move_in_on, basis=basis)
        answers = Answers(move_in_on, planned_end_on, reason, hukou_division)
        declare_person(
            world, session, stay, person, answers, declared_by=hand.declared_by, actor=hand.actor, source=hand.source,
            declared_at=hand.declared_at, note=hand.note,
        )  # fmt: skip
        _ask_landlord(world, session, unit, stay)
        answer = {"id": stay.id}
        idempotency.remember(world, session, account_id, idempotency_key, "declare_without_lease", body, answer)
        return registration_view(session, stay)


def _require_none(session: Session, unit: Unit, person: Person) -> None:
    """Nothing else leads to this registration already: no residence here, no waiting lease, not the own house."""
    if find_living(session, person.id, unit.id) is not None:
        raise Refused("registration.already", "unit_id")
    if unit.landlord_id == person.id:
        raise Refused("stay.own", "unit_id")
    if session.scalar(offered_to(person).where(Lease.unit_id == unit.id).limit(1)) is not None:
        raise Refused("stay.offered", "unit_id")


def _ask_landlord(world: World, session: Session, unit: Unit, stay: Registration) -> None:
    """Told is that somebody declared, and what is owed; a guest is nothing that a landlord has to report."""
    if unit.landlord_id is None or stay.landlord_due_on is None or stay.scope != "in_scope":
        return
    tell_person(
        world, session, unit.landlord_id, "declared_without_lease", once=stay.id, rule="ZJ-9-1",
        unit=unit_alias(session, unit.id), unit_id=unit.id, due_on=stay.landlord_due_on.isoformat(), side="landlord",
    )  # fmt: skip
