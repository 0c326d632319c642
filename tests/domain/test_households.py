"""Who may declare for whom (ZJ-7), and how relations are said to the registry."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import backend.registry
from backend.domain import guardians, households
from backend.models import registrations as rows

CODES = json.loads((Path(backend.registry.__file__).parent / "code_tables.json").read_text(encoding="utf-8"))


def codes(faults: list[households.Refusal]) -> list[str]:
    return [fault.code for fault in faults]


def test_the_words_are_those_the_table_holds() -> None:
    assert set(households.RELATIONS) == set(rows.RELATIONS)
    assert set(households.REPRESENTATIONS) == set(rows.REPRESENTATIONS)
    assert set(households.DECLARED_BY) == set(rows.DECLARED_BY) == set(CODES["declared_by"])


def test_every_relation_has_a_code_of_the_registry() -> None:
    assert {households.relation_code(one) for one in households.RELATIONS} <= set(CODES["relation"])
    assert {households.guardian_code(one) for one in guardians.RELATIONS} <= set(CODES["relation"])
    assert households.guardian_code("other") == "guardian" and households.guardian_code("mother") == "mother"
    assert {households.relation_of_child(one) for one in guardians.RELATIONS} <= set(households.RELATIONS)


@pytest.mark.parametrize(
    ("band", "declared_by", "has_guardian", "code"),
    [
        ("adult", "self", False, None),
        ("adult", "relative", False, None),
        ("adult", "guardian", True, "guardian.grown"),
        ("adult", "paper", False, None),
        ("under_16", "self", True, "person.minor"),
        ("under_14", "relative", True, "person.minor"),
        ("under_16", "guardian", True, None),
        ("under_14", "window", True, None),
        ("under_14", "window", False, "household.guardian"),
        ("under_14", "guardian", False, "household.guardian"),
    ],
)
def test_under_sixteen_a_known_guardian_declares(
    band: str, declared_by: str, has_guardian: bool, code: str | None
) -> None:
    refusal = households.decide_declarer(band, declared_by, has_guardian)
    assert (refusal.code if refusal else None) == code


def test_an_entry_says_who_it_is_and_that_they_were_told() -> None:
    assert households.find_member_faults("spouse", "adult", None, True) == []
    assert codes(households.find_member_faults("neighbour", "under_14", None, False)) == [
        "input.not_one_of", "household.child", "household.told",
    ]  # fmt: skip


@pytest.mark.parametrize("reason", households.REPRESENTATIONS)
def test_only_a_relative_represents_and_for_a_known_reason(reason: str) -> None:
    assert households.find_representation_faults("parent", reason) == []
    assert codes(households.find_representation_faults("other", reason)) == ["household.kin"]
    assert codes(households.find_representation_faults("parent", "busy")) == ["input.not_one_of"]


def test_a_relative_is_declared_with_the_entry_and_nobody_else() -> None:
    assert {one for one in households.RELATIONS if not households.is_declared_at_entry(one)} == {"other"}


def test_capacity_is_passed_by_the_first_person_too_many() -> None:
    assert [households.is_over_capacity(living, 2) for living in (1, 2, 3)] == [False, False, True]


def test_nobody_leaves_along_who_is_not_answered_for() -> None:
    assert households.choose_leaving(["a"], ["a", "b"]) == []
    assert codes(households.choose_leaving(["a", "c"], ["a", "b"])) == ["not_found"]
