"""Notes what has left, some moments later and together: neither the lock nor the next command waits for that.

Until then the rows are claimed. Who dies in between has them sent a second time, which a lock answers as the first.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Sequence

import structlog
from flask import Flask

from backend.domain.correlation import place_of
from backend.gateways.world import World
from backend.services import commands
from backend.services.outbox import OutboxItem

log = structlog.get_logger(__name__)

LINGER_SECONDS = 0.020
PAUSE_SECONDS = 0.5  # after a failure


class SendingNotes:
    """What has been handed to the broker and is not noted yet. Without a running `run` it is noted at once."""

    def __init__(self, app: Flask, world: World) -> None:
        self._app, self._world = app, world
        self._waiting: dict[int, OutboxItem] = {}
        self._guard = threading.Lock()
        self._bell = threading.Event()
        self._stop = threading.Event()
        self._runs = False

    def put(self, items: Sequence[OutboxItem]) -> None:
        """These rows have left."""
        with self._guard:
            self._waiting.update((item.id, item) for item in items)
        if self._runs:
            self._bell.set()
        else:
            self.write()

    def ids(self) -> Collection[int]:
        """The rows that have left and are not noted yet."""
        with self._guard:
            return tuple(self._waiting)

    def write(self) -> None:
        """Note everything that waits, in one write unit."""
        with self._guard:
            items = list(self._waiting.values())
        if items:
            with self._app.app_context():
                commands.record_sent(self._world, items)
            with self._guard:
                for item in items:
                    if self._waiting.get(item.id) is item:
                        del self._waiting[item.id]

    def begin(self) -> None:
        """Note from now on in a thread of its own, until `end`."""
        self._runs = True
        self._thread = threading.Thread(target=self._run, name="SendingNotes")
        self._thread.start()

    def end(self) -> None:
        """Note what waits and stop."""
        self._stop.set()
        self._bell.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            self._bell.wait()
            self._bell.clear()
            self._stop.wait(LINGER_SECONDS)
            try:
                self.write()
            except Exception as error:  # the database is away: what is not noted before its lease ends is sent again
                log.error("sending_not_noted", error=type(error).__name__, at=place_of(error))
                self._stop.wait(PAUSE_SECONDS)
                self._bell.set()
