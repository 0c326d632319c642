"""Delegates: for a few days, and never for a home that others live in."""

from __future__ import annotations

import pytest

from backend.domain.delegations import decide_delegate


@pytest.mark.parametrize(
    ("days", "occupants", "code"),
    [
        (1, [], None),
        (3, [], None),
        (0, [], "delegate.days"),
        (4, [], "delegate.days"),
        (3, [("room", False)], "unit.occupied"),
        (3, [("whole", True), ("whole", False)], "unit.occupied"),
        (3, [("whole", True), ("whole", True)], None),
        (3, [("bed", False), ("bed", False)], None),
    ],
)
def test_a_landlords_phone_issues_no_key_to_a_home_others_live_in(
    days: int, occupants: list[tuple[str, bool]], code: str | None
) -> None:
    refusal = decide_delegate(days, occupants)
    assert (refusal.code if refusal else None) == code
    if code == "unit.occupied":
        assert refusal is not None and refusal.reason.rule == "HR-12"
