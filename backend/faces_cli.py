"""`./anju face …`: look at what the face engine makes of pictures. Loads the engine in this process; keeps nothing."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from backend.domain.faces import FACE_REASONS, FacePolicy, decide_face, find_document_faults


def add_face_commands(nouns: Any) -> None:
    """Add `face check` to the operator's commands."""
    verbs = nouns.add_parser("face", help="the face engine").add_subparsers(metavar="VERB", required=True)
    check = verbs.add_parser("check", help="decision, reasons, distance and quality of two pictures")
    check.add_argument("document", type=Path)
    check.add_argument("selfie", type=Path)
    check.set_defaults(run=run_check)


def run_check(chosen: argparse.Namespace) -> int:
    """Compare two pictures as a check would, without the movement check; 0 match, 3 no match, 4 unusable, 5 review."""
    from backend.gateways.face_engine import load_engine
    from backend.gateways.face_pictures import pixels_of
    from backend.gateways.face_pipeline import Retake, look_at_document

    policy, engine = FacePolicy(), load_engine()
    looked = []
    for path in (chosen.document, chosen.selfie):
        try:
            face = look_at_document(engine, path.read_bytes(), policy)
        except Retake as retake:
            return _unusable(path, retake.reasons)
        quality = face.quality()
        print(
            f"{path.name}: eyes {quality.eyes_apart:.0f} px apart, sharpness {quality.sharpness:.3f}, "
            f"luminance {quality.luminance:.0f}, yaw {quality.yaw:+.2f}, roll {quality.roll:+.0f}°"
        )
        faults = find_document_faults(quality, policy)
        if faults:
            return _unusable(path, faults)
        looked.append(engine.encode(pixels_of(face.picture), face.box))
    distance = float(((looked[0] - looked[1]) ** 2).sum() ** 0.5)
    decision, reasons = decide_face(distance, policy)
    print(f"decision: {decision}, distance {distance:.2f} (two still pictures, no movement check)")
    _explain(reasons)
    return {"match": 0, "no_match": 3, "review": 5}[decision]


def _unusable(path: Path, reasons: tuple[str, ...]) -> int:
    print(f"{path.name}: cannot be used")
    _explain(reasons)
    return 4


def _explain(reasons: tuple[str, ...]) -> None:
    for code in reasons:
        row = FACE_REASONS[code]
        print(f"  {code}: {row.en} {row.tip_en}")
