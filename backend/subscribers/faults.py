"""Failures the stand-in offices can be told to show. They live in memory: a restart ends them."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

FAULTS: Mapping[str, str] = {
    "down": "the line is answered 503 and nothing is taken",
    "slow": "deliveries are answered only after `seconds` (5)",
    "http_500": "deliveries fail with 500, nothing is taken",
    "gone": "deliveries are answered 410: the office wants no more",
    "busy": "deliveries are answered 429 with Retry-After of `seconds` (5)",
    "clock": "the office's clock is off by `seconds` (600), so that signatures look old",
    "lost_answer": "deliveries are taken and committed, then answered 502",
    "refuse": "deliveries are refused with 422",
}
_PARAMS = frozenset({"times", "seconds", "office"})
_SECONDS_MOST = 3600


class UnknownFault(Exception):
    """There is no failure of that name, or its parameters are not usable."""


class Faults:
    """The switches; `office` limits a failure to one of the offices."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._on: dict[str, dict[str, Any]] = {}

    def all(self) -> dict[str, dict[str, Any]]:
        """What is switched on: name → parameters, with `times` where it is limited."""
        with self._lock:
            return {name: dict(params) for name, params in self._on.items()}

    def switch_on(self, name: str, params: Mapping[str, Any]) -> None:
        """Switch a failure on; `times` limits how often it shows. Raises UnknownFault."""
        if name not in FAULTS or not set(params) <= _PARAMS:
            raise UnknownFault(name)
        times, seconds = params.get("times", 1), params.get("seconds", 0)
        if type(times) is not int or times < 1:
            raise UnknownFault("times")
        if type(seconds) is not int or not -_SECONDS_MOST <= seconds <= _SECONDS_MOST:
            raise UnknownFault("seconds")
        with self._lock:
            self._on[name] = dict(params)

    def switch_off(self, name: str | None = None) -> None:
        """Switch one failure off, or all of them."""
        with self._lock:
            self._on = {} if name is None else {key: value for key, value in self._on.items() if key != name}

    def take(self, name: str, office: str) -> dict[str, Any] | None:
        """The parameters of a failure that shows now at this office (one of its `times` is used up), or None."""
        with self._lock:
            params = self._on.get(name)
            if params is None or params.get("office", office) != office:
                return None
            shown = dict(params)
            if params.get("times") == 1:
                del self._on[name]
            elif "times" in params:
                params["times"] -= 1
            return shown
