"""Versions, legs and ends: each version at most once, never backwards, every acceptance with a receipt."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from backend.registry.judging import CHUNK, process_once
from backend.registry.signing import Signing
from backend.registry.tables import batch_items, legs, versions
from backend.wire.receipts import read_receipt_number
from backend.wire.registry_answers import digest_id, digest_root
from backend.wire.registry_messages import Item
from tests.registry.stage import BOTH, Stage
from tests.wire.registry_makers import (
    DECLARED_AT,
    LANDLORD_PAYLOAD,
    OTHER_RECORD,
    RECORD,
    make_batch,
    make_changed_item,
    make_check_out,
    make_registration_item,
    make_void,
)

pytestmark = pytest.mark.parametrize("registry_kind", BOTH, indirect=True)


class Killed(BaseException):
    """Stands for a kill: nothing of ours catches it or cleans up, the write unit is gone."""


class MortalSigning(Signing):
    """A signing key whose process dies after so many signatures."""

    def __init__(self, signing: Signing, signatures: int) -> None:
        object.__setattr__(self, "_left", signatures)
        object.__setattr__(self, "_real", signing)
        object.__setattr__(self, "kid", signing.kid)

    @property
    def key(self) -> Any:  # type: ignore[override]
        """The real key, as long as there is life."""
        object.__setattr__(self, "_left", self._left - 1)
        if self._left < 0:
            raise Killed
        return self._real.key


def landlord_item(version: int = 1) -> Item:
    return make_registration_item(leg="LANDLORD", record_version=version, payload=LANDLORD_PAYLOAD)


def test_an_accepted_item_has_a_receipt_for_exactly_what_was_sent(stage: Stage) -> None:
    item = make_registration_item()
    receipt = stage.receipt_of(stage.file_one(item))
    assert (receipt.record_id, receipt.record_version, receipt.op, receipt.leg) == (RECORD, 1, "UPSERT", "TENANT")
    assert (receipt.payload_hash, receipt.declared_at) == (item.payload_hash, item.declared_at)
    number = read_receipt_number(receipt.number)
    assert (number.town, number.on, number.sequence) == ("330522003", date(2026, 11, 23), 1)


def test_receipts_are_numbered_per_town_and_chinese_day(stage: Stage) -> None:
    first = stage.file_one(make_registration_item())
    second = stage.file_one(make_registration_item(record_version=2))
    stage.move(hours=14)  # past midnight in China
    third = stage.file_one(make_registration_item(record_version=3))
    parts = [read_receipt_number(result.receipt_no or "") for result in (first, second, third)]
    assert [(part.on.day, part.sequence) for part in parts] == [(23, 1), (23, 2), (24, 1)]


@pytest.mark.parametrize("version", [1, 2])
def test_a_lower_or_equal_version_is_stale_and_changes_nothing(stage: Stage, version: int) -> None:
    stage.file_one(make_registration_item(record_version=2))
    before = stage.client.find_record(RECORD)
    result = stage.file_one(replace(make_changed_item(reason="207"), record_version=version))
    assert (result.state, result.errors[0].code, result.receipt_no) == ("STALE", "4091", None)
    assert stage.client.find_record(RECORD) == before


def test_the_same_content_under_a_new_key_is_processed_and_found_stale(stage: Stage) -> None:
    stage.file(make_registration_item(), key="key-aaaaaaaaaaaaaaaa")
    again = stage.file(make_registration_item(), key="key-bbbbbbbbbbbbbbbb")
    assert [item.state for item in again.items] == ["STALE"]


def test_landlord_and_tenant_do_not_wait_for_each_other(stage: Stage) -> None:
    assert stage.file_one(make_registration_item(record_version=5)).state == "ACCEPTED"
    assert stage.file_one(landlord_item(1)).state == "ACCEPTED"
    held = stage.client.find_record(RECORD)
    assert held is not None
    assert {(leg.leg, leg.version) for leg in held.legs} == {("TENANT", 5), ("LANDLORD", 1)}


def test_an_amendment_of_something_unknown_is_refused(stage: Stage) -> None:
    assert stage.file_one(make_registration_item(op="AMEND")).errors[0].code == "4004"
    stage.file_one(landlord_item())
    assert stage.file_one(make_registration_item(op="AMEND", record_version=2)).errors[0].code == "4004"


def test_a_check_out_of_something_unknown_is_refused(stage: Stage) -> None:
    result = stage.file_one(make_check_out("R-330522003-20261123-000001-6"))
    assert (result.state, result.errors[0].code) == ("REJECTED", "4004")


def test_a_check_out_needs_a_receipt_of_that_record(stage: Stage) -> None:
    stage.file_one(make_registration_item())
    other = stage.file_one(make_registration_item(record_id=OTHER_RECORD))
    result = stage.file_one(make_check_out(other.receipt_no or ""))
    assert [(error.code, error.pointer) for error in result.errors] == [("4004", "/payload/receipt_no")]


def test_a_repeated_check_out_answers_the_original_receipt(stage: Stage) -> None:
    accepted = stage.file_one(make_registration_item())
    first = stage.file_one(make_check_out(accepted.receipt_no or ""))
    again = stage.file_one(make_check_out(accepted.receipt_no or "", record_version=3))
    assert (first.state, again.state) == ("ACCEPTED", "DUPLICATE")
    assert (first.receipt_no, first.receipt_sig) == (again.receipt_no, again.receipt_sig)
    held = stage.client.find_record(RECORD)
    assert held is not None and held.state == "MOVED_OUT"


def test_a_late_version_after_the_check_out_is_stale(stage: Stage) -> None:
    accepted = stage.file_one(make_registration_item())
    stage.file_one(make_check_out(accepted.receipt_no or "", record_version=3))
    assert stage.file_one(make_registration_item(record_version=2)).state == "STALE"


def test_void_is_not_moved_out_and_ends_everything(stage: Stage) -> None:
    accepted = stage.file_one(make_registration_item())
    assert stage.file_one(make_void(accepted.receipt_no or "")).state == "ACCEPTED"
    assert stage.file_one(make_void(accepted.receipt_no or "", record_version=3)).state == "DUPLICATE"
    held = stage.client.find_record(RECORD)
    assert held is not None and held.state == "VOIDED"
    assert stage.file_one(make_registration_item(record_version=9)).state == "STALE"
    assert stage.file_one(make_check_out(accepted.receipt_no or "", record_version=9)).state == "STALE"


def test_one_bad_item_does_not_stop_the_others(stage: Stage) -> None:
    bad = make_registration_item(record_id=OTHER_RECORD, payload={})
    status = stage.file(make_registration_item(), bad)
    assert status.state == "PARTIAL"
    assert [item.state for item in status.items] == ["ACCEPTED", "REJECTED"]
    assert stage.file(make_registration_item(record_id=OTHER_RECORD, payload={})).state == "FAILED"


def test_order_within_a_batch_is_kept(stage: Stage) -> None:
    items = [make_registration_item(record_version=version) for version in (1, 2, 3)]
    assert [item.state for item in stage.file(*items).items] == ["ACCEPTED"] * 3
    held = stage.client.find_record(RECORD)
    assert held is not None and held.legs[0].version == 3


def test_a_judged_item_leaves_only_what_was_accepted(stage: Stage) -> None:
    stage.file(make_registration_item(), make_changed_item(name="甲3"))
    with stage.registry.database.reading() as connection:
        assert connection.scalars(select(batch_items.c.item)).all() == [None, None]
        assert connection.scalar(select(func.count()).select_from(legs)) == 1


def test_a_kill_in_the_middle_of_judging_loses_and_doubles_nothing(stage: Stage) -> None:
    items = [make_registration_item(record_id=f"0193a001-0000-7000-8000-{n:012d}") for n in range(70)]
    batch_id = stage.client.submit(make_batch(*items), "key-0123456789abcdef").batch_id
    assert process_once(stage.registry) == CHUNK
    assert stage.client.batch_status(batch_id).state == "PROCESSING"
    with pytest.raises(Killed):
        process_once(replace(stage.registry, signing=MortalSigning(stage.registry.signing, signatures=7)))
    stage.judge()
    status = stage.client.batch_status(batch_id)
    assert status.state == "DONE"
    assert len({item.receipt_no for item in status.items}) == 70
    with stage.registry.database.reading() as connection:
        assert connection.scalar(select(func.count()).select_from(versions)) == 70


def test_the_digest_is_that_of_what_is_held(stage: Stage) -> None:
    stage.file(make_registration_item(), landlord_item())
    stage.file_one(make_registration_item(record_id=OTHER_RECORD, declared_at=DECLARED_AT + timedelta(days=1)))
    digest = stage.client.digest(date(2026, 11, 23), "330522003", listed=True)
    entries = [(digest_id(RECORD, leg), 1, "ACTIVE") for leg in ("LANDLORD", "TENANT")]
    assert list(digest.entries) == entries
    assert (digest.count, digest.root) == (2, digest_root(entries))
    assert stage.client.digest(date(2026, 11, 24), "330522003").count == 1
    assert stage.client.digest(date(2026, 11, 23), "330522101").count == 0


@pytest.mark.parametrize("seed", range(8))
def test_however_items_come_each_version_is_filed_once_and_none_goes_back(stage: Stage, seed: int) -> None:
    chance = random.Random(seed)
    items = [
        replace(landlord_item() if chance.random() < 0.5 else make_registration_item(), record_version=version)
        for version in chance.choices(range(1, 7), k=14)
    ]
    results = [item for start in range(0, 14, 5) for item in stage.file(*items[start : start + 5]).items]
    for leg in ("TENANT", "LANDLORD"):
        accepted = [item.record_version for item in results if item.leg == leg and item.state == "ACCEPTED"]
        assert accepted == sorted(set(accepted)) != []
    with stage.registry.database.reading() as connection:
        stored = connection.execute(select(versions)).all()
    assert len(stored) == sum(item.state == "ACCEPTED" for item in results)
