"""MQTT clients as a firmware, or somebody who is none of us, could write them."""

from __future__ import annotations

import queue
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from tests.mosquitto import TestBroker

PATIENCE_SECONDS = 15.0


class PlainClient:
    """A client under one account, connected when made; `kept` asks the broker to keep its session."""

    def __init__(
        self, broker: TestBroker, user: str, password: str, *, client_id: str | None = None, kept: bool = False
    ) -> None:
        self.lost: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._arrived: queue.SimpleQueue[tuple[str, bytes, bool]] = queue.SimpleQueue()
        self._said: queue.SimpleQueue[Any] = queue.SimpleQueue()
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=user if client_id is None else client_id,
            clean_session=not kept,
            protocol=MQTTProtocolVersion.MQTTv311,
            reconnect_on_failure=False,
        )
        client.username_pw_set(user, password)
        client.on_connect = lambda _c, _d, _f, reason, _p: self._said.put(reason)
        client.on_disconnect = lambda _c, _d, _f, reason, _p: self.lost.put(str(reason))
        client.on_subscribe = lambda *_: self._said.put("subscribed")
        client.on_message = lambda _c, _d, message: self._arrived.put((message.topic, message.payload, message.retain))
        self.client = client
        client.connect(broker.host, broker.port)
        client.loop_start()
        self.is_refused = bool(self._said.get(timeout=PATIENCE_SECONDS).is_failure)

    def subscribe(self, pattern: str) -> None:
        """Subscribe, and wait until the broker has answered; what it retains may come at once."""
        self.client.subscribe(pattern, qos=1)
        while self._said.get(timeout=PATIENCE_SECONDS) != "subscribed":
            pass

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Publish where the account may, and wait until the broker has confirmed it."""
        sent = self.client.publish(topic, payload, qos=1, retain=retain)
        sent.wait_for_publish(PATIENCE_SECONDS)
        assert sent.is_published()

    def take(self, seconds: float = PATIENCE_SECONDS) -> tuple[str, bytes, bool] | None:
        """The next message as topic, payload, retained; None when none comes."""
        try:
            return self._arrived.get(timeout=seconds)
        except queue.Empty:
            return None

    def arrived(self) -> list[tuple[str, bytes, bool]]:
        """Everything that has come, without waiting."""
        found = []
        while not self._arrived.empty():
            found.append(self._arrived.get())
        return found

    def close(self) -> None:
        """Leave in good order."""
        self.client.disconnect()
        self.client.loop_stop()
