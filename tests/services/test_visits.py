"""A visitor's own view of keys, and the invitations a phone has not answered, found without their link."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from backend.db import transaction
from backend.domain.refusals import Refused
from backend.gateways.clock import FixedClock
from backend.gateways.world import World
from backend.models.lock_events import LockEvent
from backend.services.invitations import accept_invitation, cancel_invitation, list_my_invitations, look_at_invitation
from backend.services.visitor_keys import (
    end_visitor_key,
    get_my_visit,
    get_visitor_key,
    issue_visitor_key,
    list_my_visits,
)
from backend.wire.jwk import jwk_of, make_private_key
from tests.services import stories
from tests.services.stories import TENANT_PHONE, VISITOR_PHONE, Story

pytestmark = pytest.mark.usefixtures("core")


def let_in(world: World, story: Story, uses: int) -> tuple[str, str]:
    """The tenant's guest with a counted key; answers the guest's account and the key."""
    last_day = world.clock.today() + timedelta(days=1)
    card = issue_visitor_key(world, account_id=story.tenant, unit_id=story.unit_id, purpose="repair",
                             phone=VISITOR_PHONE, ends_on=last_day, uses=uses)  # fmt: skip
    guest = stories.make_account(world, VISITOR_PHONE)
    (pending,) = list_my_invitations(world, account_id=guest)
    assert pending.face.purpose == "repair"
    jwk = jwk_of(make_private_key().public_key())
    accept_invitation(world, account_id=guest, token=pending.token, phone_jwk=jwk)
    return guest, card.key.id


def open_door(world: World, story: Story, key_id: str, seq: int) -> None:
    """The lock tells of an opening with this key."""
    now = world.clock.now()
    with transaction() as session:
        session.add(LockEvent(lock_id=story.identity.lock_id, seq=seq, at=now, kind="lock.unlocked", key_id=key_id,
                              text="{}", hash=b"h" * 32, received_at=now))  # fmt: skip


def test_an_invitation_is_found_by_the_phone_it_was_sent_to_and_by_no_other(world: World) -> None:
    story = stories.make_invited(world)
    invited, other = (stories.make_account(world, number) for number in (TENANT_PHONE, VISITOR_PHONE))
    (pending,) = list_my_invitations(world, account_id=invited)
    assert pending.token == story.link_token
    assert pending.face == look_at_invitation(world, token=story.link_token)
    assert list_my_invitations(world, account_id=other) == ()


def test_what_is_cancelled_accepted_or_expired_is_no_longer_offered(world: World, clock: FixedClock) -> None:
    story = stories.make_invited(world)
    invited = stories.make_account(world, TENANT_PHONE)
    clock.move(world.house.invitation_life + timedelta(seconds=1))
    assert list_my_invitations(world, account_id=invited) == ()
    clock.move(-world.house.invitation_life)
    assert len(list_my_invitations(world, account_id=invited)) == 1
    cancel_invitation(world, account_id=story.landlord, lease_id=story.lease_id)
    assert list_my_invitations(world, account_id=invited) == ()


def test_an_invitation_to_a_key_that_has_ended_is_left_out_though_its_data_key_is_gone(world: World) -> None:
    story = stories.make_active(world)
    card = issue_visitor_key(world, account_id=story.tenant, unit_id=story.unit_id, purpose="repair",
                             phone=VISITOR_PHONE, ends_on=world.clock.today(), uses=1)  # fmt: skip
    guest = stories.make_account(world, VISITOR_PHONE)
    end_visitor_key(world, account_id=story.tenant, key_id=card.key.id)
    assert list_my_invitations(world, account_id=guest) == ()


def test_a_counted_key_is_used_up_with_its_last_opening_and_the_landlord_is_not_told(world: World) -> None:
    story = stories.make_active(world)
    guest, key_id = let_in(world, story, uses=2)
    open_door(world, story, key_id, 1)
    assert not get_my_visit(world, account_id=guest, key_id=key_id).used_up
    open_door(world, story, key_id, 2)
    assert get_my_visit(world, account_id=guest, key_id=key_id).used_up
    assert [key.used_up for key in list_my_visits(world, account_id=guest)] == [True]
    seen: dict[str, Any] = {
        who: get_visitor_key(world, account_id=account, key_id=key_id).key.used_up
        for who, account in (("occupant", story.tenant), ("landlord", story.landlord))
    }
    assert seen == {"occupant": True, "landlord": False}


def test_an_ended_visit_says_why_to_its_holder_and_is_not_there_for_anybody_else(world: World) -> None:
    story = stories.make_active(world)
    guest, key_id = let_in(world, story, uses=1)
    end_visitor_key(world, account_id=story.tenant, key_id=key_id)
    assert get_my_visit(world, account_id=guest, key_id=key_id).state_reason == "occupant_request"
    with pytest.raises(Refused, match="not_found"):
        get_my_visit(world, account_id=story.landlord, key_id=key_id)
