"""Imports on the command line: what all of them share, and the noun `import` (leases, registrations)."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from backend.bootstrap import check_revision, core_app, world_of
from backend.config import Settings
from backend.gateways.table_files import Table, read_table_file
from backend.queries.imports import RowView, RunView, list_rows
from backend.services.audit import Actor
from backend.services.lease_imports import LEASE_COLUMNS, LEASE_DATES, LEASE_REQUIRED, find_landlord, import_leases
from backend.services.registration_imports import (
    PAPER_COLUMNS,
    PAPER_DATES,
    PAPER_REQUIRED,
    find_importer,
    import_registrations,
)

TOLD = ("failed", "kept", "retired", "renumbered")  # outcomes somebody may have to look at
MOST_TOLD = 40


def add_import_commands(nouns: Any) -> None:
    """Add the noun `import` to the operator's grammar."""
    verbs = nouns.add_parser("import", help="lists of tenancies").add_subparsers(metavar="VERB", required=True)
    text = "record the leases of a landlord's list, report the tenants, prepare the invitations"
    leases = verbs.add_parser("leases", help=text, description=text)
    add_import_arguments(leases)
    leases.add_argument(
        "--landlord", required=True, metavar="PHONE", help="whose list it is: the phone they sign in with"
    )
    leases.add_argument("--invite", action="store_true", help="also send the invitations by short message")
    leases.set_defaults(run=_leases)
    text = "take over an office's paper registrations with the day they were declared on"
    papers = verbs.add_parser("registrations", help=text, description=text)
    add_import_arguments(papers)
    papers.add_argument("--officer", metavar="LOGIN", help="whose papers they are: rows of their area only")
    papers.set_defaults(run=_registrations)


def _leases(chosen: argparse.Namespace) -> int:
    table = read_table_file(Path(chosen.file), LEASE_COLUMNS, required=LEASE_REQUIRED, dates=LEASE_DATES)
    app = core_app(Settings.from_environment())
    check_revision(app)
    with app.app_context():
        world = world_of(app)
        landlord = find_landlord(world, phone=chosen.landlord)
        run = import_leases(
            world, table=table, account_id=landlord, actor=Actor("operator"), dry_run=chosen.dry_run,
            invite=chosen.invite, tell=tell_progress,
        )  # fmt: skip
        return _account(run, table, chosen)


def _registrations(chosen: argparse.Namespace) -> int:
    table = read_table_file(Path(chosen.file), PAPER_COLUMNS, required=PAPER_REQUIRED, dates=PAPER_DATES)
    app = core_app(Settings.from_environment())
    check_revision(app)
    with app.app_context():
        importer = find_importer(login=chosen.officer)
        run = import_registrations(
            world_of(app), table=table, importer=importer, dry_run=chosen.dry_run, tell=tell_progress
        )
        return _account(run, table, chosen)


def _account(run: RunView, table: Table, chosen: argparse.Namespace) -> int:
    if table.unknown and not chosen.json:
        print("columns not read: " + ", ".join(table.unknown))
    return tell_run(run, as_json=chosen.json, more={"columns_not_read": table.unknown})


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
