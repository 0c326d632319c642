"""Keypad codes: eight digits that platform and lock derive each for itself, so that nothing of them ever travels.

    secret = agreements.agree("anju/keypad/v1", …) between the lock's agreement key and the platform's
    code   = the first 8 bytes of HMAC-SHA256(secret, tag ‖ kind | key id | epoch | from | until), modulo 10^8

Kinds: `day` is good on one calendar day of China, `period` for the whole life of a key that ends, `once` a single time
on one such day: `from` is its number of that day, 1 to 10, `until` the day's end. A used number kills those before it;
what was given out and never typed dies with its day and takes none of the next day's.
A code dies with the occupancy epoch and with its key. Never on MQTT, never in a log.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from backend.wire.agreements import agree

DIGITS = 8
DAY_SECONDS = 86_400
CHINA_OFFSET_SECONDS = 8 * 3_600  # one zone, no daylight saving
MOST_ONCE_A_DAY = 10  # of a key: guests enough for a day, and few enough not to make guessing easier

PURPOSE = "anju/keypad/v1"
_CODE_TAG = b"anju/code/v1\x00"


def derive_secret(own: EllipticCurvePrivateKey, other: Mapping[str, Any], lock_id: str) -> bytes:
    """The 32 secret bytes that a lock and the platform share, from one side's private and the other's public key.

    Raises ValueError when `other` is no public P-256 JWK.
    """
    return agree(PURPOSE, own, other, lock_id)


def day_of(at: int) -> tuple[int, int]:
    """First second and end (excluded) of the China calendar day that holds `at` (seconds since 1970 UTC)."""
    first = (at + CHINA_OFFSET_SECONDS) // DAY_SECONDS * DAY_SECONDS - CHINA_OFFSET_SECONDS
    return first, first + DAY_SECONDS


def day_code(secret: bytes, key_id: str, epoch: int, first: int, end: int) -> str:
    """The code of a key for one day, as `day_of` gives it."""
    return _code(secret, "day", key_id, epoch, first, end)


def period_code(secret: bytes, key_id: str, epoch: int, begins: int, ends: int) -> str:
    """The one code of a key for its whole life, from its `nbf` to its `exp`."""
    return _code(secret, "period", key_id, epoch, begins, ends)


def once_code(secret: bytes, key_id: str, epoch: int, number: int, end: int) -> str:
    """The one-time code `number` (1 to MOST_ONCE_A_DAY) of a key on the day with this end, as `day_of` gives it."""
    return _code(secret, "once", key_id, epoch, number, end)


def _code(secret: bytes, kind: str, key_id: str, epoch: int, start: int, end: int) -> str:
    said = f"{kind}|{key_id}|{epoch}|{start}|{end}".encode()
    digest = hmac.new(secret, _CODE_TAG + said, sha256).digest()
    return f"{int.from_bytes(digest[:8], 'big') % 10**DIGITS:0{DIGITS}d}"
