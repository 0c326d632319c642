"""After a void the lease and the key go on: its holder says "left" or "still here", or a person decides (HR-12)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from backend.db import db, transaction
from backend.domain.refusals import Refused
from backend.models.cases import Case
from backend.models.leases import Lease
from backend.models.outbox import OutboxRow
from backend.models.registrations import Registration
from backend.services.audit import Actor
from backend.services.case_effects import apply_decision
from backend.services.duties import keep_duties
from backend.services.inbox import list_notices
from backend.services.leases import end_lease
from backend.services.own_duties import list_duties
from backend.services.registrations import answer_still_here, check_out
from backend.services.tenancies import get_tenancy
from backend.services.voids import request_void
from tests.services import stories

pytestmark = pytest.mark.usefixtures("core")


def decide(world: Any, kind: str, decision: str, reason: str, **more: Any) -> Any:
    with transaction() as session:
        case = session.scalars(select(Case).where(Case.kind == kind, Case.decision.is_(None))).one()
        case.decision, case.decision_reason = decision, reason
        return apply_decision(world, session, case, Actor("officer"), method=None, **{"moved_out_on": None, **more})


@pytest.fixture
def story(core: Any, world: Any) -> stories.Story:
    """A tenant whose registration was voided and who holds the key all the same."""
    story = stories.make_active(world)
    request_void(world, account_id=story.tenant, registration_id=story.registration_id, reason="entered_in_error")
    decide(world, "void_request", "voided", "papers_seen")
    assert (row(story).residence, stories.key_row(story.key_id).state) == ("voided", "active")
    return story


def row(story: stories.Story) -> Registration:
    db.session.rollback()
    return db.session.get_one(Registration, story.registration_id, populate_existing=True)


def lease_of(story: stories.Story) -> Lease:
    db.session.rollback()
    return db.session.get_one(Lease, story.lease_id, populate_existing=True)


def said_left(world: Any, story: stories.Story) -> str:
    return end_lease(world, account_id=story.landlord, lease_id=story.lease_id, ended_on=world.clock.today()).state


def leave(world: Any, story: stories.Story) -> Any:
    return check_out(world, account_id=story.tenant, registration_id=story.registration_id,
                     moved_out_on=world.clock.today(), reason="left_county")  # fmt: skip


def to_the_registry() -> list[str]:
    db.session.rollback()
    rows = select(OutboxRow.kind).where(OutboxRow.destination == "registry").order_by(OutboxRow.id)
    return list(db.session.scalars(rows))


def test_the_holder_says_left_and_lease_and_key_end_while_the_void_stands(world: Any, story: stories.Story) -> None:
    sent = to_the_registry()
    assert said_left(world, story) == "waiting_for_tenant"
    view = get_tenancy(world, account_id=story.tenant, registration_id=story.registration_id)
    assert (view.may_check_out, view.landlord_says_left_on) == (True, world.clock.today())
    assert "answer_left" in {duty.code for duty in list_duties(world, account_id=story.tenant)}
    assert leave(world, story).state == "voided"
    assert (lease_of(story).state, stories.key_row(story.key_id).state) == ("ended", "revoking")
    assert (row(story).moved_out_on, to_the_registry()) == (None, sent), "the registry was told of a void"
    after = get_tenancy(world, account_id=story.tenant, registration_id=story.registration_id)
    assert (after.may_check_out, after.landlord_says_left_on) == (False, None)
    with pytest.raises(Refused, match="^transition$"):
        leave(world, story)


def test_the_holder_may_leave_without_being_asked(world: Any, story: stories.Story) -> None:
    leave(world, story)
    assert lease_of(story).state == "ended"


def test_still_here_is_a_dispute_that_a_person_decides_either_way(world: Any, story: stories.Story) -> None:
    said_left(world, story)
    answer_still_here(world, account_id=story.tenant, registration_id=story.registration_id)
    assert row(story).disputed and stories.key_row(story.key_id).state == "active"
    assert said_left(world, story) == "waiting_for_tenant"
    assert decide(world, "dispute", "still_living", "both_sides_heard") is None
    assert (row(story).disputed, row(story).residence, lease_of(story).landlord_ended_on) == (False, "voided", None)
    said_left(world, story)
    answer_still_here(world, account_id=story.tenant, registration_id=story.registration_id)
    today = world.clock.today()
    assert decide(world, "dispute", "moved_out", "both_sides_heard", moved_out_on=today) is None
    assert (lease_of(story).state, stories.key_row(story.key_id).state) == ("ended", "revoking")
    assert (row(story).residence, row(story).disputed) == ("voided", False)


def test_no_answer_goes_to_a_person_and_the_key_lives_until_then(world: Any, story: stories.Story, clock: Any) -> None:
    said_left(world, story)
    for _ in range(10):
        clock.move(timedelta(days=1))
        while keep_duties(world):
            pass
    assert "answer_left" in [notice.kind for notice in list_notices(world, account_id=story.tenant)]
    db.session.rollback()
    [case] = db.session.scalars(select(Case).where(Case.kind == "dispute"))
    assert (case.evidence["tenant"], row(story).disputed) == ("no_answer", True)
    assert (lease_of(story).state, stories.key_row(story.key_id).state) == ("active", "active")


def test_a_void_without_a_claim_asks_nothing_of_its_holder(world: Any, story: stories.Story, clock: Any) -> None:
    clock.move(timedelta(days=20))
    while keep_duties(world):
        pass
    assert list_duties(world, account_id=story.tenant) == ()
    with pytest.raises(Refused, match="^transition$"):
        answer_still_here(world, account_id=story.tenant, registration_id=story.registration_id)
    db.session.rollback()
    assert db.session.scalars(select(Case).where(Case.kind != "void_request")).all() == []
