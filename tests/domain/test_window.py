"""When a paper form counts."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from backend.domain.window import ACTS, decide_receipt, receipt_time

TODAY = date(2026, 3, 1)
NOW = datetime(2026, 3, 1, 2, 30, tzinfo=UTC)


@pytest.mark.parametrize(("days", "stands"), [(-1, False), (0, True), (30, True), (31, False)])
def test_a_stamp_stands_for_thirty_days_and_never_ahead(days: int, stands: bool) -> None:
    refusal = decide_receipt(TODAY - timedelta(days=days), TODAY)
    assert (refusal is None) == stands
    assert decide_receipt(None, TODAY) is None


def test_a_form_counts_from_the_beginning_of_the_day_of_its_stamp_in_china() -> None:
    assert receipt_time(None, NOW) == NOW
    assert receipt_time(date(2026, 2, 28), NOW) == datetime(2026, 2, 27, 16, 0, tzinfo=UTC)
    assert receipt_time(TODAY, NOW) == datetime(2026, 2, 28, 16, 0, tzinfo=UTC) < NOW


def test_who_leaves_and_who_takes_papers_home_stands_there() -> None:
    there = {code for code, act in ACTS.items() if not act.on_paper}
    assert {"check_out", "export", "print_access", "print_receipt", "print_codes", "link_phone"} <= there
    assert {"declare", "amend", "record_lease"}.isdisjoint(there)
