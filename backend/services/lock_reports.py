"""What locks report: presence, results, the keys they hold, telemetry. Their event log is in `lock_logs`.

Every function is idempotent: a message that comes twice, or late, changes nothing twice and nothing back.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.db import transaction
from backend.domain.ids import new_id
from backend.gateways.world import World
from backend.models.lock_events import LockAnomaly
from backend.models.locks import Lock
from backend.models.outbox import OutboxRow
from backend.services.commands import apply_answer, command_of_lock
from backend.services.key_changes import confirm_doors
from backend.services.key_lists import enqueue_key_list, key_list, republish_key_list
from backend.wire.jwk import base64url
from backend.wire.lock_documents import content_hash
from backend.wire.lock_messages import Acknowledge, Birth, CommandResult, Departure, ReportedKeys, Telemetry, first_hash

ANOMALY_PAUSE = timedelta(hours=1)  # the same fault of the same lock is written once an hour
FIRST_REPUBLISH = timedelta(seconds=60)
LONGEST_REPUBLISH = timedelta(minutes=30)
TRIES_BEFORE_ALARM = 3
FARTHEST_AHEAD = 10_000


class UnknownLock(Exception):
    """A message names a lock that is not of the manifest, or is retired."""


def record_birth(world: World, lock_id: str, birth: Birth) -> Acknowledge | None:
    """A lock came online: note it, and answer with how far its event log is stored; None for an older birth.

    A list older than the desired one is sent again. Raises UnknownLock.
    """
    with transaction() as session:
        lock = known_lock(session, lock_id)
        now = world.clock.now()
        if lock.boot_id == birth.boot and _number(lock.session_id) > _number(birth.session):
            return None
        if lock.session_id != birth.session:
            lock.born_at = now
        lock.session_id, lock.boot_id, lock.presence = birth.session, birth.boot, "online"
        lock.last_seen_at, lock.firmware, lock.clock_quality = now, birth.firmware, birth.clock
        if birth.epoch > lock.epoch:  # only a database put back from a backup can be behind its locks
            record_anomaly(world, session, lock_id, "keys", "epoch_ahead", "up/conn")
        if birth.list_version < lock.list_version:
            republish_key_list(world, session, lock)
        head = lock.stored_head or first_hash(lock.id)
        return Acknowledge(lock.stored_seq, base64url(head), session=birth.session)


def record_departure(world: World, lock_id: str, departure: Departure, *, last_word: bool = False) -> bool:
    """A lock is gone or sleeps; False when a later birth makes this old news. Raises UnknownLock.

    A departure of a session we never saw begin counts within the same boot when it is the later one, and over boots
    only as the broker's `last_word`: what it kept as the newest while we were away.
    """
    with transaction() as session:
        lock = known_lock(session, lock_id)
        if lock.session_id != departure.session:
            same_boot = departure.session.startswith(f"{lock.boot_id}-")
            if not (_number(departure.session) > _number(lock.session_id) if same_boot else last_word):
                return False
        lock.presence = "sleeping" if departure.state == "sleeping" else "offline"
        lock.last_seen_at = world.clock.now()
        return True


def record_command_result(world: World, lock_id: str, result: CommandResult) -> bool:
    """The lock's word on a command; False when it is none of this lock's commands. Raises UnknownLock."""
    with transaction() as session:
        # The lock's row stays as it is: last_seen_at is seen by the landlord, and this is somebody at the door.
        command = command_of_lock(session, lock_id, result.command)
        if command is None:
            known_lock(session, lock_id)
        return apply_answer(world, session, lock_id, command, result.state, result.reason, result.seq)


def record_reported_keys(world: World, lock_id: str, report: ReportedKeys) -> None:
    """What the lock holds: doors up to the reported version are confirmed, if the content is what was desired.

    Raises UnknownLock.
    """
    with transaction() as session:
        lock = known_lock(session, lock_id)
        now = world.clock.now()
        lock.last_seen_at = now
        if report.version > lock.list_version:  # as above: go on from where the lock stands, or it never listens again
            record_anomaly(world, session, lock_id, "keys", "version_ahead", "up/keys")
            if report.version - lock.list_version <= FARTHEST_AHEAD:
                lock.list_version = report.version
                enqueue_key_list(world, session, lock_id)
            return
        if report.version == lock.list_version > 0 and report.list_hash != content_hash(key_list(world, session, lock)):
            record_anomaly(world, session, lock_id, "keys", "other_content", "up/keys")
            return
        if report.refused is not None:
            record_anomaly(world, session, lock_id, "keys", report.refused, "up/keys")
        if report.version < lock.reported_list_version:
            record_anomaly(world, session, lock_id, "keys", "fell_back", "up/keys")
        lock.reported_list_version, lock.reported_epoch, lock.reported_at = report.version, report.epoch, now
        if lock.alarm == "keys_unconfirmed" and report.version == lock.list_version:
            lock.alarm = None
        confirm_doors(world, session, lock_id, report.version)


def record_telemetry(world: World, lock_id: str, told: Telemetry) -> None:
    """The lock's health. Telemetry is never kept by a broker, so who sends it is online. Raises UnknownLock."""
    with transaction() as session:
        lock = known_lock(session, lock_id)
        if lock.boot_id is not None:
            lock.presence = "online"
        lock.last_seen_at = world.clock.now()
        lock.battery_percent, lock.signal_dbm = told.battery_percent, told.signal_dbm
        lock.clock_quality = told.clock


def record_rejected_message(world: World, lock_id: str, path: str, reason: str) -> None:
    """A message that could not be read, without its content: an operator can see which lock and why."""
    with transaction() as session:
        record_anomaly(world, session, lock_id, "message", reason, path)


def republish_unconfirmed(world: World, *, limit: int = 100) -> int:
    """Send lists again that online locks have not confirmed: after 1, 2, 4 … 30 minutes; alarm after three tries."""
    now = world.clock.now()
    with transaction() as session:
        late = session.scalars(
            select(Lock)
            .where(
                Lock.presence == "online", Lock.reported_list_version < Lock.list_version, Lock.retired_at.is_(None)
            )
            .limit(limit)
        ).all()
        again = 0
        for lock in late:
            tries = session.scalars(
                select(OutboxRow)
                .where(
                    OutboxRow.destination == "lock", OutboxRow.aggregate_id == lock.id, OutboxRow.kind == "key_list"
                )
                .order_by(OutboxRow.id.desc())
                .limit(12)
            ).all()
            tries = [row for row in tries if row.payload.get("version") == lock.list_version]
            wait = min(FIRST_REPUBLISH * 2 ** max(0, len(tries) - 1), LONGEST_REPUBLISH)
            if tries and (tries[0].done_at is None or now < tries[0].done_at + wait):
                continue
            if len(tries) >= TRIES_BEFORE_ALARM and lock.alarm is None:  # never over a tamper alarm
                lock.alarm = "keys_unconfirmed"
            republish_key_list(world, session, lock)
            again += 1
        return again


def known_lock(session: Session, lock_id: str) -> Lock:
    """The lock's row, to be changed in the present write unit. Raises UnknownLock."""
    lock = session.get(Lock, lock_id, with_for_update=True)
    if lock is None or lock.retired_at is not None:
        raise UnknownLock(lock_id)
    return lock


def record_anomaly(world: World, session: Session, lock_id: str, kind: str, reason: str, path: str) -> None:
    """Write down what was wrong, once an hour, inside the present write unit."""
    now = world.clock.now()
    same = session.scalar(
        select(LockAnomaly)
        .where(
            LockAnomaly.lock_id == lock_id,
            LockAnomaly.kind == kind,
            LockAnomaly.reason == reason,
            LockAnomaly.at > now - ANOMALY_PAUSE,
        )
        .limit(1)
    )
    if same is None:
        found = {"lock_id": lock_id, "kind": kind, "reason": reason, "topic": path}
        session.add(LockAnomaly(id=new_id(), at=now, last_at=now, **found))
    else:
        same.seen, same.last_at = same.seen + 1, now


def _number(session_id: str | None) -> int:
    """The part of a session id that rises within a boot."""
    return int(session_id.rpartition("-")[2]) if session_id else 0


