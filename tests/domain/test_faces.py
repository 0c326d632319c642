"""The face decision and its words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from backend.domain.faces import (
    FACE_REASONS,
    FacePolicy,
    FaceQuality,
    decide_face,
    find_document_doubts,
    find_document_faults,
    find_live_doubts,
    find_live_faults,
)
from backend.domain.movements import ACTIONS

POLICY = FacePolicy()
GOOD = FaceQuality(
    eyes_apart=90, sharpness=0.05, luminance=120, burnt_share=0.0, yaw=0.05, roll=3, is_inside=True
)


@pytest.mark.parametrize(
    ("distance", "decision", "reasons"),
    [
        (0.0, "review", ("same_picture",)),
        (0.14, "review", ("same_picture",)),
        (0.15, "match", ()),
        (0.40, "match", ()),
        (0.404, "match", ()),
        (0.41, "review", ("likeness_unsure",)),
        (0.55, "review", ("likeness_unsure",)),
        (0.56, "no_match", ("likeness_low",)),
        (1.1, "no_match", ("likeness_low",)),
    ],
)
def test_the_distance_decides_between_match_review_and_no_match(
    distance: float, decision: str, reasons: tuple[str, ...]
) -> None:
    assert decide_face(distance, POLICY) == (decision, reasons)


def test_a_match_on_a_small_portrait_goes_to_a_person() -> None:
    doubts = find_document_doubts(replace(GOOD, eyes_apart=40), POLICY)
    assert decide_face(0.3, POLICY, doubts) == ("review", ("document_face_smallish",))
    assert decide_face(0.8, POLICY, doubts) == ("no_match", ("likeness_low",))


def test_a_match_on_soft_pictures_goes_to_a_person() -> None:
    soft = replace(GOOD, sharpness=0.012)
    assert find_document_faults(soft, POLICY) == find_live_faults(soft, POLICY) == ()
    doubts = find_document_doubts(soft, POLICY) + find_live_doubts([GOOD, soft, GOOD], POLICY)
    assert decide_face(0.3, POLICY, doubts) == ("review", ("document_soft", "face_soft"))
    assert find_live_doubts([GOOD, GOOD], POLICY) == ()


def test_the_librarys_own_threshold_appears_nowhere_in_the_policy() -> None:
    assert 0.6 not in vars(POLICY).values()
    assert POLICY.match_at_most < POLICY.review_at_most < 0.6


def test_good_pictures_have_no_fault() -> None:
    assert find_document_faults(GOOD, POLICY) == find_live_faults(GOOD, POLICY) == ()
    assert find_document_doubts(GOOD, POLICY) == ()


@pytest.mark.parametrize(
    ("change", "document", "live"),
    [
        ({"eyes_apart": 29.0}, "document_face_small", "face_far"),
        ({"sharpness": 0.007}, "document_blurred", "face_blurred"),
        ({"luminance": 39.0}, "document_dark", "face_dark"),
        ({"luminance": 201.0}, "document_bright", "face_bright"),
        ({"burnt_share": 0.11}, "document_bright", "face_bright"),
        ({"yaw": -0.36}, "document_turned", "face_turned"),
        ({"roll": -31.0}, "document_tilted", "face_tilted"),
        ({"is_inside": False}, "document_cut", "face_cut"),
    ],
)
def test_each_quality_gate_has_its_code(change: dict[str, float], document: str, live: str) -> None:
    poor = replace(GOOD, **change)  # type: ignore[arg-type]
    assert find_document_faults(poor, POLICY) == (document,)
    assert find_live_faults(poor, POLICY) == (live,)


def test_a_document_may_be_smaller_and_more_turned_than_a_live_face() -> None:
    assert find_document_faults(replace(GOOD, eyes_apart=50, yaw=0.3), POLICY) == ()
    assert find_live_faults(replace(GOOD, eyes_apart=50, yaw=0.3), POLICY) == ("face_far", "face_turned")


def test_every_reason_has_a_sentence_and_a_tip_in_both_languages() -> None:
    for code, reason in FACE_REASONS.items():
        assert reason.subject in ("document", "live", "result"), code
        for text in (reason.zh, reason.tip_zh):
            assert text.endswith("。"), code
            assert any("一" <= letter <= "鿿" for letter in text), code
        for text in (reason.en, reason.tip_en):
            assert text.endswith(".") and text.isascii(), code


def test_every_movement_and_every_refusal_of_a_file_has_a_reason() -> None:
    assert {f"{action}_not_seen" for action in ACTIONS} <= set(FACE_REASONS)
    refusals = ("unknown_kind", "damaged", "too_large", "too_small", "animated", "mixed")
    assert {f"{subject}_{code}" for subject in ("document", "frame") for code in refusals} <= set(FACE_REASONS)
