"""Lease dates beside each other; spaces that may be let."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.domain.calendars import LATEST_YEAR
from backend.domain.leases import Term, decide_extension, find_term_faults
from backend.domain.spaces import (
    NOT_LETTABLE,
    decide_right,
    decide_seeing,
    find_space_faults,
    is_mandate_over,
    most_persons,
)

TODAY = date(2026, 11, 23)
DAYS = st.dates(date(2026, 1, 1), date(2027, 12, 31))


@given(DAYS, st.integers(0, 400), DAYS, st.integers(0, 400))
def test_terms_overlap_exactly_when_they_share_a_day(a: date, a_days: int, b: date, b_days: int) -> None:
    first, second = Term(a, a + timedelta(days=a_days)), Term(b, b + timedelta(days=b_days))
    days = {a + timedelta(days=n) for n in range(a_days + 1)} & {b + timedelta(days=n) for n in range(b_days + 1)}
    assert first.overlaps(second) == bool(days) == second.overlaps(first)


def test_an_open_ended_lease_overlaps_everything_after_its_start() -> None:
    assert Term(date(2026, 1, 1), None).overlaps(Term(date(2030, 1, 1), None))
    assert not Term(date(2026, 1, 1), None).overlaps(Term(date(2025, 1, 1), date(2025, 12, 31)))


def test_an_overlap_names_the_lease_in_the_way_by_its_dates() -> None:
    others = [Term(date(2026, 11, 1), date(2026, 12, 31))]
    faults = find_term_faults(Term(TODAY, None), TODAY, others)
    assert [f.code for f in faults] == ["lease.overlap"]
    assert "2026-12-31" in faults[0].sentence("en")


def test_beds_of_a_unit_may_be_let_side_by_side_up_to_its_capacity() -> None:
    others = [Term(date(2026, 11, 1), None)]
    assert find_term_faults(Term(TODAY, None), TODAY, others, beds=2) == []
    assert find_term_faults(Term(TODAY, None), TODAY, others * 2, beds=2) != []


def test_dates_in_the_wrong_order_or_in_the_past_are_refused() -> None:
    assert [f.code for f in find_term_faults(Term(TODAY, TODAY - timedelta(days=1)), TODAY, [])] == ["input.date_order"]
    past = Term(TODAY - timedelta(days=30), TODAY - timedelta(days=1))
    assert [f.code for f in find_term_faults(past, TODAY, [])] == ["lease.past"]
    assert [f.code for f in find_term_faults(Term(date(2020, 1, 1), None), TODAY, [])] == ["lease.start"]


def test_a_lease_ends_in_a_year_that_somebody_may_mean_or_not_at_all() -> None:
    assert find_term_faults(Term(TODAY, date(LATEST_YEAR, 12, 31)), TODAY, []) == []
    [fault] = find_term_faults(Term(TODAY, date(9999, 12, 31)), TODAY, [])
    assert (fault.code, fault.field) == ("input.year", "ends_on")
    assert "2200" in fault.sentence("en") and "2200" in fault.sentence("zh")


def test_one_side_extends_but_never_shortens_a_lease() -> None:
    end = date(2027, 1, 1)
    assert decide_extension(end, date(2027, 6, 1), TODAY) is None
    assert decide_extension(end, None, TODAY) is None
    refusal = decide_extension(end, date(2026, 12, 1), TODAY)
    assert refusal is not None
    assert refusal.reason.rule == "HR-12"
    assert decide_extension(None, date(2030, 1, 1), TODAY) is not None


@pytest.mark.parametrize("space", NOT_LETTABLE)
def test_spaces_not_meant_for_living_are_refused_with_rule_hr_7(space: str) -> None:
    faults = find_space_faults(space, 20, 1)
    assert [(f.code, f.field, f.reason.rule) for f in faults] == [("unit.space", "space_kind", "HR-7")]


def test_capacity_follows_area_per_head_and_persons_per_room() -> None:
    assert most_persons("bedroom", 30) == 2
    assert most_persons("bedroom", 6) == 1
    assert most_persons("whole_home", 60) == 12
    assert [f.code for f in find_space_faults("bedroom", 30, 3)] == ["unit.capacity"]
    assert [f.code for f in find_space_faults("bedroom", 0, 1)] == ["unit.area"]


def test_a_mandate_needs_an_end_after_today() -> None:
    assert decide_right("owner", None, TODAY) is None
    for ends_on in (None, TODAY):
        refusal = decide_right("mandate", ends_on, TODAY)
        assert refusal is not None
        assert refusal.field == "mandate_ends_on"
    assert decide_right("mandate", TODAY + timedelta(days=1), TODAY) is None


@pytest.mark.parametrize(("days", "over"), [(-1, True), (0, False), (1, False)])
def test_a_mandate_is_over_the_day_after_its_end_and_no_other_right_ever_is(days: int, over: bool) -> None:
    assert is_mandate_over(TODAY + timedelta(days=days), TODAY) is over
    assert not is_mandate_over(None, TODAY)


def test_nobody_says_that_their_own_right_was_seen() -> None:
    refusal = decide_seeing("沈安一 ", "沈安一")
    assert refusal is not None and refusal.code == "right.own"
    assert decide_seeing("民警甲", "沈安一") is None
