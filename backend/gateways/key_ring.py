"""Role KeyRing: keys that never lie in the database or in its backups.

It wraps data keys (AES-256-GCM), makes blind indexes (HMAC-SHA-256, one key per purpose), keeps the cookie keys of the
two web doors and agrees with each lock on the secrets of its keypad and of its sealed events. `FileKeyRing` is a folder
with mode 0700; a KMS or HSM takes its place behind the same role.
"""

from __future__ import annotations

import base64
import fcntl
import hmac
import json
import os
import secrets
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from backend.wire import keypad, sealed_events
from backend.wire.agreements import agree
from backend.wire.jwk import jwk_of, make_private_key, private_key_from_pem, private_key_to_pem

INDEX_PURPOSES = ("id_number", "phone", "name", "secret")
COOKIE_DOORS = ("mobile", "console")


class KeyRingError(Exception):
    """The key ring is missing a key or a sealed value does not belong where it was found."""


class KeyRing(Protocol):
    """Keeps the keys that protect identities."""

    def __hash__(self) -> int: ...

    def wrap(self, data_key: bytes, subject_id: str) -> tuple[str, bytes]:
        """Wrap a 32-byte data key for `subject_id`; answers (key-encryption key id, wrapped bytes)."""
        ...

    def unwrap(self, kek_id: str, wrapped: bytes, subject_id: str) -> bytes:
        """Undo `wrap`; raises KeyRingError when the bytes were made for another subject or key."""
        ...

    def blind_index(self, purpose: str, value: str) -> bytes:
        """32 bytes by which equal values find each other and nothing else is learnt."""
        ...

    def cookie_key(self, door: str) -> str:
        """The signing key of a web door's cookies ('mobile' or 'console')."""
        ...

    def keypad_secret(self, agreement_key: Mapping[str, Any], lock_id: str) -> bytes:
        """The 32 bytes shared with a lock's keypad, from the lock's public agreement key (JWK).

        Raises KeyRingError when that is no P-256 public key.
        """
        ...

    def events_secret(self, agreement_key: Mapping[str, Any], lock_id: str) -> bytes:
        """The 32 bytes under which a lock seals its events for us. Raises KeyRingError as `keypad_secret`."""
        ...

    def keypad_public_jwk(self) -> dict[str, str]:
        """Our public half, from which a lock derives the same."""
        ...


class FileKeyRing:
    """A key ring in one JSON file of mode 0600 under var/keys."""

    def __init__(self, folder: Path) -> None:
        self._ring = _load_or_make(folder)
        self._keypad = private_key_from_pem(self._ring["keypad"].encode())

    def wrap(self, data_key: bytes, subject_id: str) -> tuple[str, bytes]:
        kek_id = self._ring["current_kek"]
        nonce = secrets.token_bytes(12)
        return kek_id, nonce + AESGCM(self._kek(kek_id)).encrypt(nonce, data_key, subject_id.encode())

    def unwrap(self, kek_id: str, wrapped: bytes, subject_id: str) -> bytes:
        try:
            return AESGCM(self._kek(kek_id)).decrypt(wrapped[:12], wrapped[12:], subject_id.encode())
        except InvalidTag:
            raise KeyRingError("a wrapped data key does not belong to this subject") from None

    def blind_index(self, purpose: str, value: str) -> bytes:
        key = base64.b64decode(self._ring["index"][purpose])
        return hmac.new(key, value.encode(), sha256).digest()

    def cookie_key(self, door: str) -> str:
        key: str = self._ring["cookie"][door]
        return key

    def keypad_secret(self, agreement_key: Mapping[str, Any], lock_id: str) -> bytes:
        return self._agree(keypad.PURPOSE, agreement_key, lock_id)

    def events_secret(self, agreement_key: Mapping[str, Any], lock_id: str) -> bytes:
        return self._agree(sealed_events.PURPOSE, agreement_key, lock_id)

    def keypad_public_jwk(self) -> dict[str, str]:
        return jwk_of(self._keypad.public_key())

    def _agree(self, purpose: str, agreement_key: Mapping[str, Any], lock_id: str) -> bytes:
        try:
            return agree(purpose, self._keypad, agreement_key, lock_id)
        except ValueError:
            raise KeyRingError("the agreement key of a lock is not a public P-256 key") from None

    def _kek(self, kek_id: str) -> bytes:
        try:
            return base64.b64decode(self._ring["keks"][kek_id])
        except KeyError:
            raise KeyRingError(f"key-encryption key {kek_id} is not in the key ring") from None


def _load_or_make(folder: Path) -> dict[str, Any]:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / "ring.json"
    with open(folder / ".lock", "w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)  # several processes start at once; one makes the ring
        ring: dict[str, Any] = json.loads(path.read_text()) if path.exists() else _new_ring()
        if not path.exists() or "keypad" not in ring:  # a ring from before there were keypads gets its key now
            ring.setdefault("keypad", private_key_to_pem(make_private_key()).decode())
            _write_private(path, json.dumps(ring, indent=1).encode())
        _publish(folder / "keypad.jwk.json", ring["keypad"])
    return ring


def _new_ring() -> dict[str, Any]:
    def random_key() -> str:
        return base64.b64encode(secrets.token_bytes(32)).decode()

    return {
        "current_kek": "kek-1",
        "keks": {"kek-1": random_key()},
        "index": {purpose: random_key() for purpose in INDEX_PURPOSES},
        "cookie": {door: random_key() for door in COOKIE_DOORS},
    }


def _publish(path: Path, pem: str) -> None:
    """The public half for locks that leave the factory: no secret, so anybody on this machine may read it."""
    text = json.dumps(jwk_of(private_key_from_pem(pem.encode()).public_key()), indent=1)
    if path.exists() and path.read_text() == text:
        return
    fresh = path.with_suffix(".new")
    fresh.write_text(text)
    fresh.chmod(0o644)
    os.replace(fresh, path)


def _write_private(path: Path, content: bytes) -> None:
    handle = os.open(path.with_suffix(".new"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(path.with_suffix(".new"), path)
