"""Rows of tenancies: what landlords and offices write, and what is said of it."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.domain.refusals import Refused
from backend.domain.tenancy_rows import UnitWords, read_lease_row, read_paper_row, spellings_of

TODAY = date(2026, 11, 23)
NUMBER = "330522199001010001"
LEASE = {
    "unit_number": "U-TEST0101", "tenant_name": "周来福", "tenant_id_number": NUMBER, "tenant_phone": "199 0000 9101",
    "kind": "合租", "starts_on": "2024-03-01",
}  # fmt: skip
PAPER = {
    "address": "陈塘路1号", "room": "101室", "name": "周来福", "id_number": NUMBER, "hukou_division": "341822",
    "move_in_on": "2025-02-03", "declared_on": "2025-02-05", "evidence_no": "太湖2025-0017",
}  # fmt: skip


def faults(cells: dict[str, str], **changes: str) -> list[tuple[str | None, str]]:
    read = read_paper_row if "evidence_no" in cells else read_lease_row
    with pytest.raises(Refused) as caught:
        read({name: value for name, value in {**cells, **changes}.items() if value}, TODAY)
    return [(fault.field, fault.code) for fault in caught.value.refusals]


def test_a_row_of_a_lease_is_read_as_it_is_written() -> None:
    row = read_lease_row({**LEASE, "rent": "￥1,500.5元", "deposit": "3000", "room": "101室"}, TODAY)
    assert (row.unit, row.kind, row.tenant_phone) == (UnitWords("U-TEST0101", "101室"), "room", "+8619900009101")
    assert (row.rent_cents, row.deposit_cents, row.alias) == (150050, 300000, "101室")
    assert (row.starts_on, row.ends_on, row.says_end, row.moved_in_on) == (
        date(2024, 3, 1), None, False, date(2024, 3, 1),
    )  # fmt: skip
    assert row.document.id_type == "111" and not row.notes


@pytest.mark.parametrize(("end", "said"), [("不定期", None), ("Open-ended", None), ("2027-03-01", date(2027, 3, 1))])
def test_an_open_end_has_to_be_said_to_change_anything(end: str, said: date | None) -> None:
    row = read_lease_row({**LEASE, "ends_on": end.replace("-ended", "ended")}, TODAY)
    assert (row.ends_on, row.says_end) == (said, True)


def test_an_end_that_nobody_lives_to_see_is_an_open_end_and_said_to_be_one() -> None:
    row = read_lease_row({**LEASE, "ends_on": "9999-12-31"}, TODAY)
    assert (row.ends_on, row.says_end) == (None, True)
    assert [(note.field, note.code) for note in row.notes] == [("ends_on", "import.open_ended")]
    assert faults(LEASE, starts_on="9999-12-31") == [("starts_on", "import.date")]


@pytest.mark.parametrize("word", ["身份证", "居民身份证", "111", "Resident identity card", " ID card "])
def test_a_document_type_may_be_a_code_or_a_word(word: str) -> None:
    assert read_lease_row({**LEASE, "tenant_id_type": word}, TODAY).document.id_type == "111"


def test_the_date_of_a_paper_declaration_is_no_declaration() -> None:
    row = read_lease_row({**LEASE, "paper_declared_on": "2024-03-02", "paper_receipt_no": "7"}, TODAY)
    assert [(note.field, note.code) for note in row.notes] == [("paper_declared_on", "import.no_declaration")]


def test_every_faulty_column_of_a_lease_is_named_at_once() -> None:
    wrong = {
        "unit_number": "", "tenant_name": "#", "tenant_id_number": NUMBER[:-1] + "2", "tenant_phone": "12", "kind": "?",
        "starts_on": "soon", "ends_on": "0001-01-01", "moved_in_on": "2027-01-01", "rent": "much", "deposit": "-1",
        "alias": "x" * 31, "tenant_id_type": "ticket",
    }  # fmt: skip
    assert faults(LEASE, **wrong) == [
        ("unit_number", "import.unit_missing"), ("kind", "import.word"), ("starts_on", "import.date"),
        ("ends_on", "import.date"), ("moved_in_on", "input.future_date"), ("alias", "input.length"),
        ("tenant_name", "person.name"), ("tenant_id_type", "import.word"), ("tenant_phone", "phone.invalid"),
        ("rent", "import.money"), ("deposit", "import.money"),
    ]  # fmt: skip
    assert faults(LEASE, tenant_id_number=NUMBER[:-1] + "2") == [("tenant_id_number", "document.check_digit")]
    assert faults(LEASE, rent="1e99") == [("rent", "import.money")] == faults(LEASE, rent="NaN")


def test_a_row_of_paper_keeps_noon_of_its_day_and_its_number() -> None:
    row = read_paper_row(PAPER, TODAY)
    assert row.declared_at == datetime(2025, 2, 5, 4, 0, tzinfo=UTC)
    assert (row.evidence_no, row.unit.place) == ("太湖2025-0017", "陈塘路1号101室")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"declared_on": "2026-11-24"}, [("declared_on", "input.future_date")]),
        ({"declared_on": "2025-02-02"}, [("declared_on", "import.declared_before")]),
        ({"evidence_no": NUMBER}, [("evidence_no", "import.evidence")]),
        ({"evidence_no": "no remark, please!"}, [("evidence_no", "import.evidence")]),
        ({"id_type": "护照", "id_number": "E12345678"}, [("birth_on", "input.missing")]),
    ],
)
def test_what_a_row_of_paper_must_not_say(changes: dict[str, str], expected: list[tuple[str, str]]) -> None:
    assert faults(PAPER, **changes) == expected


@given(st.dictionaries(st.sampled_from([*LEASE, "rent", "ends_on", "moved_in_on", "alias"]), st.text(max_size=30)))
def test_no_reason_ever_repeats_a_document_number(cells: dict[str, str]) -> None:
    try:
        read_lease_row({**LEASE, "tenant_id_number": "330522199001010002", **cells}, TODAY)
    except Refused as refused:
        for fault in refused.refusals:
            assert "330522199001010002" not in fault.sentence("zh") + fault.sentence("en") + fault.remedy("en")


def test_an_address_is_found_with_and_without_what_stands_before_the_road() -> None:
    parts = ("浙江省", "湖州市", "长兴县", "太湖街道", "陈塘村", "陈塘路", "1号", "")
    spellings = set(spellings_of(parts, "101室"))
    assert {
        "陈塘路1号101",
        "陈塘路1号101室",
        "陈塘村陈塘路1号101室",
        "浙江省湖州市长兴县太湖街道陈塘村陈塘路1号101",
    } <= spellings
    assert not {"1号101室", "101室"} & spellings
