"""Keypad codes: the same on both sides, and different for everything that should make a difference."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.wire import keypad
from backend.wire.jwk import jwk_of, make_private_key

LOCK, PLATFORM = make_private_key(), make_private_key()
SECRET = keypad.derive_secret(LOCK, jwk_of(PLATFORM.public_key()), "lock-1")
MOMENTS = st.integers(0, 2**40)


def test_both_sides_derive_one_secret_for_one_lock() -> None:
    assert keypad.derive_secret(PLATFORM, jwk_of(LOCK.public_key()), "lock-1") == SECRET
    assert keypad.derive_secret(PLATFORM, jwk_of(LOCK.public_key()), "lock-2") != SECRET
    assert keypad.derive_secret(make_private_key(), jwk_of(LOCK.public_key()), "lock-1") != SECRET
    assert len(SECRET) == 32


@pytest.mark.parametrize("other", [{}, {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}])
def test_what_is_no_public_key_makes_no_secret(other: dict[str, str]) -> None:
    with pytest.raises(ValueError):
        keypad.derive_secret(LOCK, other, "lock-1")


@given(MOMENTS)
def test_a_day_is_the_calendar_day_of_china(at: int) -> None:
    first, end = keypad.day_of(at)
    assert first <= at < end and end - first == keypad.DAY_SECONDS
    assert (first + keypad.CHINA_OFFSET_SECONDS) % keypad.DAY_SECONDS == 0
    assert keypad.day_of(first) == keypad.day_of(end - 1) != keypad.day_of(end)


@given(MOMENTS, st.integers(0, 10_000), st.integers(1, 10_000))
def test_a_code_is_eight_digits(at: int, epoch: int, number: int) -> None:
    for code in (
        keypad.day_code(SECRET, "key", epoch, *keypad.day_of(at)),
        keypad.period_code(SECRET, "key", epoch, at, at + 1),
        keypad.once_code(SECRET, "key", epoch, number, keypad.day_of(at)[1]),
    ):
        assert len(code) == 8 and code.isascii() and code.isdigit()


def test_key_epoch_kind_and_window_each_make_another_code() -> None:
    codes = [
        keypad.day_code(SECRET, "key-1", 1, 0, 86_400),
        keypad.day_code(SECRET, "key-2", 1, 0, 86_400),
        keypad.day_code(SECRET, "key-1", 2, 0, 86_400),
        keypad.day_code(SECRET, "key-1", 1, 86_400, 172_800),
        keypad.period_code(SECRET, "key-1", 1, 0, 86_400),
        keypad.once_code(SECRET, "key-1", 1, 1, 86_400),
        keypad.once_code(SECRET, "key-1", 1, 2, 86_400),
        keypad.once_code(SECRET, "key-1", 1, 1, 172_800),
    ]
    assert len(set(codes)) == len(codes)
