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
    assert all(ground_of_case(kind) in GROUNDS for kind in KINDS)


@pytest.mark.parametrize("state", UNIT_STATES)
def test_a_unit_in_order_gives_no_ground(state: str) -> None:
    assert grounds_of_unit(state, ()) == (() if state == "registered" else (state,))


def test_a_missed_duty_is_a_ground_beside_the_state() -> None:
    assert grounds_of_unit("registered", ("ZJ-9-2", "RP-10")) == ("check_out_overdue",)
    assert grounds_of_unit("registered", (), right_unseen=True) == ("right_unseen",)
    assert grounds_of_unit("overdue", ("HK-15", "ZJ-9-1")) == ("overdue", "report_overdue")


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
