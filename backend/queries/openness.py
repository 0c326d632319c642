"""What anybody may read: how many are registered where, how long matters take, how often staff looked at persons.

As of the beginning of a month, so that two days' pages cannot be subtracted from each other. Counts of residents are
withheld where they are small (domain.suppression). Looks are counted exactly: they are about the office.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from statistics import median

from sqlalchemy import and_, func, or_, select

from backend.db import db
from backend.domain.calendars import months_after, start_of
from backend.domain.purposes import DISCLOSURES
from backend.domain.suppression import LEAST, Shown, suppress_row
from backend.models.audit import AuditLeaf
from backend.models.cases import Case
from backend.models.dwellings import Dwelling
from backend.models.registrations import Registration
from backend.models.units import Unit
from backend.queries.statistics import month_of, months_until, sum_if

LOOK_MONTHS = 6
LOOP_MONTHS = 12
COUNTED = "building_counted"


@dataclass(frozen=True)
class Place:
    """A village and how many live there registered; None: withheld."""

    name: str
    people: Shown


@dataclass(frozen=True)
class Loop:
    """Matters of one kind (a key of domain.cases.KINDS) that a person closed, and the median days they took."""

    kind: str
    closed: Shown
    median_days: float | None


@dataclass(frozen=True)
class Looks:
    """How often staff looked at persons under a purpose, month by month."""

    purpose: str
    by_month: tuple[int, ...]


@dataclass(frozen=True)
class OpenFigures:
    """The figures as of the beginning of the month `until`; `months` are those of the looks."""

    until: date
    places: tuple[Place, ...]
    people: Shown
    loops: tuple[Loop, ...]
    months: tuple[str, ...]
    looks: tuple[Looks, ...]
    refused: tuple[int, ...]


def get_open_figures(today: date) -> OpenFigures:
    """What is published in the month of `today`: full months up to the last one."""
    until = today.replace(day=1)
    places, people = _places(until)
    months = months_until(months_after(until, -1), LOOK_MONTHS)
    looks, refused = _looks(months)
    return OpenFigures(until, places, people, _loops(until), tuple(map(month_of, months)), looks, refused)


def _places(until: date) -> tuple[tuple[Place, ...], Shown]:
    lived = and_(
        Registration.declared_at < start_of(until),
        Registration.residence != "voided",
        or_(Registration.moved_out_on.is_(None), Registration.moved_out_on >= until),
    )
    rows = db.session.execute(
        select(func.min(Dwelling.village), sum_if(lived))
        .select_from(Dwelling)
        .outerjoin(Unit, Unit.dwelling_id == Dwelling.id)
        .outerjoin(Registration, Registration.unit_id == Unit.id)
        .group_by(Dwelling.division)
        .order_by(Dwelling.division)
    ).all()
    shown = suppress_row([int(people or 0) for _, people in rows])
    places = tuple(Place(name, people) for (name, _), people in zip(rows, shown.cells, strict=True))
    return places, shown.total


def _loops(until: date) -> tuple[Loop, ...]:
    rows = db.session.execute(
        select(Case.kind, Case.opened_at, Case.decided_at).where(
            Case.decided_by.is_not(None),
            Case.decided_at >= start_of(months_after(until, -LOOP_MONTHS)),
            Case.decided_at < start_of(until),
        )
    )
    days: dict[str, list[float]] = {}
    for kind, opened_at, decided_at in rows:
        assert decided_at is not None  # it was asked for above
        days.setdefault(kind, []).append((decided_at - opened_at).total_seconds() / 86_400)
    kinds = sorted(days)
    shown = suppress_row([len(days[kind]) for kind in kinds]).cells
    return tuple(
        Loop(kind, closed, round(median(days[kind]), 1) if (closed or 0) >= LEAST else None)
        for kind, closed in zip(kinds, shown, strict=True)
    )


def _looks(months: tuple[date, ...]) -> tuple[tuple[Looks, ...], tuple[int, ...]]:
    """Looks by purpose, and what was refused, in each month. A look that its person learns of later counts too."""
    looked = or_(
        and_(AuditLeaf.action.in_(DISCLOSURES), AuditLeaf.subject_id.is_not(None)), AuditLeaf.action == COUNTED
    )
    within = [
        and_(AuditLeaf.at >= start_of(first), AuditLeaf.at < start_of(months_after(first, 1))) for first in months
    ]
    of_staff = (
        AuditLeaf.actor_kind == "officer",
        AuditLeaf.at >= start_of(months[0]),
        AuditLeaf.at < start_of(months_after(months[-1], 1)),
    )
    rows = db.session.execute(
        select(AuditLeaf.purpose, *(sum_if(month) for month in within))
        .where(*of_staff, looked, AuditLeaf.purpose.is_not(None))
        .group_by(AuditLeaf.purpose)
        .order_by(AuditLeaf.purpose)
    )
    refused = db.session.execute(
        select(*(sum_if(month) for month in within)).where(*of_staff, AuditLeaf.action == "refused")
    ).one()
    looks = tuple(Looks(purpose, tuple(int(n) for n in counts)) for purpose, *counts in rows)
    return looks, tuple(int(n or 0) for n in refused)
