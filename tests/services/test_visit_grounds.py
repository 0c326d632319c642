"""A visit lives as long as its ground: one case for it, none where it has gone; what was seen before still counts."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from backend.db import db, transaction
from backend.models.cases import Case
from backend.models.registrations import Registration
from backend.queries.local_standards import get_standard
from backend.queries.visit_lists import find_withdrawal, list_grounds, list_round, list_visits, list_withdrawn
from backend.services.case_files import look_at_case
from backend.services.cases import claim_case
from backend.services.duties import keep_duties
from backend.services.housekeeping import OFTEN, keep_house
from backend.services.registration_changes import open_registration_case
from backend.services.registrations import declare
from backend.services.visits import plan_visit_of_case
from backend.services.window_visits import open_visit
from tests.services import letting, staff, stories
from tests.services.reporting_cases import case_of
from tests.services.test_field_visits import Team, case_of_visit, make_team, note, plan, refused, visit_of
from tests.services.test_statistics import births, settle

pytestmark = pytest.mark.usefixtures("core")
STREET = staff.STREET


@pytest.fixture
def late(world: Any, clock: Any) -> tuple[stories.Story, Team]:
    """A tenant who is late with the declaration, and who sees to it."""
    story = stories.make_identified(world)
    letting.make_seen(world, story.unit_id)
    clock.move(timedelta(days=4))
    return story, make_team(world)


def declare_late(world: Any, story: stories.Story) -> None:
    declare(world, account_id=story.tenant, registration_id=story.registration_id, hukou_division="341822",
            move_in_on=world.clock.today() - timedelta(days=4))  # fmt: skip
    keep_house(world, OFTEN)


def grounds(world: Any, unit_id: str) -> tuple[str, ...]:
    standard = get_standard(world.house, world.clock.today())
    return list_grounds(STREET, unit_id, world.clock.now(), standard)


def plan_case(world: Any, team: Team, reference: str) -> str:
    return plan_visit_of_case(world, session_id=team.planner, reference=reference, assignee_id=team.walker_id,
                              due_on=world.clock.today())  # fmt: skip


def test_nobody_there_three_times_is_one_case(world: Any, late: Any) -> None:
    story, team = late
    visits = [plan(world, team, story.unit_id, "overdue")]
    for _ in range(3):
        note(world, team, visits[-1], "nobody_there")
        visits.append(plan(world, team, story.unit_id, "overdue"))
    note(world, team, visits[-1], "met")
    cases = db.session.scalars(select(Case)).all()
    assert [(case.kind, case.state, case.decision) for case in cases] == [("visit", "handled", "handled")]
    assert {visit_of(visit).case_id for visit in visits} == {cases[0].id}


def test_another_ground_of_the_unit_is_another_case(world: Any, late: Any) -> None:
    story, team = late
    settle(world, story.unit_id, births(1990, 5))
    assert grounds(world, story.unit_id) == ("overdue", "over_capacity")
    first, second = (plan(world, team, story.unit_id, ground) for ground in ("overdue", "over_capacity"))
    assert visit_of(first).case_id != visit_of(second).case_id


def test_a_visit_whose_ground_has_gone_is_withdrawn_with_its_case_and_nobody_has_to_check_it(
    world: Any, late: Any
) -> None:
    story, team = late
    visit = plan(world, team, story.unit_id, "overdue")
    declare_late(world, story)
    assert grounds(world, story.unit_id) == ()
    assert list_round(STREET, team.walker_id, world.clock.today()) == ()
    case = case_of_visit(visit)
    assert (case.state, case.decision, case.decided_by) == ("checked", "handled", None)
    steps = look_at_case(world, session_id=team.checker, reference=case.reference).steps
    assert [(step.action, step.reason) for step in steps][-3:] == [
        ("withdraw_visit", "ground_gone"), ("settle", "ground_gone"), ("check", None),
    ]  # fmt: skip
    over = find_withdrawal(visit)
    assert over is not None and over.reason == "ground_gone"
    assert [line.id for line in list_withdrawn(STREET, team.walker_id, over.at)] == [visit]
    before = case.version
    keep_house(world, OFTEN)
    assert case_of(case.reference).version == before


def test_a_visit_whose_ground_holds_stays(world: Any, late: Any) -> None:
    story, team = late
    visit = plan(world, team, story.unit_id, "overdue")
    keep_house(world, OFTEN)
    assert visit_of(visit).state == "planned"


def test_a_ground_that_another_state_covers_holds(world: Any, late: Any) -> None:
    """A unit that is too full stays so when somebody in it is late as well: the ledger shows the latter alone."""
    story, team = late
    settle(world, story.unit_id, births(1990, 5))
    visit = plan(world, team, story.unit_id, "over_capacity")
    keep_house(world, OFTEN)
    assert visit_of(visit).state == "planned"


def test_a_visit_made_before_its_ground_had_gone_counts_though_its_note_comes_later(
    world: Any, clock: Any, late: Any
) -> None:
    story, team = late
    visit = plan(world, team, story.unit_id, "overdue")
    clock.move(timedelta(minutes=8))
    seen = world.clock.now() - timedelta(minutes=3)
    declare_late(world, story)
    note(world, team, visit, "counted", adults=1, children=0, visited_at=seen)
    [line] = list_visits(STREET, scope="done")
    assert (line.id, line.visited_at, line.adults, case_of_visit(visit).state) == (visit, seen, 1, "checked")


def test_who_stands_at_the_door_while_somebody_declares_notes_it(world: Any, clock: Any, late: Any) -> None:
    story, team = late
    visit = plan(world, team, story.unit_id, "overdue")
    declare_late(world, story)
    clock.move(timedelta(minutes=5))
    note(world, team, visit, "registered")
    assert visit_of(visit).outcome == "registered"


def test_a_visit_made_long_after_its_ground_had_gone_is_not_noted(world: Any, clock: Any, late: Any) -> None:
    story, team = late
    visit = plan(world, team, story.unit_id, "overdue")
    declare_late(world, story)
    clock.move(timedelta(hours=3))
    again = replace(team, walker=staff.make_session(world, "grid_worker", STREET + "900"))
    with refused(r"field\.withdrawn"):
        note(world, again, visit, "met")


def test_while_somebody_is_served_at_the_door_its_visit_stays(world: Any, late: Any) -> None:
    """The declaration at the door takes the ground away, and there is more to do there."""
    story, team = late
    visit = plan(world, team, story.unit_id, "overdue")
    open_visit(world, session_id=team.walker, channel="window", document_seen=True, door_visit_id=visit,
               name="周来福", id_type="111", id_number=stories.TENANT_NUMBER)  # fmt: skip
    declare_late(world, story)
    assert visit_of(visit).state == "planned"
    note(world, team, visit, "registered")


def test_the_visit_of_a_case_goes_with_what_the_case_is_about_and_the_case_stays(
    world: Any, clock: Any, late: Any
) -> None:
    story, team = late
    clock.move(timedelta(days=10))
    team = make_team_again(world, team)
    while keep_duties(world):
        pass
    reference = db.session.scalars(select(Case.reference).where(Case.kind == "overdue_registration")).one()
    claim_case(world, session_id=team.planner, reference=reference)
    visit = plan_case(world, team, reference)
    keep_house(world, OFTEN)
    assert visit_of(visit).state == "planned"
    declare(world, account_id=story.tenant, registration_id=story.registration_id, hukou_division="341822",
            move_in_on=world.clock.today() - timedelta(days=4))  # fmt: skip
    while keep_duties(world):
        pass
    keep_house(world, OFTEN)
    assert (visit_of(visit).state, case_of(reference).state) == ("withdrawn", "assigned")
    with refused(r"field\.no_ground"):
        plan_case(world, team, reference)


def make_team_again(world: Any, team: Team) -> Team:
    """The same people, signed in anew: the days between have ended their sessions."""
    planner = staff.make_session(world, "officer", STREET + "900", "visit")
    checker = staff.make_session(world, "supervisor", STREET + "900", "visit")
    return replace(team, planner=planner, checker=checker)


def test_those_who_stay_are_the_ground_of_their_own_visit(world: Any) -> None:
    story = stories.make_active(world)
    team = make_team(world)
    with transaction() as session:
        head = session.get_one(Registration, story.registration_id)
        evidence = {"question": "lease_of_those_who_stay", "people": "2"}  # as it was written before it had a ground
        case = open_registration_case(world, session, head, kind="visit", rule="HR-8", opened_by="rule",
                                      evidence=evidence)  # fmt: skip
        reference = case.reference
    with refused(r"field\.no_ground"):
        plan_case(world, team, reference)
    [along] = settle(world, story.unit_id, births(1990, 1), household_of_id=story.registration_id, relation="spouse")
    with transaction() as session:
        head = session.get_one(Registration, story.registration_id)
        head.residence, head.moved_out_on, head.moved_out_reason = "moved_out", world.clock.today(), "left_county"
    visit = plan_case(world, team, reference)
    assert (visit_of(visit).ground, visit_of(visit).rule) == ("others_stay", "HR-8")
    keep_house(world, OFTEN)
    assert visit_of(visit).state == "planned"
    with transaction() as session:
        row = session.get_one(Registration, along)
        row.residence, row.moved_out_on, row.moved_out_reason = "moved_out", world.clock.today(), "left_county"
    keep_house(world, OFTEN)
    assert visit_of(visit).state == "withdrawn"
