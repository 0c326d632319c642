"""When a deletion takes effect: after the days to reconsider and every known end, never before an unknown one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from backend.domain.erasures import OBSTACLES, TIME_TO_RECONSIDER, Waits, goes_at
from backend.domain.rules import RULES

ASKED = datetime(2026, 11, 23, 2, tzinfo=UTC)


def test_without_obstacles_it_takes_effect_after_the_days_to_reconsider() -> None:
    assert goes_at(ASKED, ()) == ASKED + TIME_TO_RECONSIDER


def test_the_last_known_end_counts_when_it_is_later() -> None:
    near, far = ASKED + timedelta(days=1), ASKED + timedelta(days=30)
    assert goes_at(ASKED, [Waits("identity", near)]) == ASKED + TIME_TO_RECONSIDER
    assert goes_at(ASKED, [Waits("identity", far), Waits("identity", near)]) == far


def test_what_nobody_can_say_the_end_of_holds_everything() -> None:
    assert goes_at(ASKED, [Waits("identity", ASKED), Waits("home")]) is None


def test_every_obstacle_names_a_rule_and_what_to_do_in_both_languages() -> None:
    for row in OBSTACLES.values():
        assert row.rule in RULES
        assert all((row.zh, row.en, row.remedy_zh, row.remedy_en))
