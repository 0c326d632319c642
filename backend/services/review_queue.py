"""The queue of identity reviews: what waits, oldest due first. Nameless; each reading leaves an access record."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.db import transaction
from backend.domain.appointments import LIVE
from backend.domain.calendars import day_of, end_of, start_of
from backend.domain.cases import OPEN_STATES
from backend.gateways.world import World
from backend.models.appointments import Appointment
from backend.models.cases import Case
from backend.models.dwellings import Dwelling
from backend.models.officers import Officer
from backend.models.units import Unit
from backend.queries.unit_facts import short_address
from backend.services.audit import write_leaf
from backend.services.officer_sessions import acting_officer

MOST = 200


@dataclass(frozen=True)
class QueueLine:
    """One open review. `way` is what the tenant wants or where it came from (window, live_video, face, attested …)."""

    reference: str
    way: str
    place: str | None
    opened_at: datetime
    due_at: datetime | None
    appointment_at: datetime | None
    appointment_state: str | None
    assigned_badge: str | None
    assigned_to_me: bool
    escalated: bool


@dataclass(frozen=True)
class Queue:
    """The lines of a filter, and how many are open, late and with the supervisors in the whole area."""

    lines: tuple[QueueLine, ...]
    open: int
    late: int
    escalated: int


def read_queue(world: World, *, session_id: str, way: str | None = None, when: str | None = None) -> Queue:
    """The open reviews of the officer's area; `way` and `when` (late, today, escalated, mine) narrow the lines.

    No person is named, so no purpose is needed; who read it, and with which filter, is written down.
    """
    with transaction() as session:
        acting = acting_officer(world, session, session_id)
        now = world.clock.now()
        every = [_line(acting.officer.id, *row) for row in _rows(session, acting.officer.area)]
        lines = tuple(line for line in every if _fits(line, way, when, now))
        write_leaf(
            world,
            session,
            acting.actor,
            "reviews_listed",
            object_kind="reviews",
            object_id=acting.officer.area,
            decision=when or way,
        )
        late = sum(line.due_at is not None and line.due_at < now for line in every)
        return Queue(lines, len(every), late, sum(line.escalated for line in every))


def _rows(session: Session, area: str) -> Any:
    return session.execute(
        select(Case, Unit, Dwelling, Appointment, Officer.badge)
        .outerjoin(Unit, Unit.id == Case.unit_id)
        .outerjoin(Dwelling, Dwelling.id == Unit.dwelling_id)
        .outerjoin(Appointment, (Appointment.case_id == Case.id) & Appointment.state.in_(LIVE))
        .outerjoin(Officer, Officer.id == Case.assigned_to)
        .where(
            Case.area.startswith(area, autoescape=True),
            Case.kind == "identity_review",
            Case.state.in_(OPEN_STATES),
        )
        .order_by(Case.due_at, Case.reference)
        .limit(MOST)
    )


def _line(
    me: str,
    case: Case,
    unit: Unit | None,
    dwelling: Dwelling | None,
    appointment: Appointment | None,
    badge: str | None,
) -> QueueLine:
    return QueueLine(
        reference=case.reference,
        way=appointment.way if appointment else str(case.evidence.get("way", "")),
        place=f"{short_address(dwelling)} {unit.label}" if unit is not None and dwelling is not None else None,
        opened_at=case.opened_at,
        due_at=case.due_at,
        appointment_at=appointment.starts_at if appointment else None,
        appointment_state=appointment.state if appointment else None,
        assigned_badge=badge,
        assigned_to_me=case.assigned_to == me,
        escalated=case.escalated_at is not None,
    )


def _fits(line: QueueLine, way: str | None, when: str | None, now: datetime) -> bool:
    if way is not None and line.way != way:
        return False
    if when == "late":
        return line.due_at is not None and line.due_at < now
    if when == "today":
        today = day_of(now)
        return line.appointment_at is not None and start_of(today) <= line.appointment_at <= end_of(today)
    if when == "escalated":
        return line.escalated
    return line.assigned_to_me if when == "mine" else True
