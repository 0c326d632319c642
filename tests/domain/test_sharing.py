"""Sharing: closed lists, agreements without a hole, and what lets a change out."""

from __future__ import annotations

import random
import re
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.domain.rules import RULES
from backend.domain.sharing import (
    FIELDS,
    IN_KINDS,
    INBOUND_FIELDS,
    KINDS,
    OFFICE_PURPOSES,
    OUT_KINDS,
    Terms,
    decide_approval,
    find_agreement_faults,
    is_registration_told,
    retry_wait,
    why_withheld,
)

TODAY = date(2026, 11, 23)
TERMS = Terms("out", ("330522003",), tuple(OUT_KINDS), tuple(FIELDS), TODAY, TODAY + timedelta(days=30), "active")
WRITTEN: dict[str, Any] = {
    "subscriber": "housing-authority", "office_zh": "住建局", "office_en": "Housing", "direction": "out",
    "areas": ["330522003"], "purpose": "lease_filing", "legal_basis": "HR-8", "kinds": ["cn.anju.lease.recorded"],
    "fields": ["lease.kind"], "starts_on": "2026-11-23", "ends_on": "2027-11-22", "delivery": "webhook",
    "webhook_url": "https://office.example/anju", "keys": {"keys": []},
}  # fmt: skip


def test_door_events_rent_and_what_the_boundary_excludes_can_stand_in_no_agreement() -> None:
    never = re.compile(r"door|lock|key|event|unlock|open|rent|deposit|face|score|photo|phone|risk|remark|ethnic|relig")
    names = {*KINDS, *FIELDS, *INBOUND_FIELDS} - {"address.door_no"}  # a house number
    assert [name for name in names if never.search(name)] == []


def test_tables_are_whole() -> None:
    assert all(kind.about in ("registration", "lease", "unit") for kind in OUT_KINDS.values())
    assert all(field.of <= {"registration", "lease", "unit"} and field.zh and field.en for field in FIELDS.values())
    assert all(set(rules) <= set(RULES) and rules for _, _, rules in OFFICE_PURPOSES.values())
    assert all(len(name) <= 40 for name in (*KINDS, *FIELDS)), "they are codes in the database"


def test_what_happened_before_the_first_agreed_day_is_never_told() -> None:
    where, kind, before = "330522003201", "cn.anju.lease.recorded", TODAY - timedelta(days=20)
    assert why_withheld(TERMS, kind, where, TODAY, TODAY) is None
    assert why_withheld(TERMS, kind, where, TODAY, before) == "before_agreement"
    first = replace(TERMS, starts_on=before, ends_on=TODAY, state="ended")
    assert why_withheld(TERMS, kind, where, TODAY, before, (first,)) is None, "it waited for this version"
    for other in (
        replace(first, kinds=("cn.anju.lease.ended",)),
        replace(first, areas=("330522004",)),
        replace(first, ends_on=before - timedelta(days=1)),
    ):
        assert why_withheld(TERMS, kind, where, TODAY, before, (other,)) == "before_agreement"


@pytest.mark.parametrize(
    ("change", "area", "kind", "day", "reason"),
    [
        ({}, "330522003201", "cn.anju.lease.recorded", 0, None),
        ({}, "330522003201", "cn.anju.lease.recorded", 30, None),
        ({}, "330522003201", "cn.anju.lease.recorded", 31, "agreement_ended"),
        ({}, "330522003201", "cn.anju.lease.recorded", -1, "not_in_force"),
        ({}, "330522004201", "cn.anju.lease.recorded", 0, "area_not_agreed"),
        ({}, "330522003201", "cn.anju.lease.filed", 0, "kind_not_agreed"),
        ({"state": "ended"}, "330522003201", "cn.anju.lease.recorded", 0, "agreement_ended"),
        ({"state": "draft"}, "330522003201", "cn.anju.lease.recorded", 0, "not_in_force"),
        ({"state": "suspended"}, "330522003201", "cn.anju.lease.recorded", 0, "suspended"),
        ({"state": "suspended"}, "330522003201", "cn.anju.lease.recorded", 31, "agreement_ended"),
        ({"direction": "in"}, "330522003201", "cn.anju.lease.recorded", 0, "kind_not_agreed"),
        ({"direction": "in", "kinds": tuple(IN_KINDS)}, "330522003201", "cn.anju.lease.filed", 0, None),
        ({"kinds": tuple(IN_KINDS)}, "330522003201", "cn.anju.lease.filed", 0, "kind_not_agreed"),
        ({"areas": ()}, "330522003201", "cn.anju.lease.recorded", 0, "area_not_agreed"),
    ],
)
def test_a_change_goes_out_only_inside_the_agreement(
    change: dict[str, Any], area: str, kind: str, day: int, reason: str | None
) -> None:
    assert why_withheld(replace(TERMS, **change), kind, area, TODAY + timedelta(days=day)) == reason


@given(st.sets(st.sampled_from([*FIELDS, *INBOUND_FIELDS])), st.sampled_from(list(KINDS)))
def test_the_fields_of_a_change_are_agreed_and_its_own(agreed: set[str], kind: str) -> None:
    found = replace(TERMS, fields=tuple(agreed)).fields_for(kind)
    about = KINDS[kind].about
    own = set(INBOUND_FIELDS) if about == "inbound" else {name for name in FIELDS if about in FIELDS[name].of}
    assert set(found) == agreed & own


@pytest.mark.parametrize("scope", ["in_scope", "exempt", "out_of_scope", "foreign"])
def test_only_a_declared_residence_in_scope_is_told(scope: str) -> None:
    assert is_registration_told(scope, True) == (scope == "in_scope")
    assert not is_registration_told(scope, False)


def test_one_supervisor_is_not_two() -> None:
    assert decide_approval("draft", (None, None), "a") is None
    assert decide_approval("draft", ("a", None), "b") is None
    assert (refusal := decide_approval("draft", ("a", None), "a")) is not None and refusal.code == "agreement.four_eyes"
    assert (refusal := decide_approval("active", ("a", "b"), "c")) is not None and refusal.code == "agreement.state"


@pytest.mark.parametrize("name", [name for name in WRITTEN if name != "webhook_url"])
def test_an_agreement_without_one_of_its_members_is_refused(name: str) -> None:
    assert find_agreement_faults(WRITTEN, demo=False) == []
    faults = find_agreement_faults({**WRITTEN, name: None}, demo=False)
    assert [(fault.code, fault.field) for fault in faults] == [("input.missing", name)]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("subscriber", "Housing Authority"),
        ("direction", "sideways"),
        ("areas", ["3305220"]),
        ("areas", ["３３０５２２"]),
        ("areas", "330522"),
        ("purpose", "curiosity"),
        ("legal_basis", "EEL-39"),
        ("legal_basis", "none"),
        ("kinds", ["cn.anju.door.opened"]),
        ("kinds", ["cn.anju.lease.filed"]),
        ("kinds", [7]),
        ("fields", ["lease.rent_cents"]),
        ("fields", ["person.name"]),
        ("starts_on", "soon"),
        ("ends_on", "2026-11-22"),
        ("delivery", "fax"),
        ("webhook_url", "http://office.example/anju"),
        ("webhook_url", "http://127.0.0.1:8008/"),
        ("webhook_url", "https://user:secret@office.example/"),
        ("webhook_url", "https://[office"),
        ("webhook_url", None),
        ("batch_size", 0),
        ("batch_size", 101),
        ("batch_size", True),
    ],
)
def test_every_fault_is_named_at_its_member(name: str, value: object) -> None:
    assert [fault.field for fault in find_agreement_faults({**WRITTEN, name: value}, demo=False)] == [name]


def test_the_demo_may_call_its_own_machine_and_who_fetches_has_no_address() -> None:
    assert find_agreement_faults({**WRITTEN, "webhook_url": "http://127.0.0.1:8008/x"}, demo=True) == []
    assert find_agreement_faults({**WRITTEN, "delivery": "pull", "webhook_url": None}, demo=False) == []
    assert find_agreement_faults({**WRITTEN, "delivery": "pull"}, demo=False)[0].field == "webhook_url"


@given(st.integers(1, 50), st.none() | st.floats(0, 1e9))
def test_the_next_try_is_never_at_once_and_never_more_than_a_day_off(attempts: int, asked: float | None) -> None:
    wait = retry_wait(attempts, asked, random.Random(1))
    assert timedelta(seconds=0.8) <= wait <= timedelta(days=1)
    if asked is not None and 1 <= asked <= 86_400:
        assert wait == timedelta(seconds=asked)
