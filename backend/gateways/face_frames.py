"""One live frame, as the phone's page sends it and the face worker receives it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Frame:
    """JPEG bytes of an unmirrored camera picture and the time it was taken, in ms since any fixed moment."""

    jpeg: bytes
    at_ms: int
