"""A unit is given up by its landlord: only an empty one, with its lock, and then nothing keeps the landlord's data."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from backend.db import db, transaction
from backend.domain.refusals import Refused
from backend.models.accounts import Account
from backend.models.audit import AuditLeaf
from backend.models.keys import Key
from backend.models.locks import Lock
from backend.models.persons import Person
from backend.models.registrations import Registration
from backend.models.standings import UnitStanding
from backend.models.units import Unit, UnitClaim
from backend.services.erasures import ask_erasure, get_erasure
from backend.services.housekeeping import keep_house
from backend.services.key_lists import key_list
from backend.services.landlord_views import landlord_home
from backend.services.leases import end_lease
from backend.services.registrations import check_out
from backend.services.unit_releases import release_unit
from backend.services.units import claim_lock, claim_unit
from backend.services.visitor_keys import issue_visitor_key
from backend.services.window_visits import open_visit
from tests.services import staff, stories

pytestmark = pytest.mark.usefixtures("core")
NEXT_PHONE = "+8619900008888"


def refused(code: str) -> Any:
    return pytest.raises(Refused, match=f"^{code}$")


def release(world: Any, story: stories.Story) -> None:
    assert release_unit(world, account_id=story.landlord, unit_id=story.unit_id).unit_id == story.unit_id


def give_up_the_other_room(world: Any, story: stories.Story) -> None:
    """The stories' landlord has claimed both rooms of the house or one: whatever is left is given up too."""
    for card in landlord_home(world, account_id=story.landlord).units:
        release_unit(world, account_id=story.landlord, unit_id=card.unit_id)


def test_an_empty_unit_is_not_enrolled_any_more_and_a_second_press_changes_nothing(world: Any) -> None:
    story = stories.make_let_unit(world)
    release(world, story)
    db.session.rollback()
    unit = db.session.get_one(Unit, story.unit_id)
    version = unit.version
    assert unit.landlord_id is None
    claims = select(UnitClaim.state).where(UnitClaim.unit_id == story.unit_id)
    assert db.session.scalars(claims).all() == ["ended"]
    assert db.session.scalar(select(UnitStanding.enrolled).where(UnitStanding.unit_id == story.unit_id)) is False
    assert story.unit_id not in [card.unit_id for card in landlord_home(world, account_id=story.landlord).units]
    release(world, story)
    db.session.rollback()
    assert db.session.get_one(Unit, story.unit_id).version == version
    leaves = select(AuditLeaf.object_id).where(AuditLeaf.action == "unit_released")
    assert db.session.scalars(leaves).all() == [story.unit_id]


def test_anothers_unit_is_not_found(world: Any) -> None:
    story = stories.make_let_unit(world)
    other = stories.make_landlord(world, NEXT_PHONE, stories.sample_number("330522", stories.date(1960, 5, 5)))
    with refused("unit.not_yours"):
        release_unit(world, account_id=other, unit_id=story.unit_id)
    release(world, story)
    with refused("unit.not_yours"):
        release_unit(world, account_id=other, unit_id=story.unit_id)


def test_nobody_is_locked_out_of_a_unit_they_live_in_or_have_a_lease_for(world: Any) -> None:
    story = stories.make_active(world)
    with refused("unit.let"):
        release(world, story)
    assert end_lease(world, account_id=story.landlord, lease_id=story.lease_id, ended_on=world.clock.today()).state == (
        "waiting_for_tenant"
    )
    with refused("unit.let"):
        release(world, story)
    check_out(world, account_id=story.tenant, registration_id=story.registration_id, moved_out_on=world.clock.today(),
              reason="lease_end")  # fmt: skip
    with transaction() as session:  # somebody whose declaration no lease is behind
        row = session.get_one(Registration, story.registration_id)
        row.residence, row.moved_out_on = "living", None
    with refused("unit.lived_in"):
        release(world, story)
    with transaction() as session:
        row = session.get_one(Registration, story.registration_id)
        row.residence, row.moved_out_on = "moved_out", world.clock.today()
    release(world, story)


def test_the_lock_is_given_back_opens_for_nobody_and_can_be_claimed_by_the_next_landlord(world: Any) -> None:
    story = stories.make_let_unit(world)
    visitor = issue_visitor_key(world, account_id=story.landlord, unit_id=story.unit_id, purpose="repair",
                                phone="+8619900005555", starts_on=world.clock.today(),
                                ends_on=world.clock.today(), uses=2)  # fmt: skip
    epoch = stories.lock_row(story.identity.lock_id).epoch
    release(world, story)
    lock = stories.lock_row(story.identity.lock_id)
    assert (lock.unit_id, lock.claimed_by, lock.retiring_at) == (None, None, None) and lock.epoch > epoch
    assert db.session.get_one(Key, visitor.key.id).state in ("revoking", "revoked")
    assert not key_list(world, db.session(), db.session.get_one(Lock, lock.id)).keys
    number = stories.sample_number("330522", stories.date(1960, 5, 5))
    following = stories.make_landlord(world, NEXT_PHONE, number)
    claim = claim_unit(world, account_id=following, unit_id=story.unit_id, right_kind="owner", evidence="不动产权证书")
    assert claim.state == "accepted"
    claim_lock(world, account_id=following, unit_id=story.unit_id, claim_code=story.identity.claim_code)
    assert stories.lock_row(story.identity.lock_id).unit_id == story.unit_id


def test_a_landlord_who_lets_nothing_any_more_can_be_deleted(world: Any, clock: Any) -> None:
    story = stories.make_let_unit(world)
    ask_erasure(world, account_id=story.landlord)
    assert [wait.what for wait in get_erasure(world, account_id=story.landlord).waits] == ["letting"]
    person_id = db.session.get_one(Account, story.landlord).person_id
    give_up_the_other_room(world, story)
    assert get_erasure(world, account_id=story.landlord).waits == ()
    clock.move(timedelta(days=8))
    keep_house(world)
    db.session.rollback()
    assert db.session.get_one(Person, person_id).erased_at is not None


def test_at_the_window_it_is_done_by_an_officers_hand(world: Any) -> None:
    story = stories.make_let_unit(world)
    session_id = staff.make_session(world, "window_clerk", purpose="help_request")
    visit = open_visit(world, session_id=session_id, channel="window", document_seen=True, name="沈安一", id_type="111",
                       id_number=stories.LANDLORD_NUMBER)  # fmt: skip
    release_unit(world, account_id=visit.account_id, unit_id=story.unit_id, desk=visit.desk(session_id))
    db.session.rollback()
    assert db.session.get_one(Unit, story.unit_id).landlord_id is None
    hands = select(AuditLeaf.actor_kind, AuditLeaf.action).where(AuditLeaf.object_id == story.unit_id)
    assert {("officer", "unit_released"), ("officer", "served_at_window")} <= set(db.session.execute(hands).all())
