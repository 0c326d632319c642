"""Small counts are hidden, and cannot be worked out from the sum."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.domain.suppression import LEAST, hide_small


@pytest.mark.parametrize(
    ("counts", "shown"),
    [
        ([], []),
        ([0, 5, 9], [0, 5, 9]),
        ([3], [None]),
        ([1, 4, 9], [None, None, 9]),
        ([3, 6, 9], [None, None, 9]),
        ([3, 0, 0], [None, 0, 0]),
    ],
)
def test_one_to_four_are_hidden_and_never_alone_beside_a_larger_one(
    counts: list[int], shown: list[int | None]
) -> None:
    assert hide_small(counts) == shown


@given(st.lists(st.integers(min_value=0, max_value=40), max_size=8))
def test_whatever_is_shown_is_true_and_not_small(counts: list[int]) -> None:
    shown = hide_small(counts)
    for seen, real in zip(shown, counts, strict=True):
        assert seen is None or (seen == real and not 0 < real < LEAST)
    assert shown.count(None) != 1 or sum(real >= LEAST for real in counts) == 0
