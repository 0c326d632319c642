"""Answers of the registry: strict in form; an unknown state stays what it is."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.wire.registry_answers import (
    ItemResult,
    decode_batch_status,
    decode_changes,
    decode_digest,
    decode_problem,
    decode_received,
    decode_record,
    decode_result,
    digest_day,
    digest_id,
    digest_root,
)
from backend.wire.registry_codes import item_error
from backend.wire.registry_messages import MessageRefused
from tests.wire.registry_makers import RECORD

SAMPLE = Path(__file__).parent / "samples" / "registry_batch_status.json"
RESULT = ItemResult(RECORD, 1, "UPSERT", "TENANT", "REJECTED", errors=(item_error("3001", "/payload/id_number"),))


def test_the_pinned_answer_is_read() -> None:
    status = decode_batch_status(SAMPLE.read_bytes())
    assert status.state == "PARTIAL" and status.is_finished and status.is_known
    assert [item.state for item in status.items] == ["ACCEPTED", "REJECTED", "ACEPTED"]
    assert status.items[1] == RESULT


def test_a_result_comes_back_as_it_was_written() -> None:
    assert decode_result(RESULT.as_json()) == RESULT


def test_a_batch_in_an_unknown_state_is_neither_finished_nor_known() -> None:
    raw = {**json.loads(SAMPLE.read_text()), "state": "RECIEVED"}
    status = decode_batch_status(json.dumps(raw).encode())
    assert not status.is_finished and not status.is_known


@pytest.mark.parametrize("member", ["record_id", "record_version", "op", "leg", "state", "errors"])
def test_a_result_without_a_member_is_not_understood(member: str) -> None:
    raw = RESULT.as_json()
    del raw[member]
    with pytest.raises(MessageRefused):
        decode_result(raw)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    for decode in (decode_received, decode_batch_status, decode_record, decode_changes, decode_digest):
        with pytest.raises(MessageRefused):
            decode(body)
    assert decode_problem(body) == ()


def test_a_page_of_a_proxy_is_a_refusal_without_codes() -> None:
    assert decode_problem(b"<html>403</html>") == ()


def test_the_root_does_not_depend_on_the_order_and_notices_every_change() -> None:
    one, two = (digest_id(RECORD, "TENANT"), 1, "ACTIVE"), (digest_id(RECORD, "LANDLORD"), 1, "ACTIVE")
    assert digest_root([one, two]) == digest_root([two, one])
    assert len({digest_root(rows) for rows in ([], [one], [one, two], [(one[0], 2, one[2])],
                                               [(one[0], 1, "VOIDED")])}) == 5  # fmt: skip


def test_a_leg_is_counted_under_its_chinese_day() -> None:
    assert digest_day(datetime(2026, 11, 22, 16, 0, tzinfo=UTC)) == date(2026, 11, 23)
