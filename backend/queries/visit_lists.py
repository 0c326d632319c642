"""Lists of visits as they are walked, and what makes a unit worth one: places, days and codes, no person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, and_, select

from backend.db import reading
from backend.domain.calendars import day_of
from backend.domain.spaces import SpaceStandard
from backend.domain.visits import grounds_of_unit, route_key
from backend.models.cases import Case
from backend.models.dwellings import Dwelling
from backend.models.officers import Officer
from backend.models.registrations import Headcount, Registration
from backend.models.units import Unit
from backend.models.visits import Visit
from backend.queries import duty_lists
from backend.queries.ledger import UnitRow, list_units
from backend.queries.letting_rights import is_right_unseen
from backend.queries.unit_facts import find_unit, short_address

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
    row = find_unit_row(area, unit_id, day_of(now), standard)
    if row is None:
        return ()
    late = duty_lists.list_overdue(area, now, unit_id=unit_id)
    unseen = is_right_unseen(area, unit_id, day_of(now))
    return grounds_of_unit(row.state, tuple(line.rule for line in late), unseen)


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
