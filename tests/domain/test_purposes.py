"""Purposes and officers: what each purpose allows, case numbers, masks, areas."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.domain.officers import ROLES, covers, find_officer_faults
from backend.domain.purposes import (
    ACT_NAMES,
    DISCLOSURES,
    FIELDS,
    PURPOSES,
    decide_act,
    decide_purpose,
    mask_name,
)
from backend.domain.refusals import Refusal
from backend.models import officers as officer_rows
from backend.services.case_files import PERSON_FIELDS
from backend.services.disclosures import OCCUPANT_FIELDS
from backend.services.person_search import FOUND_FIELDS


def test_without_a_purpose_no_act_is_allowed() -> None:
    for act in ACT_NAMES:
        refusal = decide_act(None, act)
        assert refusal is not None and refusal.code == "purpose.missing"


def test_an_address_check_never_finds_or_unmasks_a_person() -> None:
    for act in ("search", "unmask", "handle_case"):
        refusal = decide_act("address_check", act)
        assert refusal is not None and refusal.code == "purpose.unfit" and "case" in refusal.allowed


@pytest.mark.parametrize("purpose", PURPOSES)
def test_only_a_case_must_bring_its_number(purpose: str) -> None:
    decided = decide_purpose(purpose, "  ")
    assert isinstance(decided, Refusal) == (purpose == "case")


@pytest.mark.parametrize("number", ["AJ-20261123-0007", " aj-20261123-0007 ", "浙长公〔2026〕12", "A3305222026110001"])
def test_numbers_of_all_offices_are_taken(number: str) -> None:
    assert decide_purpose("case", number) == ("case", number.strip().upper())


@pytest.mark.parametrize("number", ["1", "a b c d", "x" * 41, "<script>"])
def test_a_case_number_has_a_form(number: str) -> None:
    refusal = decide_purpose("case", number)
    assert isinstance(refusal, Refusal) and refusal.field == "case_number"


def test_every_disclosed_field_and_action_has_words_for_the_person() -> None:
    for fields in (OCCUPANT_FIELDS, PERSON_FIELDS, FOUND_FIELDS, ("right", "outcome")):
        assert set(fields) <= set(FIELDS)
    assert all(zh and en for zh, en in (*DISCLOSURES.values(), *FIELDS.values()))


@given(st.text(min_size=2, max_size=50))
def test_a_masked_name_shows_one_character(name: str) -> None:
    masked = mask_name(name)
    assert masked[0] == name[0] and set(masked[1:]) == {"*"} and len(masked) <= 4


@pytest.mark.parametrize(
    ("area", "division", "inside"),
    [
        ("330522003", "330522003900", True),
        ("330522003900", "330522003900", True),
        ("330522003", "330522001001", False),
        ("330522003900", "330522003", False),
        ("", "330522003900", False),
    ],
)
def test_an_area_covers_what_lies_under_its_code(area: str, division: str, inside: bool) -> None:
    assert covers(area, division) is inside


def test_roles_are_those_of_the_table() -> None:
    assert set(ROLES) == set(officer_rows.ROLES)


def test_a_complete_officer_has_no_fault() -> None:
    assert find_officer_faults("wang.li", "王", "太湖派出所", "officer", "330522003", "a long password") == []


@pytest.mark.parametrize(("office", "code"), [(" ", "input.missing"), ("所" * 61, "input.length")])
def test_an_office_is_named_and_fits_its_column(office: str, code: str) -> None:
    [fault] = find_officer_faults("wang.li", "王", office, "officer", "330522003", None)
    assert (fault.field, fault.code) == ("office", code)
