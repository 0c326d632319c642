"""Pictures and bursts for tests that use the real face engine; made once per test process (a burst takes seconds).

Both faces are in the public domain and come with packages: nothing of a person is kept in this repository.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache

import numpy as np
from PIL import Image

from backend.domain.movements import Challenge
from backend.gateways.face_frames import Frame
from device_sim import faces

# One burst serves all tests: it takes seconds to make. A challenge asks for three of its movements; the fourth is the
# one slip that is allowed.
MOVEMENTS = ("turn_left", "close_eyes", "open_mouth", "turn_right")
ACTIONS = MOVEMENTS[:3]

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


def asked(actions: Sequence[str]) -> Challenge:
    """A challenge for `actions`, open at NOW."""
    return Challenge("nonce", tuple(actions), NOW + timedelta(seconds=60))


@cache
def document() -> bytes:
    """A portrait as large as a document's photograph."""
    return faces.default_document()


@cache
def selfie() -> bytes:
    """Another picture of the same person."""
    return faces.default_selfie()


@cache
def somebody_else() -> bytes:
    """A picture of another person."""
    return faces.second_person()


@cache
def burst() -> tuple[Frame, ...]:
    """The selfie's person making all MOVEMENTS."""
    return as_frames(faces.record_burst(selfie(), MOVEMENTS))


def as_frames(made: Sequence[faces.SimFrame]) -> tuple[Frame, ...]:
    """What the simulated phone records, as the core takes it."""
    return tuple(Frame(one.jpeg, one.at_ms) for one in made)


def picture(kind: str = "JPEG", change: Callable[[Image.Image], Image.Image] | None = None, **options: object) -> bytes:
    """The document as another kind of file, changed by `change` before."""
    with Image.open(io.BytesIO(document())) as opened:
        opened.load()
        return saved(change(opened) if change else opened, kind, **options)


def saved(image: Image.Image, kind: str = "JPEG", **options: object) -> bytes:
    """An image as a file's bytes."""
    written = io.BytesIO()
    image.save(written, kind, **options)  # type: ignore[arg-type]
    return written.getvalue()


def landscape(width: int = 640, height: int = 480, seed: int = 0) -> Image.Image:
    """A picture without a face: soft coloured noise."""
    small = np.random.default_rng(seed).integers(60, 180, (6, 8, 3), dtype=np.uint8)
    return Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC)


@cache
def faceless_burst() -> tuple[Frame, ...]:
    """Twenty-four small frames without a face: quick to judge."""
    return tuple(Frame(saved(landscape(96, 96, seed)), seed * 250) for seed in range(24))
