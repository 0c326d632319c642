"""The ledger board: villages, dwellings and units with counts and states. Aggregates only; no person is read.

The area is the prefix of the division code and stands in every statement's WHERE.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, Subquery, case, func, or_, select

from backend.db import db
from backend.domain.ledger import UNIT_STATES, coverage_percent
from backend.models.dwellings import Dwelling
from backend.models.registrations import Registration
from backend.models.units import Unit
from backend.queries.unit_facts import short_address

MOST_DWELLINGS = 500


@dataclass(frozen=True)
class Counts:
    """Units by state, and how many people are registered in them."""

    units: int = 0
    residents: int = 0
    by_state: dict[str, int] = field(default_factory=lambda: dict.fromkeys(UNIT_STATES, 0))


@dataclass(frozen=True)
class VillageRow:
    """One village or community. `coverage` is in percent of the rentals known, None when none is known."""

    division: str
    name: str
    dwellings: int
    rentals: int
    enrolled: int
    counts: Counts
    coverage: float | None


@dataclass(frozen=True)
class DwellingRow:
    """One dwelling of the address base; not enrolled ones are on the board too."""

    id: str
    division: str
    address: str
    road: str
    known_rental: bool
    enrolled: bool
    counts: Counts


@dataclass(frozen=True)
class UnitRow:
    """One unit: its state and how many are registered, of how many it may hold."""

    id: str
    public_number: str
    label: str
    space_kind: str
    usable_area_m2: float
    capacity: int
    state: str
    registered: int
    overdue: int


@dataclass(frozen=True)
class Board:
    """The board of an area as of a moment; `changed_at` is the latest change of a registration in it."""

    villages: tuple[VillageRow, ...]
    total: Counts
    dwellings: int
    rentals: int
    enrolled: int
    coverage: float | None
    changed_at: datetime | None


def get_board(area: str, today: date) -> Board:
    """Counts of every village of an area and of the area as a whole."""
    rows = _dwelling_rows(area, today, ())
    villages: dict[tuple[str, str], list[DwellingRow]] = {}
    for name, row in rows:
        villages.setdefault((row.division, name), []).append(row)
    every = [row for _, row in rows]
    return Board(
        villages=tuple(_village(division, name, members) for (division, name), members in sorted(villages.items())),
        total=_sum(row.counts for row in every),
        dwellings=len(every),
        rentals=sum(_is_rental(row) for row in every),
        enrolled=sum(row.enrolled for row in every),
        coverage=coverage_percent(sum(r.enrolled for r in every), sum(_is_rental(r) for r in every)),
        changed_at=_changed_at(area),
    )


def list_dwellings(
    area: str, today: date, *, division: str | None = None, state: str | None = None, text: str = ""
) -> tuple[DwellingRow, ...]:
    """The dwellings of an area, by address; `state` keeps those with a unit in it, `text` a part of the address."""
    wishes: list[Any] = []
    if division is not None:
        wishes.append(Dwelling.division == division)
    for word in text.split():
        wishes.append(
            or_(
                *(
                    c.contains(word, autoescape=True)
                    for c in (Dwelling.road, Dwelling.door_no, Dwelling.building, Dwelling.village)
                )
            )
        )
    rows = [row for _, row in _dwelling_rows(area, today, wishes)]
    if state == "not_enrolled":
        rows = [row for row in rows if not row.enrolled or row.counts.by_state["not_enrolled"]]
    elif state is not None:
        rows = [row for row in rows if row.counts.by_state[state]]
    return tuple(rows[:MOST_DWELLINGS])


def find_dwelling(area: str, dwelling_id: str, today: date) -> DwellingRow | None:
    """One dwelling of the area, or None (not there, or elsewhere)."""
    rows = _dwelling_rows(area, today, [Dwelling.id == dwelling_id])
    return rows[0][1] if rows else None


def list_units(area: str, dwelling_id: str, today: date) -> tuple[UnitRow, ...]:
    """The units of a dwelling of the area, by label."""
    facts = _unit_states(area, today)
    rows = db.session.execute(
        select(
            Unit.id,
            Unit.public_number,
            Unit.label,
            Unit.space_kind,
            Unit.usable_area_m2,
            Unit.capacity,
            facts.c.state,
            facts.c.registered,
            facts.c.overdue,
        )
        .join(facts, facts.c.unit_id == Unit.id)
        .where(Unit.dwelling_id == dwelling_id)
        .order_by(Unit.label)
    )
    return tuple(UnitRow(*row) for row in rows)


def find_division(kind: str, object_id: str) -> str | None:
    """Where a 'dwelling' or 'unit' lies, whatever the area: only to say whether it is outside."""
    statement: Select[str] = select(Dwelling.division)
    if kind == "unit":
        statement = statement.join(Unit, Unit.dwelling_id == Dwelling.id).where(Unit.id == object_id)
    else:
        statement = statement.where(Dwelling.id == object_id)
    return db.session.scalar(statement)


def _dwelling_rows(area: str, today: date, wishes: Iterable[Any]) -> list[tuple[str, DwellingRow]]:
    dwellings = db.session.scalars(
        select(Dwelling)
        .where(Dwelling.division.startswith(area, autoescape=True), *wishes)
        .order_by(Dwelling.division, Dwelling.road, func.length(Dwelling.door_no), Dwelling.door_no, Dwelling.building)
    ).all()
    facts = _unit_states(area, today)
    grouped = db.session.execute(
        select(facts.c.dwelling_id, facts.c.state, func.count(), func.sum(facts.c.registered)).group_by(
            facts.c.dwelling_id, facts.c.state
        )
    )
    counts: dict[str, Counts] = {}
    for dwelling_id, state, units, residents in grouped:
        found = counts.get(dwelling_id, Counts())
        counts[dwelling_id] = Counts(
            found.units + units, found.residents + int(residents), {**found.by_state, state: units}
        )
    return [(d.village, _dwelling_row(d, counts.get(d.id, Counts()))) for d in dwellings]


def _dwelling_row(dwelling: Dwelling, counts: Counts) -> DwellingRow:
    enrolled = counts.units > counts.by_state["not_enrolled"]
    return DwellingRow(
        dwelling.id, dwelling.division, short_address(dwelling), dwelling.road, dwelling.known_rental, enrolled, counts
    )


def _unit_states(area: str, today: date) -> Subquery:
    """Every unit of the area with its state: the first of UNIT_STATES that fits."""
    declared = Registration.tenant_leg == "declared"
    overdue = (~declared) & (Registration.scope == "in_scope") & (Registration.tenant_due_on < today)
    living = (
        select(
            Registration.unit_id,
            func.sum(case((declared, 1), else_=0)).label("registered"),
            func.sum(case((overdue, 1), else_=0)).label("overdue"),
            func.sum(case((Registration.disputed, 1), else_=0)).label("disputed"),
        )
        .where(Registration.residence == "living")
        .group_by(Registration.unit_id)
        .subquery()
    )
    registered = func.coalesce(living.c.registered, 0)
    late = func.coalesce(living.c.overdue, 0)
    state = case(
        (Unit.landlord_id.is_(None), "not_enrolled"),
        (func.coalesce(living.c.disputed, 0) > 0, "disputed"),
        (late > 0, "overdue"),
        (registered > Unit.capacity, "over_capacity"),
        (registered > 0, "registered"),
        else_="no_one_registered",
    )
    return (
        select(
            Unit.id.label("unit_id"),
            Unit.dwelling_id,
            state.label("state"),
            registered.label("registered"),
            late.label("overdue"),
        )
        .join(Dwelling, Dwelling.id == Unit.dwelling_id)
        .outerjoin(living, living.c.unit_id == Unit.id)
        .where(Dwelling.division.startswith(area, autoescape=True))
        .subquery()
    )


def _village(division: str, name: str, rows: list[DwellingRow]) -> VillageRow:
    rentals, enrolled = sum(_is_rental(row) for row in rows), sum(row.enrolled for row in rows)
    return VillageRow(
        division,
        name,
        len(rows),
        rentals,
        enrolled,
        _sum(row.counts for row in rows),
        coverage_percent(enrolled, rentals),
    )


def _is_rental(row: DwellingRow) -> bool:
    return row.known_rental or row.enrolled


def _sum(parts: Iterable[Counts]) -> Counts:
    units, residents, by_state = 0, 0, dict.fromkeys(UNIT_STATES, 0)
    for part in parts:
        units, residents = units + part.units, residents + part.residents
        for state, number in part.by_state.items():
            by_state[state] += number
    return Counts(units, residents, by_state)


def _changed_at(area: str) -> datetime | None:
    return db.session.scalar(
        select(func.max(Registration.updated_at))
        .join(Unit, Unit.id == Registration.unit_id)
        .join(Dwelling, Dwelling.id == Unit.dwelling_id)
        .where(Dwelling.division.startswith(area, autoescape=True))
    )
