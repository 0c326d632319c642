"""Visits: grounds, outcomes and their numbers, the order of a round, the time a phone tells."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from backend.domain.cases import KINDS
from backend.domain.ledger import UNIT_STATES
from backend.domain.rules import RULES
from backend.domain.visits import (
    GROUNDS,
    NOTE_LATE,
    OUTCOMES,
    counted_people,
    decide_note,
    find_outcome_faults,
    ground_of_case,
    grounds_of_unit,
    has_ground,
    is_noted_in_time,
    noted_time,
    route_key,
)
from backend.models.visits import VISIT_OUTCOMES

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


def test_outcomes_are_those_of_the_table_and_end_a_case_as_its_kind_can_end() -> None:
    assert tuple(sorted(OUTCOMES)) == tuple(sorted(VISIT_OUTCOMES))
    for row in OUTCOMES.values():
        if row.decides is not None:
            decision, reason = row.decides
            assert reason in KINDS["visit"].decisions[decision].reasons


def test_each_ground_rests_on_a_rule_that_is_on_the_list_but_for_what_was_reported() -> None:
    assert {code for code, row in GROUNDS.items() if row.rule is None} == {"reported"}
    assert all(row.rule in RULES for row in GROUNDS.values() if row.rule)
    assert all(ground_of_case(kind, {}) in GROUNDS for kind in KINDS)
    assert ground_of_case("visit", {"ground": "overdue"}) == "overdue"
    assert ground_of_case("visit", {"question": "lease_of_those_who_stay"}) == "others_stay"


@pytest.mark.parametrize("state", UNIT_STATES)
def test_a_unit_in_order_gives_no_ground(state: str) -> None:
    assert grounds_of_unit(state, (), ()) == (() if state == "registered" else (state,))


def test_a_missed_duty_is_a_ground_beside_the_state() -> None:
    assert grounds_of_unit("registered", (), ("ZJ-9-2", "RP-10")) == ("check_out_overdue",)
    assert grounds_of_unit("registered", ("right_unseen",), ()) == ("right_unseen",)
    assert grounds_of_unit("overdue", ("overdue",), ("HK-15", "ZJ-9-1")) == ("overdue", "report_overdue")


def test_what_a_state_covers_is_a_ground_too() -> None:
    assert grounds_of_unit("overdue", ("overdue", "over_capacity"), ()) == ("overdue", "over_capacity")


@pytest.mark.parametrize(
    ("kind", "evidence", "true", "may"),
    [("visit", {"ground": "overdue"}, {"overdue"}, True), ("visit", {"ground": "overdue"}, {"disputed"}, False),
     ("overdue_registration", {}, set(), True), ("overdue_registration", {"suggestion": "declared_now"}, set(), False),
     ("over_capacity", {}, {"over_capacity"}, True), ("over_capacity", {}, set(), False),
     ("unsafe_dwelling", {}, set(), True), ("dispute", {}, set(), True)],
)  # fmt: skip
def test_a_case_is_visited_while_what_it_is_about_is_true(
    kind: str, evidence: dict[str, str], true: set[str], may: bool
) -> None:
    assert has_ground(kind, evidence, true) is may


def test_whoever_stood_at_the_door_when_the_ground_went_notes_what_came_of_it() -> None:
    before, soon, late = NOW - timedelta(minutes=1), NOW + timedelta(minutes=119), NOW + timedelta(minutes=120)
    assert [is_noted_in_time(made, NOW, "ground_gone") for made in (before, soon, late)] == [True, True, False]
    assert [is_noted_in_time(made, NOW, None) for made in (before, NOW, soon)] == [True, False, False]


def test_a_round_is_walked_by_numbers_not_by_letters() -> None:
    doors = ["陈塘路10号", "陈塘路2号", "陈塘路1-2号", "陈塘路1号", "陈塘路2号乙", "陈塘路1-10号"]
    assert sorted(doors, key=route_key) == [
        "陈塘路1-2号",
        "陈塘路1-10号",
        "陈塘路1号",
        "陈塘路2号",
        "陈塘路2号乙",
        "陈塘路10号",
    ]
    assert route_key("", "3号") != route_key("3号", "")


@pytest.mark.parametrize(
    ("outcome", "adults", "children", "counted"),
    [("counted", 2, 1, (2, 1)), ("met", None, None, None), ("met", 0, 0, (0, 0)), ("empty", None, None, (0, 0)),
     ("nobody_there", None, None, None)],
)  # fmt: skip
def test_what_was_counted(outcome: str, adults: int | None, children: int | None, counted: object) -> None:
    assert find_outcome_faults(outcome, adults, children) == []
    assert counted_people(outcome, adults, children) == counted


def test_a_phones_clock_is_believed_while_it_can_be_right() -> None:
    made = NOW - timedelta(days=1)
    then = NOW - timedelta(hours=3)
    assert noted_time(then, made, NOW) == then
    for wrong in (None, NOW + timedelta(seconds=1), made - timedelta(seconds=1)):
        assert noted_time(wrong, made, NOW) == NOW
    assert noted_time(NOW - NOTE_LATE - timedelta(1), NOW - timedelta(days=30), NOW) == NOW


@pytest.mark.parametrize(
    ("state", "mine", "code"),
    [("planned", True, None), ("planned", False, "field.not_yours"), ("done", True, "field.done"),
     ("withdrawn", True, "field.withdrawn")],
)  # fmt: skip
def test_who_notes_what_came_of_it(state: str, mine: bool, code: str | None) -> None:
    refusal = decide_note(state, "me", "me" if mine else "you")
    assert (refusal and refusal.code) == code


def test_a_withdrawn_visit_that_was_made_in_time_is_noted_by_whoever_made_it() -> None:
    assert decide_note("withdrawn", "me", "me", in_time=True) is None
    refusal = decide_note("withdrawn", "me", "you", in_time=True)
    assert refusal is not None and refusal.code == "field.not_yours"
