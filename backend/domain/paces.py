"""How often one caller may call, where nothing may be written about when somebody did."""

from __future__ import annotations

import math
import threading
from datetime import datetime, timedelta

MOST_CALLERS = 10_000


class Pace:
    """At most so many calls of one caller within a window; each process counts for itself, in memory alone."""

    def __init__(self, most: int, window: timedelta) -> None:
        self._most, self._window = most, window
        self._calls: dict[str, tuple[datetime, int]] = {}  # caller → since when, how many; who called last is last
        self._guard = threading.Lock()

    def count(self, caller: str, now: datetime) -> int:
        """Count a call; answers 0, or in how many seconds to come again when it is one too many."""
        with self._guard:
            since, calls = self._calls.pop(caller, (now, 0))
            if not since <= now < since + self._window:
                since, calls = now, 0
            self._calls[caller] = (since, min(calls + 1, self._most))
            while len(self._calls) > MOST_CALLERS:
                del self._calls[next(iter(self._calls))]
        return 0 if calls < self._most else math.ceil((since + self._window - now).total_seconds())
