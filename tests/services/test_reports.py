"""The loop of reports: filed, routed, handled, checked by another pair of eyes, answered, rated or reopened."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as limits
from hypothesis import strategies as st
from sqlalchemy import select

from backend.db import db
from backend.domain.case_reports import A_DAY_AT_MOST, WORDS_KEPT
from backend.domain.cases import TRANSITIONS
from backend.domain.refusals import Refused
from backend.gateways.clock import FixedClock
from backend.models.cases import CaseStep
from backend.models.outbox import OutboxRow
from backend.services.access_records import my_access_records
from backend.services.case_checks import assign_case, check_case, list_handlers, send_back_case
from backend.services.case_files import look_at_case
from backend.services.cases import claim_case, decide_case
from backend.services.housekeeping import HOURLY, keep_house
from backend.services.inbox import list_notices
from backend.services.messages import send_due_messages
from backend.services.reports import (
    file_report,
    get_report,
    list_places,
    list_reports,
    rate_report,
    reopen_report,
)
from tests.services import staff, stories
from tests.services.reporting_cases import (
    ROAD,
    WIRES,
    act,
    answer,
    case_of,
    handle,
    make_crew,
    make_report,
    open_report,
)
from tests.services.test_cases import refused_code

pytestmark = pytest.mark.usefixtures("core")


def faults(**changes: Any) -> Any:
    return {**WIRES, **changes}


def test_the_whole_loop_from_reported_to_rated(world: Any) -> None:
    story, report = make_report(world, call_back=True)
    assert (report.office, report.state, report.unit_alias) == ("housing_office", "routed", "陈塘路1号 101室")
    crew = make_crew(world)
    handle(world, crew.handler, report.reference)
    waiting = get_report(world, account_id=story.tenant, report_id=report.id)
    assert (waiting.state, waiting.answer, waiting.decision) == ("assigned", None, None), "nothing is told unchecked"
    check_case(world, session_id=crew.checker, reference=report.reference)
    told = get_report(world, account_id=story.tenant, report_id=report.id)
    assert (told.state, told.decision, told.answer) == ("answered", "handled", "已请电工更换线路并加装线管。")
    assert told.may_rate and told.may_reopen
    [notice] = [one for one in list_notices(world, account_id=story.tenant) if one.kind == "report_answered"]
    assert report.reference in notice.text_zh and "已处理" in notice.text_zh
    while send_due_messages(world):
        pass
    said = [message for message in world.sms.messages() if report.reference in message.text]
    assert [message.phone for message in said] == [stories.TENANT_PHONE] and "电线" not in said[0].text
    for _ in range(2):  # the same again changes nothing
        rated = rate_report(world, account_id=story.tenant, report_id=report.id, stars=5, reason="solved")
    assert (rated.state, rated.stars, rated.may_reopen) == ("rated", 5, False)
    actions = [step.action for step in look_at_case(world, session_id=crew.checker, reference=report.reference).steps]
    assert actions == ["report", "route", "claim", "decide", "check", "answer", "rate"]


def test_a_report_sent_twice_is_one_case(world: Any) -> None:
    story = stories.make_active(world)
    made = [file_report(world, account_id=story.tenant, idempotency_key="once", **WIRES) for _ in range(2)]
    assert made[0].id == made[1].id and len(list_reports(world, account_id=story.tenant)) == 1
    again = file_report(world, account_id=story.tenant, idempotency_key="after going back", **WIRES)
    assert again.id == made[0].id
    other = faults(words="别的内容")
    assert refused_code(file_report, world, account_id=story.tenant, idempotency_key="once", **other) == (
        "input.key_reused"
    )


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"kind": ""}, [("kind", "input.missing")]),
        ({"kind": "identity_review"}, [("kind", "input.not_one_of")]),
        ({"facts": []}, [("facts", "input.missing")]),
        ({"facts": ["battery"]}, [("facts", "report.facts")]),
        ({"words": "a" * 201}, [("words", "input.length")]),
        ({"words": "找 139 0000 1234 的人"}, [("words", "report.number")]),
        ({"words": "330522199001010001"}, [("words", "report.number")]),
        ({"kind": "resident_report", "facts": ["something_else"], "words": ""}, [("words", "input.missing")]),
        ({"unit_no": "U-NOWHERE"}, [("unit_no", "report.unit")]),
    ],
)
@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_a_faulty_report_is_refused_at_its_fields(
    world: Any, changes: dict[str, Any], found: list[tuple[str, str]]
) -> None:
    story = stories.make_active(world)
    with pytest.raises(Refused) as caught:
        file_report(world, account_id=story.tenant, **faults(**changes))
    assert [(fault.field, fault.code) for fault in caught.value.refusals] == found


def test_of_anothers_dwelling_only_what_anybody_sees_can_be_reported(world: Any) -> None:
    stories.make_active(world)
    stranger = stories.make_account(world, "+8619900009777")
    lock = faults(kind="lock_trouble", facts=["damaged"], words=None)
    assert refused_code(file_report, world, account_id=stranger, **lock) == "report.not_own"
    seen = file_report(world, account_id=stranger, **WIRES)
    assert case_of(seen.reference).opened_by == "resident"


def test_each_side_has_its_dwellings_and_its_kinds(world: Any) -> None:
    story = stories.make_active(world)
    lives = list_places(world, account_id=story.tenant, side="tenant")
    lets = list_places(world, account_id=story.landlord, side="landlord")
    assert [place.unit_no for place in lives] == [place.unit_no for place in lets] == ["U-TEST0101"]
    against = faults(kind="landlord_duty", facts=["key_as_pressure"], words=None)
    assert refused_code(file_report, world, account_id=story.landlord, **against) == "input.not_one_of"
    assert file_report(world, account_id=story.tenant, **against).rule == "HR-12"


def test_a_question_about_ones_data_goes_to_the_data_office_with_the_own_record_alone(world: Any) -> None:
    story, report = make_report(world, kind="data_question", facts=["dates_wrong"], words=None)
    case = case_of(report.reference)
    assert (case.office, case.rule, case.registration_id) == ("data_office", "PIPL-46", story.registration_id)
    other = file_report(world, account_id=story.tenant, **WIRES)
    assert case_of(other.reference).person_id is None, "what is about a dwelling names nobody"


def test_one_phone_reports_ten_things_a_day(world: Any, clock: FixedClock) -> None:
    story = stories.make_active(world)
    for number in range(A_DAY_AT_MOST):
        file_report(world, account_id=story.tenant, **faults(words=f"第 {number} 个插座"))
    assert refused_code(file_report, world, account_id=story.tenant, **WIRES) == "report.too_many"
    clock.move(timedelta(days=1))
    file_report(world, account_id=story.tenant, **WIRES)


def test_only_who_reported_it_reads_rates_and_reopens_it(world: Any) -> None:
    story, report = make_report(world)
    for call, more in ((get_report, {}), (rate_report, {"stars": 1}), (reopen_report, {})):
        refused = refused_code(call, world, account_id=story.landlord, report_id=report.id, **more)
        assert refused == "not_found"
    assert list_reports(world, account_id=story.landlord) == ()


def test_who_handled_it_does_not_check_it(world: Any) -> None:
    _, report = make_report(world)
    crew = make_crew(world)
    handle(world, crew.checker, report.reference)
    assert refused_code(check_case, world, session_id=crew.checker, reference=report.reference) == "case.own_work"
    assert refused_code(check_case, world, session_id=crew.handler, reference=report.reference) == "forbidden"
    check_case(world, session_id=crew.other, reference=report.reference)
    assert case_of(report.reference).state == "answered"


def test_what_is_sent_back_is_handled_again_and_nobody_outside_hears_of_it(world: Any) -> None:
    story, report = make_report(world)
    crew = make_crew(world)
    handle(world, crew.handler, report.reference, "看过了。")
    send_back_case(world, session_id=crew.checker, reference=report.reference, reason="answer_unclear")
    seen = get_report(world, account_id=story.tenant, report_id=report.id)
    assert (seen.state, seen.answer) == ("assigned", None)
    assert [step.action for step in seen.steps] == ["report", "route", "claim", "decide"]
    decide_case(world, session_id=crew.handler, reference=report.reference, decision="handled", reason="seen_on_site",
                answer_text="线路已更换，并已检查其他插座。")  # fmt: skip
    check_case(world, session_id=crew.checker, reference=report.reference)
    assert get_report(world, account_id=story.tenant, report_id=report.id).answer == "线路已更换，并已检查其他插座。"


def test_an_answer_is_needed_and_tells_no_number(world: Any) -> None:
    _, report = make_report(world)
    crew = make_crew(world)
    claim_case(world, session_id=crew.handler, reference=report.reference)
    how: dict[str, Any] = {"session_id": crew.handler, "reference": report.reference, "decision": "handled"}
    assert refused_code(decide_case, world, reason="repaired", **how) == "input.missing"
    told = refused_code(decide_case, world, reason="repaired", answer_text="请联系 13900001234", **how)
    assert told == "report.number"


def test_a_supervisor_hands_a_case_to_somebody_entitled_only(world: Any) -> None:
    _, report = make_report(world)
    crew = make_crew(world)
    reviewer = staff.make_officer(world, "reviewer")
    far = staff.make_officer(world, "officer", staff.OTHER_STREET)
    able = {handler.id for handler in list_handlers("unsafe_dwelling", "330522003900")}
    assert crew.handler_id in able and not {reviewer.id, far.id} & able
    give: dict[str, Any] = {"session_id": crew.checker, "reference": report.reference}
    for one in (reviewer, far):
        assert refused_code(assign_case, world, officer_id=one.id, **give) == "case.officer"
    assign_case(world, officer_id=crew.handler_id, **give)
    assign_case(world, officer_id=crew.handler_id, **give)
    case = case_of(report.reference)
    assert (case.state, case.assigned_to, case.version) == ("assigned", crew.handler_id, 3)
    give["session_id"] = crew.handler
    assert refused_code(assign_case, world, officer_id=crew.handler_id, **give) == "forbidden"


def test_the_number_to_call_is_shown_to_the_taker_alone_and_the_reporter_reads_it(world: Any) -> None:
    story, report = make_report(world, call_back=True)
    crew = make_crew(world)
    assert look_at_case(world, session_id=crew.handler, reference=report.reference).phone is None
    claim_case(world, session_id=crew.handler, reference=report.reference)
    assert look_at_case(world, session_id=crew.checker, reference=report.reference).phone is None
    assert look_at_case(world, session_id=crew.handler, reference=report.reference).phone == stories.TENANT_PHONE
    record = my_access_records(world, account_id=story.tenant).items[0]
    assert (record.action, record.fields) == ("case_opened", ("phone",))


def test_who_does_not_want_a_call_is_not_known_to_the_office(world: Any) -> None:
    _, report = make_report(world)
    crew = make_crew(world)
    claim_case(world, session_id=crew.handler, reference=report.reference)
    file = look_at_case(world, session_id=crew.handler, reference=report.reference)
    assert file.phone is None and file.persons == () and file.steps[0].words == WIRES["words"]


def test_it_is_reopened_once_within_a_month_with_a_new_time(world: Any, clock: FixedClock) -> None:
    story, report = make_report(world)
    answer(world, make_crew(world), report.reference)
    mine: dict[str, Any] = {"account_id": story.tenant, "report_id": report.id}
    clock.move(timedelta(days=10))
    again = reopen_report(world, words="雨天又跳闸。", **mine)
    assert (again.state, again.is_reopened, again.answer) == ("routed", True, None)
    assert again.due_at is not None and report.due_at is not None and again.due_at > report.due_at
    assert case_of(report.reference).assigned_to is None
    crew = make_crew(world, "later")
    answer(world, crew, report.reference)
    assert refused_code(reopen_report, world, **mine) == "report.reopened"
    assert len([one for one in list_notices(world, account_id=story.tenant) if one.kind == "report_answered"]) == 2


def test_after_a_month_it_is_a_new_matter(world: Any, clock: FixedClock) -> None:
    story, report = make_report(world)
    answer(world, make_crew(world), report.reference)
    clock.move(timedelta(days=31))
    assert refused_code(reopen_report, world, account_id=story.tenant, report_id=report.id) == "report.reopen_late"


def test_a_message_about_an_answer_that_was_reopened_meanwhile_is_not_sent(world: Any) -> None:
    story, report = make_report(world)
    answer(world, make_crew(world), report.reference)
    reopen_report(world, account_id=story.tenant, report_id=report.id)
    while send_due_messages(world):
        pass
    assert not [message for message in world.sms.messages() if report.reference in message.text]
    row = db.session.scalars(select(OutboxRow).where(OutboxRow.kind == "report_answered")).one()
    assert row.done_at is not None


def test_words_are_sealed_and_forgotten_a_year_after_the_last_step(world: Any, clock: FixedClock) -> None:
    story, report = make_report(world)
    db.session.rollback()
    kept = db.session.scalars(select(CaseStep.words_sealed).where(CaseStep.case_id == report.id)).all()
    assert all(WIRES["words"].encode() not in (sealed or b"") for sealed in kept) and kept[0] is not None
    clock.move(WORDS_KEPT)
    keep_house(world, HOURLY)
    assert get_report(world, account_id=story.tenant, report_id=report.id).words == WIRES["words"]
    clock.move(timedelta(minutes=1))
    keep_house(world, HOURLY)
    forgotten = get_report(world, account_id=story.tenant, report_id=report.id)
    assert forgotten.words is None and forgotten.facts == ("wires_bare",)


@pytest.mark.parametrize("state", ROAD)
def test_every_action_does_what_the_table_says_and_nothing_else(world: Any, state: str) -> None:
    """State × action through the use cases; each success is one step more, each refusal none."""
    if state == "reported":  # a report is routed in the same write unit: nobody ever meets it there
        assert TRANSITIONS[state] == {"route": "routed"}
        return
    story, crew = stories.make_active(world), make_crew(world)
    for action in ("claim", "release", "assign", "decide", "check", "send_back", "rate", "reopen"):
        case = open_report(world, story)
        for step in ROAD[state]:
            act(world, crew, story, case, step)
        before = case_of(case.reference)
        assert before.state == state
        version, possible = before.version, action in TRANSITIONS[state]
        if (state, action) in (("assigned", "claim"), ("assigned", "assign"), ("rated", "rate")):
            continue  # the same again changes nothing, which has tests of its own
        try:
            act(world, crew, story, case, action)
        except Refused as refused:
            assert not possible and refused.refusal.code in ("transition", "case.not_taken", "case.taken"), action
        else:
            assert possible, action
        after = case_of(case.reference)
        ends = {"check": "answered"}  # the answer leaves with the approval
        assert after.state == (ends.get(action, TRANSITIONS[state].get(action, state)) if possible else state)
        versions = db.session.scalars(
            select(CaseStep.version).where(CaseStep.case_id == case.id).order_by(CaseStep.version)
        ).all()
        assert list(versions) == list(range(1, after.version + 1)) and (after.version > version) == possible


WALK = st.lists(
    st.sampled_from(["claim", "release", "assign", "decide", "check", "send_back", "rate", "reopen"]), max_size=14
)


@limits(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(walk=WALK)
@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_whatever_is_tried_in_whatever_order_the_history_is_the_case(world: Any, walk: list[str]) -> None:
    """Any walk: steps are without a gap, each follows from the one before by the table, the last is where it stands."""
    story, crew = stage_of(world)
    case = open_report(world, story)
    for action in walk:
        try:
            act(world, crew, story, case, action)
        except Refused:
            db.session.rollback()
    db.session.rollback()
    steps = db.session.scalars(select(CaseStep).where(CaseStep.case_id == case.id).order_by(CaseStep.version)).all()
    assert [step.version for step in steps] == list(range(1, len(steps) + 1))
    for before, after in zip(steps, steps[1:], strict=False):
        assert TRANSITIONS[before.state][after.action] == after.state
    now = case_of(case.reference)
    assert (now.state, now.version) == (steps[-1].state, steps[-1].version)
    assert now.checked_by is None or now.checked_by != now.decided_by


_STAGE: dict[int, Any] = {}


def stage_of(world: Any) -> Any:
    """One tenant and one crew for all walks in one world."""
    if id(world) not in _STAGE:
        _STAGE.clear()
        _STAGE[id(world)] = (stories.make_active(world), make_crew(world))
    return _STAGE[id(world)]
