"""`DlibFaceMatcher`: the face library in worker processes, with a bounded queue, a deadline, and rebuild after a crash.

This module imports no face library and no array library; pictures pass through it as bytes and are never written
anywhere.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Sequence
from datetime import datetime
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import TypeVar

from backend.domain.faces import FacePolicy, FaceVerdict
from backend.domain.movements import Challenge
from backend.gateways.face_frames import FaceBusy, FaceUnavailable, Frame
from backend.gateways.face_worker import serve
from backend.gateways.picture_headers import PictureRefused, check_document, check_frame

QUEUE = 8  # checks that may wait; a check takes a second or two, the ninth would wait beyond patience
DEADLINE_SECONDS = 20.0
CHECKS_PER_WORKER = 100  # then a fresh process, whatever the library may have kept
_START_SECONDS = 60.0  # loading the models from a cold disk on a busy machine
_START_PAUSES = (0, 1, 5, 30, 60)  # seconds before each attempt: a machine short of memory may recover


_Answer = TypeVar("_Answer")


class _WorkerDied(Exception):
    """A worker process ended by itself or was killed by somebody else."""


class DlibFaceMatcher:
    """face_recognition on dlib, in worker processes that a fork server starts warm.

    The library is not safe in threads and holds the interpreter while it works, so it never enters the web process. A
    worker that crashes or passes the deadline is killed and replaced; its check fails, the next one works.
    """

    def __init__(
        self,
        workers: int = 1,
        *,
        queue_size: int = QUEUE,
        deadline_seconds: float = DEADLINE_SECONDS,
        checks_per_worker: int = CHECKS_PER_WORKER,
    ) -> None:
        self._deadline, self._checks_per_worker = deadline_seconds, checks_per_worker
        self._places = threading.Semaphore(workers + queue_size)
        self._free: queue.Queue[_Worker] = queue.Queue()
        self._all: set[_Worker] = set()
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._missing = ""
        self._version = ""
        self._context = get_context("forkserver")
        self._context.set_forkserver_preload(["backend.gateways.face_preload"])
        for _ in range(workers):
            self._start_worker_soon()

    def verify(
        self, document: bytes, frames: Sequence[Frame], challenge: Challenge, policy: FacePolicy, now: datetime
    ) -> FaceVerdict:
        """See the role FaceMatcher."""
        self._refuse_when_gone()
        faults = _find_faults_in_heads(document, frames, policy)
        if faults:  # told by a few bytes: no worker is troubled
            return FaceVerdict("retake", faults, None, self._version or "heads")
        return self._answer_to("verify", (document, list(frames), challenge, policy, now), FaceVerdict)

    def look_at_document(self, document: bytes, policy: FacePolicy) -> tuple[str, ...]:
        """See the role FaceMatcher."""
        self._refuse_when_gone()
        faults = _find_faults_in_document_head(document, policy)
        return faults or self._answer_to("judge_document", (document, policy), tuple)

    def is_ready(self) -> bool:
        """Whether a worker has said that it can compare."""
        return bool(self._version) and not self._closed.is_set() and not self._missing

    def wait_until_ready(self, seconds: float) -> bool:
        """Wait for the warm start, for commands and tests; a web process asks `is_ready`."""
        ends_at = time.monotonic() + seconds
        while not self.is_ready() and not self._missing and time.monotonic() < ends_at:
            try:
                self._free.put(self._free.get(timeout=0.2))
            except queue.Empty:
                continue
        return self.is_ready()

    def close(self) -> None:
        """See the role FaceMatcher."""
        with self._lock:
            self._closed.set()
            gone, self._all = list(self._all), set()
        for worker in gone:
            worker.end()

    def worker_pids(self) -> tuple[int, ...]:
        """Process numbers of the workers now, for measuring their memory."""
        with self._lock:
            return tuple(worker.process.pid or 0 for worker in self._all)

    def _answer_to(self, question: str, arguments: tuple[object, ...], wanted: type[_Answer]) -> _Answer:
        """What a worker answers, within the queue and the deadline. Raises FaceBusy, FaceUnavailable."""
        ends_at = time.monotonic() + self._deadline
        if not self._places.acquire(blocking=False):
            raise FaceBusy(retry_after_seconds=5)
        job = (question, arguments)
        try:
            try:
                answer = self._answer_of(self._free_worker(ends_at), job, ends_at)
            except _WorkerDied:  # killed by the system, perhaps: once more; a picture that kills workers fails now
                answer = self._answer_of(self._free_worker(ends_at), job, ends_at)
        except _WorkerDied:
            raise FaceUnavailable("the worker died in the middle of the check") from None
        finally:
            self._places.release()
        if not isinstance(answer, wanted):
            raise FaceUnavailable(f"the worker failed: {answer}")
        return answer

    def _refuse_when_gone(self) -> None:
        if self._closed.is_set() or self._missing:
            raise FaceUnavailable(self._missing or "closed")

    def _free_worker(self, ends_at: float) -> _Worker:
        while True:
            try:
                worker = self._free.get(timeout=max(0.0, ends_at - time.monotonic()))
            except queue.Empty:
                self._refuse_when_gone()
                raise FaceBusy(retry_after_seconds=10) from None
            if worker.process.is_alive():
                return worker
            self._replace(worker)  # it died while idle: nobody's check has to pay for that

    def _answer_of(self, worker: _Worker, job: tuple[object, ...], ends_at: float) -> object:
        kind, answer = "failed", object()
        try:
            kind, answer = worker.ask(job, ends_at - time.monotonic())
        except (EOFError, OSError):
            if worker.was_cut:
                raise FaceUnavailable("the check took longer than allowed") from None
            raise _WorkerDied from None
        finally:
            if kind == "done" and worker.can_go_on(self._checks_per_worker):
                self._free.put(worker)
            else:
                self._replace(worker)
        return answer

    def _start_worker_soon(self) -> None:
        threading.Thread(target=self._start_worker, name="face-worker-start", daemon=True).start()

    def _start_worker(self) -> None:
        for pause in _START_PAUSES:
            if self._closed.wait(pause):
                return
            kind, said = self._try_to_start()
            if kind == "ready":
                return
            if kind == "missing":
                break
        self._missing = said

    def _try_to_start(self) -> tuple[str, str]:
        try:
            worker = _Worker(self._context)
        except (EOFError, OSError) as error:
            return "failed", f"no worker can be started: {type(error).__name__}"
        with self._lock:
            self._all.add(worker)
        try:
            kind, said = worker.hear(_START_SECONDS)
        except (EOFError, OSError):
            kind, said = "failed", "the worker ends as soon as it starts"
        if kind == "ready" and not self._closed.is_set():
            self._version = str(said)
            self._free.put(worker)
        else:
            self._drop(worker)
        return kind, str(said)

    def _replace(self, worker: _Worker) -> None:
        self._drop(worker)
        self._start_worker_soon()

    def _drop(self, worker: _Worker) -> None:
        with self._lock:
            self._all.discard(worker)
        worker.end()


class _Worker:
    """One worker process and the pipe to it; used by one thread at a time."""

    def __init__(self, context: object) -> None:
        ours, theirs = context.Pipe()  # type: ignore[attr-defined]
        self.process: BaseProcess = context.Process(  # type: ignore[attr-defined]
            target=serve, args=(theirs,), name="face-worker", daemon=True
        )
        self._pipe: Connection = ours
        self._checks = 0
        self.was_cut = False
        self.process.start()
        theirs.close()

    def ask(self, job: tuple[object, ...], seconds: float) -> tuple[str, object]:
        """Send a question and hear the answer within `seconds`; raises EOFError or OSError when the worker ends."""
        self._checks += 1
        # A timer and no poll(): sending blocks too when a worker hangs, and only its death frees the pipe.
        timer = threading.Timer(max(seconds, 0.0), self._cut_off)
        timer.start()
        try:
            self._pipe.send(job)
            return self._answer()
        finally:
            timer.cancel()

    def hear(self, seconds: float) -> tuple[str, object]:
        """What the worker says by itself at its start; raises EOFError when it says nothing in time."""
        if not self._pipe.poll(seconds):
            raise EOFError
        return self._answer()

    def can_go_on(self, checks_per_worker: int) -> bool:
        """Whether it may get another check."""
        return not self.was_cut and self._checks < checks_per_worker and self.process.is_alive()

    def end(self) -> None:
        """Kill it and wait until it is gone; a second call does nothing more."""
        self.process.kill()
        self.process.join()
        self._pipe.close()

    def _answer(self) -> tuple[str, object]:
        kind, answer = self._pipe.recv()
        return kind, answer

    def _cut_off(self) -> None:
        self.was_cut = True
        self.process.kill()


def _find_faults_in_heads(document: bytes, frames: Sequence[Frame], policy: FacePolicy) -> tuple[str, ...]:
    faults = _find_faults_in_document_head(document, policy)
    if faults:
        return faults
    if not frames:
        return ("frames_missing",)
    try:
        for frame in frames[: policy.movements.frames_at_most + 1]:
            check_frame(frame.jpeg, policy.pictures)
    except PictureRefused as refused:
        return (f"frame_{refused.code}",)
    return ()


def _find_faults_in_document_head(document: bytes, policy: FacePolicy) -> tuple[str, ...]:
    if not document:
        return ("document_missing",)
    try:
        check_document(document, policy.pictures)
    except PictureRefused as refused:
        return (f"document_{refused.code}",)
    return ()
