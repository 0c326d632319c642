"""What officers see of persons. Every answer is written into the audit, with its fields, before it leaves.

Each use case checks purpose, area and the day's cap in the same write unit in which the leaf is written. Names are
shown of registered occupants alone: what was not declared yet, or is by law not for this office, stays nameless.
Nothing here reads what a door or a lock has reported.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.db import transaction
from backend.domain.calendars import start_of
from backend.domain.documents import mask_number
from backend.domain.ledger import Deadline, deadline_of
from backend.domain.officers import covers
from backend.domain.purposes import APART, DISCLOSURES, LOOK_AT_UNIT, UNCAPPED, UNMASK, decide_act
from backend.domain.refusals import Refusal, Refused
from backend.domain.registrations import Facts, describe
from backend.gateways.world import World
from backend.models.audit import AuditLeaf
from backend.models.persons import Person
from backend.models.registrations import Registration
from backend.queries.unit_facts import (
    CaseMark,
    Change,
    ResidenceFacts,
    UnitFacts,
    count_past,
    find_residence,
    find_unit,
    list_changes,
    list_living,
    list_open_cases,
)
from backend.services.audit import write_leaf
from backend.services.letting_rights import RIGHT_FIELDS, LettingRight, find_right
from backend.services.officer_sessions import Acting, acting_officer, is_stepped_up
from backend.services.persons import name_of, number_of
from backend.services.staff_notices import tell_supervisors

Shown = TypeVar("Shown")

OCCUPANT_FIELDS = (
    "name",
    "id_type",
    "id_number_masked",
    "identity_state",
    "lease_dates",
    "residence_dates",
    "deadlines",
    "registry_state",
    "history",
)

# On the phone of whoever visits: who lives there, and nothing of how that came about.
AT_THE_DOOR = ("name", "id_number_masked", "residence_dates", "registry_state")


@dataclass(frozen=True)
class Occupant:
    """One occupant of a unit; name and number are None where this office may not see them (yet).

    `state` is a key of domain.registrations.STATE_NAMES.
    """

    residence: ResidenceFacts
    state: str
    deadlines: tuple[Deadline, ...]
    name: str | None = None
    id_type: str | None = None
    id_number_masked: str | None = None
    identity_state: str | None = None
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True)
class LandlordLine:
    """Who lets the unit, by which right, and whether that was seen. At the door (`AT_THE_DOOR`) without the name."""

    name: str | None
    right: LettingRight | None


@dataclass(frozen=True)
class UnitPage:
    """A unit with its registered occupants; `past` counts ended registrations."""

    unit: UnitFacts
    landlord: LandlordLine | None
    occupants: tuple[Occupant, ...]
    past: int
    cases: tuple[CaseMark, ...]


@dataclass(frozen=True)
class NumberShown:
    """One full document number, shown once."""

    name: str
    id_type: str
    id_number: str
    unit: UnitFacts


def open_unit(
    world: World, *, session_id: str, unit_id: str, fields: tuple[str, ...] = OCCUPANT_FIELDS
) -> UnitPage:
    """Show a unit's registered occupants: names, masked numbers, dates, deadlines, receipts, history.

    `fields` are those that the page shows; what is not among them is not answered, and of a page for occupants alone
    (`AT_THE_DOOR`) the landlord's name neither. Raises Refused purpose.missing, purpose.unfit, area.foreign (written
    down), reads.cap, not_found.
    """
    with transaction() as session:
        acting = acting_officer(world, session, session_id)
        outcome = _open_unit(world, session, acting, unit_id, fields)
        note_refusal(world, session, acting, outcome, "unit", unit_id)
    return answer(outcome)


def show_number(world: World, *, session_id: str, registration_id: str) -> NumberShown:
    """Show one full number: the second act, after the password was given again.

    Raises Refused step_up, and all that `open_unit` raises.
    """
    with transaction() as session:
        acting = acting_officer(world, session, session_id)
        outcome = _show_number(world, session, acting, registration_id)
        note_refusal(world, session, acting, outcome, "registration", registration_id)
    return answer(outcome)


def refuse_outside(world: World, *, session_id: str, object_kind: str, object_id: str, division: str | None) -> None:
    """Say why something is not on the officer's board: outside the area (written down) or not there at all.

    `division` is where the object lies, None when there is none. Always raises Refused, unless the area covers it.
    """
    with transaction() as session:
        acting = acting_officer(world, session, session_id)
        outcome = judge_area(acting, division)
        note_refusal(world, session, acting, outcome, object_kind, object_id)
    if outcome is not None:
        raise Refused.of([outcome])


def judge_area(acting: Acting, division: str | None) -> Refusal | None:
    """None when the division lies in the officer's area; not_found without a division."""
    if division is None:
        return Refusal("not_found")
    return None if covers(acting.officer.area, division) else Refusal("area.foreign")


def judge_cap(world: World, session: Session, acting: Acting, person_ids: Sequence[str], action: str) -> Refusal | None:
    """Whether the day's cap allows to show these persons; a person seen already today counts once.

    Full numbers and letters are counted by themselves. The officer's row is locked, so two requests cannot share the
    last place.
    """
    house = world.house
    most = house.letters_per_day if action == "letter_printed" else house.reads_of(acting.officer.role)
    counted = (action,) if action in APART else tuple(a for a in DISCLOSURES if a not in (*APART, *UNCAPPED))
    seen = set(
        session.scalars(
            select(AuditLeaf.subject_id)
            .distinct()
            .where(
                AuditLeaf.actor_id == acting.officer.id,
                AuditLeaf.at >= start_of(world.clock.today()),
                AuditLeaf.action.in_(counted),
                AuditLeaf.subject_id.is_not(None),
            )
        )
    )
    new = set(person_ids) - seen
    return Refusal("reads.cap", None, {"most": most}) if new and len(seen) + len(new) > most else None


def deadlines_of(residence: ResidenceFacts, today: date) -> tuple[Deadline, ...]:
    """The duties of both sides for one registration, with their rules."""
    if residence.scope != "in_scope":
        return ()
    duties = (
        ("HK-15", "tenant", residence.tenant_due_on, residence.declared_at),
        ("ZJ-9-1", "landlord", residence.landlord_due_on, residence.landlord_reported_at),
    )
    return tuple(deadline_of(rule, owner, due, done, today) for rule, owner, due, done in duties if due is not None)


def may_be_named(residence: ResidenceFacts) -> bool:
    """Whether staff may see who it is: declared, and a registration this office keeps (ZJ-2, ZJ-12, EEL-39)."""
    return residence.tenant_leg == "declared" and residence.scope == "in_scope" and residence.person_id is not None


def state_of(residence: ResidenceFacts) -> str:
    """The registration's derived state (a key of domain.registrations.STATE_NAMES)."""
    return describe(
        Facts(
            residence.tenant_leg,
            residence.landlord_leg,
            residence.scope,
            residence.residence,
            residence.registry_state,
            residence.disputed,
        )
    )


def _open_unit(
    world: World, session: Session, acting: Acting, unit_id: str, shown: tuple[str, ...]
) -> UnitPage | Refusal:
    unit = find_unit(unit_id)
    refusal = decide_act(acting.session.purpose, LOOK_AT_UNIT) or judge_area(acting, unit.division if unit else None)
    if refusal is not None or unit is None:
        return refusal or Refusal("not_found")
    living = list_living(unit_id)
    disclosed: dict[str | None, tuple[str, ...]] = {r.person_id: shown for r in living if may_be_named(r)}
    if unit.landlord_id is not None:
        of_landlord = RIGHT_FIELDS if shown == AT_THE_DOOR else ("name", *RIGHT_FIELDS)
        disclosed[unit.landlord_id] = tuple(dict.fromkeys((*disclosed.get(unit.landlord_id, ()), *of_landlord)))
    named = [person_id for person_id, fields in disclosed.items() if person_id and "name" in fields]
    refusal = judge_cap(world, session, acting, named, "unit_opened")
    if refusal is not None:
        return refusal
    for person_id, fields in disclosed.items() or {None: ()}.items():
        write_leaf(
            world,
            session,
            acting.actor,
            "unit_opened",
            subject_id=person_id,
            object_kind="unit",
            object_id=unit_id,
            fields=fields,
        )
    landlord = _landlord_line(world, session, unit, shown) if unit.landlord_id is not None else None
    occupants = tuple(_occupant(world, session, row, shown) for row in living)
    return UnitPage(unit, landlord, occupants, count_past(unit_id), list_open_cases(unit_id))


def _show_number(world: World, session: Session, acting: Acting, registration_id: str) -> NumberShown | Refusal:
    registration = session.get(Registration, registration_id)
    unit = find_unit(registration.unit_id) if registration else None
    residence = find_residence(registration_id)
    refusal = decide_act(acting.session.purpose, UNMASK) or judge_area(acting, unit.division if unit else None)
    if refusal is not None:
        return refusal
    if residence is None or residence.person_id is None or unit is None or not may_be_named(residence):
        return Refusal("not_found")
    if not is_stepped_up(world, acting.session):
        return Refusal("step_up", "password")
    refusal = judge_cap(world, session, acting, [residence.person_id], "number_shown")
    if refusal is not None:
        return refusal
    person = session.get_one(Person, residence.person_id)
    write_leaf(
        world,
        session,
        acting.actor,
        "number_shown",
        subject_id=person.id,
        object_kind="registration",
        object_id=residence.id,
        fields=["name", "id_type", "id_number"],
    )
    return NumberShown(name_of(world, session, person), person.id_type, number_of(world, session, person), unit)


def _occupant(world: World, session: Session, residence: ResidenceFacts, shown: tuple[str, ...]) -> Occupant:
    """An occupant as far as the page shows one: what its leaf does not name is not in it."""
    state, duties = state_of(residence), deadlines_of(residence, world.clock.today())
    if "lease_dates" not in shown:
        residence = replace(residence, lease_starts_on=None, lease_ends_on=None)
    nameless = Occupant(residence, state, duties if "deadlines" in shown else ())
    if not may_be_named(residence):
        return nameless
    person = session.get_one(Person, residence.person_id)
    return replace(
        nameless,
        name=name_of(world, session, person),
        id_type=person.id_type if "id_type" in shown else None,
        id_number_masked=mask_number(number_of(world, session, person)),
        identity_state=person.identity_state if "identity_state" in shown else None,
        changes=list_changes(residence.id) if "history" in shown else (),
    )


def _landlord_line(world: World, session: Session, unit: UnitFacts, shown: tuple[str, ...]) -> LandlordLine:
    landlord = session.get_one(Person, unit.landlord_id)
    name = name_of(world, session, landlord) if shown != AT_THE_DOOR else None
    return LandlordLine(name, find_right(world, session, unit.id, landlord.id))


def note_refusal(
    world: World, session: Session, acting: Acting, outcome: object, object_kind: str, object_id: str
) -> None:
    """Write down a refusal that matters to a supervisor, who is told of a reached cap; the write unit still commits."""
    if isinstance(outcome, Refusal) and outcome.code in ("area.foreign", "reads.cap", "purpose.unfit"):
        write_leaf(
            world, session, acting.actor, "refused", object_kind=object_kind, object_id=object_id, decision=outcome.code
        )
    if isinstance(outcome, Refusal) and outcome.code == "reads.cap":
        who = acting.officer
        told = {"badge": who.badge, "role": who.role, "most": outcome.params["most"]}
        tell_supervisors(
            world, session, who.area, "reads_cap", once=f"{who.id}:{world.clock.today()}", but=who.id, **told
        )


def answer(outcome: Shown | Refusal) -> Shown:
    """The outcome of a disclosure after its write unit has committed; a refusal is raised."""
    if isinstance(outcome, Refusal):
        raise Refused.of([outcome])
    return outcome
