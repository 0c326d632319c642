"""Two phones side by side hand each other something through the lock."""

from __future__ import annotations

import pytest

from backend.wire import codec, near_messages
from backend.wire.near_messages import Box, Fetch, Leave
from device_sim.lock import Lock
from device_sim.phone import Phone
from tests.device_sim.makers import Host, Platform, events, make_lock, open_near

PLATFORM = Platform()


@pytest.fixture
def host() -> Host:
    return Host()


@pytest.fixture
def lock(host: Host) -> Lock:
    return make_lock(PLATFORM, host)


def ask(lock: Lock, asked: Leave | Fetch) -> Box:
    conversation = lock.near.greet()
    answer = near_messages.decode_box(conversation.hello(codec.encode(asked)))
    assert not conversation.is_greeted
    return answer


def test_what_one_phone_left_another_fetches_once(lock: Lock) -> None:
    assert ask(lock, Leave("123456", "a.b-c")) == Box("kept")
    assert ask(lock, Fetch("123457")) == Box("nothing")
    assert ask(lock, Fetch("123456")) == Box("given", "a.b-c")
    assert ask(lock, Fetch("123456")) == Box("nothing")
    assert events(lock) == []


def test_ten_minutes_are_kept_and_no_longer_and_a_reboot_forgets(lock: Lock, host: Host) -> None:
    ask(lock, Leave("000001", "one"))
    host.at += 599
    ask(lock, Leave("000002", "two"))
    host.at += 1
    assert ask(lock, Fetch("000001")) == Box("nothing")
    lock.reboot()
    assert ask(lock, Fetch("000002")) == Box("nothing")


def test_four_boxes_and_none_is_overwritten(lock: Lock, host: Host) -> None:
    for number in range(4):
        assert ask(lock, Leave(f"00000{number}", "x")) == Box("kept")
    assert ask(lock, Leave("000004", "x")) == Box("full")
    assert ask(lock, Leave("000000", "x")) == Box("kept"), "the same again: its answer was lost"
    assert ask(lock, Leave("000000", "y")) == Box("full")
    assert ask(lock, Fetch("000000")) == Box("given", "x")
    assert ask(lock, Leave("000004", "x")) == Box("kept")
    host.at += 600
    assert ask(lock, Leave("000009", "x")) == Box("kept")


@pytest.mark.parametrize(
    "raw",
    [
        b'{"v":1,"box":"12345","item":"x"}',
        b'{"v":1,"box":"123456","item":""}',
        b'{"v":1,"box":"123456","item":"x y"}',
        b'{"v":1,"box":"123456","item":"' + b"x" * 16_385 + b'"}',
        b'{"v":1,"box":"123456","nonce":"AAAAAAAAAAAAAAAAAAAAAA"}',
        b'{"v":2,"box":"123456"}',
    ],
)
def test_what_is_no_such_message_is_refused(lock: Lock, raw: bytes) -> None:
    with pytest.raises(codec.MessageRejected):
        lock.near.greet().hello(raw)


def test_the_largest_thing_fits(lock: Lock) -> None:
    assert ask(lock, Leave("123456", "x" * 16_384)) == Box("kept")
    assert ask(lock, Fetch("123456")).item == "x" * 16_384


def test_boxes_are_apart_from_opening(lock: Lock) -> None:
    phone = Phone()
    ask(lock, Leave("123456", "x"))
    assert open_near(lock, phone, PLATFORM.credential(phone)) == "opened"
    assert ask(lock, Fetch("123456")) == Box("given", "x")
