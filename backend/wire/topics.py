"""The table of MQTT topics: every channel between platform and lock, with its quality of service and its limits.

    anju/v1/{shard}/{lock}/{dn|up}/{leaf}      shard = crc32(lock id) mod 16, part of the lock's provisioning

`dn` goes down to the lock, `up` comes up from it. A lock may touch its own subtree only; bridges own shards.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass

ROOT = "anju/v1"
SHARDS = 16
LOCK_ID = r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}"  # also client id and user name; no wildcard, no slash

_TOPIC = re.compile(rf"{ROOT}/(?P<shard>[0-9]{{1,2}})/(?P<lock>{LOCK_ID})/(?P<channel>(?:dn|up)/[a-z]+)")


class TopicRejected(Exception):
    """A topic is not one of ours; `reason` says which rule it breaks."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Channel:
    """One row of the table. `max_age_seconds`: a message older than this is worthless and is not acted upon."""

    path: str
    qos: int
    retained: bool
    largest_bytes: int
    max_age_seconds: int | None = None

    @property
    def is_down(self) -> bool:
        """Whether it goes from the platform to the lock."""
        return self.path.startswith("dn/")


COMMAND = Channel("dn/cmd", qos=1, retained=False, largest_bytes=4_096, max_age_seconds=15)
KEY_LIST = Channel("dn/keys", qos=1, retained=True, largest_bytes=65_600)
CONFIG = Channel("dn/cfg", qos=1, retained=True, largest_bytes=16_384)
ACKNOWLEDGE = Channel("dn/ack", qos=1, retained=True, largest_bytes=512)
TIME = Channel("dn/time", qos=0, retained=False, largest_bytes=2_048, max_age_seconds=30)
PRESENCE = Channel("up/conn", qos=1, retained=True, largest_bytes=1_024)
RESULT = Channel("up/res", qos=1, retained=False, largest_bytes=1_024)
REPORTED_KEYS = Channel("up/keys", qos=1, retained=True, largest_bytes=32_768)
EVENTS = Channel("up/evt", qos=1, retained=False, largest_bytes=131_072)
TELEMETRY = Channel("up/tel", qos=0, retained=False, largest_bytes=1_024)
TIME_REQUEST = Channel("up/time", qos=0, retained=False, largest_bytes=512)

CHANNELS = {
    channel.path: channel
    for channel in (
        COMMAND,
        KEY_LIST,
        CONFIG,
        ACKNOWLEDGE,
        TIME,
        PRESENCE,
        RESULT,
        REPORTED_KEYS,
        EVENTS,
        TELEMETRY,
        TIME_REQUEST,
    )
}


@dataclass(frozen=True)
class Address:
    """What a topic says: which lock, which channel."""

    lock_id: str
    channel: Channel


def shard_of(lock_id: str) -> int:
    """The shard of a lock, 0 to 15: CRC-32 (ISO-HDLC) of its id's UTF-8 bytes, modulo 16."""
    return zlib.crc32(lock_id.encode()) % SHARDS


def topic_of(lock_id: str, channel: Channel) -> str:
    """Build the topic of a lock's channel. Raises ValueError when the id could not be a lock's."""
    if re.fullmatch(LOCK_ID, lock_id) is None:
        raise ValueError("not a lock id")
    return f"{ROOT}/{shard_of(lock_id)}/{lock_id}/{channel.path}"


def parse_topic(topic: str) -> Address:
    """Read a topic. Raises TopicRejected for another tree, an unknown channel, or a lock outside its own shard."""
    found = _TOPIC.fullmatch(topic)
    if found is None:
        raise TopicRejected("foreign_topic")
    channel = CHANNELS.get(found["channel"])
    if channel is None:
        raise TopicRejected("unknown_channel")
    if found["shard"] != str(shard_of(found["lock"])):
        raise TopicRejected("wrong_shard")
    return Address(found["lock"], channel)


def downlink_filter(lock_id: str) -> str:
    """The one subscription of a lock: everything that goes down to it."""
    return f"{ROOT}/{shard_of(lock_id)}/{lock_id}/dn/+"


def uplink_filter(shard: int | None = None) -> str:
    """The subscription of a bridge: everything that comes up, of one shard or (None) of all."""
    return f"{ROOT}/{'+' if shard is None else shard}/+/up/+"
