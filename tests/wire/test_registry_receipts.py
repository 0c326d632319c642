"""Receipts: a number with a check digit, and a signed proof that verifies without a network."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.wire import tokens
from backend.wire.jwk import keys_from_jwks, make_private_key, thumbprint
from backend.wire.receipts import (
    Receipt,
    ReceiptInvalid,
    find_receipt,
    make_receipt_number,
    qr_text,
    read_receipt_number,
    sign_receipt,
    verify_receipt,
)
from tests.wire.registry_makers import DECLARED_AT, RECORD, make_registration_item

KEY = make_private_key()
KID = thumbprint(KEY.public_key())
KEYS = {KID: KEY.public_key()}
RECEIPT = Receipt(
    number=make_receipt_number("330522003", date(2026, 11, 23), 123),
    record_id=RECORD,
    record_version=1,
    op="UPSERT",
    leg="TENANT",
    payload_hash=make_registration_item().payload_hash,
    declared_at=DECLARED_AT,
    accepted_at=datetime(2026, 11, 23, 2, 0, 1, tzinfo=UTC),
)
SAMPLE = Path(__file__).parent / "samples" / "registry_receipt.json"


def reason_of(token: str, keys: dict[str, object] | None = None) -> str:
    with pytest.raises(ReceiptInvalid) as caught:
        verify_receipt(token, KEYS if keys is None else keys)  # type: ignore[arg-type]
    return caught.value.reason


def test_the_pinned_receipt_verifies_with_the_pinned_key() -> None:
    sample = json.loads(SAMPLE.read_text())
    receipt = verify_receipt(find_receipt(sample["qr_text"]), keys_from_jwks(sample["jwks"]))
    assert receipt.number == sample["number"] == "R-330522003-20261123-000123-5"
    assert receipt == RECEIPT


def test_a_receipt_says_what_was_signed() -> None:
    assert verify_receipt(sign_receipt(RECEIPT, KEY, KID), KEYS) == RECEIPT


def test_a_receipt_holds_no_number_and_no_name_of_a_person() -> None:
    claims = tokens.claims_unverified(sign_receipt(RECEIPT, KEY, KID))
    assert set(claims) == {"iss", "sub", "jti", "iat", "ver", "op", "leg", "hash", "declared_at", "accepted_at"}


def test_a_receipt_of_another_key_is_refused() -> None:
    other = make_private_key()
    assert reason_of(sign_receipt(RECEIPT, other, KID)) == "bad_signature"
    assert reason_of(sign_receipt(RECEIPT, other, thumbprint(other.public_key()))) == "unknown_key"


def test_a_changed_receipt_is_refused() -> None:
    head, _, signature = sign_receipt(RECEIPT, KEY, KID).split(".")
    _, body, _ = sign_receipt(replace(RECEIPT, record_version=2), KEY, KID).split(".")
    assert reason_of(f"{head}.{body}.{signature}") == "bad_signature"


@pytest.mark.parametrize(
    "change",
    [
        {"jti": "R-330522003-20261123-000123-4"},
        {"sub": "someone"},
        {"iss": "elsewhere"},
        {"ver": True},
        {"ver": "1"},
        {"op": "DELETE"},
        {"leg": "POLICE"},
        {"hash": "00"},
        {"declared_at": "yesterday"},
        {"accepted_at": None},
    ],
)
def test_a_signed_receipt_with_a_senseless_claim_is_refused(change: dict[str, object]) -> None:
    claims = tokens.claims_unverified(sign_receipt(RECEIPT, KEY, KID))
    assert reason_of(tokens.sign("receipt", {**claims, **change}, KEY, KID)) == "bad_claim"


def test_another_kind_of_token_is_no_receipt() -> None:
    token = tokens.sign("lockchk", {"iss": "x", "iat": 1, "seq": 1, "head": "h", "boot": "b"}, KEY, KID)
    assert reason_of(token) == "wrong_kind"


@pytest.mark.parametrize("around", ["{}", "<p>凭证 {}</p>", '"token": "{}",\n', "  {}  "])
def test_a_receipt_is_found_in_what_people_have(around: str) -> None:
    token = sign_receipt(RECEIPT, KEY, KID)
    assert find_receipt(around.replace("{}", qr_text(token))) == token
    assert find_receipt(around.replace("{}", token)) == token


def test_a_text_without_receipt_is_said_to_have_none() -> None:
    with pytest.raises(ReceiptInvalid, match="not_found"):
        find_receipt("R-330522003-20261123-000123-5")


@given(st.text(max_size=200))
def test_any_text_is_verified_or_refused(text: str) -> None:
    with pytest.raises(ReceiptInvalid):
        verify_receipt(text, KEYS)


@given(
    st.from_regex(r"\A[0-9]{9}\Z"),
    st.dates(min_value=date(1000, 1, 1)),
    st.integers(min_value=1, max_value=999_999),
)
def test_a_number_comes_back_in_its_parts(town: str, on: date, sequence: int) -> None:
    number = read_receipt_number(make_receipt_number(town, on, sequence))
    assert (number.town, number.on, number.sequence) == (town, on, sequence)


@given(st.integers(min_value=0, max_value=22), st.integers(min_value=1, max_value=9))
def test_one_wrong_digit_is_noticed(place: int, shift: int) -> None:
    digits = RECEIPT.number.replace("-", "")[1:]
    wrong = digits[:place] + str((int(digits[place]) + shift) % 10) + digits[place + 1 :]
    with pytest.raises(ValueError, match=r"check digit|day|month|year"):
        read_receipt_number(f"R-{wrong[:9]}-{wrong[9:17]}-{wrong[17:23]}-{wrong[23]}")


@pytest.mark.parametrize(("town", "sequence"), [("33052200", 1), ("330522003", 0), ("330522003", 1_000_000)])
def test_parts_that_make_no_number_are_refused(town: str, sequence: int) -> None:
    with pytest.raises(ValueError, match="not the parts"):
        make_receipt_number(town, date(2026, 11, 23), sequence)


def test_a_signature_has_one_spelling() -> None:
    token = sign_receipt(RECEIPT, KEY, KID)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    last = alphabet[alphabet.index(token[-1]) + 1]  # the same 64 bytes to a lenient reader
    assert reason_of(token[:-1] + last) == "malformed"
