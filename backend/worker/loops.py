"""Loops of the worker: something to do again and again, woken early when a commit left work."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog
from flask import Flask

from backend.gateways.wake_up import Listener

log = structlog.get_logger(__name__)

SWEEP_SECONDS = 1.0  # a lost wake-up costs this much and no more
SILENT_TOO_LONG_SECONDS = 120.0  # longer than any pass may take with every call timing out


@dataclass(frozen=True)
class Step:
    """One thing a loop does: at most every so many seconds (0: each time), answering how much it did."""

    name: str
    every_seconds: float
    call: Callable[[], int | bool | None]
    wakes_again: bool = False  # what it did may have left more to do, so it is done again at once


class Loop:
    """A thread that runs its steps, each in an app context of its own, until it is stopped."""

    def __init__(
        self,
        name: str,
        app: Flask,
        listener: Listener,
        steps: Sequence[Step],
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self._app, self._listener, self._steps, self._monotonic = app, listener, steps, monotonic
        self._done_at: dict[str, float] = {}
        self._stopping = threading.Event()
        self._alive_at = monotonic()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Finish the step in hand and end."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout=15)
        self._listener.close()

    def fault(self) -> str | None:
        """Why this loop is not well, or None."""
        if not self._thread.is_alive():
            return f"the {self.name} loop has ended"
        if self._monotonic() - self._alive_at > SILENT_TOO_LONG_SECONDS:
            return f"the {self.name} loop hangs"
        return None

    def run_once(self) -> bool:
        """Run every step that is due; True when there is probably more to do at once."""
        again = False
        for step in self._steps:
            last = self._done_at.get(step.name)
            if self._stopping.is_set() or (last is not None and self._monotonic() - last < step.every_seconds):
                continue
            again |= self._run_step(step)
            self._done_at[step.name] = self._alive_at = self._monotonic()
        return again

    def _run_step(self, step: Step) -> bool:
        try:
            with self._app.app_context():  # a fresh session each time: no stale reads, nothing idle in a transaction
                did = step.call()
        except Exception as error:  # the text may carry values, so only the kind is logged; the next pass tries again
            log.error("step_failed", loop=self.name, step=step.name, error=type(error).__name__)
            return False
        return bool(did) and step.wakes_again

    def _run(self) -> None:
        while not self._stopping.is_set():
            if not self.run_once():
                self._listener.wait(SWEEP_SECONDS)
            self._alive_at = self._monotonic()
