"""Small counts are withheld, and just enough of the others that no withheld one can be subtracted back.

Statistical disclosure control for tables with totals. A table is read as a network: a cell is an arc, a row, a column
and each total a node, and "the parts make the total" says that what flows into a node flows out of it. A withheld cell
can be pinned down exactly when no cycle of withheld cells runs through it along which counts may be moved by one. So
each small count gets such a cycle, the cheapest one (Cox, "Network models for complementary cell suppression", 1995).

A zero is published: that nobody is there says nothing of anybody, and a reader may know it anyway. A reader may
therefore take a withheld count to be at least 1, and the cycles are sought against that reader.
What is protected is one table. Whoever publishes two tables of the same people must not let one be taken from the
other.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

LEAST = 5  # fewer people than this are not shown as a number (console C9)
_LOWEST = 1  # what a reader may suppose of a withheld count

Shown = int | None  # None: withheld


@dataclass(frozen=True)
class Row:
    """Counts with their total; None where one is withheld."""

    cells: tuple[Shown, ...]
    total: Shown


@dataclass(frozen=True)
class Table:
    """Rows of counts, the totals of rows and columns, and of all; None where one is withheld."""

    cells: tuple[tuple[Shown, ...], ...]
    row_totals: tuple[Shown, ...]
    column_totals: tuple[Shown, ...]
    total: Shown


@dataclass(frozen=True)
class _Arc:
    tail: object
    head: object
    count: int
    is_total: bool = False


def suppress_row(counts: Sequence[int], least: int = LEAST) -> Row:
    """Withhold what is small in a list of counts with its total, and what would give it away. Counts are ≥ 0."""
    arcs: dict[object, _Arc] = {("cell", i): _Arc("parts", "whole", n) for i, n in enumerate(counts)}
    total = _Arc("whole", "parts", sum(counts), True)
    shown = _shown({**arcs, "total": total}, least)
    return Row(tuple(shown[key] for key in arcs), shown["total"])


def suppress_table(counts: Sequence[Sequence[int]], least: int = LEAST) -> Table:
    """Withhold what is small in a table with all its totals, and what would give it away.

    Rows have equal lengths, counts are ≥ 0. Raises ValueError when rows differ in length.
    """
    columns = list(zip(*counts, strict=True))
    arcs: dict[object, _Arc] = {"total": _Arc("columns", "rows", sum(map(sum, counts)), True)}
    for r, row in enumerate(counts):
        arcs["row", r] = _Arc("rows", ("row", r), sum(row), True)
        arcs.update({(r, c): _Arc(("row", r), ("column", c), n) for c, n in enumerate(row)})
    for c, column in enumerate(columns):
        arcs["column", c] = _Arc(("column", c), "columns", sum(column), True)
    shown = _shown(arcs, least)
    return Table(
        cells=tuple(tuple(shown[r, c] for c in range(len(row))) for r, row in enumerate(counts)),
        row_totals=tuple(shown["row", r] for r in range(len(counts))),
        column_totals=tuple(shown["column", c] for c in range(len(columns))),
        total=shown["total"],
    )


def suppress_one(count: int, least: int = LEAST) -> Shown:
    """A count that is part of no sum."""
    return count if count == 0 or count >= least else None


def _shown(arcs: Mapping[object, _Arc], least: int) -> dict[object, Shown]:
    withheld = {key for key, arc in arcs.items() if 0 < arc.count < least}
    for key in sorted(withheld, key=lambda small: (arcs[small].count, str(small))):
        withheld |= _cheapest_cycle(arcs, key, withheld)
    return {key: None if key in withheld else arc.count for key, arc in arcs.items()}


def _cheapest_cycle(arcs: Mapping[object, _Arc], key: object, withheld: set[object]) -> set[object]:
    """The arcs of the cycle through `key` along which counts can be moved and which hides the least that is shown.

    There always is one: an inner cell, its two totals and the whole can all grow by one.
    """
    arc = arcs[key]
    others = {other: a for other, a in arcs.items() if other != key and a.count}
    grown = _cheapest_path(others, arc.head, arc.tail, withheld)
    shrunk = _cheapest_path(others, arc.tail, arc.head, withheld) if arc.count > _LOWEST else None
    return set(min((path for path in (grown, shrunk) if path is not None), key=lambda path: path[0])[1])


def _cheapest_path(
    arcs: Mapping[object, _Arc], start: object, end: object, withheld: set[object]
) -> tuple[int, tuple[object, ...]] | None:
    """(cost, arcs) of the cheapest way (Dijkstra): forwards a count grows, backwards it shrinks to the lowest."""
    whole = max((arc.count for arc in arcs.values()), default=0) + 1

    def cost(key: object) -> int:
        # totals are what readers look for, so a cell is always given up before one
        return 0 if key in withheld else arcs[key].count + (whole * len(arcs) if arcs[key].is_total else 0)

    waiting: list[tuple[int, int, object, tuple[object, ...]]] = [(0, 0, start, ())]
    done, turn = set(), 0
    while waiting:
        so_far, _, node, path = heapq.heappop(waiting)
        if node == end:
            return so_far, path
        if node in done:
            continue
        done.add(node)
        for key, following in _steps(arcs, node):
            turn += 1
            heapq.heappush(waiting, (so_far + cost(key), turn, following, (*path, key)))
    return None


def _steps(arcs: Mapping[object, _Arc], node: object) -> Iterable[tuple[object, object]]:
    for key, arc in arcs.items():
        if arc.tail == node:
            yield key, arc.head
        elif arc.head == node and arc.count > _LOWEST:
            yield key, arc.tail
