"""Pictures of faces for the simulated phone: the burst that answers a challenge, made from one selfie.

A simulated phone has no person before it. `record_burst` takes the face from the selfie given to it and moves it as a
person would when asked: it bends the picture with real depth (face_warps) and checks with the landmarks of the same
library that each movement can be seen, as a phone's guidance on the screen does. Says so to whoever looks: these are
made frames, not a recording. Left and right are the person's own; frames are unmirrored camera frames, so a turn to
the person's left moves the nose to the right in the picture.
"""

from __future__ import annotations

import io
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from device_sim.face_actor import EYES_APART, FRAME_SIZE, Actor, NoFaceInPicture, between, framed
from device_sim.face_warps import Pixels, Pose

FRAME_GAP_MS = 250  # about four frames a second
_TAKES = 8


@dataclass(frozen=True)
class SimFrame:
    """One frame as a phone would send it: JPEG bytes and when it was taken, in ms since the burst began."""

    jpeg: bytes
    at_ms: int


def default_document() -> bytes:
    """JPEG of a public-domain portrait (NASA, comes with scikit-image), as large as a document's photograph."""
    return _jpeg(_portrait_of_astronaut(), quality=92)


def default_selfie() -> bytes:
    """JPEG of the same person as `default_document`, seen otherwise: turned, re-lit, nearer."""
    return other_picture_of(default_document())


def second_person() -> bytes:
    """JPEG of another person in the public domain (US Navy, comes with matplotlib)."""
    import matplotlib

    with Image.open(Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg") as picture:
        return _jpeg(picture.convert("RGB"), quality=92)


def other_picture_of(picture: bytes) -> bytes:
    """Another picture of the face in `picture`: turned by some 9 degrees, nodding, lit from one side, re-encoded.

    Raises NoFaceInPicture.
    """
    actor = Actor(_opened(picture), eyes_apart=96)
    moved = actor.mesh.moved(replace(actor.neutral, turn_degrees=actor.neutral.turn_degrees + 9, nod_degrees=4))
    height, width = moved.shape[:2]
    light = np.linspace(0.78, 1.12, width)[None, :, None] * np.linspace(1.05, 0.92, height)[:, None, None]
    warm = np.array([1.05, 1.0, 0.93])
    lit = 255 * (np.clip(moved * light * warm, 0, 255) / 255) ** 1.12
    return _jpeg(Image.fromarray(lit.astype(np.uint8)), quality=84)


def record_burst(selfie: bytes, actions: Sequence[str], *, seed: int = 0) -> list[SimFrame]:
    """24 to 40 frames in which the face of `selfie` performs `actions` in order.

    `actions` are of turn_left, turn_right, open_mouth, close_eyes. The same arguments give the same frames.
    Raises NoFaceInPicture.
    """
    return _shot(_actor_of(selfie), _plan(actions), seed)


def still_burst(selfie: bytes, count: int = 28) -> list[SimFrame]:
    """Frames of a face that does nothing, or of a picture without a face: what a held-up photograph gives."""
    frame = _framed_plainly(_opened(selfie))
    source = random.Random(1)
    return [_taken(np.asarray(frame), n, source) for n in range(count)]


def burst_of(selfie: bytes, actions: Sequence[str], *, seed: int = 0) -> list[SimFrame]:
    """`record_burst`, or the still frames a camera would see when the picture has no face to move."""
    try:
        return record_burst(selfie, actions, seed=seed)
    except NoFaceInPicture:
        return still_burst(selfie)


def flat_burst(selfie: bytes, degrees: float = 40) -> list[SimFrame]:
    """A printed photograph turned before the camera, first to one side, then to the other: no depth moves."""
    frame = _framed_plainly(_opened(selfie))
    source = random.Random(2)
    angles = [0, 0, 0, 0.5, 1, 1, 1, 0.5, 0, 0, 0, -0.5, -1, -1, -1, -0.5, 0, 0, 0, 0.5, 1, 1, 0.5, 0, 0, 0]
    return [_taken(np.asarray(_tilted(frame, share * degrees)), n, source) for n, share in enumerate(angles)]


def swapped_burst(first: bytes, second: bytes, actions: Sequence[str]) -> list[SimFrame]:
    """A burst in which another face is slipped in half-way: it shows whenever the first one rests."""
    frames, plan = record_burst(first, actions), _plan(actions)
    other = still_burst(second, len(plan))
    return [
        SimFrame(other[n].jpeg, frame.at_ms) if n >= len(plan) // 2 and not plan[n][0] else frame
        for n, frame in enumerate(frames)
    ]


@cache
def _actor_of(selfie: bytes) -> Actor:
    return Actor(_opened(selfie))


def _plan(actions: Sequence[str]) -> list[tuple[str, float]]:
    """What the face does frame by frame: (action, how far from 0 to 1); '' is the resting face."""
    steps = [("", 0.0)] * 4
    for action in actions:
        shares = (1.0,) * 5 if action == "close_eyes" else (0.5, 0.94, 1.0, 1.05, 0.5)
        steps += [(action, share) for share in shares] + [("", 0.0)] * 3
    return steps + [("", 0.0)] * max(0, 24 - len(steps))


def _shot(actor: Actor, plan: Sequence[tuple[str, float]], seed: int) -> list[SimFrame]:
    source = random.Random(seed)
    frames = []
    shown: set[str] = set()
    for number, (action, share) in enumerate(plan):
        if share > 0.9:
            tries = 1 if action in shown else _TAKES
            frame, score = _best_take(actor, action, share, number, source, tries)
            if score >= 0 and action != "close_eyes":  # eyes must be seen shut in two frames, the others in one
                shown.add(action)
        else:
            pose = between(actor.neutral, actor.poses_for(action)[0], share) if action else actor.neutral
            frame = _taken(actor.mesh.moved(_swaying(pose, 0.8, source)), number, source)
        frames.append(frame)
    return frames


def _best_take(
    actor: Actor, action: str, share: float, number: int, source: random.Random, takes: int
) -> tuple[SimFrame, float]:
    """The frame in which guidance on the screen would say "seen", or the nearest of `takes`."""
    best: tuple[SimFrame, float] | None = None
    poses = actor.poses_for(action)
    for take in range(takes):
        pose = between(actor.neutral, poses[take % len(poses)], share)
        frame = _taken(actor.mesh.moved(_swaying(pose, 0.2 + 0.3 * take, source)), number, source)
        with Image.open(io.BytesIO(frame.jpeg)) as picture:
            score = actor.shown(action, np.asarray(picture))
        if best is None or score > best[1]:
            best = (frame, score)
        if score >= 0:
            break
    assert best is not None
    return best


def _swaying(pose: Pose, degrees: float, source: random.Random) -> Pose:
    return replace(
        pose,
        turn_degrees=pose.turn_degrees + source.uniform(-degrees, degrees),
        nod_degrees=pose.nod_degrees + source.uniform(-degrees, degrees),
    )


def _taken(pixels: Pixels, number: int, source: random.Random) -> SimFrame:
    """The frame a sensor would give: a hand that trembles, a light that flickers, noise."""
    noise = np.random.default_rng(source.getrandbits(32)).normal(0, 1.4, pixels.shape)
    shaken = np.roll(pixels, (source.randint(-2, 2), source.randint(-2, 2)), axis=(0, 1))
    lit = np.clip(shaken * source.uniform(0.98, 1.02) + noise, 0, 255).astype(np.uint8)
    at_ms = number * FRAME_GAP_MS + source.randint(0, 25)
    return SimFrame(_jpeg(Image.fromarray(lit), quality=86), at_ms)


# --- pictures ---------------------------------------------------------------------------------------------------------


def _opened(picture: bytes) -> Image.Image:
    with Image.open(io.BytesIO(picture)) as opened:
        upright = ImageOps.exif_transpose(opened).convert("RGB")
    upright.thumbnail((1600, 1600))
    return upright


def _portrait_of_astronaut() -> Image.Image:
    import skimage.data

    whole = Image.fromarray(skimage.data.astronaut())  # type: ignore[no-untyped-call]
    return whole.crop((60, 0, 400, 340)).resize((1020, 1020), Image.Resampling.LANCZOS)


def _framed_plainly(picture: Image.Image) -> Image.Image:
    try:
        return framed(picture, EYES_APART)
    except NoFaceInPicture:
        return ImageOps.pad(picture, FRAME_SIZE, Image.Resampling.BICUBIC)


def _tilted(frame: Image.Image, degrees: float) -> Image.Image:
    """A flat print turned about its upright axis, seen from three of its widths away."""
    width, height = frame.size
    angle = np.radians(degrees)
    far = 1.2 * width
    corners = []
    for x, y in ((-1, -1), (-1, 1), (1, 1), (1, -1)):
        away = far + x * width / 2 * np.sin(angle)
        near = far / away
        corners.append((width / 2 * (1 + x * np.cos(angle) * near), height / 2 * (1 + y * near)))
    rows, wanted = [], []
    for (u, v), (x, y) in zip(corners, ((0, 0), (0, height), (width, height), (width, 0)), strict=True):
        rows += [[u, v, 1, 0, 0, 0, -x * u, -x * v], [0, 0, 0, u, v, 1, -y * u, -y * v]]
        wanted += [x, y]
    return frame.transform(
        frame.size, Image.Transform.PERSPECTIVE, tuple(np.linalg.solve(rows, wanted)), Image.Resampling.BICUBIC
    )


def _jpeg(picture: Image.Image, quality: int) -> bytes:
    written = io.BytesIO()
    picture.save(written, "JPEG", quality=quality)
    return written.getvalue()


