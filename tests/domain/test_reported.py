"""What a reported change must say, under its agreement, and what is shown of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.domain.reported import (
    BECAME_LOCAL,
    LEASE_FILED,
    RENUMBERED,
    SAID,
    STATE_NAMES,
    find_report_faults,
    shown_value,
    state_for_office,
)
from backend.domain.sharing import IN_KINDS, INBOUND_FIELDS, Terms

TODAY = date(2026, 11, 23)
TERMS = Terms("in", ("330522003",), tuple(IN_KINDS), tuple(INBOUND_FIELDS), TODAY, TODAY + timedelta(days=30), "active")
NUMBER = "330522199001010001"
GOOD: dict[str, dict[str, Any]] = {
    LEASE_FILED: {
        "lease.reference": "01a22810-917a-70d5-a7b8-3ace17f3de92", "lease.filing_no": "备〔2026〕1号",
        "lease.filed_on": "2026-11-23",
    },
    RENUMBERED: {
        "address.code": "A-1", "address.division": "330522003900", "address.road": "陈塘路", "address.door_no": "1号",
    },
    BECAME_LOCAL: {
        "person.id_type": "111", "person.id_number": NUMBER, "person.hukou_division": "330522",
        "person.since_on": "2026-11-20",
    },
}  # fmt: skip


def faults(kind: str, terms: Terms = TERMS, without: str | None = None, **changes: Any) -> list[tuple[str, str | None]]:
    data = {name: value for name, value in (GOOD[kind] | changes).items() if name != without}
    return [(fault.code, fault.field) for fault in find_report_faults(terms, kind, data, TODAY)]


def test_every_inbound_kind_says_what_it_needs_from_the_closed_list() -> None:
    assert set(SAID) == set(IN_KINDS) == set(GOOD)
    assert all({*said.needs, *said.may} <= set(INBOUND_FIELDS) for said in SAID.values())
    assert {name for said in SAID.values() for name in (*said.needs, *said.may)} == set(INBOUND_FIELDS)
    assert [faults(kind) for kind in GOOD] == [[], [], []]


@pytest.mark.parametrize(
    ("kind", "changes", "wrong"),
    [
        (LEASE_FILED, {"lease.reference": "x"}, [("report.form", "data/lease.reference")]),
        (LEASE_FILED, {"lease.filed_on": "2026-11-24"}, [("input.future_date", "data/lease.filed_on")]),
        (LEASE_FILED, {"lease.filed_on": "20261123"}, [("input.wrong_type", "data/lease.filed_on")]),
        (LEASE_FILED, {"lease.filing_no": 5}, [("input.wrong_type", "data/lease.filing_no")]),
        (LEASE_FILED, {"address.road": "陈塘路"}, [("report.field", "data/address.road")]),
        (LEASE_FILED, {"lease.rent": 9}, [("report.field", "data/lease.rent")]),
        (RENUMBERED, {"address.division": "330522004900"}, [("report.area", "data/address.division")]),
        (RENUMBERED, {"address.door_no": "1 号"}, [("report.form", "data/address.door_no")]),
        (BECAME_LOCAL, {"person.id_number": NUMBER[:-1] + "2"}, [("document.check_digit", "data/person.id_number")]),
        (BECAME_LOCAL, {"person.id_type": "999"}, [("document.type", "data/person.id_number")]),
    ],
)
def test_each_fault_names_its_field(kind: str, changes: dict[str, Any], wrong: list[tuple[str, str]]) -> None:
    assert faults(kind, **changes) == wrong


@given(st.sampled_from(list(GOOD)), st.sets(st.sampled_from(sorted(INBOUND_FIELDS))))
def test_nothing_beyond_the_agreed_kinds_and_fields_comes_in(kind: str, agreed: set[str]) -> None:
    found = faults(kind, replace(TERMS, fields=tuple(agreed)))
    assert [field for code, field in found if code == "report.field"] == [
        f"data/{name}" for name in sorted(set(GOOD[kind]) - agreed)
    ]
    assert faults(kind, replace(TERMS, kinds=())) == [("report.kind", "type")]


@pytest.mark.parametrize("kind", list(GOOD))
def test_a_needed_field_is_missed(kind: str) -> None:
    for name in SAID[kind].needs:
        assert ("input.missing", f"data/{name}") in faults(kind, without=name)


def test_an_office_is_not_told_of_an_objection_and_a_number_is_shown_by_its_ends() -> None:
    assert {state_for_office(state) for state in STATE_NAMES} == {"shown", "unmatched", "counted", "refused"}
    assert shown_value("person.id_number", NUMBER) == "330" + "*" * 13 + "01"
    assert shown_value("person.name", "周来福").startswith("周*")
    assert shown_value("address.road", "陈塘路") == "陈塘路"
