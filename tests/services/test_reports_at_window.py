"""Who has no phone hears the answer by letter, and rates it or says that it is not solved, by a clerk's hand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, select

from backend.db import db, transaction
from backend.domain.ids import new_id
from backend.models.audit import AuditLeaf
from backend.models.cases import CaseStep
from backend.models.visits import Visit as PlannedVisit
from backend.services.access_records import my_access_records
from backend.services.case_checks import check_case
from backend.services.cases import claim_case, decide_case
from backend.services.hands import Desk
from backend.services.letters import list_letters, print_letter_pdf
from backend.services.office_names import name_office
from backend.services.officer_sessions import begin_task
from backend.services.report_views import ReportView
from backend.services.reports import file_report, get_report, rate_report, reopen_report
from backend.services.visits import note_visit, plan_visit_of_case
from backend.services.window_files import look_at_file, look_at_report
from backend.services.window_visits import Visit, open_visit
from tests.printing.pdf_words import PdfReader
from tests.services import staff, stories
from tests.services.reporting_cases import WIRES, Crew, answer, case_of, make_crew
from tests.services.test_field_visits import refused
from tests.services.test_stays import ENTRY, Door

pytestmark = pytest.mark.usefixtures("core")


@dataclass
class Counter:
    """A clerk with somebody before them who has no phone and lives in the story's unit."""

    session: str
    visit: Visit
    unit_no: str

    @property
    def desk(self) -> Desk:
        """Where the clerk acts."""
        return Desk(self.session, self.visit.id)


def make_counter(world: Any) -> Counter:
    door = Door(world, stories.make_let_unit(world))
    door.declare()
    session = staff.make_session(world, "window_clerk", purpose="help_request")
    return Counter(session, open_visit(world, session_id=session, **ENTRY), WIRES["unit_no"])


def report_at(world: Any, counter: Counter) -> ReportView:
    return file_report(world, account_id=counter.visit.account_id, desk=counter.desk, **WIRES)


def look(world: Any, counter: Counter, reference: str) -> ReportView | None:
    return look_at_report(world, session_id=counter.session, visit=counter.visit, reference=reference)[1]


def test_the_file_says_nothing_of_reports_and_one_opens_when_the_person_asks_for_it(world: Any) -> None:
    counter = make_counter(world)
    report = report_at(world, counter)
    file = look_at_file(world, session_id=counter.session, visit=counter.visit, area=staff.STREET)
    assert report.reference not in repr(file)
    shown = look(world, counter, f" {report.reference.lower()} ")
    assert shown is not None and shown.id == report.id
    leaf = select(AuditLeaf).where(AuditLeaf.decision == "open_report")
    [written] = db.session.scalars(leaf).all()
    assert (written.subject_id, written.object_id, written.fields) == (
        counter.visit.person_id, report.id, ["report", "answer", "rating"],
    )  # fmt: skip
    [seen] = [one for one in my_access_records(world, account_id=counter.visit.account_id, limit=50).items
              if set(one.fields) & {"report", "answer", "rating"}]  # fmt: skip
    assert seen.action == "served_at_window"
    with refused("not_found"):
        look(world, counter, "AJ-20260101-0001")


def test_of_a_paper_form_no_report_is_shown_and_it_is_still_rated_and_reopened(world: Any) -> None:
    counter = make_counter(world)
    report = report_at(world, counter)
    answer(world, make_crew(world), report.reference)
    paper = open_visit(world, session_id=counter.session, **{**ENTRY, "channel": "paper"})
    named, shown = look_at_report(world, session_id=counter.session, visit=paper, reference=report.reference)
    assert (named, shown) == (report.id, None)
    leaf = select(AuditLeaf.fields).where(AuditLeaf.decision == "open_report")
    assert db.session.scalars(leaf).all() == [[]]
    again = reopen_report(world, account_id=paper.account_id, report_id=named, desk=Desk(counter.session, paper.id))
    assert again.state == "routed"


def test_the_answer_goes_out_as_a_letter_and_is_rated_at_the_window(world: Any) -> None:
    counter = make_counter(world)
    report = report_at(world, counter)
    answer(world, make_crew(world), report.reference)
    [letter] = [line for line in list_letters(staff.STREET) if line.kind == "report_answered"]
    pdf = print_letter_pdf(world, session_id=counter.session, letter_id=letter.id, language="zh")
    words = "".join(line.text for line in PdfReader(pdf).lines()).replace(" ", "")
    assert "已请电工更换线路并加装线管。" in words and "到窗口评价" in words
    shown = look(world, counter, report.reference)
    assert shown is not None
    assert (shown.reference, shown.state) == (report.reference, "answered")
    assert shown.may_rate and shown.may_reopen
    for _ in range(2):  # the same again changes nothing
        rated = rate_report(world, account_id=counter.visit.account_id, report_id=report.id, stars=4, reason="solved",
                            desk=counter.desk)  # fmt: skip
    assert (rated.state, rated.stars, rated.stars_reason) == ("rated", 4, "solved")
    steps = db.session.execute(
        select(CaseStep.actor, CaseStep.reason).where(CaseStep.action == "rate", CaseStep.case_id == report.id)
    ).all()
    assert [tuple(step) for step in steps] == [("officer", "solved")]
    leaves = select(AuditLeaf.decision).where(AuditLeaf.action == "served_at_window", AuditLeaf.object_kind == "case")
    assert "rate_report" in db.session.scalars(leaves).all()


def test_not_solved_goes_back_to_its_office_by_the_clerks_hand(world: Any) -> None:
    counter = make_counter(world)
    report = report_at(world, counter)
    answer(world, make_crew(world), report.reference)
    with refused("report.number"):
        reopen_report(world, account_id=counter.visit.account_id, report_id=report.id, words="打 13900000001",
                      desk=counter.desk)  # fmt: skip
    again = reopen_report(world, account_id=counter.visit.account_id, report_id=report.id, words="雨天又跳闸。",
                          desk=counter.desk)  # fmt: skip
    assert (again.state, again.is_reopened, case_of(report.reference).state) == ("routed", True, "routed")


def test_nobody_enters_the_rating_of_what_they_handled_themselves(world: Any) -> None:
    counter = make_counter(world)
    report = report_at(world, counter)
    crew = make_crew(world)
    answer(world, crew, report.reference)
    begin_task(world, session_id=crew.handler, purpose="help_request")
    own = open_visit(world, session_id=crew.handler, **ENTRY)
    said = {"account_id": own.account_id, "report_id": report.id, "desk": Desk(crew.handler, own.id)}
    with refused("report.own_work"):
        rate_report(world, stars=5, **said)
    assert reopen_report(world, **said).state == "routed", "against oneself anybody may write it down"


def test_another_persons_report_and_another_area_stay_closed_at_the_window(world: Any) -> None:
    story = stories.make_active(world)
    theirs = file_report(world, account_id=story.tenant, **WIRES)
    answer(world, make_crew(world), theirs.reference)
    session = staff.make_session(world, "window_clerk", purpose="help_request")
    other = {**ENTRY, "name": "吴友", "id_number": stories.CO_TENANT_NUMBER}
    visit = open_visit(world, session_id=session, **other)
    said = {"account_id": visit.account_id, "stars": 1}
    with refused("not_found"):
        rate_report(world, report_id=theirs.id, desk=Desk(session, visit.id), **said)
    with refused("not_found"):
        rate_report(world, report_id="nonsense", desk=Desk(session, visit.id), **said)
    far = staff.make_session(world, "window_clerk", area=staff.OTHER_STREET, purpose="help_request")
    away = open_visit(world, session_id=far, **ENTRY)
    with refused("area.foreign"):
        look_at_report(world, session_id=far, visit=away, reference=theirs.reference)
    with refused("area.foreign"):
        rate_report(world, account_id=away.account_id, report_id=theirs.id, stars=1, desk=Desk(far, away.id))


def plan_visit_of_report(world: Any) -> tuple[stories.Story, ReportView, Crew, str]:
    """A tenant's report that its handler has taken and plans to visit; the visit's id last."""
    story = stories.make_active(world)
    report = file_report(world, account_id=story.tenant, **WIRES)
    crew = make_crew(world)
    claim_case(world, session_id=crew.handler, reference=report.reference)
    planned = plan_visit_of_case(world, session_id=crew.handler, reference=report.reference,
                                 assignee_id=crew.handler_id, due_on=world.clock.today())  # fmt: skip
    return story, report, crew, planned


def test_a_visit_is_told_with_its_day_and_office_and_without_who_came_or_what_they_found(
    world: Any, clock: Any
) -> None:
    name_office(world, zh="太湖派出所", en="Taihu police station")
    story, report, crew, planned = plan_visit_of_report(world)
    before = get_report(world, account_id=story.tenant, report_id=report.id)
    assert "visit" not in [step.action for step in before.steps], "a plan is no visit"
    made_at = world.clock.now() + timedelta(minutes=5)
    clock.move(timedelta(minutes=9))
    note_visit(world, session_id=crew.handler, visit_id=planned, note_id=new_id(), outcome="met", visited_at=made_at)
    told = get_report(world, account_id=story.tenant, report_id=report.id)
    [visit] = [step for step in told.steps if step.action == "visit"]
    assert (visit.at, visit.office_zh, visit.office_en) == (made_at, "太湖派出所", "Taihu police station")
    badge = case_of(report.reference).assigned_to
    assert badge not in repr(told.steps) and "met" not in repr(told.steps)
    decide_case(world, session_id=crew.handler, reference=report.reference, decision="handled", reason="seen_on_site",
                answer_text="已看过线路。")  # fmt: skip
    check_case(world, session_id=crew.checker, reference=report.reference)
    actions = [step.action for step in get_report(world, account_id=story.tenant, report_id=report.id).steps]
    assert actions == ["report", "route", "claim", "visit", "decide", "answer"]


def test_a_visit_that_is_no_more_is_left_out(world: Any) -> None:
    story, report, crew, planned = plan_visit_of_report(world)
    note_visit(world, session_id=crew.handler, visit_id=planned, note_id=new_id(), outcome="met")
    with transaction() as session:
        session.execute(delete(PlannedVisit).where(PlannedVisit.id == planned))
    told = get_report(world, account_id=story.tenant, report_id=report.id)
    assert [step.action for step in told.steps] == ["report", "route", "claim"]


def words_of_letter(world: Any, session: str, language: str) -> str:
    letters = [line for line in list_letters(staff.STREET) if line.kind == "report_answered"]
    pdf = print_letter_pdf(world, session_id=session, letter_id=letters[-1].id, language=language)
    return " ".join(line.text for line in PdfReader(pdf).lines()).replace(" ", "")


def test_a_letter_offers_another_go_only_where_there_is_one(world: Any) -> None:
    counter = make_counter(world)
    report = report_at(world, counter)
    crew = make_crew(world)
    answer(world, crew, report.reference)
    first = words_of_letter(world, counter.session, "zh")
    assert "没有解决：30天内带证件到窗口，请重新办理一次" in first and "可以带证件到窗口评价" in first
    reopen_report(world, account_id=counter.visit.account_id, report_id=report.id, desk=counter.desk)
    answer(world, crew, report.reference)
    second = words_of_letter(world, counter.session, "zh")
    assert "重新办理一次" not in second and "30天" not in second and "可以带证件到窗口评价" in second
