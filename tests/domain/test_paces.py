"""How often one caller may call."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from backend.domain import paces
from backend.domain.paces import Pace

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def test_what_is_too_much_is_told_when_to_come_again_and_others_are_not_kept_waiting() -> None:
    pace = Pace(2, MINUTE)
    assert [pace.count("a", NOW), pace.count("a", NOW + MINUTE / 2)] == [0, 0]
    assert pace.count("a", NOW + MINUTE / 2) == 30
    assert pace.count("b", NOW + MINUTE / 2) == 0
    assert pace.count("a", NOW + MINUTE) == 0


def test_a_clock_set_back_keeps_nobody_waiting() -> None:
    pace = Pace(1, MINUTE)
    assert pace.count("a", NOW) == 0
    assert pace.count("a", NOW - timedelta(hours=1)) == 0


def test_who_called_longest_ago_is_forgotten_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paces, "MOST_CALLERS", 2)
    pace = Pace(1, MINUTE)
    for caller in ("a", "b", "a", "c"):
        pace.count(caller, NOW)
    assert (pace.count("a", NOW), pace.count("b", NOW)) == (60, 0)
