"""The connection to the broker: the only code of the core that speaks paho.

An exception in a paho callback would end its network thread without a word, so callbacks only enqueue. A message is
acknowledged by hand, after the commit that stored it; until then the broker keeps it and sends it again.
"""

from __future__ import annotations

import queue
import socket
from dataclasses import dataclass
from typing import Any

import paho.mqtt.client as paho
import structlog
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion

from backend.wire import topics
from backend.wire.topics import Channel

log = structlog.get_logger(__name__)

USER = "anju-bridge"
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
    """One kept session with the broker: what comes while the bridge is away waits there.

    `inbox` holds what has come; `is_connected` tells whether anything can leave.
    """

    def __init__(self, host: str, port: int, password: str) -> None:
        self.inbox: queue.SimpleQueue[Delivery] = queue.SimpleQueue()
        self.is_connected = False
        self._address = (host, port)
        self._life = 0
        self._client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=USER,
            clean_session=False,
            protocol=MQTTProtocolVersion.MQTTv311,
            manual_ack=True,
        )
        self._client.username_pw_set(USER, password)
        self._client.max_inflight_messages_set(IN_FLIGHT)
        self._client.reconnect_delay_set(FASTEST_RETRY_SECONDS, SLOWEST_RETRY_SECONDS)
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_message = self._on_message
        self._client.on_socket_open = _without_delay

    def start(self) -> None:
        """Connect, and again whenever the connection is lost, in a thread of paho's."""
        self._client.connect_async(*self._address, keepalive=KEEPALIVE_SECONDS)
        self._client.loop_start()

    def stop(self) -> None:
        """Leave the broker; the session stays there."""
        self._client.disconnect()
        self._client.loop_stop()
        self.is_connected = False

    def publish(self, lock_id: str, channel: Channel, payload: bytes) -> bool:
        """Hand a message to the broker as the topic table says; False when there is no connection to take it."""
        if not self.is_connected:
            return False
        topic = topics.topic_of(lock_id, channel)
        sent = self._client.publish(topic, payload, qos=channel.qos, retain=channel.retained)
        return sent.rc == MQTTErrorCode.MQTT_ERR_SUCCESS

    def acknowledge(self, delivery: Delivery) -> None:
        """Tell the broker that a message is stored; one of an earlier connection will simply come again."""
        if delivery.qos > 0 and delivery.life == self._life:
            self._client.ack(delivery.mid, delivery.qos)

    def _on_connect(self, client: paho.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            log.warning("broker_refused", reason=str(reason))
            return
        self._life += 1
        client.subscribe(topics.uplink_filter(), qos=1)
        self.is_connected = True
        log.info("broker_connected")

    def _on_disconnect(self, _client: paho.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        self.is_connected = False
        self._life += 1
        log.warning("broker_lost", reason=str(reason))

    def _on_message(self, _client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        self.inbox.put(
            Delivery(
                message.topic, bytes(message.payload), message.qos, message.mid, self._life, bool(message.retain)
            )
        )


def _without_delay(_client: paho.Client, _data: Any, sock: Any) -> None:
    # Nagle's algorithm and delayed ACKs together make a busy connection wait 40 ms and more per command.
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
