"""Locks as they leave the factory: who they are, made from a seed so that the same seed gives the same village.

A real factory draws its keys at random; a simulated one must be able to tell the same story again.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, derive_private_key

from backend.wire.jwk import base64url, jwk_of, private_key_to_pem
from backend.wire.topics import shard_of

MODEL = "Anju S1 (simulated)"
CLAIM_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford: none that a person mistakes for another
PASSWORD_ROUNDS = 101  # Mosquitto's own default
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # of P-256 (SEC 2)
_MADE_AT_MS = 1_767_225_600_000  # 2026-01-01: the time in the version 7 ids


@dataclass(frozen=True)
class Identity:
    """One lock: what is public of it, what is printed on its sticker, and what only it knows."""

    lock_id: str
    serial: str
    model: str
    shard: int
    claim_code: str
    mqtt_password: str
    private_key: EllipticCurvePrivateKey
    agreement_key: EllipticCurvePrivateKey  # never signs: from it and the platform's comes the keypad's secret
    password_salt: bytes

    def public_part(self) -> dict[str, Any]:
        """The lock's row of the manifest; it opens nothing and claims nothing."""
        return {
            "lock_id": self.lock_id,
            "serial": self.serial,
            "model": self.model,
            "shard": self.shard,
            "public_key": jwk_of(self.private_key.public_key()),
            "agreement_key": jwk_of(self.agreement_key.public_key()),
            "claim_code_hash": hashlib.sha256(self.claim_code.encode()).hexdigest(),
            "mqtt_password_hash": mosquitto_hash(self.mqtt_password, self.password_salt),
        }

    def private_part(self) -> dict[str, Any]:
        """What only the lock itself knows."""
        return {
            "lock_id": self.lock_id,
            "mqtt_password": self.mqtt_password,
            "private_key_pem": private_key_to_pem(self.private_key).decode(),
            "agreement_key_pem": private_key_to_pem(self.agreement_key).decode(),
        }


def make_identity(seed: int, number: int) -> Identity:
    """Make the lock `number` (from 1) of the village `seed`; the same arguments give the same lock."""

    def derive(purpose: str, length: int) -> bytes:
        return hashlib.shake_256(f"anju simulated lock/{seed}/{number}/{purpose}".encode()).digest(length)

    raw = bytearray(derive("id", 16))
    raw[:6] = (_MADE_AT_MS + number).to_bytes(6, "big")
    raw[6], raw[8] = raw[6] & 0x0F | 0x70, raw[8] & 0x3F | 0x80
    lock_id = str(uuid.UUID(bytes=bytes(raw)))
    letters = "".join(CLAIM_LETTERS[byte % 32] for byte in derive("claim", 8))
    return Identity(
        lock_id=lock_id,
        serial=f"S1-{seed:04d}-{number:06d}",
        model=MODEL,
        shard=shard_of(lock_id),
        claim_code=f"ANJU-{letters[:4]}-{letters[4:]}",
        mqtt_password=base64url(derive("mqtt", 24)),
        private_key=_key_from(derive("key", 40)),
        agreement_key=_key_from(derive("agreement", 40)),
        password_salt=derive("salt", 12),
    )


def _key_from(drawn: bytes) -> EllipticCurvePrivateKey:
    return derive_private_key(int.from_bytes(drawn, "big") % (_ORDER - 1) + 1, SECP256R1())


def make_identities(count: int, seed: int) -> list[Identity]:
    """Make the locks 1 to `count` of the village `seed`."""
    return [make_identity(seed, number) for number in range(1, count + 1)]


def mosquitto_hash(password: str, salt: bytes) -> str:
    """A password as Mosquitto 2 keeps it: `$7$rounds$salt$hash`, PBKDF2 with SHA-512, standard base64."""
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, PASSWORD_ROUNDS, 64)
    return f"$7${PASSWORD_ROUNDS}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"


def write_manifest(identities: Sequence[Identity], folder: Path) -> None:
    """Write manifest.json (public), stickers.json (claim codes) and locks/*.json (private, mode 0600)."""
    (folder / "locks").mkdir(mode=0o700, parents=True, exist_ok=True)
    _write(folder / "manifest.json", {"locks": [each.public_part() for each in identities]}, 0o644)
    stickers = [{"lock_id": each.lock_id, "serial": each.serial, "claim_code": each.claim_code} for each in identities]
    _write(folder / "stickers.json", {"stickers": stickers}, 0o600)
    for each in identities:
        _write(folder / "locks" / f"{each.lock_id}.json", each.private_part(), 0o600)


def _write(path: Path, value: object, mode: int) -> None:
    fresh = path.with_suffix(".new")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(value, file, ensure_ascii=False, indent=1)
    os.replace(fresh, path)
