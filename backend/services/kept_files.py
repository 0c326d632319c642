"""Uploaded files until their import is done: sealed under a data key of their own, which goes with them.

Destroying the data key is the deletion; taking the file off the shelf only frees the room.
"""

from __future__ import annotations

import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import delete
from sqlalchemy.orm import Session

from backend.db import after_commit, reading
from backend.gateways.key_ring import KeyRingError
from backend.gateways.world import World
from backend.models.data_keys import DataKey
from backend.services import vault

_LABEL = "kept_file"


def keep_file(world: World, session: Session, file_id: str, content: bytes) -> None:
    """Put a file on the shelf inside the present write unit; should it fail, housekeeping takes the file away."""
    vault.make_data_key(world, session, file_id)
    nonce = secrets.token_bytes(12)
    cipher = AESGCM(vault.derive(world, session, file_id, _LABEL))
    world.shelf.put(file_id, nonce + cipher.encrypt(nonce, content, file_id.encode()))


def read_file(world: World, file_id: str) -> bytes | None:
    """The file, or None when it is gone, its key destroyed, or it is not what was put there."""
    sealed = world.shelf.get(file_id)
    if sealed is None:
        return None
    try:
        with reading() as session:
            cipher = AESGCM(vault.derive(world, session, file_id, _LABEL))
        return cipher.decrypt(sealed[:12], sealed[12:], file_id.encode())
    except (KeyRingError, InvalidTag, ValueError):
        return None


def forget_file(world: World, session: Session, file_id: str) -> None:
    """Destroy the file's key inside the present write unit, and take the file away after it."""
    session.execute(delete(DataKey).where(DataKey.subject_id == file_id))
    after_commit(session, lambda: world.shelf.take_away(file_id))
