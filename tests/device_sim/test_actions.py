"""The control's actions on running locks: faults of the network, hands, trouble, attacks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from backend.wire import codec, keypad, lock_messages, near_messages, topics
from device_sim import control as control_room
from device_sim.actions import ACTIONS
from device_sim.control import Control
from device_sim.fleet import Fleet
from device_sim.identities import Identity
from device_sim.near_link import HOST
from device_sim.phone import Carried, Phone, near_line
from tests.device_sim.makers import KEY, Platform
from tests.device_sim.stations import Station, answer_birth, ask, await_lock, is_birth, send_list, sign_order


@pytest.fixture
def online(fleet: Fleet, station: Station, platform: Platform, identities: list[Identity]) -> str:
    """The first lock: its birth is answered and it holds one key."""
    lock_id = identities[0].lock_id
    answer_birth(station, lock_id, station.await_message(lock_id, topics.PRESENCE, is_birth))
    send_list(station, platform, lock_id)
    station.await_message(lock_id, topics.EVENTS, tells("keys.changed"))
    return lock_id


def post(control: Control, lock_id: str, action: str, **arguments: Any) -> tuple[int, dict[str, Any]]:
    return ask(control, f"/_sim/locks/{lock_id}/{action}", arguments)


def did(answer: tuple[int, dict[str, Any]]) -> dict[str, Any]:
    assert answer[0] == 200, answer
    return answer[1]


def tells(words: str) -> Callable[[lock_messages.EventBatch], bool]:
    return lambda batch: any(words in text for text in batch.events)


unlocks = tells('"command":"command-1"')


def results_heard(station: Station) -> list[tuple[str, str]]:
    return [(m.command, m.state) for _, channel, m in station.heard if channel is topics.RESULT]


def test_an_answer_lost_after_acting_leaves_the_event_to_tell_of_it_later(
    fleet: Fleet, control: Control, station: Station, platform: Platform, online: str
) -> None:
    did(post(control, online, "lose-ack"))
    station.send(online, topics.COMMAND, sign_order(fleet, platform, online, "command-1", 1))
    station.send(online, topics.COMMAND, sign_order(fleet, platform, online, "command-2", 2, "replay"))
    station.await_message(online, topics.EVENTS, unlocks)
    assert did(ask(control, f"/_sim/locks/{online}"))["bolt"] == "unlocked"
    assert results_heard(station) == [("command-2", "executed")]


def test_a_direction_may_fall_silent_while_the_connection_stands(
    fleet: Fleet, control: Control, station: Station, platform: Platform, online: str
) -> None:
    assert did(post(control, online, "partition", direction="up"))["connected"]
    station.send(online, topics.COMMAND, sign_order(fleet, platform, online, "command-1", 1))
    link = fleet.links[online]
    await_lock(control, online, lambda shown: shown["bolt"] == "unlocked")
    did(post(control, online, "partition", direction="up", on=False))
    fleet.call(lambda: link.lock.session.uplink.go_back())
    station.await_message(online, topics.EVENTS, unlocks)
    assert results_heard(station) == []


def test_what_is_held_back_arrives_later(
    fleet: Fleet, control: Control, station: Station, platform: Platform, online: str
) -> None:
    did(post(control, online, "delay", seconds=1, direction="down"))
    station.send(online, topics.COMMAND, sign_order(fleet, platform, online, "command-1", 1))
    assert did(ask(control, f"/_sim/locks/{online}"))["bolt"] == "locked"
    station.await_message(online, topics.RESULT, lambda result: result.state == "executed")
    assert did(post(control, online, "delay", seconds=0))["connected"]


def test_a_cloned_device_is_heard_to_tell_another_story(
    control: Control, station: Station, online: str, identities: list[Identity]
) -> None:
    assert post(control, identities[2].lock_id, "clone")[0] == 409, "without a connection its copy cannot speak"
    did(post(control, online, "clone"))
    own = station.await_message(online, topics.EVENTS, tells("door.opened"))
    forged = station.await_message(online, topics.EVENTS, tells("inside.opened"))
    assert forged.previous == own.previous and forged.events != own.events


def test_a_phone_is_overheard_and_what_was_heard_opens_nothing(
    fleet: Fleet, control: Control, platform: Platform, identities: list[Identity]
) -> None:
    lock_id, phone = identities[2].lock_id, Phone()
    assert post(control, lock_id, "replay")[0] == 409
    assert post(control, lock_id, "storm", count=1)[0] == 409
    credential = platform.credential(phone, aud=lock_id, nbf=0, exp=2**40, iat=0)
    address = (HOST, fleet.near.port)
    assert phone.open(lock_id, credential, address=address, action="lock").result == "locked"
    assert did(post(control, lock_id, "replay"))["answer"] == "refused"
    shown = did(post(control, lock_id, "storm", count=20))
    assert (shown["answer"], shown["bolt"], shown["events"]) == ({"refused": 20}, "locked", 7)
    assert phone.open(lock_id, credential, address=address).result == "opened"


def test_a_code_is_typed_on_the_keypad_and_appears_nowhere(
    fleet: Fleet, control: Control, platform: Platform, identities: list[Identity]
) -> None:
    offline, phone = identities[2], Phone()
    credential = platform.credential(phone, aud=offline.lock_id, nbf=0, exp=2**40, iat=0, pad=("day",))
    phone.open(offline.lock_id, credential, address=(HOST, fleet.near.port), action="lock")
    today = keypad.day_of(fleet.call(fleet.links[offline.lock_id].lock.clock.now))
    code = keypad.day_code(platform.secret(offline), KEY, 1, *today)
    shown = did(post(control, offline.lock_id, "keypad", code=code))
    assert (shown["answer"], shown["bolt"], shown["keypad"]) == ("opened", "unlocked", "ready")
    assert code not in str(shown)
    answers = [did(post(control, offline.lock_id, "keypad", code="0"))["answer"] for _ in range(6)]
    assert answers == ["refused"] * 5 + ["waiting"]
    refused = post(control, offline.lock_id, "keypad", code="12345678x")
    assert refused[0] == 422 and "12345678" not in str(refused)


def test_a_full_buffer_says_so_and_the_lock_goes_on(control: Control, identities: list[Identity]) -> None:
    lock_id = identities[2].lock_id
    assert did(post(control, lock_id, "fill-log", events=5_100))["events"] == 5_101, "and log.overflow"
    assert did(post(control, lock_id, "tamper"))["events"] == 5_102


def test_hands_and_clocks(control: Control, identities: list[Identity]) -> None:
    lock_id = identities[2].lock_id
    shown = did(post(control, lock_id, "inside"))
    assert (shown["bolt"], shown["door"]) == ("unlocked", "open")
    at = shown["at"]
    assert did(post(control, lock_id, "clock-skew", seconds=7_200))["at"] >= at + 7_200
    assert did(post(control, lock_id, "clock-skew", seconds=-7_200))["at"] >= at + 7_200, "it never runs backwards"
    assert did(post(control, lock_id, "clock-drift", ppm=-500))["clock"] == "ok"


@pytest.mark.parametrize(
    "action, arguments",
    [
        ("offline", {"goodbye": 1}),
        ("online", {"on": True}),
        ("drop", {"channel": "up/evt"}),
        ("drop", {"channel": "up/no", "count": 1}),
        ("drop", {"channel": "up/evt", "count": 1_001}),
        ("faults", {"drop": 101}),
        ("delay", {"seconds": 3_601}),
        ("delay", {"seconds": 1, "percent": 101}),
        ("delay", {"seconds": 1, "direction": "left"}),
        ("partition", {"on": "yes"}),
        ("partition", {"direction": ["up"]}),
        ("jam", {"on": None}),
        ("door", {}),
        ("battery", {"percent": 101}),
        ("clock-jump", {"seconds": 1.5}),
        ("clock-skew", {"seconds": 10**9}),
        ("clock-drift", {"ppm": "1"}),
        ("fill-log", {"events": 0}),
        ("fill-log", {"events": 6_001}),
        ("keypad", {}),
        ("keypad", {"code": 12345678}),
        ("keypad", {"code": "1" * 17}),
        ("storm", {"count": 0}),
        ("wipe", {"really": True}),
    ],
)
def test_arguments_that_are_none_are_refused_and_change_nothing(
    control: Control, identities: list[Identity], action: str, arguments: dict[str, Any]
) -> None:
    lock_id = identities[2].lock_id
    before = ask(control, f"/_sim/locks/{lock_id}")[1]
    assert post(control, lock_id, action, **arguments)[0] == 422
    assert {**ask(control, f"/_sim/locks/{lock_id}")[1], "at": 0} == {**before, "at": 0}


def test_every_action_stands_in_the_controls_docstring() -> None:
    words = set((control_room.__doc__ or "").replace(":", " ").replace(";", " ").split())
    assert not (missing := set(ACTIONS) - words), missing


def test_two_phones_hand_each_other_a_key_at_a_lock_without_network(
    fleet: Fleet, platform: Platform, identities: list[Identity]
) -> None:
    lock_id, address = identities[2].lock_id, (HOST, fleet.near.port)
    landlord, tenant = Phone(), Phone()
    now = fleet.call(fleet.links[lock_id].lock.clock.now)
    delegate = platform.delegate(landlord, aud=lock_id, nbf=now - 60, exp=now + 3_600)
    activation = platform.activation(tenant, nbf=now - 60, exp=now + 3_600)
    assert tenant.leave(lock_id, "135790", tenant.thumbprint, address=address).state == "kept"
    assert landlord.fetch(lock_id, "135790", address=address).item == tenant.thumbprint
    credential = landlord.issue(delegate, lock_id, 1, tenant.jwk, KEY, now, now + 1_800)
    assert landlord.leave(lock_id, "135790", f"{delegate}.{credential}", address=address).state == "kept"
    with near_line(lock_id, address) as line:  # one visit: a wrong box, the right one, then the door
        assert near_messages.decode_box(line.ask(codec.encode(near_messages.Fetch("000000")))).state == "nothing"
        given = near_messages.decode_box(line.ask(codec.encode(near_messages.Fetch("135790")))).item
        assert given == f"{delegate}.{credential}"
        m1 = codec.encode(near_messages.Hello("A" * 22))
        m2 = line.ask(m1)
        m3 = tenant.request(m1, m2, credential, Carried(delegate=delegate, activation=activation), "unlock")
        assert near_messages.decode_answer(line.ask(codec.encode(m3))).result == "opened"
        assert near_messages.decode_box(line.ask(codec.encode(near_messages.Fetch("135790")))).state == "nothing"
