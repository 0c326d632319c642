"""Helpers of the registry loop: asleep while single registrations pass, called when a backlog is to be drained."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from backend.gateways.world import World
from backend.worker.registry_loop import FULL, process_once


class Bell:
    """Role Listener within one process: rung when there is more than one can carry."""

    def __init__(self) -> None:
        self._rung = threading.Event()

    def ring(self) -> None:
        """Call the helper."""
        self._rung.set()

    def wait(self, seconds: float) -> bool:
        """Wait until rung (True) or until `seconds` have passed (False); a call stays until it is answered."""
        return self._rung.wait(seconds)

    def answer(self) -> bool:
        """Whether it was rung since the last answer."""
        if not self._rung.is_set():
            return False
        self._rung.clear()
        return True

    def close(self) -> None:
        """Nothing to end."""


def process_and_call(world: World, bells: Sequence[Bell]) -> int:
    """Make a pass; when the claim was full there is probably more, so the helpers are called before it is carried."""

    def call() -> None:
        for bell in bells:
            bell.ring()

    return process_once(world, on_full=call)


def help_out(world: World, bell: Bell) -> int:
    """Make a pass if called, and come again as long as passes are full."""
    if not bell.answer():
        return 0
    handled = process_once(world)
    if handled >= FULL:
        bell.ring()
    return handled
