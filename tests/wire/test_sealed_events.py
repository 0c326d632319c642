"""Events sealed for the platform: they open whole, for the right lock, or not at all; nobody between can read them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.wire import keypad, sealed_events
from backend.wire.codec import MessageRejected
from backend.wire.jwk import base64url, from_base64url, jwk_of, make_private_key
from backend.wire.lock_messages import LONGEST_EVENT, MOST_EVENTS, EventBatch, first_hash
from backend.wire.sealed_events import LONGEST_ITEM, fitting, seal, unseal

LOCK, PLATFORM = make_private_key(), make_private_key()
SECRET = sealed_events.derive_secret(LOCK, jwk_of(PLATFORM.public_key()), "lock-1")
NONCE = bytes(12)
BATCH = EventBatch(1, base64url(first_hash("lock-1")), ('{"seq":1,"key":"key-of-somebody"}',), ("a.b.c",), True)


def test_both_sides_derive_one_secret_which_is_neither_the_keypads_nor_another_locks() -> None:
    assert sealed_events.derive_secret(PLATFORM, jwk_of(LOCK.public_key()), "lock-1") == SECRET
    assert sealed_events.derive_secret(LOCK, jwk_of(PLATFORM.public_key()), "lock-2") != SECRET
    assert keypad.derive_secret(LOCK, jwk_of(PLATFORM.public_key()), "lock-1") != SECRET
    with pytest.raises(ValueError):
        sealed_events.derive_secret(LOCK, {"kty": "EC"}, "lock-1")


def test_a_sealed_batch_opens_to_itself_and_shows_nothing_of_whom_it_tells() -> None:
    item = seal(SECRET, "lock-1", NONCE, BATCH)
    assert unseal(SECRET, "lock-1", item) == BATCH
    assert b"somebody" not in from_base64url(item)
    assert seal(SECRET, "lock-1", bytes([1] * 12), BATCH) != item


def test_another_lock_another_secret_and_every_changed_byte_are_refused() -> None:
    item = seal(SECRET, "lock-1", NONCE, BATCH)
    raw = from_base64url(item)
    for secret, lock_id in ((SECRET, "lock-2"), (bytes(32), "lock-1")):
        with pytest.raises(MessageRejected, match="bad_seal"):
            unseal(secret, lock_id, item)
    for place in range(len(raw)):
        changed = bytearray(raw)
        changed[place] ^= 1
        with pytest.raises(MessageRejected, match="bad_seal"):
            unseal(SECRET, "lock-1", base64url(bytes(changed)))
    with pytest.raises(MessageRejected, match="bad_seal"):
        unseal(SECRET, "lock-1", base64url(raw[:-1]))


@pytest.mark.parametrize("item", ["", "!", "AAAA", "A" * 15, "A" * (LONGEST_ITEM + 4), "=" * 40])
def test_what_is_no_item_is_refused(item: str) -> None:
    with pytest.raises(MessageRejected, match="not_sealed"):
        unseal(SECRET, "lock-1", item)


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=LONGEST_EVENT)


@given(st.lists(TEXTS, max_size=MOST_EVENTS))
def test_what_is_said_to_fit_can_be_sealed_and_is_never_nothing(texts: list[str]) -> None:
    chosen = fitting(texts)
    assert list(chosen) == texts[: len(chosen)] and bool(chosen) == bool(texts)
    whole = replace(BATCH, oldest=2**63 - 1, events=chosen, checkpoints=("x" * 1_024,))
    assert len(seal(SECRET, "lock-1", NONCE, whole)) <= LONGEST_ITEM


def test_a_batch_that_does_not_fit_is_not_sealed() -> None:
    with pytest.raises(MessageRejected, match="too_large"):
        seal(SECRET, "lock-1", NONCE, replace(BATCH, events=("x" * 1_024,) * 13))
