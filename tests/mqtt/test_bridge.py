"""The bridge with simulated locks in memory: order of commit and acknowledgement, faults, poison."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from backend.bootstrap import world_of
from backend.db import db
from backend.gateways.world import World
from backend.models.lock_events import LockAnomaly, LockEvent
from backend.models.locks import Lock as LockRow
from backend.services import commands, lock_evidence, lock_logs, lock_reports
from backend.services.keys import fetch_credential, revoke_key
from backend.services.lock_manifests import import_locks
from backend.wire import topics
from backend.wire.jwk import base64url
from backend.wire.lock_messages import CommandResult, encode
from device_sim import touches
from device_sim.identities import make_identities
from tests.mqtt.villages import Village
from tests.services.stories import Story, make_active

SQLITE = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)


@pytest.fixture
def story(core: Flask, world: World) -> Story:
    return make_active(world)


@pytest.fixture
def village(core: Flask, story: Story, clock: Any) -> Village:
    """One lock, online, holding the tenant's key."""
    village = Village(core, [story.identity], clock)
    village.connect(story.identity.lock_id)
    village.settle()
    return village


def ask(world: World, story: Story, once: str = "tap-1") -> str:
    return commands.request_unlock(world, account_id=story.tenant, key_id=story.key_id, idempotency_key=once).id


def look(world: World, story: Story, command_id: str) -> commands.CommandView:
    return commands.get_command(world, account_id=story.tenant, command_id=command_id)


def row(story: Story) -> LockRow:
    db.session.rollback()
    return db.session.get_one(LockRow, story.identity.lock_id)


def test_a_lock_that_comes_online_gets_its_list_and_confirms_it(village: Village, story: Story) -> None:
    held = village.locks[story.identity.lock_id].keys
    assert set(held.entries) == {story.key_id}
    lock = row(story)
    assert (lock.presence, lock.reported_list_version) == ("online", lock.list_version)


def test_a_tap_opens_the_door_and_everything_is_known_afterwards(
    village: Village, story: Story, world: World
) -> None:
    command = ask(world, story)
    village.settle()
    assert village.locks[story.identity.lock_id].body.bolt == "unlocked"
    assert look(world, story, command).state == "executed"
    event = db.session.scalars(select(LockEvent).where(LockEvent.kind == "lock.unlocked")).one()
    assert (event.key_id, event.command_id) == (story.key_id, command)


def test_unlock_to_an_offline_lock_is_refused_and_never_runs_later(
    village: Village, story: Story, world: World
) -> None:
    from backend.domain.refusals import Refused

    village.disconnect(story.identity.lock_id)
    village.settle()
    with pytest.raises(Refused, match="lock_offline"):
        ask(world, story)
    village.connect(story.identity.lock_id)
    village.settle()
    assert village.locks[story.identity.lock_id].body.bolt == "locked"


def test_a_command_kept_by_the_broker_is_refused_by_the_lock_when_it_comes_too_late(
    village: Village, story: Story, world: World, clock: Any
) -> None:
    lock = village.locks[story.identity.lock_id]
    command = ask(world, story)
    assert village.sender.send_due() == 1
    kept = [payload for _, channel, payload in village.link.published if channel is topics.COMMAND]
    village.link.published.clear()
    clock.move(timedelta(seconds=20))
    lock.session.on_message(topics.COMMAND, kept[0])
    village.settle()
    assert lock.body.bolt == "locked"
    assert look(world, story, command).state == "expired"


def test_a_lock_signs_its_head_for_an_export(village: Village, story: Story, world: World) -> None:
    class Settling:
        """An ear that lets messages run while it waits."""

        def listen(self, channel: str) -> Settling:
            return self

        def wait(self, seconds: float) -> bool:
            village.settle()
            return True

        def notify(self, channel: str) -> None:
            """Nobody else listens."""

        def close(self) -> None:
            """Nothing to end."""

    ask(world, story)
    village.settle()
    assert row(story).checked_seq < row(story).stored_seq
    waking = replace(world, wake_up=Settling())
    lock_evidence.ask_signature(waking, lock=story.identity.serial, seconds=5)
    assert row(story).checked_seq == row(story).stored_seq
    village.disconnect(story.identity.lock_id)
    village.settle()
    lock_evidence.ask_signature(waking, lock=story.identity.serial, seconds=5)  # nothing to ask, nobody to ask
    made = lock_evidence.export_events(world, lock=story.identity.serial, ground="tenant_request", case="AJ-2026-7")
    assert made.checked == made.last


def test_an_answer_lost_after_actuation_is_unknown_and_resolved_by_the_event(
    village: Village, story: Story, world: World, clock: Any
) -> None:
    lock = village.locks[story.identity.lock_id]
    village.up.drop_next[topics.RESULT.path] = 2
    village.up.drop_next[topics.EVENTS.path] = 1
    command = ask(world, story)
    village.settle()
    assert lock.body.bolt == "unlocked"
    clock.move(timedelta(seconds=18))
    assert look(world, story, command).state == "unknown"
    lock.tick()
    village.settle()
    assert look(world, story, command).state == "executed"


def test_a_copy_of_the_command_gets_the_same_answer_and_opens_once(
    village: Village, story: Story, world: World
) -> None:
    village.down.duplicate = village.up.duplicate = 1.0
    command = ask(world, story)
    village.settle()
    kinds = db.session.scalars(select(LockEvent.kind)).all()
    assert kinds.count("lock.unlocked") == 1
    assert look(world, story, command).state == "executed"


def test_a_message_is_acknowledged_after_its_commit_and_not_before(
    village: Village, story: Story, core: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    touches.force_door(village.locks[story.identity.lock_id])
    (batch,) = village.locks[story.identity.lock_id].session.take_outgoing()
    village.link.acknowledged.clear()
    mid = village.link.arrive(topics.topic_of(story.identity.lock_id, batch[0]), batch[1])
    away = OperationalError("insert", {}, Exception("gone"))
    stored = lock_logs.record_events
    calls: list[int] = []

    def record_events(*arguments: Any) -> Any:
        calls.append(len(village.link.acknowledged))
        if len(calls) < 3:
            raise away
        return stored(*arguments)

    monkeypatch.setattr(lock_logs, "record_events", record_events)
    monkeypatch.setattr("backend.mqtt.bridge.DATABASE_PAUSE_SECONDS", 0)
    village.bridge.step(0)
    village.bridge._store_held()
    assert calls == [0, 0, 0], "nothing was acknowledged while the database was away"
    assert village.link.acknowledged == [mid]
    assert db.session.scalar(select(func.count()).where(LockEvent.kind == "door.forced")) == 1


PATHS = ("up/conn", "up/res", "up/keys", "up/evt", "up/tel", "up/time")
GARBAGE = (b"", b"\xff\x00", b"{}", b'{"v":1}', b"[[[", b'{"v":9}', b"x" * 200_000)
FOREIGN = ("anju/v1/0/x/up/evt", "anju/v2/0/x/up/evt", "elsewhere", "anju/v1/1/L/dn/cmd", "anju/v1/99/+/up/evt")


@SQLITE
def test_garbage_and_foreign_topics_are_counted_acknowledged_and_block_nothing(
    village: Village, story: Story, world: World
) -> None:
    lock_id = story.identity.lock_id
    mids = []
    for path in PATHS:
        topic = topics.topic_of(lock_id, topics.CHANNELS[path])
        mids += [village.link.arrive(topic, raw) for raw in GARBAGE]
    mids += [village.link.arrive(topic, b"{}") for topic in FOREIGN]
    command = ask(world, story)
    village.settle()
    assert set(mids) <= set(village.link.acknowledged)
    rejected = {name: count for name, count in village.bridge.counts.items() if name.startswith("rejected")}
    assert sum(rejected.values()) == len(mids)
    assert look(world, story, command).state == "executed"
    anomalies = db.session.scalars(select(LockAnomaly)).all()
    assert {each.reason for each in anomalies} == {"not_json", "missing_member", "unknown_version", "too_large"}
    assert {each.lock_id for each in anomalies} == {lock_id}


@SQLITE
def test_a_message_that_breaks_its_handler_is_set_aside_and_the_next_one_is_served(
    village: Village, story: Story, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = lock_logs.record_events

    def record_events(world: World, batches: Any) -> Any:
        if any("tamper" in text for _, batch in batches for text in batch.events):
            raise ZeroDivisionError
        return stored(world, batches)

    monkeypatch.setattr(lock_logs, "record_events", record_events)
    touches.lift_cover(village.locks[story.identity.lock_id])
    command = ask(world, story)
    village.settle()
    assert village.bridge.counts["failed"] >= 1
    assert look(world, story, command).state == "executed"
    assert db.session.scalars(select(LockAnomaly.reason)).all() == ["handler_failed"]


@SQLITE
def test_messages_of_a_retired_lock_are_counted_and_dropped(village: Village, story: Story) -> None:
    row(story).retired_at = village.clock.now()
    db.session.commit()
    village.locks[story.identity.lock_id].session.send_telemetry()
    village.settle()
    assert village.bridge.counts["unknown_lock"] == 1


@SQLITE
def test_while_the_broker_is_away_nothing_is_claimed_and_commands_expire(
    village: Village, story: Story, world: World, clock: Any
) -> None:
    village.link.is_connected = False
    command = ask(world, story)
    village.settle()
    village.sender.step()
    clock.move(timedelta(seconds=20))
    village.sender._swept = float("-inf")
    village.sender.step()
    village.link.is_connected = True
    village.settle()
    assert look(world, story, command).state == "expired"
    assert village.locks[story.identity.lock_id].body.bolt == "locked"


@SQLITE
def test_twenty_percent_loss_doubling_and_disorder_lose_and_double_nothing(core: Flask, clock: Any) -> None:
    world = world_of(core)
    identities = make_identities(5, 11)
    import_locks(world, [identity.public_part() for identity in identities])
    village = Village(core, identities, clock, seed=3)
    for faults in (village.up, village.down):
        faults.drop = faults.duplicate = faults.reorder = 0.2
    chance = village.up.chance
    for round_number in range(100):
        clock.move(timedelta(seconds=20))
        for lock_id, lock in village.locks.items():
            touches.move_door(lock, ("open", "closed")[round_number % 2])
            if lock.session.id is None:
                village.connect(lock_id)
            elif chance.random() < 0.05:
                village.disconnect(lock_id)
            lock.tick()
        village.settle()
    for faults in (village.up, village.down):
        faults.drop = faults.duplicate = faults.reorder = 0.0
    for _ in range(12):
        clock.move(timedelta(seconds=61))
        village.sender._republished = float("-inf")
        village.sender.step()  # the sweep sends a list again that was lost on its way
        for lock_id, lock in village.locks.items():
            if lock.session.id is None:
                village.connect(lock_id)
            lock.tick()
        village.settle()
    for lock_id, lock in village.locks.items():
        assert lock.log.seq >= 100 and len(lock.log) == 0, "everything was acknowledged"
        stored = db.session.execute(
            select(func.count(), func.max(LockEvent.seq)).where(LockEvent.lock_id == lock_id)
        ).one()
        assert tuple(stored) == (lock.log.seq, lock.log.seq)
        record = db.session.get_one(LockRow, lock_id)
        assert base64url(record.stored_head or b"") == base64url(lock.log.head)
        assert record.alarm is None and record.presence == "online"
        assert record.reported_list_version == record.list_version
    assert not [reason for reason in db.session.scalars(select(LockAnomaly.reason)) if reason.startswith("missing")]


@SQLITE
def test_the_brokers_lost_store_is_rebuilt_from_the_database(
    village: Village, story: Story, world: World
) -> None:
    """A lock that was wiped, on a broker that was wiped: list, epoch and chain come back with its birth."""
    lock = village.locks[story.identity.lock_id]
    before = lock.log.seq
    village.disconnect(story.identity.lock_id)
    village.settle()
    lock.wipe()
    village.connect(story.identity.lock_id)
    village.settle()
    assert set(lock.keys.entries) == {story.key_id}
    assert lock.log.acked_seq == lock.log.seq > before
    assert row(story).alarm is None
    command = ask(world, story)
    village.settle()
    assert look(world, story, command).state == "executed"


@SQLITE
def test_no_opening_after_a_confirmed_revocation_by_any_way(village: Village, story: Story, world: World) -> None:
    from backend.domain.refusals import Refused

    lock = village.locks[story.identity.lock_id]
    fetched = fetch_credential(world, account_id=story.tenant, key_id=story.key_id)
    revoke_key(world, account_id=story.tenant, key_id=story.key_id)
    village.settle()
    assert story.key_id in lock.keys.revoked
    with pytest.raises(Refused):
        ask(world, story)
    assert fetched.doors[0].lock_id == story.identity.lock_id


@SQLITE
def test_nothing_on_the_wire_names_a_person(village: Village, story: Story, world: World) -> None:
    seen: list[bytes] = []
    publish = village.link.publish

    def listen(lock_id: str, channel: Any, payload: bytes) -> bool:
        seen.append(payload)
        return publish(lock_id, channel, payload)

    village.link.publish = listen  # type: ignore[method-assign]
    village.sender._link.publish = listen  # type: ignore[method-assign]
    ask(world, story)
    village.settle()
    assert seen
    for payload in seen:
        text = json.dumps(payload.decode())
        assert story.tenant not in text and "周" not in text and "+86" not in text


def test_the_last_word_on_a_command_says_that_it_was_accepted_too(
    village: Village, world: World, story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, told = ask(world, story), []
    record = lock_reports.record_command_result

    def listen(world: World, lock_id: str, result: CommandResult) -> bool:
        told.append(result.state)
        return record(world, lock_id, result)

    monkeypatch.setattr(lock_reports, "record_command_result", listen)
    topic = topics.topic_of(story.identity.lock_id, topics.RESULT)
    lock = village.locks[story.identity.lock_id]
    mids = [
        village.link.arrive(topic, encode(CommandResult(asked, state, lock.boot, 1_790_000_000)))
        for state in ("accepted", "executed")
    ]
    for _ in mids:
        village.bridge.step(0)
    assert told == ["executed"] and look(world, story, asked).state == "executed"
    assert village.link.acknowledged[-2:] == mids[::-1], "both, after the commit"


def test_that_a_command_was_accepted_is_told_when_no_other_word_follows(
    village: Village, world: World, story: Story
) -> None:
    asked = ask(world, story)
    lock = village.locks[story.identity.lock_id]
    topic = topics.topic_of(story.identity.lock_id, topics.RESULT)
    mid = village.link.arrive(topic, encode(CommandResult(asked, "accepted", lock.boot, 1_790_000_000)))
    village.bridge.step(0)
    assert mid not in village.link.acknowledged
    village.bridge.step(1)
    village.bridge.step(village.bridge._patience())
    assert mid in village.link.acknowledged and look(world, story, asked).state == "accepted"
