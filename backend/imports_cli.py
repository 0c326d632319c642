"""What every import on the command line shares: progress while it runs, the account of it at the end."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from backend.queries.imports import RowView, RunView, list_rows

TOLD = ("failed", "kept", "retired", "renumbered")  # outcomes somebody may have to look at
MOST_TOLD = 40


def add_import_arguments(parser: argparse.ArgumentParser) -> None:
    """FILE, --dry-run and --json."""
    parser.add_argument("file", metavar="FILE", help="a CSV, XLSX or GeoJSON file")
    parser.add_argument("--dry-run", action="store_true", help="say what each row would do, and do nothing")
    parser.add_argument("--json", action="store_true", help="for machines")


def tell_progress(run: RunView) -> None:
    """Rows done of total, on one line of a terminal's standard error."""
    if sys.stderr.isatty():
        print(
            f"\r{run.done} of {run.total} rows", end="" if run.done < run.total else "\n", file=sys.stderr, flush=True
        )


def tell_run(run: RunView, *, as_json: bool, more: dict[str, Any] | None = None) -> int:
    """Print the account of a finished run and what is to be looked at; answers the exit status: 1 when a row failed."""
    rows = list(_every_row(run.id, () if as_json else TOLD))
    if as_json:
        told = {**asdict(run), **(more or {}), "created_at": run.created_at.isoformat()}
        told["finished_at"] = run.finished_at.isoformat() if run.finished_at else None
        told["rows"] = [_row_for_machines(row) for row in rows]
        print(json.dumps(told, ensure_ascii=False))
    else:
        doing = "would be" if run.dry_run else "are"
        counts = ", ".join(f"{count} {name}" for name, count in run.counts.items() if count) or "nothing"
        print(f"{run.file_name}: {run.done} of {run.total} rows; {counts} ({doing}); run {run.state}")
        for row in rows[:MOST_TOLD]:
            print("  " + _line(row))
        if len(rows) > MOST_TOLD:
            print(f"  and {len(rows) - MOST_TOLD} more (--json lists every row)")
    return 0 if run.state == "done" and not run.counts["failed"] else 1


def _every_row(run_id: str, outcomes: tuple[str, ...]) -> Iterator[RowView]:
    after: int | None = None
    while page := list_rows(run_id, outcomes=outcomes, after=after, limit=1000):
        yield from page
        after = page[-1].number


def _row_for_machines(row: RowView) -> dict[str, Any]:
    errors = [{"field": fault.field, "code": fault.code, "message": fault.sentence("en")} for fault in row.errors]
    number = row.number if row.number > 0 else None
    return {"row": number, "outcome": row.outcome, "object_id": row.object_id, "errors": errors}


def _line(row: RowView) -> str:
    where = f"row {row.number}" if row.number > 0 else f"{row.object_id}"
    why = "; ".join((f"{fault.field}: " if fault.field else "") + fault.sentence("en") for fault in row.errors)
    return f"{where}: {row.outcome}" + (f" - {why}" if why else "")
