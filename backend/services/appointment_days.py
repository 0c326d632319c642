"""The office's side of appointments: the day's list, the link of a live video, kept or missed.

A list names people by their first character only, needs a purpose, and is read by each of them in their own records.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.db import transaction
from backend.domain.appointments import decide_action, decide_link
from backend.domain.calendars import end_of, start_of
from backend.domain.purposes import HANDLE_CASE, decide_act, mask_name
from backend.domain.refusals import Refusal, Refused
from backend.gateways.world import World
from backend.models.appointments import Appointment
from backend.models.cases import Case
from backend.models.officers import Officer
from backend.models.persons import Person
from backend.services.appointment_changes import end_appointment, find_living
from backend.services.appointments import words_of_time
from backend.services.audit import write_leaf
from backend.services.case_files import badge_of, case_for, touch
from backend.services.disclosures import answer, note_refusal
from backend.services.inbox import tell_person
from backend.services.officer_sessions import Acting, acting_officer
from backend.services.persons import name_of

LISTED_FIELDS = ("name_masked", "appointment")


@dataclass(frozen=True)
class DayLine:
    """One appointment of a day; `case_open` is False once the matter is decided."""

    reference: str
    way: str
    starts_at: datetime
    ends_at: datetime
    state: str
    name_masked: str
    has_link: bool
    assigned_badge: str | None
    case_open: bool


def list_day(world: World, *, session_id: str, day: date) -> tuple[DayLine, ...]:
    """The appointments of a day in the officer's area, in the order of the clock; cancelled ones are gone.

    Raises Refused purpose.missing, purpose.unfit.
    """
    with transaction() as session:
        acting = acting_officer(world, session, session_id)
        outcome = _list_day(world, session, acting, day)
        note_refusal(world, session, acting, outcome, "appointments", day.isoformat())
    return answer(outcome)


def set_video_link(world: World, *, session_id: str, reference: str, link: str) -> None:
    """Set or change the link of a live video; the tenant is told that it is there, never the link itself.

    Raises Refused appointment.link, appointment.none, appointment.window, case.taken, purpose.*, area.foreign,
    forbidden, not_found.
    """
    checked = decide_link(link)
    if isinstance(checked, Refusal):
        raise Refused.of([checked])
    with transaction() as session:
        acting = acting_officer(world, session, session_id)
        outcome = _mine_to_handle(session, acting, reference)
        if isinstance(outcome, Case):
            outcome = _link(world, session, acting, outcome, checked)
        note_refusal(world, session, acting, outcome, "case", reference)
    answer(outcome)


def mark_appointment(world: World, *, session_id: str, reference: str, action: str) -> None:
    """Say that the person came ('keep') or did not ('miss'); the case stays open, and a missed time can be chosen anew.

    Raises Refused appointment.none, appointment.early, input.not_one_of, and all that `set_video_link` raises.
    """
    if action not in ("keep", "miss"):
        raise Refused("input.not_one_of", "action", allowed=("keep", "miss"))
    with transaction() as session:
        acting = acting_officer(world, session, session_id)
        outcome = _mine_to_handle(session, acting, reference)
        if isinstance(outcome, Case):
            outcome = _mark(world, session, acting, outcome, action)
        note_refusal(world, session, acting, outcome, "case", reference)
    answer(outcome)


def _list_day(world: World, session: Session, acting: Acting, day: date) -> tuple[DayLine, ...] | Refusal:
    refusal = decide_act(acting.session.purpose, HANDLE_CASE)
    if refusal is not None:
        return refusal
    rows = session.execute(
        select(Appointment, Case, Person, Officer.badge)
        .join(Case, Case.id == Appointment.case_id)
        .join(Person, Person.id == Appointment.person_id)
        .outerjoin(Officer, Officer.id == Case.assigned_to)
        .where(
            Case.area.startswith(acting.officer.area, autoescape=True),
            Appointment.starts_at >= start_of(day),
            Appointment.starts_at <= end_of(day),
            Appointment.state != "cancelled",
        )
        .order_by(Appointment.starts_at, Appointment.place)
    ).all()
    listed: list[str | None] = list(dict.fromkeys(row.person_id for row, *_ in rows))
    for person_id in listed or [None]:
        write_leaf(
            world,
            session,
            acting.actor,
            "appointment_listed",
            subject_id=person_id,
            object_kind="appointments",
            object_id=day.isoformat(),
            fields=LISTED_FIELDS if person_id else (),
        )
    return tuple(
        DayLine(
            case.reference,
            row.way,
            row.starts_at,
            row.ends_at,
            row.state,
            mask_name(name_of(world, session, person)),
            row.video_link is not None,
            badge,
            case.decided_at is None,
        )
        for row, case, person, badge in rows
    )


def _mine_to_handle(session: Session, acting: Acting, reference: str) -> Case | Refusal:
    """The case, when it is open and nobody else has taken it."""
    case = case_for(session, acting, reference)
    if isinstance(case, Refusal):
        return case
    refusal = decide_act(acting.session.purpose, HANDLE_CASE)
    if refusal is not None:
        return refusal
    if case.assigned_to not in (None, acting.officer.id):
        return Refusal("case.taken", None, {"badge": badge_of(session, case)})
    return case


def _link(world: World, session: Session, acting: Acting, case: Case, link: str) -> Case | Refusal:
    appointment = find_living(session, case.id)
    if appointment is None:
        return Refusal("appointment.none")
    if appointment.way != "live_video":
        return Refusal("appointment.window", "link")
    refusal = decide_action(appointment.state, "link", appointment.starts_at, world.clock.now())
    if refusal is not None:
        return refusal
    if appointment.video_link == link:
        return case
    appointment.video_link, appointment.state = link, "booked"
    appointment.version += 1
    touch(world, acting, case)
    write_leaf(
        world,
        session,
        acting.actor,
        "appointment_linked",
        subject_id=appointment.person_id,
        object_kind="case",
        object_id=case.reference,
    )
    tell_person(
        world,
        session,
        appointment.person_id,
        "appointment_link",
        once=f"{appointment.id}:{appointment.version}",
        at=words_of_time(appointment.starts_at),
    )
    return case


def _mark(world: World, session: Session, acting: Acting, case: Case, action: str) -> Case | Refusal:
    appointment = find_living(session, case.id)
    if appointment is None:
        return Refusal("appointment.none")
    refusal = end_appointment(world, session, case.id, action, acting.actor)
    if refusal is not None:
        return refusal
    touch(world, acting, case)
    if action == "miss":
        tell_missed(world, session, appointment)
    return case


def tell_missed(world: World, session: Session, appointment: Appointment) -> None:
    """Tell the tenant that the office did not meet them, and that another time can be chosen."""
    at = words_of_time(appointment.starts_at)
    tell_person(world, session, appointment.person_id, "appointment_missed", once=appointment.id, at=at)
