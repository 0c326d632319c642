"""The claims of the protocol that platform, broker and lock keep together; each test has the claim for its name."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from backend.bootstrap import world_of
from backend.config import Settings
from backend.db import db
from backend.domain.refusals import Refused
from backend.gateways.clock import FixedClock
from backend.gateways.world import World
from backend.models.commands import Command
from backend.models.lock_events import LockAnomaly, LockEvent
from backend.models.locks import Lock as LockRow
from backend.models.outbox import OutboxRow
from backend.services import commands
from backend.services.key_lists import key_list
from backend.services.lock_manifests import import_locks
from backend.wire import codec, topics
from backend.wire.lock_documents import content_hash
from backend.wire.lock_messages import Departure
from device_sim import touches
from device_sim.fleet import Fleet
from device_sim.identities import make_identities
from tests.mosquitto import TestBroker
from tests.mqtt.plain_clients import PlainClient
from tests.mqtt.stage import BridgeProcess, confirmed, presence, unlock, until
from tests.mqtt.villages import Village
from tests.services.stories import Story, make_active

SQLITE = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
IN_REAL_TIME = ("kept_session", "takeover")


@pytest.fixture
def world(request: pytest.FixtureRequest) -> Any:
    """Real time for the tests with a real broker, else the clock that stands."""
    real = any(word in request.node.name for word in IN_REAL_TIME)
    if real:
        return request.getfixturevalue("live_world")
    from tests.worlds import make_fake_world

    return make_fake_world(request.getfixturevalue("settings"), request.getfixturevalue("clock"))


@pytest.fixture
def story(core: Flask, world: World) -> Story:
    return make_active(world)


@pytest.fixture
def village(core: Flask, story: Story, clock: FixedClock) -> Village:
    """One lock, online, holding the tenant's key."""
    village = Village(core, [story.identity], clock)
    village.connect(story.identity.lock_id)
    village.settle()
    return village


@pytest.fixture
def bridge(fleet: Fleet, settings: Settings, broker: TestBroker, tmp_path: Path) -> Iterator[BridgeProcess]:
    bridge = BridgeProcess(settings, broker, tmp_path / "bridge.log")
    bridge.start()
    bridge.await_health()
    yield bridge
    bridge.kill()


def row(lock_id: str) -> LockRow:
    db.session.rollback()
    return db.session.get_one(LockRow, lock_id)


def state_of(command_id: str) -> str:
    db.session.rollback()
    return db.session.get_one(Command, command_id).state


@SQLITE
def test_unlock_to_an_offline_lock_is_refused_and_never_runs_later_even_with_a_kept_session(
    bridge: BridgeProcess, fleet: Fleet, broker: TestBroker, live_world: World, live_story: Story
) -> None:
    identity = live_story.identity
    link = fleet.links[identity.lock_id]
    assert unlock(live_world, live_story, "first") == "executed"

    def leave() -> None:
        link.wanted = False
        link.cut()

    fleet.call(leave)
    until(lambda: presence(identity.lock_id) == "offline")
    down = topics.downlink_filter(identity.lock_id)
    firmware = PlainClient(broker, identity.lock_id, identity.mqtt_password, kept=True)
    firmware.subscribe(down)
    firmware.close()  # the broker keeps what comes for it from now on
    for number in range(3):
        with pytest.raises(Refused, match="lock_offline"):
            commands.request_unlock(
                live_world, account_id=live_story.tenant, key_id=live_story.key_id, idempotency_key=f"tap-{number}"
            )
    assert db.session.scalar(select(func.count()).select_from(Command).where(Command.action == "unlock")) == 1
    firmware = PlainClient(broker, identity.lock_id, identity.mqtt_password, kept=True)
    firmware.subscribe(down)
    firmware.publish(topics.topic_of(identity.lock_id, topics.TELEMETRY), b"a round trip: all that was kept has come")
    kept = [topic for topic, _, _ in firmware.arrived()]
    assert topics.topic_of(identity.lock_id, topics.COMMAND) not in kept
    firmware.close()


def test_a_command_that_a_kept_session_delivers_late_is_refused_by_the_lock_itself(
    village: Village, story: Story, world: World, clock: FixedClock
) -> None:
    """The lock went while the command was on its way: the broker keeps it, and its expiry stands in its own claims."""
    lock = village.locks[story.identity.lock_id]
    asked = commands.request_unlock(world, account_id=story.tenant, key_id=story.key_id, idempotency_key="tap").id
    assert village.sender.send_due() == 1
    (kept,) = [payload for _, channel, payload in village.link.published if channel is topics.COMMAND]
    village.link.published.clear()
    village.disconnect(story.identity.lock_id)
    clock.move(timedelta(seconds=16))
    village.connect(story.identity.lock_id)
    lock.session.on_message(topics.COMMAND, kept)
    village.settle()
    assert lock.body.bolt == "locked" and state_of(asked) == "expired"


def play_a_bad_network(core: Flask, clock: FixedClock, locks: int, rounds: int) -> Village:
    """Locks whose messages are lost, doubled and out of order, 20 % each, both ways; then the network is mended."""
    world = world_of(core)
    identities = make_identities(locks, 11)
    import_locks(world, [identity.public_part() for identity in identities])
    village = Village(core, identities, clock, seed=3)
    for faults in (village.up, village.down):
        faults.drop = faults.duplicate = faults.reorder = 0.2
    chance = village.up.chance
    for round_number in range(rounds):
        clock.move(timedelta(seconds=20))
        for lock_id, lock in village.locks.items():
            touches.move_door(lock, ("open", "closed")[round_number % 2])
            if lock.session.id is None:
                village.connect(lock_id)
            elif chance.random() < 0.05:
                village.disconnect(lock_id)
            lock.tick()
        village.settle()
        village.sender.step()
    for faults in (village.up, village.down):
        faults.drop = faults.duplicate = faults.reorder = 0.0
    for _ in range(12):
        clock.move(timedelta(seconds=61))
        village.sender._republished = float("-inf")
        village.sender.step()
        for lock_id, lock in village.locks.items():
            if lock.session.id is None:
                village.connect(lock_id)
            lock.tick()
        village.settle()
    return village


@SQLITE
@pytest.mark.parametrize(
    ("locks", "rounds"), [(40, 15), pytest.param(1_000, 8, marks=pytest.mark.release)], ids=["40", "1000"]
)
def test_20_percent_duplicate_reorder_loss_0_lost_0_doubled_identical_key_lists_on_1000_locks(
    core: Flask, clock: FixedClock, locks: int, rounds: int
) -> None:
    village = play_a_bad_network(core, clock, locks, rounds)
    assert len(village.locks) == locks
    db.session.rollback()
    count = func.count(LockEvent.seq.distinct())
    stored = {
        lock_id: (rows, distinct, last)
        for lock_id, rows, distinct, last in db.session.execute(
            select(LockEvent.lock_id, func.count(), count, func.max(LockEvent.seq)).group_by(LockEvent.lock_id)
        )
    }
    for lock_id, lock in village.locks.items():
        assert lock.log.seq >= rounds and len(lock.log) == 0, "everything was acknowledged"
        assert stored[lock_id] == (lock.log.seq,) * 3
        record = db.session.get_one(LockRow, lock_id)
        assert (record.stored_head, record.alarm, record.presence) == (lock.log.head, None, "online")
        desired = key_list(world_of(core), db.session(), record)
        assert (lock.keys.list_version, lock.keys.list_hash) == (record.list_version, content_hash(desired))
        assert record.reported_list_version == record.list_version
    found = set(db.session.scalars(select(LockAnomaly.reason)))
    assert not {reason for reason in found if reason.startswith("missing")} and "same_sequence_other_hash" not in found


@SQLITE
def test_foreign_topics_and_client_id_takeover_refused(
    bridge: BridgeProcess, fleet: Fleet, broker: TestBroker, live_world: World, live_story: Story
) -> None:
    one, two = list(fleet.links)[:2]
    until(partial(confirmed, one))
    until(partial(confirmed, two))
    thief = PlainClient(broker, "thief", "guess")
    assert thief.is_refused, "an account nobody has"
    broker.add_lock("thief", "its own")
    broker.add_lock("thief-2", "its own")
    thief = PlainClient(broker, "thief", "its own", client_id=one)
    assert not thief.is_refused, "the client id is its own name, whatever it claims"
    for pattern in ("#", "anju/#", "anju/v1/+/+/up/#", f"anju/v1/+/{one}/#", topics.downlink_filter(one)):
        thief.subscribe(pattern)
    before = row(one).session_id
    gone = codec.encode(Departure("offline", before or ""))
    for lock_id in (one, two):
        for channel, payload in ((topics.PRESENCE, gone), (topics.EVENTS, b"{}"), (topics.COMMAND, b"{}")):
            liar = PlainClient(broker, "thief-2", "its own")
            liar.client.publish(topics.topic_of(lock_id, channel), payload, qos=0, retain=True)
            assert liar.lost.get(timeout=15), "who tries it is cut off"
    assert unlock(live_world, live_story, "tap") == "executed", "the lock keeps its connection"
    assert row(one).session_id == before and row(one).presence == row(two).presence == "online"
    thief.publish(topics.topic_of("thief", topics.TELEMETRY), b"a round trip: all that was for it has come")
    assert thief.arrived() == [], "not a word of anybody else's"
    thief.close()
    db.session.rollback()
    assert db.session.scalars(select(LockAnomaly.reason)).all() == []


def test_a_will_arriving_after_rebirth_does_not_mark_offline(village: Village, story: Story, world: World) -> None:
    lock_id = story.identity.lock_id
    session = village.locks[lock_id].session
    first = session.id
    assert first is not None
    session.on_disconnected()  # the network blinked; the broker has not noticed yet
    village.connect(lock_id)
    village.settle()
    for retained in (False, True):
        village.link.arrive(
            topics.topic_of(lock_id, topics.PRESENCE), codec.encode(Departure("offline", first)), retained=retained
        )
        village.settle()
        assert row(lock_id).presence == "online"
    commands.request_unlock(world, account_id=story.tenant, key_id=story.key_id, idempotency_key="tap")
    village.settle()
    assert village.locks[lock_id].body.bolt == "unlocked"
    village.disconnect(lock_id)
    village.settle()
    assert row(lock_id).presence == "offline", "the will of the present session counts"


def test_ack_lost_after_actuation_is_unknown_and_resolved_by_the_event(
    village: Village, story: Story, world: World, clock: FixedClock
) -> None:
    lock = village.locks[story.identity.lock_id]
    village.up.drop_next[topics.RESULT.path] = 2
    village.up.drop_next[topics.EVENTS.path] = 1
    asked = commands.request_unlock(world, account_id=story.tenant, key_id=story.key_id, idempotency_key="tap").id
    village.settle()
    assert lock.body.bolt == "unlocked"
    clock.move(timedelta(seconds=18))
    assert commands.settle_silent_commands(world) == 1
    assert state_of(asked) == "unknown"
    lock.tick()
    village.settle()
    assert state_of(asked) == "executed"
    assert db.session.scalar(select(func.count()).where(LockEvent.kind == "lock.unlocked")) == 1


def test_nothing_waits_for_a_lock_that_was_offline_when_its_list_changed_but_the_list(
    village: Village, story: Story, world: World, clock: FixedClock
) -> None:
    """What is retained at the broker may be lost with it; what is desired is compared with every birth."""
    from backend.services.keys import suspend_key

    lock_id = story.identity.lock_id
    village.disconnect(lock_id)
    village.settle()
    suspend_key(world, account_id=story.tenant, key_id=story.key_id)
    village.settle()  # the broker takes the list, and loses its store before the lock comes back
    clock.move(timedelta(hours=1))
    village.connect(lock_id)
    village.settle()
    assert village.locks[lock_id].keys.list_version == row(lock_id).list_version == row(lock_id).reported_list_version
    assert story.key_id in village.locks[lock_id].keys.revoked
    assert db.session.scalar(select(func.count()).where(OutboxRow.kind == "command", OutboxRow.done_at.is_(None))) == 0
