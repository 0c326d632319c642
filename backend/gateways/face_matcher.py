"""Role FaceMatcher: is the face of these live frames the face on this document? One to one, in memory.

The engine runs in worker processes of its own (forkserver): the library is not safe in threads, holds the interpreter
while it encodes, and a web process that never imports it can never keep a picture of it. Nothing but the verdict
comes back. There is one document and one face in every call; no list and no search exists.
"""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures import TimeoutError as DeadlinePassed
from concurrent.futures.process import BrokenProcessPool
from typing import Any, Protocol

import structlog

from backend.domain.faces import FacePolicy, FaceVerdict
from backend.domain.movements import Challenge
from backend.gateways.face_frames import Frame

__all__ = [
    "DlibFaceMatcher",
    "FaceBusy",
    "FaceMatcher",
    "FaceUnavailable",
    "FakeFaceMatcher",
    "Frame",
    "UnavailableFaceMatcher",
    "make_face_matcher",
]

log = structlog.get_logger()

QUEUE = 8  # checks waiting or running; one takes about half a second of CPU, so the last waits a few seconds
DEADLINE_SECONDS = 20.0
RETRY_AFTER_SECONDS = 5
CHECKS_PER_WORKER = 100  # then a fresh process takes over: what the library leaks stays small
_PRELOAD = ["backend.gateways.face_pipeline"]


class FaceBusy(Exception):
    """The queue is full; worth another try after `retry_after_seconds`."""

    def __init__(self, retry_after_seconds: int = RETRY_AFTER_SECONDS) -> None:
        super().__init__(f"try again in {retry_after_seconds} s")
        self.retry_after_seconds = retry_after_seconds


class FaceUnavailable(Exception):
    """The engine is missing, crashed, or did not answer in time; the other ways remain."""


class FaceMatcher(Protocol):
    """Compares one document with one live burst."""

    def verify(
        self, document: bytes, frames: Sequence[Frame], challenge: Challenge, policy: FacePolicy
    ) -> FaceVerdict:
        """Decide; unusable pictures are a verdict ('retake'), not an error. Raises FaceBusy, FaceUnavailable."""
        ...

    def is_ready(self) -> bool:
        """Whether a check can be asked for now."""
        ...

    def close(self) -> None:
        """End the worker processes."""
        ...


def make_face_matcher(workers: int) -> FaceMatcher:
    """The engine with `workers` processes, started warm; none of them, or no engine: the other ways remain."""
    return DlibFaceMatcher(workers) if workers > 0 else UnavailableFaceMatcher()


class DlibFaceMatcher:
    """dlib behind face-recognition, in `workers` processes of some 80 MB each."""

    def __init__(self, workers: int = 1, *, queue: int = QUEUE, deadline_seconds: float = DEADLINE_SECONDS) -> None:
        self._workers, self._deadline = workers, deadline_seconds
        self._places = threading.BoundedSemaphore(queue)
        self._guard = threading.Lock()
        self._closed = False
        self._pool, self._warming = self._start()

    def verify(
        self, document: bytes, frames: Sequence[Frame], challenge: Challenge, policy: FacePolicy
    ) -> FaceVerdict:
        if not self._places.acquire(blocking=False):
            raise FaceBusy
        try:
            return self._ask(_verify, document, tuple(frames), challenge, policy)
        finally:
            self._places.release()

    def is_ready(self) -> bool:
        warming = self._warming
        return not self._closed and warming.done() and warming.exception() is None

    def wait_ready(self, seconds: float) -> bool:
        """Wait until the engine is loaded (True) or cannot be, or until `seconds` have passed (False)."""
        try:
            self._warming.result(timeout=seconds)
        except Exception:  # whatever the engine failed with is the same answer here: not ready
            return False
        return not self._closed

    def close(self) -> None:
        with self._guard:
            self._closed = True
            _end(self._pool)

    def _ask(self, work: Any, *arguments: Any) -> Any:
        pool = self._pool
        try:
            return pool.submit(work, *arguments).result(timeout=self._deadline)
        except DeadlinePassed:
            self._rebuild(pool, "deadline")
        except BrokenProcessPool:
            self._rebuild(pool, "crash")
        except Exception as error:  # a fault of ours in the worker: its text might speak of the pictures, its type not
            log.error("face_check_failed", kind=type(error).__name__)
        raise FaceUnavailable

    def _start(self) -> tuple[ProcessPoolExecutor, Future[str]]:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(_PRELOAD)
        pool = ProcessPoolExecutor(self._workers, mp_context=context, max_tasks_per_child=CHECKS_PER_WORKER)
        return pool, pool.submit(_warm_up)

    def _rebuild(self, broken: ProcessPoolExecutor, why: str) -> None:
        """Replace a broken pool once, however many callers saw it break."""
        with self._guard:
            if self._pool is not broken or self._closed:
                return
            log.warning("face_workers_rebuilt", why=why)
            _end(broken)
            self._pool, self._warming = self._start()


class UnavailableFaceMatcher:
    """No engine in this process: every check is refused and people take the other ways."""

    def verify(
        self, document: bytes, frames: Sequence[Frame], challenge: Challenge, policy: FacePolicy
    ) -> FaceVerdict:
        raise FaceUnavailable

    def is_ready(self) -> bool:
        return False

    def close(self) -> None:
        """Nothing to end."""


class FakeFaceMatcher:
    """Answers what the test says: `verdict`, or raises `error`."""

    def __init__(self, decision: str = "match", reasons: tuple[str, ...] = (), distance: float | None = 0.30) -> None:
        self.verdict = FaceVerdict(decision, reasons, distance, "fake")
        self.error: Exception | None = None
        self.asked = 0

    def verify(
        self, document: bytes, frames: Sequence[Frame], challenge: Challenge, policy: FacePolicy
    ) -> FaceVerdict:
        self.asked += 1
        if self.error is not None:
            raise self.error
        return self.verdict

    def is_ready(self) -> bool:
        return True

    def close(self) -> None:
        """Nothing to end."""


def _end(pool: ProcessPoolExecutor) -> None:
    # A worker that hangs does not hear a polite request; `_processes` is the executor's own table of them.
    for process in list((getattr(pool, "_processes", None) or {}).values()):
        process.kill()
    pool.shutdown(wait=False, cancel_futures=True)


def _warm_up() -> str:
    from backend.gateways.face_engine import load_engine

    return load_engine().version


def _verify(document: bytes, frames: tuple[Frame, ...], challenge: Challenge, policy: FacePolicy) -> FaceVerdict:
    from backend.gateways.face_pipeline import verify

    return verify(document, frames, challenge, policy)
