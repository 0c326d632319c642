"""Whole numbers from outside: ASCII digits within a bound, whatever else is nothing and never an error."""

from __future__ import annotations

import pytest

from backend.domain.whole_numbers import MOST, read_whole


@pytest.mark.parametrize(
    "text, number",
    [
        ("0", 0), ("7", 7), ("007", 7), ("0" * 5000 + "7", 7), (str(MOST), MOST), (str(MOST + 1), None),
        ("9" * 5000, None), ("", None), ("²", None), ("１２", None), ("٣", None), ("-1", None), ("+1", None),
        ("1_0", None), (" 1", None), ("1.0", None), ("1e3", None),
    ],
)  # fmt: skip
def test_only_ascii_digits_up_to_the_bound_are_a_whole_number(text: str, number: int | None) -> None:
    assert read_whole(text) == number


def test_the_bound_itself_still_counts() -> None:
    assert (read_whole("59", 59), read_whole("60", 59)) == (59, None)
