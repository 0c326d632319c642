"""From topic to message: reads what came and says for which lock and channel it is, or why it is nothing."""

from __future__ import annotations

from dataclasses import dataclass
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
    """A message that was not: `lock_id` is None when even the topic is foreign."""

    lock_id: str | None
    path: str
    reason: str


def route(delivery: Delivery) -> Routed | Unread | None:
    """Read a delivery; None for an emptied retained topic, which is no message.

    Only the uplink is read: what else a broker may deliver is foreign.
    """
    try:
        address = topics.parse_topic(delivery.topic)
    except topics.TopicRejected as rejected:
        return Unread(None, "", rejected.reason)
    if address.channel.is_down:
        return Unread(None, "", "foreign_topic")
    if delivery.payload == b"" and delivery.retained:
        return None
    try:
        message = lock_messages.decode_message(address.channel, delivery.payload)
    except lock_messages.MessageRejected as rejected:
        return Unread(address.lock_id, address.channel.path, rejected.reason)
    return Routed(address.lock_id, address.channel, message, delivery.retained)
