"""Two bridge processes on a real broker: one is killed or put to sleep while doors are used, and nobody notices."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from backend.config import Settings
from backend.db import db
from backend.gateways.world import World
from backend.models.bridges import BridgeShard
from backend.models.commands import Command
from backend.models.lock_events import LockEvent
from backend.models.locks import Lock
from backend.services import commands
from backend.wire.topics import SHARDS, shard_of
from device_sim.fleet import Fleet
from tests.mosquitto import TestBroker
from tests.mqtt.stage import (
    BridgeProcess,
    check_that_nothing_is_lost_or_doubled,
    confirmed,
    everything_is_stored,
    shake,
    unlock,
    until,
)
from tests.services.stories import Story

ONE, TWO = "anju-bridge-1", "anju-bridge-2"
# A process that falls asleep inside a write holds up every other writer of SQLite, which no lease can help;
# PostgreSQL ends its transaction.
POSTGRESQL = pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)


@pytest.fixture
def world(live_world: World) -> World:
    return live_world


@pytest.fixture
def story(live_story: Story) -> Story:
    return live_story


@pytest.fixture
def pair(
    fleet: Fleet, settings: Settings, broker: TestBroker, tmp_path: Path
) -> Iterator[dict[str, BridgeProcess]]:
    pair = {name: BridgeProcess(settings, broker, tmp_path / f"{name}.log", name) for name in (ONE, TWO)}
    yield pair
    for bridge in pair.values():
        bridge.kill()


def owners() -> dict[int, str | None]:
    db.session.rollback()
    return {row.shard: row.owner for row in db.session.scalars(select(BridgeShard))}


def start_both(pair: dict[str, BridgeProcess]) -> None:
    for bridge in pair.values():
        bridge.start()
    for bridge in pair.values():
        bridge.await_health()
    until(lambda: sorted(owners().values(), key=str) == [ONE] * 8 + [TWO] * 8)


@contextmanager
def traffic(fleet: Fleet) -> Iterator[None]:
    """Doors that are moved all the time, in a thread."""
    ended = threading.Event()

    def run() -> None:
        while not ended.wait(0.1):
            shake(fleet, 4)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(20)


def check_order_of(lock_id: str) -> None:
    """Each lock's events stand in its own order, and were received in that order."""
    db.session.rollback()
    rows = db.session.execute(
        select(LockEvent.seq, LockEvent.received_at).where(LockEvent.lock_id == lock_id).order_by(LockEvent.seq)
    ).all()
    assert [seq for seq, _ in rows] == list(range(1, len(rows) + 1))
    assert all(earlier.received_at <= later.received_at for earlier, later in zip(rows, rows[1:], strict=False))


def test_a_second_bridge_takes_over_when_the_first_is_killed(
    pair: dict[str, BridgeProcess], fleet: Fleet, world: World, story: Story
) -> None:
    start_both(pair)
    assert unlock(world, story, "before") == "executed"
    owner = owners()[shard_of(story.identity.lock_id)]
    assert owner in pair
    other = pair[TWO if owner == ONE else ONE]
    with traffic(fleet):
        pair[str(owner)].kill()
        asked = commands.request_unlock(world, account_id=story.tenant, key_id=story.key_id, idempotency_key="between")
        until(lambda: len(set(owners().values())) == 1)
    until(lambda: look(asked.id) == "executed")
    assert unlock(world, story, "after") == "executed"
    until(partial(everything_is_stored, fleet))
    check_that_nothing_is_lost_or_doubled(fleet)
    for lock_id in fleet.links:
        check_order_of(lock_id)
    assert opened() == 3, "each command moved the bolt once"
    pair[str(owner)].start()
    until(lambda: sorted(owners().values(), key=str) == [ONE] * 8 + [TWO] * 8)
    assert unlock(world, story, "again") == "executed"
    assert other.end() == 0
    until(lambda: set(owners().values()) == {owner})
    assert unlock(world, story, "alone") == "executed"
    until(partial(everything_is_stored, fleet))
    check_that_nothing_is_lost_or_doubled(fleet)


@POSTGRESQL
def test_a_bridge_that_slept_past_its_lease_does_no_harm_when_it_wakes(
    pair: dict[str, BridgeProcess], fleet: Fleet, world: World, story: Story
) -> None:
    start_both(pair)
    until(partial(confirmed, story.identity.lock_id))
    owner = str(owners()[shard_of(story.identity.lock_id)])
    for round_number in range(2):
        with traffic(fleet):
            pair[owner].pause()
            until(lambda owner=owner: owner not in owners().values())  # type: ignore[misc]
            lock_id, before = story.identity.lock_id, session_of(story.identity.lock_id)
            fleet.call(fleet.links[lock_id].cut)  # it is born again while its old bridge sleeps with older news of it
            until(lambda lock_id=lock_id, before=before: session_of(lock_id) != before)  # type: ignore[misc]
            assert unlock(world, story, f"asleep-{round_number}") == "executed"
            pair[owner].wake()
            until(lambda: sorted(owners().values(), key=str) == [ONE] * 8 + [TWO] * 8)
            assert unlock(world, story, f"awake-{round_number}") == "executed"
    until(partial(everything_is_stored, fleet))
    check_that_nothing_is_lost_or_doubled(fleet)
    for lock_id in fleet.links:
        check_order_of(lock_id)
    assert opened() == 4
    assert pair[owner].counts().get("not_ours", 0) > 0, "what it had in hand was dropped"


def test_the_brokers_store_is_lost_and_two_bridges_make_it_whole_again(
    pair: dict[str, BridgeProcess], fleet: Fleet, world: World, story: Story, broker: TestBroker
) -> None:
    start_both(pair)
    assert unlock(world, story, "before") == "executed"
    with traffic(fleet):
        broker.restart(wipe=True)
    until(lambda: all(confirmed(lock_id) for lock_id in fleet.links))
    assert unlock(world, story, "after") == "executed"
    until(partial(everything_is_stored, fleet))
    check_that_nothing_is_lost_or_doubled(fleet)
    assert opened() == 2 and set(owners()) == set(range(SHARDS))


def session_of(lock_id: str) -> str | None:
    db.session.rollback()
    return db.session.get_one(Lock, lock_id).session_id


def look(command_id: str) -> Any:
    db.session.rollback()
    return db.session.get_one(Command, command_id).state


def opened() -> int:
    db.session.rollback()
    return db.session.scalar(
        select(func.count()).select_from(LockEvent).where(LockEvent.kind == "lock.unlocked")
    ) or 0
