"""No withheld count can be subtracted back: random tables against a reader who solves for what is hidden."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.domain.area_tables import AreaTables
from backend.domain.suppression import LEAST, Row, Shown, suppress_one, suppress_row

Equation = tuple[list[int], int]  # places of the parts, place of their sum

COUNTS = st.one_of(st.integers(0, 6), st.integers(0, 400))
ROWS = st.lists(COUNTS, min_size=1, max_size=7)
TABLES = st.tuples(st.integers(1, 4), st.integers(1, 4)).flatmap(
    lambda size: st.lists(st.lists(COUNTS, min_size=size[1], max_size=size[1]), min_size=size[0], max_size=size[0])
)


def laid_out(table: Sequence[Sequence[int]]) -> list[list[int]]:
    """A table with its totals as a last column and a last row."""
    rows = [[*row, sum(row)] for row in table]
    return [*rows, [sum(column) for column in zip(*rows, strict=True)]]


def shown_of(table: Sequence[Sequence[int]]) -> list[list[Shown]]:
    """What is published of it, the rows being the villages of one street, laid out alike."""
    places = [(f"330522003{n:03d}", tuple(row)) for n, row in enumerate(table)]
    tables = AreaTables(places, len(table[0]))
    rows = [tables.row(code) for code in (*(code for code, _ in places), "330522003")]
    return [[*row.cells, row.total] for row in rows]


def equations(height: int, width: int) -> list[Equation]:
    """The sums of a laid-out table, by places counted row by row."""
    across = [([r * width + c for c in range(width - 1)], r * width + width - 1) for r in range(height)]
    down = [([r * width + c for r in range(height - 1)], (height - 1) * width + c) for c in range(width)]
    return across + down


def is_possible(known: dict[int, int], hidden: set[int], sums: list[Equation], most: int) -> bool:
    """Whether whole numbers from 1 to `most` in the hidden places fit all sums: bounds first, then trying out."""
    low, high = dict.fromkeys(hidden, 1), dict.fromkeys(hidden, most)
    for place, value in known.items():
        low[place] = high[place] = value
    if not narrow(low, high, sums):
        return False
    return any(True for _ in solutions(low, high, sums))


def narrow(low: dict[int, int], high: dict[int, int], sums: list[Equation]) -> bool:
    """Pull bounds together until nothing moves; False when they cross."""
    moved = True
    while moved:
        moved = False
        for parts, whole in sums:
            signed = [(part, 1) for part in parts] + [(whole, -1)]
            for place, sign in signed:
                others = [(p, s) for p, s in signed if p != place]
                least = sum(s * (low[p] if s > 0 else high[p]) for p, s in others)
                greatest = sum(s * (high[p] if s > 0 else low[p]) for p, s in others)
                down, up = (-greatest, -least) if sign > 0 else (least, greatest)
                if down > low[place]:
                    low[place], moved = down, True
                if up < high[place]:
                    high[place], moved = up, True
                if low[place] > high[place]:
                    return False
    return True


def solutions(low: dict[int, int], high: dict[int, int], sums: list[Equation]) -> Iterator[dict[int, int]]:
    """Every filling within the bounds, the narrowest place tried first."""
    open_places = [place for place in low if low[place] < high[place]]
    if not open_places:
        yield dict(low)
        return
    place = min(open_places, key=lambda each: high[each] - low[each])
    for value in range(low[place], high[place] + 1):
        lower, upper = {**low, place: value}, {**high, place: value}
        if narrow(lower, upper, sums):
            yield from solutions(lower, upper, sums)


def pinned(true: list[int], shown: list[Shown], sums: list[Equation]) -> list[int]:
    """The withheld places that can be nothing but what they are.

    The possible values of one place are an interval (the sums are those of a network), so that a place which can be
    neither one more nor one less is pinned.
    """
    known = {place: value for place, value in enumerate(shown) if value is not None}
    hidden = {place for place, value in enumerate(shown) if value is None}
    most = max(true) + 2
    return [
        place
        for place in hidden
        if not any(
            other >= 1 and is_possible({**known, place: other}, hidden - {place}, sums, most)
            for other in (true[place] + 1, true[place] - 1)
        )
    ]


@given(TABLES)
def test_nobody_can_solve_for_a_withheld_cell_of_a_table(table: list[list[int]]) -> None:
    true, shown = laid_out(table), shown_of(table)
    flat = [value for row in shown for value in row]
    assert pinned([v for row in true for v in row], flat, equations(len(true), len(true[0]))) == []


@given(ROWS)
def test_nobody_can_solve_for_a_withheld_cell_of_a_row(counts: list[int]) -> None:
    found = suppress_row(counts)
    sums: list[Equation] = [(list(range(len(counts))), len(counts))]
    assert pinned([*counts, sum(counts)], [*found.cells, found.total], sums) == []


@given(TABLES)
def test_what_is_shown_is_true_and_nothing_small_is_shown(table: list[list[int]]) -> None:
    for true, shown in zip(laid_out(table), shown_of(table), strict=True):
        for count, seen in zip(true, shown, strict=True):
            assert seen in (None, count)
            assert count == 0 or seen is None or seen >= LEAST
            assert count != 0 or seen == 0


@given(TABLES)
def test_where_nothing_is_small_nothing_is_withheld(table: list[list[int]]) -> None:
    large = [[count + LEAST if count else 0 for count in row] for row in table]
    assert shown_of(large) == laid_out(large)


def test_the_reader_finds_what_is_only_half_hidden() -> None:
    """The reader of the tests above is one who succeeds where small counts alone are withheld."""
    table = [[3, 20, 30], [40, 50, 60]]
    true = [value for row in laid_out(table) for value in row]
    naive = [None if 0 < value < LEAST else value for value in true]
    assert pinned(true, naive, equations(3, 4)) == [0]
    one_per_line = [[None if v < LEAST else v for v in row] for row in laid_out([[1, 9], [9, 1]])]
    assert pinned([1, 9, 10, 9, 1, 10, 10, 10, 20], sum(one_per_line, []), equations(3, 3)) == [0, 4]


def test_two_of_a_sum_of_two_are_one_each_so_a_third_is_withheld() -> None:
    assert suppress_row([1, 1, 50, 9]).cells == (None, None, 50, None)


def test_the_cheapest_cells_are_given_up_and_totals_last() -> None:
    found = shown_of([[3, 20, 30], [7, 50, 6], [80, 90, 8]])
    assert [row[:3] for row in found[:3]] == [[None, 20, None], [None, 50, None], [80, 90, 8]]
    assert None not in (*found[3], *(row[3] for row in found))
    assert suppress_row([3]) == Row((None,), None)


@pytest.mark.parametrize(("count", "shown"), [(0, 0), (1, None), (4, None), (5, 5)])
def test_a_count_by_itself(count: int, shown: int | None) -> None:
    assert suppress_one(count) == shown


def test_rows_of_different_lengths_are_no_table() -> None:
    with pytest.raises(ValueError, match="shorter|longer"):
        shown_of([[1, 2], [3]])
