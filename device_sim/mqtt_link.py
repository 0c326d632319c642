"""A lock's MQTT connection. All of them share one selector loop: paho's own threads would not carry a thousand."""

from __future__ import annotations

import selectors
import socket
from collections.abc import Callable
from random import Random
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from backend.wire import codec, topics
from backend.wire.lock_messages import Departure
from backend.wire.topics import Channel
from device_sim.faults import LinkFaults
from device_sim.lock import Lock

KEEPALIVE_SECONDS = 30
FIRST_RETRY_SECONDS = 0.5
LONGEST_RETRY_SECONDS = 15.0


class MqttLink:
    """Holds one lock's connection while it is wanted; a new paho client for each, so nothing old is sent again."""

    def __init__(
        self,
        lock: Lock,
        broker: tuple[str, int],
        selector: selectors.BaseSelector,
        now: Callable[[], float],
        chance: Random,
    ) -> None:
        self.lock = lock
        self.wanted = True
        self.connected = False
        self.refused = False  # by the broker: a lock that was retired has no account any more
        self.up_faults = LinkFaults(chance)
        self.down_faults = LinkFaults(chance)
        self.lose_next_answer = False
        self._broker = broker
        self._selector = selector
        self._now = now
        self._chance = chance
        self._client: paho.Client | None = None
        self._watched = selectors.EVENT_READ
        self._retry_at = 0.0
        self._patience = FIRST_RETRY_SECONDS

    def step(self) -> None:
        """Do what time asks of the connection: connect, keep alive, restart, or fall silent."""
        if self.lock.restart_wanted:
            self.cut()
            self.lock.reboot()
        if self._client is not None:
            if not self.wanted:
                self.cut()
            else:
                self._client.loop_misc()  # a dead connection ends in on_disconnect
                self._deliver([])
        elif self.wanted and self._now() >= self._retry_at:
            self._connect()

    def flush(self) -> None:
        """Send what the lock has put out."""
        waiting = self.lock.session.take_outgoing()
        for channel, payload in self.up_faults.pass_on(waiting, self._now()):
            if self._client is not None and self.connected:
                topic = topics.topic_of(self.lock.identity.lock_id, channel)
                self._client.publish(topic, payload, qos=channel.qos, retain=channel.retained)
        self._write()

    def inject(self, channel: Channel, payload: bytes) -> None:
        """Fault: send what this lock never said, as a copy of it would."""
        if self._client is not None:
            self._client.publish(topics.topic_of(self.lock.identity.lock_id, channel), payload, qos=channel.qos)

    def cut(self) -> None:
        """The network is gone without a word: the broker will send the will."""
        sock = self._client.socket() if self._client is not None else None
        if self._client is not None and isinstance(sock, socket.socket):
            sock.shutdown(socket.SHUT_RDWR)
            self._client.loop_read()  # notices, closes, and calls on_disconnect

    def say_goodbye(self) -> None:
        """Leave in good order, so that no will is sent."""
        session = self.lock.session.id
        if self._client is not None and session is not None:
            topic = topics.topic_of(self.lock.identity.lock_id, topics.PRESENCE)
            self._client.publish(topic, codec.encode(Departure("goodbye", session)), qos=1, retain=True)
            self._client.disconnect()
        self.cut()  # nothing is left to cut when the goodbye could be written at once

    def _connect(self) -> None:
        identity = self.lock.identity
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=identity.lock_id,
            clean_session=True,
            protocol=MQTTProtocolVersion.MQTTv311,
            reconnect_on_failure=False,
        )
        client.username_pw_set(identity.lock_id, identity.mqtt_password)
        will = codec.encode(Departure("offline", self.lock.session.begin()))
        client.will_set(topics.topic_of(identity.lock_id, topics.PRESENCE), will, qos=1, retain=True)
        client.connect_timeout = 2.0
        client.on_connect = self._on_connect
        client.on_message = self._on_message
        client.on_disconnect = self._on_disconnect
        client.on_socket_open = self._on_socket_open
        client.on_socket_close = self._on_socket_close
        self._client = client
        try:
            client.connect(*self._broker, keepalive=KEEPALIVE_SECONDS)
        except OSError:
            self._lost()

    def _lost(self) -> None:
        self._client = None
        if self.connected:
            self._patience = FIRST_RETRY_SECONDS
        self.connected = False
        self.up_faults.forget()
        self.down_faults.forget()
        self.lock.session.on_disconnected()
        self._retry_at = self._now() + self._patience * (0.5 + self._chance.random())
        self._patience = min(self._patience * 2, LONGEST_RETRY_SECONDS)

    def _on_connect(self, client: paho.Client, _userdata: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        self.refused = reason.is_failure
        if reason.is_failure:
            return  # paho closes the socket next
        self.connected = True
        client.subscribe(topics.downlink_filter(self.lock.identity.lock_id), qos=1)
        self.lock.session.on_connected()

    def _on_message(self, _client: paho.Client, _userdata: Any, message: paho.MQTTMessage) -> None:
        try:
            address = topics.parse_topic(message.topic)
        except topics.TopicRejected as rejected:
            self.lock.rejected[rejected.reason] += 1
            return
        self._deliver([(address.channel, bytes(message.payload))])

    def _deliver(self, messages: list[tuple[Channel, bytes]]) -> None:
        """Bring messages to the lock, with what a bad network held back before."""
        session = self.lock.session
        for channel, payload in self.down_faults.pass_on(messages, self._now()):
            if channel is topics.COMMAND and self.lose_next_answer:
                self.lose_next_answer = False
                said_before = session.take_outgoing()
                session.on_message(channel, payload)
                session.take_outgoing()  # the result and the event's first sending: lost
                for each in said_before:
                    session.send(*each)
            else:
                session.on_message(channel, payload)

    def _on_disconnect(self, *_arguments: Any) -> None:
        self._lost()

    def _on_socket_open(self, client: paho.Client, _userdata: Any, sock: Any) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # without it a command waits 40 ms for an ACK
        self._watched = selectors.EVENT_READ
        self._selector.register(sock, self._watched, self)

    def _on_socket_close(self, _client: paho.Client, _userdata: Any, sock: Any) -> None:
        self._selector.unregister(sock)

    def on_ready(self, _events: int) -> None:
        """The socket can be read or written."""
        if self._client is not None:
            self._client.loop_read()
        self.flush()

    def _write(self) -> None:
        """Write what paho holds; wait for the socket only when it is full."""
        client = self._client
        if client is not None and client.want_write():
            client.loop_write()
        sock = self._client.socket() if self._client is not None else None
        if client is not None and sock is not None:
            events = selectors.EVENT_READ | (selectors.EVENT_WRITE if client.want_write() else 0)
            if events != self._watched:
                self._watched = events
                self._selector.modify(sock, events, self)
