"""Event messages of many locks, made before anything is timed: chained and signed, as after a village's outage.

Each lock's life is told again and again: a resident comes home (by phone side by side, by keypad, now and then over
the network), the door opens and closes, the bolt goes back by its timer. One checkpoint covers 64 events.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from backend.domain.ids import new_id
from backend.wire.jwk import base64url, thumbprint
from backend.wire.lock_documents import Checkpoint, claims_of
from backend.wire.lock_messages import MOST_EVENTS, EventBatch, encode, first_hash, next_hash
from backend.wire.tokens import sign
from device_sim.identities import Identity

BOOT = "0a1b2c3d"
FIRST_AT = 1_790_000_000
EVERY_NTH_BY_COMMAND = 5  # of the openings: most of what is sent late was opened without network


@dataclass(frozen=True)
class Message:
    """One message to publish. `last_seq` is the lock's sequence after it, `commands` the command ids it tells of."""

    lock_id: str
    payload: bytes
    events: int
    last_seq: int
    commands: tuple[str, ...]


def make_feed(identities: Sequence[Identity], messages_each: int, events_each: int = MOST_EVENTS) -> list[Message]:
    """`messages_each` consecutive messages of `events_each` events of every lock, in turn lock by lock."""
    streams = [_stream(identity, events_each) for identity in identities]
    return [next(stream) for _ in range(messages_each) for stream in streams]


def _stream(identity: Identity, events_each: int) -> Iterator[Message]:
    kid = thumbprint(identity.private_key.public_key())
    told = _life(new_id())
    seq, head = 0, first_hash(identity.lock_id)
    while True:
        oldest, previous = seq + 1, base64url(head)
        texts, commands = [], []
        for _ in range(events_each):
            seq += 1
            members = next(told)
            event = {"seq": seq, "at": FIRST_AT + 7 * seq, "clock": "ok", "boot": BOOT, **members}
            texts.append(json.dumps(event, separators=(",", ":")))
            head = next_hash(head, texts[-1])
            commands += [members["command"]] if "command" in members else []
        point = Checkpoint(identity.lock_id, FIRST_AT + 7 * seq, seq, base64url(head), BOOT)
        tokens = (sign("lockchk", claims_of(point), identity.private_key, kid),) if seq % MOST_EVENTS == 0 else ()
        batch = EventBatch(oldest, previous, tuple(texts), tokens, True)
        yield Message(identity.lock_id, encode(batch), events_each, seq, tuple(commands))


def _life(key_id: str) -> Iterator[dict[str, Any]]:
    number = 0
    while True:
        number += 1
        if number % EVERY_NTH_BY_COMMAND == 0:
            yield {"kind": "lock.unlocked", "key": key_id, "command": new_id(), "via": "mqtt"}
        else:
            yield {"kind": "lock.unlocked", "key": key_id, "via": "near" if number % 2 else "keypad"}
        yield {"kind": "door.opened"}
        yield {"kind": "door.closed"}
        yield {"kind": "lock.locked", "via": "timer"}
