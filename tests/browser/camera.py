"""A fake camera for headless Chromium: a Motion-JPEG file it re-reads at each getUserMedia.

Chromium plays such a file at 30 frames a second. A burst of four frames a second is stretched to that, each repeat with
a little noise of its own, since a real camera never gives the same picture twice.
"""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

RATE = 30
REPEATS = RATE // 4
LEAD_SECONDS, TAIL_SECONDS = 2, 6


def film(path: Path, pictures: Sequence[bytes]) -> None:
    """Put a film of these JPEGs at `path` in one step: the first held at the beginning, the last at the end."""
    source = np.random.default_rng(7)
    shown = [pictures[0]] * (LEAD_SECONDS * RATE // REPEATS), list(pictures), [pictures[-1]] * (TAIL_SECONDS * 4)
    fresh = path.with_suffix(".new")
    with fresh.open("wb") as file:
        for picture in (each for part in shown for each in part):
            pixels = np.asarray(Image.open(io.BytesIO(picture)).convert("RGB").resize((640, 480)), dtype=np.int16)
            for _ in range(REPEATS):
                file.write(_noisy(pixels, source))
    os.replace(fresh, path)


def _noisy(pixels: np.ndarray, source: np.random.Generator) -> bytes:
    noise = source.integers(-2, 3, pixels.shape[:2], dtype=np.int16)[:, :, None]
    out = io.BytesIO()
    Image.fromarray(np.clip(pixels + noise, 0, 255).astype(np.uint8)).save(out, "JPEG", quality=88)
    return out.getvalue()
