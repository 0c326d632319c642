"""Visits: planned from a case or from a unit with a ground, handed to somebody of the area, noted once.

A visit is its case's field work: it is written down as steps of that case. A case that was opened for the visit alone
is handled by what the visit found, and a supervisor checks it; any other case is decided by whoever has taken it.
"""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.db import reading, transaction
from backend.domain.cases import OPEN_STATES
from backend.domain.ids import is_id, new_id
from backend.domain.officers import covers
from backend.domain.refusals import Refusal, Refused
from backend.domain.visits import (
    GROUNDS,
    OUTCOMES,
    VISITORS,
    counted_people,
    decide_note,
    find_outcome_faults,
    find_plan_faults,
    ground_of_case,
    is_noted_in_time,
    noted_time,
)
from backend.gateways.world import World
from backend.models.cases import Case
from backend.models.officers import Officer
from backend.models.registrations import Headcount
from backend.models.units import Unit
from backend.models.visits import Visit
from backend.queries.ledger import find_division
from backend.queries.local_standards import standard_on
from backend.queries.visit_grounds import is_worth_a_visit
from backend.queries.visit_lists import find_withdrawal, has_registered, list_grounds
from backend.services.audit import write_leaf
from backend.services.case_checks import Handler
from backend.services.case_files import case_for
from backend.services.case_opening import open_case
from backend.services.case_steps import advance, note_step
from backend.services.disclosures import answer, judge_area, note_refusal
from backend.services.officer_sessions import Acting, acting_officer


def list_visitors(area: str) -> tuple[Handler, ...]:
    """Who may be sent to a door in an area: grid workers and officers whose area covers it, by badge."""
    with reading() as session:
        rows = session.scalars(
            select(Officer).where(Officer.role.in_(VISITORS), Officer.active).order_by(Officer.role, Officer.badge)
        )
        return tuple(Handler(row.id, row.badge, row.role) for row in rows if covers(row.area, area))


def plan_visit_of_unit(
    world: World, *, session_id: str, unit_id: str, ground: str, assignee_id: str, due_on: date | None
) -> str:
    """Plan a visit to a unit for one of its grounds; its open case of that ground, or a new one, goes to whoever goes.

    Answers the visit's id. Raises Refused with every fault of the plan, field.no_ground, field.planned, area.foreign
    (written down), not_found.
    """
    with transaction() as session:
        acting = acting_officer(world, session, session_id)
        area = find_division("unit", unit_id)
        outcome: Visit | Refusal | None = judge_area(acting, area)
        if outcome is None and area is not None:
            _require_plan(world, acting, area, assignee_id, due_on)
            outcome = _plan_of_unit(world, session, acting, unit_id, area, ground, assignee_id, due_on or date.max)
        note_refusal(world, session, acting, outcome, "unit", unit_id)
        visit_id = outcome.id if isinstance(outcome, Visit) else ""
    answer(outcome)
    return visit_id


def plan_visit_of_case(world: World, *, session_id: str, reference: str, assignee_id: str, due_on: date | None) -> str:
    """Plan the next visit of an open case about a unit; the case stays with whoever has it. Answers the visit's id.

    Raises Refused with every fault of the plan, field.planned, field.no_ground (no unit, over, or what it was about has
    come right meanwhile), area.foreign (written down), forbidden, not_found.
    """
    with transaction() as session:
        acting = acting_officer(world, session, session_id)
        case = case_for(session, acting, reference)
        outcome: Visit | Refusal = Refusal("field.no_ground") if isinstance(case, Case) else case
        if isinstance(case, Case) and case.unit_id is not None and case.state in OPEN_STATES:
            _require_plan(world, acting, case.area, assignee_id, due_on)
            outcome = _plan_of_case(world, session, acting, case, assignee_id, due_on or date.max)
        note_refusal(world, session, acting, outcome, "case", reference)
        visit_id = outcome.id if isinstance(outcome, Visit) else ""
    answer(outcome)
    return visit_id


def replan_visit(world: World, *, session_id: str, visit_id: str, assignee_id: str, due_on: date | None) -> None:
    """Give a planned visit another day or to somebody else; the same again changes nothing.

    Raises Refused with every fault of the plan, field.done, field.withdrawn, area.foreign (written down), not_found.
    """
    with transaction() as session:
        acting = acting_officer(world, session, session_id)
        outcome = visit_for(session, acting, visit_id)
        if isinstance(outcome, Visit) and outcome.state != "planned":
            outcome = Refusal(f"field.{outcome.state}")
        if isinstance(outcome, Visit):
            _require_plan(world, acting, outcome.area, assignee_id, due_on)
            _replan(world, session, acting, outcome, assignee_id, due_on or outcome.due_on)
        note_refusal(world, session, acting, outcome, "visit", visit_id)
    answer(outcome)


def note_visit(
    world: World,
    *,
    session_id: str,
    visit_id: str,
    note_id: str,
    outcome: str,
    adults: int | None = None,
    children: int | None = None,
    visited_at: datetime | None = None,
) -> None:
    """Note what came of one's own visit, and how many people were counted; the same `note_id` again changes nothing.

    `note_id` is a UUID made where the note was written, `visited_at` that phone's word. A visit made before it was
    withdrawn, or by whoever stood at the door when its ground went, counts as what it was. Raises Refused with every
    faulty field, field.done, field.withdrawn, field.not_yours, field.nothing_registered, area.foreign (written down).
    """
    faults = find_outcome_faults(outcome, adults, children)
    faults += [] if is_id(note_id) else [Refusal("input.wrong_type", "note_id", {"expected": "UUID"})]
    if faults:
        raise Refused.of(faults)
    with transaction() as session:
        acting = acting_officer(world, session, session_id)
        visit = visit_for(session, acting, visit_id)
        found = visit if isinstance(visit, Refusal) else None
        if isinstance(visit, Visit):
            made = noted_time(visited_at, visit.planned_at, world.clock.now())
            found = _judge_note(session, acting, visit, note_id, outcome, made)
        if isinstance(visit, Visit) and found is None and visit.note_id is None:
            visit.outcome, visit.note_id, visit.state = outcome, note_id, "done"
            visit.visited_at, visit.noted_at = made, world.clock.now()
            _count(session, acting, visit, counted_people(outcome, adults, children))
            _tell_case(world, session, acting, visit)
        note_refusal(world, session, acting, found, "visit", visit_id)
    answer(found)


def visit_for(session: Session, acting: Acting, visit_id: str) -> Visit | Refusal:
    """The visit, locked, when it lies in the officer's area."""
    visit = session.scalar(select(Visit).where(Visit.id == visit_id).with_for_update())
    if visit is None:
        return Refusal("not_found")
    return visit if covers(acting.officer.area, visit.area) else Refusal("area.foreign")


def _require_plan(world: World, acting: Acting, area: str, assignee_id: str, due_on: date | None) -> None:
    entitled = {one.id for one in list_visitors(area)}
    planner = acting.officer.role, acting.officer.id
    faults = find_plan_faults(due_on, world.clock.today(), planner, assignee_id, entitled)
    if faults:
        raise Refused.of(faults)


def _plan_of_unit(
    world: World, session: Session, acting: Acting, unit_id: str, area: str, ground: str, assignee_id: str, due_on: date
) -> Visit | Refusal:
    standard = standard_on(session, world.house, world.clock.today())
    grounds = list_grounds(acting.officer.area, unit_id, world.clock.now(), standard)
    if not grounds:
        return Refusal("field.no_ground")
    if ground not in grounds:
        raise Refused("input.not_one_of" if ground else "input.missing", "ground", allowed=grounds)
    session.get_one(Unit, unit_id, with_for_update=True)  # of two who plan the same at once, one does
    same = select(Visit.id).where(Visit.unit_id == unit_id, Visit.ground == ground, Visit.state == "planned")
    if session.scalar(same.limit(1)) is not None:
        return Refusal("field.planned")
    case = _find_case(session, unit_id, ground) or open_case(
        world,
        session,
        kind="visit",
        area=area,
        unit_id=unit_id,
        rule=GROUNDS[ground].rule,
        opened_by="officer",
        evidence={"ground": ground},
        actor=acting.actor,
    )
    _hand_to(world, session, acting, case, assignee_id)
    return _plan(world, session, acting, case, ground, assignee_id, due_on)


def _find_case(session: Session, unit_id: str, ground: str) -> Case | None:
    """The unit's open case of this ground, locked: nobody was there, or its visit was withdrawn, and it goes on."""
    known = select(Case).where(Case.unit_id == unit_id, Case.kind == "visit", Case.state.in_(OPEN_STATES))
    cases = session.scalars(known.order_by(Case.id).with_for_update())
    return next((case for case in cases if case.evidence.get("ground") == ground), None)


def _plan_of_case(
    world: World, session: Session, acting: Acting, case: Case, assignee_id: str, due_on: date
) -> Visit | Refusal:
    if session.scalar(select(Visit.id).where(Visit.case_id == case.id, Visit.state == "planned")) is not None:
        return Refusal("field.planned")
    standard = standard_on(session, world.house, world.clock.today())
    if not is_worth_a_visit(case.kind, case.evidence, case.unit_id or "", world.clock.now(), standard):
        return Refusal("field.no_ground")
    if case.kind == "visit":
        _hand_to(world, session, acting, case, assignee_id)
    ground = ground_of_case(case.kind, case.evidence)
    return _plan(world, session, acting, case, ground, assignee_id, due_on)


def _plan(
    world: World, session: Session, acting: Acting, case: Case, ground: str, assignee_id: str, due_on: date
) -> Visit:
    visit = Visit(
        id=new_id(),
        case_id=case.id,
        unit_id=case.unit_id,
        area=case.area,
        ground=ground,
        rule=case.rule or GROUNDS[ground].rule,
        assignee_id=assignee_id,
        due_on=due_on,
        planned_by=acting.officer.id,
        planned_at=world.clock.now(),
    )
    session.add(visit)
    session.flush()
    _step(world, session, acting, case, "plan_visit", ground)
    write_leaf(world, session, acting.actor, "visit_planned", object_kind="visit", object_id=visit.id)
    return visit


def _replan(world: World, session: Session, acting: Acting, visit: Visit, assignee_id: str, due_on: date) -> None:
    if (visit.assignee_id, visit.due_on) == (assignee_id, due_on):
        return
    visit.assignee_id, visit.due_on = assignee_id, due_on
    case = session.get_one(Case, visit.case_id, with_for_update=True)
    if case.kind == "visit":
        _hand_to(world, session, acting, case, assignee_id)
    _step(world, session, acting, case, "plan_visit", visit.ground)
    write_leaf(world, session, acting.actor, "visit_planned", object_kind="visit", object_id=visit.id)


def _hand_to(world: World, session: Session, acting: Acting, case: Case, officer_id: str) -> None:
    """A case that was opened for a visit lies with whoever makes it."""
    if case.assigned_to != officer_id:
        case.assigned_to, case.assigned_at, case.touched_at = officer_id, world.clock.now(), None
        advance(world, session, case, "assign", acting.actor)


def _judge_note(
    session: Session, acting: Acting, visit: Visit, note_id: str, outcome: str, made: datetime
) -> Refusal | None:
    if visit.note_id == note_id and visit.assignee_id == acting.officer.id:
        return None  # it has arrived before
    over = find_withdrawal(visit.id)
    in_time = over is not None and is_noted_in_time(made, over.at, over.reason)
    refusal = decide_note(visit.state, visit.assignee_id, acting.officer.id, in_time=in_time)
    if refusal is None and outcome == "registered" and not has_registered(visit.id):
        return Refusal("field.nothing_registered", "outcome")
    return refusal


def _count(session: Session, acting: Acting, visit: Visit, counted: tuple[int, int] | None) -> None:
    if counted is None or visit.visited_at is None:
        return
    adults, children = counted
    session.add(
        Headcount(
            id=new_id(),
            unit_id=visit.unit_id,
            people=adults + children,
            at=visit.visited_at,
            officer_id=acting.officer.id,
            case_id=visit.case_id,
            adults=adults,
            children=children,
        )
    )


def _tell_case(world: World, session: Session, acting: Acting, visit: Visit) -> None:
    """The outcome stands in the case's history; a case opened for the visit alone is handled by it."""
    case = session.get_one(Case, visit.case_id, with_for_update=True)
    outcome = visit.outcome or ""
    _step(world, session, acting, case, "visit", outcome)
    write_leaf(world, session, acting.actor, "visit_noted", object_kind="visit", object_id=visit.id, decision=outcome)
    decides = OUTCOMES[outcome].decides
    if case.kind != "visit" or decides is None or case.state not in OPEN_STATES:
        return
    case.decision, case.decision_reason = decides
    case.decided_by, case.decided_at = acting.officer.id, world.clock.now()
    action = "decide" if case.state == "assigned" else "settle"
    advance(world, session, case, action, acting.actor, reason=case.decision_reason)


def _step(world: World, session: Session, acting: Acting, case: Case, action: str, reason: str) -> None:
    case.version += 1
    note_step(world, session, case, action, acting.actor, reason=reason)
