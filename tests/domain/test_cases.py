"""Cases: machine, deciders, decisions, due times."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from backend.domain.cases import (
    KINDS,
    OFFICES,
    REASON_NAMES,
    STATE_NAMES,
    TRANSITIONS,
    decide_action,
    due_time_of,
    find_decision_faults,
    is_closed_for,
    kinds_for,
)
from backend.domain.officers import ROLES
from backend.models.cases import CASE_KINDS, CASE_STATES

MONDAY = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
TODAY = date(2026, 11, 23)


@pytest.mark.parametrize(
    ("role", "kind", "state", "waits", "closed"),
    [("officer", "void_request", "assigned", False, False), ("supervisor", "void_request", "handled", False, True),
     ("officer", "unsafe_dwelling", "handled", False, True), ("supervisor", "unsafe_dwelling", "handled", False, False),
     ("officer", "unsafe_dwelling", "checked", True, False), ("supervisor", "unsafe_dwelling", "checked", False, True),
     ("supervisor", "unsafe_dwelling", "answered", True, True)],
)  # fmt: skip
def test_a_case_is_closed_for_whoever_owes_it_nothing_more(
    role: str, kind: str, state: str, waits: bool, closed: bool
) -> None:
    assert is_closed_for(role, kind, state, caller_waits=waits) is closed


def test_kinds_and_states_are_those_of_the_table() -> None:
    assert set(KINDS) == set(CASE_KINDS)
    assert set(STATE_NAMES) == set(TRANSITIONS) == set(CASE_STATES)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_an_office_deciders_reasons_and_a_due_time(kind: str) -> None:
    row = KINDS[kind]
    assert row.office in OFFICES and row.deciders and set(row.deciders) <= set(ROLES)
    assert row.decisions and all(reason in REASON_NAMES for d in row.decisions.values() for reason in d.reasons)
    assert due_time_of(kind, MONDAY) > MONDAY


def test_a_dispute_is_due_at_the_end_of_the_third_working_day() -> None:
    friday = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
    assert due_time_of("dispute", friday) == datetime(2026, 11, 25, 15, 59, 59, 999999, tzinfo=UTC)


def test_a_review_is_due_in_72_hours_because_somebody_waits() -> None:
    assert due_time_of("identity_review", MONDAY) - MONDAY == timedelta(hours=72)


@pytest.mark.parametrize("state", STATE_NAMES)
def test_a_case_moves_only_along_the_loop(state: str) -> None:
    for action in ("route", "claim", "release", "decide", "check", "answer", "rate"):
        refusal = decide_action(state, action)
        assert (refusal is None) == (action in TRANSITIONS[state])
        if refusal is not None:
            assert refusal.code == "transition" and refusal.allowed == tuple(TRANSITIONS[state])


def test_the_auditor_decides_nothing_and_a_grid_worker_no_identity() -> None:
    assert kinds_for("auditor") == ()
    assert "identity_review" not in kinds_for("grid_worker") and "identity_review" in kinds_for("window_clerk")


def test_no_kind_of_case_refuses_a_person_automatically() -> None:
    assert all("machine" not in reason and "score" not in reason for reason in REASON_NAMES)
    assert "confirmed" in KINDS["identity_review"].decisions


@pytest.mark.parametrize(
    ("kind", "decision", "reason", "method", "moved_out_on", "faults"),
    [
        ("identity_review", "confirmed", "same_person", "window", None, []),
        ("identity_review", "confirmed", "other_person", None, None, ["reason", "method"]),
        ("identity_review", "confirmed", "same_person", "photo", None, ["method"]),
        ("identity_review", "moved_out", "same_person", "window", None, ["decision"]),
        ("dispute", "moved_out", "seen_on_site", None, None, ["moved_out_on"]),
        ("dispute", "moved_out", "seen_on_site", None, date(2026, 11, 24), ["moved_out_on"]),
        ("dispute", "moved_out", "seen_on_site", None, TODAY, []),
        ("dispute", "still_living", "seen_on_site", None, None, []),
    ],
)
def test_a_decision_needs_its_reason_and_what_belongs_to_it(
    kind: str, decision: str, reason: str, method: str | None, moved_out_on: date | None, faults: list[str]
) -> None:
    found = find_decision_faults(kind, decision, reason, method, moved_out_on, TODAY)
    assert [fault.field for fault in found] == faults
