"""Sheets of a county, its streets and its villages read side by side: no withheld count can be solved for."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from backend.domain.area_tables import AreaTables, settle_together
from backend.domain.suppression import LEAST, Row, Shown
from tests.domain.test_suppression import Equation, pinned

COUNTY = "330522"
COUNT = st.one_of(st.just(0), st.integers(0, 3), st.integers(0, 12))
Counts = dict[str, tuple[int, ...]]


def villages(width: int) -> st.SearchStrategy[Counts]:
    codes = st.sampled_from([f"{COUNTY}00{street}90{village}" for street in range(3) for village in range(3)])
    return st.dictionaries(codes, st.tuples(*[COUNT] * width), min_size=1, max_size=6)


COUNTS = st.integers(1, 3).flatmap(villages)


def areas_of(counts: Counts) -> list[str]:
    return [COUNTY, *sorted({code[:9] for code in counts}), *sorted(counts)]


def true_row(counts: Counts, area: str) -> list[int]:
    columns = zip(*(cells for code, cells in counts.items() if code.startswith(area)), strict=True)
    sums = [sum(column) for column in columns]
    return [*sums, sum(sums)]


def shown_row(row: Row) -> list[Shown]:
    return [*row.cells, row.total]


def equations(areas: list[str], width: int) -> list[Equation]:
    """Every row makes its total, and the parts of an area make the area, column by column; by places laid out flat."""
    at = {area: place * (width + 1) for place, area in enumerate(areas)}
    sums: list[Equation] = [([at[area] + n for n in range(width)], at[area] + width) for area in areas]
    for area in areas:
        digits = {6: 9, 9: 12}.get(len(area), 0)
        parts = [each for each in areas if len(each) == digits and each.startswith(area)]
        sums += [([at[part] + n for part in parts], at[area] + n) for n in range(width + 1) if parts]
    return sums


@settings(max_examples=60, deadline=None)
@given(COUNTS)
def test_nobody_can_solve_for_a_withheld_count_of_any_area_with_the_sheets_of_all(counts: Counts) -> None:
    areas, width = areas_of(counts), len(next(iter(counts.values())))
    tables = AreaTables(counts.items(), width)
    true = [count for area in areas for count in true_row(counts, area)]
    shown = [count for area in areas for count in shown_row(tables.row(area))]
    assert pinned(true, shown, equations(areas, width)) == []


@given(COUNTS)
def test_what_is_shown_of_an_area_is_true_and_nothing_small_is_shown(counts: Counts) -> None:
    tables = AreaTables(counts.items(), len(next(iter(counts.values()))))
    for area in areas_of(counts):
        for true, seen in zip(true_row(counts, area), shown_row(tables.row(area)), strict=True):
            assert seen in (None, true)
            assert true == 0 or seen is None or seen >= LEAST
            assert true != 0 or seen == 0


@given(COUNTS)
def test_where_no_place_has_a_small_count_everything_is_shown(counts: Counts) -> None:
    large = {code: tuple(n + LEAST if n else 0 for n in cells) for code, cells in counts.items()}
    tables = AreaTables(large.items(), len(next(iter(large.values()))))
    assert all(shown_row(tables.row(area)) == true_row(large, area) for area in areas_of(large))


@given(villages(2))
def test_sheets_of_the_same_people_withhold_their_number_together(counts: Counts) -> None:
    """By age and by province the same people are counted: neither sheet tells the number that the other withholds."""
    swapped = {code: (cells[0] + cells[1], 0) for code, cells in counts.items()}
    ages, provinces = settle_together(
        lambda hidden: AreaTables(counts.items(), 2, hidden=hidden),
        lambda hidden: AreaTables(swapped.items(), 2, hidden=hidden),
    )
    assert [ages.row(area).total for area in areas_of(counts)] == [
        provinces.row(area).total for area in areas_of(counts)
    ]


def test_a_street_and_its_two_villages_do_not_give_away_the_third_sheet() -> None:
    """Twelve children in the street and ten in one village: two in the other."""
    tables = AreaTables([("330522003901", (10, 20)), ("330522003902", (2, 21))], 2)
    assert [tables.row(f"33052200390{n}").cells for n in (1, 2)] == [(None, None), (None, None)]
    assert tables.row("330522003") == Row((12, 41), 53)


def test_a_matter_of_the_whole_county_counts_there_and_in_no_street() -> None:
    tables = AreaTables([("330522", (7,)), ("330522003900", (9,))], 1)
    assert (tables.row("330522").total, tables.row("330522003").total, tables.row("33").total) == (16, 9, 16)
    assert tables.row("3306") == Row((0,), 0)
