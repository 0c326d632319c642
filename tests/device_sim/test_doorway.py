"""Around the door: the bolt closes by itself, a door left open is told of, the battery runs down."""

from __future__ import annotations

import pytest

from backend.wire import topics
from device_sim import touches
from device_sim.lock import Lock
from device_sim.phone import Phone
from tests.device_sim.makers import DAY, KEY, Host, Platform, connect, events, make_lock, open_near, take

PLATFORM = Platform()
PHONE = Phone()


@pytest.fixture
def host() -> Host:
    return Host()


@pytest.fixture
def lock(host: Host) -> Lock:
    return make_lock(PLATFORM, host)


def later(lock: Lock, host: Host, seconds: float) -> None:
    host.at += seconds
    lock.tick()


def kinds(lock: Lock) -> list[str]:
    return [kind for kind, _, _ in events(lock)]


def test_a_door_nobody_opened_is_told_of_when_the_bolt_closes_again(lock: Lock, host: Host) -> None:
    open_near(lock, PHONE, PLATFORM.credential(PHONE))
    later(lock, host, 4)
    assert lock.body.bolt == "unlocked"
    later(lock, host, 1)
    assert lock.body.bolt == "locked"
    assert kinds(lock) == ["lock.unlocked", "lock.unlock_timeout", "lock.locked"]


def test_a_door_that_was_opened_only_closes(lock: Lock, host: Host) -> None:
    open_near(lock, PHONE, PLATFORM.credential(PHONE))
    touches.move_door(lock, "open")
    touches.move_door(lock, "closed")
    later(lock, host, 5)
    assert kinds(lock) == ["lock.unlocked", "door.opened", "door.closed", "lock.locked"]


def test_locking_by_hand_needs_no_timer(lock: Lock, host: Host) -> None:
    credential = PLATFORM.credential(PHONE)
    open_near(lock, PHONE, credential)
    open_near(lock, PHONE, credential, action="lock")
    later(lock, host, 60)
    assert kinds(lock) == ["lock.unlocked", "lock.locked"]


def test_a_door_left_open_is_ajar_after_the_configured_time_once(lock: Lock, host: Host) -> None:
    lock.take_config(PLATFORM.config(1, ajar_s=30))
    touches.move_door(lock, "open")
    later(lock, host, 29)
    assert kinds(lock) == ["door.opened"] and lock.due_at() == host.at + 1
    later(lock, host, 1)
    later(lock, host, 300)
    assert kinds(lock) == ["door.opened", "door.ajar"] and lock.body.door == "ajar"
    touches.move_door(lock, "closed")
    touches.move_door(lock, "open")
    touches.move_door(lock, "closed")
    later(lock, host, 300)
    assert kinds(lock)[2:] == ["door.closed", "door.opened", "door.closed"]


def test_from_inside_the_door_always_opens(lock: Lock, host: Host) -> None:
    touches.set_battery(lock, 0)
    touches.open_from_inside(lock)
    assert (lock.body.bolt, lock.body.door) == ("unlocked", "open")
    touches.move_door(lock, "closed")
    later(lock, host, 5)
    assert kinds(lock)[-4:] == ["inside.opened", "door.opened", "door.closed", "lock.locked"]


@pytest.mark.parametrize("seconds", [-3_600, 3_600])
def test_a_wrong_clock_leaves_no_door_open(lock: Lock, host: Host, seconds: int) -> None:
    open_near(lock, PHONE, PLATFORM.credential(PHONE))
    lock.clock.jump(seconds)
    later(lock, host, 4)
    assert lock.body.bolt == "unlocked"
    later(lock, host, 1)
    assert lock.body.bolt == "locked"


def test_the_battery_runs_down_by_days_and_openings_and_tells_each_limit_once(lock: Lock, host: Host) -> None:
    days = 0
    while lock.body.refuse() is None and days < 1_000:
        days += 1
        later(lock, host, DAY)
        for action in ("unlock", "lock") * 10:
            lock.move_bolt(action, key=KEY, command=None, via="near")
    told = [kind for kind in kinds(lock) if kind.startswith("battery.")]
    assert told == ["battery.low", "battery.critical"]
    assert 300 < days < 360
    lock.clock.sync(int(host.at))
    assert open_near(lock, PHONE, PLATFORM.credential(PHONE, exp=int(host.at) + DAY)) == "refused"
    assert events(lock)[-1] == ("access.denied", KEY, "battery")


def test_the_charge_is_told_with_the_telemetry(lock: Lock) -> None:
    connect(lock)
    touches.set_battery(lock, 8)
    assert [each.battery_percent for each in take(lock, topics.TELEMETRY)] == [8]
    assert kinds(lock) == ["battery.critical"]
    touches.set_battery(lock, 100)
    touches.set_battery(lock, 15)
    assert kinds(lock) == ["battery.critical", "battery.low"]
