"""Deleting one's data: what holds it, that it can be taken back, and that afterwards nothing leads to the person."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from backend.db import db
from backend.domain.erasures import TIME_TO_RECONSIDER, Waits
from backend.domain.keys import ENDED
from backend.gateways.clock import FixedClock
from backend.gateways.key_ring import KeyRingError
from backend.models.accounts import Account, Session
from backend.models.audit import AuditLeaf
from backend.models.consents import Consent
from backend.models.invitations import Invitation
from backend.models.keys import Key
from backend.models.leases import Lease
from backend.models.notices import Notice
from backend.models.persons import Person
from backend.models.registrations import FieldSource, Registration
from backend.services import vault
from backend.services.erasures import ask_erasure, get_erasure, withdraw_erasure
from backend.services.housekeeping import keep_house
from backend.services.landlord_views import get_lease, list_leases
from backend.services.leases import end_lease
from backend.services.persons import enter_identity, name_of, number_of
from backend.services.registrations import check_out
from backend.services.registry_reconciliation import _is_erased
from backend.services.sign_ins import find_or_make_account, find_session, open_session
from backend.services.voids import withdraw_draft
from backend.worker.registry_loop import process_once
from tests.services import stories

pytestmark = pytest.mark.usefixtures("core")


def settle(world: Any) -> None:
    while process_once(world, sleep=lambda _: None):
        pass
    db.session.rollback()


def whats(world: Any, account_id: str) -> list[str]:
    return [each.what for each in get_erasure(world, account_id=account_id).waits]


def make_moved_out(world: Any) -> stories.Story:
    """A tenant who was registered, has checked out, and whose check-out the registry has confirmed."""
    story = stories.make_active(world)
    settle(world)
    check_out(world, account_id=story.tenant, registration_id=story.registration_id, moved_out_on=world.clock.today(),
              reason="lease_end")  # fmt: skip
    settle(world)
    return story


def person_of(account_id: str) -> Person:
    db.session.rollback()
    person_id = db.session.get_one(Account, account_id).person_id
    assert person_id is not None
    return db.session.get_one(Person, person_id)


def test_while_somebody_lives_there_a_request_waits_and_changes_nothing(world: Any, clock: FixedClock) -> None:
    story = stories.make_active(world)
    settle(world)
    asked = ask_erasure(world, account_id=story.tenant)
    assert asked.goes_at is None and asked.asked_at == world.clock.now()
    assert {each.what for each in asked.waits} == {"home"}
    assert ask_erasure(world, account_id=story.tenant).asked_at == asked.asked_at, "asked again, nothing changes"
    clock.move(timedelta(days=400))
    keep_house(world)
    assert get_erasure(world, account_id=story.tenant).asked_at == asked.asked_at
    assert name_of(world, db.session(), person_of(story.tenant)) == "周来福"
    assert stories.key_row(story.key_id).state == "active"


def test_the_number_is_kept_thirty_days_after_the_confirmed_check_out(world: Any, clock: FixedClock) -> None:
    story = stories.make_active(world)
    settle(world)
    check_out(world, account_id=story.tenant, registration_id=story.registration_id, moved_out_on=world.clock.today(),
              reason="lease_end")  # fmt: skip
    assert whats(world, story.tenant) == ["check_out"]
    settle(world)
    ask = ask_erasure(world, account_id=story.tenant)
    (wait,) = ask.waits
    assert wait.what == "identity" and wait.until == world.clock.now() + timedelta(days=30) == ask.goes_at
    clock.move(timedelta(days=29))
    keep_house(world)
    assert name_of(world, db.session(), person_of(story.tenant)) == "周来福"
    clock.move(timedelta(days=1))
    keep_house(world)
    db.session.rollback()
    assert db.session.get_one(Account, story.tenant).person_id is None


def test_taken_back_everything_is_as_it_was(world: Any, clock: FixedClock) -> None:
    story = make_moved_out(world)
    before = get_erasure(world, account_id=story.tenant)
    ask_erasure(world, account_id=story.tenant)
    assert withdraw_erasure(world, account_id=story.tenant) == before
    assert withdraw_erasure(world, account_id=story.tenant) == before, "without a request nothing changes"
    clock.move(timedelta(days=400))
    keep_house(world)
    assert name_of(world, db.session(), person_of(story.tenant)) == "周来福"
    actions = db.session.scalars(select(AuditLeaf.action).where(AuditLeaf.action.startswith("erasure_"))).all()
    assert sorted(actions) == ["erasure_asked", "erasure_withdrawn"]


def test_afterwards_nothing_leads_to_the_person_and_the_stub_still_reads(world: Any, clock: FixedClock) -> None:
    story = make_moved_out(world)
    with db.session.begin():
        signed = open_session(world, db.session(), story.tenant, "page", "phone of somebody")
    person = person_of(story.tenant)
    person_id, old_name, old_token = person.id, person.name_sealed, person.id_number_token
    old_name_token = person.name_token
    lease = db.session.get_one(Lease, story.lease_id)
    old_named, old_named_token = lease.named_name_sealed, lease.named_id_token
    ask_erasure(world, account_id=story.tenant)
    clock.move(timedelta(days=31))
    keep_house(world)
    db.session.rollback()
    session = db.session()
    for subject, place, row_id, sealed in (
        (person_id, "persons.name", person_id, old_name),
        (lease.id, "leases.named_name", lease.id, old_named),
    ):
        with pytest.raises(KeyRingError):
            vault.unseal(world, session, subject, place, row_id, sealed)
    person, lease = session.get_one(Person, person_id), session.get_one(Lease, story.lease_id)
    assert (name_of(world, session, person), number_of(world, session, person)) == ("—", "—")
    assert person.erased_at is not None and person.hukou_division is None and person.identity_state == "none"
    assert person.name_token not in (None, old_name_token)
    assert person.id_number_token != old_token and lease.named_id_token != old_named_token and lease.alias == "—"
    assert session.scalars(select(Notice).where(Notice.account_id == story.tenant)).all() == []
    assert session.scalars(select(FieldSource).where(FieldSource.earlier_sealed.is_not(None))).all() == []
    (invitation,) = session.scalars(select(Invitation)).all()
    assert invitation.phone_token != world.key_ring.blind_index("phone", stories.TENANT_PHONE)
    assert {row.user_agent for row in session.scalars(select(Session).where(Session.account_id == story.tenant))} == {
        ""
    }
    registration = session.get_one(Registration, story.registration_id)
    assert registration.receipt_token is not None, "the stub of the receipt stays, without a name"
    assert session.scalars(select(Consent)).all() != [], "that there was a consent is kept"
    assert _is_erased(session, registration), "nothing of the stub is sent to the registry again"
    session.rollback()
    assert find_session(world, session_id=signed.session_id, secret=signed.secret, kind="page") is None
    (row,) = list_leases(world, account_id=story.landlord, unit_id=story.unit_id)
    assert get_lease(world, account_id=story.landlord, lease_id=row.id).alias == "—"


def test_the_same_person_may_come_anew(world: Any, clock: FixedClock) -> None:
    story = make_moved_out(world)
    ask_erasure(world, account_id=story.tenant)
    clock.move(timedelta(days=31))
    keep_house(world)
    with db.session.begin():
        fresh = find_or_make_account(world, db.session(), stories.TENANT_PHONE).id
    assert fresh != story.tenant
    view = enter_identity(world, account_id=fresh, id_type="111", id_number=stories.TENANT_NUMBER, name="周来福")
    assert view.name == "周来福" and get_erasure(world, account_id=fresh).waits == ()


def test_who_never_entered_anything_is_gone_after_the_days_to_reconsider(world: Any, clock: FixedClock) -> None:
    account = stories.make_account(world, stories.TENANT_PHONE)
    asked = ask_erasure(world, account_id=account)
    assert (asked.waits, asked.stays, asked.goes_at) == ((), (), world.clock.now() + TIME_TO_RECONSIDER)
    clock.move(TIME_TO_RECONSIDER - timedelta(seconds=1))
    keep_house(world)
    with db.session.begin():
        assert find_or_make_account(world, db.session(), stories.TENANT_PHONE).id == account
    clock.move(timedelta(seconds=1))
    keep_house(world)
    with db.session.begin():
        assert find_or_make_account(world, db.session(), stories.TENANT_PHONE).id != account


def test_an_invitation_not_taken_up_is_withdrawn_first(world: Any, clock: FixedClock) -> None:
    story = stories.make_identified(world)
    assert "invited" in whats(world, story.tenant)
    withdraw_draft(world, account_id=story.tenant, registration_id=story.registration_id)
    db.session.rollback()
    assert stories.key_row(story.key_id).state in ENDED
    assert whats(world, story.tenant) == []


def test_a_landlord_with_units_waits_for_them(world: Any, clock: FixedClock) -> None:
    story = stories.make_active(world)
    settle(world)
    assert whats(world, story.landlord) == ["letting"]
    end_lease(world, account_id=story.landlord, lease_id=story.lease_id, ended_on=world.clock.today())
    assert whats(world, story.landlord) == ["letting"]


def test_who_speaks_for_a_child_waits_until_somebody_else_does_or_it_has_left(world: Any, clock: FixedClock) -> None:
    story = make_moved_out(world)
    child_id = stories.make_child(world, story.tenant)
    assert "speaking_for" in whats(world, story.tenant)
    clock.move(timedelta(days=366 * 7))
    assert "speaking_for" not in whats(world, story.tenant), "at 16 it speaks for itself"
    db.session.rollback()
    assert db.session.get_one(Person, child_id).erased_at is None


def test_what_stays_says_until_when(world: Any, clock: FixedClock) -> None:
    story = make_moved_out(world)
    stays = {each.what: each.until for each in get_erasure(world, account_id=story.tenant).stays}
    assert stays["receipts"] == world.clock.now() + timedelta(days=1095)
    assert stays["doors"] == world.clock.now() + timedelta(days=30)
    assert stays["access"] >= stays["receipts"]


def test_a_home_is_named_by_its_unit_and_a_case_by_its_number(world: Any) -> None:
    story = stories.make_active(world)
    settle(world)
    key = db.session.get_one(Key, story.key_id)
    db.session.rollback()
    assert key.state == "active"
    assert get_erasure(world, account_id=story.tenant).waits == (Waits("home", None, "陈塘路1号 101室"),)
