"""Counts of places and of the areas they lie in, withheld as one: what a village shows never undoes its county.

The sheet of a street and that of one of its villages may be read side by side, also by two members of staff. So all of
them are one network: at a column of an area its parts flow together into the area's own count, at a place its row
flows from its total. That the columns of an area make its total follows from both and need not be said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Literal

from backend.domain.suppression import Arc, Row, Shown, withhold

LEVELS = (0, 2, 4, 6, 9, 12)  # digits of a division: everything, province, city, county, street, village
Cells = tuple[int, ...]


class AreaTables:
    """What is shown of counts of places, by division code and in the same columns, for any area as a row and its total.

    A place whose code is short (a matter of the whole county) is a part of that area beside its streets. `hidden` are
    areas and places of which the count in `column` (of 'total') is withheld in any case.
    """

    def __init__(
        self,
        counts: Iterable[tuple[str, Cells]],
        width: int,
        *,
        column: int | Literal["total"] = "total",
        hidden: frozenset[str] = frozenset(),
    ) -> None:
        self._none = Row((0,) * width, 0)
        self._column = column
        self._rows = _shown_rows(tuple(sorted(counts)), frozenset((area, column) for area in hidden))

    @property
    def hidden(self) -> frozenset[str]:
        """The areas and places of which the count in `column` is withheld."""
        shown = {area: row.total if self._column == "total" else row.cells[self._column]
                 for area, row in self._rows.items()}  # fmt: skip
        return frozenset(area for area, count in shown.items() if count is None)

    def row(self, area: str) -> Row:
        """What is shown of an area: a code of as many digits as a level has, '' for everything."""
        return self._rows.get(area, self._none)


@lru_cache(maxsize=64)  # the same numbers are asked for by everybody until one of them changes
def _shown_rows(
    counts: tuple[tuple[str, Cells], ...], hidden: frozenset[tuple[str, int | str]]
) -> dict[str, Row]:
    """The row of every area and place; nothing is known but the counts, so they may be kept."""
    sums: dict[str, Cells] = {}
    around: dict[str, str] = {}
    for code, cells in counts:
        path = _path(code)
        around.update(zip(path[1:], path, strict=False))
        for area in path:
            sums[area] = tuple(a + b for a, b in zip(sums.get(area, (0,) * len(cells)), cells, strict=True))
    shown = withhold(_arcs(sums, around), hidden=hidden)
    return {area: _row(shown, area, len(cells)) for area, cells in sums.items()}


def _arcs(sums: dict[str, Cells], around: dict[str, str]) -> dict[object, Arc]:
    areas = set(around.values())
    arcs: dict[object, Arc] = {}
    for place, cells in sums.items():
        is_area, total = place in areas, sum(cells)
        for column, count in enumerate(cells):
            tail = ("column", place, column) if is_area else ("row", place)
            head = ("column", around[place], column) if place in around else ("row", place)
            arcs[place, column] = Arc(tail, head, count, is_total=is_area)
        head = ("whole", place) if is_area else ("row", place)
        tail = ("whole", around[place]) if place in around else ("row", place)
        arcs[place, "total"] = Arc(tail, head, total, is_total=True)
    return arcs


def _row(shown: dict[object, Shown], place: str, width: int) -> Row:
    return Row(tuple(shown[place, column] for column in range(width)), shown[place, "total"])


def _path(code: str) -> list[str]:
    """The areas a place lies in, the widest first, and the place."""
    areas = [code[:digits] for digits in LEVELS if digits <= len(code)]
    return areas if len(code) == LEVELS[-1] else [*areas, f"{code}-"]


def settle_together(*tables: Callable[[frozenset[str]], AreaTables]) -> tuple[AreaTables, ...]:
    """Tables that count the same people in different columns: what one withholds of their number the others do too.

    Each makes its tables with the areas to be hidden.
    """
    hidden: frozenset[str] = frozenset()
    while True:
        made = tuple(make(hidden) for make in tables)
        found = hidden.union(*(each.hidden for each in made))
        if found == hidden:
            return made
        hidden = found
