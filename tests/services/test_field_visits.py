"""Visits: a ground first, one plan, one note, a count the ledger compares, and the case that goes on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from backend.db import db
from backend.domain.calendars import day_of
from backend.domain.ids import new_id
from backend.domain.notices import NOTICES
from backend.domain.refusals import Refused
from backend.models.audit import AuditLeaf
from backend.models.registrations import Headcount, Registration
from backend.models.visits import Visit
from backend.queries import ledger
from backend.queries.visit_lists import list_of_case, list_round, list_visits
from backend.services.access_records import my_access_records
from backend.services.case_checks import assign_case, check_case, send_back_case
from backend.services.case_files import look_at_case
from backend.services.cases import claim_case, decide_case
from backend.services.consents import answer_consent
from backend.services.door_files import look_at_door_file, send_receipt_link
from backend.services.inbox import list_notices
from backend.services.messages import send_due_messages
from backend.services.officer_sessions import begin_task
from backend.services.registrations import check_out, declare
from backend.services.reports import file_report
from backend.services.visits import list_visitors, note_visit, plan_visit_of_case, plan_visit_of_unit, replan_visit
from backend.services.window_leases import take_lease
from backend.services.window_visits import get_visit, link_phone, open_visit
from tests.services import staff, stories
from tests.services.letting import make_seen
from tests.services.reporting_cases import VILLAGE, WIRES, case_of

pytestmark = pytest.mark.usefixtures("core")
STREET = staff.STREET


@dataclass
class Team:
    """Sessions of who plans, who walks and who checks."""

    planner: str
    walker: str
    walker_id: str
    checker: str
    other: staff.Staff

    @property
    def other_id(self) -> str:
        """The second grid worker."""
        return self.other.id


def make_team(world: Any) -> Team:
    people = {role: staff.make_officer(world, role, login=f"team-{role.replace('_', '-')}")
              for role in ("officer", "grid_worker", "supervisor")}  # fmt: skip
    other = staff.make_officer(world, "grid_worker", login="team-other")
    session = {role: staff.sign_in(world, person) for role, person in people.items()}
    for each in session.values():
        begin_task(world, session_id=each, purpose="visit")
    return Team(session["officer"], session["grid_worker"], people["grid_worker"].id, session["supervisor"], other)


def refused(code: str) -> Any:
    return pytest.raises(Refused, match=f"^{code}$")


def plan(world: Any, team: Team, unit_id: str, ground: str, **changes: Any) -> str:
    plan = {"assignee_id": team.walker_id, "due_on": world.clock.today(), **changes}
    return plan_visit_of_unit(world, session_id=team.planner, unit_id=unit_id, ground=ground, **plan)


def note(world: Any, team: Team, visit_id: str, outcome: str, **more: Any) -> None:
    values = {"note_id": new_id(), **more}
    note_visit(world, session_id=team.walker, visit_id=visit_id, outcome=outcome, **values)


def visit_of(visit_id: str) -> Visit:
    db.session.rollback()
    db.session.expire_all()
    return db.session.get_one(Visit, visit_id)


def case_of_visit(visit_id: str) -> Any:
    [reference] = {line.reference for scope in ("planned", "done", "withdrawn")
                   for line in list_visits(STREET, scope=scope) if line.id == visit_id}  # fmt: skip
    return case_of(reference)


def state_of(world: Any, story: stories.Story) -> str:
    db.session.rollback()
    rows = ledger.list_units(STREET, story.dwelling_id, world.clock.today())
    return next(row.state for row in rows if row.id == story.unit_id)


def test_nobody_is_visited_without_a_ground_that_is_true_of_the_unit(world: Any, clock: Any) -> None:
    story = stories.make_claimed(world)
    team = make_team(world)
    with refused("input.not_one_of"):
        plan(world, team, story.unit_id, "overdue")
    clock.move(timedelta(days=4))
    team = replace(team, planner=staff.make_session(world, "officer", STREET + "900"))
    visit = visit_of(plan(world, team, story.unit_id, "overdue"))
    with refused("field.planned"):
        plan(world, team, story.unit_id, "overdue")
    assert (visit.ground, visit.rule, visit.state) == ("overdue", "HK-15", "planned")
    case = case_of_visit(visit.id)
    assert (case.kind, case.state, case.assigned_to, case.rule) == ("visit", "assigned", team.walker_id, "HK-15")


def test_a_unit_where_all_is_in_order_is_left_alone(world: Any) -> None:
    story = stories.make_active(world)
    make_seen(world, story.unit_id)
    with refused("field.no_ground"):
        plan(world, make_team(world), story.unit_id, "overdue")
    assert db.session.scalar(select(func.count()).select_from(Visit)) == 0


def test_a_plan_says_all_its_faults_and_a_grid_worker_sends_herself_alone(world: Any) -> None:
    _, rooms = stories.make_dwelling(world)
    team = make_team(world)
    clerk = staff.make_officer(world, "window_clerk")
    with pytest.raises(Refused) as caught:
        plan(world, team, rooms[0], "not_enrolled", assignee_id=clerk.id, due_on=date(2026, 11, 22))
    assert [fault.code for fault in caught.value.refusals] == ["field.due", "field.assignee"]
    own = {"session_id": team.walker, "unit_id": rooms[0], "ground": "not_enrolled", "due_on": world.clock.today()}
    with refused("field.assignee"):
        plan_visit_of_unit(world, assignee_id=team.other_id, **own)
    plan_visit_of_unit(world, assignee_id=team.walker_id, **own)
    far = staff.make_session(world, "officer", staff.OTHER_STREET)
    with refused("area.foreign"):
        plan_visit_of_unit(world, **{**own, "session_id": far}, assignee_id=team.walker_id)
    assert {one.role for one in list_visitors(VILLAGE)} == {"grid_worker", "officer"}


def test_a_round_is_walked_in_the_order_of_the_houses(world: Any) -> None:
    team = make_team(world)
    for door in (10, 2, 1):
        _, rooms = stories.make_dwelling(world, door, 1)
        plan(world, team, rooms[0], "not_enrolled", due_on=world.clock.today() + timedelta(days=door == 1))
    assert [line.place for line in list_visits(STREET)] == ["陈塘村陈塘路2号 101室", "陈塘村陈塘路10号 101室",
                                                            "陈塘村陈塘路1号 101室"]  # fmt: skip
    today = list_round(STREET, team.walker_id, world.clock.today())
    assert [line.place[-8:] for line in today] == ["路2号 101室", "10号 101室"]
    assert list_round(STREET, team.other_id, world.clock.today()) == ()


def test_a_count_differs_on_the_ledger_until_the_people_are_registered(world: Any, clock: Any) -> None:
    story = stories.make_claimed(world)
    team = make_team(world)
    visit = plan(world, team, story.unit_id, "no_one_registered")
    clock.move(timedelta(minutes=9))
    begin = world.clock.now() - timedelta(minutes=5)
    note(world, team, visit, "counted", adults=2, children=1, visited_at=begin)
    row = visit_of(visit)
    assert (row.outcome, row.visited_at, row.noted_at) == ("counted", begin, world.clock.now())
    head = db.session.scalars(select(Headcount)).one()
    assert (head.people, head.adults, head.children, head.at) == (3, 2, 1, begin)
    assert state_of(world, story) == "headcount_differs"
    [line] = list_visits(STREET, scope="done")
    assert (line.adults, line.children) == (2, 1)


def test_an_empty_home_is_counted_as_nobody_and_other_outcomes_take_their_numbers(world: Any) -> None:
    _, rooms = stories.make_dwelling(world)
    team = make_team(world)
    visit = plan(world, team, rooms[0], "not_enrolled")
    for outcome, numbers, code in (
        ("counted", {}, "input.missing"), ("counted", {"adults": 1}, "input.missing"),
        ("met", {"adults": 100, "children": 0}, "field.count"), ("nobody_there", {"adults": 1}, "field.no_count"),
        ("gone", {}, "input.not_one_of"), ("registered", {}, "field.nothing_registered"),
    ):  # fmt: skip
        with refused(code):
            note(world, team, visit, outcome, **numbers)
    note(world, team, visit, "empty")
    assert db.session.scalars(select(Headcount.people)).all() == [0]


def test_the_same_note_counts_once_and_another_one_is_told_so(world: Any) -> None:
    _, rooms = stories.make_dwelling(world)
    team = make_team(world)
    visit, first = plan(world, team, rooms[0], "not_enrolled"), new_id()
    for _ in range(3):
        note(world, team, visit, "counted", adults=2, children=0, note_id=first)
    assert db.session.scalar(select(func.count()).select_from(Headcount)) == 1
    noted = select(func.count()).where(AuditLeaf.action == "visit_noted")
    assert db.session.scalar(noted) == 1
    with refused("field.done"):
        note(world, team, visit, "empty")
    assert [step.action for step in steps_of(world, team, visit)] == [
        "report", "route", "assign", "plan_visit", "visit", "decide",
    ]  # fmt: skip


def steps_of(world: Any, team: Team, visit_id: str) -> Any:
    reference = case_of_visit(visit_id).reference
    return look_at_case(world, session_id=team.checker, reference=reference).steps


def test_a_visit_given_to_somebody_else_is_noted_by_them_alone(world: Any) -> None:
    _, rooms = stories.make_dwelling(world)
    team = make_team(world)
    visit = plan(world, team, rooms[0], "not_enrolled")
    tomorrow = world.clock.today() + timedelta(days=1)
    for _ in range(2):
        replan_visit(world, session_id=team.planner, visit_id=visit, assignee_id=team.other_id, due_on=tomorrow)
    with refused("field.not_yours"):
        note(world, team, visit, "met")
    row = visit_of(visit)
    assert (row.assignee_id, row.due_on, case_of_visit(visit).assigned_to) == (team.other_id, tomorrow, team.other_id)
    far = staff.make_session(world, "grid_worker", staff.OTHER_STREET)
    with refused("area.foreign"):
        note_visit(world, session_id=far, visit_id=visit, note_id=new_id(), outcome="met")
    note(world, replace(team, walker=staff.sign_in(world, team.other)), visit, "met")
    with refused("field.done"):
        replan_visit(world, session_id=team.planner, visit_id=visit, assignee_id=team.walker_id, due_on=tomorrow)


def test_a_visits_own_case_is_handled_by_it_and_checked_by_a_supervisor(world: Any) -> None:
    _, rooms = stories.make_dwelling(world)
    team = make_team(world)
    visit = plan(world, team, rooms[0], "not_enrolled")
    note(world, team, visit, "nobody_there")
    case = case_of_visit(visit)
    assert (case.state, case.decision) == ("assigned", None)
    second = plan_visit_of_case(world, session_id=team.planner, reference=case.reference, assignee_id=team.walker_id,
                                due_on=world.clock.today())  # fmt: skip
    with refused("field.planned"):
        plan_visit_of_case(world, session_id=team.planner, reference=case.reference, assignee_id=team.walker_id,
                           due_on=world.clock.today())  # fmt: skip
    note(world, team, second, "met", adults=1, children=0)
    case = case_of_visit(second)
    assert (case.state, case.decision, case.decision_reason, case.decided_by) == (
        "handled", "handled", "reminded", team.walker_id)  # fmt: skip
    send_back_case(world, session_id=team.checker, reference=case.reference, reason="not_done")
    third = plan_visit_of_case(world, session_id=team.planner, reference=case.reference, assignee_id=team.walker_id,
                               due_on=world.clock.today())  # fmt: skip
    note(world, team, third, "met")
    check_case(world, session_id=team.checker, reference=case.reference)
    assert case_of(case.reference).state == "checked"
    assert [line.outcome for line in list_of_case(case.reference)] == ["nobody_there", "met", "met"]


def test_a_reported_matter_is_visited_decided_checked_and_answered(world: Any) -> None:
    story = stories.make_active(world)
    report = file_report(world, account_id=story.tenant, **WIRES)
    team = make_team(world)
    claim_case(world, session_id=team.planner, reference=report.reference)
    visit = plan_visit_of_case(world, session_id=team.planner, reference=report.reference, assignee_id=team.walker_id,
                               due_on=world.clock.today())  # fmt: skip
    assert visit_of(visit).ground == "reported"
    note(world, team, visit, "met")
    case = case_of(report.reference)
    assert case.state == "assigned" and case.assigned_to != team.walker_id
    decide_case(world, session_id=team.planner, reference=report.reference, decision="handled", reason="seen_on_site",
                answer_text="已上门查看并请电工处理。")  # fmt: skip
    check_case(world, session_id=team.checker, reference=report.reference)
    assert any(n.kind == "report_answered" for n in list_notices(world, account_id=story.tenant))


def test_a_visit_is_withdrawn_when_its_case_is_over(world: Any) -> None:
    story = stories.make_active(world)
    report = file_report(world, account_id=story.tenant, **WIRES)
    team = make_team(world)
    visit = plan_visit_of_case(world, session_id=team.planner, reference=report.reference, assignee_id=team.walker_id,
                               due_on=world.clock.today())  # fmt: skip
    assign_case(world, session_id=team.checker, reference=report.reference, officer_id=visit_of(visit).planned_by)
    decide_case(world, session_id=team.planner, reference=report.reference, decision="unfounded", reason="unfounded",
                answer_text="已电话核实。")  # fmt: skip
    assert visit_of(visit).state == "withdrawn"
    with refused("field.withdrawn"):
        note(world, team, visit, "met")
    with refused("field.no_ground"):
        plan_visit_of_case(world, session_id=team.planner, reference=report.reference, assignee_id=team.walker_id,
                           due_on=world.clock.today())  # fmt: skip


@pytest.fixture
def at_door(world: Any) -> tuple[stories.Story, Team, str, Any]:
    """A tenant who was invited and has done nothing, met at the door by a grid worker on a visit."""
    story = stories.make_invited(world)
    team = make_team(world)
    visit = plan(world, team, story.unit_id, "no_one_registered")
    desk = open_visit(world, session_id=team.walker, channel="window", document_seen=True, door_visit_id=visit,
                      name="周来福", id_type="111", id_number=stories.TENANT_NUMBER)  # fmt: skip
    return story, team, visit, desk


def test_a_tenant_registers_at_the_door_by_their_own_word_with_a_grid_workers_hand(world: Any, at_door: Any) -> None:
    story, team, visit, desk = at_door
    hand = desk.desk(team.walker)
    [offer] = look_at_door_file(world, session_id=team.walker, visit=desk, area=STREET).offers
    answer_consent(world, account_id=desk.account_id, purpose="registration_notice", given=True, desk=hand,
                   version=NOTICES["registration_notice"].version)  # fmt: skip
    home = take_lease(world, account_id=desk.account_id, lease_id=offer.lease_id, desk=hand).registration_id
    declare(world, account_id=desk.account_id, registration_id=home, move_in_on=day_of(world.clock.now()),
            hukou_division="341822", desk=hand)  # fmt: skip
    file = look_at_door_file(world, session_id=team.walker, visit=desk, area=STREET)
    assert file.agreed and not file.offers and [row.registration_id for row in file.tenancies] == [home]
    with refused("window.no_phone"):
        send_receipt_link(world, session_id=team.walker, visit=desk, registration_id=home)
    note(world, team, visit, "registered", adults=1, children=0)
    assert state_of(world, story) == "registered"
    assert db.session.get_one(Registration, home).declared_by == "window"
    actions = [item.action for item in my_access_records(world, account_id=desk.account_id).items]
    assert "served_at_door" in actions and "served_at_window" not in actions


def test_the_receipt_goes_to_a_phone_once(world: Any, at_door: Any) -> None:
    story, team, _visit, desk = at_door
    hand = desk.desk(team.walker)
    home = take_lease(world, account_id=desk.account_id, lease_id=story.lease_id, desk=hand).registration_id
    link_phone(world, account_id=desk.account_id, phone="19900009101", desk=hand)
    reached = replace(desk, has_phone=True)
    for _ in range(2):
        send_receipt_link(world, session_id=team.walker, visit=reached, registration_id=home)
    while send_due_messages(world):
        pass
    texts = [message.text for message in world.sms.messages() if home in message.text]
    assert len(texts) == 1 and "周来福" not in texts[0] and texts[0].count("/t/homes/") == 2


def test_at_a_door_only_this_unit_and_only_its_registration_is_dealt_with(world: Any, at_door: Any) -> None:
    story, team, _visit, desk = at_door
    hand = desk.desk(team.walker)
    with refused("field.act"):
        check_out(world, account_id=desk.account_id, registration_id=story.registration_id, reason="left_county",
                  moved_out_on=world.clock.today(), desk=hand)  # fmt: skip
    _, rooms = stories.make_dwelling(world, 2)
    next_door = plan(world, team, rooms[0], "not_enrolled")
    elsewhere = open_visit(world, session_id=team.walker, channel="window", document_seen=True,
                           door_visit_id=next_door, name="周来福", id_type="111",
                           id_number=stories.TENANT_NUMBER)  # fmt: skip
    with refused("field.elsewhere"):
        take_lease(world, account_id=desk.account_id, lease_id=story.lease_id, desk=elsewhere.desk(team.walker))
    assert look_at_door_file(world, session_id=team.walker, visit=elsewhere, area=STREET).offers == ()
    clerk = staff.make_session(world, "window_clerk", purpose="help_request")
    with refused("purpose.unfit"):
        look_at_door_file(world, session_id=clerk, visit=desk, area=STREET)


def test_a_desk_at_a_door_is_its_visitors_own_and_ends_with_the_visit(world: Any, at_door: Any) -> None:
    story, team, visit, desk = at_door

    def turned_away(session_id: str, code: str) -> None:
        with refused(code):
            get_visit(world, session_id=session_id, visit_id=desk.id)
        with refused(code):
            look_at_door_file(world, session_id=session_id, visit=desk, area=STREET)
        with refused(code):
            take_lease(world, account_id=desk.account_id, lease_id=story.lease_id, desk=desk.desk(session_id))

    turned_away(team.planner, "field.not_yours")
    assert get_visit(world, session_id=team.walker, visit_id=desk.id).account_id == desk.account_id
    note(world, team, visit, "nobody_there")
    turned_away(team.walker, "field.done")


def test_nobody_is_served_at_a_door_without_a_visit_of_ones_own(world: Any, at_door: Any) -> None:
    story, team, visit, _desk = at_door
    entry = {"channel": "window", "document_seen": True, "name": "周来福", "id_type": "111",
             "id_number": stories.TENANT_NUMBER}  # fmt: skip
    with refused("field.not_yours"):
        open_visit(world, session_id=team.planner, door_visit_id=visit, **entry)
    with refused("purpose.unfit"):
        open_visit(world, session_id=team.walker, **entry)
    note(world, team, visit, "met")
    with refused("field.done"):
        open_visit(world, session_id=team.walker, door_visit_id=visit, **entry)
