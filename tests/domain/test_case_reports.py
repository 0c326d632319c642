"""Reports: facts first, words about things, ratings of the list, one reopening."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from backend.domain.case_reports import (
    RATING_REASONS,
    REOPEN_WITHIN,
    REPORTED,
    REPORTS,
    SEND_BACK_REASONS,
    decide_reopen,
    decide_side,
    find_rating_faults,
    find_words_faults,
    kinds_of_side,
    rule_of_report,
)
from backend.domain.cases import KINDS, checked_kinds, closing_state, decide_action, decide_check
from backend.domain.help_requests import EMERGENCY, help_text
from backend.domain.rules import RULES

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


def test_every_kind_that_is_reported_is_a_kind_of_case_that_is_checked_and_answered() -> None:
    assert {*REPORTED, "visit"} == set(checked_kinds()), "and field work, which nobody reported"
    assert all(closing_state(kind) == ("answered" if kind in checked_kinds() else "handled") for kind in KINDS)


def test_facts_belong_to_one_kind_and_their_rules_exist() -> None:
    facts = [fact for kind in REPORTS.values() for fact in kind.facts]
    assert len(facts) == len(set(facts))
    rules = {each.rule for kind in REPORTS.values() for each in (kind, *kind.facts.values())}
    assert rules - {None} <= set(RULES)


def test_the_first_fact_with_a_rule_says_which_rule_it_is_about() -> None:
    assert rule_of_report("unsafe_dwelling", ["wires_bare"]) is None
    assert rule_of_report("unsafe_dwelling", ["wires_bare", "not_for_living"]) == "HR-7"
    assert rule_of_report("landlord_duty", ["key_as_pressure"]) == "HR-12"


def test_a_stranger_reports_what_anybody_sees_and_a_landlord_not_on_landlords() -> None:
    assert kinds_of_side("resident") == ("unsafe_dwelling", "resident_report")
    assert "landlord_duty" in kinds_of_side("tenant") and "landlord_duty" not in kinds_of_side("landlord")
    refused = decide_side("lock_trouble", "resident")
    assert refused is not None and (refused.code, refused.field) == ("report.not_own", "unit_no")


@pytest.mark.parametrize(
    ("words", "fine"),
    [
        ("3 楼 302 的插座，220V", True),
        ("2026-11-23 起停水", False),  # eight digits in a row, however grouped: write it as 11月23日
        ("电话 139 0000 1234", False),
        ("139.0000.1234", False),
        ("330522-19900101-0001", False),
        ("", True),
    ],
)
def test_words_hold_no_long_number(words: str, fine: bool) -> None:
    assert (find_words_faults(words, "words", 200) == []) == fine


def test_a_rating_is_one_to_five_and_its_reason_of_the_list() -> None:
    assert find_rating_faults(1, None) == [] and find_rating_faults(5, "quick") == []
    assert [fault.field for fault in find_rating_faults(6, "he was rude")] == ["stars", "reason"]
    assert not set(RATING_REASONS) & set(SEND_BACK_REASONS)


@pytest.mark.parametrize(
    ("state", "age", "again", "code"),
    [
        ("answered", timedelta(days=1), False, None),
        ("answered", REOPEN_WITHIN, False, None),
        ("answered", REOPEN_WITHIN + timedelta(seconds=1), False, "report.reopen_late"),
        ("answered", timedelta(days=1), True, "report.reopened"),
        ("rated", timedelta(days=1), False, "transition"),
        ("handled", timedelta(days=1), False, "transition"),
    ],
)
def test_reopening_is_once_and_within_a_month(state: str, age: timedelta, again: bool, code: str | None) -> None:
    refused = decide_reopen(state, NOW - age, NOW if again else None, NOW)
    assert (refused.code if refused else None) == code


def test_nobody_checks_their_own_work_and_what_is_not_checked_is_over_when_handled() -> None:
    own = decide_check("unsafe_dwelling", "handled", "check", "me", "me")
    assert own is not None and own.code == "case.own_work"
    assert decide_check("unsafe_dwelling", "handled", "check", "you", "me") is None
    over = decide_action("handled", "check", "identity_review")
    assert over is not None and over.allowed == ()


def test_the_message_says_the_number_for_an_emergency_and_an_address_only_when_given() -> None:
    plain, placed = help_text("0007", None), help_text("0007", "陈塘路1号101室")
    assert plain.count(EMERGENCY) == placed.count(EMERGENCY) == 2
    assert "陈塘路" not in plain and placed.count("陈塘路1号101室") == 2
