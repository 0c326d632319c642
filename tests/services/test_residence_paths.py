"""Exempt, foreign, void, withdrawn, disputed: each its own path, and none of them an eviction."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from backend.db import db, transaction
from backend.domain.refusals import Refused
from backend.gateways.clock import FixedClock
from backend.models.cases import Case
from backend.models.leases import Lease
from backend.models.persons import Person
from backend.services.access_records import my_access_records
from backend.services.cases import claim_case, decide_case
from backend.services.exemptions import declare_exempt
from backend.services.foreign_desk import mark_foreign_done_at_window
from backend.services.foreign_paths import (
    get_foreign_form,
    hand_out_foreign_form,
    list_waiting_forms,
    mark_foreign_done,
    mark_foreign_done_by_host,
)
from backend.services.housekeeping import OFTEN, keep_house
from backend.services.inbox import list_notices
from backend.services.landlord_views import get_lease, landlord_home
from backend.services.leases import end_lease
from backend.services.persons import enter_identity
from backend.services.registrations import answer_still_here, check_out, declare
from backend.services.registry_items import NothingToSend
from backend.services.tenancies import get_tenancy
from backend.services.voids import request_void, withdraw_draft
from tests.services import staff, stories
from tests.services.test_amendments import accept_there, built, make_another, refused, registration_of, sent

pytestmark = pytest.mark.usefixtures("core")


def told(world: Any, account_id: str, kind: str) -> list[str]:
    return [notice.text_zh for notice in list_notices(world, account_id=account_id) if notice.kind == kind]


def decide(world: Any, kind: str, decision: str, reason: str, **more: Any) -> None:
    """An officer takes the open case of a kind and decides it."""
    db.session.rollback()
    reference = db.session.scalars(select(Case.reference).where(Case.kind == kind, Case.decided_at.is_(None))).one()
    login = f"officer-{reference[-4:]}"
    session_id = staff.sign_in(world, staff.make_officer(world, "officer", login=login))
    from backend.services.officer_sessions import begin_task

    begin_task(world, session_id=session_id, purpose="visit")
    claim_case(world, session_id=session_id, reference=reference)
    decide_case(world, session_id=session_id, reference=reference, decision=decision, reason=reason, **more)
    db.session.rollback()


def test_an_exemption_opens_the_door_sends_nothing_and_ends_in_a_question(world: Any, clock: FixedClock) -> None:
    story = stories.make_identified(world)
    mine: dict[str, Any] = {"account_id": story.tenant, "registration_id": story.registration_id}
    values: dict[str, Any] = {"exemption": "near_relatives", "move_in_on": world.clock.today(),
                              "hukou_division": "341822", "idempotency_key": "exempt-0001"}  # fmt: skip
    view = declare_exempt(world, **mine, **values)
    assert declare_exempt(world, **mine, **values) == view
    assert (view.state, view.rule, view.declared_at, view.tenant_due_on) == ("not_sent", "ZJ-12", None, None)
    stories.verify_at_window(world, story.tenant)
    assert stories.key_row(story.key_id).state == "active"
    progress = get_lease(world, account_id=story.landlord, lease_id=story.lease_id).progress
    assert progress.declared and not progress.receipt
    clock.move(timedelta(days=30))
    keep_house(world, OFTEN)
    assert told(world, story.tenant, "exemption_over") == []
    clock.move(timedelta(days=1))
    keep_house(world, OFTEN)
    keep_house(world, OFTEN)
    assert len(told(world, story.tenant, "exemption_over")) == 1
    assert stories.key_row(story.key_id).state == "active" and sent() == []
    view = get_tenancy(world, **mine).registration
    assert (view.state, view.tenant_due_on) == ("draft", world.clock.today() + timedelta(days=2))
    view = declare(world, **mine, move_in_on=world.clock.today() - timedelta(days=31))
    assert (view.state, view.declared_at, view.exemption) == ("declared", world.clock.now(), None)
    assert sent() == [("UPSERT", "TENANT"), ("UPSERT", "LANDLORD")]


def test_who_is_exempt_checks_out_without_ever_declaring(world: Any) -> None:
    story = stories.make_identified(world)
    mine: dict[str, Any] = {"account_id": story.tenant, "registration_id": story.registration_id}
    declare_exempt(world, **mine, exemption="school", move_in_on=world.clock.today(), hukou_division="341822")
    stories.verify_at_window(world, story.tenant)
    end_lease(world, account_id=story.landlord, lease_id=story.lease_id, ended_on=world.clock.today())
    assert registration_of(story).residence == "living"  # asked, not put out
    assert check_out(world, **mine, moved_out_on=world.clock.today(), reason="left_county").state == "moved_out"
    assert sent() == [] and stories.key_row(story.key_id).state == "revoking"


def test_a_local_or_foreign_person_is_not_exempt_but_on_another_path(world: Any) -> None:
    story = stories.make_identified(world)
    with refused("exempt.not_needed"):
        declare_exempt(world, account_id=story.tenant, registration_id=story.registration_id, exemption="hospital",
                       move_in_on=world.clock.today(), hukou_division="330522")  # fmt: skip
    row = registration_of(story)
    assert (row.scope, row.exemption) == ("in_scope", None)
    assert db.session.scalars(select(Person.hukou_division).where(Person.hukou_division.is_not(None))).all() == []


def test_a_foreigners_key_waits_for_the_form_in_hand_and_for_nothing_else(world: Any, clock: FixedClock) -> None:
    story = make_another(world, 1, foreign=True)
    mine: dict[str, Any] = {"account_id": story.tenant, "registration_id": story.registration_id}
    assert stories.key_row(story.key_id).state == "claimed"
    for call in (lambda: mark_foreign_done(world, **mine, done_on=world.clock.today()),):
        with refused("transition") as caught:
            call()
        assert caught.value.refusal.allowed == ("hand_out",)
    with refused("not_found"):
        get_foreign_form(world, **mine)
    view = hand_out_foreign_form(world, **mine)
    assert hand_out_foreign_form(world, **mine) == view
    assert stories.key_row(story.key_id).state == "active"
    form = get_foreign_form(world, **mine)
    assert (form.form_no, form.name, form.id_number, form.nationality) == (
        view.foreign_form_no, "ALEX SAMPLE", "E00000001", "DEU",
    )  # fmt: skip
    assert form.due_at is not None and [row.id for row in list_waiting_forms(db.session(), form.due_at
                                        + timedelta(seconds=1))] == [story.registration_id]  # fmt: skip
    with refused("not_found"):
        get_foreign_form(world, account_id=story.landlord, registration_id=story.registration_id)
    assert "foreign_form" in [todo.kind for todo in landlord_home(world, account_id=story.landlord).todos]
    clock.move(timedelta(days=1))
    mark_foreign_done_by_host(world, account_id=story.landlord, lease_id=story.lease_id, done_on=world.clock.today())
    assert len(told(world, story.tenant, "foreign_done")) == 1
    assert "foreign_form" not in [todo.kind for todo in landlord_home(world, account_id=story.landlord).todos]
    assert sent() == []


def test_an_officer_of_the_area_notes_the_form_and_the_person_reads_who_did(world: Any) -> None:
    story = make_another(world, 1, foreign=True)
    hand_out_foreign_form(world, account_id=story.tenant, registration_id=story.registration_id)
    done: dict[str, Any] = {"registration_id": story.registration_id, "done_on": world.clock.today()}
    far = staff.make_session(world, "officer", area=staff.OTHER_STREET, purpose="visit")
    with refused("area.foreign"):
        mark_foreign_done_at_window(world, session_id=far, **done)
    near = staff.make_session(world, "window_clerk", purpose="visit")
    mark_foreign_done_at_window(world, session_id=near, **done)
    assert registration_of(story).foreign_done_at is not None
    assert my_access_records(world, account_id=story.tenant).items[0].action == "registration_foreign_done"
    assert len(told(world, story.tenant, "foreign_done")) == 1


def test_a_number_corrected_to_a_passport_leaves_the_registry_by_a_void_without_a_word_of_the_person(
    world: Any,
) -> None:
    story = stories.make_declared(world)
    accept_there(story)
    with transaction() as session:
        session.get_one(Person, registration_of(story).person_id).document_state = "unmatched"
    enter_identity(world, account_id=story.tenant, id_type="414", id_number="E12345678", name="ALEX SAMPLE",
                   birth_on=world.clock.today().replace(year=1990), nationality="DEU")  # fmt: skip
    row = registration_of(story)
    assert (row.scope, row.foreign_due_at is not None, sent()[-1]) == ("foreign", True, ("VOID", "TENANT"))
    assert set(built(world, story, "VOID").payload) == {"receipt_no", "void_reason"}
    for op in ("UPSERT", "AMEND", "CHECKOUT"):
        assert built(world, story, op) == NothingToSend("scope foreign")


def test_a_void_is_decided_by_a_person_told_to_the_registry_and_leaves_the_key(world: Any) -> None:
    story = stories.make_active(world)
    mine: dict[str, Any] = {"account_id": story.tenant, "registration_id": story.registration_id}
    accept_there(story)
    first = request_void(world, **mine, reason="duplicate")
    assert request_void(world, **mine, reason="duplicate") == first
    assert (first.void_asked, first.state) == (True, "registered") and first.case_reference is not None
    decide(world, "void_request", "voided", "papers_seen")
    view = get_tenancy(world, **mine).registration
    assert (view.state, view.void_reason, view.moved_out_on, view.void_asked) == ("voided", "duplicate", None, False)
    assert sent()[-1] == ("VOID", "TENANT")
    assert dict(built(world, story, "VOID").payload)["void_reason"] == "duplicate"
    assert built(world, story, "AMEND") == NothingToSend("voided")
    assert stories.key_row(story.key_id).state == "active"
    assert "已查看材料" in told(world, story.tenant, "void_decided")[0]
    assert len(told(world, story.landlord, "registration_voided")) == 1


def test_a_void_that_is_refused_changes_nothing_and_can_be_asked_again(world: Any) -> None:
    story = stories.make_active(world)
    mine: dict[str, Any] = {"account_id": story.tenant, "registration_id": story.registration_id}
    request_void(world, **mine, reason="entered_in_error")
    decide(world, "void_request", "kept", "unfounded")
    assert get_tenancy(world, **mine).registration.state == "declared"
    assert told(world, story.landlord, "registration_voided") == []
    assert request_void(world, **mine, reason="entered_in_error").void_asked


def test_a_draft_is_withdrawn_at_once_with_the_key_that_never_worked(world: Any) -> None:
    story = stories.make_identified(world)
    mine: dict[str, Any] = {"account_id": story.tenant, "registration_id": story.registration_id}
    view = withdraw_draft(world, **mine)
    assert withdraw_draft(world, **mine) == view
    assert (view.state, view.declared_at, sent()) == ("voided", None, [])
    assert stories.key_row(story.key_id).state == "revoked"
    assert db.session.get_one(Lease, story.lease_id).state == "cancelled"
    assert len(told(world, story.landlord, "tenant_withdrew")) == 1


def test_what_was_declared_is_not_withdrawn_but_voided_or_ended(world: Any) -> None:
    story = stories.make_declared(world)
    with refused("transition") as caught:
        withdraw_draft(world, account_id=story.tenant, registration_id=story.registration_id)
    assert caught.value.refusal.allowed == ("amend", "check_out", "request_void")


def test_left_said_twice_is_one_question_and_after_a_decision_a_new_one(world: Any, clock: FixedClock) -> None:
    story = stories.make_active(world)
    clock.move(timedelta(days=10))
    left: dict[str, Any] = {"account_id": story.landlord, "lease_id": story.lease_id, "ended_on": world.clock.today()}
    mine: dict[str, Any] = {"account_id": story.tenant, "registration_id": story.registration_id}
    end_lease(world, **left)
    end_lease(world, **left)
    assert len(told(world, story.tenant, "landlord_says_left")) == 1
    answer_still_here(world, **mine)
    again = end_lease(world, **{**left, "ended_on": world.clock.today() - timedelta(days=1)})
    assert (again.state, again.disputed) == ("waiting_for_tenant", True)
    assert len(told(world, story.tenant, "landlord_says_left")) == 1
    decide(world, "dispute", "still_living", "seen_on_site")
    for account in (story.landlord, story.tenant):
        assert "现场核实" in told(world, account, "dispute_decided")[0]
    assert stories.key_row(story.key_id).state == "active"
    end_lease(world, **left)
    assert len(told(world, story.tenant, "landlord_says_left")) == 2
    assert answer_still_here(world, **mine).disputed
    view = check_out(world, **mine, moved_out_on=world.clock.today(), reason="lease_end")
    assert (view.state, view.disputed) == ("moved_out", False)
    assert db.session.scalars(select(Case.state).where(Case.kind == "dispute")).all() == ["handled", "handled"]


def test_an_undeclared_exempt_or_foreign_residence_is_no_overdue_case_before_its_time(
    world: Any, clock: FixedClock
) -> None:
    story = stories.make_identified(world)
    declare_exempt(world, account_id=story.tenant, registration_id=story.registration_id, exemption="hospital",
                   move_in_on=world.clock.today(), hukou_division="341822")  # fmt: skip
    clock.move(timedelta(days=60))
    keep_house(world, OFTEN)
    assert db.session.scalars(select(Case.kind)).all() == []
    with pytest.raises(Refused):
        request_void(world, account_id=story.tenant, registration_id=story.registration_id, reason="duplicate")
