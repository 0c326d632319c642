"""Identities whose declaration the registry never took: forgotten all the same, in the time the law gives."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from backend.db import db, transaction
from backend.models.accounts import Account
from backend.models.cases import Case
from backend.models.persons import Person
from backend.services.erasures import ErasureView, ask_erasure, get_erasure
from backend.services.housekeeping import keep_house
from backend.services.registrations import check_out
from tests.services import stories
from tests.worker.telling import Telling


def leave(telling: Telling, story: stories.Story) -> None:
    check_out(telling.world, account_id=story.tenant, registration_id=story.registration_id,
              moved_out_on=telling.world.clock.today(), reason="left_county")  # fmt: skip


def close_cases() -> None:
    with transaction() as session:
        for case in session.scalars(select(Case)):
            case.state = "answered"


def erasure(telling: Telling, story: stories.Story) -> ErasureView:
    return get_erasure(telling.world, account_id=story.tenant)


def person_of(story: stories.Story) -> Person:
    db.session.rollback()
    return db.session.get_one(Person, db.session.get_one(Account, story.tenant).person_id)


def test_what_the_registry_never_accepted_is_kept_for_thirty_days_after_the_move(telling: Telling) -> None:
    story = stories.make_active(telling.world, report_now=False)
    telling.stage.switch_on("code_changed", place=0)
    telling.settle()
    telling.stage.registry.faults.switch_off("code_changed")
    assert telling.stored(story.registration_id).state == "rejected"
    leave(telling, story)
    ask_erasure(telling.world, account_id=story.tenant)
    assert "check_out" in [wait.what for wait in erasure(telling, story).waits], "its end is on its way"
    telling.settle()
    close_cases()
    [wait] = erasure(telling, story).waits
    assert wait.what == "identity" and wait.until is not None
    person = person_of(story)
    telling.move(days=30)
    keep_house(telling.world)
    db.session.rollback()
    assert db.session.get_one(Person, person.id).erased_at is None
    telling.move(days=1)
    keep_house(telling.world)
    db.session.rollback()
    assert db.session.get_one(Person, person.id).erased_at is not None


def test_where_the_landlords_report_alone_was_accepted_its_end_counts(telling: Telling) -> None:
    story = stories.make_active(telling.world)
    telling.stage.switch_on("code_changed", place=0)
    telling.once()
    telling.stage.registry.faults.switch_off("code_changed")
    telling.settle()
    stored = telling.stored(story.registration_id)
    assert (stored.receipt_no, stored.landlord_receipt_no is not None) == (None, True)
    leave(telling, story)
    assert [wait.what for wait in erasure(telling, story).waits][:1] == ["check_out"]
    confirmed_at = telling.world.clock.now()
    telling.settle()
    close_cases()
    [wait] = erasure(telling, story).waits
    assert wait.what == "identity" and wait.until is not None
    assert wait.until >= confirmed_at + timedelta(days=30)


def test_what_was_set_aside_for_a_person_still_keeps_the_identity(telling: Telling) -> None:
    story = stories.make_active(telling.world, report_now=False)
    telling.stage.switch_on("bad_receipt")
    telling.settle()
    leave(telling, story)
    telling.settle()
    close_cases()
    assert [wait.what for wait in erasure(telling, story).waits] == ["check_out"]
