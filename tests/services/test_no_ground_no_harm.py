"""HR-12: whoever lives there gets in. Nothing of the landlord's, of time or of a doubt takes an occupant's key away."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from backend.db import db, transaction
from backend.domain.refusals import Refused
from backend.gateways.clock import FixedClock
from backend.gateways.world import World
from backend.models.persons import Person
from backend.seeding import sample_number
from backend.services.delegates import make_delegate
from backend.services.housekeeping import keep_house
from backend.services.identity_states import settle_identity
from backend.services.key_codes import fetch_codes
from backend.services.keys import fetch_credential, get_key, resume_key, revoke_key, suspend_key
from backend.services.leases import end_lease, extend_lease
from backend.services.persons import my_identity
from backend.services.registrations import answer_still_here, check_out
from backend.wire.jwk import jwk_of, make_private_key
from tests.services import stories
from tests.services.stories import Story

pytestmark = pytest.mark.usefixtures("core")

GROUNDS = [None, "both_agreed", "court_order", "check_out", "lease_end", "holder_request", "lost_phone"]


def lives_there(world: World, story: Story) -> None:
    """The tenant's phone gets everything it opens with, and the key stands as it stood."""
    assert fetch_credential(world, account_id=story.tenant, key_id=story.key_id).activation
    assert fetch_codes(world, account_id=story.tenant, key_id=story.key_id).days
    key = stories.key_row(story.key_id)
    assert (key.state, key.epoch) == ("active", stories.lock_row(story.identity.lock_id).epoch)


def in_term(world: World, story: Story, clock: FixedClock) -> None:
    """An ordinary day of the lease."""


def in_holdover(world: World, story: Story, clock: FixedClock) -> None:
    """A hundred days after the planned end."""
    clock.move(timedelta(days=465))
    keep_house(world)


def in_dispute(world: World, story: Story, clock: FixedClock) -> None:
    """The landlord says left, the tenant says still here, nobody has decided."""
    in_holdover(world, story, clock)
    end_lease(world, account_id=story.landlord, lease_id=story.lease_id, ended_on=world.clock.today())
    answer_still_here(world, account_id=story.tenant, registration_id=story.registration_id)


def in_silence(world: World, story: Story, clock: FixedClock) -> None:
    """The landlord says left, the tenant says nothing for two weeks."""
    end_lease(world, account_id=story.landlord, lease_id=story.lease_id, ended_on=world.clock.today())
    clock.move(timedelta(days=14))
    keep_house(world)


def in_doubt(world: World, story: Story, clock: FixedClock) -> None:
    """A person has failed to confirm the identity after the key had become active."""
    identity = my_identity(world, account_id=story.tenant)
    assert identity is not None
    with transaction() as session:
        session.get_one(Person, identity.person_id).identity_state = "attested"
        session.flush()
        settle_identity(world, session, identity.person_id, "none", method="window", outcome="fail")


TIMES = [in_term, in_holdover, in_dispute, in_silence, in_doubt]


@pytest.fixture(params=TIMES, ids=lambda time: time.__name__)
def story(world: World, clock: FixedClock, request: Any) -> Story:
    story = stories.make_active(world)
    stories.give_keypad(story.identity.lock_id)
    request.param(world, story, clock)
    return story


def test_an_active_key_is_always_renewed(world: World, story: Story) -> None:
    lives_there(world, story)


@pytest.mark.parametrize("ground", GROUNDS)
def test_a_landlord_neither_suspends_nor_revokes(world: World, story: Story, ground: str | None) -> None:
    for take in (suspend_key, revoke_key):
        with pytest.raises(Refused, match="key.ground") as caught:
            take(world, account_id=story.landlord, key_id=story.key_id, ground=ground)
        assert caught.value.refusal.reason.rule == "HR-12"
    lives_there(world, story)


def test_a_landlord_shortens_nothing(world: World, story: Story) -> None:
    planned = stories.key_row(story.key_id).ends_on
    assert planned is not None
    with pytest.raises(Refused, match="lease.shorten") as caught:
        extend_lease(world, account_id=story.landlord, lease_id=story.lease_id, ends_on=planned - timedelta(days=1))
    assert caught.value.refusal.reason.rule == "HR-12"
    assert get_key(world, account_id=story.tenant, key_id=story.key_id).ends_on == planned
    lives_there(world, story)


def test_a_landlord_makes_no_key_offline_to_an_occupied_unit(world: World, story: Story) -> None:
    with pytest.raises(Refused, match="unit.occupied") as caught:
        make_delegate(world, account_id=story.landlord, unit_id=story.unit_id,
                      phone_jwk=jwk_of(make_private_key().public_key()))  # fmt: skip
    assert caught.value.refusal.reason.rule == "HR-12"
    lives_there(world, story)


def test_another_tenants_key_raises_no_epoch_while_somebody_still_lives_there(
    world: World, clock: FixedClock
) -> None:
    story = stories.make_active(world)
    stories.give_keypad(story.identity.lock_id)
    in_holdover(world, story, clock)
    number = sample_number("341822", date(1990, 1, 2))
    other = stories.make_occupant(world, story, phone="+8619900009105", number=number)
    assert stories.key_row(other.key_id).state == "active"
    assert stories.lock_row(story.identity.lock_id).epoch == 1
    lives_there(world, story)


def test_only_a_check_out_is_a_ground_and_after_it_the_key_ends(world: World, clock: FixedClock) -> None:
    story = stories.make_active(world)
    check_out(world, account_id=story.tenant, registration_id=story.registration_id,
              moved_out_on=world.clock.today(), reason="lease_end")  # fmt: skip
    assert stories.key_row(story.key_id).state == "revoking"
    card = revoke_key(world, account_id=story.landlord, key_id=story.key_id, ground="check_out")
    assert card.state == "revoking"


def test_the_holders_own_pause_is_the_holders_own_to_end(world: World) -> None:
    story = stories.make_active(world)
    stories.give_keypad(story.identity.lock_id)
    suspend_key(world, account_id=story.tenant, key_id=story.key_id)
    with pytest.raises(Refused, match="key.suspended_by_holder"):
        resume_key(world, account_id=story.landlord, key_id=story.key_id)
    resume_key(world, account_id=story.tenant, key_id=story.key_id)
    lives_there(world, story)
    assert db.session.get_one(stories.Key, story.key_id).suspended_at is None
