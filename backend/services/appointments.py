"""The tenant's appointment: the times there are, choosing, moving, cancelling one. The window needs none."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from backend.db import reading, transaction
from backend.domain.appointments import LIVE, WAYS, Slot, decide_action, decide_slot, list_slots, state_after_choice
from backend.domain.calendars import CHINA
from backend.domain.cases import METHODS
from backend.domain.ids import new_id
from backend.domain.refusals import Refusal, Refused
from backend.gateways.world import World
from backend.models.accounts import Account
from backend.models.appointments import Appointment
from backend.models.cases import Case
from backend.models.persons import Person
from backend.services.appointment_changes import (
    AppointmentView,
    end_appointment,
    find_latest,
    find_living,
    view_appointment,
)
from backend.services.audit import SYSTEM, Actor, write_leaf
from backend.services.identity_reviews import area_of_person, find_review, open_review
from backend.services.inbox import tell_account
from backend.services.moved_homes import follow_case

OFFICE_DIGITS = 9  # a police station serves a street or town; its places are counted together


def offered_slots(world: World, *, account_id: str) -> tuple[Slot, ...]:
    """The times on offer at the office where the account's person lives."""
    with reading() as session:
        person = _person_of(session, account_id)
        review = find_review(session, person.id)
        area = office_area(review.area if review else area_of_person(session, person.id))
        return list_slots(world.clock.now(), world.house.opening_hours, _taken(session, area, None))


def my_appointment(world: World, *, account_id: str) -> AppointmentView | None:
    """The appointment of the open review: the living one, else the last (so that a missed one can be chosen anew)."""
    with reading() as session:
        account = session.get_one(Account, account_id)
        review = find_review(session, account.person_id) if account.person_id else None
        latest = find_latest(session, review.id) if review else None
        return view_appointment(latest, review.reference) if review and latest else None


def choose_slot(world: World, *, account_id: str, way: str, starts_at: datetime) -> AppointmentView:
    """Choose a time for the window or a live video, or move what was chosen; the same again changes nothing.

    Raises Refused input.not_one_of, person.missing, identity.settled, appointment.slot, appointment.full.
    """
    if way not in WAYS:
        raise Refused("input.not_one_of", "way", allowed=WAYS)
    with transaction() as session:
        person = _person_of(session, account_id)
        if person.identity_state == "verified":
            raise Refused("identity.settled")
        review = open_review(world, session, person.id, "tenant", {"way": way})
        case = session.get_one(Case, review.id, with_for_update=True)
        living = find_living(session, case.id)
        if living is not None and (living.way, living.starts_at) == (way, starts_at):
            return view_appointment(living, case.reference)
        area = office_area(case.area)
        hours, taken = world.house.opening_hours, _taken(session, area, living)
        slot = decide_slot(starts_at, world.clock.now(), hours, taken)
        if isinstance(slot, Refusal):
            raise Refused.of([slot])
        place = _free_place(session, area, slot.starts_at, living, hours.places)
        row = _put(world, session, case, person, living, way, area, slot, place)
        case.evidence = {**case.evidence, "way": way}
        _note(world, session, account_id, row)
        return view_appointment(row, case.reference)


def cancel_appointment(world: World, *, account_id: str) -> AppointmentView:
    """Give the time back; the review stays open, and the window stays open without a time.

    Raises Refused appointment.none, person.missing.
    """
    with transaction() as session:
        person = _person_of(session, account_id)
        review = find_review(session, person.id)
        living = find_living(session, review.id) if review else None
        if review is None or living is None:
            raise Refused("appointment.none")
        refusal = end_appointment(world, session, review.id, "cancel", Actor("resident", account_id))
        if refusal is not None:
            raise Refused.of([refusal])
        follow_case(world, session, session.get_one(Case, review.id, with_for_update=True), SYSTEM)
        return view_appointment(living, review.reference)


def office_area(division: str) -> str:
    """The division whose office serves a case: street or town, or less where a case is not that far yet."""
    return division[:OFFICE_DIGITS]


def words_of_time(moment: datetime) -> str:
    """A moment as messages write it: 2026-11-24 14:00, in China."""
    return moment.astimezone(CHINA).strftime("%Y-%m-%d %H:%M")


def _person_of(session: Session, account_id: str) -> Person:
    account = session.get_one(Account, account_id)
    if account.person_id is None:
        raise Refused("person.missing")
    return session.get_one(Person, account.person_id)


def _taken(session: Session, area: str, own: Appointment | None) -> Mapping[datetime, int]:
    """Living appointments of an office by their start, one's own left out: moving away frees its place."""
    rows = session.execute(
        select(Appointment.starts_at, func.count().label("taken"))
        .where(
            Appointment.area == area,
            Appointment.state.in_(LIVE),
            *([Appointment.id != own.id] if own is not None else []),
        )
        .group_by(Appointment.starts_at)
    )
    return {row.starts_at: row.taken for row in rows}


def _free_place(session: Session, area: str, starts_at: datetime, own: Appointment | None, places: int) -> int:
    used = set(
        session.scalars(
            select(Appointment.place).where(
                Appointment.area == area,
                Appointment.starts_at == starts_at,
                Appointment.state.in_(LIVE),
                *([Appointment.id != own.id] if own is not None else []),
            )
        )
    )
    return next(place for place in range(places + len(used) + 1) if place not in used)


def _put(
    world: World,
    session: Session,
    case: Case,
    person: Person,
    living: Appointment | None,
    way: str,
    area: str,
    slot: Slot,
    place: int,
) -> Appointment:
    if living is None:
        living = Appointment(
            id=new_id(), case_id=case.id, person_id=person.id, version=0, created_at=world.clock.now()
        )
        session.add(living)
    else:
        refusal = decide_action(living.state, "move", living.starts_at, world.clock.now())
        assert refusal is None  # a living appointment can be moved
    living.way, living.area, living.place = way, area, place
    living.starts_at, living.ends_at = slot.starts_at, slot.ends_at
    living.state, living.video_link = state_after_choice(way), None
    living.version += 1
    session.flush()
    return living


def _note(world: World, session: Session, account_id: str, row: Appointment) -> None:
    zh, en = METHODS[row.way]
    at = words_of_time(row.starts_at)
    once = f"{row.id}:{row.version}"
    tell_account(world, session, account_id, "appointment_booked", once=once, way_zh=zh, way_en=en, at=at)
    write_leaf(
        world,
        session,
        Actor("resident", account_id),
        "appointment_chosen",
        subject_id=row.person_id,
        object_kind="appointment",
        object_id=row.id,
        decision=row.way,
    )
