"""Discrepancies of an area: dwellings whose facts do not agree, with the rule and the case that is open. Nameless."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Date, Select, and_, func, literal, select

from backend.db import reading
from backend.domain.calendars import start_of
from backend.domain.cases import OPEN_STATES
from backend.domain.discrepancies import DISCREPANCIES, Discrepancy
from backend.domain.ids import is_id
from backend.domain.spaces import SpaceStandard, most_persons
from backend.models.cases import Case
from backend.models.dwellings import Dwelling
from backend.models.leases import Lease
from backend.models.registrations import Registration
from backend.models.standings import UnitStanding
from backend.models.units import Unit
from backend.queries.letting_rights import unseen_units
from backend.queries.pages import comes_after
from backend.queries.unit_facts import short_address
from backend.queries.unit_states import is_crowded, lies_in
from backend.queries.visit_grounds import list_true_grounds

MOST = 100


@dataclass(frozen=True)
class DiscrepancyLine:
    """One discrepancy of one unit: since when, by how much, and the open case that deals with it.

    `people` and `most` are counts, given where too many live there. `may_visit` tells that the dwelling may be visited
    for it: a duty whose time is not over yet is a discrepancy, and no ground.
    """

    kind: str
    unit_id: str
    place: str
    label: str
    since: date | None
    people: int | None
    most: int | None
    case_reference: str | None
    may_visit: bool

    @property
    def cursor(self) -> str:
        """Where a list goes on behind this line."""
        return f"{self.since}_{self.unit_id}"


def read_cursor(text: str) -> tuple[date, str] | None:
    """(since, unit_id) of a line's cursor; None for anything else."""
    day, _, unit_id = text.partition("_")
    try:
        return (date.fromisoformat(day), unit_id) if is_id(unit_id) else None
    except ValueError:
        return None


def count_discrepancies(area: str, today: date, standard: SpaceStandard) -> dict[str, int]:
    """How many of each kind there are in an area."""
    with reading() as session:
        return {
            kind: session.scalar(select(func.count()).select_from(_rows(kind, area, today, standard).subquery())) or 0
            for kind in DISCREPANCIES
        }


def list_discrepancies(
    area: str,
    today: date,
    standard: SpaceStandard,
    kind: str,
    *,
    after: tuple[date, str] | None = None,
    limit: int = MOST,
) -> tuple[DiscrepancyLine, ...]:
    """The longest standing ones of a kind; those behind (since, unit_id) `after`, the last one seen."""
    statement = _rows(kind, area, today, standard)
    order = (statement.selected_columns.since, Unit.id)
    if after is not None:
        statement = statement.where(comes_after(order, after))
    with reading() as session:
        found = session.execute(statement.order_by(*order).limit(limit)).all()
        homes = {
            unit.id: (unit, dwelling)
            for unit, dwelling in session.execute(
                select(Unit, Dwelling)
                .join(Dwelling, Dwelling.id == Unit.dwelling_id)
                .where(Unit.id.in_([row.unit_id for row in found]))
            )
        }
        cases = _open_cases(session, DISCREPANCIES[kind], homes)
        grounds = list_true_grounds(start_of(today), standard, Unit.id.in_(list(homes)))
        return tuple(_line(kind, row, *homes[row.unit_id], standard, cases, grounds) for row in found)


def crowded_units(area: str, standard: SpaceStandard) -> Select[Any]:
    """(unit_id, since, people) of the units of an area in which more people live than the standard allows (HR-7)."""
    return select(
        UnitStanding.unit_id, _day_of(UnitStanding.changed_at).label("since"), UnitStanding.registered.label("people")
    ).join(Unit, Unit.id == UnitStanding.unit_id).where(
        lies_in(UnitStanding.division, area), is_crowded(UnitStanding, standard)
    )  # fmt: skip


def _rows(kind: str, area: str, today: date, standard: SpaceStandard) -> Select[Any]:
    if kind == "over_capacity":
        return crowded_units(area, standard)
    if kind == "right_unseen":
        return unseen_units(today, lies_in(Dwelling.division, area))
    since, condition = _conditions(today)[kind]
    return (
        select(Registration.unit_id, since.label("since"), literal(None).label("people"))
        .join(Unit, Unit.id == Registration.unit_id)
        .join(Dwelling, Dwelling.id == Unit.dwelling_id)
        .outerjoin(Lease, Lease.id == Registration.lease_id)
        .where(lies_in(Dwelling.division, area), Registration.residence == literal("living", literal_execute=True))
        .where(condition)
    )


def _conditions(today: date) -> dict[str, tuple[Any, ColumnElement[bool]]]:
    """kind → since when, and which registrations of people who live there it is true of."""
    in_scope = Registration.scope == "in_scope"
    declared = Registration.tenant_leg == "declared"
    return {
        "unreported": (
            _day_of(Registration.declared_at),
            and_(in_scope, declared, Registration.landlord_leg == "due", Registration.landlord_due_on.is_not(None)),
        ),
        "undeclared": (
            Registration.tenant_due_on,
            and_(in_scope, ~declared, Registration.tenant_due_on < today),
        ),
        "lease_over": (Lease.ends_on, and_(declared, Lease.state == "active", Lease.ends_on < today)),
        "disputed": (_day_of(Registration.updated_at), Registration.disputed.is_(True)),
    }


def _day_of(moment: Any) -> Any:
    return func.date(moment, type_=Date)


def _open_cases(session: Any, row: Discrepancy, unit_ids: Iterable[str]) -> dict[str, str]:
    """By unit the open case; of visits, which have many grounds, that by the same rule."""
    same = [Case.rule == row.rule] if row.case_kind == "visit" else []
    rows = session.execute(
        select(Case.unit_id, Case.reference)
        .where(Case.unit_id.in_(list(unit_ids)), Case.kind == row.case_kind, Case.state.in_(OPEN_STATES), *same)
        .order_by(Case.reference.desc())
    )
    return {row.unit_id: row.reference for row in rows}


def _line(
    kind: str,
    row: Any,
    unit: Unit,
    dwelling: Dwelling,
    standard: SpaceStandard,
    cases: dict[str, str],
    grounds: dict[str, set[str]],
) -> DiscrepancyLine:
    most = None
    if kind == "over_capacity":
        most = min(unit.capacity, most_persons(unit.space_kind, unit.usable_area_m2, standard))
    may_visit = DISCREPANCIES[kind].ground in grounds.get(unit.id, ())
    return DiscrepancyLine(
        kind, unit.id, short_address(dwelling), unit.label, row.since, row.people, most, cases.get(unit.id), may_visit
    )
