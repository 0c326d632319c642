"""Events of a lock without network, sealed for the platform: any phone may carry them and none can read them.

    key  = agreements.agree("anju/events/v1", …), never the keypad's secret
    item = base64url(nonce ‖ AES-256-GCM(key, nonce, batch, additional data = "anju/events/v1" NUL lock id))

The nonce is 12 random bytes, the batch an EventBatch as backend.wire.lock_messages spells it, with the lock's fresh
checkpoint over its last event. An item that was changed, or is another lock's, does not open. Its length tells how many
events are in it, as the sequence in the receipt of an opening does; of whom and what they tell nothing is seen.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from backend.wire import codec
from backend.wire.agreements import agree
from backend.wire.codec import MessageRejected
from backend.wire.jwk import base64url, from_base64url
from backend.wire.lock_messages import EventBatch

PURPOSE = "anju/events/v1"
NONCE_BYTES = 12
LONGEST_ITEM = 16_384  # characters: what fits the near link's longest answer
_LARGEST_BATCH = LONGEST_ITEM * 3 // 4 - NONCE_BYTES - 16  # the tag's 16
_ROOM_FOR_TEXTS = _LARGEST_BATCH - 1_280  # the rest of a batch: a checkpoint of 1,024 at most, and its other members


def derive_secret(own: EllipticCurvePrivateKey, other: Mapping[str, Any], lock_id: str) -> bytes:
    """The key that seals a lock's events, on either side. Raises ValueError as `agree`."""
    return agree(PURPOSE, own, other, lock_id)


def fitting(texts: Sequence[str]) -> tuple[str, ...]:
    """As many of these event texts, from the first, as one item has room for; one always."""
    room = _ROOM_FOR_TEXTS
    for place, text in enumerate(texts):
        room -= len(json.dumps(text, ensure_ascii=False).encode()) + 1
        if room < 0:
            return tuple(texts[: max(1, place)])
    return tuple(texts)


def seal(secret: bytes, lock_id: str, nonce: bytes, batch: EventBatch) -> str:
    """Seal a batch under a nonce that is used once. Raises MessageRejected when it is too large."""
    spelled = codec.encode(batch)
    if len(spelled) > _LARGEST_BATCH:
        raise MessageRejected("too_large")
    return base64url(nonce + AESGCM(secret).encrypt(nonce, spelled, _bound_to(lock_id)))


def unseal(secret: bytes, lock_id: str, item: str) -> EventBatch:
    """Open an item of this lock. Raises MessageRejected: `not_sealed`, `bad_seal`, or what is wrong with the batch."""
    try:
        raw = from_base64url(item)
    except ValueError:
        raise MessageRejected("not_sealed") from None
    nonce, sealed = raw[:NONCE_BYTES], raw[NONCE_BYTES:]
    if len(item) > LONGEST_ITEM or len(nonce) < NONCE_BYTES:
        raise MessageRejected("not_sealed")
    try:
        spelled = AESGCM(secret).decrypt(nonce, sealed, _bound_to(lock_id))
    except InvalidTag:
        raise MessageRejected("bad_seal") from None
    return codec.decode(EventBatch, spelled, _LARGEST_BATCH)


def _bound_to(lock_id: str) -> bytes:
    return f"{PURPOSE}\x00{lock_id}".encode()
