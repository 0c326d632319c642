"""What the registry's clerks do: corrections with a revision of their own, and looks that the person hears of."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select

from backend.registry.corrections import CorrectionRefused, UnknownRecord, correct_record, note_read
from backend.registry.holdings import count_waiting_changes
from backend.registry.tables import records
from tests.registry.stage import BOTH, Stage
from tests.wire.registry_makers import (
    LANDLORD_PAYLOAD,
    OTHER_RECORD,
    RECORD,
    TENANT_PAYLOAD,
    make_changed_item,
    make_registration_item,
)

pytestmark = pytest.mark.parametrize("registry_kind", BOTH, indirect=True)
CLERK = {"office": "省登记中心", "badge": "S-0042"}
LANDLORDS = {"leg": "LANDLORD", "payload": LANDLORD_PAYLOAD}


def test_a_correction_raises_the_revision_and_leaves_versions_receipts_and_digests_alone(stage: Stage) -> None:
    stage.file_one(make_registration_item())
    before, digest = stage.client.find_record(RECORD), stage.client.digest(date(2026, 11, 23), "330522003")
    assert before is not None and before.revision == 0
    assert correct_record(stage.registry, RECORD, {"address": "样本路2号"}, **CLERK) == 1
    assert correct_record(stage.registry, RECORD, {"reason": "207", "address": "样本路3号"}, **CLERK) == 2
    after = stage.client.find_record(RECORD)
    assert after is not None and (after.revision, after.legs, after.state) == (2, before.legs, before.state)
    assert stage.client.digest(date(2026, 11, 23), "330522003") == digest
    changes, cursor = stage.client.changes("0")
    assert [(change.kind, change.revision, dict(change.fields)) for change in changes] == [
        ("CORRECTED", 1, {"address": "样本路2号"}),
        ("CORRECTED", 2, {"reason": "207", "address": "样本路3号"}),
    ]
    assert stage.client.changes(cursor) == ([], cursor)


def test_changes_wait_until_the_sender_has_asked_beyond_them(stage: Stage) -> None:
    stage.file_one(make_registration_item())
    correct_record(stage.registry, RECORD, {"address": "样本路2号"}, **CLERK)
    assert count_waiting_changes(stage.registry) == 1
    _, cursor = stage.client.changes("0")
    assert count_waiting_changes(stage.registry) == 1  # sent, but nobody has said that it arrived
    stage.client.changes(cursor)
    assert count_waiting_changes(stage.registry) == 0
    assert len(stage.client.changes("0")[0]) == 1  # what was read may be read again


def test_a_later_word_of_the_sender_about_a_field_ends_its_correction(stage: Stage) -> None:
    stage.file_one(make_registration_item())
    correct_record(stage.registry, RECORD, {"name": "测试丙"}, **CLERK)
    assert "测＊＊" in stage.http.get("/").get_data(as_text=True)
    stage.file_one(make_registration_item(op="AMEND", record_version=2, payload={**TENANT_PAYLOAD, "name": "新名字"}))
    assert "新＊＊" in stage.http.get("/").get_data(as_text=True)
    held = stage.client.find_record(RECORD)
    assert held is not None and held.revision == 1


def test_a_landlords_word_ends_no_correction_of_what_the_tenant_says(stage: Stage) -> None:
    stage.file_one(make_registration_item())
    correct_record(stage.registry, RECORD, {"name": "测试丙"}, **CLERK)
    stage.file_one(make_registration_item(**LANDLORDS))
    with stage.registry.database.reading() as connection:
        assert connection.scalar(select(records.c.corrected)) == {"name": "测试丙"}


def test_a_landlords_later_word_ends_it_while_there_is_no_tenants(stage: Stage) -> None:
    stage.file_one(make_registration_item(**LANDLORDS))
    correct_record(stage.registry, RECORD, {"name": "测试丙"}, **CLERK)
    stage.file_one(make_registration_item(**LANDLORDS, op="AMEND", record_version=2))
    with stage.registry.database.reading() as connection:
        assert connection.scalar(select(records.c.corrected)) == {}


def test_a_corrected_unit_is_where_the_person_lives_for_the_registry(stage: Stage) -> None:
    stage.file_one(make_registration_item())
    correct_record(stage.registry, RECORD, {"unit_no": "U-OTHER234"}, **CLERK)
    (elsewhere,) = stage.client.validate([make_registration_item(record_id=OTHER_RECORD)])
    assert [error.code for error in elsewhere.errors] == ["4003"]
    moved = make_changed_item(unit_no="U-OTHER234")
    (there,) = stage.client.validate([make_registration_item(record_id=OTHER_RECORD, payload=moved.payload)])
    assert there.errors == ()


@pytest.mark.parametrize(
    ("fields", "code", "pointer"),
    [
        ({}, "2001", ""),
        ({"phone": "1"}, "5003", "/phone"),
        ({"receipt_no": "R-330522003-20261123-000001-6"}, "5003", "/receipt_no"),
        ({"name": "甲3"}, "2003", "/name"),
        ({"name": 3}, "2003", "/name"),
        ({"address": ""}, "2001", "/address"),
        ({"reason": "205"}, "2101", "/reason"),
    ],
)
def test_a_correction_needs_the_form_of_a_filing(
    stage: Stage, fields: dict[str, object], code: str, pointer: str
) -> None:
    stage.file_one(make_registration_item())
    with pytest.raises(CorrectionRefused) as caught:
        correct_record(stage.registry, RECORD, fields, **CLERK)
    assert [(error.code, error.pointer) for error in caught.value.errors] == [(code, pointer)]
    assert stage.client.changes("0") == ([], "0")


def test_a_clerk_reads_under_a_pseudonym_and_the_person_hears_of_it(stage: Stage) -> None:
    stage.file_one(make_registration_item())
    note_read(stage.registry, RECORD, "省登记中心", "S-0042", "核对")
    correct_record(stage.registry, RECORD, {"address": "样本路2号"}, **CLERK)
    told = [(read.office, read.badge, read.purpose) for read in stage.client.list_reads(RECORD)]
    assert told == [("省登记中心", "S-0042", "核对"), ("省登记中心", "S-0042", "correction")]
    for badge in ("王五", "", "S 0042", "-"):
        with pytest.raises(CorrectionRefused):
            note_read(stage.registry, RECORD, "省登记中心", badge, "核对")
    for record in (OTHER_RECORD, "x", "\x00"):
        with pytest.raises(UnknownRecord):
            note_read(stage.registry, record, "省登记中心", "S-0042", "核对")
