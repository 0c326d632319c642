"""Lists of cases: references, kinds, addresses and dates. No person is read here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, case, func, select

from backend.db import db
from backend.domain.cases import OPEN_STATES, checked_kinds, urgent_kinds
from backend.models.cases import Case
from backend.models.dwellings import Dwelling
from backend.models.officers import Officer
from backend.models.units import Unit
from backend.queries.unit_facts import short_address

MOST = 200


@dataclass(frozen=True)
class CaseLine:
    """One case of a list. `place` is the address of its unit or dwelling, None when it is about neither."""

    reference: str
    kind: str
    state: str
    rule: str | None
    place: str | None
    opened_by: str
    opened_at: datetime
    due_at: datetime | None
    assigned_to: str | None
    assigned_badge: str | None
    decision: str | None
    decided_at: datetime | None
    call_due_at: datetime | None


def list_cases(
    area: str, kinds: Sequence[str], *, scope: str = "open", officer_id: str | None = None, kind: str | None = None
) -> tuple[CaseLine, ...]:
    """Cases of an area and of these kinds.

    'open' and 'mine' begin with requests for help, then the longest overdue; 'check' are those a supervisor has to
    look at; 'tell' those whose caller is to be told; 'done' the newest first.
    """
    statement = (
        select(Case, Unit, Dwelling, Officer.badge)
        .outerjoin(Unit, Unit.id == Case.unit_id)
        .outerjoin(Dwelling, Dwelling.id == Unit.dwelling_id)
        .outerjoin(Officer, Officer.id == Case.assigned_to)
        .where(Case.area.startswith(area, autoescape=True), Case.kind.in_(kinds))
        .limit(MOST)
    )
    if kind is not None:
        statement = statement.where(Case.kind == kind)
    if scope == "mine":
        statement = statement.where(Case.assigned_to == officer_id, Case.state.in_(OPEN_STATES))
    elif scope == "check":
        statement = statement.where(_waits_for_check()).order_by(Case.decided_at)
    elif scope == "tell":
        statement = statement.where(_waits_for_call()).order_by(Case.call_due_at, Case.decided_at)
    elif scope == "done":
        over = Case.state.not_in(OPEN_STATES) & ~_waits_for_check()
        statement = statement.where(over).order_by(Case.decided_at.desc())
    else:
        statement = statement.where(Case.state.in_(OPEN_STATES))
    statement = statement.order_by(_RANK, case((Case.due_at.is_(None), 1), else_=0), Case.due_at, Case.reference)
    rows = db.session.execute(statement).all()
    whole = _whole_dwellings([row[0] for row in rows if row[1] is None])
    return tuple(_line(*row, whole) for row in rows)


def _whole_dwellings(cases: Sequence[Case]) -> dict[str, str]:
    """The addresses of dwellings that cases without a unit are about, by id."""
    ids = [case.evidence["dwelling_id"] for case in cases if "dwelling_id" in case.evidence]
    found = db.session.scalars(select(Dwelling).where(Dwelling.id.in_(ids))) if ids else ()
    return {home.id: short_address(home) for home in found}


def count_cases(area: str, kinds: Sequence[str], officer_id: str, now: datetime) -> dict[str, int]:
    """How many cases are open, past their time, with this officer, waiting for a check, and for a call to a caller."""
    late = case((Case.due_at < now, 1), else_=0)
    mine = case((Case.assigned_to == officer_id, 1), else_=0)
    row = db.session.execute(
        select(func.count(), func.coalesce(func.sum(late), 0), func.coalesce(func.sum(mine), 0)).where(
            Case.area.startswith(area, autoescape=True), Case.kind.in_(kinds), Case.state.in_(OPEN_STATES)
        )
    ).one()
    of_area = select(func.count()).where(Case.area.startswith(area, autoescape=True), Case.kind.in_(kinds))
    return {
        "open": row[0],
        "late": int(row[1]),
        "mine": int(row[2]),
        "check": db.session.scalar(of_area.where(_waits_for_check())) or 0,
        "tell": db.session.scalar(of_area.where(_waits_for_call())) or 0,
    }


def find_neighbours(references: Sequence[str], reference: str) -> tuple[str | None, str | None]:
    """The references before and after one in a list, for going through a queue by keyboard."""
    if reference not in references:
        return None, references[0] if references else None
    at = list(references).index(reference)
    return (references[at - 1] if at else None), (references[at + 1] if at + 1 < len(references) else None)


def is_owed() -> ColumnElement[bool]:
    """Whether something is still to be done for a case: decided, checked, or a caller told."""
    return Case.state.in_(OPEN_STATES) | _waits_for_check() | _waits_for_call()


def _waits_for_check() -> ColumnElement[bool]:
    return (Case.state == "handled") & Case.kind.in_(checked_kinds())


def _waits_for_call() -> ColumnElement[bool]:
    return (Case.state == "checked") & Case.contact_sealed.is_not(None)


_RANK = case((Case.kind.in_(urgent_kinds()), 0), else_=1)


def _line(
    row: Case, unit: Unit | None, dwelling: Dwelling | None, badge: str | None, whole: dict[str, str]
) -> CaseLine:
    place = whole.get(row.evidence.get("dwelling_id", ""))
    if unit is not None and dwelling is not None:
        place = f"{short_address(dwelling)} {unit.label}"
    return CaseLine(
        row.reference,
        row.kind,
        row.state,
        row.rule,
        place,
        row.opened_by,
        row.opened_at,
        row.due_at,
        row.assigned_to,
        badge,
        row.decision,
        row.decided_at,
        row.call_due_at,
    )
