"""Questions about locks: presence and health, never who opened a door."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from backend.db import reading
from backend.models.dwellings import Dwelling
from backend.models.lock_events import LockAnomaly, LockEvent
from backend.models.locks import Lock
from backend.models.units import Unit

STALE_AFTER = timedelta(minutes=30)
# Events a landlord may see: the lock's health and the door's safety. Openings are not among them, by design.
HEALTH_KINDS = (
    "door.forced",
    "tamper.cover",
    "lock.jammed",
    "lockout.started",
    "lockout.ended",
    "battery.low",
    "battery.critical",
    "power.restored",
    "factory_reset",
    "clock.lost",
    "log.overflow",
    "firmware.updated",
)


@dataclass(frozen=True)
class LockView:
    """A lock as its landlord sees it; `stale` marks values that are old."""

    id: str
    serial: str
    model: str
    presence: str
    last_seen_at: datetime | None
    battery_percent: int | None
    door_state: str | None
    firmware: str | None
    stale: bool
    alarm: str | None


@dataclass(frozen=True)
class LockHealth:
    """One health or safety event."""

    at: datetime
    kind: str
    late: bool


def lock_view(lock: Lock, now: datetime) -> LockView:
    """Presence, battery and safety state of one lock."""
    stale = lock.last_seen_at is None or now - lock.last_seen_at > STALE_AFTER or lock.presence != "online"
    return LockView(
        lock.id,
        lock.serial,
        lock.model,
        lock.presence,
        lock.last_seen_at,
        lock.battery_percent,
        # Whether the door stands open is told only as a safety matter, never as coming and going.
        lock.door_state if lock.door_state in ("forced", "ajar", "jammed") else None,
        lock.firmware,
        stale,
        lock.alarm if lock.alarm != "duress" else None,
    )


def list_health(lock_id: str, limit: int = 50) -> tuple[LockHealth, ...]:
    """The newest health and safety events of a lock."""
    with reading() as session:
        rows: Iterable[LockEvent] = session.scalars(
            select(LockEvent)
            .where(LockEvent.lock_id == lock_id, LockEvent.kind.in_(HEALTH_KINDS))
            .order_by(LockEvent.seq.desc())
            .limit(limit)
        )
        return tuple(LockHealth(row.at, row.kind, row.late) for row in rows)


@dataclass(frozen=True)
class LockRow:
    """A lock on the operator's list: key list version desired and reported."""

    serial: str
    presence: str
    unit_alias: str | None
    desired: int
    reported: int


def list_locks() -> tuple[LockRow, ...]:
    """All locks in use, by serial."""
    with reading() as session:
        rows = session.execute(
            select(Lock, Unit, Dwelling)
            .outerjoin(Unit, Unit.id == Lock.unit_id)
            .outerjoin(Dwelling, Dwelling.id == Unit.dwelling_id)
            .where(Lock.retired_at.is_(None))
            .order_by(Lock.serial)
        )
        return tuple(
            LockRow(
                lock.serial,
                lock.presence,
                f"{home.road}{home.door_no} {unit.label}" if unit and home else None,
                lock.list_version,
                lock.reported_list_version,
            )
            for lock, unit, home in rows
        )


@dataclass(frozen=True)
class AnomalyRow:
    """A message that was not accepted, as the operator sees it: who, why, how often, how big; never what it said.

    `digest` is the SHA-256 of the last such message in hex, None where a message could be read and is not believed.
    """

    lock_id: str
    serial: str | None
    kind: str
    reason: str
    topic: str
    at: datetime
    last_at: datetime
    seen: int
    size_bytes: int | None
    digest: str | None


def list_anomalies(limit: int = 50) -> tuple[AnomalyRow, ...]:
    """The anomalies seen last, newest first."""
    with reading() as session:
        rows = session.execute(
            select(LockAnomaly, Lock.serial)
            .outerjoin(Lock, Lock.id == LockAnomaly.lock_id)
            .order_by(LockAnomaly.last_at.desc(), LockAnomaly.id.desc())
            .limit(limit)
        )
        return tuple(
            AnomalyRow(
                row.lock_id,
                serial,
                row.kind,
                row.reason,
                row.topic,
                row.at,
                row.last_at,
                row.seen,
                row.size_bytes,
                row.digest.hex() if row.digest else None,
            )
            for row, serial in rows
        )


def list_claimed_serials() -> frozenset[str]:
    """The serials of locks that belong to a unit: the demo's page offers the stickers of the others."""
    with reading() as session:
        return frozenset(session.scalars(select(Lock.serial).where(Lock.unit_id.is_not(None))))
