"""The ledger: deadlines and coverage."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from backend.domain.ledger import (
    DWELLING_STATES,
    SPACE_NAMES,
    UNIT_STATES,
    coverage_percent,
    deadline_of,
    dwelling_state,
)
from backend.models.units import SPACE_KINDS

DUE = date(2026, 11, 23)


@pytest.mark.parametrize(
    ("today", "done_at", "state", "days"),
    [
        (date(2026, 11, 20), None, "open", 3),
        (DUE, None, "open", 0),
        (date(2026, 11, 24), None, "overdue", 1),
        (date(2026, 12, 1), datetime(2026, 11, 23, 15, 59, tzinfo=UTC), "met", 0),
        (date(2026, 12, 1), datetime(2026, 11, 23, 16, 0, tzinfo=UTC), "late", 1),
    ],
)
def test_a_duty_lasts_to_the_end_of_its_day_in_china(
    today: date, done_at: datetime | None, state: str, days: int
) -> None:
    duty = deadline_of("HK-15", "tenant", DUE, done_at, today)
    assert (duty.state, duty.days) == (state, days)


def test_coverage_is_in_percent_of_the_rentals_known() -> None:
    assert coverage_percent(3, 5) == 60.0 and coverage_percent(1, 3) == 33.3
    assert coverage_percent(0, 0) is None


def test_every_kind_of_space_has_a_name() -> None:
    assert set(SPACE_NAMES) == set(SPACE_KINDS)


def test_what_needs_somebody_stands_for_the_whole_dwelling() -> None:
    assert set(DWELLING_STATES) == set(UNIT_STATES)
    nothing = dict.fromkeys(UNIT_STATES, 0)
    assert dwelling_state(nothing) == "not_enrolled"
    assert dwelling_state({**nothing, "no_one_registered": 7, "registered": 1}) == "registered"
    assert dwelling_state({**nothing, "registered": 40, "overdue": 1, "not_enrolled": 3}) == "overdue"
    assert dwelling_state({**nothing, "overdue": 9, "disputed": 1}) == "disputed"
