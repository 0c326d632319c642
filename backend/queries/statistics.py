"""Statistics of an area: sheets of counts, small ones withheld here already, so that no door ever holds them.

Every sheet has its totals; what is withheld in it cannot be subtracted back (domain.suppression). A wide area is shown
by street, a street by village. Nobody is named, and nothing a door has reported is counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median
from typing import Any

from sqlalchemy import ColumnElement, Date, Select, and_, case, distinct, func, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from backend.db import db
from backend.domain.calendars import day_of, months_after, start_of
from backend.domain.persons import AGE_BANDS
from backend.domain.suppression import LEAST, Shown, suppress_row, suppress_table
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
        return _by_place(key, area, [month_of(first) for first in months], sums, wishes)

    return make


def _states(area: str, today: date) -> Sheet:
    """Who lives there registered, and who should have declared by now."""
    living = Registration.residence == "living"
    undeclared = and_(living, Registration.tenant_leg != "declared", Registration.scope == "in_scope")
    sums = [sum_if(lives_there()), sum_if(and_(undeclared, Registration.tenant_due_on < today))]
    return _by_place("states", area, ["registered", "overdue"], sums, ())


def _timeliness(area: str, today: date) -> Sheet:
    """Declarations by the month in which they were due (HK-15): in time, or later or not yet."""
    months, due, declared = months_until(today), Registration.tenant_due_on, china_day(Registration.declared_at)
    owed = (Registration.scope == "in_scope", Registration.residence != "voided", due < today)
    in_time, cells = and_(Registration.declared_at.is_not(None), declared <= due), []
    for first in months:
        within = and_(due >= first, due < months_after(first, 1))
        cells += [sum_if(and_(within, in_time)), sum_if(and_(within, ~in_time))]
    row = db.session.execute(_of_area(select(*cells), area).where(*owed)).one()
    pairs = [(row[2 * n] or 0, row[2 * n + 1] or 0) for n in range(len(months))]
    return _table("timeliness", [month_of(first) for first in months], ["in_time", "late"], pairs)


def _methods(area: str, today: date) -> Sheet:
    """Who was identified in the last twelve months, by the method; somebody with two methods counts in both."""
    people = select(Registration.person_id).join(Unit).join(Dwelling).where(_inside(area))
    rows = db.session.execute(
        select(IdentityCheck.method, func.count(distinct(IdentityCheck.person_id)))
        .where(
            IdentityCheck.outcome == "pass",
            IdentityCheck.method.in_(METHODS),
            IdentityCheck.checked_at >= start_of(months_until(today)[0]),
            IdentityCheck.person_id.in_(people),
        )
        .group_by(IdentityCheck.method)
    )
    return _list("methods", METHODS, dict(rows.all()))


def _reviews(area: str, today: date) -> Sheet:
    """Identity reviews by the month of the decision: how many, and the median wait in whole hours."""
    months = months_until(today)
    waits: dict[str, list[float]] = {month_of(first): [] for first in months}
    rows = db.session.execute(
        select(Case.opened_at, Case.decided_at).where(
            Case.kind == "identity_review",
            Case.decided_by.is_not(None),
            Case.decided_at >= start_of(months[0]),
            Case.area.startswith(area, autoescape=True),
        )
    )
    for opened_at, decided_at in rows:
        if decided_at is not None:
            waits[month_of(day_of(decided_at))].append((decided_at - opened_at) / timedelta(hours=1))
    counts = suppress_row([len(found) for found in waits.values()])
    medians = [round(median(found)) if len(found) >= LEAST else None for found in waits.values()]
    cells = tuple(zip(counts.cells, medians, strict=True))
    return Sheet("reviews", tuple(waits), ("decided", "median_hours"), cells, column_totals=(counts.total, None))


def _provinces(area: str, today: date) -> Sheet:
    """Who lives there registered, by the province of their household registration (its first two digits)."""
    province = func.substr(Person.hukou_division, 1, 2)
    rows = db.session.execute(
        _of_area(select(province, func.count(distinct(Person.id))), area)
        .join(Person, Person.id == Registration.person_id)
        .where(lives_there(), Person.hukou_division.is_not(None))
        .group_by(province)
    )
    counts: dict[str, int] = dict(rows.all())
    return _list("provinces", sorted(counts, key=lambda code: (-counts[code], code)), counts)


def _ages(area: str, today: date) -> Sheet:
    """Who lives there registered, by age band, as the worker counted them last."""
    rows = db.session.execute(
        select(AgeCount.band, func.sum(AgeCount.people))
        .where(AgeCount.division.startswith(area, autoescape=True))
        .group_by(AgeCount.band)
    )
    return _list("ages", AGE_BANDS, dict(rows.all()))


def _by_place(
    key: str, area: str, columns: Sequence[str], sums: Sequence[Any], wishes: Iterable[ColumnElement[bool]]
) -> Sheet:
    digits = VILLAGE_DIGITS if len(area) >= STREET_DIGITS else STREET_DIGITS
    place = func.substr(Dwelling.division, 1, digits)
    name = Dwelling.village if digits == VILLAGE_DIGITS else Dwelling.street
    names = db.session.execute(
        select(place, func.min(name))
        .where(_inside(area), Dwelling.retired_on.is_(None))
        .group_by(place)
        .order_by(place)
    )
    counted = db.session.execute(_of_area(select(place, *sums), area).where(*wishes).group_by(place))
    counts = {code: tuple(n or 0 for n in numbers) for code, *numbers in counted}
    places: dict[str, str] = dict(names.all())
    none = (0,) * len(sums)
    return _table(key, [str(each) for each in places.values()], columns, [counts.get(code, none) for code in places])


def _table(key: str, rows: Sequence[str], columns: Sequence[str], counts: Sequence[Sequence[int]]) -> Sheet:
    shown = suppress_table(counts)
    totals = shown.column_totals or (0,) * len(columns)
    return Sheet(key, tuple(rows), tuple(columns), shown.cells, shown.row_totals, totals, shown.total)


def _list(key: str, rows: Sequence[str], counts: Mapping[str, int]) -> Sheet:
    shown = suppress_row([int(counts.get(code, 0)) for code in rows])
    return Sheet(key, tuple(rows), ("people",), tuple((n,) for n in shown.cells), column_totals=(shown.total,))


def _of_area(statement: Select[Any], area: str) -> Select[Any]:
    return (
        statement.select_from(Registration)
        .join(Unit, Unit.id == Registration.unit_id)
        .join(Dwelling, Dwelling.id == Unit.dwelling_id)
        .where(_inside(area))
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
