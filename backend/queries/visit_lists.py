"""Lists of visits as they are walked, and what makes a unit worth one: places, days and codes, no person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select

from backend.db import reading
from backend.domain.cases import OPEN_STATES
from backend.domain.spaces import SpaceStandard
from backend.domain.visits import grounds_of_unit, route_key
from backend.models.cases import Case, CaseStep
from backend.models.dwellings import Dwelling
from backend.models.officers import Officer
from backend.models.registrations import Headcount, Registration
from backend.models.units import Unit
from backend.models.visits import Visit
from backend.queries.ledger import UnitRow, list_units
from backend.queries.unit_facts import find_unit, short_address
from backend.queries.visit_grounds import find_facts

MOST = 300


@dataclass(frozen=True)
class VisitLine:
    """One visit of a list. `place` is the address with the unit; `adults` and `children` are what it counted."""

    id: str
    unit_id: str
    public_number: str
    road: str
    place: str
    ground: str
    rule: str | None
    due_on: date
    state: str
    outcome: str | None
    visited_at: datetime | None
    noted_at: datetime | None
    assignee_id: str
    badge: str
    reference: str
    case_state: str
    area: str
    adults: int | None
    children: int | None


def list_visits(area: str, *, assignee_id: str | None = None, scope: str = "planned") -> tuple[VisitLine, ...]:
    """Visits of an area, of one visitor where one is named: 'planned' day by day as walked, 'done' newest first."""
    wishes = [Visit.area.startswith(area, autoescape=True), Visit.state == scope]
    if assignee_id is not None:
        wishes.append(Visit.assignee_id == assignee_id)
    if scope == "planned":
        return _lines(wishes, Visit.due_on, Visit.id)
    return _lines(wishes, Visit.noted_at.desc(), Visit.id, walked=False)


def list_round(area: str, assignee_id: str, today: date) -> tuple[VisitLine, ...]:
    """Today's round of one visitor: what is due or late, as it is walked, whatever the day it was due."""
    lines = list_visits(area, assignee_id=assignee_id)
    due = [line for line in lines if line.due_on <= today]
    return tuple(sorted(due, key=lambda line: route_key(line.road, line.place)))


def list_of_case(reference: str) -> tuple[VisitLine, ...]:
    """The visits of a case, the first first."""
    return _lines([Case.reference == reference], Visit.planned_at, Visit.id, walked=False)


def list_of_unit(area: str, unit_id: str) -> tuple[VisitLine, ...]:
    """The planned visits to a unit of the area."""
    in_area = Visit.area.startswith(area, autoescape=True)
    return _lines([Visit.unit_id == unit_id, in_area, Visit.state == "planned"], Visit.due_on, Visit.id)


def find_visit(area: str, visit_id: str) -> VisitLine | None:
    """One visit of the area, or None (not there, or elsewhere)."""
    found = _lines([Visit.id == visit_id, Visit.area.startswith(area, autoescape=True)], Visit.id)
    return found[0] if found else None


def find_visit_area(visit_id: str) -> str | None:
    """Where a visit lies, whatever the area: only to say whether it is outside."""
    with reading() as session:
        return session.scalar(select(Visit.area).where(Visit.id == visit_id))


def has_registered(visit_id: str) -> bool:
    """Whether somebody has declared in the visited unit since the visit was planned."""
    found = (
        select(Registration.id)
        .join(Visit, Visit.unit_id == Registration.unit_id)
        .where(Visit.id == visit_id, Registration.declared_at >= Visit.planned_at)
    )
    with reading() as session:
        return session.scalar(found.limit(1)) is not None


def find_unit_row(area: str, unit_id: str, today: date, standard: SpaceStandard) -> UnitRow | None:
    """A unit of the area as its board shows it, or None."""
    unit = find_unit(unit_id)
    if unit is None:
        return None
    rows = list_units(area, unit.dwelling_id, today, standard=standard)
    return next((row for row in rows if row.id == unit_id), None)


def list_grounds(area: str, unit_id: str, now: datetime, standard: SpaceStandard) -> tuple[str, ...]:
    """The grounds (keys of domain.visits.GROUNDS) on which a unit of the area may be visited now."""
    found = find_facts(area, unit_id, now, standard)
    if found is None:
        return ()
    state, signs, rules = found
    covered = [sign for sign in signs if sign != "no_one_registered"]  # what a state says of an empty home is enough
    return grounds_of_unit(state, covered, rules)


@dataclass(frozen=True)
class Withdrawal:
    """When a visit was withdrawn, and why where it was for a reason of its own (a key of domain.visits.WITHDRAWN)."""

    at: datetime
    reason: str | None


def find_withdrawal(visit_id: str) -> Withdrawal | None:
    """When and why a visit was withdrawn, by itself or with its case; None while it is not."""
    steps = _withdrawing(select(CaseStep.at, CaseStep.action, CaseStep.reason)).where(Visit.id == visit_id)
    with reading() as session:
        row = session.execute(steps.order_by(CaseStep.version).limit(1)).one_or_none()
    return None if row is None else Withdrawal(row.at, row.reason if row.action == "withdraw_visit" else None)


def list_withdrawn(area: str, assignee_id: str, since: datetime) -> tuple[VisitLine, ...]:
    """Visits of one visitor that nobody has to make any more, withdrawn since a moment."""
    found = _withdrawing(select(Visit.id)).where(Visit.assignee_id == assignee_id, CaseStep.at >= since)
    return _lines([Visit.area.startswith(area, autoescape=True), Visit.id.in_(found)], Visit.id)


def _withdrawing(statement: Any) -> Any:
    """The steps of its case with which a withdrawn visit was withdrawn, or that came later."""
    over = or_(CaseStep.action == "withdraw_visit", CaseStep.state.not_in(OPEN_STATES))
    return (
        statement.select_from(Visit)
        .join(CaseStep, CaseStep.case_id == Visit.case_id)
        .where(Visit.state == "withdrawn", CaseStep.at >= Visit.planned_at, over)
    )


def _lines(wishes: Sequence[ColumnElement[bool]], *order: object, walked: bool = True) -> tuple[VisitLine, ...]:
    counted = and_(Headcount.case_id == Visit.case_id, Headcount.at == Visit.visited_at)
    statement = (
        select(Visit, Unit, Dwelling, Officer.badge, Case.reference, Case.state, Headcount.adults, Headcount.children)
        .join(Unit, Unit.id == Visit.unit_id)
        .join(Dwelling, Dwelling.id == Unit.dwelling_id)
        .join(Officer, Officer.id == Visit.assignee_id)
        .join(Case, Case.id == Visit.case_id)
        .outerjoin(Headcount, counted)
        .where(*wishes)
        .order_by(*order)  # type: ignore[arg-type]
        .limit(MOST)
    )
    with reading() as session:
        lines = [_line(*row) for row in session.execute(statement)]
    return tuple(sorted(lines, key=_walk) if walked else lines)


def _walk(line: VisitLine) -> tuple[object, ...]:
    return line.due_on, *route_key(line.road, line.place)


def _line(
    visit: Visit,
    unit: Unit,
    home: Dwelling,
    badge: str,
    reference: str,
    case_state: str,
    adults: int | None,
    children: int | None,
) -> VisitLine:
    place = f"{short_address(home)} {unit.label}"
    return VisitLine(
        visit.id, unit.id, unit.public_number, home.road, place, visit.ground, visit.rule, visit.due_on, visit.state,
        visit.outcome, visit.visited_at, visit.noted_at, visit.assignee_id, badge, reference, case_state, visit.area,
        adults, children,
    )  # fmt: skip
