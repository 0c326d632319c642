"""From topic to message: reads what came and says for which lock and channel it is, or why it is nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from backend.mqtt.link import Delivery
from backend.wire import lock_messages, topics
from backend.wire.topics import Channel


@dataclass(frozen=True)
class Routed:
    """A message that was read. `retained`: the broker kept it, so it is the last word on its topic."""

    lock_id: str
    channel: Channel
    message: Any
    retained: bool = False


@dataclass(frozen=True)
class Unread:
    """A message that was not, by its size and SHA-256; `lock_id` is None when the topic names no lock."""

    lock_id: str | None
    path: str
    reason: str
    size: int = 0
    digest: bytes = b""


def route(delivery: Delivery) -> Routed | Unread | None:
    """Read a delivery; None for an emptied retained topic, which is no message.

    Only the uplink is read: what else a broker may deliver is foreign.
    """
    try:
        address = topics.parse_topic(delivery.topic)
    except topics.TopicRejected as rejected:
        return unread(delivery, _sender_of(delivery.topic), "", rejected.reason)
    if address.channel.is_down:
        return unread(delivery, None, "", "foreign_topic")
    if delivery.payload == b"" and delivery.retained:
        return None
    try:
        message = lock_messages.decode_message(address.channel, delivery.payload)
    except lock_messages.MessageRejected as rejected:
        return unread(delivery, address.lock_id, address.channel.path, rejected.reason)
    return Routed(address.lock_id, address.channel, message, delivery.retained)


def unread(delivery: Delivery, lock_id: str | None, path: str, reason: str) -> Unread:
    """Say why a delivery is none, and name its bytes without keeping them."""
    return Unread(lock_id, path, reason, len(delivery.payload), sha256(delivery.payload).digest())


def _sender_of(topic: str) -> str | None:
    """Who has sent to a topic that is none of ours: the broker lets only a lock's own account write below its id."""
    match topic.split("/"):
        case ["anju", "v1", _, lock_id, "up", *_] if re.fullmatch(topics.LOCK_ID, lock_id):
            return lock_id
    return None
