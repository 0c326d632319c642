"""The event log as we keep it: once, in its chain, acknowledged after the commit; forks and gaps noticed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, func, select

from backend.db import db
from backend.domain.ids import new_id
from backend.gateways.world import World
from backend.models.commands import Command
from backend.models.lock_events import LockAnomaly, LockCheckpoint, LockEvent
from backend.models.locks import Lock
from backend.services import lock_reports
from backend.services.lock_logs import record_events
from backend.services.lock_manifests import import_locks
from backend.wire.jwk import base64url
from backend.wire.lock_messages import Acknowledge, EventBatch, EventHole, first_hash, next_hash, write_event
from device_sim.identities import make_identity
from tests.services.reports import checkpoint, head_after, make_batch, make_birth, make_texts

LOCK = make_identity(7, 1)
OTHER = make_identity(7, 2)
DOOR = ("door.opened", {})
FORCED = ("door.forced", {})


@pytest.fixture(autouse=True)
def locks(core: Any, world: World) -> None:
    """Two locks of the manifest, the first one online."""
    import_locks(world, [LOCK.public_part(), OTHER.public_part()])
    lock_reports.record_birth(world, LOCK.lock_id, make_birth(LOCK.lock_id))


def take(world: World, *batches: EventBatch) -> Acknowledge:
    ((_, answer),) = record_events(world, [(LOCK.lock_id, batch) for batch in batches])
    return answer


def stored() -> list[tuple[int, str, bool]]:
    db.session.rollback()
    rows = db.session.scalars(select(LockEvent).where(LockEvent.lock_id == LOCK.lock_id).order_by(LockEvent.seq))
    return [(row.seq, row.kind, row.late) for row in rows]


def lock_row() -> Lock:
    db.session.rollback()
    return db.session.get_one(Lock, LOCK.lock_id)


def anomalies() -> list[str]:
    db.session.rollback()
    return list(db.session.scalars(select(LockAnomaly.reason).order_by(LockAnomaly.id)))


def test_events_are_stored_once_with_their_exact_text_and_acknowledged_with_the_head(world: World) -> None:
    batch = make_batch(LOCK, [DOOR, FORCED])
    answer = take(world, batch)
    assert answer == Acknowledge(2, base64url(head_after(LOCK.lock_id, batch.events)))
    assert take(world, batch) == answer == take(world, batch, batch)
    assert stored() == [(1, "door.opened", False), (2, "door.forced", False)]
    rows = db.session.scalars(select(LockEvent).order_by(LockEvent.seq)).all()
    assert tuple(row.text for row in rows) == batch.events
    assert rows[1].hash == next_hash(rows[0].hash, rows[1].text)


def test_overlapping_batches_add_only_what_is_new(world: World) -> None:
    texts = make_texts([DOOR, DOOR, DOOR])
    take(world, make_batch(LOCK, [DOOR, DOOR]))
    overlap = EventBatch(1, base64url(head_after(LOCK.lock_id, texts[:1])), texts[1:], (), False)
    assert take(world, overlap).seq == 3
    assert [seq for seq, _, _ in stored()] == [1, 2, 3]


def test_events_of_many_locks_come_in_one_write_unit_and_a_stranger_is_passed_over(world: World) -> None:
    answers = record_events(
        world,
        [
            (LOCK.lock_id, make_batch(LOCK, [DOOR])),
            ("stranger", make_batch(LOCK, [DOOR])),
            (OTHER.lock_id, make_batch(OTHER, [DOOR, DOOR])),
        ],
    )
    assert {lock_id: answer.seq for lock_id, answer in answers} == {LOCK.lock_id: 1, OTHER.lock_id: 2}


def test_what_lies_beyond_a_gap_is_not_stored_and_the_lock_is_asked_to_replay(world: World) -> None:
    texts = make_texts([DOOR, DOOR, DOOR])
    beyond = EventBatch(1, base64url(head_after(LOCK.lock_id, texts[:2])), texts[2:], (), False)
    assert take(world, beyond).seq == 0
    assert take(world, beyond).seq == 0
    assert stored() == []
    replays = db.session.scalars(select(Command).where(Command.action == "replay")).all()
    assert len(replays) == 1, "asked once"
    assert take(world, EventBatch(1, base64url(first_hash(LOCK.lock_id)), texts, (), False)).seq == 3


def test_a_gap_is_passed_only_when_the_lock_says_and_signs_that_it_no_longer_has_the_events(
    world: World, clock: Any
) -> None:
    texts = make_texts([DOOR, DOOR, FORCED])
    beyond = EventBatch(2, base64url(head_after(LOCK.lock_id, texts[:2])), texts[2:], (), False)
    for _ in range(50):
        clock.move(timedelta(hours=1))
        assert take(world, beyond).seq == 0, "time alone gives nothing up"
    said = replace(beyond, oldest=3)
    others = checkpoint(make_identity(7, 2), 3, head_after(LOCK.lock_id, texts))
    elsewhere = checkpoint(LOCK, 2, head_after(LOCK.lock_id, texts[:2]))
    for unsigned in ((), (others,), (elsewhere,)):
        assert take(world, replace(said, checkpoints=unsigned)).seq == 0, "the account alone moves nothing"
    assert take(world, replace(said, checkpoints=(checkpoint(LOCK, 3, head_after(LOCK.lock_id, texts)),))).seq == 3
    assert stored() == [(3, "door.forced", False)]
    assert sorted(anomalies()) == ["missing 1 to 2", "missing_unsigned"]


@pytest.mark.parametrize("place", [1, 2, 3])
def test_the_same_sequence_with_another_hash_raises_an_alarm_and_takes_nothing(world: World, place: int) -> None:
    take(world, make_batch(LOCK, [DOOR, DOOR, DOOR]))
    told = [DOOR, DOOR, DOOR, DOOR]
    told[place - 1] = FORCED
    clone = make_batch(LOCK, told[:place])
    assert take(world, clone).seq == 3
    assert take(world, make_batch(LOCK, told)).seq == 3
    assert lock_row().alarm == "clone_or_tamper"
    assert anomalies() == ["same_sequence_other_hash"]


def test_a_text_changed_by_one_byte_breaks_the_chain(world: World) -> None:
    batch = make_batch(LOCK, [DOOR, DOOR], signed=True)
    changed = batch.events[0].replace("door.opened", "door.closed")
    take(world, replace(batch, events=(changed, batch.events[1])))
    assert lock_row().alarm == "clone_or_tamper", "the lock signed another head"


def test_a_batch_that_does_not_begin_at_our_head_is_a_fork(world: World) -> None:
    take(world, make_batch(LOCK, [DOOR]))
    texts = make_texts([DOOR, DOOR])
    take(world, EventBatch(1, base64url(bytes(32)), texts[1:], (), False))
    assert lock_row().alarm == "clone_or_tamper" and len(stored()) == 1


def test_the_locks_checkpoints_are_verified_and_kept(world: World) -> None:
    take(world, make_batch(LOCK, [DOOR, FORCED], signed=True))
    assert lock_row().checked_seq == 2
    kept = db.session.scalars(select(LockCheckpoint)).one()
    assert kept.seq == 2
    head = head_after(LOCK.lock_id, make_texts([DOOR, FORCED]))
    again = EventBatch(1, base64url(head), (), (kept.token,), False)
    assert take(world, again, again).seq == 2
    assert db.session.scalar(select(func.count()).select_from(LockCheckpoint)) == 1


def test_a_checkpoint_that_comes_alone_and_late_is_no_fork(world: World) -> None:
    """It was sent before the events behind it, and a bad network turned the two round."""
    texts = make_texts([DOOR, DOOR, DOOR])
    take(world, make_batch(LOCK, [DOOR]))
    head = head_after(LOCK.lock_id, texts[:1])
    alone = EventBatch(2, base64url(head), (), (checkpoint(LOCK, 1, head),), False)
    take(world, make_batch(LOCK, [DOOR, DOOR], after=texts[:1]))
    assert take(world, alone).seq == 3
    assert lock_row().alarm is None and anomalies() == []
    assert db.session.scalars(select(LockCheckpoint.seq)).all() == [1], "and it is kept"


def test_a_checkpoint_by_another_key_is_an_anomaly_and_no_word_of_the_lock(world: World) -> None:
    batch = make_batch(LOCK, [DOOR])
    forged = checkpoint(OTHER, 1, head_after(LOCK.lock_id, batch.events))
    assert take(world, replace(batch, checkpoints=(forged,))).seq == 1
    assert anomalies() == ["bad_signature"] and lock_row().checked_seq == 0
    assert lock_row().alarm == "clone_or_tamper", "somebody has the lock's account and not its key"


def test_a_checkpoint_over_another_head_marks_the_lock(world: World) -> None:
    take(world, make_batch(LOCK, [DOOR]))
    contradiction = EventBatch(
        1, base64url(head_after(LOCK.lock_id, make_texts([DOOR]))), (), (checkpoint(LOCK, 1, bytes(32)),), False
    )
    take(world, contradiction)
    assert lock_row().alarm == "clone_or_tamper"


def test_an_event_nobody_can_read_is_kept_and_blocks_nothing(world: World) -> None:
    good = make_texts([DOOR, DOOR])
    texts = ("{garbage", good[1])
    batch = EventBatch(1, base64url(first_hash(LOCK.lock_id)), texts, (), False)
    assert take(world, batch).seq == 2
    assert stored() == [(1, "unreadable", False), (2, "door.opened", False)]
    assert anomalies() == ["unreadable_event"]


def test_a_batch_of_nothing_but_garbage_that_fits_nowhere_is_refused(world: World) -> None:
    take(world, make_batch(LOCK, [DOOR]))
    take(world, EventBatch(1, base64url(bytes(32)), ("?", "?"), (), False))
    assert anomalies() == ["unreadable"] and len(stored()) == 1


def test_the_hole_of_an_overflown_buffer_keeps_the_chain(world: World) -> None:
    texts = make_texts([DOOR, DOOR])
    heads = [head_after(LOCK.lock_id, texts[:1]), head_after(LOCK.lock_id, texts)]
    hole = write_event(EventHole(1, base64url(heads[0])))
    batch = EventBatch(
        1, base64url(first_hash(LOCK.lock_id)), (hole, texts[1]), (checkpoint(LOCK, 2, heads[1]),), False
    )
    take(world, batch)
    assert stored() == [(1, "hole", False), (2, "door.opened", False)]
    assert lock_row().checked_seq == 2 and lock_row().alarm is None


def test_late_events_are_marked_and_a_forced_door_raises_the_alarm_even_so(world: World) -> None:
    take(world, make_batch(LOCK, [DOOR, FORCED], late=True))
    assert stored()[1] == (2, "door.forced", True)
    assert (lock_row().alarm, lock_row().door_state) == ("forced", "forced")


def test_a_foreign_key_id_in_an_event_is_kept_in_the_text_alone(world: World) -> None:
    take(world, make_batch(LOCK, [("access.denied", {"key": "not-an-id", "via": "near", "reason": "unknown_key"})]))
    assert stored() == [(1, "access.denied", False)]


def test_the_same_anomaly_is_written_once_an_hour(world: World, clock: Any) -> None:
    take(world, make_batch(LOCK, [DOOR]))
    for _ in range(5):
        take(world, EventBatch(1, base64url(bytes(32)), ("?",), (), False))
    assert anomalies() == ["unreadable"]
    clock.move(timedelta(minutes=61))
    take(world, EventBatch(1, base64url(bytes(32)), ("?",), (), False))
    assert anomalies() == ["unreadable", "unreadable"]


def test_many_events_take_no_more_statements_than_few(world: World) -> None:
    take(world, make_batch(LOCK, [DOOR]))
    counts = []
    told = [DOOR]
    for length in (3, 60):
        more = [("lock.unlocked", {"command": new_id(), "via": "mqtt"})] * length
        batch = make_batch(LOCK, more, after=make_texts(told), signed=True)
        with counted_statements() as statements:
            take(world, batch)
        told += more
        counts.append(len(statements))
    assert counts[0] == counts[1]
    assert len(stored()) == 64 and lock_row().checked_seq == 64


def test_many_locks_take_no_more_statements_than_one(world: World) -> None:
    identities = [make_identity(8, number) for number in range(1, 10)]
    import_locks(world, [identity.public_part() for identity in identities])
    counts = []
    for some in (identities[:1], identities[1:]):
        db.session.rollback()
        db.session.expunge_all()  # as in the bridge, whose every unit begins with an empty session
        batches = [(each.lock_id, make_batch(each, [DOOR, FORCED], signed=True)) for each in some]
        with counted_statements() as statements:
            record_events(world, batches)
        counts.append(len(statements))
    assert counts[0] == counts[1]


@contextmanager
def counted_statements() -> Iterator[list[str]]:
    """The statements that go to the database meanwhile."""
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        statements.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
