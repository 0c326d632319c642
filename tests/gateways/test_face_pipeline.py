"""A whole check with the real engine: made bursts of a face in the public domain, moved with real depth."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from dataclasses import asdict, replace
from functools import cache
from pathlib import Path

import pytest
from PIL import Image, ImageFile

from backend.domain.faces import FacePolicy, FaceVerdict
from backend.gateways.face_frames import Frame
from backend.gateways.face_pipeline import compare_pictures, verify
from device_sim import faces
from tests.face_samples import (
    ACTIONS,
    MOVEMENTS,
    NOW,
    as_frames,
    asked,
    burst,
    document,
    landscape,
    saved,
    selfie,
    somebody_else,
)

TOP = Path(__file__).resolve().parents[2]
POLICY = FacePolicy()


def check(
    frames: tuple[Frame, ...], *, actions: tuple[str, ...] = ACTIONS, against: bytes | None = None
) -> FaceVerdict:
    return verify(against or document(), frames, asked(actions), POLICY, NOW)


@cache
def usual() -> FaceVerdict:
    """The verdict on the usual burst."""
    return check(burst())


def test_the_same_person_moving_as_asked_is_a_match() -> None:
    verdict = usual()
    assert (verdict.decision, verdict.reasons) == ("match", ())
    assert verdict.distance is not None and POLICY.same_picture_below <= verdict.distance <= POLICY.match_at_most
    assert "dlib-" in verdict.pipeline_version


def test_turns_to_both_sides_are_told_apart() -> None:
    assert check(burst(), actions=("close_eyes", "open_mouth", "turn_right")).decision == "match"
    assert check(burst(), actions=("turn_right", "open_mouth", "turn_left")).reasons == ("movements_out_of_order",)


def test_another_persons_document_is_no_match() -> None:
    verdict = check(burst(), against=somebody_else())
    assert (verdict.decision, verdict.reasons) == ("no_match", ("likeness_low",))


def test_the_documents_own_picture_before_the_camera_goes_to_a_person() -> None:
    assert check(burst(), against=burst()[1].jpeg).reasons == ("same_picture",)


def test_another_order_than_asked_is_taken_again() -> None:
    verdict = check(burst(), actions=("open_mouth", "close_eyes", "turn_left"))
    assert verdict == FaceVerdict("retake", ("movements_out_of_order",), None, verdict.pipeline_version)


def test_a_still_picture_makes_no_movement() -> None:
    verdict = check(as_frames(faces.still_burst(selfie())))
    assert verdict.reasons == tuple(f"{action}_not_seen" for action in ACTIONS)


@pytest.mark.parametrize("degrees", [30, 45])
def test_a_flat_photograph_turned_before_the_camera_is_no_turning_head(degrees: float) -> None:
    verdict = check(as_frames(faces.flat_burst(selfie(), degrees)), actions=("turn_left", "turn_right"))
    assert verdict.reasons == ("turn_left_not_seen", "turn_right_not_seen")


def test_a_face_swapped_half_way_is_found() -> None:
    swapped = as_frames(faces.swapped_burst(selfie(), somebody_else(), MOVEMENTS))
    assert check(swapped).reasons == ("faces_differ",)


def test_repeated_reordered_and_interrupted_frames_are_taken_again() -> None:
    frames = burst()
    repeated = (*frames[:10], Frame(frames[9].jpeg, frames[10].at_ms), *frames[11:])
    reordered = (*frames[:5], frames[6], frames[5], *frames[7:])
    late = (*frames[:14], *(replace(frame, at_ms=frame.at_ms + 2_000) for frame in frames[14:]))
    for changed, code in (
        (repeated, "frames_repeated"),
        (reordered, "frames_out_of_order"),
        (late, "frames_interrupted"),
        (frames[:20], "frames_too_few"),
        ((), "frames_missing"),
    ):
        assert check(changed).reasons == (code,)


def test_a_frame_with_another_face_or_none_is_taken_again() -> None:
    frames = list(burst())
    frames[3] = Frame(saved(landscape()), frames[3].at_ms)
    assert check(tuple(frames)).reasons == ("face_lost",)
    frames[3] = Frame(b"\xff\xd8\xff" + bytes(50), frames[3].at_ms)
    assert check(tuple(frames)).reasons == ("frame_damaged",)


def test_a_phone_that_sends_its_picture_sideways_is_told_so() -> None:
    with Image.open(io.BytesIO(burst()[0].jpeg)) as first:
        sideways = saved(first.transpose(Image.Transpose.ROTATE_90), quality=90)
    frames = (Frame(sideways, burst()[0].at_ms), *burst()[1:])
    assert check(frames).reasons == ("face_sideways",)
    assert "face_sideways" in compare_pictures(document(), sideways, POLICY).reasons


def test_a_bad_document_is_told_before_the_frames_are_looked_at() -> None:
    assert check(burst(), against=saved(landscape())).reasons == ("document_no_face",)
    assert verify(b"", burst(), asked(ACTIONS), POLICY, NOW).reasons == ("document_missing",)


def test_nothing_of_the_face_leaves_but_the_rounded_distance() -> None:
    told = json.dumps(asdict(usual()))
    assert len(told) < 200 and json.loads(told)["distance"] == round(json.loads(told)["distance"], 2)


def test_two_still_pictures_are_compared_for_the_operator() -> None:
    found = compare_pictures(document(), selfie(), POLICY)
    assert found.decision == "match" and found.live_quality is not None and found.live_quality.eyes_apart > 60
    other = compare_pictures(document(), somebody_else(), POLICY)
    assert (other.decision, other.reasons) == ("no_match", ("likeness_low",))
    nobody = compare_pictures(document(), saved(landscape()), POLICY)
    assert (nobody.decision, nobody.reasons, nobody.distance) == ("retake", ("face_lost",), None)


def test_loading_the_library_leaves_truncated_files_refused() -> None:
    assert ImageFile.LOAD_TRUNCATED_IMAGES is False


def test_a_library_that_would_quit_the_process_is_reported_instead() -> None:
    script = (
        "import sys; sys.modules['pkg_resources'] = None\n"
        "from backend.gateways.face_engine import EngineMissing, load_engine\n"
        "try:\n    load_engine()\nexcept EngineMissing as missing:\n    print('told:', missing)\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script], cwd=TOP, env={**os.environ}, capture_output=True, text=True
    )
    assert done.returncode == 0 and done.stdout.startswith("told: face_recognition gave up"), done.stderr
