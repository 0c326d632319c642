"""The face library behind four verbs: find faces, place landmarks, measure quality, encode. Face workers only.

`face_recognition` is not safe in threads, ends the whole process with status 0 when a part is missing, and makes Pillow
accept truncated files; `load_engine` guards against all three. The web process never imports this module.
"""

from __future__ import annotations

import contextlib
import io
import warnings
from dataclasses import dataclass, replace
from functools import cache
from importlib import metadata
from math import atan2, degrees
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile

from backend.domain.faces import FaceQuality
from backend.domain.movements import FrameMeasure
from backend.gateways.face_pictures import Pixels, pixels_of

Points = NDArray[np.float64]
Embedding = NDArray[np.float64]

PIPELINE = "anju-2"  # raise it with every change that can move a distance or a measure
# Copies a face is looked for in: (long side in pixels, times the detector doubles it). A face must be 80 pixels wide.
DOCUMENT_LADDER = ((480, 0), (960, 0), (640, 1))
# A dlib box seen from its landmarks: centre above their mean, width, both in units of their spread (root mean square
# distance to the mean); medians over frontal and turned faces. Boxes come in steps, landmarks placed from them tremble.
_BOX_RISE, _BOX_WIDTH = 0.18, 2.86
_SURE = 0.5  # faces scored .56 and more in trials; what looked like one in a tree or a sideways picture at most .37
_LOW_THRESHOLD = -0.5  # for a face that was there a moment ago and is just turning
_GREY_SIDE = 150  # the size the encoder looks at


class EngineMissing(Exception):
    """The face library cannot be used in this installation; the message says why."""


@dataclass(frozen=True)
class Box:
    """Square of a found face in pixels of the decoded picture; `score` is the detector's, 0 (hardly) to about 3."""

    left: float
    top: float
    size: float
    score: float = 0.0


class Engine:
    """One loaded library. Not for threads: one worker process, one engine, one job at a time."""

    def __init__(self, library: Any, dlib: Any, version: str) -> None:
        self._library, self._dlib = library, dlib
        self.version = version

    def find_faces(self, picture: Image.Image, side: int, doublings: int = 0, threshold: float = 0.0) -> list[Box]:
        """Boxes of the faces in a copy of `picture` whose long side is `side` pixels, largest first."""
        scale = min(1.0, side / max(picture.size))
        size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
        copy = picture if scale == 1.0 else picture.resize(size, Image.Resampling.BILINEAR)
        found, scores, _ = self._library.api.face_detector.run(pixels_of(copy), doublings, threshold)
        boxes = [
            Box(box.left() / scale, box.top() / scale, box.width() / scale, score)
            for box, score in zip(found, scores, strict=True)
        ]
        return sorted(boxes, key=lambda box: -box.size)

    def place_landmarks(self, pixels: Pixels, box: Box) -> Points:
        """68 landmarks (x, y in pixels; iBUG 300-W order) in `box`: mean of two passes on a steadied box."""
        first = self._placed(pixels, _steadied(self._placed(pixels, box)))
        steady = _steadied(first)
        shift = 0.04 * steady.size
        passes = [self._placed(pixels, replace(steady, left=steady.left + side)) for side in (-shift, shift)]
        mean: Points = np.mean(passes, axis=0)
        return mean

    def encode(self, pixels: Pixels, box: Box) -> Embedding:
        """128 numbers for the face in `box`; Euclidean distances between them are what policies speak of."""
        around = (round(box.top), round(box.left + box.size), round(box.top + box.size), round(box.left))
        embedding: Embedding = self._library.face_encodings(pixels, known_face_locations=[around])[0]
        return embedding

    def _placed(self, pixels: Pixels, box: Box) -> Points:
        square = self._dlib.rectangle(
            round(box.left), round(box.top), round(box.left + box.size), round(box.top + box.size)
        )
        shape = self._library.api.pose_predictor_68_point(pixels, square)
        return np.array([(shape.part(n).x, shape.part(n).y) for n in range(68)], dtype=np.float64)


@cache
def load_engine() -> Engine:
    """The library, loaded once per process and tried out. Raises EngineMissing with the reason."""
    tolerant = ImageFile.LOAD_TRUNCATED_IMAGES
    said = io.StringIO()
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(said):
            warnings.simplefilter("ignore")  # pkg_resources announces its own end
            import dlib
            import face_recognition
    except SystemExit:
        raise EngineMissing(f"face_recognition gave up: {said.getvalue().strip()[:200]}") from None
    except Exception as error:
        raise EngineMissing(f"{type(error).__name__}: {error}") from None
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = tolerant
    version = f"{PIPELINE}/dlib-{dlib.__version__}/face-recognition-{metadata.version('face-recognition')}"
    engine = Engine(face_recognition, dlib, version)
    _try_out(engine)
    return engine


def measure_frame(landmarks: Points, at_ms: int) -> FrameMeasure:
    """The movement check's view of one face; see FrameMeasure for the ratios."""
    p = landmarks
    right_eye, left_eye = p[36:42].mean(axis=0), p[42:48].mean(axis=0)  # the person's own
    across, middle = left_eye - right_eye, (left_eye + right_eye) / 2
    yaw = float((p[30] - middle) @ across / (across @ across))
    opening = np.mean([_apart(p[upper], p[lower]) for upper, lower in ((37, 41), (38, 40), (43, 47), (44, 46))])
    eyes = float(opening) / _apart((p[48] + p[54]) / 2, middle)
    return FrameMeasure(at_ms=at_ms, yaw=yaw, mouth=_apart(p[62], p[66]) / _apart(p[60], p[64]), eyes=eyes)


def measure_quality(picture: Image.Image, box: Box, landmarks: Points) -> FaceQuality:
    """How usable the face in `box` is; see FacePolicy for units."""
    across = landmarks[42:48].mean(axis=0) - landmarks[36:42].mean(axis=0)
    right, bottom = box.left + box.size, box.top + box.size
    crop = (max(0, round(box.left)), max(0, round(box.top)), min(picture.width, round(right)),
            min(picture.height, round(bottom)))  # fmt: skip
    face = picture.crop(crop).convert("L").resize((_GREY_SIDE, _GREY_SIDE), Image.Resampling.BILINEAR)
    grey = np.asarray(face, dtype=np.float64)
    inner = grey[1:-1, 1:-1]
    laplacian = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:] - 4 * inner
    slack = 0.06 * box.size  # the detector's boxes come in steps of that order
    return FaceQuality(
        eyes_apart=float(np.hypot(*across)),
        sharpness=float(laplacian.var() / max(grey.var(), 1.0)),
        luminance=float(grey.mean()),
        burnt_share=float((grey >= 250).mean()),
        yaw=measure_frame(landmarks, 0).yaw,
        roll=degrees(atan2(across[1], across[0])),
        is_inside=min(box.left, box.top, picture.width - right, picture.height - bottom) >= -slack,
    )


def find_main_face(boxes: list[Box], second_face_share: float) -> Box | None:
    """The largest face. None when a second one has `second_face_share` of its area: then nobody is the main one.

    By area, so that the small second portrait printed on many travel documents (half as wide) is no second person.
    """
    if len(boxes) > 1 and boxes[1].size ** 2 >= second_face_share * boxes[0].size ** 2:
        return None
    return boxes[0]


TURNS = (Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_270, Image.Transpose.ROTATE_180)


def find_document_faces(engine: Engine, picture: Image.Image) -> tuple[Image.Image, list[Box]]:
    """Faces in a document's picture and the picture turned so that they stand upright; empty when none is found.

    A document is often photographed sideways without the camera noticing, and the detector knows only faces upright
    within some 40 degrees. While none is sure, the picture is tried on its other sides, and the surest is taken.
    """
    best: tuple[float, Image.Image, list[Box]] = (0.0, picture, [])
    for turn in (None, *TURNS):
        turned = picture if turn is None else picture.transpose(turn)
        for side, doublings in DOCUMENT_LADDER:
            boxes = engine.find_faces(turned, side, doublings)
            score = max((box.score for box in boxes), default=0.0)
            if score >= _SURE:
                return turned, boxes
            if boxes and score >= best[0]:
                best = (score, turned, boxes)
    return best[1], best[2]


def is_sideways(engine: Engine, picture: Image.Image) -> bool:
    """Whether a live frame without an upright face shows one on another side: a phone that did not turn its picture."""
    return any(engine.find_faces(picture.transpose(turn), 640) for turn in TURNS)


def find_live_faces(engine: Engine, picture: Image.Image, before: Box | None) -> list[Box]:
    """Faces in a live frame; one that was there `before` is looked for more keenly at its place."""
    for side in (400, 640):
        boxes = engine.find_faces(picture, side)
        if boxes:
            return boxes
    if before is None:
        return []
    keen = engine.find_faces(picture, 640, threshold=_LOW_THRESHOLD)
    return [box for box in keen if _is_near(box, before)][:1]


def _steadied(landmarks: Points) -> Box:
    """The box the detector would most often draw around these landmarks."""
    middle = landmarks.mean(axis=0)
    spread = float(np.sqrt(((landmarks - middle) ** 2).sum(axis=1).mean()))
    size = spread * _BOX_WIDTH
    return Box(float(middle[0]) - size / 2, float(middle[1]) - _BOX_RISE * spread - size / 2, size)


def _is_near(box: Box, before: Box) -> bool:
    moved = abs(box.left + box.size / 2 - before.left - before.size / 2), abs(box.top - before.top)
    return max(moved) <= 0.6 * before.size and 0.6 <= box.size / before.size <= 1.6


def _apart(a: Points, b: Points) -> float:
    return max(float(np.hypot(*(a - b))), 1e-6)


def _try_out(engine: Engine) -> None:
    """A grey square holds no face, and any square gives 128 finite numbers: models are there and whole."""
    grey = Image.new("RGB", (160, 160), (120, 120, 120))
    if engine.find_faces(grey, 160):
        raise EngineMissing("the face detector sees faces in a grey square")
    embedding = engine.encode(pixels_of(grey), Box(20, 20, 120))
    if embedding.shape != (128,) or not np.isfinite(embedding).all():
        raise EngineMissing("the face encoder gives no usable numbers")
