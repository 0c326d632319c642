"""The movement check, on made measurements."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from backend.domain.movements import (
    ACTIONS,
    Challenge,
    FrameMeasure,
    MovementRules,
    choose_actions,
    find_burst_faults,
    find_movements,
    judge_movements,
)

RULES = MovementRules()
REST = FrameMeasure(at_ms=0, yaw=0.02, mouth=0.05, eyes=0.15)
SHOWN = {
    "turn_left": replace(REST, yaw=0.42),
    "turn_right": replace(REST, yaw=-0.42),
    "open_mouth": replace(REST, mouth=0.6),
    "close_eyes": replace(REST, eyes=0.07),
}


def session(*steps: str, rest: FrameMeasure = REST, hold: int = 3) -> list[FrameMeasure]:
    """Measures of a face that rests, then shows each step for `hold` frames and rests again."""
    frames = [rest] * 4
    for step in steps:
        frames += [SHOWN[step]] * hold + [rest] * 3
    return [replace(frame, at_ms=number * 250) for number, frame in enumerate(frames)]


def test_the_asked_movements_in_their_order_pass() -> None:
    for actions in (("turn_left", "open_mouth", "close_eyes"), ("close_eyes", "turn_right", "turn_left")):
        assert judge_movements(session(*actions), actions, RULES) == ()


def test_another_order_does_not_pass() -> None:
    shown = session("open_mouth", "turn_left", "close_eyes")
    assert judge_movements(shown, ("turn_left", "open_mouth", "close_eyes"), RULES) == ("movements_out_of_order",)


def test_each_missing_movement_is_named() -> None:
    asked = ("turn_left", "open_mouth", "close_eyes")
    assert judge_movements(session("turn_left"), asked, RULES) == ("open_mouth_not_seen", "close_eyes_not_seen")
    assert judge_movements(session(), asked, RULES) == tuple(f"{action}_not_seen" for action in asked)


def test_left_is_the_persons_left_where_the_nose_moves_to_larger_x() -> None:
    assert [one.action for one in find_movements(session("turn_left"), RULES)] == ["turn_left"]
    assert judge_movements(session("turn_right"), ("turn_left",), RULES) == ("turn_left_not_seen",)


def test_one_slip_is_human_but_a_recording_of_everything_is_not() -> None:
    asked = ("turn_left", "open_mouth", "close_eyes")
    assert judge_movements(session("turn_right", *asked), asked, RULES) == ()
    assert judge_movements(session("turn_right", "open_mouth", *asked), asked, RULES) == ("movements_unasked",)


def test_a_movement_that_never_returns_is_not_seen() -> None:
    stuck = [*session("turn_left"), *[replace(SHOWN["open_mouth"], at_ms=9_000 + n) for n in range(4)]]
    assert judge_movements(stuck, ("turn_left", "open_mouth"), RULES) == ("open_mouth_not_seen",)


def test_a_blink_of_one_frame_is_no_closing_of_the_eyes() -> None:
    assert find_movements(session("close_eyes", hold=1), RULES) == []
    assert len(find_movements(session("close_eyes", hold=2), RULES)) == 1


def test_narrow_eyes_are_measured_against_themselves() -> None:
    narrow = replace(REST, eyes=0.08)
    frames = session("close_eyes", rest=narrow)
    shut = [replace(frame, eyes=0.045) if frame.eyes == SHOWN["close_eyes"].eyes else frame for frame in frames]
    assert [one.action for one in find_movements(shut, RULES)] == ["close_eyes"]
    assert find_movements(session(rest=narrow), RULES) == []


def test_a_face_held_askew_has_not_turned() -> None:
    askew = replace(REST, yaw=0.2)
    nearly = [replace(frame, yaw=0.37) if frame.yaw == 0.42 else frame for frame in session("turn_left", rest=askew)]
    assert find_movements(nearly, RULES) == []


def test_a_broad_smile_is_no_open_mouth() -> None:
    assert find_movements(session(rest=replace(REST, mouth=0.44)), RULES) == []


def test_turning_does_not_count_as_closing_an_eye() -> None:
    turned = replace(SHOWN["turn_left"], eyes=0.08)
    frames = [turned if frame.yaw > 0.3 else frame for frame in session("turn_left")]
    assert [one.action for one in find_movements(frames, RULES)] == ["turn_left"]


def burst_faults(times: list[int], marks: list[bytes] | None = None) -> tuple[str, ...]:
    return find_burst_faults(times, marks or [str(n).encode() for n in range(len(times))], RULES)


EVEN = [number * 250 for number in range(28)]


@pytest.mark.parametrize(
    ("times", "fault"),
    [
        (EVEN[:23], "frames_too_few"),
        ([number * 100 for number in range(41)], "frames_too_many"),
        ([*EVEN[:10], EVEN[9], *EVEN[10:]], "frames_out_of_order"),
        ([*EVEN[10:], *EVEN[:10]], "frames_out_of_order"),
        ([number * 760 for number in range(28)], "frames_too_long"),
        ([*EVEN[:20], *(at + 1_400 for at in EVEN[20:])], "frames_interrupted"),
    ],
)
def test_a_burst_is_one_uncut_recording(times: list[int], fault: str) -> None:
    assert burst_faults(times) == (fault,)


def test_an_even_burst_of_different_frames_has_no_fault() -> None:
    assert burst_faults(EVEN) == ()
    assert burst_faults([]) == ("frames_too_few",)


def test_a_repeated_frame_is_found() -> None:
    marks = [str(n % 27).encode() for n in range(28)]
    assert burst_faults(EVEN, marks) == ("frames_repeated",)


def test_a_challenge_is_three_different_movements_and_every_order_occurs() -> None:
    source = random.Random(7)
    chosen = {choose_actions(source) for _ in range(500)}
    assert len(chosen) == 24
    assert all(len(set(actions)) == 3 and set(actions) <= set(ACTIONS) for actions in chosen)


def test_a_challenge_is_open_until_its_end_and_not_a_moment_longer() -> None:
    end = datetime(2026, 11, 23, 2, 1, tzinfo=UTC)
    challenge = Challenge("nonce", ACTIONS[:3], end)
    assert challenge.is_open(end)
    assert not challenge.is_open(end + timedelta(microseconds=1))
