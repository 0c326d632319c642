"""The fleet on a real broker: births, wills, commands, events, the near link and the control."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from backend.wire import codec, lock_messages, near_messages, topics
from backend.wire.lock_messages import read_event
from device_sim.control import Control
from device_sim.fleet import Fleet
from device_sim.identities import Identity
from device_sim.near_link import HOST
from device_sim.phone import Carried, Phone, near_line
from tests.device_sim.makers import Platform
from tests.device_sim.stations import Station, answer_birth, ask, is_birth, send_list, sign_order
from tests.mosquitto import TestBroker
from tests.mqtt.stage import until


def test_a_command_goes_down_and_its_result_and_event_come_up(
    fleet: Fleet, station: Station, platform: Platform, identities: list[Identity]
) -> None:
    lock_id = identities[0].lock_id
    answer_birth(station, lock_id, station.await_message(lock_id, topics.PRESENCE, is_birth))
    send_list(station, platform, lock_id)
    station.await_message(lock_id, topics.REPORTED_KEYS, lambda report: report.version == 1)
    station.send(lock_id, topics.COMMAND, sign_order(fleet, platform, lock_id, "command-1", 1))
    batch = station.await_message(lock_id, topics.EVENTS, lambda batch: "lock.unlocked" in batch.events[-1])
    assert '"command":"command-1"' in batch.events[-1]
    station.await_message(lock_id, topics.RESULT, lambda result: result.state == "executed")


def test_a_lock_that_is_cut_off_is_announced_by_its_will_and_comes_back(
    fleet: Fleet, station: Station, identities: list[Identity], control: Control
) -> None:
    lock_id = identities[0].lock_id
    birth = station.await_message(lock_id, topics.PRESENCE, is_birth)
    assert ask(control, f"/_sim/locks/{lock_id}/offline", {})[1]["wanted"] is False
    gone = station.await_message(lock_id, topics.PRESENCE)
    assert gone == lock_messages.Departure("offline", birth.session)
    ask(control, f"/_sim/locks/{lock_id}/online", {})
    again = station.await_message(lock_id, topics.PRESENCE, is_birth)
    assert again.boot == birth.boot and again.session != birth.session
    ask(control, f"/_sim/locks/{lock_id}/offline", {"goodbye": True})
    assert station.await_message(lock_id, topics.PRESENCE).state == "goodbye"


def test_the_broker_may_die_and_every_lock_comes_back(
    fleet: Fleet, station: Station, identities: list[Identity], broker: TestBroker
) -> None:
    first, second = identities[0].lock_id, identities[1].lock_id
    station.await_message(first, topics.PRESENCE, is_birth)
    station.await_message(second, topics.PRESENCE, is_birth)
    broker.restart(wipe=True)
    sessions = {station.await_message(first, topics.PRESENCE, is_birth).session.rpartition("-")[2]}
    assert sessions == {"2"}


def test_a_lock_touches_its_own_subtree_only(
    broker: TestBroker, fleet: Fleet, station: Station, identities: list[Identity], platform: Platform
) -> None:
    mine, other = identities[2], identities[0]
    birth = station.await_message(other.lock_id, topics.PRESENCE, is_birth)
    thief = Station(broker, mine.lock_id, mine.mqtt_password, listen="anju/v1/+/+/#")
    send_list(station, platform, other.lock_id)
    send_list(station, platform, mine.lock_id)
    thief.await_message(mine.lock_id, topics.KEY_LIST)
    assert {lock_id for lock_id, _, _ in thief.heard} == {mine.lock_id}
    thief.close()
    # Mosquitto confirms a foreign message, drops it, and closes the connection.
    for channel, message in (
        (topics.PRESENCE, lock_messages.Departure("offline", birth.session)),
        (topics.COMMAND, lock_messages.Signed("a.b.c")),
    ):
        thief = Station(broker, mine.lock_id, mine.mqtt_password)
        thief.send(other.lock_id, channel, message).wait_for_publish(10)
        thief.close()
    link = fleet.links[other.lock_id]
    fleet.call(lambda: (link.lock.session.ask_time(), link.flush()))
    station.await_message(other.lock_id, topics.TIME_REQUEST)
    assert (other.lock_id, topics.PRESENCE, lock_messages.Departure("offline", birth.session)) not in station.heard
    assert fleet.call(lambda: dict(link.lock.rejected)) == {}


def test_a_wrong_password_is_refused(broker: TestBroker, identities: list[Identity]) -> None:
    stranger = Station(broker, identities[0].lock_id, "wrong")
    assert stranger.refused is not None
    stranger.close()


def test_the_phone_opens_a_lock_that_has_no_network(
    fleet: Fleet, platform: Platform, identities: list[Identity], tmp_path: Path
) -> None:
    offline = identities[2]
    phone = Phone(tmp_path / "phone.pem")
    assert (tmp_path / "phone.pem").stat().st_mode & 0o777 == 0o600
    assert Phone(tmp_path / "phone.pem").thumbprint == phone.thumbprint
    credential = platform.credential(phone, aud=offline.lock_id, nbf=0, exp=2**40, iat=0)
    key = offline.private_key.public_key()
    address = (HOST, fleet.near.port)
    assert phone.open(offline.lock_id, credential, lock_key=key, address=address).result == "opened"
    assert Phone().open(offline.lock_id, credential, address=address).result == "refused"
    assert fleet.call(lambda: fleet.links[offline.lock_id].lock.log.seq) == 2
    (item,) = phone.open(offline.lock_id, credential, address=address, collect=2).items
    told = [read_event(text).seq for text in platform.unseal(item, offline).events]
    assert told[:3] == [1, 2, 3], "and what the door does by itself after five seconds"
    assert Phone().open(offline.lock_id, credential, address=address, collect=2).items == ()


def test_what_is_no_conversation_is_hung_up_and_others_go_on(
    fleet: Fleet, platform: Platform, identities: list[Identity]
) -> None:
    address = (HOST, fleet.near.port)
    phone, lock_id = Phone(), identities[2].lock_id
    credential = platform.credential(phone, aud=lock_id, nbf=0, exp=2**40, iat=0)
    with near_line(lock_id, address) as slow:
        for lock, message in ((lock_id, b"{}"), ("nobody", b"{}"), (lock_id, b"x" * 70_000)):
            with pytest.raises(ConnectionError), near_line(lock, address) as line:
                line.ask(message)
        m1 = codec.encode(near_messages.Hello("A" * 22))
        m2 = slow.ask(m1)
        m3 = codec.encode(phone.request(m1, m2, credential, Carried(), "unlock"))
        assert near_messages.decode_answer(slow.ask(m3)).result == "opened"
        with pytest.raises(ConnectionError):
            slow.ask(m3)


def test_the_control_shows_and_moves_the_locks(control: Control, fleet: Fleet, identities: list[Identity]) -> None:
    lock_id = identities[2].lock_id
    locks = ask(control, "/_sim/locks")[1]["locks"]
    assert [lock["lock_id"] for lock in locks] == [each.lock_id for each in identities]
    assert "private" not in json.dumps(locks) and identities[0].mqtt_password not in json.dumps(locks)
    assert ask(control, f"/_sim/locks/{lock_id}/force", {})[1]["door"] == "open"
    assert ask(control, f"/_sim/locks/{lock_id}/door", {"state": "closed"})[1]["door"] == "closed"
    assert ask(control, f"/_sim/locks/{lock_id}/jam", {"on": True})[1]["bolt"] == "jammed"
    assert ask(control, f"/_sim/locks/{lock_id}/battery", {"percent": 7})[1]["battery_percent"] == 7
    at = ask(control, f"/_sim/locks/{lock_id}")[1]["at"]
    assert ask(control, f"/_sim/locks/{lock_id}/clock-jump", {"seconds": 3_600})[1]["at"] >= at + 3_600
    assert ask(control, f"/_sim/locks/{lock_id}/power-loss", {})[1]["clock"] == "unknown"
    assert ask(control, f"/_sim/locks/{lock_id}/wipe", {})[1]["list_version"] == 0


@pytest.mark.parametrize(
    "path, body, status",
    [
        ("/_sim/locks/nobody", None, 404),
        ("/_sim/locks/{lock}/explode", {}, 404),
        ("/elsewhere", None, 404),
        ("/_sim/locks/{lock}/battery", {"percent": 101}, 422),
        ("/_sim/locks/{lock}/battery", {"percent": True}, 422),
        ("/_sim/locks/{lock}/door", {"state": "gone"}, 422),
        ("/_sim/locks/{lock}/door", ["open"], 400),
        ("/_sim/locks/{lock}/door", "x" * 5_000, 413),
    ],
)
def test_a_wrong_request_to_the_control_is_refused(
    control: Control, identities: list[Identity], path: str, body: Any, status: int
) -> None:
    assert ask(control, path.format(lock=identities[0].lock_id), body)[0] == status


def test_the_control_is_well_once_every_wanted_lock_is_connected(
    control: Control, fleet: Fleet, station: Station, identities: list[Identity]
) -> None:
    for identity in identities[:2]:
        station.await_message(identity.lock_id, topics.PRESENCE, is_birth)
    assert ask(control, "/healthz") == (200, {"status": "ok", "locks": 3, "wanted": 2, "connected": 2})


def test_a_lock_that_the_broker_knows_no_more_does_not_make_the_others_unwell(
    control: Control, fleet: Fleet, station: Station, identities: list[Identity]
) -> None:
    for identity in identities[:2]:
        station.await_message(identity.lock_id, topics.PRESENCE, is_birth)
    gone = fleet.links[identities[2].lock_id]
    gone.lock.identity = replace(identities[2], mqtt_password="an account that was taken away")
    fleet.call(lambda: setattr(gone, "wanted", True))
    until(lambda: fleet.call(lambda: gone.refused))
    assert ask(control, "/healthz") == (200, {"status": "ok", "locks": 3, "wanted": 2, "connected": 2})
