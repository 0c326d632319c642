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
import itertools
from collections.abc import Mapping, Sequence
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
    network = _Network(arcs)
    for key in sorted(withheld, key=lambda small: (arcs[small].count, str(small))):
        withheld |= network.cheapest_cycle(key, withheld)
    return {key: None if key in withheld else arc.count for key, arc in arcs.items()}


class _Network:
    """The arcs that carry anything, by the node they are reached from: forwards counts grow, backwards they shrink."""

    def __init__(self, arcs: Mapping[object, _Arc]) -> None:
        self._arcs = arcs
        dear = sum(arc.count for arc in arcs.values()) + 1  # totals are what readers look for: given up last
        self._costs = {key: arc.count + (dear if arc.is_total else 0) for key, arc in arcs.items()}
        self._steps: dict[object, list[tuple[object, object]]] = {}
        for key, arc in arcs.items():
            if arc.count:
                self._steps.setdefault(arc.tail, []).append((key, arc.head))
            if arc.count > _LOWEST:
                self._steps.setdefault(arc.head, []).append((key, arc.tail))

    def cheapest_cycle(self, key: object, withheld: set[object]) -> set[object]:
        """The arcs of the cycle through `key` along which counts can be moved and which hides the least that is shown.

        There always is one: an inner cell, its two totals and the whole can all grow by one.
        """
        arc = self._arcs[key]
        ways = [self._cheapest_path(arc.head, arc.tail, key, withheld)]
        if arc.count > _LOWEST:
            ways.append(self._cheapest_path(arc.tail, arc.head, key, withheld))
        return set(min((way for way in ways if way is not None), key=lambda way: way[0])[1])

    def _cheapest_path(
        self, start: object, end: object, without: object, withheld: set[object]
    ) -> tuple[int, tuple[object, ...]] | None:
        """(cost, arcs) of the cheapest way between two nodes (Dijkstra); what is withheld already costs nothing."""
        waiting: list[tuple[int, int, object, tuple[object, ...]]] = [(0, 0, start, ())]
        done: set[object] = set()
        turn = itertools.count(1)
        while waiting:
            so_far, _, node, path = heapq.heappop(waiting)
            if node == end:
                return so_far, path
            if node in done:
                continue
            done.add(node)
            for key, following in self._steps.get(node, ()):
                if key != without and following not in done:
                    cost = so_far + (0 if key in withheld else self._costs[key])
                    heapq.heappush(waiting, (cost, next(turn), following, (*path, key)))
        return None
