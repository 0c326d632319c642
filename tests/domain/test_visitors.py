"""Visitors' keys: limited by day, by hours or by number, so that none of them is a residence."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from backend.domain.visitors import (
    EMERGENCIES,
    PURPOSES,
    WeeklyWindow,
    emergency_days,
    ends_at,
    find_visitor_key_faults,
    is_within,
)

TODAY = date(2026, 11, 23)  # a Monday
MORNING = WeeklyWindow("135", 9 * 60, 11 * 60)


def faults_of(**changes: Any) -> list[tuple[str, str | None]]:
    given: dict[str, Any] = {
        "purpose": "repair",
        "starts_on": TODAY,
        "ends_on": TODAY + timedelta(days=2),
        "sched": (MORNING,),
        "uses": None,
        "emergency": None,
        "today": TODAY,
        **changes,
    }
    return [(fault.code, fault.field) for fault in find_visitor_key_faults(**given)]


def test_a_key_for_a_purpose_with_windows_or_counted_uses_is_a_visitors_key() -> None:
    for purpose in PURPOSES:
        assert faults_of(purpose=purpose) == []
    assert faults_of(sched=(), uses=10) == []
    assert faults_of(sched=(MORNING,), uses=1, ends_on=TODAY + timedelta(days=30)) == []
    assert faults_of(starts_on=TODAY - timedelta(days=3), ends_on=TODAY) == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"purpose": "living"}, [("input.not_one_of", "purpose")]),
        ({"ends_on": TODAY + timedelta(days=31)}, [("visitor.dates", "ends_on")]),
        ({"ends_on": TODAY - timedelta(days=1)}, [("input.date_order", "ends_on")]),
        ({"starts_on": date(2026, 11, 1), "ends_on": date(2026, 11, 22)}, [("visitor.dates", "ends_on")]),
        ({"sched": ()}, [("visitor.unlimited", "sched")]),
        ({"sched": (), "uses": 11}, [("visitor.uses", "uses")]),
        ({"sched": (), "uses": 0}, [("visitor.uses", "uses")]),
        ({"sched": (WeeklyWindow("1", 5 * 60 + 59, 7 * 60),)}, [("visitor.windows", "sched")]),
        ({"sched": (WeeklyWindow("1", 21 * 60, 22 * 60 + 1),)}, [("visitor.windows", "sched")]),
        ({"sched": (WeeklyWindow("1", 600, 600),)}, [("visitor.windows", "sched")]),
        ({"sched": (WeeklyWindow("8", 600, 660),)}, [("visitor.windows", "sched")]),
        ({"sched": (WeeklyWindow("11", 600, 660),)}, [("visitor.windows", "sched")]),
        ({"sched": (WeeklyWindow("", 600, 660),)}, [("visitor.windows", "sched")]),
        ({"sched": (MORNING,) * 15}, [("visitor.windows", "sched")]),
        ({"emergency": "rent"}, [("input.not_one_of", "emergency")]),
        ({"emergency": "gas", "uses": 3}, [("visitor.uses", "uses")]),
    ],
)
def test_what_would_be_a_residence_is_no_visitors_key(changes: dict[str, Any], expected: list[Any]) -> None:
    assert faults_of(**changes) == expected


def test_an_emergency_needs_neither_dates_nor_windows_and_ends_after_four_hours() -> None:
    for emergency in EMERGENCIES:
        assert faults_of(emergency=emergency, sched=(), ends_on=TODAY) == []
    late = datetime(2026, 11, 23, 13, 30, tzinfo=UTC)  # 21:30 in China
    assert emergency_days(late) == (TODAY, TODAY + timedelta(days=1))
    assert ends_at(late, TODAY, "fire") == late + timedelta(hours=4)
    assert ends_at(late, TODAY, None) == datetime(2026, 11, 23, 16, 0, tzinfo=UTC), "the end of its last day in China"


def test_a_window_is_read_in_china_and_excludes_its_end() -> None:
    assert is_within((), datetime(2026, 11, 23, 20, 0, tzinfo=UTC))
    assert is_within((MORNING,), datetime(2026, 11, 23, 1, 0, tzinfo=UTC))  # Monday 09:00
    assert not is_within((MORNING,), datetime(2026, 11, 23, 3, 0, tzinfo=UTC))  # 11:00
    assert not is_within((MORNING,), datetime(2026, 11, 24, 1, 0, tzinfo=UTC))  # Tuesday
    assert is_within((MORNING,), datetime(2026, 11, 27, 2, 59, tzinfo=UTC))  # Friday 10:59
