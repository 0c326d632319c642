"""Small counts are withheld, and just enough of the others that no withheld one can be subtracted back.

Statistical disclosure control for tables with totals. A table is read as a network: a cell is an arc, a row, a column
and each total a node, and "the parts make the total" says that what flows into a node flows out of it. A withheld cell
can be pinned down exactly when no cycle of withheld cells runs through it along which counts may be moved by one. So
each small count gets such a cycle, the cheapest one (Cox, "Network models for complementary cell suppression", 1995).

A zero is published: that nobody is there says nothing of anybody, and a reader may know it anyway. A reader may
therefore take a withheld count to be at least 1, and the cycles are sought against that reader.
What is protected is one network. Whoever publishes two tables of the same people must not let one be taken from the
other: those of an area and of its parts are one network (domain.area_tables).
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Collection, Mapping, Sequence
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
class Arc:
    """One published count, from one sum it is part of to the other."""

    tail: object
    head: object
    count: int
    is_total: bool = False


def suppress_row(counts: Sequence[int], least: int = LEAST) -> Row:
    """Withhold what is small in a list of counts with its total, and what would give it away. Counts are ≥ 0."""
    arcs: dict[object, Arc] = {("cell", i): Arc("parts", "whole", n) for i, n in enumerate(counts)}
    total = Arc("whole", "parts", sum(counts), True)
    shown = withhold({**arcs, "total": total}, least)
    return Row(tuple(shown[key] for key in arcs), shown["total"])


def suppress_one(count: int, least: int = LEAST) -> Shown:
    """A count that is part of no sum."""
    return count if count == 0 or count >= least else None


def withhold(
    arcs: Mapping[object, Arc], least: int = LEAST, hidden: Collection[object] = ()
) -> dict[object, Shown]:
    """What is shown of a network in which every count is an arc, and at every node as much arrives as leaves.

    `hidden` are arcs withheld in any case, for what else is published.
    """
    withheld = {key for key, arc in arcs.items() if 0 < arc.count < least or (arc.count and key in hidden)}
    network = _Network(arcs)
    for key in sorted(withheld, key=lambda small: (arcs[small].count, str(small))):
        withheld |= network.cheapest_cycle(key, withheld)
    return {key: None if key in withheld else arc.count for key, arc in arcs.items()}


class _Network:
    """The arcs that carry anything, by the node they are reached from: forwards counts grow, backwards they shrink."""

    def __init__(self, arcs: Mapping[object, Arc]) -> None:
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
        waiting: list[tuple[int, int, object]] = [(0, 0, start)]
        least: dict[object, int] = {start: 0}
        came: dict[object, tuple[object, object]] = {}
        turn = itertools.count(1)
        while waiting:
            so_far, _, node = heapq.heappop(waiting)
            if node == end:
                return so_far, _way(came, start, end)
            if so_far > least[node]:
                continue
            for key, following in self._steps.get(node, ()):
                cost = so_far + (0 if key in withheld else self._costs[key])
                if key != without and cost < least.get(following, cost + 1):
                    least[following], came[following] = cost, (key, node)
                    heapq.heappush(waiting, (cost, next(turn), following))
        return None


def _way(came: Mapping[object, tuple[object, object]], start: object, end: object) -> tuple[object, ...]:
    """The arcs from one node to another, as each node was reached."""
    keys: list[object] = []
    while end != start:
        key, end = came[end]
        keys.append(key)
    return tuple(keys)
