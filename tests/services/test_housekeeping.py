"""What time brings about: reminders, expired drafts, overdue cases; never a lock action."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from backend.db import db, transaction
from backend.gateways.clock import FixedClock
from backend.models.accounts import LoginCode
from backend.models.cases import Case
from backend.models.data_keys import DataKey
from backend.models.lock_events import LockEvent
from backend.models.persons import Person
from backend.models.registrations import Registration
from backend.services.access_records import my_door_events
from backend.services.housekeeping import keep_house
from backend.services.identity_reviews import attest
from backend.services.inbox import list_notices
from backend.services.leases import end_lease
from backend.services.registrations import declare
from backend.services.sign_ins import request_phone_code
from tests.services import stories

pytestmark = pytest.mark.usefixtures("core")


def kinds(world: Any, account_id: str) -> list[str]:
    return [notice.kind for notice in list_notices(world, account_id=account_id)]


def test_the_tenant_is_reminded_once_a_day_before_the_deadline(world: Any, clock: FixedClock) -> None:
    story = stories.make_claimed(world)
    keep_house(world)
    assert "declare_due" not in kinds(world, story.tenant)
    clock.move(timedelta(days=2))
    keep_house(world)
    keep_house(world)
    assert kinds(world, story.tenant).count("declare_due") == 1


def test_the_landlord_who_has_not_reported_is_reminded_with_the_rule(world: Any, clock: FixedClock) -> None:
    story = stories.make_invited(world, report_now=False)
    clock.move(timedelta(days=2))
    keep_house(world)
    [notice] = [n for n in list_notices(world, account_id=story.landlord) if n.kind == "report_due"]
    assert notice.rule == "ZJ-9-1"
    assert "2026-11-26" in notice.text_en


def test_an_overdue_declaration_becomes_one_case_and_leaves_the_key_alone(world: Any, clock: FixedClock) -> None:
    story = stories.make_claimed(world)
    clock.move(timedelta(days=5))
    keep_house(world)
    keep_house(world)
    cases = db.session.scalars(select(Case).where(Case.kind == "overdue_registration")).all()
    assert [case.rule for case in cases] == ["HK-15"]
    assert stories.key_row(story.key_id).state == "claimed"


def test_a_draft_nobody_completed_expires_after_fifteen_days(world: Any, clock: FixedClock) -> None:
    story = stories.make_claimed(world)
    clock.move(timedelta(days=15, seconds=1))
    keep_house(world)
    db.session.rollback()
    assert db.session.get_one(Registration, story.registration_id).tenant_leg == "invited"


def test_a_late_office_extends_an_attestation_and_the_key_lives_on(world: Any, clock: FixedClock) -> None:
    story = stories.make_declared(world)
    attest(world, account_id=story.landlord, lease_id=story.lease_id, met_in_person=True, saw_document=True)
    clock.move(timedelta(hours=80))
    keep_house(world)
    key = stories.key_row(story.key_id)
    person = db.session.get_one(Person, key.holder_id)
    assert (key.state, person.identity_state) == ("active", "attested")
    assert person.identity_review_due_at > clock.now()


def test_both_sides_are_asked_before_a_lease_ends_and_nobody_is_checked_out(world: Any, clock: FixedClock) -> None:
    story = stories.make_active(world, ends_on=world.clock.today() + timedelta(days=30))
    clock.move(timedelta(days=16))
    keep_house(world)
    assert "lease_ends" in kinds(world, story.tenant) and "lease_ends" in kinds(world, story.landlord)
    clock.move(timedelta(days=29))
    keep_house(world)
    assert "lease_over" in kinds(world, story.tenant)
    assert {"lease_over", "report_end_overdue"} <= set(kinds(world, story.landlord))
    assert stories.key_row(story.key_id).state == "active"
    assert db.session.get_one(Registration, story.registration_id).residence == "living"


def test_door_events_are_gone_after_thirty_days_and_not_before(world: Any, clock: FixedClock) -> None:
    story = stories.make_active(world)
    with transaction() as session:
        session.add(
            LockEvent(lock_id=story.identity.lock_id, seq=1, at=clock.now(), kind="lock.unlocked", key_id=story.key_id,
                      text="{}", hash=b"h" * 32, received_at=clock.now())  # fmt: skip
        )
    assert len(my_door_events(world, account_id=story.tenant, key_id=story.key_id)) == 1
    clock.move(timedelta(days=30))
    keep_house(world)
    assert len(my_door_events(world, account_id=story.tenant, key_id=story.key_id)) == 1
    clock.move(timedelta(seconds=1))
    keep_house(world)
    assert my_door_events(world, account_id=story.tenant, key_id=story.key_id) == ()


def test_a_used_up_code_and_its_data_key_are_forgotten_within_a_day(world: Any, clock: FixedClock) -> None:
    request_phone_code(world, phone="19900009001")
    code_id = db.session.scalars(select(LoginCode.id)).one()
    clock.move(timedelta(days=1, minutes=6))
    keep_house(world)
    db.session.rollback()
    assert db.session.get(LoginCode, code_id) is None
    assert db.session.get(DataKey, code_id) is None


def test_a_tenant_whose_draft_expired_can_still_declare_and_gets_the_key(world: Any, clock: FixedClock) -> None:
    story = stories.make_identified(world)
    clock.move(timedelta(days=16))
    keep_house(world)
    declare(world, account_id=story.tenant, registration_id=story.registration_id, move_in_on=world.clock.today(),
            hukou_division="341822")  # fmt: skip
    stories.verify_at_window(world, story.tenant)
    assert stories.key_row(story.key_id).state == "active"


def test_a_landlords_left_without_an_answer_goes_to_a_person_after_a_week(world: Any, clock: FixedClock) -> None:
    story = stories.make_active(world)
    end_lease(world, account_id=story.landlord, lease_id=story.lease_id, ended_on=world.clock.today())
    clock.move(timedelta(days=6))
    keep_house(world)
    assert db.session.scalars(select(Case).where(Case.kind == "dispute")).all() == []
    clock.move(timedelta(days=2))
    keep_house(world)
    keep_house(world)
    db.session.rollback()
    assert len(db.session.scalars(select(Case).where(Case.kind == "dispute")).all()) == 1
    assert stories.key_row(story.key_id).state == "active"


def test_a_lock_without_a_clock_loses_no_event_to_retention(world: Any, clock: FixedClock) -> None:
    story = stories.make_active(world)
    with transaction() as session:
        session.add(
            LockEvent(lock_id=story.identity.lock_id, seq=1, at=clock.now() - timedelta(days=9000), kind="door.opened",
                      key_id=story.key_id, text="{}", hash=b"h" * 32, received_at=clock.now())  # fmt: skip
        )
    keep_house(world)
    assert len(my_door_events(world, account_id=story.tenant, key_id=story.key_id)) == 1
