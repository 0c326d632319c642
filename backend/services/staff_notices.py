"""What officers are told on their start page: told once, kept until it was read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import String, func, literal, select
from sqlalchemy.orm import Session

from backend.db import reading, transaction
from backend.domain.ids import new_id
from backend.domain.refusals import Refused
from backend.gateways.world import World
from backend.models.officers import Officer, StaffNotice


@dataclass(frozen=True)
class NoticeLine:
    """One notice; `kind` is a key of domain.staff_notices.NOTICES."""

    id: str
    kind: str
    params: dict[str, Any]
    at: datetime


def tell_officer(world: World, session: Session, officer_id: str, kind: str, /, *, once: str, **params: Any) -> None:
    """Tell one officer, inside the present write unit; the same `once` again is told no second time."""
    marker = f"{kind}:{once}"[:120]
    known = select(StaffNotice.id).where(StaffNotice.officer_id == officer_id, StaffNotice.once == marker)
    if session.scalar(known) is None:
        session.add(
            StaffNotice(id=new_id(), officer_id=officer_id, kind=kind, once=marker, params=params, at=world.clock.now())
        )
        session.flush()


def tell_supervisors(
    world: World, session: Session, area: str, kind: str, /, *, once: str, but: str | None = None, **params: Any
) -> None:
    """Tell every supervisor whose area covers `area`, except the officer `but`."""
    for officer_id in session.scalars(supervisors_over(area)):
        if officer_id != but:
            tell_officer(world, session, officer_id, kind, once=once, **params)


def supervisors_over(area: str) -> Any:
    """The ids of the active supervisors whose area covers `area`."""
    return select(Officer.id).where(
        Officer.role == "supervisor", Officer.active, literal(area, String).startswith(Officer.area)
    )


def list_unread(officer_id: str) -> tuple[NoticeLine, ...]:
    """An officer's unread notices, newest first."""
    with reading() as session:
        rows = session.scalars(
            select(StaffNotice)
            .where(StaffNotice.officer_id == officer_id, StaffNotice.read_at.is_(None))
            .order_by(StaffNotice.at.desc(), StaffNotice.id.desc())
        )
        return tuple(NoticeLine(row.id, row.kind, row.params, row.at) for row in rows)


def count_unread(officer_id: str) -> int:
    """How many there are."""
    with reading() as session:
        unread = select(func.count()).where(StaffNotice.officer_id == officer_id, StaffNotice.read_at.is_(None))
        return session.scalar(unread) or 0


def mark_notice_read(world: World, *, officer_id: str, notice_id: str) -> None:
    """Take one's own notice off the start page. Raises Refused not_found for another's."""
    with transaction() as session:
        notice = session.get(StaffNotice, notice_id)
        if notice is None or notice.officer_id != officer_id:
            raise Refused("not_found")
        notice.read_at = notice.read_at or world.clock.now()
