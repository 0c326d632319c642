"""The face decision: from measurements to match, review, no match or "take it again", with reasons.

One question only: is the person holding this phone the person on this document? One document, one face. The decision
is advice to a process in which nobody is refused by a machine: `no_match` three times goes to a person, and the other
ways (window, live video, landlord's attestation) are always open.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from backend.domain.face_reasons import FACE_REASONS, FaceReason
from backend.domain.movements import MovementRules

__all__ = ["DECISIONS", "FACE_REASONS", "FacePolicy", "FaceQuality", "FaceReason", "FaceVerdict", "PictureLimits"]

DECISIONS = ("match", "review", "no_match", "retake")


@dataclass(frozen=True)
class PictureLimits:
    """What is refused by its header, before a single pixel is decoded (an 11 kB PNG can take 438 MiB)."""

    bytes_at_most: int = 10_000_000
    pixels_at_most: int = 50_000_000
    side_at_least: int = 64
    frame_bytes_at_most: int = 1_500_000
    frame_pixels_at_most: int = 2_100_000


@dataclass(frozen=True)
class FacePolicy:
    """Every limit of the decision. Thresholds belong to one exact pipeline version, stored with each decision.

    Measured with dlib 20 and face-recognition 1.3.0 on public press photographs:

    | distance threshold | false match, all | false match inside East-Asian-surname groups | false non-match (1 frame) |
    |---|---|---|---|
    | the library's own default | 1.0 % | 27-44 % | 2-3 % |
    | 0.50 | 0.03 % | 3-12 % | 3-21 % |
    | 0.45 | 1 : 21,000 | 0.3-3.8 % | 8-42 % |
    | 0.40 | 1 : 200,000 | 0-0.5 % | 34-68 % |

    Hence: match to .40, review by a person to .55, no match above; below .15 the live picture is the document's own
    picture, which a person must look at. The distance of three averaged frames cuts false non-match from .31 to .10 at
    a false match of 1 : 10,000. NIST SP 800-63A-4 asks 1 : 10,000 and 1 : 100, alike across groups: this model does not
    reach it, and the threshold is never the only gate.

    One face throughout: resting frames of one burst lie within .35 of each other; a turned or open-mouthed frame lies
    up to .50 from its own resting ones (two faces moved by warps), another person's at .64 and more.

    Quality: distance between the eye centres in pixels; yaw as in movements.FrameMeasure; roll in degrees; luminance
    0-255; sharpness is the variance of the Laplacian of the 150-pixel grey face ÷ its own variance.
    """

    match_at_most: float = 0.40
    review_at_most: float = 0.55
    same_picture_below: float = 0.15
    same_face_at_most: float = 0.35
    moving_face_at_most: float = 0.55
    eyes_apart_live: float = 60.0
    eyes_apart_document: float = 45.0
    eyes_apart_floor: float = 30.0
    sharp_at_least: float = 0.008
    sharp_good: float = 0.015
    luminance_at_least: float = 40.0
    luminance_at_most: float = 200.0
    burnt_share_at_most: float = 0.10
    yaw_live: float = 0.25
    yaw_document: float = 0.35
    roll_at_most: float = 30.0
    second_face_share: float = 0.40
    pictures: PictureLimits = field(default_factory=PictureLimits)
    movements: MovementRules = field(default_factory=MovementRules)


@dataclass(frozen=True)
class FaceQuality:
    """How usable one face is: pixels between the eyes, sharpness, luminance, burnt share, yaw, roll, box inside."""

    eyes_apart: float
    sharpness: float
    luminance: float
    burnt_share: float
    yaw: float
    roll: float
    is_inside: bool


@dataclass(frozen=True)
class FaceVerdict:
    """All that leaves the face workers: decision, reasons (rows of FACE_REASONS), distance to .01, pipeline version.

    `distance` is None when no comparison was made. It is a Euclidean distance of embeddings, 0 (the same picture) to
    about 1.2; it is for the decision and its measurement, not for people.
    """

    decision: str
    reasons: tuple[str, ...]
    distance: float | None
    pipeline_version: str


def find_document_faults(quality: FaceQuality, policy: FacePolicy) -> tuple[str, ...]:
    """Reason codes for which the document must be photographed again; empty when it is usable."""
    faults = []
    if quality.eyes_apart < policy.eyes_apart_floor:
        faults.append("document_face_small")
    if quality.sharpness < policy.sharp_at_least:
        faults.append("document_blurred")
    if quality.luminance < policy.luminance_at_least:
        faults.append("document_dark")
    if _is_too_bright(quality, policy):
        faults.append("document_bright")
    if abs(quality.yaw) > policy.yaw_document:
        faults.append("document_turned")
    if abs(quality.roll) > policy.roll_at_most:
        faults.append("document_tilted")
    if not quality.is_inside:
        faults.append("document_cut")
    return tuple(faults)


def find_document_doubts(quality: FaceQuality, policy: FacePolicy) -> tuple[str, ...]:
    """Reason codes of a usable but poor document picture: small or soft. A match on it goes to a person."""
    doubts = []
    if quality.eyes_apart < policy.eyes_apart_document:
        doubts.append("document_face_smallish")
    if quality.sharpness < policy.sharp_good:
        doubts.append("document_soft")
    return tuple(doubts)


def find_live_faults(quality: FaceQuality, policy: FacePolicy) -> tuple[str, ...]:
    """Reason codes for which one live frame cannot be compared; empty when it can."""
    faults = []
    if quality.eyes_apart < policy.eyes_apart_live:
        faults.append("face_far")
    if quality.sharpness < policy.sharp_at_least:
        faults.append("face_blurred")
    if quality.luminance < policy.luminance_at_least:
        faults.append("face_dark")
    if _is_too_bright(quality, policy):
        faults.append("face_bright")
    if abs(quality.yaw) > policy.yaw_live:
        faults.append("face_turned")
    if abs(quality.roll) > policy.roll_at_most:
        faults.append("face_tilted")
    if not quality.is_inside:
        faults.append("face_cut")
    return tuple(faults)


def find_live_doubts(qualities: Sequence[FaceQuality], policy: FacePolicy) -> tuple[str, ...]:
    """Reason codes of usable but poor live frames: one of those compared is soft. A match on them goes to a person."""
    return ("face_soft",) if any(quality.sharpness < policy.sharp_good for quality in qualities) else ()


def decide_face(distance: float, policy: FacePolicy, doubts: tuple[str, ...] = ()) -> tuple[str, tuple[str, ...]]:
    """Decision and reasons for a distance measured on usable pictures, the movement check passed.

    Decides on the distance rounded to .01, so that the stored figure explains the stored decision.
    """
    rounded = round(distance, 2)
    if rounded < policy.same_picture_below:
        return "review", ("same_picture", *doubts)
    if rounded <= policy.match_at_most:
        return ("review", doubts) if doubts else ("match", ())
    if rounded <= policy.review_at_most:
        return "review", ("likeness_unsure", *doubts)
    return "no_match", ("likeness_low",)


def _is_too_bright(quality: FaceQuality, policy: FacePolicy) -> bool:
    return quality.luminance > policy.luminance_at_most or quality.burnt_share > policy.burnt_share_at_most
