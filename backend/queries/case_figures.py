"""How the loop of cases goes, in numbers: no case and no person can be found out from them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import mean, median
from typing import Any

from sqlalchemy import select

from backend.db import db
from backend.domain.cases import KINDS, OFFICES, OPEN_STATES
from backend.domain.suppression import LEAST, suppress_row
from backend.models.cases import Case
from backend.models.dwellings import Dwelling

DAYS = 90
STREET = 9  # digits of a street's or town's code; finer areas are told by village
STEPS = ("routed", "assigned", "handled")


@dataclass(frozen=True)
class LoopRow:
    """One office or area over the last `DAYS` days; a count that is small is None, and so is what rests on one.

    `open` are the cases by the step they wait at, `handled` being the supervisor's check. `median_hours` runs from
    opening to the answer (or the decision, where nobody waits for one); `on_time` is the percentage decided in time.
    """

    code: str
    name: tuple[str, str] | None
    opened: int | None
    open: dict[str, int | None]
    late: int | None
    closed: int | None
    median_hours: float | None
    on_time: int | None
    rated: int | None
    mean_stars: float | None


@dataclass(frozen=True)
class LoopFigures:
    """The whole of an area, then by office and by area. `open` waits at each step; `days` is how far it looks back."""

    days: int
    least: int
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
        least=LEAST,
        whole=_shown([("", rows)], now, lambda _: None)[0],
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
    return tuple(_shown(sorted(groups.items()), now, name))


def _shown(
    groups: Sequence[tuple[str, Sequence[Any]]],
    now: datetime,
    name: Callable[[str], tuple[str, str] | None],
) -> list[LoopRow]:
    def column(count: Callable[[Sequence[Any]], int]) -> list[int | None]:
        return list(suppress_row([count(group) for _, group in groups]).cells)

    opened = column(len)
    steps = {step: column(_counting(step)) for step in STEPS}
    late = column(lambda group: sum(_is_late(row, now) for row in group))
    closed = column(lambda group: sum(_closed_at(row) is not None for row in group))
    rated = column(lambda group: sum(row.stars is not None for row in group))
    return [
        LoopRow(
            code=code,
            name=name(code),
            opened=opened[place],
            open={step: steps[step][place] for step in STEPS},
            late=late[place],
            closed=closed[place],
            median_hours=_median_hours(group) if (closed[place] or 0) >= LEAST else None,
            on_time=_on_time(group) if (closed[place] or 0) >= LEAST else None,
            rated=rated[place],
            mean_stars=round(mean(row.stars for row in group if row.stars is not None), 1)
            if (rated[place] or 0) >= LEAST
            else None,
        )
        for place, (code, group) in enumerate(groups)
    ]


def _counting(step: str) -> Callable[[Sequence[Any]], int]:
    return lambda group: sum(_waits_at(row) == step for row in group)


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


def _median_hours(group: Sequence[Any]) -> float:
    spans = [(closed - row.opened_at).total_seconds() / 3600 for row in group if (closed := _closed_at(row))]
    return round(median(spans), 1)


def _on_time(group: Sequence[Any]) -> int:
    closed = [row for row in group if _closed_at(row) is not None]
    kept = sum(row.due_at is None or (row.decided_at is not None and row.decided_at <= row.due_at) for row in closed)
    return round(100 * kept / len(closed))
