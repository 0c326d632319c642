"""A question about a look: one case for the data office, never for whoever looked; the answer comes back."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from backend.db import db
from backend.domain.cases import KINDS
from backend.domain.ids import new_id
from backend.domain.refusals import Refused
from backend.models.cases import Case
from backend.services.access_records import AccessView, find_access_record, my_access_records
from backend.services.case_files import look_at_case
from backend.services.cases import claim_case, decide_case
from backend.services.disclosures import open_unit
from backend.services.inbox import list_notices
from backend.services.look_questions import ask_about_look, list_recent_looks
from backend.services.office_names import name_office
from backend.services.officer_sessions import begin_task
from tests.services import staff, stories

pytestmark = pytest.mark.usefixtures("core")


def refused_code(call: Any, *args: Any, **named: Any) -> str:
    with pytest.raises(Refused) as caught:
        call(*args, **named)
    return caught.value.refusal.code


def make_look(world: Any, role: str = "officer") -> tuple[stories.Story, AccessView, str]:
    """A tenant, the newest look at their data, and the session of whoever looked."""
    story = stories.make_active(world)
    session_id = staff.make_session(world, role, purpose="help_request")
    open_unit(world, session_id=session_id, unit_id=story.unit_id)
    look = my_access_records(world, account_id=story.tenant).items[0]
    assert look.action == "unit_opened"
    return story, look, session_id


def take_up(world: Any, login: str, reference: str) -> str:
    """Another supervisor takes the case; answers the session."""
    session_id = staff.sign_in(world, staff.make_officer(world, "supervisor", login=login))
    begin_task(world, session_id=session_id, purpose="help_request")
    claim_case(world, session_id=session_id, reference=reference)
    return session_id


def test_a_question_is_one_case_of_the_data_office_however_often_it_is_asked(world: Any) -> None:
    story, look, _ = make_look(world)
    first = ask_about_look(world, account_id=story.tenant, record_id=look.id, question="why")
    again = ask_about_look(world, account_id=story.tenant, record_id=look.id, question="too_much")
    assert again == first and first.code == "why" and first.due_at is not None
    (case,) = db.session.scalars(select(Case).where(Case.kind == "look_question")).all()
    assert KINDS[case.kind].office == "data_office" and case.area == "330522003900"
    assert case.evidence["badge"] == look.badge and case.evidence["purpose"] == "for_help_request"
    assert "周来福" not in str(case.evidence)
    db.session.rollback()
    assert find_access_record(world, account_id=story.tenant, record_id=look.id).question == first
    assert look.id not in list_recent_looks(world, account_id=story.tenant)


def test_the_answer_reaches_the_person_and_stands_beside_the_look(world: Any) -> None:
    story, look, _ = make_look(world)
    asked = ask_about_look(world, account_id=story.tenant, record_id=look.id, question="why")
    session_id = take_up(world, "second", asked.reference)
    decide_case(world, session_id=session_id, reference=asked.reference, decision="handled", reason="look_unfit")
    answered = find_access_record(world, account_id=story.tenant, record_id=look.id).question
    assert answered is not None and (answered.decision, answered.reason) == ("handled", "look_unfit")
    (notice,) = [one for one in list_notices(world, account_id=story.tenant) if one.kind == "look_answered"]
    assert asked.reference in notice.text_en and "should not have been made" in notice.text_en


def test_whoever_looked_neither_opens_nor_decides_the_question(world: Any) -> None:
    story, look, session_id = make_look(world, "supervisor")
    asked = ask_about_look(world, account_id=story.tenant, record_id=look.id, question="not_asked")
    named = {"session_id": session_id, "reference": asked.reference}
    assert refused_code(claim_case, world, **named) == "case.own"
    assert refused_code(look_at_case, world, **named) == "case.own"
    take_up(world, "second", asked.reference)


def test_a_question_goes_only_about_ones_own_looks_and_from_the_list(world: Any) -> None:
    story, look, _ = make_look(world)
    other = stories.make_occupant(world, story, joint_with=story.lease_id)
    for account in (other.account, stories.make_account(world, "+8619900009999")):
        assert refused_code(ask_about_look, world, account_id=account, record_id=look.id, question="why") == "not_found"
    mine = {"account_id": story.tenant, "question": "why"}
    for record_id in (new_id(), "nothing", "ffffffff-ffff-ffff-ffff-ffffffffffff"):
        assert refused_code(ask_about_look, world, record_id=record_id, **mine) == "not_found"
    own = {"account_id": story.tenant, "record_id": look.id}
    assert refused_code(ask_about_look, world, question="who is it?", **own) == "input.not_one_of"


def test_an_office_has_the_english_name_that_was_said_last(world: Any) -> None:
    story, look, _ = make_look(world)
    assert look.office_en is None
    for name in ("Police", "Taihu police station", "Taihu police station"):
        name_office(world, zh="太湖派出所", en=name)
    assert find_access_record(world, account_id=story.tenant, record_id=look.id).office_en == "Taihu police station"
    assert refused_code(name_office, world, zh="太湖派出所", en=" ") == "input.length"
