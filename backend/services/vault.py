"""Sealed fields: identity values under the data key of the person (or lease) they belong to.

AES-256-GCM; the additional data names table, column, row and subject, so that a value moved elsewhere does not open.
Destroying the data key is the deletion.
"""

from __future__ import annotations

import hmac
import secrets
from functools import lru_cache
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy.orm import Session

from backend.gateways.key_ring import KeyRing, KeyRingError
from backend.gateways.world import World
from backend.models.data_keys import DataKey

SCHEME = b"\x01"  # AES-256-GCM, 12-byte nonce in front


def make_data_key(world: World, session: Session, subject_id: str) -> None:
    """Give `subject_id` a fresh data key, inside the present write unit."""
    kek_id, wrapped = world.key_ring.wrap(secrets.token_bytes(32), subject_id)
    session.add(DataKey(subject_id=subject_id, kek_id=kek_id, wrapped=wrapped, created_at=world.clock.now()))
    session.flush()


def renew_data_key(world: World, session: Session, subject_id: str) -> None:
    """Put a fresh data key in the place of the subject's: whatever was sealed before is gone for good."""
    row = session.get_one(DataKey, subject_id)
    row.kek_id, row.wrapped = world.key_ring.wrap(secrets.token_bytes(32), subject_id)
    row.created_at = world.clock.now()
    session.flush()


def seal(world: World, session: Session, subject_id: str, place: str, row_id: str, text: str) -> bytes:
    """Seal `text` for `place` ('table.column') of row `row_id`."""
    nonce = secrets.token_bytes(12)
    cipher = AESGCM(_data_key(world, session, subject_id))
    return SCHEME + nonce + cipher.encrypt(nonce, text.encode(), _bound(place, row_id, subject_id))


def unseal(world: World, session: Session, subject_id: str, place: str, row_id: str, sealed: bytes) -> str:
    """Open what `seal` made. Raises KeyRingError when it was moved, altered, or its key destroyed."""
    return _open(_data_key(world, session, subject_id), subject_id, place, row_id, sealed)


def unseal_with(
    world: World, kek_id: str | None, wrapped: bytes | None, subject_id: str, place: str, row_id: str, sealed: bytes
) -> str:
    """The same by the columns of the subject's data key, for whoever has read them already; None: it is destroyed."""
    if kek_id is None or wrapped is None:
        raise KeyRingError("the data key of this subject has been destroyed")
    return _open(_unwrapped(world.key_ring, kek_id, wrapped, subject_id), subject_id, place, row_id, sealed)


def _open(key: bytes, subject_id: str, place: str, row_id: str, sealed: bytes) -> str:
    cipher = AESGCM(key)
    try:
        return cipher.decrypt(sealed[1:13], sealed[13:], _bound(place, row_id, subject_id)).decode()
    except InvalidTag:
        raise KeyRingError(f"a sealed value of {place} does not belong to its row") from None


def derive(world: World, session: Session, subject_id: str, label: str) -> bytes:
    """32 bytes that only this subject's data key can make for `label`; they die with the key."""
    return hmac.new(_data_key(world, session, subject_id), b"derive|" + label.encode(), sha256).digest()


def _bound(place: str, row_id: str, subject_id: str) -> bytes:
    return f"{place}|{row_id}|{subject_id}|1".encode()


def _data_key(world: World, session: Session, subject_id: str) -> bytes:
    row = session.get(DataKey, subject_id)
    if row is None:
        raise KeyRingError("the data key of this subject has been destroyed")
    return _unwrapped(world.key_ring, row.kek_id, row.wrapped, subject_id)


@lru_cache(maxsize=4096)
def _unwrapped(key_ring: KeyRing, kek_id: str, wrapped: bytes, subject_id: str) -> bytes:
    return key_ring.unwrap(kek_id, wrapped, subject_id)
