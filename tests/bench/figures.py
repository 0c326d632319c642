"""Figures of the bench: one row per measured thing, its ratio to a named limit, and how a table of them is written."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any


@dataclass(frozen=True)
class Row:
    """One measured thing. `limit` is the same work without Anju, in the same unit; `goal` and `ok` speak of the ratio,
    or of the value where there is no limit; without a goal the row stands there for information."""

    name: str
    value: float
    unit: str
    limit: float | None = None
    ratio: float | None = None
    goal: str | None = None
    ok: bool = True


def at_most(ceiling: float, figure: float) -> tuple[str, bool]:
    """A goal that a figure must not exceed, and whether it is reached."""
    return f"≤ {ceiling:g}", figure <= ceiling


def at_least(floor: float, figure: float) -> tuple[str, bool]:
    """A goal that a figure must reach, and whether it does."""
    return f"≥ {floor:g}", figure >= floor


def compare(
    name: str,
    unit: str,
    ours: Sequence[float],
    bare: Sequence[float],
    judge: Callable[[float], tuple[str, bool]] | None = None,
) -> Row:
    """A row out of interleaved rounds: the median of the ratios round by round, with both medians beside it.

    `ours` and `bare` hold one figure per round. Raises ValueError when they are not rounds of the same run.
    """
    if not ours or len(ours) != len(bare):
        raise ValueError("each round needs one figure of either side")
    ratio = median(mine / other for mine, other in zip(ours, bare, strict=True))
    goal, ok = (None, True) if judge is None else judge(ratio)
    return Row(name, median(ours), unit, median(bare), ratio, goal, ok)


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that at least `percent` of 100 values do not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * percent // 100).__int__() - 1)]


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    return {
        "cpus": os.cpu_count(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        "load_before": round(os.getloadavg()[0], 2),
    }


def report(rows: Sequence[Row], on: dict[str, Any]) -> dict[str, Any]:
    """Everything as one object for JSON: machine, rows, and whether every goal is reached."""
    return {"machine": on, "rows": [_plain(row) for row in rows], "ok": all(row.ok for row in rows)}


def table(rows: Sequence[Row]) -> str:
    """The rows for a person to read."""
    head = ("", "Anju", "limit", "unit", "ratio", "goal", "")
    lines = [head, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column in (0, 3, 6) else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def _cells(row: Row) -> tuple[str, ...]:
    word = "" if row.goal is None else "ok" if row.ok else "MISSED"
    return (row.name, _short(row.value), _short(row.limit), row.unit, _short(row.ratio), row.goal or "–", word)


def _short(figure: float | None) -> str:
    if figure is None:
        return "–"
    return f"{figure:,.0f}" if abs(figure) >= 1_000 else f"{figure:.3g}"


def _plain(row: Row) -> dict[str, Any]:
    return {name: round(value, 4) if isinstance(value, float) else value for name, value in asdict(row).items()}
