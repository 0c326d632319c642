"""The locks' event logs as we keep them: each event once, in its chain, acknowledged only after the commit.

A batch is taken exactly as far as it continues the stored chain. What lies beyond a gap is not stored: the lock keeps
it until it is acknowledged, and is asked to send from the gap on. Same sequence with another hash is a clone or a
tampered lock: nothing is taken and the lock is marked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache, partial
from typing import Any

from sqlalchemy import bindparam, select, tuple_
from sqlalchemy.orm import Session, load_only

from backend.db import after_commit, insert_together, transaction
from backend.domain.ids import is_id
from backend.gateways.world import World
from backend.models.lock_events import LockCheckpoint, LockEvent
from backend.models.locks import Lock
from backend.services.command_answers import AskedCommand, apply_answer, commands_to_answer
from backend.services.commands import ask_replay
from backend.services.lock_lives import close_if_wiped
from backend.services.lock_reports import NOTED, record_anomaly
from backend.wire.codec import MessageRejected
from backend.wire.jwk import PublicKeys, base64url, from_base64url, public_key_from_jwk, thumbprint
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
DONE = ("lock.unlocked", "lock.locked", "factory_reset")  # events that say a command was carried out
ALARMS = {"door.forced": "forced", "tamper.cover": "tamper", "duress": "duress"}
DOORS = {
    "door.opened": "open",
    "door.closed": "closed",
    "door.ajar": "ajar",
    "door.forced": "forced",
    "lock.jammed": "jammed",
}
MOVES = ("lock.unlocked", "lock.locked")
COLUMNS = ("lock_id", "seq", "at", "kind", "key_id", "command_id", "text", "hash", "late", "received_at")
CHECKPOINT_COLUMNS = ("lock_id", "seq", "token", "received_at")

Told = EventText | EventHole | None  # None: nobody can read it


@dataclass
class _Chain:
    """One lock's chain while a write unit extends it; what has changed goes back to the lock at the end."""

    lock: Lock
    seq: int
    head: bytes
    door_state: str | None
    alarm: str | None = None  # raised in this unit
    rows: list[tuple[Any, ...]] = field(default_factory=list)
    hashes: dict[int, bytes] = field(default_factory=dict)
    checkpoints: dict[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Unit:
    """What one write unit works with: the moment it has begun, and the commands its events tell of."""

    world: World
    session: Session
    now: datetime
    commands: Mapping[str, AskedCommand]


def record_events(world: World, batches: Sequence[tuple[str, EventBatch]]) -> list[tuple[str, Acknowledge]]:
    """Store (lock id, batch) pairs in one write unit; answers how far each lock's log is stored now.

    A batch of a lock that is not of the manifest is passed over. Storing the same batch again changes nothing.
    """
    told = [[_read(text) for text in batch.events] for _, batch in batches]
    asked = {event.command for events in told for event in events if isinstance(event, EventText) and event.command}
    with transaction() as session:
        chains = _load_chains(session, {lock_id for lock_id, _ in batches})
        unit = _Unit(world, session, world.clock.now(), commands_to_answer(session, asked))
        for (lock_id, batch), events in zip(batches, told, strict=True):
            chain = chains.get(lock_id)
            if chain is not None:
                _take_batch(unit, chain, batch, events)
        rows = [row for chain in chains.values() for row in chain.rows]
        if rows:
            insert_together(session, LockEvent, COLUMNS, rows)
        _keep_checkpoints(unit, chains.values())
        for chain in chains.values():
            _finish(unit, chain)
        session.flush()
        again = sum(len(events) for events in told) - len(rows)
        if again:  # sent again, replayed by somebody, or beyond a gap: counted, and nothing else comes of it
            after_commit(session, partial(NOTED.update, {"events_not_new": again}))
        return [(lock_id, Acknowledge(chain.seq, base64url(chain.head))) for lock_id, chain in chains.items()]


def _read(text: str) -> Told:
    try:
        return read_event(text)
    except MessageRejected:
        return None


def _load_chains(session: Session, lock_ids: Iterable[str]) -> dict[str, _Chain]:
    locks = session.scalars(_HELD, {"ids": list(lock_ids)})
    return {
        lock.id: _Chain(lock, lock.stored_seq, lock.stored_head or first_hash(lock.id), lock.door_state, lock.alarm)
        for lock in locks
    }


def _take_batch(unit: _Unit, chain: _Chain, batch: EventBatch, events: Sequence[Told]) -> None:
    if not batch.events:  # checkpoints alone say themselves where they belong, and may come after what follows them
        _take_checkpoints(unit, chain, batch.checkpoints)
        return
    previous = from_base64url(batch.previous)
    first = _first_seq(chain, batch, events, previous)
    if first is None:
        _note(unit, chain, "events", "unreadable")
        return
    if first > chain.seq + 1:
        if not _adopt_after_gap(unit, chain, batch, first):
            return
    elif _hash_at(unit, chain, first - 1) not in (previous, None):
        _mark_fork(unit, chain)
        return
    if _extend(unit, chain, batch, events, first, previous):
        _take_checkpoints(unit, chain, batch.checkpoints)


def _first_seq(chain: _Chain, batch: EventBatch, events: Sequence[Told], previous: bytes) -> int | None:
    """The sequence of the batch's first event: as its first readable event says, or where the chain ends."""
    for place, event in enumerate(events):
        if event is not None:
            return event.seq - place
    return chain.seq + 1 if previous == chain.head else None


def _extend(unit: _Unit, chain: _Chain, batch: EventBatch, events: Sequence[Told], first: int, previous: bytes) -> bool:
    """Follow the batch's chain; what is stored already must agree, the rest is appended. False on a fork."""
    head = previous
    for seq, (text, told) in enumerate(zip(batch.events, events, strict=True), first):
        # One that bears another number is as good as unreadable: its text is kept, the chain goes on.
        event = told if told is not None and told.seq == seq else None
        head = from_base64url(event.hole) if isinstance(event, EventHole) else next_hash(head, text)
        if seq <= chain.seq:
            if seq == chain.seq and head != chain.head:
                _mark_fork(unit, chain)
                return False
            continue
        if event is None:
            _note(unit, chain, "events", "unreadable_event")
        chain.rows.append(_row(chain.lock.id, seq, text, head, event, batch.late, unit.now))
        chain.seq = seq
        chain.head = chain.hashes[seq] = head
        if isinstance(event, EventText):
            _apply(unit, chain, event)
    last = first + len(batch.events) - 1
    if batch.events and last < chain.seq and _hash_at(unit, chain, last) not in (head, None):
        _mark_fork(unit, chain)
        return False
    return True


def _row(lock_id: str, seq: int, text: str, head: bytes, event: Told, late: bool, now: datetime) -> tuple[Any, ...]:
    if not isinstance(event, EventText):
        return lock_id, seq, now, "unreadable" if event is None else "hole", None, None, text, head, late, now
    return (
        lock_id,
        seq,
        datetime.fromtimestamp(min(event.at, 253_402_300_799), UTC),
        event.kind,
        event.key if event.key and is_id(event.key) else None,
        event.command if event.command and is_id(event.command) else None,
        text,
        head,
        late,
        now,
    )


def _apply(unit: _Unit, chain: _Chain, event: EventText) -> None:
    """What an event changes besides the log: the command it answers, the door's state, the alarm."""
    kind = event.kind
    if event.command is not None:
        answer = "executed" if kind in DONE else "refused"
        reason = None if answer == "executed" else event.reason or kind.rpartition(".")[2]
        command = unit.commands.get(event.command)
        apply_answer(unit.world, unit.session, chain.lock.id, command, answer, reason, event.seq)
    if kind in DOORS:
        chain.door_state = DOORS[kind]
    elif kind in MOVES and chain.door_state == "jammed":
        chain.door_state = None
    if kind in ALARMS:
        chain.alarm = ALARMS[kind]


def _hash_at(unit: _Unit, chain: _Chain, seq: int) -> bytes | None:
    """The chain hash after event `seq`, which is stored or in this unit; None when retention has dropped it."""
    if seq == chain.seq:
        return chain.head
    if seq == 0:
        return first_hash(chain.lock.id)
    if seq in chain.hashes:
        return chain.hashes[seq]
    stored = select(LockEvent.hash).where(LockEvent.lock_id == chain.lock.id, LockEvent.seq == seq)
    return unit.session.scalar(stored)


def _adopt_after_gap(unit: _Unit, chain: _Chain, batch: EventBatch, first: int) -> bool:
    """Ask for what is missing; only when the lock says it no longer has it, go on behind the gap and write that down.

    A lock forgets what we acknowledged; that we lack it happens to a database put back from a backup. It must sign what
    follows: whoever has its account alone cannot move the place where its log goes on.
    """
    lock = chain.lock
    if batch.oldest == first:
        if _is_signed(chain, batch, first):
            _note(unit, chain, "events", f"missing {chain.seq + 1} to {first - 1}")
            chain.seq, chain.head = first - 1, from_base64url(batch.previous)
            return True
        _note(unit, chain, "events", "missing_unsigned")
    if lock.replay_asked_at is None or unit.now >= lock.replay_asked_at + REPLAY_PAUSE:
        lock.replay_asked_at = unit.now
        ask_replay(unit.world, unit.session, lock)
    return False


def _is_signed(chain: _Chain, batch: EventBatch, first: int) -> bool:
    """Whether one of the batch's checkpoints is the lock's own and stands over a head of the batch's chain."""
    head, heads = from_base64url(batch.previous), set[tuple[int, str]]()
    for seq, text in enumerate(batch.events, first):
        event = _read(text)
        head = from_base64url(event.hole) if isinstance(event, EventHole) else next_hash(head, text)
        heads.add((seq, base64url(head)))
    points = (_point_of(chain.lock, token) for token in batch.checkpoints)
    return any(point is not None and (point.seq, point.head) in heads for point in points)


def _mark_fork(unit: _Unit, chain: _Chain) -> None:
    chain.alarm = "clone_or_tamper"
    _note(unit, chain, "events", "same_sequence_other_hash")


def _note(unit: _Unit, chain: _Chain, kind: str, reason: str) -> None:
    record_anomaly(unit.world, unit.session, chain.lock.id, kind, reason, PATH)


def _take_checkpoints(unit: _Unit, chain: _Chain, tokens: Sequence[str]) -> None:
    """Keep the lock's signed word on heads we hold; a word against ours is a fork, an unsigned one an anomaly."""
    lock = chain.lock
    for token in tokens:
        point = _point_of(lock, token)
        if point is None:
            _note(unit, chain, "checkpoint", "bad_signature")
            chain.alarm = "clone_or_tamper"  # somebody has the lock's account and not its key
            continue
        ours = _hash_at(unit, chain, point.seq) if point.seq <= chain.seq else None
        if ours is not None and base64url(ours) != point.head:
            _mark_fork(unit, chain)
        elif ours is not None:
            chain.checkpoints.setdefault(point.seq, token)


def _point_of(lock: Lock, token: str) -> Checkpoint | None:
    """A checkpoint that this lock has signed with its own key and in its own name, or None."""
    jwk = lock.public_key
    try:
        keys = _keys_of(jwk.get("kty"), jwk.get("crv"), jwk.get("x"), jwk.get("y"))
        point = document_from(Checkpoint, verify("lockchk", token, keys))
    except (TokenRejected, ValueError):
        return None
    return point if point.iss == lock.id else None


@lru_cache(maxsize=4_096)
def _keys_of(kty: str, crv: str, x: str, y: str) -> PublicKeys:
    """A lock's own key under its thumbprint; the point is checked once, for it costs as much as a signature."""
    key = public_key_from_jwk({"kty": kty, "crv": crv, "x": x, "y": y})
    return {thumbprint(key): key}


def _keep_checkpoints(unit: _Unit, chains: Iterable[_Chain]) -> None:
    """Store the checkpoints that are not stored yet; the locks' rows are held, so nobody else stores them now."""
    taken = {(chain.lock.id, seq): token for chain in chains for seq, token in chain.checkpoints.items()}
    if not taken:
        return
    held = select(LockCheckpoint.lock_id, LockCheckpoint.seq).where(
        tuple_(LockCheckpoint.lock_id, LockCheckpoint.seq).in_(list(taken))
    )
    for place in unit.session.execute(held).all():
        del taken[(place.lock_id, place.seq)]
    rows = [(*place, token, unit.now) for place, token in taken.items()]
    if rows:
        insert_together(unit.session, LockCheckpoint, CHECKPOINT_COLUMNS, rows)


def _finish(unit: _Unit, chain: _Chain) -> None:
    lock = chain.lock  # its last_seen_at stays: the landlord sees it, and an event is somebody at the door
    if chain.rows:
        lock.stored_seq, lock.stored_head = chain.seq, chain.head
        lock.replay_asked_at = None
    if chain.checkpoints:
        lock.checked_seq = max(lock.checked_seq, *chain.checkpoints)
    if chain.door_state != lock.door_state:
        lock.door_state = chain.door_state
    if chain.alarm is not None:
        lock.alarm = chain.alarm
    if lock.retiring_at is not None:
        unit.session.flush()
        close_if_wiped(unit.world, unit.session, lock)


_OF_LOCK = (
    Lock.public_key,
    Lock.stored_seq,
    Lock.stored_head,
    Lock.checked_seq,
    Lock.replay_asked_at,
    Lock.door_state,
    Lock.alarm,
    Lock.boot_id,
    Lock.command_counter,
    Lock.shard,
    Lock.retiring_at,
    Lock.retired_at,
)
_HELD = (  # made once: it stands at the head of every write unit
    select(Lock)
    .where(Lock.id.in_(bindparam("ids", expanding=True)), Lock.retired_at.is_(None))
    .order_by(Lock.id)
    .with_for_update()
    .options(load_only(*_OF_LOCK))
)
