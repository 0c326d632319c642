"""Bridge process, real broker, simulated locks: what is killed at any moment loses and doubles nothing."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from backend.config import Settings
from backend.db import db
from backend.gateways.clock import SystemClock
from backend.gateways.wake_up import PostgresWakeUp, SocketWakeUp
from backend.gateways.world import World
from backend.models.lock_events import LockAnomaly, LockEvent
from backend.models.locks import Lock
from backend.services import commands
from backend.services.lock_manifests import import_locks
from device_sim import touches
from device_sim.fleet import Fleet
from device_sim.identities import make_identity
from device_sim.settings import SimSettings
from tests.mosquitto import TestBroker
from tests.mqtt.stage import BridgeProcess, until
from tests.services.stories import Story, make_active

SQLITE = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
LOCKS = 3


@pytest.fixture
def world(world: World, settings: Settings) -> Iterator[World]:
    """The test's world in real time, with real wake-ups."""
    postgres = settings.database_url.startswith("postgresql")
    wake_up = PostgresWakeUp(settings.database_url) if postgres else SocketWakeUp(settings.var)
    yield replace(world, clock=SystemClock(), wake_up=wake_up)
    wake_up.close()


@pytest.fixture
def story(core: Any, world: World) -> Story:
    """A tenant with an active key to lock 1; locks 2 and 3 are of the manifest."""
    story = make_active(world)
    import_locks(world, [make_identity(7, number).public_part() for number in range(2, LOCKS + 1)])
    return story


@pytest.fixture
def fleet(story: Story, world: World, broker: TestBroker, tmp_path: Path) -> Iterator[Fleet]:
    identities = [make_identity(7, number) for number in range(1, LOCKS + 1)]
    broker.add_hashes({each.lock_id: each.public_part()["mqtt_password_hash"] for each in identities})
    broker.restart(wipe=True)  # nothing retained from another test
    settings = SimSettings(var=tmp_path, sim_near_port=0, broker_host=broker.host, broker_port=broker.port)
    fleet = Fleet(settings, identities, world.tokens.public_keys())
    thread = threading.Thread(target=fleet.run)
    thread.start()
    yield fleet
    fleet.stop()
    thread.join(10)


@pytest.fixture
def bridge(fleet: Fleet, settings: Settings, broker: TestBroker, tmp_path: Path) -> Iterator[BridgeProcess]:
    bridge = BridgeProcess(settings, broker, tmp_path / "bridge.log")
    yield bridge
    bridge.kill()


def presence(lock_id: str) -> str:
    db.session.rollback()
    return db.session.get_one(Lock, lock_id).presence


def confirmed(lock_id: str) -> bool:
    db.session.rollback()
    lock = db.session.get_one(Lock, lock_id)
    return lock.presence == "online" and lock.reported_list_version == lock.list_version


def unlock(world: World, story: Story, once: str) -> str:
    """Ask, and wait as a phone does; answers the last state."""
    until(partial(confirmed, story.identity.lock_id))
    asked = commands.request_unlock(world, account_id=story.tenant, key_id=story.key_id, idempotency_key=once)
    for _ in range(10):
        view = commands.wait_for_command(world, account_id=story.tenant, command_id=asked.id, seconds=3)
        if view.state not in ("queued", "sent", "accepted"):
            return view.state
    return view.state


def everything_is_stored(fleet: Fleet) -> bool:
    return fleet.call(lambda: all(len(link.lock.log) == 0 for link in fleet.links.values()))


def check_that_nothing_is_lost_or_doubled(fleet: Fleet) -> None:
    db.session.rollback()
    for lock_id, link in fleet.links.items():
        seq, head = fleet.call(lambda link=link: (link.lock.log.seq, link.lock.log.head))  # type: ignore[misc]
        stored = db.session.execute(
            select(func.count(), func.max(LockEvent.seq)).where(LockEvent.lock_id == lock_id)
        ).one()
        assert tuple(stored) == (seq, seq)
        assert db.session.get_one(Lock, lock_id).stored_head == head
    assert db.session.scalars(select(LockAnomaly.reason)).all() == []


def shake(fleet: Fleet, times: int) -> None:
    """Every lock writes events."""
    for number in range(times):
        state = ("open", "closed")[number % 2]
        for link in fleet.links.values():
            fleet.call(partial(touches.move_door, link.lock, state))


def test_a_tap_opens_the_door_through_broker_and_bridge(
    bridge: BridgeProcess, fleet: Fleet, world: World, story: Story
) -> None:
    bridge.start()
    bridge.await_health()
    assert unlock(world, story, "tap-1") == "executed"
    until(partial(everything_is_stored, fleet))
    check_that_nothing_is_lost_or_doubled(fleet)
    kinds = db.session.scalars(select(LockEvent.kind).where(LockEvent.key_id == story.key_id)).all()
    assert kinds == ["lock.unlocked"]
    assert bridge.end() == 0


@pytest.mark.parametrize("die_on", ["up/evt", "up/res", "up/conn", "up/keys"])
@SQLITE
def test_a_bridge_killed_between_commit_and_acknowledgement_loses_and_doubles_nothing(
    bridge: BridgeProcess, fleet: Fleet, world: World, story: Story, die_on: str
) -> None:
    if die_on in ("up/evt", "up/res"):
        bridge.start(die_on="never")
        bridge.await_health()
        until(partial(confirmed, story.identity.lock_id))
        until(partial(everything_is_stored, fleet))
        bridge.kill()
    bridge.start(die_on=die_on)
    if die_on == "up/res":
        bridge.await_health()
        asked = commands.request_unlock(world, account_id=story.tenant, key_id=story.key_id, idempotency_key="tap")
    elif die_on == "up/evt":
        shake(fleet, 5)
    assert bridge.await_death() == -9
    shake(fleet, 20)
    bridge.start()
    bridge.await_health()
    if die_on == "up/res":
        until(lambda: commands.get_command(world, account_id=story.tenant, command_id=asked.id).state == "executed")
    assert unlock(world, story, "tap-2") == "executed"
    until(partial(everything_is_stored, fleet))
    check_that_nothing_is_lost_or_doubled(fleet)


@SQLITE
def test_bridge_and_broker_may_be_killed_again_and_again(
    bridge: BridgeProcess, fleet: Fleet, world: World, story: Story, broker: TestBroker
) -> None:
    for round_number in range(4):
        bridge.start()
        shake(fleet, 30)
        if round_number % 2:
            bridge.await_health()
            broker.restart(wipe=round_number == 3)
        shake(fleet, 30)
        bridge.kill()
        shake(fleet, 10)
    bridge.start()
    bridge.await_health()
    until(partial(everything_is_stored, fleet))
    check_that_nothing_is_lost_or_doubled(fleet)
    assert unlock(world, story, "tap-1") == "executed"


@SQLITE
def test_a_lock_that_is_cut_off_is_offline_within_moments_and_comes_back_confirmed(
    bridge: BridgeProcess, fleet: Fleet, world: World, story: Story
) -> None:
    bridge.start()
    lock_id = story.identity.lock_id
    link = fleet.links[lock_id]
    until(partial(confirmed, lock_id))

    def cut() -> None:
        link.wanted = False
        link.cut()

    fleet.call(cut)
    until(lambda: presence(lock_id) == "offline")
    from backend.domain.refusals import Refused

    with pytest.raises(Refused, match="lock_offline"):
        commands.request_unlock(world, account_id=story.tenant, key_id=story.key_id, idempotency_key="tap")
    link.wanted = True
    assert unlock(world, story, "tap-2") == "executed"


@SQLITE
def test_the_bridge_says_what_it_lacks(settings: Settings, broker: TestBroker, core: Any, tmp_path: Path) -> None:
    bridge = BridgeProcess(settings, broker, tmp_path / "log")
    (settings.keys_folder / "bridge-mqtt-password").unlink()
    bridge.start()
    assert bridge.await_death() == 1
    assert "password is missing" in bridge.log() and "Traceback" not in bridge.log()
