"""Questions about locks: presence and health, never who opened a door."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

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
    """A lock on the operator's list: key list version desired and reported; `life` is in_use, retiring or retired."""

    id: str
    serial: str
    life: str
    unit_alias: str | None
    presence: str
    last_seen_at: datetime | None
    battery_percent: int | None
    desired: int
    reported: int
    alarm: str | None


@dataclass(frozen=True)
class LockCard:
    """Everything an operator may know of a lock: its health, its lists and its log's length, no opening, no person."""

    row: LockRow
    model: str
    shard: int
    firmware: str | None
    signal_dbm: int | None
    clock_quality: str | None
    born_at: datetime | None
    reported_at: datetime | None
    has_keypad: bool
    epoch: int
    reported_epoch: int
    stored_seq: int
    checked_seq: int
    closed_seq: int | None
    oldest_seq: int | None
    claimed_at: datetime | None
    retiring_at: datetime | None
    retired_at: datetime | None
    retire_reason: str | None
    replaced_by: str | None
    anomalies: tuple[AnomalyRow, ...]


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


def list_locks(*, offline: bool = False, alarm: bool = False, unclaimed: bool = False) -> tuple[LockRow, ...]:
    """All locks not yet retired, by serial; the filters narrow it to those that meet each of them."""
    wanted = [Lock.retired_at.is_(None)]
    if offline:
        wanted.append(Lock.presence.in_(("offline", "never")))
    if alarm:
        wanted.append(Lock.alarm.is_not(None))
    if unclaimed:
        wanted += [Lock.unit_id.is_(None), Lock.retiring_at.is_(None)]
    with reading() as session:
        rows = session.execute(_WITH_HOME.where(*wanted).order_by(Lock.serial))
        return tuple(_row(lock, unit, home) for lock, unit, home in rows)


def find_lock_card(name: str) -> LockCard | None:
    """A lock by serial or id, with the newest of its anomalies."""
    with reading() as session:
        found = session.execute(_WITH_HOME.where(or_(Lock.serial == name, Lock.id == name)).limit(1)).first()
        if found is None:
            return None
        lock, unit, home = found
        return LockCard(
            row=_row(lock, unit, home),
            model=lock.model,
            shard=lock.shard,
            firmware=lock.firmware,
            signal_dbm=lock.signal_dbm,
            clock_quality=lock.clock_quality,
            born_at=lock.born_at,
            reported_at=lock.reported_at,
            has_keypad=lock.agreement_key is not None,
            epoch=lock.epoch,
            reported_epoch=lock.reported_epoch,
            stored_seq=lock.stored_seq,
            checked_seq=lock.checked_seq,
            closed_seq=lock.closed_seq,
            oldest_seq=session.scalar(select(func.min(LockEvent.seq)).where(LockEvent.lock_id == lock.id)),
            claimed_at=lock.claimed_at,
            retiring_at=lock.retiring_at,
            retired_at=lock.retired_at,
            retire_reason=lock.retire_reason,
            replaced_by=lock.replaced_by,
            anomalies=_anomalies(session, lock.id, 10),
        )


def list_anomalies(lock_id: str | None = None, *, limit: int = 100) -> tuple[AnomalyRow, ...]:
    """The newest messages that were not accepted, of all locks or of one; without their content."""
    with reading() as session:
        return _anomalies(session, lock_id, limit)


def _anomalies(session: Session, lock_id: str | None, limit: int) -> tuple[AnomalyRow, ...]:
    statement = (
        select(LockAnomaly, Lock.serial)
        .outerjoin(Lock, Lock.id == LockAnomaly.lock_id)
        .order_by(LockAnomaly.last_at.desc(), LockAnomaly.id.desc())
        .limit(limit)
    )
    if lock_id is not None:
        statement = statement.where(LockAnomaly.lock_id == lock_id)
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
        for row, serial in session.execute(statement)
    )


_WITH_HOME = (
    select(Lock, Unit, Dwelling)
    .outerjoin(Unit, Unit.id == Lock.unit_id)
    .outerjoin(Dwelling, Dwelling.id == Unit.dwelling_id)
)


def _row(lock: Lock, unit: Unit | None, home: Dwelling | None) -> LockRow:
    return LockRow(
        lock.id,
        lock.serial,
        "retired" if lock.retired_at else "retiring" if lock.retiring_at else "in_use",
        f"{home.road}{home.door_no} {unit.label}" if unit and home else None,
        lock.presence,
        lock.last_seen_at,
        lock.battery_percent,
        lock.list_version,
        lock.reported_list_version,
        lock.alarm,
    )


def list_claimed_serials() -> frozenset[str]:
    """The serials of locks that belong to a unit: the demo's page offers the stickers of the others."""
    with reading() as session:
        return frozenset(session.scalars(select(Lock.serial).where(Lock.unit_id.is_not(None))))
