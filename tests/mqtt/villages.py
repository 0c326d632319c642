"""Locks and bridge joined in memory: every message travels as bytes, through a network as bad as the test wants."""

from __future__ import annotations

import queue
from dataclasses import dataclass, field
from itertools import count
from random import Random
from typing import Any

from flask import Flask

from backend.bootstrap import world_of
from backend.mqtt.bridge import Bridge
from backend.mqtt.handlers import Handlers
from backend.mqtt.link import Delivery
from backend.mqtt.sender import Sender
from backend.wire import topics
from backend.wire.topics import Channel
from device_sim.clock import LockClock
from device_sim.faults import LinkFaults
from device_sim.flash import MemoryFlash
from device_sim.identities import Identity
from device_sim.lock import Lock


@dataclass
class MemoryLink:
    """Stands where BrokerLink stands: remembers what was published and acknowledged."""

    inbox: queue.SimpleQueue[Delivery] = field(default_factory=queue.SimpleQueue)
    is_connected: bool = True
    published: list[tuple[str, Channel, bytes]] = field(default_factory=list)
    acknowledged: list[int] = field(default_factory=list)
    _mids: Any = field(default_factory=lambda: count(1))

    def publish(self, lock_id: str, channel: Channel, payload: bytes) -> bool:
        if self.is_connected:
            self.published.append((lock_id, channel, payload))
        return self.is_connected

    def acknowledge(self, delivery: Delivery) -> None:
        self.acknowledged.append(delivery.mid)

    def arrive(self, topic: str, payload: bytes, *, retained: bool = False) -> int:
        """A message arrives from the broker; answers its number."""
        mid = next(self._mids)
        self.inbox.put(Delivery(topic, payload, 1, mid, 1, retained))
        return mid


class Village:
    """A bridge and its sender with locks around them; `settle` lets messages run until nothing moves any more."""

    def __init__(
        self, app: Flask, identities: list[Identity], clock: Any, seed: int = 1, *, agreed: bool = False
    ) -> None:
        """`agreed`: the locks know the platform's agreement key from the factory, and need no network to learn it."""
        world = world_of(app)
        pad = world.key_ring.keypad_public_jwk() if agreed else None
        self.link = MemoryLink()
        self.bridge = Bridge(app, self.link, Handlers(world, self.link.publish))  # type: ignore[arg-type]
        self.sender = Sender(app, world, self.link)  # type: ignore[arg-type]
        self.clock = clock
        self.up, self.down = LinkFaults(Random(seed)), LinkFaults(Random(seed + 1))
        self.locks: dict[str, Lock] = {}
        for number, identity in enumerate(identities):
            lock_clock = LockClock(lambda: clock.now().timestamp())
            keys = world.tokens.public_keys()
            entropy = Random(seed * 1_000 + number).randbytes
            self.locks[identity.lock_id] = Lock(identity, MemoryFlash(), lock_clock, keys, pad=pad, entropy=entropy)

    def connect(self, lock_id: str) -> None:
        """A lock gets its network."""
        lock = self.locks[lock_id]
        lock.session.begin()
        lock.session.on_connected()

    def disconnect(self, lock_id: str) -> None:
        """A lock loses its network; the broker sends its will."""
        from backend.wire.codec import encode
        from backend.wire.lock_messages import Departure

        session = self.locks[lock_id].session
        if session.id is not None:
            will = encode(Departure("offline", session.id))
            session.on_disconnected()
            self.link.arrive(topics.topic_of(lock_id, topics.PRESENCE), will, retained=True)

    def settle(self) -> None:
        """Carry messages both ways until none is left."""
        while self._step():
            pass

    def _step(self) -> bool:
        moved = False
        for lock_id, lock in self.locks.items():
            for channel, payload in self.up.pass_on(lock.session.take_outgoing()):
                self.link.arrive(topics.topic_of(lock_id, channel), payload)
                moved = True
        while not self.link.inbox.empty():
            self.bridge.step(0)
        self.bridge._store_held()
        if self.link.is_connected:
            moved |= self.sender.send_due() > 0
        published, self.link.published = self.link.published, []
        for lock_id, channel, payload in published:
            for each, raw in self.down.pass_on([(channel, payload)]):
                session = self.locks[lock_id].session
                if session.id is not None:
                    session.on_message(each, raw)
                    moved = True
        return moved
