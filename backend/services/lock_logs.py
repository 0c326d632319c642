"""The locks' event logs as we keep them: each event once, in its chain, acknowledged only after the commit.

A batch is taken exactly as far as it continues the stored chain. What lies beyond a gap is not stored: the lock keeps
it until it is acknowledged, and is asked to send from the gap on. Same sequence with another hash is a clone or a
tampered lock: nothing is taken and the lock is marked.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from backend.db import transaction
from backend.domain.ids import is_id
from backend.gateways.world import World
from backend.models.lock_events import LockCheckpoint, LockEvent
from backend.models.locks import Lock
from backend.services.commands import apply_answer, ask_replay
from backend.services.lock_reports import record_anomaly
from backend.wire.codec import MessageRejected
from backend.wire.jwk import base64url, from_base64url, public_key_from_jwk, thumbprint
from backend.wire.lock_documents import Checkpoint, document_from
from backend.wire.lock_messages import (
    Acknowledge,
    EventBatch,
    EventHole,
    EventText,
    first_hash,
    next_hash,
    read_event,
)
from backend.wire.tokens import TokenRejected, verify

REPLAY_PAUSE = timedelta(seconds=10)  # one question about a gap at a time
PATH = "up/evt"
ALARMS = {"door.forced": "forced", "tamper.cover": "tamper", "duress": "duress"}
DOORS = {
    "door.opened": "open",
    "door.closed": "closed",
    "door.ajar": "ajar",
    "door.forced": "forced",
    "lock.jammed": "jammed",
}


@dataclass
class _Chain:
    """One lock's chain while a write unit extends it."""

    lock: Lock
    seq: int
    head: bytes
    rows: list[dict[str, Any]] = field(default_factory=list)
    hashes: dict[int, bytes] = field(default_factory=dict)


def record_events(world: World, batches: Sequence[tuple[str, EventBatch]]) -> list[tuple[str, Acknowledge]]:
    """Store (lock id, batch) pairs in one write unit; answers how far each lock's log is stored now.

    A batch of a lock that is not of the manifest is passed over. Storing the same batch again changes nothing.
    """
    with transaction() as session:
        chains = _load_chains(session, {lock_id for lock_id, _ in batches})
        for lock_id, batch in batches:
            chain = chains.get(lock_id)
            if chain is not None:
                _take_batch(world, session, chain, batch)
        rows = [row for chain in chains.values() for row in chain.rows]
        if rows:
            session.execute(insert(LockEvent), rows)
        for chain in chains.values():
            _finish(world, session, chain)
        return [(lock_id, Acknowledge(chain.seq, base64url(chain.head))) for lock_id, chain in chains.items()]


def _load_chains(session: Session, lock_ids: Iterable[str]) -> dict[str, _Chain]:
    locks = session.scalars(
        select(Lock)
        .where(Lock.id.in_(list(lock_ids)), Lock.retired_at.is_(None))
        .order_by(Lock.id)
        .with_for_update()
    )
    return {lock.id: _Chain(lock, lock.stored_seq, lock.stored_head or first_hash(lock.id)) for lock in locks}


def _take_batch(world: World, session: Session, chain: _Chain, batch: EventBatch) -> None:
    if not batch.events:  # checkpoints alone say themselves where they belong, and may come after what follows them
        _take_checkpoints(world, session, chain, batch.checkpoints)
        return
    previous = from_base64url(batch.previous)
    first = _first_seq(chain, batch, previous)
    if first is None:
        record_anomaly(world, session, chain.lock.id, "events", "unreadable", PATH)
        return
    if first > chain.seq + 1:
        if not _adopt_after_gap(world, session, chain, batch, first):
            return
    elif _hash_at(session, chain, first - 1) not in (previous, None):
        _mark_fork(world, session, chain)
        return
    if _extend(world, session, chain, batch, first, previous):
        _take_checkpoints(world, session, chain, batch.checkpoints)


def _first_seq(chain: _Chain, batch: EventBatch, previous: bytes) -> int | None:
    """The sequence of the batch's first event: as its first readable event says, or where the chain ends."""
    for place, text in enumerate(batch.events):
        try:
            return read_event(text).seq - place
        except MessageRejected:
            continue
    return chain.seq + 1 if previous == chain.head else None


def _extend(
    world: World, session: Session, chain: _Chain, batch: EventBatch, first: int, previous: bytes
) -> bool:
    """Follow the batch's chain; what is stored already must agree, the rest is appended. False on a fork."""
    head = previous
    now = world.clock.now()
    for seq, text in enumerate(batch.events, first):
        event = _read(text, seq)
        head = from_base64url(event.hole) if isinstance(event, EventHole) else next_hash(head, text)
        if seq <= chain.seq:
            if seq == chain.seq and head != chain.head:
                _mark_fork(world, session, chain)
                return False
            continue
        if event is None:
            record_anomaly(world, session, chain.lock.id, "events", "unreadable_event", PATH)
        chain.rows.append(_row(chain.lock.id, seq, text, head, event, batch.late, now))
        chain.seq, chain.head = seq, head
        chain.hashes[seq] = head
        if isinstance(event, EventText):
            _apply(world, session, chain.lock, event)
    last = first + len(batch.events) - 1
    if batch.events and last < chain.seq and _hash_at(session, chain, last) not in (head, None):
        _mark_fork(world, session, chain)
        return False
    return True


def _read(text: str, seq: int) -> EventText | EventHole | None:
    """The event, or None when it cannot be read or bears another number: its text is kept, the chain goes on."""
    try:
        event = read_event(text)
    except MessageRejected:
        return None
    return event if event.seq == seq else None


def _row(
    lock_id: str, seq: int, text: str, head: bytes, event: EventText | EventHole | None, late: bool, now: datetime
) -> dict[str, Any]:
    told = event if isinstance(event, EventText) else None
    return {
        "lock_id": lock_id,
        "seq": seq,
        "at": datetime.fromtimestamp(min(told.at, 253_402_300_799), UTC) if told else now,
        "kind": told.kind if told else "hole" if event is not None else "unreadable",
        "key_id": told.key if told and told.key and is_id(told.key) else None,
        "command_id": told.command if told and told.command and is_id(told.command) else None,
        "text": text,
        "hash": head,
        "late": late,
        "received_at": now,
    }


def _apply(world: World, session: Session, lock: Lock, event: EventText) -> None:
    """What an event changes besides the log: the command it answers, the door's state, the alarm."""
    if event.command is not None:
        answer = "executed" if event.kind in ("lock.unlocked", "lock.locked") else "refused"
        reason = None if answer == "executed" else event.reason or event.kind.rpartition(".")[2]
        apply_answer(world, session, lock.id, event.command, answer, reason, event.seq)
    if event.kind in DOORS:
        lock.door_state = DOORS[event.kind]
    elif event.kind in ("lock.unlocked", "lock.locked") and lock.door_state == "jammed":
        lock.door_state = None
    if event.kind in ALARMS:
        lock.alarm = ALARMS[event.kind]


def _hash_at(session: Session, chain: _Chain, seq: int) -> bytes | None:
    """The chain hash after event `seq`, which is stored or in this unit; None when retention has dropped it."""
    if seq == chain.seq:
        return chain.head
    if seq == 0:
        return first_hash(chain.lock.id)
    if seq in chain.hashes:
        return chain.hashes[seq]
    return session.scalar(select(LockEvent.hash).where(LockEvent.lock_id == chain.lock.id, LockEvent.seq == seq))


def _adopt_after_gap(world: World, session: Session, chain: _Chain, batch: EventBatch, first: int) -> bool:
    """Ask for what is missing; only when the lock says it no longer has it, go on behind the gap and write that down.

    A lock forgets what we acknowledged; that we lack it happens to a database put back from a backup.
    """
    lock, now = chain.lock, world.clock.now()
    if batch.oldest == first:
        record_anomaly(world, session, lock.id, "events", f"missing {chain.seq + 1} to {first - 1}", PATH)
        chain.seq, chain.head = first - 1, from_base64url(batch.previous)
        return True
    if lock.replay_asked_at is None or now >= lock.replay_asked_at + REPLAY_PAUSE:
        lock.replay_asked_at = now
        ask_replay(world, session, lock)
    return False


def _mark_fork(world: World, session: Session, chain: _Chain) -> None:
    chain.lock.alarm = "clone_or_tamper"
    record_anomaly(world, session, chain.lock.id, "events", "same_sequence_other_hash", PATH)


def _take_checkpoints(world: World, session: Session, chain: _Chain, tokens: Sequence[str]) -> None:
    """Keep the lock's signed word on heads we hold; a word against ours is a fork, an unsigned one an anomaly."""
    lock = chain.lock
    for token in tokens:
        try:
            key = public_key_from_jwk(lock.public_key)
            point = document_from(Checkpoint, verify("lockchk", token, {thumbprint(key): key}))
        except (TokenRejected, ValueError):
            record_anomaly(world, session, lock.id, "checkpoint", "bad_signature", PATH)
            lock.alarm = "clone_or_tamper"  # somebody has the lock's account and not its key
            continue
        ours = _hash_at(session, chain, point.seq) if point.seq <= chain.seq else None
        if point.iss != lock.id or (ours is not None and base64url(ours) != point.head):
            _mark_fork(world, session, chain)
        elif ours is not None and session.get(LockCheckpoint, (lock.id, point.seq)) is None:
            session.add(
                LockCheckpoint(lock_id=lock.id, seq=point.seq, token=token, received_at=world.clock.now())
            )
            session.flush()
            lock.checked_seq = max(lock.checked_seq, point.seq)


def _finish(world: World, session: Session, chain: _Chain) -> None:
    lock = chain.lock  # its last_seen_at stays: the landlord sees it, and an event is somebody at the door
    if chain.rows:
        lock.stored_seq, lock.stored_head = chain.seq, chain.head
        lock.replay_asked_at = None
    session.flush()
