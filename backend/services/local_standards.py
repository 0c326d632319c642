"""Setting a local standard (HR-7): a supervisor's act with a reason, written down, valid from a day on."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.db import transaction
from backend.domain.ids import new_id
from backend.domain.local_standards import find_standard_faults
from backend.domain.refusals import Refused
from backend.gateways.world import World
from backend.models.local_standards import LocalStandard
from backend.services.audit import write_leaf
from backend.services.officer_sessions import acting_officer


def set_standard(
    world: World, *, session_id: str, name: str, value: float | None, starts_on: date | None, reason: str
) -> None:
    """Let a value count from `starts_on` on; earlier rows stay, so that each day keeps the value it had.

    What was set last for that day set again changes nothing.

    Raises Refused with every faulty field, forbidden, unauthenticated.
    """
    with transaction() as session:
        acting = acting_officer(world, session, session_id)
        if acting.officer.role != "supervisor":
            raise Refused("forbidden")
        faults = find_standard_faults(name, value, starts_on, reason, world.clock.today())
        if faults or value is None or starts_on is None:
            raise Refused.of(faults)
        if _is_last(session, name, value, starts_on, reason.strip()):
            return
        row = LocalStandard(
            id=new_id(),
            name=name,
            value=value,
            starts_on=starts_on,
            reason=reason.strip(),
            set_by=acting.officer.id,
            set_at=world.clock.now(),
        )
        session.add(row)
        write_leaf(
            world,
            session,
            acting.actor,
            "standard_set",
            object_kind="standard",
            object_id=f"{name} {starts_on.isoformat()}",
            decision=f"{value:g}",
        )


def _is_last(session: Session, name: str, value: float, starts_on: date, reason: str) -> bool:
    last = session.scalar(
        select(LocalStandard)
        .where(LocalStandard.name == name, LocalStandard.starts_on == starts_on)
        .order_by(LocalStandard.id.desc())
        .limit(1)
    )
    return last is not None and (last.value, last.reason) == (value, reason)
