"""The registry's messages: strict on the way in, pinned by samples, the same bytes for the same batch."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.wire.registry_codes import CODES, OWNERS, is_blocking, item_error
from backend.wire.registry_messages import (
    LARGEST_BODY_BYTES,
    MOST_ITEMS,
    MessageRefused,
    decode_batch,
    hash_payload,
    is_hash_right,
    is_idempotency_key,
    read_object,
    read_time,
    signing_input,
    write_time,
)
from tests.wire.registry_makers import NONCE, TENANT_PAYLOAD, make_batch, make_registration_item

SAMPLE = Path(__file__).parent / "samples" / "registry_batch.json"


def raw_batch() -> dict[str, Any]:
    value: dict[str, Any] = json.loads(make_batch(make_registration_item()).to_bytes())
    return value


def refusal_of(raw: object) -> tuple[str, str]:
    with pytest.raises(MessageRefused) as caught:
        decode_batch(raw if isinstance(raw, bytes) else json.dumps(raw).encode())
    return caught.value.errors[0].code, caught.value.errors[0].pointer


def test_a_batch_has_exactly_the_bytes_of_the_sample() -> None:
    assert make_batch(make_registration_item()).to_bytes() == SAMPLE.read_bytes().rstrip(b"\n")


def test_a_batch_comes_back_as_it_was_sent() -> None:
    batch = make_batch(make_registration_item(), make_registration_item(record_version=2))
    assert decode_batch(batch.to_bytes()) == batch


def test_the_hash_covers_payload_and_nonce() -> None:
    item = make_registration_item()
    assert is_hash_right(item)
    assert hash_payload({**TENANT_PAYLOAD, "reason": "207"}, NONCE) != item.payload_hash
    assert hash_payload(TENANT_PAYLOAD, bytes(16)) != item.payload_hash


def test_a_nonce_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        hash_payload(TENANT_PAYLOAD, bytes(15))


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("op", "DELETE"),
        ("op", ["UPSERT"]),
        ("record_id", "1"),
        ("record_id", "0193A001-0000-7000-8000-000000000001"),
        ("record_version", 0),
        ("record_version", True),
        ("record_version", 2**31),
        ("record_version", "1"),
        ("leg", "POLICE"),
        ("effective_at", "2026-11-23"),
        ("declared_at", "2026-11-23T10:00:00"),
        ("declared_at", "2026-13-23T10:00:00Z"),
        ("payload", []),
        ("nonce", "AAAA"),
        ("nonce", "AAECAwQFBgcICQoLDA0ODx"),
        ("payload_hash", "00"),
    ],
)
def test_a_wrong_member_of_an_item_is_named(member: str, value: object) -> None:
    raw = raw_batch()
    raw["items"][0][member] = value
    assert refusal_of(raw) == ("1102", f"/items/0/{member}")


@pytest.mark.parametrize("member", sorted(raw_batch()["items"][0]))
def test_a_missing_member_of_an_item_is_named(member: str) -> None:
    raw = raw_batch()
    del raw["items"][0][member]
    assert refusal_of(raw) == ("1102", f"/items/0/{member}")


def test_a_member_nobody_agreed_on_is_refused() -> None:
    raw = raw_batch()
    raw["items"][0]["portrait"] = "x"
    assert refusal_of(raw) == ("1102", "/items/0/portrait")
    assert refusal_of({**raw_batch(), "note": "x"}) == ("1102", "/note")


def test_a_batch_without_purpose_is_refused_with_its_own_code() -> None:
    raw = raw_batch()
    del raw["purpose"]
    assert refusal_of(raw) == ("5002", "/purpose")


def test_another_schema_is_refused() -> None:
    assert refusal_of({**raw_batch(), "schema": "rr/2.0"}) == ("1102", "/schema")


def test_too_much_is_refused_before_it_is_read() -> None:
    assert refusal_of(b" " * (LARGEST_BODY_BYTES + 1)) == ("1101", "")
    raw = raw_batch()
    raw["items"] = raw["items"] * (MOST_ITEMS + 1)
    assert refusal_of(raw) == ("1101", "/items")


@pytest.mark.parametrize("items", [None, [], {}, "x", [1], [None]])
def test_items_must_be_a_list_of_items(items: object) -> None:
    code, pointer = refusal_of({**raw_batch(), "items": items})
    assert code == "1102"
    assert pointer.startswith("/items")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b'{"a":1,"a":2}',
        b'{"a":1.5}',
        b'{"a":NaN}',
        b'{"a":1e3}',
        b"\xff",
        b'{"a":"\\ud800"}',
        b"[" * 100_000,
        b'{"a":' + b"9" * 10_000 + b"}",
    ],
)
def test_what_is_not_a_plain_json_object_is_refused(body: bytes) -> None:
    with pytest.raises(MessageRefused):
        read_object(body)


@given(st.binary(max_size=400))
def test_any_bytes_are_either_a_batch_or_refused(body: bytes) -> None:
    with pytest.raises(MessageRefused):
        decode_batch(body)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=20),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3),
        max_leaves=12,
    ),
    st.sampled_from(sorted(raw_batch()["items"][0])),
)
def test_any_value_of_a_member_is_either_read_or_refused(value: object, member: str) -> None:
    raw = raw_batch()
    raw["items"][0][member] = value
    try:
        decode_batch(json.dumps(raw).encode())
    except MessageRefused as refused:
        assert refused.errors[0].pointer == f"/items/0/{member}"


def test_times_keep_their_moment_and_always_name_a_zone() -> None:
    china = datetime(2026, 11, 23, 10, 0, 0, 123456, tzinfo=timezone(timedelta(hours=8)))
    assert write_time(china) == "2026-11-23T02:00:00.123Z"
    assert read_time("2026-11-23T10:00:00+08:00") == datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
    with pytest.raises(ValueError, match="time zone"):
        write_time(datetime(2026, 11, 23, 10, 0))  # noqa: DTZ001 - the point of the test
    for text in ("2026-11-23 10:00:00Z", "2026-11-23T10:00:00", "0001-01-01T00:00:00+14:00", 7, None):
        with pytest.raises(ValueError, match=r"RFC 3339|calendar"):
            read_time(text)


def test_a_signature_binds_the_call_and_the_key_to_the_body() -> None:
    body = b"{}"
    filing = signing_input("POST", "/v1/batches", "key-0123456789ab", body, "2026-11-23T02:00:00Z")
    assert filing == b"POST /v1/batches\nkey-0123456789ab\n2026-11-23T02:00:00Z\n{}"
    assert filing != signing_input("POST", "/v1/validate", "key-0123456789ab", body, "2026-11-23T02:00:00Z")


@pytest.mark.parametrize("key", ["", "short", "x" * 129, "with space 012345", "schlüssel-0123456789"])
def test_a_key_that_names_no_request_is_refused(key: str) -> None:
    assert not is_idempotency_key(key)


def test_every_code_has_words_in_both_languages_and_an_owner() -> None:
    for row in CODES.values():
        assert row.zh.endswith("。") and row.en.endswith(".")
        assert row.owner in (*OWNERS, "LEG")


def test_the_owner_of_a_persons_field_is_the_person_who_reported_it() -> None:
    assert item_error("3001", "/payload/id_number", "TENANT").owner == "TENANT"
    assert item_error("3001", "/payload/id_number", "LANDLORD").owner == "LANDLORD"
    assert item_error("5003", "/payload/phone", "TENANT").owner == "OPERATOR"


def test_only_a_warning_does_not_block() -> None:
    assert [code for code in CODES if not is_blocking(item_error(code, ""))] == ["4003"]
