"""The simulated phone's pictures: what they show, judged by the landmarks of the library alone."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from device_sim import faces
from device_sim.face_actor import FRAME_SIZE, measured_face
from tests.face_samples import MOVEMENTS, burst, document, landscape, saved, selfie


def pixels(jpeg: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(jpeg)) as picture:
        return np.asarray(picture)


def shown(first: int, last: int) -> tuple[float, float, float]:
    """Median yaw, mouth gap and eye opening of some frames of the usual burst."""
    measured = [measured_face(pixels(frame.jpeg)) for frame in burst()[first:last]]
    middle = np.median([one for one in measured if one is not None], axis=0)
    return float(middle[0]), float(middle[1]), float(middle[2])


def test_a_burst_looks_like_a_cameras() -> None:
    frames = burst()
    assert 24 <= len(frames) <= 40
    gaps = [after.at_ms - before.at_ms for before, after in zip(frames, frames[1:], strict=False)]
    assert min(gaps) > 0 and max(gaps) < 1_500
    assert len({frame.jpeg for frame in frames}) == len(frames)
    assert {Image.open(io.BytesIO(frame.jpeg)).size for frame in frames} == {FRAME_SIZE}


def test_each_movement_is_seen_where_it_was_planned() -> None:
    rest = shown(0, 4)
    assert abs(rest[0]) < 0.15 and rest[1] < 0.25
    assert MOVEMENTS == ("turn_left", "close_eyes", "open_mouth", "turn_right")
    assert shown(5, 8)[0] > 0.33, "to the person's left the nose goes to larger x"
    assert shown(12, 17)[2] < 0.65 * rest[2]
    assert shown(21, 24)[1] > 0.45
    assert shown(29, 32)[0] < -0.33


def test_any_three_movements_fill_a_burst() -> None:
    for actions in (("turn_left", "turn_right", "open_mouth"), MOVEMENTS[:3], MOVEMENTS):
        assert 24 <= len(faces._plan(actions)) <= 40


def test_another_picture_of_a_face_is_another_picture() -> None:
    ours, theirs = measured_face(pixels(document())), measured_face(pixels(selfie()))
    assert ours is not None and theirs is not None
    assert theirs[0] - ours[0] > 0.04, "turned"
    assert pixels(document()).mean() != pixels(selfie()).mean()


def test_a_picture_without_a_face_cannot_act_but_can_be_held_before_the_camera() -> None:
    nobody = saved(landscape())
    with pytest.raises(faces.NoFaceInPicture):
        faces.record_burst(nobody, MOVEMENTS)
    assert len(faces.burst_of(nobody, MOVEMENTS)) == 28


def test_an_unknown_movement_is_an_error() -> None:
    with pytest.raises(ValueError, match="wink"):
        faces.record_burst(selfie(), ("wink",))
