"""Working days with moved days, clamped months."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.domain.calendars import (
    day_of,
    end_of,
    is_published,
    is_working_day,
    months_after,
    start_of,
    working_days_after,
)


@pytest.mark.parametrize(
    ("event", "due"),
    [
        (date(2026, 11, 23), date(2026, 11, 26)),  # Monday to Thursday
        (date(2026, 11, 20), date(2026, 11, 25)),  # over a weekend
        (date(2026, 2, 13), date(2026, 2, 25)),  # Spring Festival 15 to 23 February, 14 February is worked
        (date(2026, 9, 30), date(2026, 10, 10)),  # National Day 1 to 7 October, Saturday 10 October is worked
    ],
)
def test_three_working_days_skip_holidays_and_count_moved_saturdays(event: date, due: date) -> None:
    assert working_days_after(event, 3) == due


def test_a_moved_saturday_is_a_working_day() -> None:
    assert is_working_day(date(2026, 2, 14))
    assert not is_working_day(date(2026, 11, 21))


def test_a_year_without_a_published_calendar_counts_monday_to_friday() -> None:
    assert not is_published(date(2050, 1, 3))
    assert working_days_after(date(2050, 1, 7), 1) == date(2050, 1, 10)


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [
        (date(2026, 8, 31), 6, date(2027, 2, 28)),
        (date(2027, 8, 31), 6, date(2028, 2, 29)),
        (date(2026, 11, 23), 6, date(2027, 5, 23)),
        (date(2026, 12, 31), 6, date(2027, 6, 30)),
    ],
)
def test_half_a_year_is_six_calendar_months_clamped(start: date, months: int, end: date) -> None:
    assert months_after(start, months) == end


def test_a_day_in_china_begins_eight_hours_before_utc() -> None:
    assert day_of(datetime(2026, 11, 22, 16, 0, tzinfo=UTC)) == date(2026, 11, 23)
    assert start_of(date(2026, 11, 23)) == datetime(2026, 11, 22, 16, 0, tzinfo=UTC)
    assert end_of(date(2026, 11, 23)) < datetime(2026, 11, 23, 16, 0, tzinfo=UTC)


@given(st.dates(date(2005, 1, 1), date(2060, 1, 1)), st.integers(1, 10))
def test_a_deadline_is_a_working_day_with_just_that_many_working_days_before_it(event: date, count: int) -> None:
    due = working_days_after(event, count)
    between = [event + timedelta(days=n) for n in range(1, (due - event).days + 1)]
    assert is_working_day(due)
    assert sum(is_working_day(day) for day in between) == count
