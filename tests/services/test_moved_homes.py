"""A house that comes to lie in another division takes with it what is still owed about it: to the office there."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from backend.db import db, transaction
from backend.domain.ids import new_id
from backend.domain.refusals import Refused
from backend.models.cases import Case
from backend.models.dwellings import Dwelling
from backend.models.letters import Letter
from backend.models.registrations import Registration
from backend.models.visits import Visit
from backend.queries.case_lists import list_cases
from backend.queries.visit_lists import list_of_unit, list_round
from backend.services.appointments import cancel_appointment, choose_slot, offered_slots
from backend.services.case_checks import check_case, send_back_case
from backend.services.case_files import look_at_case
from backend.services.cases import claim_case, decide_case
from backend.services.letter_rows import NewLetter, write_letter
from backend.services.letters import list_letters
from backend.services.officer_sessions import begin_task
from backend.services.reports import file_report, reopen_report
from backend.services.taken_reports import take_report
from backend.services.visits import note_visit, plan_visit_of_unit
from backend.services.voids import request_void
from tests.services import staff, stories
from tests.services.reporting_cases import WIRES, case_of
from tests.services.test_addresses import line, take
from tests.services.test_field_visits import make_team, note, plan, refused, visit_of

pytestmark = pytest.mark.usefixtures("core")
OLD, NEW = staff.STREET, staff.OTHER_STREET
THERE = "330522001900"


def move(world: Any, story: stories.Story, village: str = THERE) -> None:
    with transaction() as session:
        session.get_one(Dwelling, story.dwelling_id).address_code = "X1"
    assert take(world, line("X1", 1, village=village)).counts["renumbered"] == 1
    db.session.rollback()
    db.session.expire_all()


def session_there(world: Any, role: str = "officer", area: str = NEW, login: str = "new-street") -> str:
    session_id = staff.sign_in(world, staff.make_officer(world, role, area, f"{login}-{role.replace('_', '-')}"))
    begin_task(world, session_id=session_id, purpose="visit")
    return session_id


def void_request(world: Any) -> tuple[stories.Story, str]:
    story = stories.make_active(world)
    request_void(world, account_id=story.tenant, registration_id=story.registration_id, reason="entered_in_error")
    reference = db.session.scalars(select(Case.reference).where(Case.kind == "void_request")).one()
    return story, reference


def references(area: str, scope: str = "open") -> set[str]:
    return {one.reference for one in list_cases(area, ("void_request", "unsafe_dwelling", "visit"), scope=scope)}


def test_a_case_goes_with_its_house_and_whoever_had_taken_it_gives_it_back(world: Any) -> None:
    story, reference = void_request(world)
    old, new = session_there(world, area=OLD, login="old-street"), session_there(world)
    claim_case(world, session_id=old, reference=reference)
    move(world, story)
    with refused(r"area\.foreign"):
        look_at_case(world, session_id=old, reference=reference)
    with refused(r"area\.foreign"):
        decide_case(world, session_id=old, reference=reference, decision="voided", reason="papers_seen")
    assert (references(OLD), references(NEW)) == (set(), {reference})
    case = case_of(reference)
    assert (case.area, case.state, case.assigned_to) == (THERE, "routed", None)
    steps = look_at_case(world, session_id=new, reference=reference).steps
    assert [(step.action, step.reason) for step in steps][-2:] == [("route", "home_moved"), ("release", "home_moved")]
    claim_case(world, session_id=new, reference=reference)
    decide_case(world, session_id=new, reference=reference, decision="voided", reason="papers_seen")
    assert db.session.get_one(Registration, story.registration_id).residence == "voided"


def test_an_officer_of_the_county_keeps_the_case_of_a_house_that_moves_within_it(world: Any) -> None:
    story, reference = void_request(world)
    county = session_there(world, area="330522", login="county")
    claim_case(world, session_id=county, reference=reference)
    move(world, story)
    assert (case_of(reference).area, case_of(reference).state) == (THERE, "assigned")
    decide_case(world, session_id=county, reference=reference, decision="voided", reason="papers_seen")


def test_a_house_that_gets_another_door_in_its_village_leaves_everything_where_it_is(world: Any) -> None:
    story, reference = void_request(world)
    old = session_there(world, area=OLD, login="old-street")
    claim_case(world, session_id=old, reference=reference)
    before = case_of(reference).version
    with transaction() as session:
        session.get_one(Dwelling, story.dwelling_id).address_code = "X1"
    take(world, line("X1", 9))
    assert (case_of(reference).version, case_of(reference).state) == (before, "assigned")


def test_a_case_that_is_over_stays_with_the_office_that_handled_it(world: Any) -> None:
    story, reference = void_request(world)
    old = session_there(world, area=OLD, login="old-street")
    claim_case(world, session_id=old, reference=reference)
    decide_case(world, session_id=old, reference=reference, decision="kept", reason="unfounded")
    move(world, story)
    assert case_of(reference).area == "330522003900"


def test_a_planned_visit_is_made_by_the_new_office(world: Any, clock: Any) -> None:
    story = stories.make_claimed(world)
    clock.move(timedelta(days=4))
    team = make_team(world)
    visit = plan(world, team, story.unit_id, "overdue")
    move(world, story)
    assert list_round(OLD, team.walker_id, world.clock.today()) == ()
    row = visit_of(visit)
    assert (row.state, row.area) == ("withdrawn", "330522003900")
    far = staff.make_officer(world, "officer", NEW)
    session = staff.sign_in(world, far)
    again = plan_visit_of_unit(world, session_id=session, unit_id=story.unit_id, ground="overdue",
                               assignee_id=far.id, due_on=world.clock.today())  # fmt: skip
    [line_there] = list_of_unit(NEW, story.unit_id)
    assert (line_there.id, line_there.area) == (again, THERE)
    note_visit(world, session_id=session, visit_id=again, note_id=new_id(), outcome="met")
    assert references(NEW) == set() and references(NEW, "check") == {line_there.reference}


def test_a_planned_visit_stays_with_a_walker_whose_area_covers_the_new_place(world: Any, clock: Any) -> None:
    story = stories.make_claimed(world)
    clock.move(timedelta(days=4))
    walker = staff.make_officer(world, "grid_worker", "330522", "county-walker")
    visit = plan(world, make_team(world), story.unit_id, "overdue", assignee_id=walker.id)
    move(world, story)
    assert [one.id for one in list_round("330522", walker.id, world.clock.today())] == [visit]
    assert visit_of(visit).area == THERE


def test_letters_that_wait_are_printed_by_the_new_office_and_printed_ones_stay(world: Any) -> None:
    story = stories.make_active(world)
    person_id = db.session.get_one(Registration, story.registration_id).person_id or ""
    with transaction() as session:
        for marker in ("first", "second"):
            write_letter(world, session, NewLetter(person_id, "others_stay", marker, None, {}))
        first = session.scalars(select(Letter).where(Letter.once == "first")).one()
        first.printed_at = world.clock.now()
    move(world, story)
    assert (len(list_letters(OLD)), len(list_letters(OLD, printed=True))) == (0, 1)
    assert [one.kind for one in list_letters(NEW)].count("others_stay") == 1


def test_a_matter_of_the_dwelling_as_a_whole_goes_along_until_its_caller_was_told(world: Any) -> None:
    story = stories.make_active(world)
    old, new = session_there(world, area=OLD, login="old-street"), session_there(world)
    reference = take_report(world, session_id=old, kind="unsafe_dwelling", facts=("wires_bare",),
                            words="", dwelling_id=story.dwelling_id, source="by_phone", contact="19900001111")
    move(world, story)
    assert (references(OLD), references(NEW)) == (set(), {reference})
    handler, checker = session_there(world, "officer", NEW, "handler"), session_there(world, "supervisor", NEW)
    claim_case(world, session_id=handler, reference=reference)
    decide_case(world, session_id=handler, reference=reference, decision="handled", reason="seen_on_site",
                answer_text="已上门查看。")  # fmt: skip
    check_case(world, session_id=checker, reference=reference)
    move_back = take(world, line("X1", 1))
    assert move_back.counts["renumbered"] == 1
    assert references(OLD, "tell") == {reference} and references(NEW, "tell") == set()
    with pytest.raises(Refused, match=r"area\.foreign"):
        look_at_case(world, session_id=new, reference=reference)


def test_a_case_sent_back_does_not_return_to_a_handler_of_the_old_office(world: Any) -> None:
    story = stories.make_active(world)
    report = file_report(world, account_id=story.tenant, **WIRES)
    old, checker = session_there(world, area=OLD, login="old-street"), session_there(world, "supervisor", NEW)
    claim_case(world, session_id=old, reference=report.reference)
    decide_case(world, session_id=old, reference=report.reference, decision="handled", reason="seen_on_site",
                answer_text="已上门查看。")  # fmt: skip
    move(world, story)
    send_back_case(world, session_id=checker, reference=report.reference, reason="not_done")
    assert (case_of(report.reference).state, case_of(report.reference).assigned_to) == ("routed", None)


def test_a_report_opened_again_goes_to_the_office_where_the_house_now_lies(world: Any) -> None:
    story = stories.make_active(world)
    report = file_report(world, account_id=story.tenant, **WIRES)
    old, checker = session_there(world, area=OLD, login="old-street"), session_there(world, "supervisor", OLD)
    claim_case(world, session_id=old, reference=report.reference)
    decide_case(world, session_id=old, reference=report.reference, decision="handled", reason="seen_on_site",
                answer_text="已上门查看。")  # fmt: skip
    check_case(world, session_id=checker, reference=report.reference)
    move(world, story)
    reopen_report(world, account_id=story.tenant, report_id=report.id)
    assert (case_of(report.reference).area, case_of(report.reference).state) == (THERE, "routed")


def test_a_review_stays_where_the_person_is_expected_until_the_appointment_is_given_up(world: Any) -> None:
    story = stories.make_identified(world)
    slot = offered_slots(world, account_id=story.tenant)[0]
    choose_slot(world, account_id=story.tenant, way="window", starts_at=slot.starts_at)
    move(world, story)
    review = db.session.scalars(select(Case).where(Case.kind == "identity_review")).one()
    assert review.area == "330522003900"
    cancel_appointment(world, account_id=story.tenant)
    assert case_of(review.reference).area == THERE


def test_what_was_seen_before_the_house_moved_still_counts(world: Any, clock: Any) -> None:
    story = stories.make_claimed(world)
    clock.move(timedelta(days=4))
    team = make_team(world)
    visit = plan(world, team, story.unit_id, "overdue")
    clock.move(timedelta(minutes=9))
    seen = world.clock.now() - timedelta(minutes=5)
    move(world, story)
    note(world, team, visit, "counted", adults=2, children=0, visited_at=seen)
    assert (visit_of(visit).state, visit_of(visit).outcome) == ("done", "counted")
    assert db.session.scalars(select(Visit.state)).all() == ["done"]
