"""An occupant's key in an officer's hands: codes printed for its owner alone, an end on a court's order alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select, text

from backend.db import db
from backend.domain.refusals import Refused
from backend.gateways.world import World
from backend.models.audit import AuditLeaf
from backend.models.base import Base
from backend.models.registrations import Registration
from backend.services.access_records import my_access_records
from backend.services.inbox import list_notices
from backend.services.key_codes import fetch_codes
from backend.services.keys import fetch_credential, suspend_key
from backend.services.officer_keys import OrderEntered, PrintedCodes, print_codes, revoke_on_order
from backend.services.officer_sessions import end_task, step_up
from backend.services.registrations import check_out
from backend.services.visitor_keys import issue_visitor_key
from tests.services import staff, stories
from tests.services.stories import VISITOR_PHONE, Story

pytestmark = pytest.mark.usefixtures("core")

TASK, ORDER = "A330522-77", "（2026）浙0522执123号"


@pytest.fixture
def story(world: World) -> Story:
    story = stories.make_active(world)
    stories.give_keypad(story.identity.lock_id)
    return story


def clerk(world: World, purpose: str | None = "help_request", area: str = staff.STREET, again: bool = True) -> str:
    """A window clerk's session, the password given again."""
    session_id = staff.make_session(world, "window_clerk", area, purpose)
    if again:
        step_up(world, session_id=session_id, password=staff.PASSWORD)
    return session_id


def officer(world: World, purpose: str | None = "case", area: str = staff.STREET, again: bool = True) -> str:
    """An officer's session on a numbered case, the password given again."""
    session_id = staff.make_session(world, "officer", area, purpose, TASK if purpose == "case" else None)
    if again:
        step_up(world, session_id=session_id, password=staff.PASSWORD)
    return session_id


def printed(world: World, session_id: str, story: Story) -> PrintedCodes:
    return print_codes(world, session_id=session_id, registration_id=story.registration_id)


def ordered(world: World, session_id: str, story: Story, case: str | None = ORDER) -> OrderEntered:
    return revoke_on_order(world, session_id=session_id, registration_id=story.registration_id, case=case)


def refused(code: str) -> Any:
    return pytest.raises(Refused, match=rf"^{code}")


def leaves(action: str) -> list[AuditLeaf]:
    db.session.rollback()
    return list(db.session.scalars(select(AuditLeaf).where(AuditLeaf.action == action).order_by(AuditLeaf.id)))


def told(world: World, account_id: str, kind: str) -> list[Any]:
    return [notice for notice in list_notices(world, account_id=account_id) if notice.kind == kind]


def test_staff_print_codes_for_a_stated_purpose_under_a_leaf(world: World, story: Story) -> None:
    session_id = clerk(world, purpose=None)
    with refused("purpose.missing"):
        printed(world, session_id, story)
    with refused("unauthenticated"):
        printed(world, story.landlord, story)
    assert leaves("codes_printed") == []
    stated = officer(world, "help_request")
    sheet = printed(world, stated, story)
    assert sheet.codes == fetch_codes(world, account_id=story.tenant, key_id=story.key_id)
    assert sheet.codes.once == (), "a one-time code is for the holder's own phone"
    [leaf] = leaves("codes_printed")
    assert (leaf.purpose, leaf.role, leaf.object_id) == ("help_request", "officer", story.key_id)
    assert leaf.subject_id == stories.key_row(story.key_id).holder_id, "the resident sees that it was done"


def test_the_person_reads_that_codes_were_printed_and_is_told(world: World, story: Story) -> None:
    session_id = clerk(world)
    printed(world, session_id, story)
    record = my_access_records(world, account_id=story.tenant).items[0]
    assert (record.action, record.purpose, record.role) == ("codes_printed", "help_request", "window_clerk")
    [notice] = told(world, story.tenant, "codes_printed")
    assert "太湖派出所" in notice.text_zh and "陈塘路1号" in notice.text_zh and "太湖派出所" in notice.text_en
    printed(world, session_id, story)
    assert len(leaves("codes_printed")) == 2


def test_printed_codes_are_stored_nowhere(world: World, story: Story) -> None:
    sheet = printed(world, clerk(world), story)
    db.session.rollback()
    whole = "".join(repr(db.session.execute(text(f"SELECT * FROM {name}")).all()) for name in Base.metadata.tables)
    assert len(sheet.codes.days) == 37 and not [each for each in sheet.codes.days if each.code in whole]


@pytest.mark.parametrize("purpose", ["address_check", "visit", "review", "case"])
def test_codes_are_printed_for_a_request_for_help_and_for_no_other_purpose(
    world: World, story: Story, purpose: str
) -> None:
    with refused("purpose.unfit") as caught:
        printed(world, officer(world, purpose), story)
    assert caught.value.refusal.allowed == ("help_request",)
    assert [leaf.decision for leaf in leaves("refused")] == ["purpose.unfit"]


def test_codes_need_the_password_again_and_the_own_area(world: World, story: Story) -> None:
    with refused("step_up"):
        printed(world, clerk(world, again=False), story)
    with refused("area.foreign"):
        printed(world, clerk(world, area=staff.OTHER_STREET), story)
    assert [leaf.decision for leaf in leaves("refused")] == ["area.foreign"]
    assert leaves("codes_printed") == [] and told(world, story.tenant, "codes_printed") == []


def test_printing_counts_towards_the_days_cap(world: World, story: Story) -> None:
    tight = replace(world, house=replace(world.house, person_reads_per_day=0, person_reads_by_role={}))
    with refused("reads.cap"):
        printed(tight, clerk(world), story)
    assert [leaf.decision for leaf in leaves("refused")] == ["reads.cap"]


def test_without_a_keypad_or_a_working_key_the_refusal_says_which(world: World, story: Story) -> None:
    session_id = clerk(world)
    stories.take_keypad(story.identity.lock_id)
    with refused("lock.no_keypad"):
        printed(world, session_id, story)
    suspend_key(world, account_id=story.tenant, key_id=story.key_id)
    with refused("key.not_active"):
        printed(world, session_id, story)
    check_out(world, account_id=story.tenant, registration_id=story.registration_id,
              moved_out_on=world.clock.today(), reason="left_county")  # fmt: skip
    with refused("key.none"):
        printed(world, session_id, story)
    assert leaves("codes_printed") == []


def test_of_whom_the_unit_page_names_nobody_no_codes_are_printed(world: World) -> None:
    local = stories.make_declared(world, hukou="330522")
    stories.give_keypad(local.identity.lock_id)
    stories.verify_at_window(world, local.tenant)
    assert stories.key_row(local.key_id).state == "active"
    with refused("not_found"):
        printed(world, clerk(world), local)


def test_a_courts_order_ends_an_occupants_key_and_both_sides_read_ground_and_number(world: World, story: Story) -> None:
    assert ordered(world, officer(world), story).case == ORDER
    key = stories.key_row(story.key_id)
    assert (key.state, key.revoke_ground) == ("revoking", "court_order")
    with refused("key.not_active"):
        fetch_credential(world, account_id=story.tenant, key_id=story.key_id)
    for account in (story.tenant, story.landlord):
        [notice] = told(world, account, "key_ended_by_order")
        assert ORDER in notice.text_zh and "法院裁定" in notice.text_zh
        assert ORDER in notice.text_en and "court's order" in notice.text_en
    record = my_access_records(world, account_id=story.tenant).items[0]
    assert (record.action, record.case_ref, record.decision) == ("key_revoke", ORDER, "court_order")


def test_an_order_leaves_registration_and_lease_as_they_were(world: World, story: Story) -> None:
    before = db.session.get_one(Registration, story.registration_id)
    kept = (before.residence, before.version, before.registry_state, before.disputed)
    ordered(world, officer(world), story)
    db.session.rollback()
    after = db.session.get_one(Registration, story.registration_id)
    assert (after.residence, after.version, after.registry_state, after.disputed) == kept
    assert after.residence == "living"


def test_an_order_ends_the_one_key_and_no_co_tenants(world: World, story: Story) -> None:
    other = stories.make_occupant(world, story, joint_with=story.lease_id)
    ordered(world, officer(world), story)
    assert stories.key_row(other.key_id).state == "active"
    assert fetch_credential(world, account_id=other.account, key_id=other.key_id).doors
    assert told(world, other.account, "key_ended_by_order") == []


def test_with_the_key_go_the_visitors_its_holder_let_in(world: World, story: Story) -> None:
    visit = issue_visitor_key(world, account_id=story.tenant, unit_id=story.unit_id, purpose="care",
                              phone=VISITOR_PHONE, ends_on=world.clock.today(), uses=5)  # fmt: skip
    ordered(world, officer(world), story)
    assert stories.key_row(visit.key.id).state == "revoked"


@pytest.mark.parametrize(("case", "code"), [
    (None, "purpose.case"), ("  ", "purpose.case"), ("1", "purpose.case_form"), ("a b c d", "purpose.case_form"),
])  # fmt: skip
def test_without_the_courts_number_no_key_ends(world: World, story: Story, case: str | None, code: str) -> None:
    with refused(code) as caught:
        ordered(world, officer(world), story, case)
    assert caught.value.refusal.field == "case_number"
    assert stories.key_row(story.key_id).state == "active"


@pytest.mark.parametrize("purpose", ["address_check", "visit", "help_request", "review"])
def test_an_order_needs_a_numbered_case_as_its_purpose(world: World, story: Story, purpose: str) -> None:
    with refused("purpose.unfit") as caught:
        ordered(world, officer(world, purpose), story)
    assert caught.value.refusal.allowed == ("case",)
    assert stories.key_row(story.key_id).state == "active"


def test_an_order_needs_the_password_again_the_own_area_and_a_task(world: World, story: Story) -> None:
    with refused("step_up"):
        ordered(world, officer(world, again=False), story)
    with refused("area.foreign"):
        ordered(world, officer(world, area=staff.OTHER_STREET), story)
    session_id = staff.make_session(world, "supervisor", purpose="case", case_number=TASK)
    end_task(world, session_id=session_id)
    with refused("purpose.missing"):
        ordered(world, session_id, story)
    assert stories.key_row(story.key_id).state == "active"
    assert told(world, story.tenant, "key_ended_by_order") == []


def test_a_suspended_key_ends_on_an_order_too_and_an_ended_one_is_none(world: World, story: Story) -> None:
    suspend_key(world, account_id=story.tenant, key_id=story.key_id)
    session_id = officer(world)
    ordered(world, session_id, story)
    assert stories.key_row(story.key_id).state == "revoking"
    with refused("key.none"):
        ordered(world, session_id, story)
    assert len(leaves("key_revoke")) == 1


def test_a_key_nobody_has_accepted_is_no_occupants_key(world: World) -> None:
    story = stories.make_invited(world)
    with refused("key.none"):
        ordered(world, officer(world), story)
    assert stories.key_row(story.key_id).state == "invited"
