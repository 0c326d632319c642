"""The ledger board: villages, dwellings and units with counts and states. Aggregates only; no person is read.

The area is the prefix of the division code and stands in every statement's WHERE. Dwellings that the address base has
dropped are not on the board; one that is lived in cannot be dropped.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, case, func, or_, select

from backend.db import db
from backend.domain.ledger import UNIT_STATES, as_of, coverage_percent
from backend.domain.spaces import AREA_PER_HEAD_M2
from backend.models.dwellings import AddressVersion, Dwelling
from backend.models.units import Unit
from backend.queries.pages import comes_after
from backend.queries.unit_facts import short_address
from backend.queries.unit_states import unit_states

DWELLINGS_PER_PAGE = 100
_ORDER = (
    Dwelling.division,
    Dwelling.road,
    func.length(Dwelling.door_no),
    Dwelling.door_no,
    Dwelling.building,
    Dwelling.id,
)
_ENROLLED = select(Unit.id).where(Unit.dwelling_id == Dwelling.id, Unit.landlord_id.is_not(None)).exists()


@dataclass(frozen=True)
class Counts:
    """Units by state, how many people are registered in them, and when that last changed or was last looked at."""

    units: int = 0
    residents: int = 0
    changed_at: datetime | None = None
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
    former_address: str | None = None
    retired_on: date | None = None


@dataclass(frozen=True)
class UnitRow:
    """One unit: its state and since when it is known, how many are registered, of how many it may hold.

    `headcount` is what the last visit counted, on the day of `headcount_at`.
    """

    id: str
    public_number: str
    label: str
    space_kind: str
    usable_area_m2: float
    capacity: int
    state: str
    registered: int
    overdue: int
    headcount: int | None
    headcount_at: datetime | None
    as_of: datetime


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


def get_board(area: str, today: date, *, area_per_head_m2: float = AREA_PER_HEAD_M2) -> Board:
    """Counts of every village of an area and of the area as a whole."""
    counts = _village_counts(area, today, area_per_head_m2)
    enrolled, in_area = case((_ENROLLED, 1), else_=0), Dwelling.division.startswith(area, autoescape=True)
    rental = case((or_(Dwelling.known_rental, _ENROLLED), 1), else_=0)
    grouped = db.session.execute(
        select(Dwelling.division, Dwelling.village, func.count(), func.sum(rental), func.sum(enrolled))
        .where(in_area, Dwelling.retired_on.is_(None))
        .group_by(Dwelling.division, Dwelling.village)
        .order_by(Dwelling.division, Dwelling.village)
    )
    villages = tuple(
        VillageRow(
            division, name, dwellings, rentals, known, counts.get((division, name), Counts()),
            coverage_percent(known, rentals),
        )
        for division, name, dwellings, rentals, known in grouped
    )  # fmt: skip
    total = _sum(village.counts for village in villages)
    rentals, known = sum(v.rentals for v in villages), sum(v.enrolled for v in villages)
    return Board(
        villages=villages,
        total=total,
        dwellings=sum(village.dwellings for village in villages),
        rentals=rentals,
        enrolled=known,
        coverage=coverage_percent(known, rentals),
        changed_at=total.changed_at,
    )


def list_dwellings(
    area: str,
    today: date,
    *,
    division: str | None = None,
    state: str | None = None,
    text: str = "",
    after: str | None = None,
    limit: int = DWELLINGS_PER_PAGE,
    area_per_head_m2: float = AREA_PER_HEAD_M2,
) -> tuple[DwellingRow, ...]:
    """A page of the dwellings of an area by address, those after the dwelling `after` where one is given.

    `state` keeps those with a unit in it, `text` a part of the address.
    """
    wishes: list[ColumnElement[bool]] = [Dwelling.retired_on.is_(None)]
    if division is not None:
        wishes.append(Dwelling.division == division)
    for word in text.split():
        columns = (Dwelling.road, Dwelling.door_no, Dwelling.building, Dwelling.village, Dwelling.former_address)
        wishes.append(or_(*(column.contains(word, autoescape=True) for column in columns)))
    if state is not None:
        states = unit_states(area, today, area_per_head_m2=area_per_head_m2, in_force=True)
        found = Dwelling.id.in_(select(states.c.dwelling_id).where(states.c.state == state))
        wishes.append(or_(~_ENROLLED, found) if state == "not_enrolled" else found)
    if after is not None:
        anchor = db.session.execute(select(*_ORDER).where(Dwelling.id == after)).first()
        if anchor is not None:
            wishes.append(comes_after(_ORDER, anchor))
    return _dwelling_rows(area, today, wishes, area_per_head_m2, limit)


def find_dwelling(
    area: str, dwelling_id: str, today: date, *, area_per_head_m2: float = AREA_PER_HEAD_M2
) -> DwellingRow | None:
    """One dwelling of the area, or None (not there, or elsewhere)."""
    rows = _dwelling_rows(area, today, [Dwelling.id == dwelling_id], area_per_head_m2, 1)
    return rows[0] if rows else None


def list_units(
    area: str, dwelling_id: str, today: date, *, area_per_head_m2: float = AREA_PER_HEAD_M2
) -> tuple[UnitRow, ...]:
    """The units of a dwelling of the area, by label."""
    facts = unit_states(area, today, area_per_head_m2=area_per_head_m2, dwelling_ids=[dwelling_id])
    rows = db.session.execute(
        select(Unit, facts, func.coalesce(AddressVersion.created_at, Dwelling.imported_at).label("base_at"))
        .join(facts, facts.c.unit_id == Unit.id)
        .join(Dwelling, Dwelling.id == Unit.dwelling_id)
        .outerjoin(AddressVersion, AddressVersion.number == Dwelling.seen_version)
        .where(Unit.dwelling_id == dwelling_id)
        .order_by(Unit.label)
    )
    return tuple(_unit_row(row.Unit, row) for row in rows)


def _unit_row(unit: Unit, row: Any) -> UnitRow:
    known = as_of(
        row.state, changed_at=row.changed_at, overdue_since=row.overdue_since, headcount_at=row.headcount_at,
        enrolled_at=unit.created_at, base_at=row.base_at,
    )  # fmt: skip
    return UnitRow(
        unit.id, unit.public_number, unit.label, unit.space_kind, unit.usable_area_m2, unit.capacity, row.state,
        row.registered, row.overdue, row.headcount, row.headcount_at, known,
    )  # fmt: skip


def find_division(kind: str, object_id: str) -> str | None:
    """Where a 'dwelling' or 'unit' lies, whatever the area: only to say whether it is outside."""
    statement: Select[str] = select(Dwelling.division)
    if kind == "unit":
        statement = statement.join(Unit, Unit.dwelling_id == Dwelling.id).where(Unit.id == object_id)
    else:
        statement = statement.where(Dwelling.id == object_id)
    return db.session.scalar(statement)


def _dwelling_rows(
    area: str, today: date, wishes: Iterable[ColumnElement[bool]], area_per_head_m2: float, limit: int
) -> tuple[DwellingRow, ...]:
    found = db.session.execute(
        select(Dwelling, _ENROLLED)
        .where(Dwelling.division.startswith(area, autoescape=True), *wishes)
        .order_by(*_ORDER)
        .limit(limit)
    ).all()
    facts = unit_states(area, today, area_per_head_m2=area_per_head_m2, dwelling_ids=[d.id for d, _ in found])
    grouped = db.session.execute(
        select(facts.c.dwelling_id, *_counted(facts)).group_by(facts.c.dwelling_id, facts.c.state)
    )
    counts: dict[str, Counts] = {}
    for dwelling_id, *numbers in grouped:
        counts[dwelling_id] = _sum((counts.get(dwelling_id, Counts()), _counts(*numbers)))
    return tuple(
        DwellingRow(
            d.id, d.division, short_address(d), d.road, d.known_rental, enrolled, counts.get(d.id, Counts()),
            d.former_address, d.retired_on,
        )
        for d, enrolled in found
    )  # fmt: skip


def _village_counts(area: str, today: date, area_per_head_m2: float) -> dict[tuple[str, str], Counts]:
    facts = unit_states(area, today, area_per_head_m2=area_per_head_m2, in_force=True)
    grouped = db.session.execute(
        select(facts.c.division, facts.c.village, *_counted(facts)).group_by(
            facts.c.division, facts.c.village, facts.c.state
        )
    )
    counts: dict[tuple[str, str], Counts] = {}
    for division, village, *numbers in grouped:
        counts[division, village] = _sum((counts.get((division, village), Counts()), _counts(*numbers)))
    return counts


def _counted(facts: Any) -> tuple[Any, ...]:
    return (
        facts.c.state, func.count(), func.sum(facts.c.registered), func.max(facts.c.changed_at),
        func.max(facts.c.headcount_at),
    )  # fmt: skip


def _counts(state: str, units: int, residents: int, changed_at: datetime | None, seen_at: datetime | None) -> Counts:
    latest = max((at for at in (changed_at, seen_at) if at is not None), default=None)
    return Counts(units, int(residents), latest, {**dict.fromkeys(UNIT_STATES, 0), state: units})


def _sum(parts: Iterable[Counts]) -> Counts:
    units, residents, by_state = 0, 0, dict.fromkeys(UNIT_STATES, 0)
    latest: datetime | None = None
    for part in parts:
        units, residents = units + part.units, residents + part.residents
        latest = max((at for at in (latest, part.changed_at) if at is not None), default=None)
        for state, number in part.by_state.items():
            by_state[state] += number
    return Counts(units, residents, latest, by_state)
