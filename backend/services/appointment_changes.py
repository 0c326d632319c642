"""Appointments inside other use cases' write units: the living one of a case, and its end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.domain.appointments import ENDS, LIVE, decide_action
from backend.domain.refusals import Refusal
from backend.gateways.world import World
from backend.models.appointments import Appointment
from backend.services.audit import Actor, write_leaf


@dataclass(frozen=True)
class AppointmentView:
    """One appointment as tenant and staff see it; `state` is a key of domain.appointments.STATE_NAMES."""

    id: str
    case_reference: str
    way: str
    starts_at: datetime
    ends_at: datetime
    state: str
    video_link: str | None
    version: int


def find_living(session: Session, case_id: str) -> Appointment | None:
    """The case's appointment that is still to come or to be marked."""
    return session.scalar(select(Appointment).where(Appointment.case_id == case_id, Appointment.state.in_(LIVE)))


def find_latest(session: Session, case_id: str) -> Appointment | None:
    """The living appointment of a case, or the last one it had."""
    return session.scalar(
        select(Appointment)
        .where(Appointment.case_id == case_id)
        .order_by(Appointment.state.in_(LIVE).desc(), Appointment.created_at.desc(), Appointment.id.desc())
        .limit(1)
    )


def end_appointment(world: World, session: Session, case_id: str, action: str, actor: Actor) -> Refusal | None:
    """'keep', 'miss' or 'cancel' the living appointment of a case; without one there is nothing to end."""
    appointment = find_living(session, case_id)
    if appointment is None:
        return None
    refusal = decide_action(appointment.state, action, appointment.starts_at, world.clock.now())
    if refusal is not None:
        return refusal
    appointment.state, appointment.video_link = ENDS[action], None
    appointment.version += 1
    write_leaf(
        world,
        session,
        actor,
        "appointment_ended",
        subject_id=appointment.person_id,
        object_kind="appointment",
        object_id=appointment.id,
        decision=appointment.state,
    )
    return None


def view_appointment(appointment: Appointment, case_reference: str) -> AppointmentView:
    """The row as it is shown."""
    return AppointmentView(
        appointment.id,
        case_reference,
        appointment.way,
        appointment.starts_at,
        appointment.ends_at,
        appointment.state,
        appointment.video_link,
        appointment.version,
    )
