"""Messages between platform and lock over MQTT, one dataclass each; topics and limits stand in backend.wire.topics.

Times are whole seconds since 1970 UTC by the sender's clock; hashes are SHA-256 in base64url (43 characters). No name,
number or PIN ever stands in a message: key ids only.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from backend.wire import codec, topics
from backend.wire.codec import MessageRejected, encode, flag, maybe, one_of, parts, text, texts, whole

__all__ = ["MessageRejected", "decode_message", "encode"]

HASH = r"[A-Za-z0-9_-]{43}"
WORD = r"[a-z][a-z0-9_.]*"
QUALITIES = ("ok", "drifting", "unknown")
MOST_EVENTS = 64  # in one message; also the distance between two checkpoints
LONGEST_EVENT = 1_024
_LAST = 2**63 - 1
_LONGEST_TOKEN = 65_536


@dataclass(frozen=True)
class Signed:
    """A signed document by itself: dn/cmd, dn/keys, dn/cfg, dn/time."""

    token: str = text(_LONGEST_TOKEN, r"[A-Za-z0-9_.-]+")


@dataclass(frozen=True)
class Acknowledge:
    """dn/ack: the platform has durably stored every event up to `seq`, whose chain hash is `head`.

    `session` names the birth this answers; without it the message is a plain acknowledgement.
    """

    seq: int = whole(0, _LAST)
    head: str = text(43, HASH)
    session: str | None = maybe(text(64))


@dataclass(frozen=True)
class Birth:
    """up/conn: the lock is online. `session` is boot id, a hyphen, and a number that rises within the boot."""

    state: str = one_of("online")
    session: str = text(64, r"[0-9a-f]{8}-[0-9]{1,10}")
    boot: str = text(8, r"[0-9a-f]{8}")
    firmware: str = text(32)
    at: int = whole(0, _LAST)
    clock: str = one_of(*QUALITIES)
    uncertainty_s: int = whole(0, _LAST)
    epoch: int = whole(0, _LAST)
    list_version: int = whole(0, _LAST)
    revocation_version: int = whole(0, _LAST)
    config_version: int = whole(0, _LAST)
    last_seq: int = whole(0, _LAST)
    head: str = text(43, HASH)


@dataclass(frozen=True)
class Departure:
    """up/conn: the lock is gone (`offline`, its will), said goodbye, or sleeps; `session` tells which birth ended."""

    state: str = one_of("offline", "goodbye", "sleeping")
    session: str = text(64, r"[0-9a-f]{8}-[0-9]{1,10}")


@dataclass(frozen=True)
class CommandResult:
    """up/res: what became of a command. `seq` is the event that records it, when there is one."""

    command: str = text(64)
    state: str = one_of("accepted", "executed", "refused")
    boot: str = text(8, r"[0-9a-f]{8}")
    at: int = whole(0, _LAST)
    reason: str | None = maybe(text(40, WORD))
    seq: int | None = maybe(whole(1, _LAST))


@dataclass(frozen=True)
class KeyReject:
    """One key of a list that the lock could not take, and why."""

    key: str = text(64)
    reason: str = text(40, WORD)


@dataclass(frozen=True)
class ReportedKeys:
    """up/keys: what the lock holds. `list_hash` is lock_documents.content_hash, absent before the first one.

    `refused` says why the last list that came was not applied.
    """

    version: int = whole(0, _LAST)
    epoch: int = whole(0, _LAST)
    revocation_version: int = whole(0, _LAST)
    rejects: tuple[KeyReject, ...] = parts(KeyReject, 256)
    list_hash: str | None = maybe(text(43, HASH))
    refused: str | None = maybe(text(40, WORD))


@dataclass(frozen=True)
class EventBatch:
    """up/evt: consecutive events as exact texts, with signed checkpoints that follow them.

    `previous` is the chain hash before the first text, `oldest` the sequence of the oldest event the lock still keeps;
    `late` marks events from before the present session.
    """

    oldest: int = whole(1, _LAST)
    previous: str = text(43, HASH)
    events: tuple[str, ...] = texts(MOST_EVENTS, LONGEST_EVENT)
    checkpoints: tuple[str, ...] = texts(4, 1_024)
    late: bool = flag()


@dataclass(frozen=True)
class Telemetry:
    """up/tel: health, never comings and goings."""

    at: int = whole(0, _LAST)
    clock: str = one_of(*QUALITIES)
    uncertainty_s: int = whole(0, _LAST)
    battery_percent: int = whole(0, 100)
    signal_dbm: int = whole(-120, 0)
    temperature_c: int = whole(-60, 120)
    bolt: str = one_of("locked", "unlocked", "jammed")


@dataclass(frozen=True)
class TimeRequest:
    """up/time: please sign the time over this nonce (base64url of 16 bytes)."""

    nonce: str = text(22, r"[A-Za-z0-9_-]{22}")


@dataclass(frozen=True)
class EventText:
    """One event of a lock's log; its spelling, byte for byte, is what the chain covers."""

    seq: int = whole(1, _LAST)
    at: int = whole(0, _LAST)
    clock: str = one_of(*QUALITIES)
    boot: str = text(8, r"[0-9a-f]{8}")
    kind: str = text(40, WORD)
    key: str | None = maybe(text(64))
    command: str | None = maybe(text(64))
    via: str | None = maybe(one_of("mqtt", "near", "keypad", "card", "mechanical", "inside", "timer"))
    reason: str | None = maybe(text(40, WORD))


@dataclass(frozen=True)
class EventHole:
    """The place of an event whose text a full buffer gave up; its chain hash stays, so the chain still verifies."""

    seq: int = whole(1, _LAST)
    hole: str = text(43, HASH)


_UPWARD: Mapping[str, type[Any]] = {
    topics.RESULT.path: CommandResult,
    topics.REPORTED_KEYS.path: ReportedKeys,
    topics.EVENTS.path: EventBatch,
    topics.TELEMETRY.path: Telemetry,
    topics.TIME_REQUEST.path: TimeRequest,
    topics.ACKNOWLEDGE.path: Acknowledge,
}


def decode_message(channel: topics.Channel, raw: bytes) -> Any:
    """Read the message of a channel as its dataclass.

    Raises MessageRejected with the reason when it is oversized, of another version or in any way not the message.
    """
    if channel is topics.PRESENCE:
        value = codec.load_versioned(raw, channel.largest_bytes)
        return codec.from_object(Birth if value.get("state") == "online" else Departure, value)
    return codec.decode(_UPWARD.get(channel.path, Signed), raw, channel.largest_bytes)


def write_event(event: EventText | EventHole) -> str:
    """Spell an event. Raises MessageRejected when it is too long or a member breaks its rule."""
    spelled = codec.dump(codec.to_object(event))
    if len(spelled) > LONGEST_EVENT:
        raise MessageRejected("too_large")
    return spelled


def read_event(spelled: str) -> EventText | EventHole:
    """Read an event's text. Raises MessageRejected when it is not exactly one."""
    value = codec.load(spelled)
    if isinstance(value, dict) and "hole" in value:
        return codec.from_object(EventHole, value)
    return codec.from_object(EventText, value)


def first_hash(lock_id: str) -> bytes:
    """The 32 bytes a lock's event chain begins with; they bind the chain to the lock."""
    return hashlib.sha256(b"anju/chain/v1\x00" + lock_id.encode()).digest()


def next_hash(previous: bytes, spelled: str) -> bytes:
    """The chain hash (32 bytes) of an event: SHA-256 over a domain tag, the previous hash and the exact text."""
    return hashlib.sha256(b"anju/event/v1\x00" + previous + spelled.encode()).digest()
