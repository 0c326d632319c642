"""The loop that sends: claimed outbox rows, signed, handed to the broker, marked; and the sweeps of what is overdue."""

from __future__ import annotations

import threading
import time
from datetime import timedelta

import structlog
from flask import Flask

from backend.domain.correlation import place_of
from backend.gateways.wake_up import Listener
from backend.gateways.world import World
from backend.mqtt.link import BrokerLink
from backend.mqtt.notes import SendingNotes
from backend.mqtt.shards import EveryShard, Shards
from backend.services import commands, lock_reports, lock_sending, outbox
from backend.services.outbox import OutboxItem
from backend.wire import lock_messages as messages

log = structlog.get_logger(__name__)

MOST_ROWS = 64
SWEEP_SECONDS = 1.0  # covers a lost wake-up
REPUBLISH_SECONDS = 10.0
UNMADE_WAIT = timedelta(minutes=1)


class Sender:
    """Sends what is due to the locks of our shards; nothing is claimed while there is no connection."""

    def __init__(self, app: Flask, world: World, link: BrokerLink, shards: Shards | None = None) -> None:
        self.trouble: str | None = None
        self._app = app
        self._world = world
        self._link = link
        self._shards = shards or EveryShard()
        self._stop = threading.Event()
        self._notes = SendingNotes(app, world)
        self._more = False
        self._swept = self._republished = float("-inf")

    def run(self) -> None:
        """Run until `stop`: woken by a commit, at the latest after a second."""
        listener = self._world.wake_up.listen("lock")
        self._notes.begin()
        try:
            while not self._stop.is_set():
                try:
                    self.step()
                    self.trouble = None
                except Exception as error:  # the database is away, a row is broken: never the end of the loop
                    self.trouble = type(error).__name__
                    log.error("sender_failed", error=type(error).__name__, at=place_of(error))
                self._wait(listener)
        finally:
            self._notes.end()
            listener.close()

    def stop(self) -> None:
        """Ask the loop to end, which it does within a second."""
        self._stop.set()

    def step(self) -> None:
        """Send everything that is due, then sweep when it is time."""
        while self._link.is_connected and self.send_due() > 0 and self._more:
            pass
        now = time.monotonic()
        if now >= self._swept + SWEEP_SECONDS:
            self._swept = now
            with self._app.app_context():
                commands.settle_silent_commands(self._world)
        if self._link.is_connected and now >= self._republished + REPUBLISH_SECONDS:
            self._republished = now
            with self._app.app_context():
                lock_reports.republish_unconfirmed(self._world, shards=self._shards.held())

    def send_due(self) -> int:
        """Claim and send one portion; answers how many rows it held."""
        shards = self._shards.held()
        if not shards:
            return 0
        with self._app.app_context():
            items = lock_sending.claim(self._world, limit=MOST_ROWS, shards=shards, sent=self._notes.ids())
            done = [item for item in items if self._send(item)]
        if done:
            self._notes.put(done)
        # What is committed after the claim wakes us again; only what it passed over must be looked for.
        self._more = len(items) == MOST_ROWS or any(item.is_followed for item in items)
        return len(items)

    def _send(self, item: OutboxItem) -> bool:
        """Send one row; True when it needs no further sending. A row that could not leave is free after its lease."""
        try:
            outgoing = lock_sending.prepare(self._world, item)
        except lock_sending.UnknownKind:
            outbox.park(self._world, item, error=f"unknown kind {item.kind}")
            return False
        except lock_sending.Unmade as unmade:  # it holds up no other
            log.error("message_unmade", kind=item.kind, row=item.id, error=str(unmade))
            outbox.retry(self._world, item, after=UNMADE_WAIT, error=f"unmade: {unmade}")
            return False
        if outgoing is None:
            return True
        if not self._shards.holds(item.aggregate_id):  # the lease ended meanwhile: its next owner sends it
            return False
        payload = messages.encode(messages.Signed(outgoing.token))
        return self._link.publish(outgoing.lock_id, outgoing.channel, payload)

    @staticmethod
    def _wait(listener: Listener) -> None:
        try:
            listener.wait(SWEEP_SECONDS)
        except OSError:  # a lost ear is replaced by the sweep
            time.sleep(SWEEP_SECONDS)
