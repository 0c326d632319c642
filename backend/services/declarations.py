"""Declaring a residence for anybody by anybody: the piece under the doors of tenant, guardian, relative and window.

Everything here runs inside the caller's write unit. It decides scope and deadline, fixes `declared_at`, tells the
registry and lets a waiting key work; who may call it for whom is the caller's to decide.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from backend.domain.calendars import day_of
from backend.domain.households import decide_declarer
from backend.domain.notices import NOTICES
from backend.domain.persons import age_band
from backend.domain.refusals import Refusal, Refused
from backend.domain.registrations import (
    LET,
    PLACE_OF_BASIS,
    decide_scope,
    decide_tenant_action,
    find_declaration_faults,
    is_let,
    landlord_due_on,
    tenant_due_on,
)
from backend.gateways.world import World
from backend.models.dwellings import Dwelling
from backend.models.keys import Key
from backend.models.leases import Lease
from backend.models.persons import Person
from backend.models.registrations import Registration
from backend.models.units import Unit
from backend.services.audit import Actor
from backend.services.key_changes import activate_waiting_keys
from backend.services.persons import birth_of
from backend.services.registration_changes import (
    change_registration,
    compare_legs,
    hold_registration,
    new_registration,
    send_landlord_leg,
    void_in,
)

DECLARED_FIELDS = ("move_in_on", "planned_end_on", "reason", "hukou_division")


@dataclass(frozen=True)
class Answers:
    """What a declaration says beside who it is about."""

    move_in_on: date
    planned_end_on: date | None = None
    reason: str | None = None
    hukou_division: str | None = None


def declare_person(
    world: World,
    session: Session,
    registration: Registration,
    person: Person,
    answers: Answers,
    *,
    declared_by: str,
    declarer: Person | None = None,
    representation: str | None = None,
    actor: Actor,
    source: str,
    declared_at: datetime | None = None,
    note: str | None = None,
) -> None:
    """Declare `registration` as the residence of `person`: fixes `declared_at` for good.

    `declared_by` is 'self', 'guardian', 'relative', 'window' or 'paper'; `declarer` is whoever spoke for the person
    (None: themselves, or an officer's hand, who is the `actor`). Whoever lives in the unit on somebody else's word
    already keeps the time of that first declaration. `declared_at` is when a paper form reached the office, nobody can
    have declared a move that was still to come; `note` is kept with the change. Raises Refused person.minor
    (ZJ-7), transition, registration.already, and every faulty field.
    """
    unit = session.get_one(Unit, registration.unit_id, with_for_update=True)  # of two declarations at once, one waits
    hold_registration(session, registration)
    declared_at = declared_at or world.clock.now()
    faults = _find_faults(world, session, registration, person, answers, declared_by, day_of(declared_at))
    if faults:
        raise Refused.of(faults)
    earlier = take_over(world, session, registration, person, actor, source)
    _fill(world, session, unit, registration, person, answers)
    registration.declared_at = min(earlier, declared_at) if earlier else declared_at
    registration.declared_by, registration.representation = declared_by, representation
    registration.declarer_id = declarer.id if declarer is not None and declarer.id != person.id else None
    fields = [*DECLARED_FIELDS, *(["representation"] if representation else [])]
    change_registration(
        world, session, registration, "declare", actor, source=source, reason=note, fields=fields, send="UPSERT"
    )
    if registration.lease_id is not None:
        _join_lease(world, session, registration, person)
    session.flush()
    activate_waiting_keys(world, session, person.id)


def make_member(
    world: World, session: Session, head: Registration, person: Person, relation: str, move_in_on: date
) -> Registration:
    """Write the registration of somebody who lives along with the tenant of `head`: no lease, no key, not declared yet.

    Its deadline runs from the day of moving in (HK-15). The caller holds the unit's row and has looked for another.
    """
    return new_registration(
        world,
        session,
        unit_id=head.unit_id,
        person_id=person.id,
        household_of_id=head.id,
        relation=relation,
        place_type=head.place_type,
        move_in_on=move_in_on,
        planned_end_on=head.planned_end_on,
        tenant_due_on=tenant_due_on(move_in_on),
    )


def make_stay(
    world: World, session: Session, unit: Unit, move_in_on: date, *, basis: str | None = None
) -> Registration:
    """Write the registration of somebody who lives in a unit under no lease, not declared yet; `basis` says why.

    Where a lease should be behind it, its landlord owes the report from today on (ZJ-9-1): nobody can have told them
    before. The caller holds the unit's row and has looked for another.
    """
    return new_registration(
        world,
        session,
        unit_id=unit.id,
        place_type=PLACE_OF_BASIS[basis] if basis else LET,
        basis=basis,
        move_in_on=move_in_on,
        landlord_due_on=landlord_due_on(world.clock.today()) if basis and is_let(basis) else None,
        tenant_due_on=tenant_due_on(move_in_on),
    )


def find_living(session: Session, person_id: str, unit_id: str) -> Registration | None:
    """The registration under which a person lives in a unit, of which there is one at most."""
    return session.scalar(
        select(Registration).where(
            Registration.person_id == person_id, Registration.unit_id == unit_id, Registration.residence == "living"
        )
    )


def _find_faults(
    world: World,
    session: Session,
    registration: Registration,
    person: Person,
    answers: Answers,
    declared_by: str,
    declared_on: date,
) -> list[Refusal]:
    refusal = decide_tenant_action(
        registration.tenant_leg, registration.residence, "declare", registration.exemption
    ) or decide_declarer(
        age_band(birth_of(world, session, person), world.clock.today()), declared_by, person.guardian_id is not None
    )
    if refusal is not None:
        return [refusal]
    faults = find_declaration_faults(answers.move_in_on, answers.planned_end_on, answers.reason, declared_on)
    division = answers.hukou_division
    if division is None and person.hukou_division is None and person.id_type == "111":
        # only a resident identity card has a household registration behind it
        faults.append(Refusal("input.missing", "hukou_division"))
    if division is not None and not (len(division) == 6 and division.isascii() and division.isdigit()):
        faults.append(Refusal("registration.division", "hukou_division"))
    return faults


def take_over(
    world: World, session: Session, registration: Registration, person: Person, actor: Actor, source: str
) -> datetime | None:
    """Void what was declared of the person in this unit before their own lease was; answers its time.

    Who lives along with them lives along under the lease from now on.
    """
    other = find_living(session, person.id, registration.unit_id)
    if other is None or other.id == registration.id:
        return None
    if other.lease_id is not None or registration.lease_id is None:
        raise Refused("registration.already")
    void_in(world, session, other, "void", actor, "duplicate", source=source)
    along = update(Registration).where(Registration.household_of_id == other.id)
    session.execute(along.values(household_of_id=registration.id))
    session.flush()
    return other.declared_at


def _fill(
    world: World, session: Session, unit: Unit, registration: Registration, person: Person, answers: Answers
) -> None:
    dwelling = session.get_one(Dwelling, unit.dwelling_id)
    person.hukou_division = answers.hukou_division or person.hukou_division
    registration.person_id = person.id
    registration.move_in_on, registration.planned_end_on = answers.move_in_on, answers.planned_end_on
    registration.reason = answers.reason
    registration.tenant_due_on = tenant_due_on(answers.move_in_on)
    registration.notice_version = NOTICES["registration_notice"].version
    registration.exemption = registration.exempt_until = None  # who declares is exempt no longer (ZJ-12)
    registration.scope = decide_scope(person.id_type, person.hukou_division, dwelling.division, None)
    registration.tenant_leg, registration.draft_expires_at = "declared", None


def _join_lease(world: World, session: Session, registration: Registration, person: Person) -> None:
    """A tenant's declaration meets the landlord's leg, and the lease's keys learn whose they are."""
    for key in session.scalars(select(Key).where(Key.lease_id == registration.lease_id, Key.holder_id.is_(None))):
        key.holder_id = person.id
    if registration.landlord_leg == "reported":
        send_landlord_leg(world, session, registration)
    lease = session.get_one(Lease, registration.lease_id)
    lease.tenant_id = person.id
    compare_legs(world, session, lease, registration)
