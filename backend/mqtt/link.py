"""The connection to the broker: the only code of the core that speaks paho.

An exception in a paho callback would end its network thread without a word, so callbacks only enqueue. A message is
acknowledged by hand, after the commit that stored it: the broker lets no more than so many be on their way.

No session is kept at the broker. What it kept for a bridge that was away would be old by the time another bridge has
acted, and would grow without end for one that never returns; a broker's word is not durable anyway. What is lost with a
connection is told again: births and reported lists are retained, and events stay in the lock until we acknowledge them.
"""

from __future__ import annotations

import queue
import socket
import threading
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import paho.mqtt.client as paho
import structlog
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion

from backend.wire import topics
from backend.wire.topics import Channel

log = structlog.get_logger(__name__)

KEEPALIVE_SECONDS = 15
FASTEST_RETRY_SECONDS = 1
SLOWEST_RETRY_SECONDS = 5
IN_FLIGHT = 1_000  # the broker's own limit of messages it sends before the first acknowledgement


@dataclass(frozen=True)
class Delivery:
    """One message from a lock. `life` names the connection it came over: only that one can acknowledge it."""

    topic: str
    payload: bytes
    qos: int
    mid: int
    life: int
    retained: bool


class BrokerLink:
    """One connection at a time under the bridge's own account; `life` counts them.

    `inbox` holds what has come; `is_connected` tells whether anything can leave. It listens to no shard until it is
    told to.
    """

    def __init__(self, host: str, port: int, user: str, password: str) -> None:
        self.inbox: queue.SimpleQueue[Delivery] = queue.SimpleQueue()
        self.is_connected = False
        self.life = 0
        self._address = (host, port)
        self._account = (user, password)
        self._shards: frozenset[int] = frozenset()
        self._heard: set[int] = set()  # what this connection has listened to at any time
        self._changing = threading.Lock()
        self._client: paho.Client | None = None

    def start(self) -> None:
        """Connect, and again whenever the connection is lost, in a thread of paho's."""
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=self._account[0],
            clean_session=True,
            protocol=MQTTProtocolVersion.MQTTv311,
            manual_ack=True,
        )
        client.username_pw_set(*self._account)
        client.max_inflight_messages_set(IN_FLIGHT)
        client.reconnect_delay_set(FASTEST_RETRY_SECONDS, SLOWEST_RETRY_SECONDS)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        client.on_socket_open = _without_delay
        self._client = client
        client.connect_async(*self._address, keepalive=KEEPALIVE_SECONDS)
        client.loop_start()

    def stop(self) -> None:
        """Leave the broker."""
        client = self._client
        if client is not None:
            client.disconnect()
            client.loop_stop()
        self.is_connected = False

    def has_heard(self, shards: Collection[int]) -> bool:
        """Whether the present connection has already carried messages of any of these shards."""
        with self._changing:
            return not self._heard.isdisjoint(shards)

    def forget(self) -> None:
        """End the connection with everything that is on its way over it, and begin another one that hears nothing."""
        with self._changing:
            client, self._client = self._client, None  # from now on its callbacks say nothing
            self.is_connected, self.life = False, self.life + 1
            self._shards, self._heard = frozenset(), set()
        if client is not None:
            client.disconnect()  # its thread ends by itself; waiting for it could cost the lease
        self.start()

    def hear(self, shards: Collection[int]) -> None:
        """Listen to exactly these shards from now on; what the broker retains of new ones comes first."""
        with self._changing:
            wanted, before = frozenset(shards), self._shards
            self._shards = wanted
            if not self.is_connected or self._client is None:
                return
            if wanted - before:
                self._subscribe(self._client, wanted - before)
            if before - wanted:
                self._client.unsubscribe([topics.uplink_filter(shard) for shard in sorted(before - wanted)])

    def publish(self, lock_id: str, channel: Channel, payload: bytes) -> bool:
        """Hand a message to the broker as the topic table says; False when there is no connection to take it."""
        client = self._client
        if not self.is_connected or client is None:
            return False
        topic = topics.topic_of(lock_id, channel)
        sent = client.publish(topic, payload, qos=channel.qos, retain=channel.retained)
        return sent.rc == MQTTErrorCode.MQTT_ERR_SUCCESS

    def acknowledge(self, delivery: Delivery) -> None:
        """Tell the broker that a message is dealt with; one of an earlier connection is none of its business."""
        client = self._client
        if client is not None and delivery.qos > 0 and delivery.life == self.life:
            client.ack(delivery.mid, delivery.qos)

    def _subscribe(self, client: paho.Client, shards: Collection[int]) -> None:
        self._heard |= set(shards)
        client.subscribe([(topics.uplink_filter(shard), 1) for shard in sorted(shards)])

    def _on_connect(self, client: paho.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            log.warning("broker_refused", reason=str(reason))
            return
        with self._changing:
            if client is not self._client:
                return
            self.life += 1
            self._heard = set()
            if self._shards:
                self._subscribe(client, self._shards)
            self.is_connected = True
        log.info("broker_connected")

    def _on_disconnect(self, client: paho.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        with self._changing:
            if client is not self._client:
                return
            self.is_connected = False
            self.life += 1
        log.warning("broker_lost", reason=str(reason))

    def _on_message(self, client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        content = message.topic, bytes(message.payload), message.qos, message.mid
        with self._changing:
            if client is self._client:
                self.inbox.put(Delivery(*content, self.life, bool(message.retain)))


def _without_delay(_client: paho.Client, _data: Any, sock: Any) -> None:
    # Nagle's algorithm and delayed ACKs together make a busy connection wait 40 ms and more per command.
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
