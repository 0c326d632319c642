"""What locks report: presence, results, the keys they hold, telemetry. Their event log is in `lock_logs`.

Every function is idempotent: a message that comes twice, or late, changes nothing twice and nothing back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from datetime import datetime, timedelta
from functools import partial

import structlog
from sqlalchemy import and_, case, func, select
from sqlalchemy.orm import Session

from backend.db import after_commit, can_act_at_once, transaction
from backend.domain.ids import new_id
from backend.gateways.world import World
from backend.models.lock_events import LockAnomaly
from backend.models.locks import Lock
from backend.models.outbox import OutboxRow
from backend.services import quick_commands
from backend.services.bridge_shards import Fence, check_fence
from backend.services.command_answers import apply_answer, command_of_lock
from backend.services.commands import ask_wipe
from backend.services.key_changes import adopt_epoch, confirm_doors
from backend.services.key_lists import enqueue_key_list, key_list, republish_key_list
from backend.wire.jwk import base64url
from backend.wire.lock_documents import content_hash
from backend.wire.lock_messages import Acknowledge, Birth, CommandResult, Departure, ReportedKeys, Telemetry, first_hash
from backend.wire.topics import SHARDS

log = structlog.get_logger(__name__)

ANOMALY_PAUSE = timedelta(hours=1)  # the same fault of the same lock is written once an hour
MOST_ANOMALIES = 40  # rows of one lock an hour: some words of a fault are the lock's own, and it may invent many
OVERFLOW = ("any", "too_many_kinds")
NOTED: Counter[str] = Counter()  # faults written down since this process began, for the bridge's page of counts
FIRST_REPUBLISH = timedelta(seconds=60)
LONGEST_REPUBLISH = timedelta(minutes=30)
TRIES_BEFORE_ALARM = 3
FARTHEST_AHEAD = 10_000


class UnknownLock(Exception):
    """A message names a lock that is not of the manifest, or is retired."""


def record_birth(world: World, lock_id: str, birth: Birth, *, fence: Fence | None = None) -> Acknowledge | None:
    """A lock came online: note it, and answer with how far its event log is stored; None for an older birth.

    A list older than the desired one is sent again. Raises UnknownLock, NotOwner.
    """
    with transaction() as session:
        lock = known_lock(session, lock_id, fence)
        now = world.clock.now()
        if lock.boot_id == birth.boot and _number(lock.session_id) > _number(birth.session):
            after_commit(session, partial(NOTED.update, ("older_birth",)))
            return None
        if lock.session_id != birth.session:
            lock.born_at = now
        lock.session_id, lock.boot_id, lock.presence = birth.session, birth.boot, "online"
        lock.last_seen_at, lock.firmware, lock.clock_quality = now, birth.firmware, birth.clock
        if birth.epoch > lock.epoch:  # a database put back from a backup, or a delegated key that has opened already
            record_anomaly(world, session, lock_id, "keys", "epoch_ahead", "up/conn")
            adopt_epoch(world, session, lock, birth.epoch)
        if birth.list_version < lock.list_version:
            republish_key_list(world, session, lock)
        if lock.retiring_at is not None:
            ask_wipe(world, session, lock)
        head = lock.stored_head or first_hash(lock.id)
        return Acknowledge(lock.stored_seq, base64url(head), session=birth.session)


def record_departure(
    world: World, lock_id: str, departure: Departure, *, last_word: bool = False, fence: Fence | None = None
) -> bool:
    """A lock is gone or sleeps; False when a later birth makes this old news. Raises UnknownLock, NotOwner.

    A departure of a session we never saw begin counts within the same boot when it is the later one, and over boots
    only as the broker's `last_word`: what it kept as the newest while we were away.
    """
    with transaction() as session:
        lock = known_lock(session, lock_id, fence)
        if lock.session_id != departure.session:
            same_boot = departure.session.startswith(f"{lock.boot_id}-")
            if not (_number(departure.session) > _number(lock.session_id) if same_boot else last_word):
                after_commit(session, partial(NOTED.update, ("older_departure",)))
                return False
        lock.presence = "sleeping" if departure.state == "sleeping" else "offline"
        lock.last_seen_at = world.clock.now()
        return True


def record_command_result(world: World, lock_id: str, result: CommandResult) -> bool:
    """The lock's word on a command; False when it is none of this lock's commands. Raises UnknownLock."""
    if can_act_at_once():
        is_last = result.state != "accepted"
        wake = world.wake_up.name_in_database("command") if is_last else None
        if quick_commands.write_answer(lock_id, result, world.clock.now(), wake=wake):
            if is_last and wake is None:
                world.wake_up.notify("command")
            return True
    with transaction() as session:
        # The lock's row stays as it is: last_seen_at is seen by the landlord, and this is somebody at the door.
        command = command_of_lock(session, lock_id, result.command)
        if command is None:
            known_lock(session, lock_id)
        return apply_answer(world, session, lock_id, command, result.state, result.reason, result.seq)


def record_reported_keys(
    world: World, lock_id: str, report: ReportedKeys, *, fence: Fence | None = None
) -> None:
    """What the lock holds: doors up to the reported version are confirmed, if the content is what was desired.

    Raises UnknownLock, NotOwner.
    """
    with transaction() as session:
        lock = known_lock(session, lock_id, fence)
        now = world.clock.now()
        lock.last_seen_at = now
        if report.version > lock.list_version:  # as above: go on from where the lock stands, or it never listens again
            record_anomaly(world, session, lock_id, "keys", "version_ahead", "up/keys")
            if report.version - lock.list_version <= FARTHEST_AHEAD:
                lock.list_version = report.version
                enqueue_key_list(world, session, lock_id)
            return
        if report.version == lock.list_version > 0 and report.list_hash != content_hash(key_list(world, session, lock)):
            if lock.retiring_at is not None:
                return  # it has wiped itself, as it was told to
            if record_anomaly(world, session, lock_id, "keys", "other_content", "up/keys"):
                enqueue_key_list(world, session, lock_id)  # once an hour: a newer list mends what should not be
            return
        if report.refused is not None:
            record_anomaly(world, session, lock_id, "keys", report.refused, "up/keys")
        if report.version < lock.reported_list_version:
            record_anomaly(world, session, lock_id, "keys", "fell_back", "up/keys")
        lock.reported_list_version, lock.reported_epoch, lock.reported_at = report.version, report.epoch, now
        if lock.alarm == "keys_unconfirmed" and report.version == lock.list_version:
            lock.alarm = None
        confirm_doors(world, session, lock_id, report.version)


def record_telemetry(world: World, lock_id: str, told: Telemetry, *, fence: Fence | None = None) -> None:
    """The lock's health. Telemetry is never kept by a broker, so who sends it is online.

    Raises UnknownLock, NotOwner.
    """
    with transaction() as session:
        lock = known_lock(session, lock_id, fence)
        if lock.boot_id is not None:
            lock.presence = "online"
        lock.last_seen_at = world.clock.now()
        lock.battery_percent, lock.signal_dbm = told.battery_percent, told.signal_dbm
        lock.clock_quality = told.clock


def record_rejected_message(
    world: World, lock_id: str, path: str, reason: str, *, size: int | None = None, digest: bytes | None = None
) -> None:
    """A message that could not be taken, without its content: an operator can see which lock and why.

    Raises UnknownLock, so that nobody fills the table under invented names.
    """
    with transaction() as session:
        known_lock(session, lock_id)
        record_anomaly(world, session, lock_id, "message", reason, path, size=size, digest=digest)


def republish_unconfirmed(world: World, *, limit: int = 100, shards: Collection[int] = range(SHARDS)) -> int:
    """Send lists again that online locks of these shards have not confirmed: after 1, 2, 4 … 30 minutes.

    Alarm after three tries. Several callers at once send each list once.
    """
    now = world.clock.now()
    with transaction() as session:
        due = [lock_id for lock_id, tries, done_at in _unconfirmed(session, shards) if _is_due(tries, done_at, now)]
        late = session.scalars(
            select(Lock).where(Lock.id.in_(due[:limit])).order_by(Lock.id).with_for_update(skip_locked=True)
        ).all()
        still = {lock_id: (tries, at) for lock_id, tries, at in _unconfirmed(session, shards, [x.id for x in late])}
        again = 0
        for lock in late:
            tries, done_at = still.get(lock.id, (0, now))
            if not _is_due(tries, done_at, now):
                continue
            if tries >= TRIES_BEFORE_ALARM and lock.alarm is None:  # never over a tamper alarm
                lock.alarm = "keys_unconfirmed"
            republish_key_list(world, session, lock)
            again += 1
        return again


def _unconfirmed(
    session: Session, shards: Collection[int], among: Collection[str] | None = None
) -> list[tuple[str, int, datetime | None]]:
    """Online locks that have not confirmed their list: id, how often it was sent, when last (None: on its way)."""
    of_list = and_(
        OutboxRow.destination == "lock",
        OutboxRow.aggregate_id == Lock.id,
        OutboxRow.kind == "key_list",
        OutboxRow.payload["version"].as_integer() == Lock.list_version,
    )
    open_rows = func.sum(case((OutboxRow.id.is_not(None) & OutboxRow.done_at.is_(None), 1), else_=0))
    statement = (
        select(Lock.id, func.count(OutboxRow.id), func.max(OutboxRow.done_at), open_rows)
        .outerjoin(OutboxRow, of_list)
        .where(Lock.presence == "online", Lock.reported_list_version < Lock.list_version, Lock.retired_at.is_(None))
        .group_by(Lock.id)
        .order_by(Lock.id)
    )
    if len(shards) < SHARDS:
        statement = statement.where(Lock.shard.in_(shards))
    if among is not None:
        statement = statement.where(Lock.id.in_(among))
    return [(lock_id, tries, None if on_way else at) for lock_id, tries, at, on_way in session.execute(statement)]


def _is_due(tries: int, done_at: datetime | None, now: datetime) -> bool:
    """Whether to send a list again that was sent so often, last at `done_at`."""
    if tries == 0:
        return True
    return done_at is not None and now >= done_at + min(FIRST_REPUBLISH * 2 ** min(tries - 1, 10), LONGEST_REPUBLISH)


def known_lock(session: Session, lock_id: str, fence: Fence | None = None) -> Lock:
    """The lock's row, to be changed in the present write unit by the owner of its shard.

    Raises UnknownLock, NotOwner.
    """
    lock = session.get(Lock, lock_id, with_for_update=True)
    check_fence(session, fence)
    if lock is None or lock.retired_at is not None:
        raise UnknownLock(lock_id)
    return lock


def record_anomaly(
    world: World,
    session: Session,
    lock_id: str,
    kind: str,
    reason: str,
    path: str,
    *,
    size: int | None = None,
    digest: bytes | None = None,
) -> bool:
    """Write down what was wrong, inside the present write unit that holds the lock's row; True when it is new.

    The same fault within an hour is counted in one row, and a lock gets no more than so many rows an hour: what goes
    beyond them is counted in one that says so.
    """
    now = world.clock.now()
    same = _find_anomaly(session, lock_id, kind, reason, now)
    if same is None and _count_anomalies(session, lock_id, now) >= MOST_ANOMALIES:
        kind, reason = OVERFLOW
        same = _find_anomaly(session, lock_id, kind, reason, now)
    log.warning("lock_anomaly", lock_id=lock_id, kind=kind, reason=reason, path=path)
    after_commit(session, partial(NOTED.update, (f"noted_{kind}_{reason.partition(' ')[0]}",)))
    is_new = same is None
    if same is None:
        same = LockAnomaly(id=new_id(), lock_id=lock_id, kind=kind, reason=reason, topic=path, at=now, seen=0)
        session.add(same)
    same.seen, same.last_at = same.seen + 1, now
    same.size_bytes, same.digest = size, digest
    session.flush()
    return is_new


def _find_anomaly(session: Session, lock_id: str, kind: str, reason: str, now: datetime) -> LockAnomaly | None:
    return session.scalar(
        select(LockAnomaly)
        .where(
            LockAnomaly.lock_id == lock_id,
            LockAnomaly.kind == kind,
            LockAnomaly.reason == reason,
            LockAnomaly.at > now - ANOMALY_PAUSE,
        )
        .limit(1)
    )


def _count_anomalies(session: Session, lock_id: str, now: datetime) -> int:
    within = (LockAnomaly.lock_id == lock_id, LockAnomaly.at > now - ANOMALY_PAUSE)
    return session.scalar(select(func.count()).select_from(LockAnomaly).where(*within)) or 0


def _number(session_id: str | None) -> int:
    """The part of a session id that rises within a boot."""
    return int(session_id.rpartition("-")[2]) if session_id else 0
