"""The loop that takes messages in: results at once, events together; each acknowledged after its commit.

That a lock has accepted a command is held like its events: its last word on the command mostly comes in the same
moment, and then says both.

A message that cannot be read, or that its handler cannot take, is counted, named by its digest in the anomalies' table,
and acknowledged: it blocks nothing behind it.
"""

from __future__ import annotations

import queue
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence

import structlog
from flask import Flask
from sqlalchemy.exc import InterfaceError, InternalError, OperationalError

from backend.domain.correlation import place_of
from backend.mqtt.handlers import Handlers
from backend.mqtt.link import BrokerLink, Delivery
from backend.mqtt.router import Routed, Unread, route, unread
from backend.mqtt.shards import EveryShard, Shards
from backend.services.bridge_shards import NotOwner
from backend.services.lock_reports import UnknownLock
from backend.wire import topics
from backend.wire.lock_messages import EventBatch

log = structlog.get_logger(__name__)

LINGER_SECONDS = 0.025  # what nobody waits for waits so long for company
MOST_EVENTS = 1_000  # rows of one write unit; acknowledgements by hand never let more than this be in flight
DATABASE_PAUSE_SECONDS = 0.5
IDLE_SECONDS = 0.5


_AWAY = (OperationalError, InterfaceError, InternalError)  # the last when the server ended our transaction for us


_Deliveries = list[tuple[Delivery, Routed]]
_Batch = tuple[_Deliveries, _Deliveries]


class _Abandoned(Exception):
    """The bridge ends while the database is away."""


class Bridge:
    """Takes deliveries from the link's inbox, in order, in one thread; `app` gives each unit of work its context.

    What is not, or no longer, of our shards is dropped: its owner hears it too. While `run` runs, what was held is
    stored by a second thread, batch after batch: the lock's word on a command waits behind no batch of events.
    """

    def __init__(self, app: Flask, link: BrokerLink, handlers: Handlers, shards: Shards | None = None) -> None:
        self.counts: Counter[str] = Counter()
        self.database_trouble: str | None = None
        self._app = app
        self._link = link
        self._handlers = handlers
        self._shards = shards or EveryShard()
        self._table = handlers.table()
        self._stop = threading.Event()
        self._held: list[tuple[Delivery, Routed]] = []  # events that wait for company
        self._held_rows = 0
        self._held_until = 0.0
        self._counting = threading.Lock()
        self._batches: queue.SimpleQueue[_Batch | None] | None = None  # for the second thread, while it runs
        self._accepted: dict[tuple[str, str], tuple[Delivery, Routed]] = {}  # wait for the lock's last word

    def run(self) -> None:
        """Run until `stop`; what is held is stored first."""
        self._batches = queue.SimpleQueue()
        storing = threading.Thread(target=self._run_storing, args=(self._batches,), name="BridgeStoring")
        storing.start()
        try:
            while not self._stop.is_set() and storing.is_alive():  # else this loop ends too, and health says so
                self.step(self._patience())
            self._store_held()
        except _Abandoned:
            log.warning("left_unstored")  # the lock keeps it and tells it again
        finally:
            self._batches.put(None)
            storing.join()

    def _run_storing(self, batches: queue.SimpleQueue[_Batch | None]) -> None:
        try:
            while (batch := batches.get()) is not None:
                self._store_batch(*batch)
        except _Abandoned:
            log.warning("left_unstored")

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
        if self._holds() and (self._held_rows >= MOST_EVENTS or time.monotonic() >= self._held_until):
            self._store_held()

    def _patience(self) -> float:
        return max(0.0, self._held_until - time.monotonic()) if self._holds() else IDLE_SECONDS

    def _holds(self) -> bool:
        return bool(self._held or self._accepted)

    def _take(self, delivery: Delivery) -> None:
        routed = route(delivery)
        if isinstance(routed, Routed) and self._hold(delivery, routed):
            return
        if isinstance(routed, Unread):
            self._reject(routed)
        elif routed is not None:
            self._handle(delivery, routed)
        self._link.acknowledge(delivery)
        if isinstance(routed, Routed) and routed.channel is topics.RESULT:
            before = self._accepted.pop((routed.lock_id, routed.message.command), None)
            if before is not None:
                self._link.acknowledge(before[0])

    def _hold(self, delivery: Delivery, routed: Routed) -> bool:
        """Keep what may wait for company; False when it may not."""
        until = self._held_until if self._holds() else time.monotonic() + LINGER_SECONDS
        if routed.channel is topics.EVENTS:
            self._held.append((delivery, routed))
            self._held_rows += len(routed.message.events) or 1
        elif routed.channel is topics.RESULT and routed.message.state == "accepted":
            before = self._accepted.get((routed.lock_id, routed.message.command))
            if before is not None:
                return False
            self._accepted[routed.lock_id, routed.message.command] = delivery, routed
        else:
            return False
        self._held_until = until
        return True

    def _handle(self, delivery: Delivery, routed: Routed) -> None:
        handler = self._table[routed.channel.path]
        self._do_one(lambda: handler(routed), delivery, routed)

    def _store_held(self) -> None:
        batch = list(self._accepted.values()), self._held
        self._accepted, self._held, self._held_rows = {}, [], 0
        if self._batches is None:
            self._store_batch(*batch)
        else:
            self._batches.put(batch)

    def _store_batch(self, accepted: _Deliveries, held: _Deliveries) -> None:
        for delivery, routed in accepted:
            self._handle(delivery, routed)
            self._link.acknowledge(delivery)
        ours = [(delivery, routed) for delivery, routed in held if self._is_ours(delivery, routed)]
        together = [(routed.lock_id, routed.message) for _, routed in ours]
        if ours and not self._do(lambda: self._store(together), topics.EVENTS.path, ours):
            for delivery, routed in ours:  # find the one that spoils the rest
                one = [(routed.lock_id, routed.message)]
                self._do_one(lambda one=one: self._store(one), delivery, routed)  # type: ignore[misc]
        for delivery, _ in held:
            self._link.acknowledge(delivery)

    def _store(self, batches: Sequence[tuple[str, EventBatch]]) -> None:
        self._count("unknown_lock", self._handlers.on_events(batches))

    def _count(self, name: str, number: int = 1) -> None:
        with self._counting:
            self.counts[name] += number

    def _is_ours(self, delivery: Delivery, routed: Routed) -> bool:
        ours = self._shards.holds(routed.lock_id, delivery.life)
        if not ours:
            self._count("not_ours")
        return ours

    def _do_one(self, work: Callable[[], None], delivery: Delivery, routed: Routed) -> None:
        """Do the work of one message, or set it aside."""
        if self._is_ours(delivery, routed) and not self._do(work, routed.channel.path, [(delivery, routed)]):
            self._reject(unread(delivery, routed.lock_id, routed.channel.path, "handler_failed"))

    def _do(self, work: Callable[[], None], path: str, cause: Sequence[tuple[Delivery, Routed]]) -> bool:
        """Do one unit of work; False when it failed for another reason than the database being away.

        While the database is away it waits, as long as the locks of `cause` are ours.
        """
        while True:
            try:
                with self._app.app_context():
                    work()
                self.database_trouble = None
                self._count(path)
                return True
            except _AWAY as error:
                if isinstance(error, InternalError) and not error.connection_invalidated:
                    return self._failed(error, path, cause)
                self.database_trouble = type(error).__name__
                log.warning("database_away", error=type(error).__name__)
                if self._stop.wait(DATABASE_PAUSE_SECONDS):
                    raise _Abandoned from None
                if cause and not any(self._is_ours(*each) for each in cause):
                    self.database_trouble = None  # whoever renews the lease will tell
                    return True
            except UnknownLock:
                self._count("unknown_lock")
                return True
            except NotOwner:
                self._count("not_ours")
                return True
            except Exception as error:
                return self._failed(error, path, cause)

    def _failed(self, error: Exception, path: str, cause: Sequence[tuple[Delivery, Routed]]) -> bool:
        self._count("failed")
        lock_id = cause[0][1].lock_id if len(cause) == 1 else None
        log.error("message_failed", path=path, lock_id=lock_id, error=type(error).__name__, at=place_of(error))
        return False

    def _reject(self, message: Unread) -> None:
        self._count(f"rejected_{message.reason}")
        log.warning("message_rejected", path=message.path, lock_id=message.lock_id, reason=message.reason)
        if message.lock_id is not None:
            self._do(lambda: self._handlers.on_rejected(message), message.path, [])
