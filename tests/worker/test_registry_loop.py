"""Telling the registry, against the real one: one record, one receipt, whatever happens on the way."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from backend.db import db, transaction
from backend.domain.ids import new_id
from backend.models.audit import AuditLeaf
from backend.models.cases import Case
from backend.models.data_keys import DataKey
from backend.models.dwellings import Dwelling
from backend.models.outbox import OutboxRow
from backend.models.registrations import Registration, RegistrationChange
from backend.queries.registry_sync import find_course, get_sync_health
from backend.queries.unit_facts import short_address
from backend.registry.tables import legs
from backend.services import outbox
from backend.services.audit import Actor
from backend.services.inbox import list_notices
from backend.services.registrations import check_out, declare
from backend.services.registry_upkeep import retry_all_parked, retry_parked
from backend.services.renumbering import tell_renumbered
from backend.services.tenancies import my_tenancies
from backend.worker.registry_loop import check_contact, process_once
from tests.services import stories
from tests.worker.backlogs import make_backlog
from tests.worker.telling import Telling


def test_a_declaration_becomes_a_stored_receipt(telling: Telling) -> None:
    story = stories.make_declared(telling.world)
    assert telling.stored(story.registration_id).state == "unsent"
    telling.passes()
    stored = telling.stored(story.registration_id)
    assert stored.state == "accepted" and stored.landlord_receipt_no is not None
    receipt = telling.receipt(story.registration_id)
    assert (receipt.number, receipt.record_id) == (stored.receipt_no, story.registration_id)
    assert receipt.declared_at == db.session.get_one(Registration, story.registration_id).declared_at
    assert "registration_accepted" in [n.kind for n in list_notices(telling.world, account_id=story.tenant)]
    assert {leg for _, leg, _, _ in telling.held_versions()} == {"TENANT", "LANDLORD"}


def test_received_is_not_accepted(telling: Telling) -> None:
    story = stories.make_declared(telling.world, report_now=False)
    telling.once(judged=False)
    stored = telling.stored(story.registration_id)
    assert (stored.state, stored.receipt_no) == ("sent", None)
    telling.stage.judge()
    telling.move(seconds=2)
    telling.once()
    assert telling.stored(story.registration_id).state == "accepted"
    assert telling.client.calls.count("submit") == 1


def test_the_person_can_see_that_the_registry_was_told_before_anything_leaves(telling: Telling) -> None:
    story = stories.make_declared(telling.world, report_now=False)
    telling.die("submit")
    leaf = db.session.scalars(select(AuditLeaf).where(AuditLeaf.action == "registry_sent")).one()
    registration = db.session.get_one(Registration, story.registration_id)
    assert (leaf.subject_id, leaf.purpose) == (registration.person_id, "residence_registration")
    assert "id_number" in leaf.fields and "phone" not in leaf.fields


@pytest.mark.parametrize(
    ("call", "after"),
    [("submit", False), ("submit", True), ("batch_status", False), ("batch_status", True)],
    ids=["before sending", "sent, answer unread", "before asking", "answer read, nothing stored"],
)
def test_a_killed_worker_leaves_one_record_and_the_same_receipt(telling: Telling, call: str, after: bool) -> None:
    story = stories.make_declared(telling.world, report_now=False)
    telling.die(call, after=after)
    telling.stage.judge()
    held = telling.held_versions()
    assert telling.stored(story.registration_id).receipt_no is None
    assert telling.once() == 0  # the row is still leased to the dead worker
    telling.move(seconds=31)
    telling.passes()
    assert telling.stored(story.registration_id).state == "accepted"
    assert len(telling.held_versions()) == 1
    if held:
        assert telling.receipt(story.registration_id).number == held[0][3]


def test_after_a_kill_the_same_content_goes_out_under_the_same_key(telling: Telling) -> None:
    stories.make_declared(telling.world, report_now=False)
    telling.die("submit", after=True)
    telling.move(seconds=31)
    telling.passes()
    assert len(telling.client.keys) == 2
    assert len(set(telling.client.keys)) == 1


def test_in_other_company_a_record_that_is_held_already_is_recognised(telling: Telling) -> None:
    story = stories.make_declared(telling.world)
    telling.die("submit", after=True)  # the tenant's leg alone is at the registry
    telling.stage.judge()
    (held,) = telling.held_versions()
    _give_landlords_row_to_another_registration(telling)  # it joins the batch, whose content and key then differ
    telling.move(seconds=31)
    telling.passes()
    assert telling.client.calls.count("find_record") == 1
    assert telling.receipt(story.registration_id).number == held[3]
    assert [version for version in telling.held_versions() if version[0] == story.registration_id] == [held]


def test_a_lost_answer_ends_with_one_record(telling: Telling) -> None:
    story = stories.make_declared(telling.world, report_now=False)
    telling.stage.switch_on("lost_answer", times=1)
    telling.once()
    assert telling.stored(story.registration_id).state == "unsent"
    telling.settle()
    assert telling.stored(story.registration_id).state == "accepted"
    assert len(telling.held_versions()) == 1
    assert [attempt.outcome for attempt in telling.attempts(story.registration_id)] == ["failed", "accepted"]


@pytest.mark.parametrize(
    ("fault", "params"),
    [
        ("http_502", {"times": 3}),
        ("busy", {"times": 2}),
        ("maintenance", {"times": 2}),
        ("timeout", {"times": 1}),
        ("reordered", {}),
        ("duplicated", {}),
        ("unknown_state", {"times": 1}),
        ("slow", {"seconds": 90}),
        ("clock", {"seconds": -7200}),
    ],
)
def test_whatever_the_registry_does_the_end_is_one_record_with_its_receipt(
    telling: Telling, fault: str, params: dict[str, Any]
) -> None:
    story = stories.make_declared(telling.world)
    telling.stage.switch_on(fault, **params)
    telling.settle()
    stored = telling.stored(story.registration_id)
    assert stored.state == "accepted" and stored.landlord_receipt_no
    assert telling.receipt(story.registration_id).record_id == story.registration_id
    assert len(telling.held_versions()) == 2


def test_an_unknown_word_is_not_taken_for_acceptance(telling: Telling) -> None:
    story = stories.make_declared(telling.world, report_now=False)
    telling.stage.switch_on("unknown_state", times=1)
    telling.once()
    assert telling.stored(story.registration_id).state == "sent"
    (attempt,) = telling.attempts(story.registration_id)
    assert (attempt.outcome, attempt.reason) == ("alarm", "unknown_state")
    assert get_sync_health(telling.clock.now()).alarms_today == 1


def test_a_receipt_that_does_not_verify_is_never_stored_and_ends_with_a_person(telling: Telling) -> None:
    story = stories.make_declared(telling.world, report_now=False)
    telling.stage.switch_on("bad_receipt")
    telling.settle()
    stored = telling.stored(story.registration_id)
    assert (stored.state, stored.receipt_no) == ("sent", None)
    assert {attempt.outcome for attempt in telling.attempts(story.registration_id)} == {"alarm"}
    (parked,) = get_sync_health(telling.clock.now()).parked
    assert (parked.registration_id, parked.owner) == (story.registration_id, "OPERATOR")
    case = db.session.scalars(select(Case).where(Case.kind == "registry_rejection")).one()
    assert case.registration_id == story.registration_id
    telling.stage.registry.faults.switch_off()
    assert retry_all_parked(telling.world, actor=Actor("operator")) == 1
    telling.settle()
    assert telling.stored(story.registration_id).state == "accepted"
    assert telling.receipt(story.registration_id).number == telling.stored(story.registration_id).receipt_no
    assert len(telling.held_versions()) == 1, "the registry signed what it held anew, and filed nothing twice"


def test_a_judgement_for_now_is_asked_again_as_a_new_request(telling: Telling) -> None:
    story = stories.make_declared(telling.world)
    _give_landlords_row_to_another_registration(telling)
    telling.stage.switch_on("partial")
    telling.once()
    assert telling.stored(story.registration_id).state == "accepted"
    telling.stage.registry.faults.switch_off()
    telling.settle()
    records = [record for record, _, _, _ in telling.held_versions()]
    assert len(records) == 3 and len(set(records)) == 2, "each once, and the end of the one that has moved out"
    assert len(set(telling.client.keys)) == len(telling.client.keys)


def test_a_rejection_goes_to_its_owner_with_the_field(telling: Telling) -> None:
    story = stories.make_identified(telling.world, report_now=False)
    telling.stage.http.put("/_sim/people", json={"id_number": stories.TENANT_NUMBER, "name": "另有其人"})
    _declare(telling, story)
    telling.settle()
    stored = telling.stored(story.registration_id)
    assert stored.state == "rejected"
    (error,) = stored.errors
    assert (error["code"], error["pointer"], error["owner"]) == ("3002", "/payload/name", "TENANT")
    (notice,) = [n for n in list_notices(telling.world, account_id=story.tenant) if n.kind == "registration_rejected"]
    assert notice.params["pointer"] == "/payload/name" and "姓名" in notice.text_zh
    case = db.session.scalars(select(Case).where(Case.kind == "registry_rejection")).one()
    assert case.evidence["codes"] == ["3002"]  # an identity doubt always reaches a person as well


def test_a_landlords_mistake_does_not_touch_the_tenants_registration(telling: Telling) -> None:
    telling.stage.http.put("/_sim/people", json={"id_number": stories.TENANT_NUMBER, "name": "周来福"})
    story = stories.make_declared(telling.world, tenant_name="周来富")
    telling.settle()
    stored = telling.stored(story.registration_id)
    assert stored.state == "accepted" and stored.landlord_receipt_no is None
    assert [(error["code"], error["leg"]) for error in stored.errors] == [("3002", "LANDLORD")]
    (notice,) = [n for n in list_notices(telling.world, account_id=story.landlord) if n.kind == "report_returned"]
    assert notice.params["lease_id"] == story.lease_id and "更正租客信息" in notice.text_zh
    assert "registration_rejected" not in [n.kind for n in list_notices(telling.world, account_id=story.tenant)]


def test_moving_out_is_told_with_the_receipt_and_confirmed(telling: Telling) -> None:
    story = stories.make_active(telling.world)
    telling.passes()
    _check_out(telling, story)
    telling.passes()
    stored = telling.stored(story.registration_id)
    assert stored.state == "accepted" and stored.checkout_receipt_no is not None
    held = telling.stage.client.find_record(story.registration_id)
    assert held is not None and held.state == "MOVED_OUT"
    assert "check_out_confirmed" in [n.kind for n in list_notices(telling.world, account_id=story.tenant)]


def test_order_of_one_record_is_kept_even_when_everything_waits(telling: Telling) -> None:
    telling.stage.switch_on("http_502")
    story = stories.make_active(telling.world)
    telling.passes()
    _check_out(telling, story)
    telling.move(minutes=30)
    telling.passes()
    assert telling.held_versions() == []
    telling.stage.registry.faults.switch_off()
    telling.settle()
    ops = [attempt.op for attempt in telling.attempts(story.registration_id) if attempt.outcome == "accepted"]
    assert ops == ["UPSERT", "UPSERT", "CHECKOUT"]


def test_the_end_of_what_the_registry_never_accepted_is_not_told(telling: Telling) -> None:
    story = stories.make_identified(telling.world, report_now=False)
    telling.stage.http.put("/_sim/people", json={"id_number": stories.TENANT_NUMBER, "name": "另有其人"})
    _declare(telling, story)
    telling.settle()
    _check_out(telling, story)
    telling.settle()
    assert telling.held_versions() == []
    assert [attempt.op for attempt in telling.attempts(story.registration_id)] == ["UPSERT"]


def test_what_is_out_of_scope_never_leaves(telling: Telling) -> None:
    story = stories.make_declared(telling.world, hukou="330522")
    assert telling.passes() == 0
    assert telling.client.calls == []
    assert telling.attempts(story.registration_id) == []


def test_ten_days_of_outage_change_nothing_that_counts(telling: Telling) -> None:
    story = stories.make_declared(telling.world)
    declared_at = db.session.get_one(Registration, story.registration_id).declared_at
    permit = _permit_from(telling, story)
    telling.stage.switch_on("http_502")
    for _ in range(80):
        telling.passes()
        telling.move(hours=3)
    assert not get_sync_health(telling.clock.now()).is_well
    telling.stage.registry.faults.switch_off()
    check_contact(telling.world)  # being reached again makes everything due at once
    telling.passes()
    assert telling.stored(story.registration_id).state == "accepted"
    receipt = telling.receipt(story.registration_id)
    assert receipt.declared_at == declared_at
    assert permit is not None and _permit_from(telling, story) == permit
    assert db.session.get_one(Registration, story.registration_id).declared_at == declared_at
    assert receipt.accepted_at - receipt.declared_at >= timedelta(days=10)
    assert get_sync_health(telling.clock.now()).is_well


def test_a_registry_that_takes_days_is_asked_and_never_sent_the_same_again(telling: Telling) -> None:
    story = stories.make_declared(telling.world, report_now=False)
    telling.stage.switch_on("slow", seconds=2 * 24 * 3600)
    for _ in range(50):
        telling.passes()
        telling.move(hours=1)
    telling.settle()
    assert telling.stored(story.registration_id).state == "accepted"
    assert telling.client.calls.count("submit") == 1
    assert len(telling.attempts(story.registration_id)) == 1


def test_two_workers_do_not_take_the_same_row(telling: Telling) -> None:
    stories.make_declared(telling.world, report_now=False)
    handled = []

    def second_worker(name: str) -> None:
        if name == "submit":
            handled.append(process_once(telling.world, sleep=lambda _: None))

    telling.client.before = second_worker
    telling.once()
    assert handled == [0]
    assert len(telling.held_versions()) == 1


def test_a_worker_thought_dead_cannot_settle_what_another_has_taken(telling: Telling) -> None:
    story = stories.make_declared(telling.world, report_now=False)

    def stall(name: str) -> None:
        if name == "submit":
            telling.client.before = lambda _: None
            telling.move(seconds=31)  # the lease runs out while this worker hangs
            telling.passes()

    telling.client.before = stall
    telling.once()
    assert len(telling.held_versions()) == 1
    assert [a.outcome for a in telling.attempts(story.registration_id)].count("accepted") == 1
    changes = db.session.scalars(select(RegistrationChange).where(RegistrationChange.action == "registry_accepted"))
    assert len(changes.all()) == 1
    assert telling.stored(story.registration_id).state == "accepted"


def test_a_parked_version_taken_up_after_a_later_one_leaves_the_later_accepted(telling: Telling) -> None:
    (record,) = make_backlog(telling.world, 1)
    with transaction() as session:
        session.execute(update(OutboxRow).values(parked_at=telling.clock.now(), last_error="OPERATOR: receipt"))
        session.get_one(Registration, record).version = 3
        outbox.put(telling.world, session, "registry", record, "AMEND", {"leg": "TENANT", "version": 3})
    telling.passes()
    receipt_no = telling.stored(record).receipt_no
    assert retry_all_parked(telling.world, actor=Actor("operator")) == 1
    telling.passes()
    assert [attempt.outcome for attempt in telling.attempts(record)] == ["accepted", "superseded"]
    assert (telling.stored(record).state, telling.stored(record).receipt_no) == ("accepted", receipt_no)


def test_a_row_nobody_can_read_is_parked_and_holds_up_no_one(telling: Telling) -> None:
    story = stories.make_declared(telling.world, report_now=False)
    with transaction() as session:
        registration = session.get_one(Registration, story.registration_id)
        session.delete(session.get_one(DataKey, registration.person_id))
    telling.once()
    (parked,) = get_sync_health(telling.clock.now()).parked
    assert (parked.owner, parked.error) == ("OPERATOR", "KeyRingError")


def test_an_operator_takes_a_parked_row_up_again(telling: Telling) -> None:
    story = stories.make_declared(telling.world, report_now=False)
    with transaction() as session:
        session.execute(update(OutboxRow).values(parked_at=telling.clock.now(), last_error="OPERATOR: x"))
    assert telling.passes() == 0
    (parked,) = get_sync_health(telling.clock.now()).parked
    assert retry_parked(telling.world, outbox_id=parked.outbox_id, actor=Actor("operator"))
    assert not retry_parked(telling.world, outbox_id=parked.outbox_id, actor=Actor("operator"))
    telling.passes()
    assert telling.stored(story.registration_id).state == "accepted"


def test_a_signature_the_registry_does_not_know_parks_nothing_and_shows(telling: Telling) -> None:
    story = stories.make_declared(telling.world, report_now=False)
    known = telling.stage.signer.jwk()
    telling.stage.trust()
    for _ in range(12):
        telling.passes()
        telling.move(hours=2)
    health = get_sync_health(telling.clock.now())
    assert (health.parked, health.failure, health.backlog) == ((), "refused 1001", 1)
    telling.stage.trust(known)
    telling.settle()
    assert telling.stored(story.registration_id).state == "accepted"


def test_the_course_of_a_registration_is_the_proof_of_diligence(telling: Telling) -> None:
    story = stories.make_declared(telling.world, report_now=False)
    telling.stage.switch_on("http_502", times=1)
    telling.settle()
    course = find_course(story.registration_id)
    assert course is not None and course.registry_state == "accepted"
    assert [(attempt.outcome, attempt.reason) for attempt in course.attempts] == [
        ("failed", "http_502"),
        ("accepted", None),
    ]
    assert course.attempts[-1].receipt_no == course.receipt_no


def _give_landlords_row_to_another_registration(telling: Telling) -> None:
    """Make the second waiting row one of another registration, so that both travel in one batch."""
    first = db.session.scalars(select(Registration)).one()
    with transaction() as session:
        session.add(
            Registration(
                id=(other := new_id()),
                unit_id=first.unit_id,
                person_id=first.person_id,
                move_in_on=first.move_in_on,
                tenant_leg="declared",
                declared_at=first.declared_at,
                declared_by="self",
                residence="moved_out",  # one person lives in a unit once; a void is not sent any more
                moved_out_on=first.move_in_on,
                created_at=telling.clock.now(),
                updated_at=telling.clock.now(),
            )
        )
        session.flush()
        (row,) = [row for row in telling.open_rows(session) if row.payload["leg"] == "LANDLORD"]
        row.aggregate_id, row.payload = other, {"leg": "TENANT", "version": 1}


def _permit_from(telling: Telling, story: stories.Story) -> date | None:
    """From when the tenant may ask for the residence permit, as the tenant is told."""
    (mine,) = my_tenancies(telling.world, account_id=story.tenant)
    return mine.registration.permit_from


def _declare(telling: Telling, story: stories.Story) -> None:
    declare(
        telling.world,
        account_id=story.tenant,
        registration_id=story.registration_id,
        move_in_on=telling.clock.today(),
        hukou_division="341822",
    )


def _check_out(telling: Telling, story: stories.Story) -> None:
    check_out(
        telling.world,
        account_id=story.tenant,
        registration_id=story.registration_id,
        moved_out_on=telling.clock.today(),
        reason="lease_end",
    )


def test_a_renumbered_home_is_told_to_the_registry_and_to_whoever_lives_there(telling: Telling) -> None:
    story = stories.make_declared(telling.world)
    telling.passes()
    before = telling.receipt(story.registration_id)
    with transaction() as session:
        home = session.get_one(Dwelling, story.dwelling_id, with_for_update=True)
        home.former_address, home.road, home.door_no = short_address(home), "新陈塘路", "18号"
        session.flush()
        tell_renumbered(telling.world, session, home, Actor("operator"), source="import")
    assert telling.stored(story.registration_id).state == "unsent"
    telling.passes()
    stored, receipt = telling.stored(story.registration_id), telling.receipt(story.registration_id)
    assert stored.state == "accepted" and receipt.number != before.number
    assert receipt.declared_at == before.declared_at
    with telling.stage.registry.database.reading() as connection:
        held = connection.execute(select(legs.c.leg, legs.c.op, legs.c.payload)).all()
    amended = {row.leg: row.payload["address"] for row in held if row.op == "AMEND"}
    assert set(amended) == {"TENANT", "LANDLORD"}
    assert all("新陈塘路18号101室" in address for address in amended.values())
    (told,) = [n for n in list_notices(telling.world, account_id=story.tenant) if n.kind == "home_renumbered"]
    assert "陈塘路1号" in told.text_zh and "新陈塘路18号101室" in told.text_zh
