"""The movement check on whole bursts: public-domain faces moved by warps with real depth, and what cheats try."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache

import pytest

from backend.domain.faces import FacePolicy, FaceVerdict
from backend.domain.movements import ACTIONS, choose_actions
from backend.gateways.face_frames import Frame
from backend.gateways.face_pipeline import verify
from device_sim import faces
from tests.face_samples import MOVEMENTS, NOW, as_frames, asked, burst, document, selfie, somebody_else

POLICY = FacePolicy()
CHALLENGES = [choose_actions(random.Random(seed)) for seed in (1, 4, 9)]
EVERYTHING = ("turn_right", "open_mouth", "turn_left", "close_eyes", "turn_right")


def judged(
    frames: Sequence[Frame], actions: Sequence[str], paper: bytes | None = None, policy: FacePolicy = POLICY
) -> FaceVerdict:
    return verify(paper or document(), frames, asked(actions), policy, NOW)


@cache
def of_second_person(actions: tuple[str, ...], seed: int) -> tuple[Frame, ...]:
    return as_frames(faces.record_burst(faces.other_picture_of(somebody_else()), actions, seed=seed))


@cache
def of_everything() -> tuple[Frame, ...]:
    """A recording that makes every movement, one of them twice, its pauses cut to fit into a burst."""
    made = faces.record_burst(selfie(), EVERYTHING)
    kept = [frame for n, frame in enumerate(made) if n < 4 or (n - 4) % 8 != 7]
    return tuple(Frame(frame.jpeg, 250 * n) for n, frame in enumerate(kept))


def test_the_challenges_tried_ask_for_every_movement() -> None:
    assert {action for actions in CHALLENGES for action in actions} == set(ACTIONS)


@pytest.mark.parametrize("actions", CHALLENGES, ids="-".join)
def test_a_random_challenge_is_passed_by_who_makes_its_movements(actions: tuple[str, ...]) -> None:
    verdict = judged(as_frames(faces.record_burst(selfie(), actions, seed=3)), actions)
    assert (verdict.decision, verdict.reasons) == ("match", ())


@pytest.mark.parametrize("actions", CHALLENGES[:2], ids="-".join)
def test_another_face_passes_it_too(actions: tuple[str, ...]) -> None:
    # Both pictures are made of one photograph, which the check rightly notices; here only the movements matter.
    policy = replace(POLICY, same_picture_below=0.0)
    verdict = judged(of_second_person(actions, 3), actions, somebody_else(), policy)
    assert (verdict.decision, verdict.reasons) == ("match", ())


@pytest.mark.parametrize("action", ACTIONS)
def test_each_movement_alone_is_seen_and_no_other_is_seen_in_it(action: str) -> None:
    frames = burst_of_one(action)
    assert judged(frames, (action,)).decision == "match"
    others = tuple(other for other in ACTIONS if other != action)
    assert judged(frames, others).reasons == tuple(f"{other}_not_seen" for other in others)


@cache
def burst_of_one(action: str) -> tuple[Frame, ...]:
    return as_frames(faces.record_burst(selfie(), (action,)))


def test_a_recording_of_another_challenge_does_not_answer_this_one() -> None:
    made_for, asked_now = CHALLENGES[0], CHALLENGES[0][::-1]
    frames = as_frames(faces.record_burst(selfie(), made_for, seed=3))
    assert judged(frames, asked_now).reasons == ("movements_out_of_order",)


def test_a_recording_of_every_movement_answers_no_challenge() -> None:
    assert 24 <= len(of_everything()) <= 40
    for actions in (("turn_right", "open_mouth", "close_eyes"), ("open_mouth", "turn_left", "turn_right")):
        assert judged(of_everything(), actions).reasons == ("movements_unasked",)


def test_a_frozen_picture_is_found_even_when_its_files_differ() -> None:
    frames, frozen = list(burst()), burst()[7].jpeg
    for n in range(8, 14):
        comment = b"\xff\xfe\x00\x04%02d" % n
        frames[n] = Frame(frozen[:2] + comment + frozen[2:], frames[n].at_ms)
    assert len({frame.jpeg for frame in frames}) == len(frames)
    assert judged(frames, MOVEMENTS[:3]).reasons == ("frames_repeated",)


def test_a_recording_with_a_cut_in_it_is_found() -> None:
    for gap, fault in ((1_300, ()), (1_800, ("frames_interrupted",))):
        later = [replace(frame, at_ms=frame.at_ms + gap - 250) for frame in burst()[20:]]
        verdict = judged([*burst()[:20], *later], MOVEMENTS[:3])
        assert verdict.reasons == fault


def mixed_burst(is_first_person: Callable[[int, str], bool]) -> list[Frame]:
    """The burst, with the second person's still picture wherever `is_first_person(number, action)` says no."""
    other = as_frames(faces.still_burst(somebody_else(), len(burst())))
    plan = faces._plan(MOVEMENTS)
    return [
        frame if is_first_person(n, action) else Frame(other[n].jpeg, frame.at_ms)
        for n, (frame, (action, _)) in enumerate(zip(burst(), plan, strict=True))
    ]


@pytest.mark.parametrize("share", [0.25, 0.5, 0.75])
def test_a_face_swapped_at_any_time_is_found(share: float) -> None:
    begun = round(share * len(burst()))
    assert judged(mixed_burst(lambda n, action: n < begun or action != ""), MOVEMENTS[:3]).reasons == ("faces_differ",)


def test_one_who_moves_for_a_picture_of_another_is_found() -> None:
    frames = mixed_burst(lambda _n, action: action != "")
    assert judged(frames, MOVEMENTS[:3], somebody_else()).reasons == ("faces_differ",)


@pytest.mark.parametrize("degrees", [20, 30, 40, 50])
def test_a_flat_photograph_turned_by_hand_never_turns_its_head(degrees: float) -> None:
    reasons = judged(as_frames(faces.flat_burst(selfie(), degrees)), ("turn_left", "turn_right")).reasons
    assert reasons in (("turn_left_not_seen", "turn_right_not_seen"), ("face_lost",))


def test_a_still_photograph_makes_no_movement_and_no_match() -> None:
    verdict = judged(as_frames(faces.still_burst(selfie())), ACTIONS[1:])
    assert verdict.decision == "retake" and verdict.distance is None
    assert verdict.reasons == tuple(f"{action}_not_seen" for action in ACTIONS[1:])
