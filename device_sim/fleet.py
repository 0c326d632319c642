"""Many locks in one process on one selector loop; the same path for one lock as for a thousand."""

from __future__ import annotations

import logging
import os
import queue
import random
import selectors
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from functools import partial
from typing import Any, TypeVar

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

from device_sim.clock import LockClock
from device_sim.flash import FlashFile
from device_sim.identities import Identity
from device_sim.lock import Lock
from device_sim.mqtt_link import MqttLink
from device_sim.near_link import NearServer
from device_sim.settings import SimSettings

log = logging.getLogger("anju.sim")

STEP_SECONDS = 0.25
CONNECTS_PER_STEP = 25  # a thousand locks come up in some ten seconds without starving those that are up

Answer = TypeVar("Answer")


class Fleet:
    """Runs the locks; `call` is the only way in from another thread.

    `host` is true time in seconds since 1970 UTC. The same seed and the same time tell the same story.
    """

    def __init__(
        self,
        settings: SimSettings,
        identities: Sequence[Identity],
        trust: Mapping[str, EllipticCurvePublicKey],
        *,
        pad: dict[str, str] | None = None,
        seed: int = 0,
        offline: int = 0,
        host: Callable[[], float] = time.time,
    ) -> None:
        self._selector = selectors.DefaultSelector()
        self._flash = FlashFile(settings.flash_file)
        self._jobs: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._bell_out, self._bell_in = os.pipe()
        os.set_blocking(self._bell_out, False)
        self._selector.register(self._bell_out, selectors.EVENT_READ, self)
        self._stopping = False
        self.links: dict[str, MqttLink] = {}
        broker = (settings.broker_host, settings.broker_port)
        for identity in identities:
            # Each lock draws for itself, so that no lock's story hangs on another's; and from the time of its start, so
            # that a process that starts again repeats no boot id and no nonce.
            start = f"{seed}/{identity.lock_id}/{host()}"
            drawn, chance = random.Random(start), random.Random(f"{start}/network")
            flash, clock = self._flash.of(identity.lock_id), LockClock(host)
            lock = Lock(identity, flash, clock, trust, pad=pad, entropy=drawn.randbytes)
            self.links[identity.lock_id] = MqttLink(lock, broker, self._selector, time.monotonic, chance)
        for identity in identities[len(identities) - offline :] if offline else ():
            self.links[identity.lock_id].wanted = False
        self.near = NearServer(settings.sim_near_port, self._selector, self._find, self._after_visit)

    def call(self, job: Callable[[], Answer], seconds: float = 10.0) -> Answer:
        """Run `job` in the fleet's own thread and wait for its answer. Raises what the job raises, or TimeoutError."""
        answer: Future[Answer] = Future()

        def run() -> None:
            try:
                answer.set_result(job())
            except Exception as error:  # handed to the caller, whoever that is
                answer.set_exception(error)

        self._jobs.put(run)
        os.write(self._bell_in, b"!")
        return answer.result(seconds)

    def run(self) -> None:
        """Run until `stop` is called."""
        next_step = 0.0
        while not self._stopping:
            for key, events in self._selector.select(max(0.0, min(STEP_SECONDS, next_step - time.monotonic()))):
                self._guarded(key.data, partial(key.data.on_ready, events))
            if time.monotonic() >= next_step:
                self._step()
                next_step = time.monotonic() + STEP_SECONDS
        self._close()

    def stop(self) -> None:
        """Ask the loop to end; the locks say goodbye. Safe from a signal handler."""
        self._stopping = True
        os.write(self._bell_in, b"!")

    def on_ready(self, _events: int) -> None:
        """The bell has rung: run the jobs that wait."""
        os.read(self._bell_out, 4_096)
        while not self._jobs.empty():
            self._jobs.get()()
        for link in self.links.values():
            link.flush()

    def counts(self) -> dict[str, int]:
        """How many locks there are, are wanted online (but for those the broker refuses), and are connected."""
        links = self.links.values()
        return {
            "locks": len(self.links),
            "wanted": sum(link.wanted and not link.refused for link in links),
            "connected": sum(link.connected for link in links),
        }

    def _step(self) -> None:
        connecting = 0
        for link in self.links.values():
            waiting = link.wanted and not link.connected
            if waiting and connecting >= CONNECTS_PER_STEP:
                continue
            self._guarded(link, partial(self._step_one, link))
            connecting += waiting

    @staticmethod
    def _step_one(link: MqttLink) -> None:
        link.step()
        if link.lock.clock.ticks() >= link.lock.due_at():
            link.lock.tick()
        link.flush()

    def _guarded(self, target: Any, job: Callable[[], None]) -> None:
        """One lock's fault must not stop the others: it is logged and that lock restarts."""
        try:
            job()
        except Exception:
            log.exception("a simulated lock failed; it restarts")
            if isinstance(target, MqttLink):
                target.lock.restart_wanted = True

    def _find(self, lock_id: str) -> Lock | None:
        link = self.links.get(lock_id)
        return None if link is None else link.lock

    def _after_visit(self, lock: Lock) -> None:
        self.links[lock.identity.lock_id].flush()

    def _close(self) -> None:
        for link in self.links.values():
            link.wanted = False
            self._guarded(link, link.say_goodbye)
        self.near.close()
        self._flash.close()
        self._selector.close()
