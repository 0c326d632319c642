"""What the registry has returned goes out again once its cause is mended: by staff, landlord or the operator."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select, update

from backend.db import db, transaction
from backend.domain.refusals import Refused
from backend.models.audit import AuditLeaf
from backend.models.cases import Case
from backend.models.outbox import OutboxRow
from backend.models.registrations import Registration, RegistrationChange
from backend.models.registry_returns import RegistryLeg
from backend.queries.registry_sync import list_returned
from backend.services.audit import Actor
from backend.services.case_files import look_at_case
from backend.services.case_resending import send_case_again
from backend.services.cases import claim_case
from backend.services.inbox import list_notices
from backend.services.landlord_views import LeaseView, get_lease, landlord_home
from backend.services.lease_corrections import MOST_CORRECTIONS, correct_named
from backend.services.leases import report_tenant
from backend.services.officer_sessions import begin_task
from backend.services.registrations import check_out
from backend.services.registry_upkeep import retry_all_parked
from backend.services.returned_legs import retry_all_returned, retry_returned
from backend.services.unit_board import list_todos
from tests.services import staff, stories
from tests.services.stories import Story
from tests.worker.telling import Telling

OPERATOR = Actor("operator")


def refused(code: str) -> Any:
    return pytest.raises(Refused, match=f"^{code}$")


def expire_code(telling: Telling, place: int = 0) -> Story:
    """Both legs come back: a code of ours counts as expired (2102), the operator's to mend; then it is mended."""
    story = stories.make_active(telling.world)
    telling.stage.switch_on("code_changed", place=place)
    telling.settle()
    telling.stage.registry.faults.switch_off("code_changed")
    return story


def name_wrongly(telling: Telling) -> Story:
    """The landlord's leg alone comes back: name and number do not belong together (3002), the landlord's to mend."""
    telling.stage.http.put("/_sim/people", json={"id_number": stories.TENANT_NUMBER, "name": "周来福"})
    story = stories.make_active(telling.world, tenant_name="周来富")
    telling.settle()
    return story


def registration(story: Story) -> Registration:
    db.session.rollback()
    return db.session.get_one(Registration, story.registration_id, populate_existing=True)


def states(story: Story) -> dict[str, str]:
    """What we hold as accepted, by leg."""
    db.session.rollback()
    rows = db.session.scalars(select(RegistryLeg).where(RegistryLeg.registration_id == story.registration_id))
    return {row.leg: row.state for row in rows}


def lease(telling: Telling, story: Story) -> LeaseView:
    return get_lease(telling.world, account_id=story.landlord, lease_id=story.lease_id)


def correct(telling: Telling, story: Story, name: str = "周来福") -> None:
    correct_named(telling.world, account_id=story.landlord, lease_id=story.lease_id, tenant_name=name,
                  tenant_id_type="111", tenant_id_number=stories.TENANT_NUMBER)  # fmt: skip


def cases() -> dict[str, Case]:
    db.session.rollback()
    found = db.session.scalars(select(Case).where(Case.kind == "registry_rejection"))
    return {case.evidence["leg"]: case for case in found}


def take(telling: Telling, case: Case) -> str:
    session_id = staff.make_session(telling.world, "officer")
    claim_case(telling.world, session_id=session_id, reference=case.reference)
    begin_task(telling.world, session_id=session_id, purpose="help_request", case_number=case.reference)
    return session_id


# by staff, from the case


def test_staff_send_again_from_the_case_what_came_back_for_them_to_mend(telling: Telling) -> None:
    story = expire_code(telling)
    assert states(story) == {} and set(cases()) == {"TENANT", "LANDLORD"}
    case = cases()["TENANT"]
    session_id = take(telling, case)
    assert look_at_case(telling.world, session_id=session_id, reference=case.reference).may_send_again
    send_case_again(telling.world, session_id=session_id, reference=case.reference)
    file = look_at_case(telling.world, session_id=session_id, reference=case.reference)
    assert (file.state, file.may_send_again) == ("assigned", False), "on its way; the case stays open"
    assert [step.action for step in file.steps][-1] == "send_again"
    with refused("case.nothing_to_send"):
        send_case_again(telling.world, session_id=session_id, reference=case.reference)
    telling.settle()
    stored = telling.stored(story.registration_id)
    assert stored.state == "accepted" and stored.receipt_no is not None
    assert states(story) == {"TENANT": "ACTIVE"}, "the landlord's has its own case"
    leaf = db.session.scalars(select(AuditLeaf).where(AuditLeaf.action == "registry_retry")).one()
    assert (leaf.subject_id, leaf.object_id) == (registration(story).person_id, case.reference)
    change = db.session.scalars(select(RegistrationChange).where(RegistrationChange.action == "sent_again")).one()
    assert (change.source, change.reason) == ("officer", "tenant")


def test_the_landlords_leg_is_sent_again_from_its_own_case(telling: Telling) -> None:
    story = expire_code(telling)
    case = cases()["LANDLORD"]
    send_case_again(telling.world, session_id=take(telling, case), reference=case.reference)
    telling.settle()
    assert states(story) == {"LANDLORD": "ACTIVE"}
    assert telling.stored(story.registration_id).state == "rejected", "the tenant's still waits"


def test_only_whoever_has_taken_the_case_sends_it_again(telling: Telling) -> None:
    expire_code(telling)
    case = cases()["TENANT"]
    session_id = staff.make_session(telling.world, "officer", purpose="help_request", case_number=case.reference)
    with refused("case.not_taken"):
        send_case_again(telling.world, session_id=session_id, reference=case.reference)
    claim_case(telling.world, session_id=session_id, reference=case.reference)
    other = staff.make_session(telling.world, "window_clerk", purpose="help_request", case_number=case.reference)
    with refused("case.taken"):
        send_case_again(telling.world, session_id=other, reference=case.reference)
    assert not look_at_case(telling.world, session_id=other, reference=case.reference).may_send_again


def test_another_kind_of_case_has_nothing_to_send(telling: Telling) -> None:
    story = expire_code(telling)
    with transaction() as session:
        session.execute(update(Case).where(Case.registration_id == story.registration_id).values(kind="void_request"))
    case = db.session.scalars(select(Case).order_by(Case.id).limit(1)).one()
    with refused("case.nothing_to_send"):
        send_case_again(telling.world, session_id=take(telling, case), reference=case.reference)


def test_what_was_set_aside_is_taken_up_from_its_case(telling: Telling) -> None:
    story = stories.make_active(telling.world, report_now=False)
    telling.stage.switch_on("bad_receipt")
    telling.settle()
    telling.stage.registry.faults.switch_off("bad_receipt")
    case = cases()["TENANT"]
    session_id = take(telling, case)
    assert look_at_case(telling.world, session_id=session_id, reference=case.reference).may_send_again
    send_case_again(telling.world, session_id=session_id, reference=case.reference)
    telling.settle()
    assert telling.stored(story.registration_id).state == "accepted"


def test_an_end_that_came_back_is_told_again_as_an_end(telling: Telling) -> None:
    story = stories.make_active(telling.world)
    telling.settle()
    with transaction() as session:  # a reason the registry does not know
        session.get_one(Registration, story.registration_id).receipt_no = "R-330522003-20261123-999999-9"
    leave(telling, story)
    telling.settle()
    assert telling.stored(story.registration_id).state == "rejected"
    with transaction() as session:
        session.get_one(Registration, story.registration_id).receipt_no = telling.receipt(story.registration_id).number
    case = cases()["TENANT"]
    send_case_again(telling.world, session_id=take(telling, case), reference=case.reference)
    telling.settle()
    assert set(states(story).values()) == {"MOVED_OUT"}


def test_a_stay_that_came_back_and_has_ended_is_told_and_then_its_end(telling: Telling) -> None:
    story = expire_code(telling)
    leave(telling, story)
    telling.settle()
    case = cases()["TENANT"]
    send_case_again(telling.world, session_id=take(telling, case), reference=case.reference)
    telling.settle()
    assert states(story)["TENANT"] == "MOVED_OUT"
    accepted = [attempt.op for attempt in telling.attempts(story.registration_id) if attempt.outcome == "accepted"]
    assert accepted == ["UPSERT", "CHECKOUT"]


def leave(telling: Telling, story: Story) -> None:
    check_out(telling.world, account_id=story.tenant, registration_id=story.registration_id,
              moved_out_on=telling.clock.today(), reason="left_county")  # fmt: skip


# by the operator


def test_the_operator_sees_what_came_back_and_sends_again_what_is_theirs(telling: Telling) -> None:
    story = expire_code(telling)
    returned = list_returned()
    assert [(row.leg, row.owner, row.codes) for row in returned] == [
        ("TENANT", "OPERATOR", ("2102",)), ("LANDLORD", "OPERATOR", ("2102",)),
    ]  # fmt: skip
    assert retry_all_parked(telling.world, actor=OPERATOR) == 0
    assert retry_all_returned(telling.world, actor=OPERATOR) == 2
    assert list_returned() == () and retry_all_returned(telling.world, actor=OPERATOR) == 0
    telling.settle()
    assert states(story) == {"TENANT": "ACTIVE", "LANDLORD": "ACTIVE"}
    rows = db.session.scalars(select(OutboxRow).where(OutboxRow.destination == "registry")).all()
    versions = [(row.payload["leg"], row.payload["version"]) for row in rows]
    assert len(versions) == len(set(versions)), "each put has a version of its own"


def test_one_row_is_sent_again_by_its_number(telling: Telling) -> None:
    story = expire_code(telling)
    row = list_returned()[1]
    assert retry_returned(telling.world, outbox_id=row.outbox_id, actor=OPERATOR)
    assert not retry_returned(telling.world, outbox_id=row.outbox_id, actor=OPERATOR)
    assert not retry_returned(telling.world, outbox_id=999_999, actor=OPERATOR)
    telling.settle()
    assert states(story) == {"LANDLORD": "ACTIVE"}


def test_what_is_for_the_landlord_to_mend_is_not_sent_again_with_all(telling: Telling) -> None:
    name_wrongly(telling)
    assert [row.owner for row in list_returned()] == ["LANDLORD"]
    assert retry_all_returned(telling.world, actor=OPERATOR) == 0
    assert len(list_returned()) == 1


# by the landlord


def test_a_landlord_sees_that_the_report_came_back_and_what_to_do(telling: Telling) -> None:
    story = name_wrongly(telling)
    found = lease(telling, story)
    (why,) = found.returned
    assert (why.code, why.field) == ("3002", "name") and "更正租客信息" in why.todo_zh
    assert found.landlord_leg == "reported" and found.can_correct
    assert "周来" not in repr(found.returned), "neither the landlord's words nor the tenant's"
    home = landlord_home(telling.world, account_id=story.landlord)
    board = list_todos(telling.world, account_id=story.landlord)
    for todos in (home.todos, board):
        assert [(todo.lease_id, todo.rule) for todo in todos if todo.kind == "report_returned"] == [
            (story.lease_id, "ZJ-9-1")
        ]


def test_a_landlord_writes_the_tenant_anew_and_the_report_goes_out_again(telling: Telling) -> None:
    story = name_wrongly(telling)
    correct(telling, story)
    assert lease(telling, story).returned == () and not lease(telling, story).can_correct
    telling.settle()
    assert states(story) == {"TENANT": "ACTIVE", "LANDLORD": "ACTIVE"}
    assert telling.stored(story.registration_id).errors == []
    assert "lease_named_corrected" in [n.kind for n in list_notices(telling.world, account_id=story.tenant)]
    with refused("lease.reported"):
        correct(telling, story, "周来贵")


def test_a_wrong_name_again_comes_back_again_and_nobody_finds_one_by_trying(telling: Telling) -> None:
    story = name_wrongly(telling)
    for name in ("周来贵", "周来宝", "周来喜")[:MOST_CORRECTIONS]:
        correct(telling, story, name)
        telling.settle()
        assert len(lease(telling, story).returned) == 1
    with refused("lease.corrected_often"):
        correct(telling, story)


def test_what_came_back_for_staff_to_mend_does_not_open_the_tenants_name(telling: Telling) -> None:
    story = expire_code(telling)
    found = lease(telling, story)
    assert found.returned == () and not found.can_correct
    with refused("lease.reported"):
        correct(telling, story, "周来贵")


def test_reporting_again_sends_what_came_back_and_nothing_else(telling: Telling) -> None:
    story = name_wrongly(telling)
    telling.stage.http.put("/_sim/people", json={"id_number": stories.TENANT_NUMBER, "name": "周来富"})  # it was right
    for _ in range(2):  # the second finds it on its way
        report_tenant(telling.world, account_id=story.landlord, lease_id=story.lease_id)
    assert [row.payload["leg"] for row in telling.open_rows()] == ["LANDLORD"]
    telling.settle()
    assert states(story) == {"TENANT": "ACTIVE", "LANDLORD": "ACTIVE"}
    before = len(telling.attempts(story.registration_id))
    report_tenant(telling.world, account_id=story.landlord, lease_id=story.lease_id)
    telling.settle()
    assert len(telling.attempts(story.registration_id)) == before


def test_a_unit_the_landlord_has_had_registered_lets_both_legs_go_out_again(telling: Telling) -> None:
    telling.stage.switch_on("unknown_units", units="U-TEST0101")
    story = stories.make_active(telling.world)
    telling.settle()
    assert [why.code for why in lease(telling, story).returned] == ["4001"]
    assert not lease(telling, story).can_correct, "it is not about the name"
    telling.stage.registry.faults.switch_off("unknown_units")
    report_tenant(telling.world, account_id=story.landlord, lease_id=story.lease_id)
    telling.settle()
    assert states(story) == {"TENANT": "ACTIVE", "LANDLORD": "ACTIVE"}
