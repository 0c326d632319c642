"""Small counts: what could point at somebody is not shown as a number."""

from __future__ import annotations

from collections.abc import Sequence

LEAST = 5  # one to four are hidden; nobody is told by a nought


def hide_small(counts: Sequence[int], least: int = LEAST) -> list[int | None]:
    """The counts of one column with its small ones as None.

    A single hidden one could be worked out from the column's sum, so the smallest of the others goes with it.
    """
    hidden = {place for place, count in enumerate(counts) if 0 < count < least}
    if len(hidden) == 1:
        others = [(count, place) for place, count in enumerate(counts) if count >= least]
        hidden |= {min(others)[1]} if others else set()
    return [None if place in hidden else count for place, count in enumerate(counts)]
