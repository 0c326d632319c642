"""Visitors' keys: an occupant's word on an occupied unit, limits the lock enforces, no person and no residence."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from backend.db import db, transaction
from backend.domain.refusals import Refused
from backend.domain.visitors import WeeklyWindow
from backend.gateways.clock import FixedClock
from backend.gateways.world import World
from backend.models.accounts import Account
from backend.models.audit import AuditLeaf
from backend.models.data_keys import DataKey
from backend.models.keys import Key
from backend.models.outbox import OutboxRow
from backend.models.persons import Person
from backend.models.registrations import Registration
from backend.services import commands, key_lists, lock_logs, lock_reports
from backend.services.access_records import my_door_events
from backend.services.housekeeping import keep_house
from backend.services.inbox import list_notices
from backend.services.invitations import accept_invitation, invite_tenant, look_at_invitation
from backend.services.key_changes import confirm_doors
from backend.services.keys import fetch_credential, get_key, revoke_key
from backend.services.leases import record_lease
from backend.services.messages import send_due_messages
from backend.services.registrations import check_out
from backend.services.visitor_keys import (
    VisitorKeyCard,
    answer_visitor_key,
    end_visitor_key,
    get_visitor_key,
    issue_visitor_key,
    list_my_visits,
    list_visitor_keys,
)
from backend.wire.jwk import base64url, jwk_of, make_private_key
from backend.wire.lock_documents import Credential, document_from
from backend.wire.lock_messages import EventBatch, first_hash
from backend.wire.tokens import verify
from tests.services import stories
from tests.services.reports import make_birth, make_texts
from tests.services.stories import VISITOR_PHONE, Story

pytestmark = pytest.mark.usefixtures("core")

WEEKDAYS = WeeklyWindow("12345", 9 * 60, 17 * 60)


def issue(world: World, account_id: str, story: Story, **changes: Any) -> VisitorKeyCard:
    values: dict[str, Any] = {
        "purpose": "repair",
        "phone": VISITOR_PHONE,
        "ends_on": world.clock.today() + timedelta(days=2),
        "sched": (WEEKDAYS,),
        "uses": 4,
        **changes,
    }
    return issue_visitor_key(world, account_id=account_id, unit_id=story.unit_id, **values)


def token_of(card: VisitorKeyCard) -> str:
    assert card.invitation is not None
    return card.invitation.link.rsplit("/", 1)[1]


def accept(world: World, card: VisitorKeyCard) -> str:
    """The visitor's phone takes the key; answers the visitor's account."""
    visitor = stories.make_account(world, VISITOR_PHONE)
    jwk = jwk_of(make_private_key().public_key())
    taken = accept_invitation(world, account_id=visitor, token=token_of(card), phone_jwk=jwk)
    assert (taken.key_id, taken.lease_id, taken.registration_id) == (card.key.id, None, None)
    return visitor


def told(world: World, account_id: str) -> list[str]:
    return [notice.kind for notice in list_notices(world, account_id=account_id)]


@pytest.fixture
def story(world: World) -> Story:
    return stories.make_active(world)


def test_the_landlords_key_to_an_occupied_unit_waits_for_one_occupants_consent(world: World, story: Story) -> None:
    card = issue(world, story.landlord, story)
    assert (card.key.consent, card.key.state, card.issuer_role) == ("asked", "invited", "landlord")
    assert not card.may_answer
    assert "visitor_consent_asked" in told(world, story.tenant)
    visitor = accept(world, card)
    assert stories.key_row(card.key.id).state == "claimed"
    with pytest.raises(Refused, match="key.not_active"):
        fetch_credential(world, account_id=visitor, key_id=card.key.id)
    assert get_visitor_key(world, account_id=story.tenant, key_id=card.key.id).may_answer
    answered = answer_visitor_key(world, account_id=story.tenant, key_id=card.key.id, agrees=True)
    assert (answered.key.state, answered.key.consent) == ("active", "given")
    assert answer_visitor_key(world, account_id=story.tenant, key_id=card.key.id, agrees=True).key == answered.key
    assert "visitor_consent_given" in told(world, story.landlord)
    assert fetch_credential(world, account_id=visitor, key_id=card.key.id).doors


def test_consent_before_the_visitor_accepts_counts_too(world: World, story: Story) -> None:
    card = issue(world, story.landlord, story)
    answer_visitor_key(world, account_id=story.tenant, key_id=card.key.id, agrees=True)
    assert stories.key_row(card.key.id).state == "invited"
    accept(world, card)
    assert stories.key_row(card.key.id).state == "active"


@pytest.mark.parametrize("taken", [False, True])
def test_a_refusal_ends_the_landlords_key(world: World, story: Story, taken: bool) -> None:
    card = issue(world, story.landlord, story)
    if taken:
        accept(world, card)
    answered = answer_visitor_key(world, account_id=story.tenant, key_id=card.key.id, agrees=False)
    assert (answered.key.state, answered.key.state_reason) == ("revoked", "consent_refused")
    assert "visitor_refused" in told(world, story.landlord)
    with pytest.raises(Refused, match="visitor.answered"):
        answer_visitor_key(world, account_id=story.tenant, key_id=card.key.id, agrees=True)
    assert db.session.get(DataKey, card.key.id) is None, "the visitor's number is forgotten with the key"


def test_who_has_only_accepted_the_landlords_invitation_consents_for_nobody(world: World, story: Story) -> None:
    """Else a landlord lets a friend join the lease, and the friend lets the landlord in."""
    made = record_lease(world, account_id=story.landlord, unit_id=story.unit_id, kind="room",
                        starts_on=world.clock.today(), ends_on=None, alias="小吴",
                        tenant_name="吴友", tenant_id_type="111", tenant_id_number=stories.CO_TENANT_NUMBER,
                        tenant_phone=stories.CO_TENANT_PHONE, joint_with=story.lease_id)  # fmt: skip
    link = invite_tenant(world, account_id=story.landlord, lease_id=made.lease_id).link
    friend = stories.make_account(world, stories.CO_TENANT_PHONE)
    jwk = jwk_of(make_private_key().public_key())
    accept_invitation(world, account_id=friend, token=link.rsplit("/", 1)[1], phone_jwk=jwk)
    card = issue(world, story.landlord, story)
    assert not get_visitor_key(world, account_id=friend, key_id=card.key.id).may_answer
    with pytest.raises(Refused, match="not_found"):
        answer_visitor_key(world, account_id=friend, key_id=card.key.id, agrees=True)
    assert answer_visitor_key(world, account_id=story.tenant, key_id=card.key.id, agrees=True).key.consent == "given"


def test_only_an_occupant_answers_and_the_landlord_cannot_consent_for_them(world: World, story: Story) -> None:
    card = issue(world, story.landlord, story)
    stranger = stories.make_account(world, "+8619900009999")
    for account in (story.landlord, stranger):
        with pytest.raises(Refused, match="not_found"):
            answer_visitor_key(world, account_id=account, key_id=card.key.id, agrees=True)
    for call in (get_visitor_key, end_visitor_key):
        with pytest.raises(Refused, match="not_found"):
            call(world, account_id=stranger, key_id=card.key.id)
    with pytest.raises(Refused, match="unit.not_yours"):
        list_visitor_keys(world, account_id=stranger, unit_id=story.unit_id)
    with pytest.raises(Refused, match="unit.not_yours"):
        issue(world, stranger, story)


def test_a_stated_emergency_works_at_once_for_four_hours_and_two_openings_and_every_occupant_is_told(
    world: World, story: Story, clock: FixedClock
) -> None:
    card = issue(world, story.landlord, story, emergency="water", sched=(), uses=None, ends_on=None)
    assert (card.key.consent, card.key.uses, card.emergency) == ("emergency", 2, "water")
    assert card.key.ends_at == world.clock.now() + timedelta(hours=4)
    assert "visitor_emergency" in told(world, story.tenant)
    leaf = db.session.scalars(select(AuditLeaf).where(AuditLeaf.action == "visitor_key_emergency")).one()
    assert (leaf.object_id, leaf.decision) == (card.key.id, "water")
    visitor = accept(world, card)
    assert fetch_credential(world, account_id=visitor, key_id=card.key.id).expires_at == card.key.ends_at
    clock.move(timedelta(hours=4))
    with pytest.raises(Refused, match="key.over"):
        fetch_credential(world, account_id=visitor, key_id=card.key.id)
    keep_house(world)
    ended = stories.key_row(card.key.id)
    assert (ended.state, ended.revoke_ground) == ("revoking", "over")


def test_an_emergency_is_the_landlords_and_of_an_occupied_unit_alone(world: World, story: Story) -> None:
    with pytest.raises(Refused, match="visitor.no_emergency"):
        issue(world, story.tenant, story, emergency="fire", uses=1)
    with pytest.raises(Refused, match="input.not_one_of"):
        issue(world, story.landlord, story, emergency="unpaid_rent", uses=1)


def test_an_emergency_in_an_empty_unit_is_an_ordinary_visit(world: World) -> None:
    story = stories.make_let_unit(world)
    with pytest.raises(Refused, match="visitor.no_emergency"):
        issue(world, story.landlord, story, emergency="fire", uses=1)
    card = issue(world, story.landlord, story)
    assert card.key.consent == "not_needed"
    accept(world, card)
    assert stories.key_row(card.key.id).state == "active"


def test_an_occupants_key_needs_nobody_and_the_landlord_learns_purpose_and_dates_alone(
    world: World, story: Story
) -> None:
    card = issue(world, story.tenant, story, purpose="care")
    accept(world, card)
    assert stories.key_row(card.key.id).state == "active"
    notice = next(n for n in list_notices(world, account_id=story.landlord) if n.kind == "visitor_key_issued")
    assert "照护" in notice.text_zh and card.key.starts_on.isoformat() in notice.text_zh
    seen = list_visitor_keys(world, account_id=story.landlord, unit_id=story.unit_id)
    assert [each.key.id for each in seen] == [card.key.id]
    assert seen[0].invitation is None and not seen[0].is_mine
    for text in (repr(seen), repr(notice), repr(get_key(world, account_id=story.landlord, key_id=card.key.id))):
        assert VISITOR_PHONE not in text and "199******" not in text


def test_an_occupant_whose_key_is_not_active_issues_none(world: World) -> None:
    story = stories.make_declared(world)
    with pytest.raises(Refused, match="unit.not_yours"):
        issue(world, story.tenant, story)


def test_the_link_goes_to_the_visitors_phone_and_says_nothing_of_who_lives_there(world: World, story: Story) -> None:
    card = issue(world, story.tenant, story)
    send_due_messages(world)
    messages = [message.text for message in world.sms.messages() if message.phone == VISITOR_PHONE]  # type: ignore[attr-defined]
    assert card.invitation is not None and card.invitation.link in messages[0]
    face = look_at_invitation(world, token=token_of(card))
    assert (face.landlord_alias, face.purpose, face.unit_alias) == ("住户", "repair", "陈塘路1号 101室")
    landlords = issue(world, story.landlord, story)
    assert look_at_invitation(world, token=token_of(landlords)).landlord_alias == "沈*"
    other = stories.make_account(world, "+8619900009999")
    jwk = jwk_of(make_private_key().public_key())
    with pytest.raises(Refused, match="invitation.other_phone"):
        accept_invitation(world, account_id=other, token=token_of(card), phone_jwk=jwk)


def test_accepting_asks_for_no_identity_and_begins_no_residence(world: World, story: Story) -> None:
    before = len(db.session.scalars(select(Registration)).all()), len(db.session.scalars(select(Person)).all())
    card = issue(world, story.tenant, story)
    visitor = accept(world, card)
    after = len(db.session.scalars(select(Registration)).all()), len(db.session.scalars(select(Person)).all())
    assert before == after
    key = stories.key_row(card.key.id)
    assert (key.holder_id, key.lease_id) == (None, None)
    assert db.session.get_one(Account, visitor).person_id is None
    assert [mine.id for mine in list_my_visits(world, account_id=visitor)] == [card.key.id]


def test_accepting_again_with_the_same_phone_changes_nothing(world: World, story: Story) -> None:
    card = issue(world, story.tenant, story)
    visitor, jwk = stories.make_account(world, VISITOR_PHONE), jwk_of(make_private_key().public_key())
    first = accept_invitation(world, account_id=visitor, token=token_of(card), phone_jwk=jwk)
    assert accept_invitation(world, account_id=visitor, token=token_of(card), phone_jwk=jwk) == first
    other = jwk_of(make_private_key().public_key())
    with pytest.raises(Refused, match="invitation.used"):
        accept_invitation(world, account_id=visitor, token=token_of(card), phone_jwk=other)


def test_a_visitors_credential_has_windows_uses_and_time_and_no_identity_and_no_grace(
    world: World, story: Story
) -> None:
    card = issue(world, story.tenant, story)
    visitor = accept(world, card)
    fetched = fetch_credential(world, account_id=visitor, key_id=card.key.id)
    assert fetched.activation is None
    assert fetched.expires_at == world.clock.now() + timedelta(hours=24)
    claims = verify("ekey", fetched.doors[0].credential, world.tokens.public_keys())
    document = document_from(Credential, claims)
    assert document.sched is not None and (document.sched[0].days, document.uses, document.tvr) == ("12345", 4, True)
    assert (document.cond, document.grc, document.pad) == (None, None, None)  # its code is taught by the list alone
    assert set(document.crit or ()) >= {"sched", "uses", "tvr", "occ", "cnf", "rights"}


def test_the_list_carries_the_limits_of_a_visitor_and_none_for_an_occupant(world: World, story: Story) -> None:
    card = issue(world, story.tenant, story)
    accept(world, card)
    lock = stories.lock_row(story.identity.lock_id)
    entries = {entry.id: entry for entry in key_lists.key_list(world, db.session(), lock).keys}
    visitors, occupants = entries[card.key.id], entries[story.key_id]
    assert card.key.ends_at is not None
    assert (visitors.exp, visitors.uses, visitors.tvr) == (int(card.key.ends_at.timestamp()), 4, True)
    assert visitors.sched is not None and visitors.pad == ("period",)
    assert (occupants.exp, occupants.sched, occupants.uses, occupants.tvr) == (None, None, None, None)
    assert occupants.pad == ("day", "once")


def test_a_credential_fetched_on_the_last_day_ends_with_the_key(world: World, story: Story, clock: FixedClock) -> None:
    card = issue(world, story.tenant, story)
    visitor = accept(world, card)
    clock.move(timedelta(days=2, hours=3))
    assert fetch_credential(world, account_id=visitor, key_id=card.key.id).expires_at == card.key.ends_at
    clock.move(timedelta(hours=12))
    with pytest.raises(Refused, match="key.over"):
        commands.request_unlock(world, account_id=visitor, key_id=card.key.id, idempotency_key="late-1")


def test_a_visitor_opens_online_within_the_window_alone(world: World, story: Story, clock: FixedClock) -> None:
    lock_reports.record_birth(world, story.identity.lock_id, make_birth(story.identity.lock_id))
    card = issue(world, story.tenant, story)
    visitor = accept(world, card)
    asked = commands.request_unlock(world, account_id=visitor, key_id=card.key.id, idempotency_key="visit-1")
    assert asked.state == "queued"
    clock.move(timedelta(hours=10))  # 20:00 in China
    with pytest.raises(Refused, match="key.outside_window"):
        commands.request_unlock(world, account_id=visitor, key_id=card.key.id, idempotency_key="visit-2")


def test_the_landlord_and_every_occupant_may_end_a_visitors_key_whoever_issued_it(world: World, story: Story) -> None:
    landlords, tenants = issue(world, story.landlord, story), issue(world, story.tenant, story)
    accept(world, tenants)
    ended = end_visitor_key(world, account_id=story.landlord, key_id=tenants.key.id)
    assert (ended.key.state, ended.key.state_reason) == ("revoking", "landlord_request")
    assert "visitor_ended" in told(world, story.tenant)
    ended = end_visitor_key(world, account_id=story.tenant, key_id=landlords.key.id)
    assert (ended.key.state, ended.key.state_reason) == ("revoked", "occupant_request")
    assert "visitor_ended" in told(world, story.landlord)
    again = end_visitor_key(world, account_id=story.tenant, key_id=landlords.key.id)
    assert again.key == ended.key
    with transaction() as session:
        confirm_doors(world, session, story.identity.lock_id, 10_000)
    assert stories.key_row(tenants.key.id).state == "revoked"
    assert db.session.get(DataKey, tenants.key.id) is None


def test_the_visitor_may_give_the_key_back(world: World, story: Story) -> None:
    card = issue(world, story.tenant, story)
    visitor = accept(world, card)
    assert revoke_key(world, account_id=visitor, key_id=card.key.id).state == "revoking"


def test_who_leaves_takes_along_the_visitors_keys_they_issued(world: World, story: Story) -> None:
    card = issue(world, story.tenant, story)
    accept(world, card)
    check_out(world, account_id=story.tenant, registration_id=story.registration_id,
              moved_out_on=world.clock.today(), reason="lease_end")  # fmt: skip
    gone = stories.key_row(card.key.id)
    assert (gone.state, gone.revoke_ground) == ("revoking", "issuer_left")


def test_what_the_landlord_issued_while_the_unit_stood_empty_ends_when_somebody_moves_in(world: World) -> None:
    story = stories.make_let_unit(world)
    card = issue(world, story.landlord, story)
    accept(world, card)
    stories.make_occupant(world, story)
    gone = stories.key_row(card.key.id)
    assert (gone.state, gone.revoke_ground) == ("revoking", "moved_in")


def test_a_visitors_key_whose_time_is_over_ends_by_itself_taken_or_not(
    world: World, story: Story, clock: FixedClock
) -> None:
    taken, left = issue(world, story.tenant, story), issue(world, story.tenant, story)
    accept(world, taken)
    clock.move(timedelta(days=2))
    keep_house(world)
    assert [stories.key_row(card.key.id).state for card in (taken, left)] == ["active", "invited"]
    clock.move(timedelta(days=1))
    keep_house(world)
    assert [stories.key_row(card.key.id).state for card in (taken, left)] == ["revoking", "revoked"]
    with pytest.raises(Refused, match="invitation.cancelled"):
        look_at_invitation(world, token=token_of(left))


def test_the_tenant_sees_a_visitors_openings_as_a_kind_of_key_and_nobody_else_sees_any(
    world: World, story: Story
) -> None:
    card = issue(world, story.tenant, story)
    visitor = accept(world, card)
    told = [("lock.unlocked", {"key": key_id, "via": "near"}) for key_id in (story.key_id, card.key.id)]
    texts = make_texts(told, at=int(world.clock.now().timestamp()))
    batch = EventBatch(1, base64url(first_hash(story.identity.lock_id)), texts, (), False)
    lock_logs.record_events(world, [(story.identity.lock_id, batch)])
    events = my_door_events(world, account_id=story.tenant, key_id=story.key_id)
    assert [event.by for event in events] == ["visitor", "own"]
    for account, key_id in (
        (visitor, card.key.id), (story.landlord, card.key.id), (story.landlord, story.key_id), (visitor, story.key_id),
    ):  # fmt: skip
        with pytest.raises(Refused, match="not_found"):
            my_door_events(world, account_id=account, key_id=key_id)


def test_a_request_sent_twice_is_one_key(world: World, story: Story) -> None:
    first = issue(world, story.tenant, story, idempotency_key="visit-0001")
    assert issue(world, story.tenant, story, idempotency_key="visit-0001").key.id == first.key.id
    with pytest.raises(Refused, match="input.key_reused"):
        issue(world, story.tenant, story, uses=3, idempotency_key="visit-0001")
    assert len(db.session.scalars(select(Key).where(Key.kind == "visitor")).all()) == 1
    sent = db.session.scalars(select(OutboxRow).where(OutboxRow.kind == "invitation")).all()
    assert len(sent) == 2, "the lease's own and this one"


def test_every_fault_is_named_at_its_field(world: World, story: Story) -> None:
    with pytest.raises(Refused) as caught:
        issue(world, story.tenant, story, purpose="party", phone="1", ends_on=None, sched=(), uses=None)
    assert {refusal.field for refusal in caught.value.refusals} == {"phone", "ends_on", "purpose", "sched"}


def test_in_a_shared_flat_whom_another_lets_in_is_not_told(world: World) -> None:
    story = stories.make_active(world, kind="bed")
    other = stories.make_occupant(world, story, kind="bed")
    others_guest, landlords = issue(world, other.account, story), issue(world, story.landlord, story)
    answer_visitor_key(world, account_id=other.account, key_id=landlords.key.id, agrees=True)
    told = [("lock.unlocked", {"key": card.key.id, "via": "near"}) for card in (others_guest, landlords)]
    texts = make_texts(told, at=int(world.clock.now().timestamp()))
    batch = EventBatch(1, base64url(first_hash(story.identity.lock_id)), texts, (), False)
    lock_logs.record_events(world, [(story.identity.lock_id, batch)])
    assert len(my_door_events(world, account_id=story.tenant, key_id=story.key_id)) == 1, "the landlord's visitor"
    assert len(my_door_events(world, account_id=other.account, key_id=other.key_id)) == 2


def test_emergencies_do_not_become_a_habit(world: World, story: Story, clock: FixedClock) -> None:
    for _ in range(2):
        issue(world, story.landlord, story, emergency="water", sched=(), uses=None, ends_on=None)
        clock.move(timedelta(days=1))
    with pytest.raises(Refused, match="visitor.emergency_often"):
        issue(world, story.landlord, story, emergency="gas", sched=(), uses=None, ends_on=None)
    clock.move(timedelta(days=6))
    issue(world, story.landlord, story, emergency="gas", sched=(), uses=None, ends_on=None)
