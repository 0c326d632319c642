"""Boxes at a lock: two phones side by side hand each other something without network, through the door's Bluetooth."""

from __future__ import annotations

from collections import OrderedDict

from backend.wire.near_messages import Box, Fetch, Leave

MOST_BOXES = 4
KEPT_SECONDS = 600


class Boxes:
    """What was left at one lock, by its number; in memory alone, for ten minutes, given out once. The lock reads none.

    Nothing in a box is secret: a public key, and a credential that is worth nothing without the phone it names.
    """

    def __init__(self) -> None:
        self._kept: OrderedDict[str, tuple[float, str]] = OrderedDict()  # number → until when, item; the oldest first

    def answer(self, asked: Leave | Fetch, now: float) -> Box:
        """Keep or give; `now` in seconds of a clock that does not jump."""
        while self._kept and next(iter(self._kept.values()))[0] <= now:
            self._kept.popitem(last=False)
        return self._leave(asked, now) if isinstance(asked, Leave) else self._fetch(asked)

    def _leave(self, asked: Leave, now: float) -> Box:
        """A box in use is not overwritten: what is awaited there must not be exchanged by a stranger."""
        known = self._kept.get(asked.box)
        if known is not None:
            return Box("kept" if known[1] == asked.item else "full")
        if len(self._kept) >= MOST_BOXES:
            return Box("full")
        self._kept[asked.box] = (now + KEPT_SECONDS, asked.item)
        return Box("kept")

    def _fetch(self, asked: Fetch) -> Box:
        found = self._kept.pop(asked.box, None)
        return Box("nothing") if found is None else Box("given", found[1])
