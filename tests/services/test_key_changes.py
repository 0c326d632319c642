"""Epochs and exposure: what a door could still do, and going on from a lock that is ahead of the database."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from backend.db import db, transaction
from backend.gateways.clock import FixedClock
from backend.gateways.world import World
from backend.models.keys import KeyDoor
from backend.models.locks import Lock
from backend.services import key_lists
from backend.services.housekeeping import keep_house
from backend.services.invitations import accept_invitation
from backend.services.key_changes import FARTHEST_EPOCH, adopt_epoch, confirm_doors
from backend.services.keys import fetch_credential, get_key, revoke_key, suspend_key
from backend.services.registrations import check_out
from backend.services.visitor_keys import issue_visitor_key
from backend.wire.jwk import jwk_of, make_private_key
from tests.services import stories
from tests.services.stories import VISITOR_PHONE, Story

pytestmark = pytest.mark.usefixtures("core")


def adopt(world: World, story: Story, epoch: int) -> bool:
    with transaction() as session:
        return adopt_epoch(world, session, session.get_one(Lock, story.identity.lock_id), epoch)


def visitor_of(world: World, story: Story) -> tuple[str, str]:
    """A visitor's active key, issued by the tenant; answers account and key."""
    card = issue_visitor_key(world, account_id=story.tenant, unit_id=story.unit_id, purpose="care",
                             phone=VISITOR_PHONE, ends_on=world.clock.today() + timedelta(days=9), uses=5)  # fmt: skip
    assert card.invitation is not None
    visitor, jwk = stories.make_account(world, VISITOR_PHONE), jwk_of(make_private_key().public_key())
    accept_invitation(world, account_id=visitor, token=card.invitation.link.rsplit("/", 1)[1], phone_jwk=jwk)
    return visitor, card.key.id


def exposure(world: World, account: str, key_id: str) -> Any:
    return get_key(world, account_id=account, key_id=key_id).doors[0].exposure_until


def test_a_database_behind_its_lock_goes_on_from_the_locks_epoch_and_nobody_is_left_outside(
    world: World, story: Story
) -> None:
    _visitor, visit_id = visitor_of(world, story)
    before = stories.lock_row(story.identity.lock_id).list_version
    assert adopt(world, story, 4)
    lock = stories.lock_row(story.identity.lock_id)
    assert (lock.epoch, lock.list_version) == (4, before + 1)
    listed = key_lists.key_list(world, db.session(), lock)
    assert (listed.occ, {entry.id for entry in listed.keys}) == (4, {story.key_id, visit_id})
    for key_id in (story.key_id, visit_id):
        door = db.session.get_one(KeyDoor, (key_id, lock.id))
        assert (stories.key_row(key_id).epoch, door.desired_version, door.confirmed_at) == (4, before + 1, None)
    assert fetch_credential(world, account_id=story.tenant, key_id=story.key_id).doors


def test_a_suspended_key_comes_along_and_stays_suspended_and_an_ended_one_stays_behind(
    world: World, story: Story
) -> None:
    second = stories.make_occupant(world, story, joint_with=story.lease_id)
    suspend_key(world, account_id=story.tenant, key_id=story.key_id)
    revoke_key(world, account_id=second.account, key_id=second.key_id)
    assert adopt(world, story, 2)
    listed = key_lists.key_list(world, db.session(), stories.lock_row(story.identity.lock_id))
    assert (listed.keys, listed.rev) == ((), (story.key_id,))
    assert (stories.key_row(story.key_id).epoch, stories.key_row(second.key_id).epoch) == (2, 1)


@pytest.mark.parametrize("epoch", [0, 1, 2 + FARTHEST_EPOCH, 2**62])
def test_an_epoch_that_is_not_ahead_or_not_believable_changes_nothing(world: World, story: Story, epoch: int) -> None:
    before = stories.lock_row(story.identity.lock_id).list_version
    assert not adopt(world, story, epoch)
    lock = stories.lock_row(story.identity.lock_id)
    assert (lock.epoch, lock.list_version) == (1, before)


def test_a_handover_ends_the_visitors_keys_of_the_tenancy_before(world: World, story: Story) -> None:
    _visitor, visit_id = visitor_of(world, story)
    check_out(world, account_id=story.tenant, registration_id=story.registration_id,
              moved_out_on=world.clock.today(), reason="lease_end")  # fmt: skip
    landlords = issue_visitor_key(world, account_id=story.landlord, unit_id=story.unit_id, purpose="cleaning",
                                  phone=VISITOR_PHONE, ends_on=world.clock.today(), uses=2)  # fmt: skip
    stories.make_occupant(world, story)
    assert stories.lock_row(story.identity.lock_id).epoch == 2
    assert stories.key_row(visit_id).revoke_ground == "issuer_left"
    assert stories.key_row(landlords.key.id).state == "revoked"


def test_a_visitors_exposure_has_no_grace(world: World, story: Story) -> None:
    visitor, key_id = visitor_of(world, story)
    fetch_credential(world, account_id=visitor, key_id=key_id)
    revoke_key(world, account_id=visitor, key_id=key_id)
    assert exposure(world, visitor, key_id) == world.clock.now() + timedelta(hours=24, minutes=5)


def test_a_key_that_was_given_nothing_is_exposed_no_longer_than_a_command_lives(
    world: World, story: Story, clock: FixedClock
) -> None:
    revoke_key(world, account_id=story.tenant, key_id=story.key_id)
    until = exposure(world, story.tenant, story.key_id)
    assert until == world.clock.now() + timedelta(minutes=5, seconds=15)
    clock.move(until - world.clock.now())
    keep_house(world)
    assert stories.key_row(story.key_id).state == "revoked"


def test_no_key_is_called_revoked_before_its_exposure_is_over_or_its_door_has_confirmed(
    world: World, story: Story, clock: FixedClock
) -> None:
    fetch_credential(world, account_id=story.tenant, key_id=story.key_id)
    clock.move(timedelta(days=3))
    fetch_credential(world, account_id=story.tenant, key_id=story.key_id)  # the later credential counts
    revoke_key(world, account_id=story.tenant, key_id=story.key_id)
    until = exposure(world, story.tenant, story.key_id)
    assert until == world.clock.now() + timedelta(days=37, minutes=5)
    clock.move(until - world.clock.now() - timedelta(seconds=1))
    keep_house(world)
    assert stories.key_row(story.key_id).state == "revoking"
    clock.move(timedelta(seconds=1))
    keep_house(world)
    assert stories.key_row(story.key_id).state == "revoked"


def test_an_old_confirmation_confirms_no_newer_change(world: World, story: Story) -> None:
    fetch_credential(world, account_id=story.tenant, key_id=story.key_id)
    revoke_key(world, account_id=story.tenant, key_id=story.key_id)
    wanted = stories.lock_row(story.identity.lock_id).list_version
    for version, state in ((wanted - 1, "revoking"), (wanted, "revoked")):
        with transaction() as session:
            confirm_doors(world, session, story.identity.lock_id, version)
        assert stories.key_row(story.key_id).state == state


@pytest.fixture
def story(world: World) -> Story:
    return stories.make_active(world)
