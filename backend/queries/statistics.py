"""Statistics of an area: sheets of counts, small ones withheld here already, so that no door ever holds them.

Every sheet has its totals; what is withheld in it cannot be subtracted back, nor with the sheets of wider or narrower
areas (domain.area_tables): everything is counted village by village, and somebody with a home in two villages in both.
A wide area is shown by street, a street by village. Nobody is named, and nothing a door has reported is counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median
from typing import Any

from sqlalchemy import ColumnElement, Date, Select, and_, case, distinct, func, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from backend.db import db
from backend.domain.area_tables import AreaTables, Cells, settle_together
from backend.domain.calendars import day_of, months_after, start_of
from backend.domain.persons import AGE_BANDS
from backend.domain.suppression import LEAST, Row, Shown
from backend.models.cases import Case
from backend.models.dwellings import Dwelling
from backend.models.identity_checks import IdentityCheck
from backend.models.persons import Person
from backend.models.registrations import AgeCount, Registration
from backend.models.units import Unit

MONTHS = 12
STREET_DIGITS, VILLAGE_DIGITS = 9, 12
METHODS = ("face", "network_identity", "window", "live_video", "attestation")


@dataclass(frozen=True)
class Sheet:
    """One table of counts; None is a withheld one. Labels are codes, months ('2026-11') or names of places.

    Totals are None where the sheet has none of that kind, and hold None where a total is withheld.
    """

    key: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cells: tuple[tuple[Shown, ...], ...]
    row_totals: tuple[Shown, ...] | None = None
    column_totals: tuple[Shown, ...] | None = None
    total: Shown = None

    def is_blank(self, row: int, column: int) -> bool:
        """Whether a cell says nothing rather than withholding something: the median of no review."""
        return self.columns[column] == "median_hours" and self.cells[row][0] == 0

    def column(self, name: str) -> tuple[Shown, ...]:
        """The cells below one column's label."""
        place = self.columns.index(name)
        return tuple(row[place] for row in self.cells)


class china_day(FunctionElement[date]):
    """The day in China on which a moment falls, on both databases. China has had one zone without summer time."""

    type = Date()
    inherit_cache = True


@compiles(china_day, "sqlite")
def _on_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    return f"date({compiler.process(element.clauses, **options)}, '+8 hours')"


@compiles(china_day, "postgresql")
def _on_postgresql(element: Any, compiler: Any, **options: Any) -> str:
    return f"(({compiler.process(element.clauses, **options)}) AT TIME ZONE 'Asia/Shanghai')::date"


def lives_there() -> ColumnElement[bool]:
    """Whether a registration counts as somebody who lives there now."""
    return and_(Registration.residence == "living", Registration.tenant_leg == "declared")


def find_sheet(key: str, area: str, today: date) -> Sheet | None:
    """One sheet of an area, or None when there is none of this key."""
    make = SHEETS.get(key)
    return make(area, today) if make else None


def list_sheets(area: str, today: date) -> dict[str, Sheet]:
    """All sheets of an area by key."""
    return {key: make(area, today) for key, make in SHEETS.items()}


def list_places(area: str) -> tuple[tuple[str, str], ...]:
    """(division, name) of the villages of an area that have a dwelling, by division."""
    rows = db.session.execute(
        select(Dwelling.division, func.min(Dwelling.village))
        .where(_inside(area), Dwelling.retired_on.is_(None))
        .group_by(Dwelling.division)
        .order_by(Dwelling.division)
    )
    return tuple((division, name) for division, name in rows)


def months_until(today: date, count: int = MONTHS) -> tuple[date, ...]:
    """The first days of the last `count` months, this one at the end."""
    first = today.replace(day=1)
    return tuple(months_after(first, -back) for back in range(count - 1, -1, -1))


def _moved(key: str, day: Any, *wishes: ColumnElement[bool]) -> Callable[[str, date], Sheet]:
    def make(area: str, today: date) -> Sheet:
        months = months_until(today)
        sums = [sum_if(and_(day >= first, day < months_after(first, 1), day <= today)) for first in months]
        tables = AreaTables(_count_registrations(sums, wishes).items(), len(months))
        return _by_place(key, area, [month_of(first) for first in months], tables)

    return make


def _states(area: str, today: date) -> Sheet:
    """Who lives there registered, and who should have declared by now."""
    return _by_place("states", area, ["registered", "overdue"], _people(today).states)


def _timeliness(area: str, today: date) -> Sheet:
    """Declarations by the month in which they were due (HK-15): in time, or later or not yet.

    Each of the two is withheld by itself; a month's sum is shown where both are.
    """
    months, due, declared = months_until(today), Registration.tenant_due_on, china_day(Registration.declared_at)
    owed = (Registration.scope == "in_scope", Registration.residence != "voided", due < today)
    in_time = and_(Registration.declared_at.is_not(None), declared <= due)
    rows = []
    for wanted in (in_time, ~in_time):
        sums = [sum_if(and_(due >= first, due < months_after(first, 1), wanted)) for first in months]
        rows.append(AreaTables(_count_registrations(sums, owed).items(), len(months)).row(area))
    cells = tuple(zip(rows[0].cells, rows[1].cells, strict=True))
    totals = (rows[0].total, rows[1].total)
    names = tuple(month_of(first) for first in months)
    return Sheet("timeliness", names, ("in_time", "late"), cells, tuple(map(_sum, cells)), totals, _sum(totals))


def _methods(area: str, today: date) -> Sheet:
    """Who was identified in the last twelve months, by the method; somebody with two methods counts in both."""
    homes = select(Registration.person_id, Dwelling.division).join(Unit, Unit.id == Registration.unit_id)
    lived = homes.join(Dwelling, Dwelling.id == Unit.dwelling_id).distinct().subquery()
    rows = db.session.execute(
        select(lived.c.division, IdentityCheck.method, func.count(distinct(IdentityCheck.person_id)))
        .join(lived, lived.c.person_id == IdentityCheck.person_id)
        .where(
            IdentityCheck.outcome == "pass",
            IdentityCheck.method.in_(METHODS),
            IdentityCheck.checked_at >= start_of(months_until(today)[0]),
        )
        .group_by(lived.c.division, IdentityCheck.method)
    )
    tables = AreaTables(_spread(rows.all(), METHODS).items(), len(METHODS))
    return _list("methods", METHODS, tables.row(area))


def _reviews(area: str, today: date) -> Sheet:
    """Identity reviews by the month of the decision: how many, and the median wait in whole hours.

    The median of a withheld number is withheld too: it would say that there were not that few.
    """
    months = [month_of(first) for first in months_until(today)]
    rows = db.session.execute(
        select(Case.area, Case.opened_at, Case.decided_at).where(
            Case.kind == "identity_review",
            Case.decided_by.is_not(None),
            Case.decided_at >= start_of(months_until(today)[0]),
        )
    )
    waits: dict[str, list[float]] = {month: [] for month in months}
    counted: Counter[tuple[str, str]] = Counter()
    for place, opened_at, decided_at in rows:
        assert decided_at is not None  # it was asked for above
        month = month_of(day_of(decided_at))
        counted[place, month] += 1
        if place.startswith(area):
            waits[month].append((decided_at - opened_at) / timedelta(hours=1))
    counts = _spread(((place, month, n) for (place, month), n in counted.items()), months)
    shown = AreaTables(counts.items(), len(months)).row(area)
    medians = [round(median(waits[month])) if count is not None and count >= LEAST else None
               for month, count in zip(months, shown.cells, strict=True)]  # fmt: skip
    cells = tuple(zip(shown.cells, medians, strict=True))
    return Sheet("reviews", tuple(months), ("decided", "median_hours"), cells, column_totals=(shown.total, None))


def _provinces(area: str, today: date) -> Sheet:
    """Who lives there registered, by the province of their household registration (its first two digits).

    The largest stand first; those withheld stand in the order of the codes, since their order would tell of them.
    """
    people = _people(today)
    shown = people.provinces.row(area)
    counts = {code: count for code, count in zip(people.codes, shown.cells, strict=True) if count != 0}
    codes = sorted(counts, key=lambda code: (-(counts[code] or 0), code))
    return _list("provinces", codes, Row(tuple(counts[code] for code in codes), shown.total))


def _ages(area: str, today: date) -> Sheet:
    """Who lives there registered, by age band, as the worker counted them last."""
    return _list("ages", AGE_BANDS, _people(today).ages.row(area))


@dataclass(frozen=True)
class _People:
    """Three sheets of the same people: what one withholds of their number, the others do too."""

    codes: tuple[str, ...]
    states: AreaTables
    provinces: AreaTables
    ages: AreaTables


def _people(today: date) -> _People:
    undeclared = and_(
        Registration.residence == "living", Registration.tenant_leg != "declared", Registration.scope == "in_scope"
    )
    sums = [sum_if(lives_there()), sum_if(and_(undeclared, Registration.tenant_due_on < today))]
    states = _count_registrations(sums, ())
    lived = _count_provinces()
    codes = tuple(sorted({code for _, code, _ in lived}))
    provinces = _spread(lived, codes)
    bands = db.session.execute(select(AgeCount.division, AgeCount.band, AgeCount.people))
    ages = _spread(bands.all(), AGE_BANDS)
    return _People(
        codes,
        *settle_together(
            lambda hidden: AreaTables(states.items(), 2, column=0, hidden=hidden),
            lambda hidden: AreaTables(provinces.items(), len(codes), hidden=hidden),
            lambda hidden: AreaTables(ages.items(), len(AGE_BANDS), hidden=hidden),
        ),
    )


def _count_provinces() -> list[tuple[str, str, int]]:
    """(division, first two digits, people) of who lives there registered."""
    province = func.substr(Person.hukou_division, 1, 2)
    rows = db.session.execute(
        _housed(select(Dwelling.division, province, func.count(distinct(Person.id))))
        .join(Person, Person.id == Registration.person_id)
        .where(lives_there(), Person.hukou_division.is_not(None))
        .group_by(Dwelling.division, province)
    )
    return [(division, code, people) for division, code, people in rows]


def _count_registrations(sums: Sequence[Any], wishes: Iterable[ColumnElement[bool]]) -> dict[str, Cells]:
    """Sums over registrations by the division they lie in."""
    rows = db.session.execute(
        _housed(select(Dwelling.division, *sums)).where(*wishes).group_by(Dwelling.division)
    )
    return {division: tuple(n or 0 for n in numbers) for division, *numbers in rows}


def _spread(rows: Iterable[Any], columns: Sequence[str]) -> dict[str, Cells]:
    """(division, column, count) as a row of all columns for each division."""
    found: dict[str, dict[str, int]] = {}
    for division, column, count in rows:
        found.setdefault(division, {})[column] = int(count)
    return {division: tuple(cells.get(column, 0) for column in columns) for division, cells in found.items()}


def _by_place(key: str, area: str, columns: Sequence[str], tables: AreaTables) -> Sheet:
    """The parts of an area with their sums: its streets, of a street the villages, of a village itself.

    A part without a dwelling in force is shown while it has numbers: the sums hold them.
    """
    digits = VILLAGE_DIGITS if len(area) >= STREET_DIGITS else STREET_DIGITS
    place = func.substr(Dwelling.division, 1, digits)
    name = Dwelling.village if digits == VILLAGE_DIGITS else Dwelling.street
    in_force = func.max(case((Dwelling.retired_on.is_(None), 1), else_=0))
    found = db.session.execute(
        select(place, func.min(name), in_force).where(_inside(area)).group_by(place).order_by(place)
    )
    parts = [(str(label), tables.row(code)) for code, label, stands in found if stands or tables.row(code).total != 0]
    whole = tables.row(area)
    return Sheet(
        key,
        tuple(label for label, _ in parts),
        tuple(columns),
        tuple(row.cells for _, row in parts),
        tuple(row.total for _, row in parts),
        whole.cells,
        whole.total,
    )


def _list(key: str, rows: Sequence[str], shown: Row) -> Sheet:
    return Sheet(key, tuple(rows), ("people",), tuple((n,) for n in shown.cells), column_totals=(shown.total,))


def _sum(counts: Sequence[Shown]) -> Shown:
    """The sum of what is shown, withheld where a part is: nothing is learnt from it."""
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None


def _housed(statement: Select[Any]) -> Select[Any]:
    return (
        statement.select_from(Registration)
        .join(Unit, Unit.id == Registration.unit_id)
        .join(Dwelling, Dwelling.id == Unit.dwelling_id)
    )


def _inside(area: str) -> ColumnElement[bool]:
    return Dwelling.division.startswith(area, autoescape=True)


def sum_if(condition: ColumnElement[bool]) -> Any:
    """How many rows fit a condition; NULL over no row."""
    return func.sum(case((condition, 1), else_=0))


def month_of(day: date) -> str:
    """A month as 2026-11."""
    return f"{day:%Y-%m}"


_DECLARED = (Registration.tenant_leg == "declared", Registration.residence != "voided")
SHEETS: Mapping[str, Callable[[str, date], Sheet]] = {
    "moved_in": _moved("moved_in", Registration.move_in_on, *_DECLARED),
    "moved_out": _moved("moved_out", Registration.moved_out_on, *_DECLARED),
    "states": _states,
    "timeliness": _timeliness,
    "methods": _methods,
    "reviews": _reviews,
    "provinces": _provinces,
    "ages": _ages,
}
