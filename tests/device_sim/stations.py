"""A plain MQTT client for tests: remembers what it hears and lets a test wait for it; and the simulator's control."""

from __future__ import annotations

import json
import queue
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from backend.wire import codec, lock_documents, lock_messages, topics
from backend.wire.jwk import base64url
from backend.wire.topics import Channel
from device_sim.control import Control
from device_sim.fleet import Fleet
from tests.device_sim.makers import KEY, Platform
from tests.mosquitto import TestBroker

PATIENCE_SECONDS = 15.0


class Station:
    """Connected when made; `heard` are all messages so far as (lock id, channel, message)."""

    def __init__(self, broker: TestBroker, user: str, password: str, *, listen: str | None = None) -> None:
        self.heard: list[tuple[str, Channel, Any]] = []
        self.refused: str | None = None
        self._arrived: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._ready: queue.SimpleQueue[bool] = queue.SimpleQueue()
        client = paho.Client(CallbackAPIVersion.VERSION2, client_id="", protocol=MQTTProtocolVersion.MQTTv311)
        client.username_pw_set(user, password)
        client.on_connect = self._on_connect
        client.on_subscribe = lambda *_: self._ready.put(True)
        client.on_message = lambda _c, _d, message: self._arrived.put((message.topic, message.payload))
        self._filter = topics.uplink_filter() if listen is None else listen
        self.client = client
        client.connect(broker.host, broker.port)
        client.loop_start()
        self._ready.get(timeout=PATIENCE_SECONDS)

    def _on_connect(self, client: paho.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            self.refused = str(reason)
            self._ready.put(False)
        else:
            client.subscribe(self._filter, qos=1)

    def await_message(self, lock_id: str, channel: Channel, when: Callable[[Any], bool] = lambda _: True) -> Any:
        """The first message, from now on, of this lock and channel for which `when` holds; fails after 15 s."""
        while True:
            topic, payload = self._arrived.get(timeout=PATIENCE_SECONDS)
            address = topics.parse_topic(topic)
            message = lock_messages.decode_message(address.channel, payload)
            self.heard.append((address.lock_id, address.channel, message))
            if (address.lock_id, address.channel) == (lock_id, channel) and when(message):
                return message

    def send(self, lock_id: str, channel: Channel, message: Any) -> paho.MQTTMessageInfo:
        """Send a message on a lock's channel."""
        topic = topics.topic_of(lock_id, channel)
        return self.client.publish(topic, codec.encode(message), qos=channel.qos, retain=channel.retained)

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


def ask(control: Control, path: str, body: Any = None) -> tuple[int, dict[str, Any]]:
    data = None if body is None else json.dumps(body).encode()
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{control.port}{path}", data, timeout=10) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def await_lock(control: Control, lock_id: str, when: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The lock as the control shows it, once `when` holds; fails after 15 s."""
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        shown = ask(control, f"/_sim/locks/{lock_id}")[1]
        if when(shown):
            return shown
    raise AssertionError(shown)


def is_birth(message: Any) -> bool:
    return isinstance(message, lock_messages.Birth)


def answer_birth(station: Station, lock_id: str, birth: lock_messages.Birth) -> None:
    head = base64url(lock_messages.first_hash(lock_id))
    station.send(lock_id, topics.ACKNOWLEDGE, lock_messages.Acknowledge(0, head, birth.session))


def sign_order(
    fleet: Fleet, platform: Platform, lock_id: str, command: str, counter: int, action: str = "unlock"
) -> lock_messages.Signed:
    lock = fleet.links[lock_id].lock
    now = fleet.call(lock.clock.now)
    order = lock_documents.Order("anju", lock_id, now, now + 10, command, action, lock.boot, counter, KEY, 1)
    return lock_messages.Signed(platform.sign("lockcmd", order))


def send_list(station: Station, platform: Platform, lock_id: str) -> None:
    entry = lock_documents.KeyEntry(KEY, 0, ("unlock", "lock"))
    document = lock_documents.KeyList("anju", lock_id, 1, 1, 1, (entry,), ())
    station.send(lock_id, topics.KEY_LIST, lock_messages.Signed(platform.sign("keylist", document)))
