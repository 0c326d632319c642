"""Somebody telephones or comes by: staff take the report down, it goes the way of every report, and they are called."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from backend.bootstrap import core_app
from backend.db import db
from backend.domain.case_reports import CONTACT_KEPT, REPORTS, SOURCES, TAKEN, call_due_at
from backend.domain.cases import KINDS
from backend.domain.ids import new_id
from backend.domain.refusals import Refused
from backend.models.audit import AuditLeaf
from backend.models.cases import Case, CaseStep
from backend.models.officers import StaffNotice
from backend.queries.case_lists import count_cases, list_cases
from backend.services import taken_reports
from backend.services.case_checks import check_case
from backend.services.case_files import look_at_case
from backend.services.cases import claim_case, decide_case
from backend.services.housekeeping import HOURLY, keep_house
from backend.services.reports import file_report
from backend.services.taken_reports import look_at_callers_case, reopen_for_caller, take_report, tell_caller
from tests.services import staff, stories
from tests.services.reporting_cases import WIRES, Crew, answer, case_of, handle, make_crew
from tests.services.test_field_visits import refused
from tests.services.test_keys_at_the_same_time import meanwhile

pytestmark = pytest.mark.usefixtures("core")
CALLER = "13900000007"  # an invented number
KIND: dict[str, Any] = {"kind": "unsafe_dwelling", "facts": ["wires_bare"], "source": "by_phone"}


def take(world: Any, session_id: str, unit_id: str, **changes: Any) -> str:
    return take_report(world, session_id=session_id, unit_id=unit_id, **{**KIND, **changes})


def clerk(world: Any, area: str = staff.STREET, purpose: str | None = "help_request") -> str:
    return staff.make_session(world, "window_clerk", area=area, purpose=purpose)


def test_a_call_becomes_a_case_of_the_entitled_office_with_its_time_and_a_step_by_badge(world: Any) -> None:
    _, rooms = stories.make_dwelling(world)
    session = clerk(world)
    case = case_of(take(world, session, rooms[0], words="厨房电线露在外面。"))
    assert (case.kind, case.office, case.state) == ("unsafe_dwelling", "housing_office", "routed")
    assert (case.opened_by, case.unit_id, case.area) == ("officer", rooms[0], "330522003900")
    assert (case.reporter_id, case.person_id) == (None, None)
    assert case.evidence == {"facts": ["wires_bare"], "source": "by_phone"} and case.due_at is not None
    begin = make_crew(world)
    steps = look_at_case(world, session_id=begin.handler, reference=case.reference).steps
    assert [(step.action, step.words) for step in steps][0] == ("report", "厨房电线露在外面。") and steps[0].badge
    leaf = select(AuditLeaf.purpose).where(
        AuditLeaf.action == "case_taken_down", AuditLeaf.object_id == case.reference
    )
    assert db.session.scalars(leaf).all() == ["help_request"]


def test_each_kind_goes_to_its_own_office_and_a_question_about_data_to_the_person(world: Any) -> None:
    _, rooms = stories.make_dwelling(world)
    session = clerk(world)
    for kind in TAKEN:
        fact = next(iter(REPORTS[kind].facts))
        made = case_of(take(world, session, rooms[0], kind=kind, facts=[fact]))
        assert made.office == KINDS[kind].office
    with refused("report.needs_person"):
        take(world, session, rooms[0], kind="data_question", facts=["dates_wrong"])


def test_all_faults_are_said_at_once_each_at_its_field(world: Any) -> None:
    _, rooms = stories.make_dwelling(world)
    session = clerk(world)
    with pytest.raises(Refused) as caught:
        take(world, session, rooms[0], facts=[], source="by_pigeon", contact="12", words="身份证 330522199001010001")
    faults = {(fault.code, fault.field) for fault in caught.value.refusals}
    assert faults == {("input.missing", "facts"), ("input.not_one_of", "source"), ("phone.invalid", "contact"),
                      ("report.number", "words")}  # fmt: skip
    with refused("report.place"):
        take_report(world, session_id=session, **KIND)
    with refused("not_found"):
        take(world, session, new_id())
    assert db.session.scalar(select(func.count()).select_from(Case)) == 0


def test_without_a_fitting_purpose_or_in_another_area_nothing_is_taken_down(world: Any) -> None:
    _, rooms = stories.make_dwelling(world)
    with refused("purpose.missing"):
        take(world, clerk(world, purpose=None), rooms[0])
    unfit = staff.make_session(world, "officer", purpose="address_check")
    with refused("purpose.unfit"):
        take(world, unfit, rooms[0])
    with refused("area.foreign"):
        take(world, clerk(world, staff.OTHER_STREET), rooms[0])
    refusals = select(AuditLeaf.decision).where(AuditLeaf.action == "refused")
    assert set(db.session.scalars(refusals).all()) == {"purpose.unfit", "area.foreign"}


def test_one_form_sent_twice_is_one_case_and_two_neighbours_with_the_same_trouble_are_two(world: Any) -> None:
    _, rooms = stories.make_dwelling(world)
    session, form = clerk(world), new_id()
    first = take(world, session, rooms[0], contact=CALLER, once=form)
    assert take(world, session, rooms[0], contact=CALLER, once=form) == first
    assert take(world, session, rooms[0], contact="13900000008", once=new_id()) != first, "the second is called too"
    other = staff.make_session(world, "grid_worker", purpose="visit")
    assert take(world, other, rooms[0], contact=CALLER, once=new_id()) != first, "a colleague's is their own"
    numbers = db.session.scalars(select(Case.contact_sealed)).all()
    assert len(numbers) == 3 and all(numbers)


@pytest.mark.parametrize("changes", [{"contact": CALLER}, {"words": "楼梯也是。"}, {"facts": ["gas_smell"]}])
def test_a_form_that_was_sent_and_is_changed_is_not_silently_the_old_one(world: Any, changes: Any) -> None:
    _, rooms = stories.make_dwelling(world)
    session, form = clerk(world), new_id()
    first = take(world, session, rooms[0], once=form)
    with pytest.raises(Refused) as caught:
        take(world, session, rooms[0], once=form, **changes)
    assert (caught.value.refusal.code, caught.value.refusal.params) == ("report.sent_before", {"reference": first})
    assert take(world, session, rooms[0], once=new_id(), **changes) != first


def test_one_form_sent_by_two_clicks_at_once_is_one_case(core: Any, settings: Any, world: Any) -> None:
    _, rooms = stories.make_dwelling(world)
    session, form = clerk(world), new_id()
    app, start, made = core_app(settings, world), threading.Barrier(2), []

    def send() -> None:
        with app.app_context():
            start.wait()
            try:
                made.append(take(world, session, rooms[0], contact=CALLER, once=form))
            finally:
                db.session.remove()

    clicks = [threading.Thread(target=send) for _ in range(2)]
    for click in clicks:
        click.start()
    for click in clicks:
        click.join()
    with app.app_context():
        db.engine.dispose()
    assert len(made) == 2 and len(set(made)) == 1
    db.session.rollback()
    assert db.session.scalar(select(func.count()).select_from(Case)) == 1


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)  # SQLite lets one write unit in at a time
def test_who_was_held_up_before_writing_finds_what_the_other_click_made(
    core: Any, world: Any, monkeypatch: Any
) -> None:
    _, rooms = stories.make_dwelling(world)
    session, form, theirs = clerk(world), new_id(), []
    beside = staff.make_session(world, "grid_worker", purpose="visit")  # one session's clicks wait for each other
    look = taken_reports._find_sent

    def look_late(unit: Any, once: str | None) -> Case | None:
        found = look(unit, once)
        if not theirs:
            theirs.append("")
            theirs[:] = meanwhile(core, lambda: take(world, beside, rooms[0], once=form))
        return found

    monkeypatch.setattr(taken_reports, "_find_sent", look_late)
    assert [take(world, session, rooms[0], once=form)] == theirs
    assert db.session.scalar(select(func.count()).select_from(Case)) == 1


def test_a_whole_house_is_named_by_its_address(world: Any) -> None:
    dwelling_id, _ = stories.make_dwelling(world)
    said = {"dwelling_id": dwelling_id, "kind": "resident_report", "facts": ["no_light"], "source": "at_window"}
    session, form = clerk(world), new_id()
    whole = take_report(world, session_id=session, once=form, **said)
    assert take_report(world, session_id=session, once=form, **said) == whole
    assert case_of(whole).unit_id is None
    lines = {line.reference: line.place for line in list_cases(staff.STREET, ("resident_report",))}
    assert lines == {whole: "陈塘村陈塘路1号"}
    handler = staff.make_session(world, "grid_worker", purpose="visit")
    assert look_at_case(world, session_id=handler, reference=whole).place == "陈塘村陈塘路1号"


def to_checked(world: Any, crew: Crew, reference: str) -> None:
    handle(world, crew.handler, reference)
    check_case(world, session_id=crew.checker, reference=reference)


def test_the_callers_number_is_for_whoever_handles_it_and_they_are_told_after_the_check(world: Any) -> None:
    _, rooms = stories.make_dwelling(world)
    session = clerk(world)
    reference = take(world, session, rooms[0], contact=CALLER)
    sealed = case_of(reference).contact_sealed
    assert sealed is not None and CALLER.encode() not in sealed
    crew = make_crew(world)
    assert look_at_case(world, session_id=crew.handler, reference=reference).phone is None, "not taken yet"
    claim_case(world, session_id=crew.handler, reference=reference)
    assert look_at_case(world, session_id=crew.handler, reference=reference).phone == f"+86{CALLER}"
    assert look_at_case(world, session_id=crew.checker, reference=reference).phone is None
    shown = select(func.count()).where(AuditLeaf.action == "case_opened", AuditLeaf.object_id == reference)
    assert (db.session.scalar(shown) or 0) >= 4, "each look is written, the number's too"
    with refused("input.missing"):
        decide_case(world, session_id=crew.handler, reference=reference, decision="handled", reason="repaired")
    with refused("transition"):
        tell_caller(world, session_id=crew.handler, reference=reference)
    decide_case(world, session_id=crew.handler, reference=reference, decision="handled", reason="repaired",
                answer_text="已更换线路。")  # fmt: skip
    check_case(world, session_id=crew.checker, reference=reference)
    kinds = ("unsafe_dwelling",)
    assert count_cases(staff.STREET, kinds, crew.handler_id, world.clock.now())["tell"] == 1
    assert [line.reference for line in list_cases(staff.STREET, kinds, scope="tell")] == [reference]
    file = look_at_case(world, session_id=crew.checker, reference=reference)
    assert file.may_tell and file.phone == f"+86{CALLER}", "a supervisor calls where the handler is away"
    bystander = staff.make_session(world, "grid_worker", purpose="visit")
    assert look_at_case(world, session_id=bystander, reference=reference).phone is None
    tell_caller(world, session_id=crew.handler, reference=reference)
    case = case_of(reference)
    assert (case.state, case.answered_at) == ("answered", world.clock.now())
    assert count_cases(staff.STREET, kinds, crew.handler_id, world.clock.now())["tell"] == 0


def test_not_solved_goes_back_once_by_whoever_takes_the_call(world: Any) -> None:
    _, rooms = stories.make_dwelling(world)
    session = clerk(world)
    reference = take(world, session, rooms[0], contact=CALLER, kind="lock_trouble", facts=["keypad"])
    crew = make_crew(world)
    to_checked(world, crew, reference)
    tell_caller(world, session_id=crew.handler, reference=reference)
    assert look_at_case(world, session_id=session, reference=reference).may_reopen
    reopen_for_caller(world, session_id=session, reference=reference, words="键盘还是没有反应。")
    case = case_of(reference)
    assert (case.state, case.assigned_to, case.answered_at) == ("routed", None, None)
    to_checked(world, crew, reference)
    tell_caller(world, session_id=crew.handler, reference=reference)
    with refused("report.reopened"):
        reopen_for_caller(world, session_id=session, reference=reference)


def test_a_report_from_a_phone_is_not_the_callers(world: Any) -> None:
    story = stories.make_active(world)
    report = file_report(world, account_id=story.tenant, **WIRES)
    crew = make_crew(world)
    answer(world, crew, report.reference)
    with refused("report.no_caller"):
        reopen_for_caller(world, session_id=crew.handler, reference=report.reference)


def test_who_left_no_number_is_told_and_heard_by_any_taker_when_they_name_the_reference(world: Any) -> None:
    _, rooms = stories.make_dwelling(world)
    session = clerk(world)
    reference = take(world, session, rooms[0])
    assert KINDS["unsafe_dwelling"].deciders and "window_clerk" not in KINDS["unsafe_dwelling"].deciders
    before = look_at_callers_case(world, session_id=session, reference=reference.lower())
    assert (before.decision, before.answer, before.may_tell, before.may_reopen) == (None, None, False, False)
    crew = make_crew(world)
    to_checked(world, crew, reference)
    assert look_at_case(world, session_id=crew.handler, reference=reference).may_tell
    told = look_at_callers_case(world, session_id=session, reference=reference)
    assert (told.answer, told.may_tell) == ("已请电工更换线路并加装线管。", True)
    with refused("report.no_caller"):
        tell_caller(world, session_id=session, reference=reference, reached=False)
    tell_caller(world, session_id=session, reference=reference)
    reopen_for_caller(world, session_id=session, reference=reference, words="雨天又跳闸。")
    assert case_of(reference).state == "routed"
    with refused("area.foreign"):
        look_at_callers_case(world, session_id=clerk(world, staff.OTHER_STREET), reference=reference)


def test_nothing_of_a_handled_case_is_told_before_it_was_checked_nor_of_a_phones_report(world: Any) -> None:
    story = stories.make_active(world)
    session, crew = clerk(world), make_crew(world)
    own = file_report(world, account_id=story.tenant, **WIRES)
    with refused("report.no_caller"):
        look_at_callers_case(world, session_id=session, reference=own.reference)
    reference = take(world, session, story.unit_id)
    handle(world, crew.handler, reference)
    shown = look_at_callers_case(world, session_id=session, reference=reference)
    assert (shown.state, shown.answer, shown.may_tell) == ("handled", None, False)
    with refused("purpose.unfit"):
        unfit = staff.make_session(world, "grid_worker", purpose="address_check")
        look_at_callers_case(world, session_id=unfit, reference=reference)


def test_a_call_that_waits_goes_to_the_supervisors_once_and_keeps_its_number_until_it_was_made(
    world: Any, clock: Any
) -> None:
    _, rooms = stories.make_dwelling(world)
    reference = take(world, clerk(world), rooms[0], contact=CALLER)
    crew = make_crew(world)
    to_checked(world, crew, reference)
    due = case_of(reference).call_due_at
    assert due == call_due_at(world.clock.now()) and due > world.clock.now() + timedelta(days=1)
    [line] = list_cases(staff.STREET, ("unsafe_dwelling",), scope="tell")
    assert line.call_due_at == due
    clock.move(due - world.clock.now() - timedelta(minutes=1))
    keep_house(world)
    assert case_of(reference).escalated_at is None
    clock.move(timedelta(minutes=2))
    for _ in range(2):
        keep_house(world)
    heard = select(func.count()).where(StaffNotice.kind == "call_late")
    assert db.session.scalar(heard) == 2, "each of the two supervisors, once"
    clock.move(CONTACT_KEPT + timedelta(days=1))
    keep_house(world)
    assert case_of(reference).contact_sealed is not None
    assert len(list_cases(staff.STREET, ("unsafe_dwelling",), scope="tell")) == 1
    late = staff.make_session(world, "grid_worker", purpose="visit")
    tell_caller(world, session_id=late, reference=reference, reached=False)
    case = case_of(reference)
    steps = select(CaseStep.reason).where(CaseStep.case_id == case.id, CaseStep.action == "answer")
    assert (case.state, db.session.scalars(steps).all()) == ("answered", ["caller_not_reached"])
    clock.move(CONTACT_KEPT + timedelta(days=1))
    keep_house(world)
    assert case_of(reference).contact_sealed is None


def test_the_number_is_gone_thirty_days_after_the_last_step_and_stays_while_it_is_needed(
    world: Any, clock: Any
) -> None:
    _, rooms = stories.make_dwelling(world)
    session = clerk(world)
    done, waiting = (take(world, session, rooms[0], contact=CALLER, words=words) for words in ("一楼", "二楼"))
    crew = make_crew(world)
    to_checked(world, crew, done)
    tell_caller(world, session_id=crew.handler, reference=done)
    clock.move(CONTACT_KEPT - timedelta(hours=1))
    keep_house(world, HOURLY)
    assert case_of(done).contact_sealed is not None
    clock.move(timedelta(hours=2))
    keep_house(world, HOURLY)
    assert (case_of(done).contact_sealed, case_of(done).call_back) == (None, False)
    assert case_of(waiting).contact_sealed is not None, "nobody has called yet"


def test_every_source_has_its_words() -> None:
    assert set(SOURCES) == {"by_phone", "at_window", "on_visit"}
