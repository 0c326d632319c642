"""The bridge's connection on a real broker: what it listens to, what it forgets, and that nothing waits for an ACK."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from backend.broker import BRIDGE_USER
from backend.mqtt.link import BrokerLink, Delivery
from backend.wire import topics
from backend.wire.topics import shard_of
from device_sim.fleet import Fleet
from tests.mosquitto import TestBroker
from tests.mqtt.plain_clients import PlainClient
from tests.mqtt.stage import until
from tests.services.stories import Story

LOCKS = {shard_of(name): name for name in (f"lock-{number}" for number in range(200))}  # one of each shard


@pytest.fixture
def speakers(broker: TestBroker) -> Iterator[dict[int, PlainClient]]:
    """Locks of shards 0 and 1 as plain clients, on a broker that retains nothing yet."""
    for shard in (0, 1):
        broker.add_lock(LOCKS[shard], "secret")
    broker.restart(wipe=True)
    speakers = {shard: PlainClient(broker, LOCKS[shard], "secret") for shard in (0, 1)}
    yield speakers
    for speaker in speakers.values():
        speaker.close()


@pytest.fixture
def link(speakers: dict[int, PlainClient], broker: TestBroker) -> Iterator[BrokerLink]:
    link = BrokerLink(broker.host, broker.port, BRIDGE_USER, broker.password)
    link.start()
    until(lambda: link.is_connected)
    yield link
    link.stop()


def say(speakers: dict[int, PlainClient], shard: int, text: bytes, *, retain: bool = False) -> None:
    speakers[shard].publish(topics.topic_of(LOCKS[shard], topics.PRESENCE), text, retain=retain)


def take(link: BrokerLink) -> Delivery:
    delivery = link.inbox.get(timeout=15)
    link.acknowledge(delivery)
    return delivery


def test_it_hears_the_shards_it_was_told_to_and_no_other(link: BrokerLink, speakers: dict[int, PlainClient]) -> None:
    say(speakers, 0, b"kept for later", retain=True)
    link.hear({0})
    first = take(link)
    assert (first.payload, first.retained) == (b"kept for later", True), "a new shard begins with what is retained"
    say(speakers, 1, b"not for us")
    say(speakers, 0, b"for us")
    assert take(link).payload == b"for us"
    link.hear({1})
    assert link.has_heard({0, 9}) and link.has_heard({1}) and not link.has_heard({2})
    say(speakers, 1, b"a mark: the change has been made", retain=True)
    assert take(link).payload == b"a mark: the change has been made"
    say(speakers, 0, b"no longer for us")
    say(speakers, 1, b"still for us")
    assert take(link).payload == b"still for us"


def test_what_was_not_acknowledged_is_forgotten_with_its_connection(
    link: BrokerLink, speakers: dict[int, PlainClient]
) -> None:
    link.hear({0})
    say(speakers, 0, b"a mark: it listens", retain=True)
    old = link.inbox.get(timeout=15)
    link.forget()
    assert link.life > old.life and not link.has_heard({0})
    link.acknowledge(old)  # none of the new connection's business
    until(lambda: link.is_connected)
    say(speakers, 0, b"said while it heard nothing")
    link.hear({0})
    fresh = take(link)
    assert (fresh.payload, fresh.retained) == (b"a mark: it listens", True)
    say(speakers, 0, b"news")
    assert take(link).payload == b"news"
    assert fresh.life > old.life


def test_it_listens_again_to_the_same_when_the_broker_comes_back(
    link: BrokerLink, speakers: dict[int, PlainClient], broker: TestBroker
) -> None:
    link.hear({0, 1})
    life = link.life
    broker.restart(wipe=True)
    until(lambda: link.is_connected and link.life > life)
    speaker = PlainClient(broker, LOCKS[1], "secret")
    speaker.publish(topics.topic_of(LOCKS[1], topics.PRESENCE), b"back", retain=True)
    assert take(link).payload == b"back"
    speaker.close()


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_neither_side_waits_for_an_acknowledgement_of_tcp(
    link: BrokerLink, fleet: Fleet, live_story: Story, broker: TestBroker
) -> None:
    until(lambda: fleet.counts()["connected"] == len(fleet.links) and link.is_connected)
    sockets = [link._client.socket() if link._client else None]
    sockets += [each._client.socket() if each._client else None for each in fleet.links.values()]
    for each in sockets:
        assert isinstance(each, socket.socket)
        assert each.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0
