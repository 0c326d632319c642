"""Failures the stand-in can be told to show. They live in memory: a restart ends them."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

FAULTS: Mapping[str, str] = {
    "outage": "calls are answered 503 and nothing is done",
    "slow": "calls are answered only after `seconds` (10)",
    "lost_answer": "tickets are redeemed, then answered 502",
    "refuse": "every ticket comes back as refused",
    "expire": "every ticket comes back as expired",
    "chatty": "results carry a name beside the word, which nobody may take",
}
_SECONDS_MOST = 60


class UnknownFault(Exception):
    """There is no failure of that name, or its parameters are not usable."""


class Faults:
    """The switches."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._on: dict[str, dict[str, Any]] = {}

    def all(self) -> dict[str, dict[str, Any]]:
        """What is switched on: name → parameters, with `times` where it is limited."""
        with self._lock:
            return {name: dict(params) for name, params in self._on.items()}

    def switch_on(self, name: str, params: Mapping[str, Any]) -> None:
        """Switch a failure on; `times` limits how often it shows. Raises UnknownFault."""
        if name not in FAULTS or not set(params) <= {"times", "seconds"}:
            raise UnknownFault(name)
        times, seconds = params.get("times", 1), params.get("seconds", 0)
        if type(times) is not int or times < 1 or type(seconds) is not int or not 0 <= seconds <= _SECONDS_MOST:
            raise UnknownFault("times" if type(times) is not int or times < 1 else "seconds")
        with self._lock:
            self._on[name] = dict(params)

    def switch_off(self, name: str | None = None) -> None:
        """Switch one failure off, or all of them."""
        with self._lock:
            self._on = {} if name is None else {key: value for key, value in self._on.items() if key != name}

    def take(self, name: str) -> dict[str, Any] | None:
        """The parameters of a failure that shows now (one of its `times` is used up); None when it is off."""
        with self._lock:
            params = self._on.get(name)
            if params is None:
                return None
            if params.get("times") == 1:
                del self._on[name]
            elif "times" in params:
                params["times"] -= 1
            return dict(params)
