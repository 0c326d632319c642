"""The staff's audit log as auditors read it: who, when, why, what kind of thing; persons only as a mark."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256

from sqlalchemy import func, select

from backend.db import db
from backend.domain.calendars import end_of, start_of
from backend.models.audit import AuditCheckpoint, AuditLeaf
from backend.models.cases import Case
from backend.models.leases import Lease
from backend.models.officers import Officer
from backend.models.registrations import Registration
from backend.models.units import Unit

PAGE = 100


@dataclass(frozen=True)
class LeafLine:
    """One leaf. `subject` is a mark by which equal persons can be told, and nothing else."""

    id: str
    at: datetime
    seq: int | None
    badge: str | None
    role: str | None
    office: str | None
    action: str
    purpose: str | None
    case_ref: str | None
    subject: str | None
    object_kind: str | None
    fields: tuple[str, ...]
    decision: str | None


@dataclass(frozen=True)
class LogState:
    """How far the log is numbered and signed."""

    sealed: int
    waiting: int
    checkpoint_size: int
    checkpoint_at: datetime | None


def list_leaves(
    *,
    office: str | None = None,
    role: str | None = None,
    unit_number: str | None = None,
    badge: str | None = None,
    action: str | None = None,
    purpose: str | None = None,
    on: date | None = None,
    before: str | None = None,
) -> tuple[LeafLine, ...]:
    """The newest leaves of officers, operators and offices; `before` is the last leaf of the page before.

    `unit_number` is the public number on a door: leaves about the unit itself, its leases, registrations and cases.
    """
    statement = select(AuditLeaf).where(AuditLeaf.actor_kind.in_(("officer", "operator", "office")))
    wishes = (
        (AuditLeaf.office, office),
        (AuditLeaf.actor_badge, badge),
        (AuditLeaf.role, role),
        (AuditLeaf.action, action),
        (AuditLeaf.purpose, purpose),
    )
    for column, value in wishes:
        if value:
            statement = statement.where(column == value)
    if unit_number is not None:
        statement = statement.where(AuditLeaf.object_id.in_(_objects_of(unit_number)))
    if on is not None:
        statement = statement.where(AuditLeaf.at >= start_of(on), AuditLeaf.at <= end_of(on))
    if before is not None:
        statement = statement.where(AuditLeaf.id < before)  # ids sort by the time they were made
    rows = db.session.scalars(statement.order_by(AuditLeaf.id.desc()).limit(PAGE))
    return tuple(_line(row) for row in rows)


def list_offices() -> tuple[str, ...]:
    """The offices that occur in the staff's log."""
    staffed = AuditLeaf.actor_kind.in_(("officer", "office"))
    offices = select(AuditLeaf.office).where(staffed, AuditLeaf.office.is_not(None))
    return tuple(name for name in db.session.scalars(offices.distinct().order_by(AuditLeaf.office)) if name)


def list_actions() -> tuple[str, ...]:
    """The actions that occur in the staff's log."""
    return tuple(
        db.session.scalars(
            select(AuditLeaf.action)
            .where(AuditLeaf.actor_kind.in_(("officer", "operator", "office")))
            .distinct()
            .order_by(AuditLeaf.action)
        )
    )


def get_log_state() -> LogState:
    """How many leaves are numbered, how many wait, and the latest signed checkpoint."""
    sealed = db.session.scalar(select(func.coalesce(func.max(AuditLeaf.seq), 0))) or 0
    waiting = db.session.scalar(select(func.count()).where(AuditLeaf.seq.is_(None))) or 0
    last = db.session.execute(
        select(AuditCheckpoint.size, AuditCheckpoint.at).order_by(AuditCheckpoint.size.desc()).limit(1)
    ).first()
    return LogState(sealed, waiting, last.size if last else 0, last.at if last else None)


def count_reads(since: timedelta, now: datetime, area: str = "") -> tuple[tuple[str, int, int], ...]:
    """(badge, persons seen, disclosures made) within `since`, most first, of the officers of an area."""
    mine = select(Officer.badge).where(Officer.area.startswith(area, autoescape=True))
    rows = db.session.execute(
        select(AuditLeaf.actor_badge, func.count(AuditLeaf.subject_id.distinct()), func.count())
        .where(
            AuditLeaf.actor_kind == "officer",
            *([AuditLeaf.actor_badge.in_(mine)] if area else []),
            AuditLeaf.subject_id.is_not(None),
            AuditLeaf.at >= now.astimezone(UTC) - since,
        )
        .group_by(AuditLeaf.actor_badge)
        .order_by(func.count().desc())
    )
    return tuple((badge or "–", persons, looks) for badge, persons, looks in rows)


def _objects_of(unit_number: str) -> list[str]:
    """What a leaf about a unit names: its id, those of its leases and registrations, the references of its cases."""
    unit_id = db.session.scalar(select(Unit.id).where(Unit.public_number == unit_number))
    if unit_id is None:
        return []
    found = [unit_id]
    for column in (Lease.id, Registration.id, Case.reference):
        found += db.session.scalars(select(column).where(column.class_.unit_id == unit_id))
    return found


def _line(row: AuditLeaf) -> LeafLine:
    return LeafLine(
        row.id,
        row.at,
        row.seq,
        row.actor_badge,
        row.role,
        row.office,
        row.action,
        row.purpose,
        row.case_ref,
        sha256(row.subject_id.encode()).hexdigest()[:8] if row.subject_id else None,
        row.object_kind,
        tuple(row.fields),
        row.decision,
    )
