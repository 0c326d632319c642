"""One check from bytes to verdict, and a look at the document alone before it.

Runs in a face worker (or an operator's command), never in a web process.

Pictures and embeddings live in local variables of these functions and end with them; what is returned holds no
number of the face but the rounded distance.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from itertools import combinations

import numpy as np
from PIL import Image

from backend.domain.faces import (
    FacePolicy,
    FaceQuality,
    FaceVerdict,
    decide_face,
    find_document_doubts,
    find_document_faults,
    find_live_doubts,
    find_live_faults,
)
from backend.domain.movements import (
    Challenge,
    FrameMeasure,
    eyes_baseline_of,
    find_burst_faults,
    find_movements,
    is_resting,
    judge_movements,
)
from backend.gateways.face_engine import (
    Box,
    Embedding,
    Engine,
    Points,
    find_document_faces,
    find_live_faces,
    find_main_face,
    is_sideways,
    load_engine,
    measure_frame,
    measure_quality,
)
from backend.gateways.face_frames import Frame
from backend.gateways.face_pictures import decode_document, decode_frame, pixels_of
from backend.gateways.picture_headers import PictureRefused


class Retake(Exception):
    """The pictures cannot be judged; `reasons` are rows of FACE_REASONS."""

    def __init__(self, *reasons: str) -> None:
        super().__init__(*reasons)
        self.reasons = reasons


@dataclass(frozen=True)
class LookedAt:
    """One face with the picture it is in, which `was_turned` when it lay on its side."""

    picture: Image.Image
    box: Box
    landmarks: Points
    was_turned: bool = False

    def quality(self) -> FaceQuality:
        """See FaceQuality."""
        return measure_quality(self.picture, self.box, self.landmarks)

    def encoded(self, engine: Engine) -> Embedding:
        """Its 128 numbers."""
        return engine.encode(pixels_of(self.picture), self.box)


def verify(
    document: bytes, frames: Sequence[Frame], challenge: Challenge, policy: FacePolicy, now: datetime
) -> FaceVerdict:
    """Is the face of the live `frames`, moving as `challenge` asks, the face on `document`? They arrived at `now`.

    Never raises for what the pictures are: an unusable one gives 'retake' with its reasons. Raises EngineMissing.
    """
    engine = load_engine()
    try:
        if not challenge.is_open(now):
            raise Retake("challenge_late")
        decision, reasons, distance = _judged(engine, document, frames, challenge, policy)
    except Retake as retake:
        return FaceVerdict("retake", retake.reasons, None, engine.version)
    return FaceVerdict(decision, reasons, round(distance, 2), engine.version)


def _judged(
    engine: Engine, document: bytes, frames: Sequence[Frame], challenge: Challenge, policy: FacePolicy
) -> tuple[str, tuple[str, ...], float]:
    if not document:
        raise Retake("document_missing")
    if not frames:
        raise Retake("frames_missing")
    # Cheapest first: what the bytes and times say, then the document, then frame by frame.
    marks = [blake2b(frame.jpeg, digest_size=16).digest() for frame in frames]
    faults = find_burst_faults([frame.at_ms for frame in frames], marks, policy.movements)
    if faults:
        raise Retake(*faults)
    card, quality = _look_at_usable_document(engine, document, policy)
    faces = _look_at_frames(engine, frames, policy)
    poor = _commonest_fault(faces, policy)
    if poor:  # before the movements: in the dark none is seen, and light is what has to be told
        raise Retake(poor)
    measures = [measure_frame(face.landmarks, frame.at_ms) for face, frame in zip(faces, frames, strict=True)]
    faults = judge_movements(measures, challenge.actions, policy.movements)
    if faults:
        raise Retake(*faults)
    resting = _find_resting(faces, measures, policy)
    live = _sharpest_of_thirds(resting)
    three = [face.encoded(engine) for face in live]
    seen = find_movements(measures, policy.movements)
    moving = [faces[one.first] for one in seen if one.action in challenge.actions]
    ends = [one for one in (resting[0], resting[-1]) if not _is_among(one, live)]
    rest = [one for one in (faces[0], faces[-1]) if not _is_among(one, [*live, *ends, *moving])]
    _refuse_two_people(
        three,
        resting=three + [face.encoded(engine) for face in ends],
        others=[face.encoded(engine) for face in moving + rest],
        policy=policy,
    )
    distance = float(np.linalg.norm(np.mean(three, axis=0) - card.encoded(engine)))
    doubts = find_document_doubts(quality, policy) + find_live_doubts([face.quality() for face in live], policy)
    decision, reasons = decide_face(distance, policy, doubts)
    return decision, reasons, distance


def judge_document(document: bytes, policy: FacePolicy) -> tuple[str, ...]:
    """The reasons for which `verify` would ask for another picture of the document; empty when it can be compared.

    No embedding is made. Raises EngineMissing.
    """
    try:
        _look_at_usable_document(load_engine(), document, policy)
    except Retake as retake:
        return retake.reasons
    return ()


def _look_at_usable_document(engine: Engine, content: bytes, policy: FacePolicy) -> tuple[LookedAt, FaceQuality]:
    card = look_at_document(engine, content, policy)
    quality = card.quality()
    faults = find_document_faults(quality, policy)
    if faults:
        raise Retake(*faults)
    return card, quality


def look_at_document(engine: Engine, content: bytes, policy: FacePolicy) -> LookedAt:
    """The one face in a document's picture. Raises Retake when there is none, or more than one."""
    try:
        picture = decode_document(content, policy.pictures)
    except PictureRefused as refused:
        raise Retake(f"document_{refused.code}") from None
    upright, boxes = find_document_faces(engine, picture)
    if not boxes:
        raise Retake("document_no_face")
    box = find_main_face(boxes, policy.second_face_share)
    if box is None:
        raise Retake("document_several_faces")
    landmarks = engine.place_landmarks(pixels_of(upright), box)
    return LookedAt(upright, box, landmarks, was_turned=upright is not picture)


@dataclass(frozen=True)
class Comparison:
    """What two still pictures give: no movement was checked. Qualities are None where no single face was found."""

    decision: str
    reasons: tuple[str, ...]
    distance: float | None
    document_quality: FaceQuality | None
    live_quality: FaceQuality | None
    pipeline_version: str


def compare_pictures(document: bytes, live: bytes, policy: FacePolicy) -> Comparison:
    """The comparison of `verify` for an operator's two files, the second judged as a live frame would be.

    The distance is told even where quality asks for another picture. Raises EngineMissing.
    """
    engine = load_engine()
    card, card_faults = _looked_at(engine, document, policy)
    face, live_faults = _looked_at(engine, live, policy)
    card_quality, live_quality = (one.quality() if one else None for one in (card, face))
    if card_quality is not None:
        card_faults += find_document_faults(card_quality, policy)
    live_faults = tuple(_AS_LIVE.get(fault, fault.replace("document_", "frame_")) for fault in live_faults)
    if face is not None and live_quality is not None:
        live_faults += find_live_faults(live_quality, policy) + (("face_sideways",) if face.was_turned else ())
    decision, reasons, distance = "retake", card_faults + live_faults, None
    if card is not None and face is not None and card_quality is not None and live_quality is not None:
        distance = float(np.linalg.norm(card.encoded(engine) - face.encoded(engine)))
        if not reasons:
            doubts = find_document_doubts(card_quality, policy) + find_live_doubts([live_quality], policy)
            decision, reasons = decide_face(distance, policy, doubts)
    rounded = None if distance is None else round(distance, 2)
    return Comparison(decision, reasons, rounded, card_quality, live_quality, engine.version)


_AS_LIVE = {"document_no_face": "face_lost", "document_several_faces": "face_not_alone"}


def _looked_at(engine: Engine, content: bytes, policy: FacePolicy) -> tuple[LookedAt | None, tuple[str, ...]]:
    try:
        return look_at_document(engine, content, policy), ()
    except Retake as retake:
        return None, retake.reasons


def _look_at_frames(engine: Engine, frames: Sequence[Frame], policy: FacePolicy) -> list[LookedAt]:
    """The one main face of each frame. Raises Retake at the first frame that lacks it."""
    faces: list[LookedAt] = []
    seen: set[bytes] = set()
    for frame in frames:
        try:
            picture = decode_frame(frame.jpeg, policy.pictures)
        except PictureRefused as refused:
            raise Retake(f"frame_{refused.code}") from None
        pixels = pixels_of(picture)
        seen.add(blake2b(pixels.tobytes(), digest_size=16).digest())
        boxes = find_live_faces(engine, picture, faces[-1].box if faces else None)
        if not boxes:
            raise Retake(_why_lost(engine, picture, faces, policy))
        box = find_main_face(boxes, policy.second_face_share)
        if box is None:
            raise Retake("face_not_alone")
        faces.append(LookedAt(picture, box, engine.place_landmarks(pixels, box)))
    if len(seen) < len(faces):  # the same pixels in other files
        raise Retake("frames_repeated")
    return faces


def _why_lost(engine: Engine, picture: Image.Image, before: Sequence[LookedAt], policy: FacePolicy) -> str:
    """The reason that helps: what was poor in the frames before, or in this one when it is the first."""
    if before:
        return _commonest_fault(before, policy) or "face_lost"
    luminance = float(np.asarray(picture.convert("L")).mean())
    if luminance < policy.luminance_at_least:
        return "face_dark"
    if luminance > policy.luminance_at_most:
        return "face_bright"
    return "face_sideways" if is_sideways(engine, picture) else "face_lost"


def _commonest_fault(faces: Sequence[LookedAt], policy: FacePolicy) -> str:
    """The fault of more than half of the faces, turning aside, which is asked for; nothing when there is none."""
    faults = Counter(fault for face in faces for fault in find_live_faults(face.quality(), policy))
    del faults["face_turned"]
    fault, count = max(faults.items(), key=lambda pair: pair[1], default=("", 0))
    return fault if 2 * count > len(faces) else ""


def _find_resting(faces: Sequence[LookedAt], measures: Sequence[FrameMeasure], policy: FacePolicy) -> list[LookedAt]:
    """The resting frames that can be compared, in their order, three or more. Raises Retake."""
    baseline = eyes_baseline_of(measures, policy.movements)
    resting = [face for face, one in zip(faces, measures, strict=True) if is_resting(one, baseline, policy.movements)]
    qualities = [face.quality() for face in resting]
    usable = [face for quality, face in zip(qualities, resting, strict=True) if not find_live_faults(quality, policy)]
    if len(usable) < 3:
        faults = [fault for quality in qualities for fault in find_live_faults(quality, policy)]
        raise Retake(max(set(faults), key=faults.count) if faults else "face_turned")
    return usable


def _sharpest_of_thirds(resting: Sequence[LookedAt]) -> list[LookedAt]:
    """The sharpest frame of the first, middle and last third: light and pose differ most between them."""
    thirds = np.array_split(np.arange(len(resting)), 3)
    return [max((resting[n] for n in third), key=lambda face: face.quality().sharpness) for third in thirds]


def _is_among(face: LookedAt, some: Sequence[LookedAt]) -> bool:
    return any(face is one for one in some)


def _refuse_two_people(
    three: Sequence[Embedding], *, resting: Sequence[Embedding], others: Sequence[Embedding], policy: FacePolicy
) -> None:
    """Raises Retake unless the `three` compared, all `resting` frames, and the `others` in any pose are one face.

    Whoever moves must be who is compared: else one person would make the movements and another's picture rest between.
    """
    if any(float(np.linalg.norm(a - b)) > policy.same_face_at_most for a, b in combinations(resting, 2)):
        raise Retake("faces_differ")
    middle = np.mean(three, axis=0)
    if any(float(np.linalg.norm(one - middle)) > policy.moving_face_at_most for one in others):
        raise Retake("faces_differ")
