"""The thread that judges what came in. It may die with its process at any moment: the database knows what is left."""

from __future__ import annotations

import logging
import threading

from backend.registry.batches import Registry
from backend.registry.judging import process_once

log = logging.getLogger(__name__)

LOOK_EVERY_SECONDS = 0.5  # batches told to wait come due without anyone waking us


class Processor:
    """Judges batches until stopped; `wake` after a filing makes it look at once."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._work = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="registry-processor", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def wake(self) -> None:
        """There is something new."""
        self._work.set()

    def stop(self) -> None:
        """Finish the chunk in hand and end."""
        self._stopping = True
        self._work.set()
        if self._thread.is_alive():
            self._thread.join()

    @property
    def is_alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    def _run(self) -> None:
        while not self._stopping:
            self._work.wait(LOOK_EVERY_SECONDS)
            self._work.clear()
            try:
                while not self._stopping and process_once(self._registry):
                    pass
            except Exception as error:  # the next look may find the database in order again
                log.error("judging failed: %s", type(error).__name__)
