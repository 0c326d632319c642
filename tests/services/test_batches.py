"""What is done row by row: one row that nobody can read holds up none of those behind it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from backend.db import db, transaction
from backend.domain.reported import ANSWER_WITHIN, BECAME_LOCAL
from backend.gateways.identity_authority import FakeAuthority
from backend.models.accounts import Account
from backend.models.erasures import Erasure
from backend.models.outbox import OutboxRow
from backend.models.persons import Person
from backend.models.registrations import AgeCount
from backend.models.sharing import InboundChange
from backend.seeding import sample_number
from backend.services.age_counts import count_ages
from backend.services.document_checks import ask_again
from backend.services.erasures import ask_erasure
from backend.services.housekeeping import keep_house
from backend.services.messages import send_due_messages
from backend.services.name_tokens import fill_name_tokens
from backend.services.persons import enter_identity
from backend.services.reported_answers import settle_late_reports
from backend.services.sign_ins import request_phone_code
from tests.services import reporting, stories

pytestmark = pytest.mark.usefixtures("core")
BROKEN = b"\x01" + bytes(40)  # a sealed value that opens under no key
OTHER = "+8619900007788"
OTHER_NUMBER = sample_number("341822", date(1996, 7, 2))


def spoil(kind: Any, row_id: str, **columns: bytes) -> None:
    with transaction() as session:
        session.execute(update(kind).where(kind.id == row_id).values(**columns))


def person_of(account_id: str) -> str:
    db.session.rollback()
    return db.session.get_one(Account, account_id).person_id or ""


def test_a_short_message_whose_text_cannot_be_made_is_parked_and_the_others_go(world: Any) -> None:
    request_phone_code(world, phone=stories.TENANT_PHONE)
    request_phone_code(world, phone=OTHER)
    with transaction() as session:
        first = session.scalars(select(OutboxRow).where(OutboxRow.destination == "sms").order_by(OutboxRow.id)).first()
        assert first is not None
        first.payload = {}
        broken = first.id
    while send_due_messages(world):
        pass
    assert [message.phone for message in world.sms.messages()] == [OTHER]
    db.session.rollback()
    row = db.session.get_one(OutboxRow, broken)
    assert row.parked_at is not None and row.done_at is None and (row.last_error or "").startswith("unmade: ")


def test_a_document_that_cannot_be_read_is_asked_about_later_and_the_next_one_now(world: Any, clock: Any) -> None:
    away = replace(world, authority=FakeAuthority(available=False))
    accounts = [stories.make_account(world, phone) for phone in (stories.TENANT_PHONE, OTHER)]
    for account_id, number, name in zip(
        accounts, (stories.TENANT_NUMBER, OTHER_NUMBER), ("周来福", "李小红"), strict=True
    ):
        enter_identity(away, account_id=account_id, id_type="111", id_number=number, name=name)
    spoil(Person, person_of(accounts[0]), name_sealed=BROKEN)
    clock.move(timedelta(hours=2))
    assert ask_again(world) == 1
    states = [db.session.get_one(Person, person_of(account_id)).document_state for account_id in accounts]
    assert states == ["unavailable", "matched"]
    assert ask_again(world) == 0, "and not at once again"


def test_names_and_ages_go_on_behind_one_that_cannot_be_read(world: Any, clock: Any) -> None:
    story = stories.make_active(world)
    landlord, tenant = person_of(story.landlord), person_of(story.tenant)
    with transaction() as session:
        session.execute(update(Person).values(name_token=None))
    spoil(Person, min(landlord, tenant), name_sealed=BROKEN)
    assert fill_name_tokens(world) == 1
    db.session.rollback()
    assert db.session.get_one(Person, max(landlord, tenant)).name_token is not None

    spoil(Person, tenant, birth_on_sealed=BROKEN)
    assert [count_ages(world), count_ages(world)] == [1, 0]
    assert set(db.session.scalars(select(AgeCount.people))) == {0}


def test_a_guardian_whose_child_cannot_be_read_holds_up_nobody_elses_erasure(world: Any, clock: Any) -> None:
    story = stories.make_active(world)
    child = stories.make_child(world, story.tenant)
    ask_erasure(world, account_id=story.tenant)
    other = stories.make_account(world, OTHER)
    ask_erasure(world, account_id=other)
    spoil(Person, child, birth_on_sealed=BROKEN)
    clock.move(timedelta(days=30))
    keep_house(world)
    db.session.rollback()
    done = dict(db.session.execute(select(Erasure.account_id, Erasure.done_at)).all())
    assert done[story.tenant] is None and done[other] is not None


def test_a_late_report_that_cannot_be_read_holds_up_no_other(world: Any, clock: Any) -> None:
    agreement = reporting.make_reporter(world)
    stories.make_declared(world)
    first = reporting.report(world, agreement, BECAME_LOCAL, reporting.LOCAL)
    clock.move(timedelta(seconds=1))
    second = reporting.report(world, agreement, BECAME_LOCAL, reporting.LOCAL, id="change-2")
    spoil(InboundChange, first.id, payload_sealed=BROKEN)
    clock.move(ANSWER_WITHIN)
    assert (settle_late_reports(world), settle_late_reports(world)) == (1, 0)
    assert reporting.row(second.id).case_id is not None
