"""The loop that takes messages in: results at once, events together; each acknowledged after its commit."""

from __future__ import annotations

import queue
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence

import structlog
from flask import Flask
from sqlalchemy.exc import InterfaceError, OperationalError

from backend.domain.correlation import place_of
from backend.mqtt.handlers import Handlers
from backend.mqtt.link import BrokerLink, Delivery
from backend.mqtt.router import Routed, Unread, route
from backend.services.lock_reports import UnknownLock
from backend.wire import topics

log = structlog.get_logger(__name__)

LINGER_SECONDS = 0.010  # events wait so long for company
MOST_EVENTS = 1_000  # rows of one write unit; acknowledgements by hand never let more than this be in flight
DATABASE_PAUSE_SECONDS = 0.5
IDLE_SECONDS = 0.5


class _Abandoned(Exception):
    """The bridge ends while the database is away."""


class Bridge:
    """Takes deliveries from the link's inbox, in order, in one thread; `app` gives each unit of work its context."""

    def __init__(self, app: Flask, link: BrokerLink, handlers: Handlers) -> None:
        self.counts: Counter[str] = Counter()
        self.database_trouble: str | None = None
        self._app = app
        self._link = link
        self._handlers = handlers
        self._table = handlers.table()
        self._stop = threading.Event()
        self._held: list[tuple[Delivery, Routed]] = []  # events that wait for company
        self._held_rows = 0
        self._held_until = 0.0

    def run(self) -> None:
        """Run until `stop`; what is held is stored first."""
        try:
            while not self._stop.is_set():
                self.step(self._patience())
            self._store_held()
        except _Abandoned:
            log.warning("left_unstored")  # not acknowledged, so the broker sends it again

    def stop(self) -> None:
        """Ask the loop to end."""
        self._stop.set()

    def step(self, patience: float) -> None:
        """Wait up to `patience` seconds for a delivery, deal with it, and store held events when they are due."""
        try:
            delivery = self._link.inbox.get(timeout=patience) if patience > 0 else self._link.inbox.get_nowait()
        except queue.Empty:
            delivery = None
        if delivery is not None:
            self._take(delivery)
        if self._held and (self._held_rows >= MOST_EVENTS or time.monotonic() >= self._held_until):
            self._store_held()

    def _patience(self) -> float:
        return max(0.0, self._held_until - time.monotonic()) if self._held else IDLE_SECONDS

    def _take(self, delivery: Delivery) -> None:
        routed = route(delivery)
        if isinstance(routed, Routed) and routed.channel is topics.EVENTS:
            if not self._held:
                self._held_until = time.monotonic() + LINGER_SECONDS
            self._held.append((delivery, routed))
            self._held_rows += len(routed.message.events) or 1
            return
        if isinstance(routed, Unread):
            self._reject(routed)
        elif routed is not None:
            handler = self._table[routed.channel.path]
            self._do(lambda: handler(routed), routed.channel.path, routed.lock_id)
        self._link.acknowledge(delivery)

    def _store_held(self) -> None:
        held, self._held, self._held_rows = self._held, [], 0
        if not held:
            return
        together = [(routed.lock_id, routed.message) for _, routed in held]
        if not self._do(lambda: self._handlers.on_events(together), topics.EVENTS.path, None):
            for one in together:  # find the one that spoils the rest
                self._do(lambda one=one: self._handlers.on_events([one]), topics.EVENTS.path, one[0])  # type: ignore[misc]
        self._acknowledge([delivery for delivery, _ in held])

    def _acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        for delivery in deliveries:
            self._link.acknowledge(delivery)

    def _do(self, work: Callable[[], None], path: str, lock_id: str | None) -> bool:
        """Do one unit of work. While the database is away, wait for it; any other fault is set aside and counted."""
        while True:
            try:
                with self._app.app_context():
                    work()
                self.database_trouble = None
                self.counts[path] += 1
                return True
            except (OperationalError, InterfaceError) as error:
                self.database_trouble = type(error).__name__
                log.warning("database_away", error=type(error).__name__)
                if self._stop.wait(DATABASE_PAUSE_SECONDS):
                    raise _Abandoned from None
            except UnknownLock:
                self.counts["unknown_lock"] += 1
                return True
            except Exception as error:
                self.counts["failed"] += 1
                log.error("message_failed", path=path, lock_id=lock_id, error=type(error).__name__, at=place_of(error))
                if lock_id is not None:
                    self._reject(Unread(lock_id, path, "handler_failed"))
                return False

    def _reject(self, unread: Unread) -> None:
        self.counts[f"rejected_{unread.reason}"] += 1
        log.warning("message_rejected", path=unread.path, lock_id=unread.lock_id, reason=unread.reason)
        if unread.lock_id is not None:
            lock_id = unread.lock_id
            self._do(lambda: self._handlers.on_rejected(lock_id, unread.path, unread.reason), unread.path, None)
