"""The identity step: consent first, single-use challenge, nobody refused by a machine, the other ways."""

from __future__ import annotations

from datetime import date, timedelta
from hashlib import sha256
from typing import Any

import pytest
from sqlalchemy import func, select

from backend.db import db
from backend.domain.faces import FaceVerdict
from backend.domain.refusals import Refused
from backend.gateways.clock import FixedClock
from backend.gateways.face_matcher import FaceBusy, FaceUnavailable, Frame
from backend.models.cases import Case
from backend.models.identity_checks import IdentityChallenge, IdentityCheck
from backend.seeding import sample_number
from backend.services.consents import withdraw_consent
from backend.services.identity_checks import (
    ChallengeView,
    DocumentLook,
    IdentityOutcome,
    check_face,
    identity_progress,
    look_at_document,
    start_challenge,
)
from backend.services.identity_reviews import ask_a_person
from backend.services.persons import enter_identity
from tests.services import stories

pytestmark = pytest.mark.usefixtures("core")

SESSION = "01a20000-0000-7000-8000-000000000001"
CARD = b"a picture of a card"
FRAMES = [Frame(b"jpeg %d" % n, n * 250) for n in range(30)]


def ready_tenant(world: Any) -> stories.Story:
    """A declared tenant who has given the face consent."""
    story = stories.make_declared(world)
    stories.read_notice(world, story.tenant, "face_check")
    return story


def challenge(world: Any, account_id: str, document: bytes = CARD) -> ChallengeView:
    return start_challenge(
        world, account_id=account_id, session_id=SESSION, document_sha256=sha256(document).hexdigest()
    )


def check(world: Any, account_id: str, asked: ChallengeView, **changes: Any) -> IdentityOutcome:
    values: dict[str, Any] = {"session_id": SESSION, "challenge_id": asked.id, "nonce": asked.nonce,
                              "document": CARD, "frames": FRAMES, **changes}  # fmt: skip
    return check_face(world, account_id=account_id, **values)


def look(world: Any, account_id: str) -> DocumentLook:
    return look_at_document(world, account_id=account_id, document=CARD)


def decide(world: Any, decision: str, distance: float | None = 0.3, reasons: tuple[str, ...] = ()) -> None:
    world.faces.verdict = FaceVerdict(decision, reasons, distance, "fake")


def refused(code: str) -> Any:
    return pytest.raises(Refused, match=f"^{code}$")


def test_a_match_verifies_the_identity_and_activates_the_key(world: Any) -> None:
    story = ready_tenant(world)
    outcome = check(world, story.tenant, challenge(world, story.tenant))
    assert (outcome.decision, outcome.state, outcome.other_ways) == ("match", "verified", ())
    assert stories.key_row(story.key_id).state == "active"


def test_no_camera_before_the_separate_consent_and_none_after_it_is_withdrawn(world: Any) -> None:
    story = stories.make_declared(world)
    with refused("consent.missing") as caught:
        challenge(world, story.tenant)
    assert caught.value.refusal.reason.rule == "FACE-6"
    stories.read_notice(world, story.tenant, "face_check")
    asked = challenge(world, story.tenant)
    withdraw_consent(world, account_id=story.tenant, purpose="face_check")
    with refused("consent.missing"):
        check(world, story.tenant, asked)
    assert world.faces.asked == 0


def test_a_child_under_fourteen_is_never_checked_by_face(world: Any) -> None:
    story = stories.make_claimed(world)
    enter_identity(world, account_id=story.tenant, id_type="111", name="周小福",
                   id_number=sample_number("341822", world.clock.today().replace(year=2014)))  # fmt: skip
    stories.read_notice(world, story.tenant, "face_check")
    with refused("consent.under_14"):
        challenge(world, story.tenant)
    with refused("consent.under_14"):
        look(world, story.tenant)
    assert world.faces.looked == 0


def test_a_challenge_is_single_use_short_lived_and_bound(world: Any, clock: FixedClock) -> None:
    story = ready_tenant(world)
    decide(world, "retake", None, ("face_lost",))
    asked = challenge(world, story.tenant)
    for wrong in ({"nonce": "other"}, {"document": b"another card"}, {"session_id": story.key_id}):
        with refused("challenge.other"):
            check(world, story.tenant, asked, **wrong)
    stranger = stories.make_account(world, "+8619900009555")
    with refused("not_found"):
        check(world, stranger, asked)
    assert check(world, story.tenant, asked).decision == "retake"
    with refused("challenge.used"):
        check(world, story.tenant, asked)
    late = challenge(world, story.tenant)
    clock.move(timedelta(seconds=61))
    with refused("challenge.expired"):
        check(world, story.tenant, late)
    assert world.faces.asked == 1


def test_an_unsure_comparison_goes_to_a_person_and_the_tenant_keeps_the_other_ways(world: Any) -> None:
    story = ready_tenant(world)
    decide(world, "review", 0.47, ("likeness_unsure",))
    outcome = check(world, story.tenant, challenge(world, story.tenant))
    assert (outcome.decision, outcome.state, outcome.bucket) == ("review", "none", "middle")
    assert outcome.other_ways == ("window", "live_video", "attestation")
    case = db.session.scalars(select(Case).where(Case.kind == "identity_review")).one()
    assert (case.reference, case.area) == (outcome.case_reference, "330522003900")


def test_three_mismatches_go_to_a_person_and_no_machine_refuses(world: Any, clock: FixedClock) -> None:
    story = ready_tenant(world)
    decide(world, "no_match", 0.8, ("likeness_low",))
    outcomes = [check(world, story.tenant, challenge(world, story.tenant)) for _ in range(3)]
    assert [o.tries_left for o in outcomes] == [2, 1, 0]
    assert [o.case_reference is None for o in outcomes] == [True, True, False]
    with refused("face.tries"):
        challenge(world, story.tenant)
    assert identity_progress(world, account_id=story.tenant).state == "none"


def test_a_picture_that_cannot_be_used_costs_no_try(world: Any) -> None:
    story = ready_tenant(world)
    decide(world, "retake", None, ("document_no_face",))
    outcome = check(world, story.tenant, challenge(world, story.tenant))
    assert (outcome.decision, outcome.tries_left) == ("retake", 3)
    [reason] = outcome.reasons
    assert reason.zh and reason.tip_zh and reason.en and reason.tip_en


def test_a_match_after_a_review_closes_the_case(world: Any) -> None:
    story = ready_tenant(world)
    decide(world, "review", 0.5, ("likeness_unsure",))
    check(world, story.tenant, challenge(world, story.tenant))
    decide(world, "match", 0.3)
    check(world, story.tenant, challenge(world, story.tenant))
    case = db.session.scalars(select(Case).where(Case.kind == "identity_review")).one()
    assert (case.decision, case.decided_at is not None) == ("matched", True)


def test_a_busy_engine_gives_the_challenge_back(world: Any) -> None:
    story = ready_tenant(world)
    asked = challenge(world, story.tenant)
    world.faces.error = FaceBusy(7)
    with refused("face.busy") as caught:
        check(world, story.tenant, asked)
    assert caught.value.refusal.params["seconds"] == 7
    world.faces.error = FaceUnavailable()
    with refused("face.unavailable"):
        check(world, story.tenant, asked)


@pytest.mark.parametrize("count", [0, 23, 41])
def test_too_few_or_too_many_frames_are_refused_before_the_engine(world: Any, count: int) -> None:
    story = ready_tenant(world)
    asked = challenge(world, story.tenant)
    with refused("frames.count"):
        check(world, story.tenant, asked, frames=(FRAMES * 2)[:count])
    assert world.faces.asked == 0
    assert check(world, story.tenant, asked).decision == "match"


def test_a_document_that_cannot_be_used_is_told_before_the_check_and_nothing_is_written(world: Any) -> None:
    story = ready_tenant(world)
    before = rows_of_all_tables()
    world.faces.faults = ("document_blurred", "document_cut")
    found = look(world, story.tenant)
    assert not found.usable and [reason.code for reason in found.reasons] == ["document_blurred", "document_cut"]
    assert all(reason.zh and reason.tip_zh and reason.en and reason.tip_en for reason in found.reasons)
    world.faces.faults = ()
    assert look(world, story.tenant) == DocumentLook(usable=True, reasons=())
    assert (world.faces.looked, world.faces.asked) == (2, 0)
    assert rows_of_all_tables() == before
    assert identity_progress(world, account_id=story.tenant).tries_left == 3


def rows_of_all_tables() -> dict[str, int]:
    db.session.rollback()
    return {
        table.name: db.session.scalar(select(func.count()).select_from(table)) or 0
        for table in db.metadata.sorted_tables
    }


def test_no_document_is_looked_at_whose_check_would_be_refused(world: Any, clock: FixedClock) -> None:
    story = stories.make_declared(world)
    with refused("consent.missing") as caught:
        look(world, story.tenant)
    assert caught.value.refusal.reason.rule == "FACE-6"
    with refused("person.missing"):
        look(world, stories.make_account(world, "+8619900009555"))
    stories.read_notice(world, story.tenant, "face_check")
    decide(world, "no_match", 0.8, ("likeness_low",))
    for _ in range(3):
        check(world, story.tenant, challenge(world, story.tenant))
    with refused("face.tries"):
        look(world, story.tenant)
    clock.move(timedelta(days=1, seconds=1))
    assert look(world, story.tenant).usable
    withdraw_consent(world, account_id=story.tenant, purpose="face_check")
    with refused("consent.missing"):
        look(world, story.tenant)
    assert world.faces.looked == 1


def test_a_look_that_cannot_be_made_now_says_so_and_when(world: Any) -> None:
    story = ready_tenant(world)
    world.faces.error = FaceBusy(7)
    with refused("face.busy") as caught:
        look(world, story.tenant)
    assert caught.value.refusal.params["seconds"] == 7
    world.faces.error = FaceUnavailable()
    with refused("face.unavailable"):
        look(world, story.tenant)


def test_one_account_has_six_looks_a_minute_and_takes_nobody_elses(world: Any, clock: FixedClock) -> None:
    story = ready_tenant(world)
    for _ in range(6):
        look(world, story.tenant)
    with refused("rate") as caught:
        look(world, story.tenant)
    assert caught.value.refusal.params["seconds"] == 60 and world.faces.looked == 6
    other = stories.make_landlord(world, "+8619900009556", sample_number("330522", date(1966, 2, 3)))
    stories.read_notice(world, other, "face_check")
    assert look(world, other).usable
    assert challenge(world, story.tenant).actions, "the check itself is still to be had"
    clock.move(timedelta(seconds=60))
    assert look(world, story.tenant).usable


def test_choosing_a_window_twice_opens_one_case(world: Any) -> None:
    story = stories.make_declared(world)
    first = ask_a_person(world, account_id=story.tenant, way="window")
    assert ask_a_person(world, account_id=story.tenant, way="live_video").reference == first.reference
    with refused("input.not_one_of"):
        ask_a_person(world, account_id=story.tenant, way="crystal_ball")


def test_no_picture_no_number_of_the_face_and_no_challenge_secret_is_stored(world: Any) -> None:
    story = ready_tenant(world)
    decide(world, "review", 0.47, ("likeness_unsure",))
    asked = challenge(world, story.tenant)
    check(world, story.tenant, asked)
    db.session.rollback()
    [row] = db.session.scalars(select(IdentityCheck).where(IdentityCheck.method == "face"))
    stored = {name: getattr(row, name) for name in row.__table__.columns.keys()}
    assert stored["score_bucket"] == "middle"
    assert not any(isinstance(value, float | bytes) for value in stored.values())
    kept = db.session.get_one(IdentityChallenge, asked.id)
    assert asked.nonce.encode() not in kept.nonce_hash
