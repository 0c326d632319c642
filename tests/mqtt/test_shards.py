"""What a bridge holds by its own clock: nothing without renewal, and no news from before a shard was its own."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from backend.db import db
from backend.gateways.clock import FixedClock
from backend.gateways.world import World
from backend.models.locks import Lock
from backend.models.outbox import OutboxRow
from backend.mqtt.bridge import Bridge
from backend.mqtt.handlers import Handlers
from backend.mqtt.sender import Sender
from backend.mqtt.shards import ShardHolder
from backend.services import bridge_shards, lock_logs, lock_sending
from backend.services.bridge_shards import LEASE, leave_shards, renew_shards
from backend.services.lock_manifests import import_locks
from backend.wire import codec, topics
from backend.wire.topics import SHARDS, shard_of
from device_sim.identities import make_identity
from tests.mqtt.villages import MemoryLink
from tests.services.reports import make_batch, make_birth

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
ONE, TWO = "anju-bridge-1", "anju-bridge-2"
LOCK = make_identity(7, 1)


class Ears:
    """Stands where the link stands: remembers what it was told to listen to."""

    def __init__(self) -> None:
        self.life, self.is_connected = 1, True
        self.heard: set[int] = set()
        self.shards: frozenset[int] = frozenset()

    def has_heard(self, shards: Collection[int]) -> bool:
        return not self.heard.isdisjoint(shards)

    def forget(self) -> None:
        self.life, self.heard, self.shards = self.life + 1, set(), frozenset()

    def hear(self, shards: Collection[int]) -> None:
        self.heard |= set(shards)
        self.shards = frozenset(shards)


class Time:
    """The machine's time: wall clock and the one that never jumps, moved together."""

    def __init__(self, clock: FixedClock) -> None:
        self.clock, self.passed = clock, 0.0

    def move(self, seconds: float) -> None:
        self.clock.move(timedelta(seconds=seconds))
        self.passed += seconds


@pytest.fixture
def time(clock: FixedClock) -> Time:
    return Time(clock)


@pytest.fixture
def ears() -> Ears:
    return Ears()


@pytest.fixture
def holder(core: Flask, world: World, ears: Ears, time: Time) -> ShardHolder:
    import_locks(world, [LOCK.public_part()])
    return ShardHolder(core, world, ears, ONE, monotonic=lambda: time.passed)


def test_it_listens_to_what_it_holds_and_holds_nothing_before_the_first_renewal(
    holder: ShardHolder, ears: Ears
) -> None:
    assert not holder.holds(LOCK.lock_id) and not holder.held() and holder.trouble
    holder.step()
    assert ears.shards == frozenset(range(SHARDS)) == holder.held()
    assert holder.holds(LOCK.lock_id, life=1) and holder.trouble is None


def test_a_bridge_that_cannot_renew_stops_before_anybody_else_may_begin(
    holder: ShardHolder, world: World, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    holder.step()

    def away(*_: Any, **__: Any) -> Any:
        raise OperationalError("select", {}, Exception("gone"))

    monkeypatch.setattr(bridge_shards, "renew_shards", away)
    for _ in range(3):
        time.move(1)
        holder.step()
    assert holder.holds(LOCK.lock_id) and holder.trouble
    time.move(1)
    assert not holder.holds(LOCK.lock_id) and not holder.held()
    assert renew_shards(world, TWO, {}, starts=True) == {}, "a second before the lease ends"


def test_a_bridge_that_the_broker_does_not_take_leaves_its_shards_to_others(
    holder: ShardHolder, ears: Ears, world: World, time: Time
) -> None:
    holder.step()
    ears.is_connected = False
    for _ in range(5):
        assert holder.held(), "a broker that starts anew is back before this"
        holder.step()
        time.move(1)
    holder.step()
    assert not holder.held() and holder.trouble
    others = renew_shards(world, TWO, {}, starts=True)
    assert set(others) == set(range(SHARDS)), "all of them are free at once"
    leave_shards(world, TWO, others)
    ears.is_connected = True
    holder.step()
    assert holder.held() == frozenset(range(SHARDS)) and holder.trouble is None


def test_what_was_on_its_way_before_a_lapse_is_no_news_after_it(
    holder: ShardHolder, ears: Ears, time: Time
) -> None:
    holder.step()
    time.move(LEASE.total_seconds() + 60)
    holder.step()
    assert ears.life == 2, "a new connection: nothing old can come over it"
    assert holder.holds(LOCK.lock_id, life=2) and not holder.holds(LOCK.lock_id, life=1)


def test_a_steady_bridge_keeps_its_connection_and_counts_its_earlier_ones(
    holder: ShardHolder, ears: Ears, time: Time
) -> None:
    for _ in range(10):
        holder.step()
        time.move(1)
    assert ears.life == 1
    ears.life = 5  # the connection was lost and came back
    holder.step()
    assert holder.holds(LOCK.lock_id, life=1), "its own backlog is still in order"


def test_shards_are_given_up_for_a_second_bridge_and_taken_over_when_it_dies(
    holder: ShardHolder, world: World, ears: Ears, time: Time
) -> None:
    holder.step()
    renew_shards(world, TWO, {}, starts=True)
    holder.step()
    assert len(ears.shards) == 8 and ears.life == 1
    theirs = renew_shards(world, TWO, {})
    assert len(theirs) == 8 and not set(theirs) & set(holder.held())
    for _ in range(6):
        time.move(1)
        holder.step()
    assert ears.shards == frozenset(range(SHARDS))
    assert ears.life == 2, "this connection had carried those shards before: what is on its way may be old"
    mine, taken = sorted(set(range(SHARDS)) - set(theirs)), sorted(theirs)
    names = {shard_of(str(number)): str(number) for number in range(200)}
    assert all(holder.holds(names[shard], life=1) for shard in mine), "these were never out of its hands"
    assert not any(holder.holds(names[shard], life=1) for shard in taken)


def test_an_earlier_process_of_the_same_name_holds_nothing_and_ends(
    holder: ShardHolder, world: World
) -> None:
    holder.step()
    renew_shards(world, ONE, {}, starts=True)
    holder.step()
    assert holder.name_is_taken and not holder.held() and "another process" in (holder.trouble or "")
    holder.run()
    holder.leave()
    assert set(renew_shards(world, TWO, {}, starts=True)) == set(), "it frees nothing that is another's"


def test_a_bridge_that_leaves_lets_another_take_over_at_once(holder: ShardHolder, world: World) -> None:
    holder.step()
    holder.leave()
    assert not holder.held()
    assert len(renew_shards(world, TWO, {}, starts=True)) == SHARDS


class Bench:
    """A bridge and its sender over one holder."""

    def __init__(self, core: Flask, world: World, holder: ShardHolder) -> None:
        self.link = MemoryLink()
        self.handlers = Handlers(world, self.link.publish, holder)
        self.bridge = Bridge(core, self.link, self.handlers, holder)  # type: ignore[arg-type]
        self.sender = Sender(core, world, self.link, holder)  # type: ignore[arg-type]

    def tell(self, channel: topics.Channel, message: Any) -> int:
        mid = self.link.arrive(topics.topic_of(LOCK.lock_id, channel), codec.encode(message))
        self.bridge.step(0)
        self.bridge._store_held()
        return mid


@pytest.fixture
def bench(core: Flask, world: World, holder: ShardHolder) -> Bench:
    return Bench(core, world, holder)


def lock_row() -> Lock:
    db.session.rollback()
    return db.session.get_one(Lock, LOCK.lock_id)


def test_what_is_not_ours_is_acknowledged_counted_and_changes_nothing(bench: Bench) -> None:
    mids = [
        bench.tell(topics.PRESENCE, make_birth(LOCK.lock_id)),
        bench.tell(topics.EVENTS, make_batch(LOCK, [("door.opened", {})])),
    ]
    assert bench.link.acknowledged == mids and bench.bridge.counts["not_ours"] == 2
    assert lock_row().presence == "never" and lock_row().stored_seq == 0
    assert bench.link.published == []


def test_a_bridge_that_lost_its_lease_while_the_database_was_away_drops_what_it_had_in_hand(
    bench: Bench, holder: ShardHolder, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    holder.step()
    away = OperationalError("insert", {}, Exception("gone"))

    def record_events(*_: Any) -> Any:
        time.move(1)
        raise away

    monkeypatch.setattr(lock_logs, "record_events", record_events)
    monkeypatch.setattr("backend.mqtt.bridge.DATABASE_PAUSE_SECONDS", 0)
    mid = bench.tell(topics.EVENTS, make_batch(LOCK, [("door.opened", {})]))
    assert bench.link.acknowledged == [mid] and bench.bridge.counts["not_ours"] == 1
    assert time.passed == 4 and bench.bridge.database_trouble is None
    assert bench.link.published == []


def test_nothing_is_claimed_or_sent_without_a_lease(
    bench: Bench, holder: ShardHolder, world: World, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert bench.sender.send_due() == 0, "the lock's first list waits"
    holder.step()
    prepare = lock_sending.prepare

    def slow(*arguments: Any) -> Any:
        time.move(10)  # the machine slept between claim and sending
        return prepare(*arguments)

    monkeypatch.setattr(lock_sending, "prepare", slow)
    assert bench.sender.send_due() == 1
    assert bench.link.published == []
    assert db.session.scalars(select(OutboxRow.done_at)).all() == [None], "the next owner sends it"


def test_an_answer_is_not_sent_once_the_lease_is_over(
    bench: Bench, holder: ShardHolder, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    holder.step()
    stored = lock_logs.record_events

    def slow(*arguments: Any) -> Any:
        answers = stored(*arguments)
        time.move(10)
        return answers

    monkeypatch.setattr(lock_logs, "record_events", slow)
    bench.tell(topics.EVENTS, make_batch(LOCK, [("door.opened", {})]))
    assert lock_row().stored_seq == 1 and bench.link.published == []
