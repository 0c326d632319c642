"""The key ring's keypad key: made once, for rings from before keypads too; its public half for anybody to read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from backend.gateways.key_ring import FileKeyRing, KeyRingError
from backend.wire import sealed_events
from backend.wire.jwk import jwk_of, make_private_key
from backend.wire.keypad import derive_secret


def test_lock_and_platform_agree_on_a_secret_per_lock(tmp_path: Path) -> None:
    ring, private = FileKeyRing(tmp_path), make_private_key()
    of_lock = derive_secret(private, ring.keypad_public_jwk(), "lock-1")
    assert ring.keypad_secret(jwk_of(private.public_key()), "lock-1") == of_lock
    assert ring.keypad_secret(jwk_of(private.public_key()), "lock-2") != of_lock
    sealing = sealed_events.derive_secret(private, ring.keypad_public_jwk(), "lock-1")
    assert ring.events_secret(jwk_of(private.public_key()), "lock-1") == sealing != of_lock
    for agree in (ring.keypad_secret, ring.events_secret):
        with pytest.raises(KeyRingError):
            agree({"kty": "RSA"}, "lock-1")


def test_a_ring_keeps_its_keypad_key_and_publishes_the_public_half_alone(tmp_path: Path) -> None:
    first = FileKeyRing(tmp_path).keypad_public_jwk()
    assert FileKeyRing(tmp_path).keypad_public_jwk() == first
    published = tmp_path / "keypad.jwk.json"
    assert json.loads(published.read_text()) == first
    assert (published.stat().st_mode & 0o777, (tmp_path / "ring.json").stat().st_mode & 0o777) == (0o644, 0o600)


def test_a_ring_from_before_keypads_gets_its_key_and_keeps_the_others(tmp_path: Path) -> None:
    before = FileKeyRing(tmp_path)
    path = tmp_path / "ring.json"
    ring = json.loads(path.read_text())
    del ring["keypad"]
    path.write_text(json.dumps(ring))
    (tmp_path / "keypad.jwk.json").unlink()
    after = FileKeyRing(tmp_path)
    assert after.blind_index("phone", "x") == before.blind_index("phone", "x")
    assert after.keypad_public_jwk() == json.loads((tmp_path / "keypad.jwk.json").read_text())
    assert path.stat().st_mode & 0o777 == 0o600
