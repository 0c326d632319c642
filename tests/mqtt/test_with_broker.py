"""Bridge process, real broker, simulated locks: what is killed at any moment loses and doubles nothing."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from backend.config import Settings
from backend.db import db
from backend.gateways.world import World
from backend.models.lock_events import LockEvent
from backend.services import commands
from device_sim.fleet import Fleet
from tests.mosquitto import TestBroker
from tests.mqtt.stage import (
    BridgeProcess,
    check_that_nothing_is_lost_or_doubled,
    confirmed,
    everything_is_stored,
    presence,
    shake,
    unlock,
    until,
)
from tests.services.stories import Story

SQLITE = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)


@pytest.fixture
def world(live_world: World) -> World:
    return live_world


@pytest.fixture
def story(live_story: Story) -> Story:
    return live_story


@pytest.fixture
def bridge(fleet: Fleet, settings: Settings, broker: TestBroker, tmp_path: Path) -> Iterator[BridgeProcess]:
    bridge = BridgeProcess(settings, broker, tmp_path / "bridge.log")
    yield bridge
    bridge.kill()


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
