"""The ledger board: villages, dwellings and units with counts and states. Aggregates only; no person is read.

The area is the prefix of the division code and stands in every statement's WHERE. Dwellings that the address base has
dropped are not on the board; one that is lived in cannot be dropped. Villages and dwellings are counted from the
standings of their units, so that a question costs the same statements and the same rows however much is registered
elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, case, func, or_, select

from backend.db import db
from backend.domain.ledger import UNIT_STATES, as_of, coverage_percent, dwelling_state
from backend.domain.spaces import ASSUMED_STANDARD, SpaceStandard
from backend.models.dwellings import AddressVersion, Dwelling
from backend.models.standings import UnitStanding
from backend.models.units import Unit
from backend.queries.dwellings import says_address
from backend.queries.pages import comes_after
from backend.queries.unit_facts import short_address
from backend.queries.unit_states import lies_in, state_of, unit_states

DWELLINGS_PER_PAGE = 100
MOST_ROADS = 300
_ORDER = (
    Dwelling.division,
    Dwelling.road,
    func.length(Dwelling.door_no),
    Dwelling.door_no,
    Dwelling.building,
    Dwelling.id,
)
_ENROLLED = select(UnitStanding.unit_id).where(UnitStanding.dwelling_id == Dwelling.id, UnitStanding.enrolled).exists()


@dataclass(frozen=True)
class Wishes:
    """What a list of dwellings is narrowed to: a village, a unit's state, a road, a building, parts of an address."""

    division: str | None = None
    state: str | None = None
    road: str | None = None
    building: str | None = None
    text: str = ""


ANYTHING = Wishes()


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
class VillageName:
    """A village or community by its code."""

    division: str
    name: str


@dataclass(frozen=True)
class Place:
    """Where a dwelling stands, in the `datum` of the base; `outline` is a closed ring of (longitude, latitude)."""

    longitude: float
    latitude: float
    datum: str
    outline: tuple[tuple[float, float], ...] | None


@dataclass(frozen=True)
class DwellingRow:
    """One dwelling of the address base; not enrolled ones are on the board too. `state` stands for all its units."""

    id: str
    division: str
    address: str
    road: str
    known_rental: bool
    enrolled: bool
    counts: Counts
    former_address: str | None = None
    retired_on: date | None = None
    door: str = ""
    place: Place | None = None

    @property
    def state(self) -> str:
        """The state that stands for the dwelling on a map."""
        return dwelling_state(self.counts.by_state) if self.enrolled else "not_enrolled"


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


def get_board(area: str, today: date, *, standard: SpaceStandard = ASSUMED_STANDARD) -> Board:
    """Counts of every village of an area and of the area as a whole."""
    mine = (lies_in(UnitStanding.division, area), UnitStanding.in_force.is_(True))
    counts = _count_units(UnitStanding.division, today, standard, *mine)
    enrolled = case((_ENROLLED, 1), else_=0)
    rental = case((or_(Dwelling.known_rental, _ENROLLED), 1), else_=0)
    grouped = db.session.execute(
        select(Dwelling.division, func.max(Dwelling.village), func.count(), func.sum(rental), func.sum(enrolled))
        .where(lies_in(Dwelling.division, area), Dwelling.retired_on.is_(None))
        .group_by(Dwelling.division)
        .order_by(Dwelling.division)
    )
    villages = tuple(
        VillageRow(
            division, name, dwellings, rentals, known, counts.get(division, Counts()), coverage_percent(known, rentals)
        )
        for division, name, dwellings, rentals, known in grouped
    )
    return _board_of(villages)


def narrow_board(board: Board, division: str | None) -> Board:
    """The board of one of its villages; without a village the board as it is."""
    return board if division is None else _board_of(tuple(v for v in board.villages if v.division == division))


def list_villages(area: str) -> tuple[VillageName, ...]:
    """The villages of an area that the address base names, by code."""
    statement = select(Dwelling.division, func.max(Dwelling.village)).where(lies_in(Dwelling.division, area))
    rows = db.session.execute(statement.group_by(Dwelling.division).order_by(Dwelling.division))
    return tuple(VillageName(division, name) for division, name in rows)


def list_roads(area: str, division: str | None = None) -> tuple[str, ...]:
    """The roads of an area's dwellings, or of one village of it; at most `MOST_ROADS`."""
    statement = select(Dwelling.road).distinct().where(lies_in(Dwelling.division, division or area))
    return tuple(db.session.scalars(statement.order_by(Dwelling.road).limit(MOST_ROADS)))


def list_dwellings(
    area: str,
    today: date,
    wishes: Wishes = ANYTHING,
    *,
    after: str | None = None,
    limit: int = DWELLINGS_PER_PAGE,
    standard: SpaceStandard = ASSUMED_STANDARD,
) -> tuple[DwellingRow, ...]:
    """A page of the dwellings of an area by address, those after the dwelling `after` where one is given."""
    where = [Dwelling.retired_on.is_(None), *_conditions(area, today, wishes, standard)]
    if after is not None:
        anchor = db.session.execute(select(*_ORDER).where(Dwelling.id == after)).first()
        if anchor is not None:
            where.append(comes_after(_ORDER, anchor))
    return _dwelling_rows(area, today, where, standard, limit)


def find_dwelling(
    area: str, dwelling_id: str, today: date, *, standard: SpaceStandard = ASSUMED_STANDARD
) -> DwellingRow | None:
    """One dwelling of the area, or None (not there, or elsewhere)."""
    rows = _dwelling_rows(area, today, [Dwelling.id == dwelling_id], standard, 1)
    return rows[0] if rows else None


def list_units(
    area: str, dwelling_id: str, today: date, *, standard: SpaceStandard = ASSUMED_STANDARD
) -> tuple[UnitRow, ...]:
    """The units of a dwelling of the area, by label, counted from their registrations."""
    facts = unit_states(area, today, standard=standard, dwelling_ids=[dwelling_id])
    rows = db.session.execute(
        select(Unit, facts, func.coalesce(AddressVersion.created_at, Dwelling.imported_at).label("base_at"))
        .join(facts, facts.c.unit_id == Unit.id)
        .join(Dwelling, Dwelling.id == Unit.dwelling_id)
        .outerjoin(AddressVersion, AddressVersion.number == Dwelling.seen_version)
        .where(Unit.dwelling_id == dwelling_id)
        .order_by(func.length(Unit.label), Unit.label)
    )
    return tuple(_unit_row(row.Unit, row) for row in rows)


def find_division(kind: str, object_id: str) -> str | None:
    """Where a 'dwelling' or 'unit' lies, whatever the area: only to say whether it is outside."""
    statement: Select[str] = select(Dwelling.division)
    if kind == "unit":
        statement = statement.join(Unit, Unit.dwelling_id == Dwelling.id).where(Unit.id == object_id)
    else:
        statement = statement.where(Dwelling.id == object_id)
    return db.session.scalar(statement)


def _unit_row(unit: Unit, row: Any) -> UnitRow:
    known = as_of(
        row.state, changed_at=row.changed_at, overdue_since=row.overdue_since, headcount_at=row.headcount_at,
        enrolled_at=unit.created_at, base_at=row.base_at,
    )  # fmt: skip
    return UnitRow(
        unit.id, unit.public_number, unit.label, unit.space_kind, unit.usable_area_m2, unit.capacity, row.state,
        row.registered, row.headcount, row.headcount_at, known,
    )  # fmt: skip


def _conditions(area: str, today: date, wishes: Wishes, standard: SpaceStandard) -> Iterable[ColumnElement[bool]]:
    if wishes.division is not None:
        yield Dwelling.division == wishes.division
    if wishes.road is not None:
        yield Dwelling.road == wishes.road
    if wishes.building is not None:
        yield Dwelling.building == wishes.building
    yield from says_address(wishes.text)
    if wishes.state is not None:
        found = Dwelling.id.in_(
            select(UnitStanding.dwelling_id).where(
                lies_in(UnitStanding.division, wishes.division or area),
                state_of(UnitStanding, today, standard) == wishes.state,
            )
        )
        yield or_(~_ENROLLED, found) if wishes.state == "not_enrolled" else found


def _dwelling_rows(
    area: str, today: date, where: Iterable[ColumnElement[bool]], standard: SpaceStandard, limit: int
) -> tuple[DwellingRow, ...]:
    found = db.session.execute(
        select(Dwelling, _ENROLLED).where(lies_in(Dwelling.division, area), *where).order_by(*_ORDER).limit(limit)
    ).all()
    mine = UnitStanding.dwelling_id.in_([dwelling.id for dwelling, _ in found])
    counts = _count_units(UnitStanding.dwelling_id, today, standard, mine)
    return tuple(
        DwellingRow(
            d.id, d.division, short_address(d), d.road, d.known_rental, enrolled, counts.get(d.id, Counts()),
            d.former_address, d.retired_on, f"{d.door_no}{d.building}", _place(d),
        )
        for d, enrolled in found
    )  # fmt: skip


def _place(home: Dwelling) -> Place | None:
    if home.longitude is None or home.latitude is None:
        return None
    outline = tuple((point[0], point[1]) for point in home.outline) if home.outline else None
    return Place(home.longitude, home.latitude, home.datum or "", outline)


def _count_units(key: Any, today: date, standard: SpaceStandard, *where: ColumnElement[bool]) -> dict[str, Counts]:
    """Units by state for each value of the column `key`."""
    judged = (
        select(
            key.label("key"),
            state_of(UnitStanding, today, standard).label("state"),
            UnitStanding.registered,
            UnitStanding.changed_at,
            UnitStanding.headcount_at,
        )
        .where(*where)
        .subquery()
    )
    grouped = db.session.execute(
        select(
            judged.c.key, judged.c.state, func.count(), func.sum(judged.c.registered), func.max(judged.c.changed_at),
            func.max(judged.c.headcount_at),
        ).group_by(judged.c.key, judged.c.state)
    )  # fmt: skip
    found: dict[str, list[tuple[str, int, int, datetime | None]]] = {}
    for place, state, units, residents, *moments in grouped:
        found.setdefault(place, []).append((state, units, int(residents), _latest(moments)))
    return {place: _counts_of(parts) for place, parts in found.items()}


def _counts_of(parts: Sequence[tuple[str, int, int, datetime | None]]) -> Counts:
    by_state = {**dict.fromkeys(UNIT_STATES, 0), **{state: units for state, units, _, _ in parts}}
    return Counts(
        sum(by_state.values()),
        sum(residents for _, _, residents, _ in parts),
        _latest(changed_at for _, _, _, changed_at in parts),
        by_state,
    )


def _board_of(villages: tuple[VillageRow, ...]) -> Board:
    total = _sum([village.counts for village in villages])
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


def _sum(counts: Sequence[Counts]) -> Counts:
    return Counts(
        sum(part.units for part in counts),
        sum(part.residents for part in counts),
        _latest(part.changed_at for part in counts),
        {state: sum(part.by_state[state] for part in counts) for state in UNIT_STATES},
    )


def _latest(moments: Iterable[datetime | None]) -> datetime | None:
    return max((at for at in moments if at is not None), default=None)
