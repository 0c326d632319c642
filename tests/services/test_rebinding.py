"""A key to a new phone: only after a fresh identity check, and the old phone's key is dead with it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from backend.db import db, transaction
from backend.domain.refusals import Refused
from backend.gateways.clock import FixedClock
from backend.gateways.world import World
from backend.models.cases import Case
from backend.models.keys import Key, KeyDoor
from backend.services import commands, key_lists, lock_reports, lock_sending
from backend.services.access_records import my_door_events
from backend.services.cases import claim_case, decide_case
from backend.services.inbox import list_notices
from backend.services.key_changes import confirm_doors
from backend.services.key_codes import fetch_codes
from backend.services.keys import fetch_credential, suspend_key
from backend.services.landlord_views import get_lease
from backend.services.rebinding import ask_rebind, rebind_key
from backend.services.registrations import check_out
from backend.services.tenancies import KeyCard, get_tenancy
from backend.wire.jwk import jwk_of, make_private_key, public_key_from_jwk, thumbprint
from backend.wire.lock_documents import Revocation, document_from
from backend.wire.tokens import verify
from tests.services import stories
from tests.services.reports import make_birth
from tests.services.staff import make_session
from tests.services.stories import Story

pytestmark = pytest.mark.usefixtures("core")


def new_phone() -> dict[str, str]:
    return jwk_of(make_private_key().public_key())


def rebind(world: World, story: Story, jwk: dict[str, str], key_id: str | None = None) -> KeyCard:
    return rebind_key(world, account_id=story.tenant, key_id=key_id or story.key_id, phone_jwk=jwk)


def decide(world: World, reference: str, decision: str, reason: str) -> None:
    session_id = make_session(world, "reviewer", purpose="review")
    claim_case(world, session_id=session_id, reference=reference)
    decide_case(world, session_id=session_id, reference=reference, decision=decision, reason=reason, method="window")


@pytest.fixture
def story(world: World) -> Story:
    return stories.make_active(world)


def test_a_face_matched_minutes_ago_binds_the_key_to_the_new_phone_and_the_old_one_dies(
    world: World, story: Story, clock: FixedClock
) -> None:
    fetch_credential(world, account_id=story.tenant, key_id=story.key_id)
    stories.match_face(world, story.tenant)
    clock.move(timedelta(minutes=14))
    jwk = new_phone()
    card = rebind(world, story, jwk)
    assert (card.state, card.replaces_id, card.epoch) == ("active", story.key_id, 1)
    assert card.phone_thumbprint == thumbprint(public_key_from_jwk(jwk))
    old = stories.key_row(story.key_id)
    assert (old.state, old.revoke_ground) == ("revoking", "lost_phone")
    door = db.session.get_one(KeyDoor, (old.id, story.identity.lock_id))
    assert door.exposure_until == world.clock.now() - timedelta(minutes=14) + timedelta(days=37, minutes=5)
    assert stories.lock_row(story.identity.lock_id).epoch == 1, "nobody has moved in"
    told = [notice.kind for notice in list_notices(world, account_id=story.tenant)]
    assert "key_rebound" in told


def test_without_a_fresh_check_nothing_is_bound(world: World, story: Story, clock: FixedClock) -> None:
    with pytest.raises(Refused, match="key.identity"):
        rebind(world, story, new_phone())
    stories.match_face(world, story.tenant)
    clock.move(timedelta(minutes=15, seconds=1))
    with pytest.raises(Refused, match="key.identity"):
        rebind(world, story, new_phone())
    assert stories.key_row(story.key_id).state == "active"


def test_the_window_that_once_verified_the_tenant_is_no_fresh_check(world: World) -> None:
    story = stories.make_active(world)  # verified at the window just now
    with pytest.raises(Refused, match="key.identity"):
        rebind(world, story, new_phone())


def test_the_same_phone_again_changes_nothing_and_one_check_serves_one_phone(world: World, story: Story) -> None:
    stories.match_face(world, story.tenant)
    jwk = new_phone()
    first = rebind(world, story, jwk)
    assert rebind(world, story, jwk) == first
    assert rebind(world, story, jwk, first.id) == first
    with pytest.raises(Refused, match="key.identity"):
        rebind(world, story, new_phone(), first.id)
    with pytest.raises(Refused, match="key.not_active"):
        rebind(world, story, new_phone())
    assert len(db.session.scalars(select(Key)).all()) == 2


def test_a_cleared_browser_is_the_same_call_later_again(world: World, story: Story, clock: FixedClock) -> None:
    stories.match_face(world, story.tenant)
    first = rebind(world, story, new_phone())
    clock.move(timedelta(days=3))
    stories.match_face(world, story.tenant)
    second = rebind(world, story, new_phone(), first.id)
    assert (second.state, second.replaces_id) == ("active", first.id)


def test_a_persons_decision_serves_whom_the_face_check_does_not(world: World, story: Story, clock: FixedClock) -> None:
    asked = ask_rebind(world, account_id=story.tenant, key_id=story.key_id)
    assert ask_rebind(world, account_id=story.tenant, key_id=story.key_id) == asked
    case = db.session.scalars(select(Case).where(Case.kind == "rebind")).one()
    assert (case.reference, case.evidence) == (asked.reference, {"key_id": story.key_id})
    with pytest.raises(Refused, match="key.identity"):
        rebind(world, story, new_phone())
    decide(world, asked.reference, "confirmed", "same_person")
    assert "rebind_decided" in [notice.kind for notice in list_notices(world, account_id=story.tenant)]
    clock.move(timedelta(hours=71))
    card = rebind(world, story, new_phone())
    assert card.state == "active"
    with pytest.raises(Refused, match="key.identity"):
        rebind(world, story, new_phone(), card.id)


def test_a_persons_decision_ends_after_three_days_and_a_no_is_a_no(
    world: World, story: Story, clock: FixedClock
) -> None:
    first = ask_rebind(world, account_id=story.tenant, key_id=story.key_id)
    decide(world, first.reference, "not_confirmed", "other_person")
    with pytest.raises(Refused, match="key.identity"):
        rebind(world, story, new_phone())
    assert stories.key_row(story.key_id).state == "active", "a no takes nothing away"
    second = ask_rebind(world, account_id=story.tenant, key_id=story.key_id)
    assert second.reference != first.reference


def test_a_confirmation_not_used_within_72_hours_is_asked_anew(world: World, story: Story, clock: FixedClock) -> None:
    asked = ask_rebind(world, account_id=story.tenant, key_id=story.key_id)
    decide(world, asked.reference, "confirmed", "same_person")
    clock.move(timedelta(hours=72, seconds=1))
    with pytest.raises(Refused, match="key.identity"):
        rebind(world, story, new_phone())
    assert ask_rebind(world, account_id=story.tenant, key_id=story.key_id).reference != asked.reference


def test_nobody_but_the_holder_rebinds_a_key(world: World, story: Story) -> None:
    for account in (story.landlord, stories.make_account(world, "+8619900009999")):
        with pytest.raises(Refused, match="not_found"):
            rebind_key(world, account_id=account, key_id=story.key_id, phone_jwk=new_phone())
        with pytest.raises(Refused, match="not_found"):
            ask_rebind(world, account_id=account, key_id=story.key_id)
    stories.match_face(world, story.tenant)
    with pytest.raises(Refused, match="key.phone_key"):
        rebind(world, story, {"kty": "RSA"})


def test_a_key_suspended_for_the_loss_is_rebound_and_a_key_that_has_ended_is_not(world: World, story: Story) -> None:
    suspend_key(world, account_id=story.tenant, key_id=story.key_id)
    stories.match_face(world, story.tenant)
    card = rebind(world, story, new_phone())
    assert card.state == "active"
    check_out(world, account_id=story.tenant, registration_id=story.registration_id,
              moved_out_on=world.clock.today(), reason="lease_end")  # fmt: skip
    with pytest.raises(Refused, match="key.not_active"):
        rebind(world, story, new_phone(), card.id)
    with pytest.raises(Refused, match="key.not_active"):
        ask_rebind(world, account_id=story.tenant, key_id=card.id)


def test_a_key_that_waits_for_the_declaration_still_waits_on_the_new_phone(world: World) -> None:
    story = stories.make_identified(world)
    stories.match_face(world, story.tenant)
    card = rebind(world, story, new_phone())
    assert (card.state, stories.key_row(story.key_id).state) == ("claimed", "revoked")


def test_commands_codes_and_credential_of_the_old_phone_are_dead(world: World, story: Story) -> None:
    stories.give_keypad(story.identity.lock_id)
    lock_reports.record_birth(world, story.identity.lock_id, make_birth(story.identity.lock_id))
    before = fetch_codes(world, account_id=story.tenant, key_id=story.key_id)
    asked = commands.request_unlock(world, account_id=story.tenant, key_id=story.key_id, idempotency_key="tap-1")
    stories.match_face(world, story.tenant)
    card = rebind(world, story, new_phone())
    seen = commands.get_command(world, account_id=story.tenant, command_id=asked.id)
    assert seen.state == "expired", "it never left and never will"
    sent = []
    while items := lock_sending.claim(world, limit=50):
        sent += [lock_sending.prepare(world, item) for item in items if item.kind == "command"]
        commands.record_sent(world, items)
    assert sent == [None]
    for call in (fetch_codes, fetch_credential):
        with pytest.raises(Refused, match="key.not_active"):
            call(world, account_id=story.tenant, key_id=story.key_id)
    after = fetch_codes(world, account_id=story.tenant, key_id=card.id)
    assert not {each.code for each in before.days} & {each.code for each in after.days}


def test_the_new_phone_carries_the_old_keys_end_to_the_lock(world: World, story: Story) -> None:
    stories.match_face(world, story.tenant)
    card = rebind(world, story, new_phone())
    fetched = fetch_credential(world, account_id=story.tenant, key_id=card.id)
    told: Any = document_from(
        Revocation, verify("revocation", fetched.doors[0].revocations, world.tokens.public_keys())
    )
    assert told.rev == (story.key_id,)
    lock = stories.lock_row(story.identity.lock_id)
    listed = key_lists.key_list(world, db.session(), lock)
    assert [entry.id for entry in listed.keys] == [card.id] and listed.rev == (story.key_id,)
    with transaction() as session:
        confirm_doors(world, session, lock.id, lock.list_version)
    assert stories.key_row(story.key_id).state == "revoked"
    told_to_holder = [notice.kind for notice in list_notices(world, account_id=story.tenant)]
    assert "key_revoked" not in told_to_holder, "the new phone's message has said it"


def test_tenant_and_landlord_see_the_new_key_in_the_old_ones_place(world: World, story: Story) -> None:
    stories.match_face(world, story.tenant)
    card = rebind(world, story, new_phone())
    assert get_tenancy(world, account_id=story.tenant, registration_id=story.registration_id).key_id == card.id
    lease = get_lease(world, account_id=story.landlord, lease_id=story.lease_id)
    assert lease.key is not None and lease.key.id == card.id
    assert my_door_events(world, account_id=story.tenant, key_id=card.id) == ()
