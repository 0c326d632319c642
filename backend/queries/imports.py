"""Runs of imports and what became of their rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from backend.db import reading
from backend.domain.refusals import Refusal, Refused
from backend.models.imports import ImportRow, ImportRun


@dataclass(frozen=True)
class RunView:
    """One run with its counts."""

    id: str
    kind: str
    file_name: str
    sha256: str
    dry_run: bool
    state: str
    fault: str | None
    total: int
    done: int
    counts: dict[str, int]
    options: dict[str, Any]
    created_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True)
class RowView:
    """What became of one row; a negative number is an object that no row names."""

    number: int
    outcome: str
    object_id: str | None
    errors: tuple[Refusal, ...]


COUNTED = ("new", "changed", "renumbered", "same", "failed", "retired", "kept")


def run_view(run: ImportRun) -> RunView:
    """A run as it is shown."""
    counts = {name: getattr(run, name) for name in COUNTED}
    return RunView(
        run.id, run.kind, run.file_name, run.sha256, run.dry_run, run.state, run.fault, run.total, run.done, counts,
        run.options, run.created_at, run.finished_at,
    )  # fmt: skip


def get_run(run_id: str) -> RunView:
    """One run. Raises Refused not_found."""
    with reading() as session:
        run = session.get(ImportRun, run_id)
        if run is None:
            raise Refused("not_found", "run_id")
        return run_view(run)


def list_runs(kind: str, *, owner: str | None = None, limit: int = 50) -> tuple[RunView, ...]:
    """The latest runs of a kind, newest first; of one owner where one is given."""
    statement = select(ImportRun).where(ImportRun.kind == kind)
    if owner is not None:
        statement = statement.where(ImportRun.owner == owner)
    with reading() as session:
        rows = session.scalars(statement.order_by(ImportRun.created_at.desc(), ImportRun.id.desc()).limit(limit))
        return tuple(run_view(run) for run in rows)


def list_rows(
    run_id: str, *, outcomes: tuple[str, ...] = (), after: int | None = None, limit: int = 200
) -> tuple[RowView, ...]:
    """Rows of a run in the order of the file, objects without a row first; `after` is the last number seen."""
    statement = select(ImportRow).where(ImportRow.run_id == run_id)
    if outcomes:
        statement = statement.where(ImportRow.outcome.in_(outcomes))
    if after is not None:
        statement = statement.where(ImportRow.row_no > after)
    with reading() as session:
        return tuple(
            RowView(row.row_no, row.outcome, row.object_id, tuple(_fault(error) for error in row.errors))
            for row in session.scalars(statement.order_by(ImportRow.row_no).limit(limit))
        )


def _fault(kept: dict[str, Any]) -> Refusal:
    return Refusal(kept["code"], kept["field"], kept.get("params", {}), tuple(kept.get("allowed", ())))
