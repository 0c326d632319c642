"""Makes what a lock would send: births, event batches in its chain, checkpoints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from backend.wire.jwk import base64url, thumbprint
from backend.wire.lock_documents import Checkpoint, claims_of
from backend.wire.lock_messages import Birth, EventBatch, EventText, first_hash, next_hash, write_event
from backend.wire.tokens import sign
from device_sim.identities import Identity

AT = 1_790_000_000
BOOT = "0a1b2c3d"
SESSION = f"{BOOT}-1"

Told = tuple[str, Mapping[str, Any]]  # kind and further members of an event


def make_birth(lock_id: str, **changes: Any) -> Birth:
    """A birth of a lock that has never held anything."""
    values: dict[str, Any] = {
        "state": "online",
        "session": SESSION,
        "boot": BOOT,
        "firmware": "sim-1.0",
        "at": AT,
        "clock": "ok",
        "uncertainty_s": 2,
        "epoch": 0,
        "list_version": 0,
        "revocation_version": 0,
        "config_version": 0,
        "last_seq": 0,
        "head": base64url(first_hash(lock_id)),
    }
    return Birth(**{**values, **changes})


def make_texts(told: Sequence[Told], first: int = 1, at: int = AT) -> tuple[str, ...]:
    """Event texts numbered from `first`."""
    events = (
        EventText(seq, at + seq, "ok", BOOT, kind, **members) for seq, (kind, members) in enumerate(told, first)
    )
    return tuple(write_event(event) for event in events)


def head_after(lock_id: str, texts: Sequence[str]) -> bytes:
    """The chain hash after these texts, from the beginning of the lock's chain."""
    head = first_hash(lock_id)
    for text in texts:
        head = next_hash(head, text)
    return head


def make_batch(
    identity: Identity, told: Sequence[Told], *, after: Sequence[str] = (), late: bool = False, signed: bool = False
) -> EventBatch:
    """A batch that continues the chain of the texts `after`; `signed` adds the lock's checkpoint over its end."""
    texts = make_texts(told, len(after) + 1)
    previous = base64url(head_after(identity.lock_id, after))
    whole = (*after, *texts)
    tokens = (checkpoint(identity, len(whole), head_after(identity.lock_id, whole)),) if signed else ()
    return EventBatch(1, previous, texts, tokens, late)


def checkpoint(identity: Identity, seq: int, head: bytes, **changes: Any) -> str:
    """The lock's signed word on its head."""
    claims = claims_of(Checkpoint(identity.lock_id, AT, seq, base64url(head), BOOT))
    return sign("lockchk", {**claims, **changes}, identity.private_key, thumbprint(identity.private_key.public_key()))
