"""How the loop of cases goes, in exact numbers, for staff of the area: cases are about dwellings, no person is read.

Nothing is withheld here: staff count the same cases on their list. What anybody may read is `queries.openness`, where
small counts are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import mean, median
from typing import Any

from sqlalchemy import select

from backend.db import db
from backend.domain.cases import KINDS, OFFICES, OPEN_STATES
from backend.models.cases import Case
from backend.models.dwellings import Dwelling

DAYS = 90
STREET = 9  # digits of a street's or town's code; finer areas are told by village
STEPS = ("routed", "assigned", "handled")


@dataclass(frozen=True)
class LoopRow:
    """One office or area over the last `DAYS` days; what rests on no case is None.

    `open` are the cases by the step they wait at, `handled` being the supervisor's check. `median_hours` runs from
    opening to the answer (or the decision, where nobody waits for one); `on_time` is the percentage decided in time.
    """

    code: str
    name: tuple[str, str] | None
    opened: int
    open: dict[str, int]
    late: int
    closed: int
    median_hours: float | None
    on_time: int | None
    rated: int
    mean_stars: float | None


@dataclass(frozen=True)
class LoopFigures:
    """The whole of an area, then by office and by area. `open` waits at each step; `days` is how far it looks back."""

    days: int
    whole: LoopRow
    offices: tuple[LoopRow, ...]
    areas: tuple[LoopRow, ...]


def get_loop_figures(now: datetime, area: str) -> LoopFigures:
    """The figures of an area (a division's prefix): cases opened in the last 90 days, and all that are open."""
    since = now - timedelta(days=DAYS)
    rows = db.session.execute(
        select(
            Case.kind, Case.office, Case.area, Case.state, Case.opened_at, Case.due_at, Case.decided_at,
            Case.answered_at, Case.stars,
        ).where(
            Case.area.startswith(area, autoescape=True), (Case.opened_at >= since) | Case.state.in_(OPEN_STATES)
        )
    ).all()  # fmt: skip
    digits = STREET if len(area) < STREET else 12
    names = _area_names(area, digits)
    by_area = _grouped(rows, lambda row: row.area[:digits], now, names.get)
    return LoopFigures(
        days=DAYS,
        whole=_row("", None, rows, now),
        offices=_grouped(rows, lambda row: row.office, now, OFFICES.get),
        areas=by_area,
    )


def _area_names(area: str, digits: int) -> dict[str, tuple[str, str]]:
    rows = db.session.execute(
        select(Dwelling.division, Dwelling.street, Dwelling.village)
        .where(Dwelling.division.startswith(area, autoescape=True))
        .distinct()
    )
    return {
        division[:digits]: (name, name)
        for division, street, village in rows
        for name in [street if digits == STREET else village]
    }


def _grouped(
    rows: Sequence[Any],
    key: Callable[[Any], str],
    now: datetime,
    name: Callable[[str], tuple[str, str] | None],
) -> tuple[LoopRow, ...]:
    groups: dict[str, list[Any]] = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    return tuple(_row(code, name(code), group, now) for code, group in sorted(groups.items()))


def _row(code: str, name: tuple[str, str] | None, group: Sequence[Any], now: datetime) -> LoopRow:
    waiting = Counter(_waits_at(row) for row in group)
    closed = [row for row in group if _closed_at(row) is not None]
    stars = [row.stars for row in group if row.stars is not None]
    return LoopRow(
        code=code,
        name=name,
        opened=len(group),
        open={step: waiting[step] for step in STEPS},
        late=sum(_is_late(row, now) for row in group),
        closed=len(closed),
        median_hours=_median_hours(closed) if closed else None,
        on_time=_on_time(closed) if closed else None,
        rated=len(stars),
        mean_stars=round(mean(stars), 1) if stars else None,
    )


def _waits_at(row: Any) -> str | None:
    """The step an open case waits at; None when nothing more is owed."""
    if row.state in OPEN_STATES:
        return "assigned" if row.state == "assigned" else "routed"
    return "handled" if row.state == "handled" and KINDS[row.kind].checked else None


def _is_late(row: Any, now: datetime) -> bool:
    return row.state in OPEN_STATES and row.due_at is not None and row.due_at < now


def _closed_at(row: Any) -> datetime | None:
    if _waits_at(row) is not None:
        return None
    closed: datetime | None = row.answered_at or row.decided_at
    return closed


def _median_hours(closed: Sequence[Any]) -> float:
    spans = [(at - row.opened_at).total_seconds() / 3600 for row in closed if (at := _closed_at(row)) is not None]
    return round(median(spans), 1)


def _on_time(closed: Sequence[Any]) -> int:
    kept = sum(row.due_at is None or (row.decided_at is not None and row.decided_at <= row.due_at) for row in closed)
    return round(100 * kept / len(closed))
