"""One face that can act: a selfie in a camera's frame, and the poses by which it shows each movement.

The actor tries poses from mild to bold and keeps the first in which the landmarks show the movement, as the guidance on
a phone's screen makes a person turn a little further. It measures with the same library as the core, by its own code.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from device_sim.face_warps import FaceMesh, Pixels, Points, Pose

FRAME_SIZE = (640, 480)
EYES_APART = 82  # pixels between the eyes in a frame: a phone held at arm's length
_TURN_SHOWN, _MOUTH_SHOWN, _EYES_SHOWN = 0.38, 0.49, 0.60  # a margin beyond what the check asks (.35, .45, .65)
# How far to turn (degrees), how much the nose stands out, how far to look down, in the order tried: plain turns first.
_TURNS = (
    (26, 1.0, 0), (30, 1.0, 0), (34, 1.0, 0), (38, 1.0, 0), (33, 1.35, 0), (37, 1.0, -12), (24, 1.7, 0), (28, 1.7, 0),
    (27, 1.7, -6), (36, 2.1, 0), (22, 2.1, 0), (20, 2.5, 0),
)  # fmt: skip
# Ways to shut the eyes: (how far, the lower lid's share of it, does the fold follow, how dark the lashes, brows down).
_LIDS = (
    (0.85, 0.35, 1.0, 0.5, 0.0), (1.0, 0.1, 1.0, 0.5, 0.0), (0.9, -0.2, 1.0, 0.4, 0.0), (1.1, 0.1, 1.0, 0.9, 0.0),
    (1.0, 0.35, 1.0, 0.0, 0.0), (1.0, 0.25, 0.0, 0.0, 0.0), (1.1, 0.25, 1.4, 0.9, 0.0), (1.1, 0.1, 0.5, 0.0, 0.0),
    (0.85, 0.1, 1.0, 0.9, 0.0), (0.9, 0.25, 1.4, 0.9, -0.15), (1.0, 0.5, 1.4, 0.9, 0.06), (1.2, 0.5, 1.0, 0.4, -0.08),
    (0.9, 0.25, 0.5, 0.0, -0.15), (0.9, 0.5, 0.5, 0.9, 0.0),
)  # fmt: skip


class NoFaceInPicture(Exception):
    """The picture shows no face that could be moved."""


class Actor:
    """A face in a camera's frame and the poses by which it shows each movement."""

    def __init__(self, picture: Image.Image, eyes_apart: float = EYES_APART) -> None:
        frame = np.asarray(framed(picture, eyes_apart))
        landmarks = landmarks_of(frame)
        if landmarks is None:
            raise NoFaceInPicture("no face found in the picture")
        self.mesh = FaceMesh(frame, landmarks)
        self._noise = np.random.default_rng(5).normal(0, 1.4, frame.shape)
        self.neutral = self._neutral()
        self._ranked: dict[str, list[Pose]] = {}

    def poses_for(self, action: str) -> list[Pose]:
        """Poses that show `action`, best first: one when the mildest tried is seen clearly, else the three nearest."""
        if action not in self._ranked:
            tried: list[tuple[float, Pose]] = []
            for pose in self._tries(action):
                tried.append((self._score(action, pose), pose))
                if tried[-1][0] >= 0:
                    break
            tried.sort(key=lambda pair: -pair[0])
            self._ranked[action] = [pose for _, pose in tried[: 1 if tried[0][0] >= 0 else 3]]
        return self._ranked[action]

    def shown(self, action: str, pixels: Pixels) -> float:
        """How far beyond the wanted margin `pixels` show the movement; negative: not enough, -8: no face."""
        measured = measured_face(pixels)
        if measured is None:
            return -8.0
        yaw, mouth, eyes = measured
        if action == "turn_left":
            return yaw - _TURN_SHOWN
        if action == "turn_right":
            return -yaw - _TURN_SHOWN
        return mouth - _MOUTH_SHOWN if action == "open_mouth" else _EYES_SHOWN - eyes / self._eyes_open

    def _neutral(self) -> Pose:
        """Frontal, mouth nearly shut: what the picture lacks of it is made up by turning back and closing."""
        pose = Pose(mouth_open=min(0.0, 0.12 - self.mesh.mouth_gap()) * 0.8)
        for _ in range(3):
            measured = measured_face(self.mesh.moved(pose))
            if measured is None or abs(measured[0]) <= 0.08:
                break
            pose = replace(pose, turn_degrees=pose.turn_degrees - 60 * measured[0])
        takes = [measured_face(self.mesh.moved(replace(pose, nod_degrees=nod))) for nod in (-0.6, 0.0, 0.6)]
        self._eyes_open = float(np.median([take[2] for take in takes if take] or [0.1]))
        return pose

    def _tries(self, action: str) -> Iterator[Pose]:
        if action in ("turn_left", "turn_right"):
            side = 1 if action == "turn_left" else -1
            for degrees, relief, nod in _TURNS:
                turned = self.neutral.turn_degrees + side * degrees
                yield replace(self.neutral, turn_degrees=turned, relief=relief, nod_degrees=nod)
        elif action == "open_mouth":
            for gap in (0.5, 0.65, 0.8, 0.95):
                yield replace(self.neutral, mouth_open=self.neutral.mouth_open + gap)
        elif action == "close_eyes":
            for closed, lower, falls, lashes, brows in _LIDS:
                lids = replace(self.neutral, eyes_closed=closed, lower_lid=lower, fold_falls=falls, lashes=lashes)
                yield replace(lids, brows_down=brows)
        else:
            raise ValueError(f"unknown action {action!r}")

    def _score(self, action: str, pose: Pose) -> float:
        """`shown`, in the worse of two takes where the first shows it."""
        still = self.mesh.moved(pose)
        score = self.shown(action, still)
        if score < 0:
            return score
        noisy = np.clip(still * 0.98 + self._noise, 0, 255).astype(np.uint8)
        return min(score, self.shown(action, np.roll(noisy, (2, -2), (0, 1))))


def measured_face(pixels: Pixels) -> tuple[float, float, float] | None:
    """Yaw, mouth gap and eye opening, all as ratios, of the largest face; None when there is none."""
    p = landmarks_of(pixels)
    if p is None:
        return None
    left, right = p[36:42].mean(axis=0), p[42:48].mean(axis=0)
    across = right - left
    yaw = (p[30] - (left + right) / 2) @ across / (across @ across)
    apart = [_far(p[a], p[b]) for a, b in ((37, 41), (38, 40), (43, 47), (44, 46))]
    eyes = float(np.mean(apart)) / _far((p[48] + p[54]) / 2, (left + right) / 2)
    return float(yaw), _far(p[62], p[66]) / _far(p[60], p[64]), eyes


def between(rest: Pose, full: Pose, share: float) -> Pose:
    return Pose(
        turn_degrees=rest.turn_degrees + share * (full.turn_degrees - rest.turn_degrees),
        relief=full.relief,
        mouth_open=rest.mouth_open + share * (full.mouth_open - rest.mouth_open),
        eyes_closed=rest.eyes_closed + share * (full.eyes_closed - rest.eyes_closed),
        lower_lid=full.lower_lid,
        fold_falls=full.fold_falls,
        lashes=full.lashes,
        nod_degrees=rest.nod_degrees + share * (full.nod_degrees - rest.nod_degrees),
        brows_down=share * full.brows_down,
    )


def framed(picture: Image.Image, eyes_apart: float) -> Image.Image:
    """The camera's frame: the face in the middle, its eyes `eyes_apart` pixels from each other, upright."""
    landmarks = landmarks_of(np.asarray(picture))
    if landmarks is None:
        raise NoFaceInPicture("no face found in the picture")
    left, right = landmarks[36:42].mean(axis=0), landmarks[42:48].mean(axis=0)
    across = right - left
    step = across / (across @ across) ** 0.5 / (eyes_apart / (across @ across) ** 0.5)
    middle = (left + right) / 2 + np.array([-step[1], step[0]]) * eyes_apart * 0.35
    width, height = FRAME_SIZE
    corner = middle - step * width / 2 - np.array([-step[1], step[0]]) * height / 2
    affine = (step[0], -step[1], corner[0], step[1], step[0], corner[1])
    return _smaller_first(picture, affine)


def _smaller_first(picture: Image.Image, affine: tuple[float, ...]) -> Image.Image:
    """Apply the affine map; shrink the picture before when many of its pixels fall on one, as a lens would blur."""
    scale = float(np.hypot(affine[0], affine[3]))
    if scale > 1.5:
        width, height = round(picture.width / scale), round(picture.height / scale)
        picture = picture.resize((max(width, 1), max(height, 1)), Image.Resampling.LANCZOS)
        affine = tuple(value / scale for value in affine)
    grey = tuple(int(value) for value in np.asarray(picture).reshape(-1, 3).mean(axis=0))
    resample = Image.Resampling.BICUBIC
    return picture.transform(FRAME_SIZE, Image.Transform.AFFINE, affine, resample, fillcolor=grey)


def _far(a: Points, b: Points) -> float:
    return float(np.hypot(*(a - b)))


def landmarks_of(pixels: Pixels) -> Points | None:
    """68 landmarks (x, y in pixels) of the largest face, or None. Mean of two passes: one trembles."""
    detector, predictor, rectangle = _library()
    whole = Image.fromarray(pixels)
    boxes, ratio = [], 1.0
    for side, doublings in ((400, 0), (960, 0), (640, 1)):
        ratio = max(1.0, max(whole.size) / side)
        smaller = (round(whole.width / ratio), round(whole.height / ratio))
        small = np.asarray(whole.resize(smaller, Image.Resampling.BILINEAR) if ratio > 1 else whole)
        boxes = detector(small, doublings)
        if boxes:
            break
    if not boxes:
        return None
    box = max(boxes, key=lambda found: found.width())
    rough = _placed(predictor, pixels, rectangle, box.left() * ratio, box.top() * ratio, box.width() * ratio)
    # The detector's boxes come in steps; a box drawn from the rough landmarks holds still from frame to frame.
    left, top, size = _steadied(_placed(predictor, pixels, rectangle, *_steadied(rough)))
    passes = [_placed(predictor, pixels, rectangle, left + side * size, top, size) for side in (-0.04, 0.04)]
    mean: Points = np.mean(passes, axis=0)
    return mean


def _steadied(landmarks: Points) -> tuple[float, float, float]:
    """Left, top and size of the box the detector would most often draw around these landmarks."""
    middle = landmarks.mean(axis=0)
    spread = float(np.sqrt(((landmarks - middle) ** 2).sum(axis=1).mean()))
    return middle[0] - 1.43 * spread, middle[1] - 1.61 * spread, 2.86 * spread


def _placed(predictor: Any, pixels: Pixels, rectangle: Any, left: float, top: float, size: float) -> Points:
    shape = predictor(pixels, rectangle(round(left), round(top), round(left + size), round(top + size)))
    return np.array([(shape.part(n).x, shape.part(n).y) for n in range(68)], float)


@cache
def _library() -> tuple[Any, Any, Any]:
    """dlib's detector, its 68-landmark predictor and its rectangle; loaded on first use (a second, 100 MB)."""
    import dlib

    spec = importlib.util.find_spec("face_recognition_models")
    if spec is None or not spec.submodule_search_locations:
        raise NoFaceInPicture("the face package is not installed: pip install -r requirements.txt")
    model = Path(spec.submodule_search_locations[0]) / "models" / "shape_predictor_68_face_landmarks.dat"
    return dlib.get_frontal_face_detector(), dlib.shape_predictor(str(model)), dlib.rectangle
