"""CloudEvents as they go to other offices: samples pinned byte for byte, everything else refused with a reason."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.wire import office_calls
from backend.wire.cloud_events import (
    LARGEST_EVENT_BYTES,
    MOST_EVENTS,
    CloudEvent,
    decode_event,
    decode_events,
    encode_event,
    encode_events,
)
from backend.wire.codec import MessageRejected
from backend.wire.jwk import keys_from_jwks
from backend.wire.tokens import TokenRejected

SAMPLES = Path(__file__).parent / "samples"
ONE = (SAMPLES / "office_event.json").read_bytes().rstrip(b"\n")
SEVERAL = (SAMPLES / "office_events.batch").read_bytes().rstrip(b"\n")
CALL = json.loads((SAMPLES / "office_call.json").read_text())
AT = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


def test_the_samples_are_read_and_written_back_byte_for_byte() -> None:
    event = decode_event(ONE)
    assert (event.type, event.source) == ("cn.anju.lease.recorded", "urn:anju:feed:housing-authority")
    assert encode_event(event) == ONE
    events = decode_events(SEVERAL)
    assert [event.type for event in events] == ["cn.anju.registration.checked-out", "cn.anju.unit.enrolled"]
    assert encode_events(events) == SEVERAL


@pytest.mark.parametrize("member", json.loads(ONE))
def test_an_event_without_one_of_its_members_or_with_a_wrong_one_is_refused(member: str) -> None:
    whole = json.loads(ONE)
    for wrong in (
        {name: value for name, value in whole.items() if name != member},
        *({**whole, member: value} for value in (None, 7, [], "", {"a.b": {"c": 1}}, "x" * 501)),
    ):
        with pytest.raises(MessageRejected):
            decode_event(json.dumps(wrong).encode())


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (ONE[:-1] + b',"remark":"x"}', "unknown_member"),
        (ONE[:-1] + b',"id":"x"}', "not_json"),
        (ONE.replace(b'"specversion":"1.0"', b'"specversion":"0.3"'), "unknown_version"),
        (ONE.replace(b"18.5", b"1e999"), "bad_member"),
        (ONE.replace(b"18.5", b'"\\ud800"'), "bad_member"),
        (ONE.replace(b"18.5", b"null"), "bad_member"),
        (ONE.replace(b"lease.kind", b"Lease Kind"), "bad_member"),
        (ONE.replace(b"cn.anju.lease.recorded", b"door"), "bad_member"),
        (ONE + b" " * LARGEST_EVENT_BYTES, "too_large"),
        (b"[" + ONE + b"]", "not_an_object"),
        (b"\xff", "not_json"),
        (b"", "not_json"),
    ],
)
def test_what_is_no_event_is_refused_with_its_reason(body: bytes, reason: str) -> None:
    with pytest.raises(MessageRejected) as refused:
        decode_event(body)
    assert refused.value.reason == reason


def test_a_batch_has_between_one_and_a_hundred_events() -> None:
    event = decode_event(ONE)
    with pytest.raises(MessageRejected):
        encode_events([])
    with pytest.raises(MessageRejected):
        encode_events([event] * (MOST_EVENTS + 1))
    for body in (b"[]", ONE, b"[" + b",".join([ONE] * (MOST_EVENTS + 1)) + b"]"):
        with pytest.raises(MessageRejected):
            decode_events(body)


def test_nothing_leaves_that_would_not_be_taken() -> None:
    event = decode_event(ONE)
    for changed in (
        replace(event, id=""),
        replace(event, data={"tenant.name": ["x"]}),  # type: ignore[dict-item]
        replace(event, data={"a.b.c": "x"}),
    ):
        with pytest.raises(MessageRejected):
            encode_event(changed)


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(), lambda x: st.lists(x) | st.dictionaries(
    st.sampled_from([*json.loads(ONE), "x"]), x)))  # fmt: skip
def test_any_json_is_an_event_or_refused(value: Any) -> None:
    body = json.dumps(value).encode()
    for read in (decode_event, decode_events):
        try:
            read(body)
        except MessageRejected:
            continue
        raise AssertionError("random JSON is no event")


def verify(**changes: Any) -> str:
    headers = CALL["headers"]
    values: dict[str, Any] = {
        "subscriber": CALL["subscriber"],
        "method": CALL["method"],
        "target": CALL["target"],
        "time_text": headers[office_calls.TIME_HEADER],
        "signature": headers[office_calls.SIGNATURE_HEADER],
        "body": CALL["body"].encode(),
        "keys": keys_from_jwks(CALL["jwks"]),
        "now": AT,
    }
    return office_calls.verify_call(**values | changes)


def test_the_sample_call_verifies_and_no_part_of_it_can_be_exchanged() -> None:
    assert verify() == CALL["jwks"]["keys"][0]["kid"]
    assert isinstance(decode_event(CALL["body"].encode()), CloudEvent)
    changed: list[dict[str, Any]] = [
        {"subscriber": "precinct-module"},
        {"method": "PUT"},
        {"target": "/anju/other"},
        {"time_text": "2026-11-23T02:00:01.000Z"},
        {"time_text": "now"},
        {"body": SEVERAL},
        {"signature": ""},
        {"keys": {}},
    ]
    for change in changed:
        with pytest.raises(TokenRejected):
            verify(**change)


@pytest.mark.parametrize("minutes", [-6, 6])
def test_a_recorded_call_is_worth_nothing_later(minutes: int) -> None:
    verify(now=AT + timedelta(minutes=4))
    with pytest.raises(TokenRejected, match="expired"):
        verify(now=AT + timedelta(minutes=minutes))
