"""What passes between whoever asks for a face check and whoever makes it: frames in, two kinds of "not now" out."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Frame:
    """JPEG bytes of an unmirrored camera picture and the time it was taken, in ms since any fixed moment."""

    jpeg: bytes
    at_ms: int


class FaceBusy(Exception):
    """Too many checks at once; try again after `retry_after_seconds`."""

    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__(f"busy, again in {retry_after_seconds} s")
        self.retry_after_seconds = retry_after_seconds


class FaceUnavailable(Exception):
    """The check cannot be made now: package missing, worker crashed or too slow. The other ways remain."""
