"""The operator's commands about the address base: `address import`, `address list`, `address versions`."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from backend.bootstrap import check_revision, core_app, world_of
from backend.config import Settings
from backend.domain.addresses import COLUMNS, DATUMS, REQUIRED
from backend.gateways.table_files import read_table_file
from backend.imports_cli import add_import_arguments, tell_progress, tell_run
from backend.queries.address_base import list_base, list_versions
from backend.services.addresses import import_addresses
from backend.services.audit import Actor


def add_address_commands(nouns: Any) -> None:
    """Add the noun `address` to the operator's grammar."""
    verbs = nouns.add_parser("address", help="the address base").add_subparsers(metavar="VERB", required=True)
    text = "apply a file as the next version of the address base; an import that was killed goes on where it stopped"
    taken = verbs.add_parser("import", help=text, description=text)
    add_import_arguments(taken)
    taken.add_argument("--version", default="auto", metavar="N", help="number of this version (auto: the next)")
    taken.add_argument(
        "--division-version", metavar="EDITION", help="edition of the division codes (default: the year)"
    )
    taken.add_argument("--datum", choices=DATUMS, help="of coordinates whose row names none")
    taken.set_defaults(run=_import)
    text = "every dwelling of the address base, with the version it was last seen in"
    listed = verbs.add_parser("list", help=text, description=text)
    listed.add_argument("--area", default="", help="division code or its prefix")
    listed.add_argument("--retired", action="store_true", help="only those that the base has dropped")
    listed.add_argument("--json", action="store_true", help="for machines, one dwelling a line")
    listed.set_defaults(run=_list)
    text = "the versions of the address base, newest first"
    versions = verbs.add_parser("versions", help=text, description=text)
    versions.add_argument("--json", action="store_true", help="for machines")
    versions.set_defaults(run=_versions)


def _import(chosen: argparse.Namespace) -> int:
    if chosen.version != "auto" and not (chosen.version.isdecimal() and 0 < int(chosen.version) < 10**9):
        raise SystemExit("anju: --version takes a number or auto")
    version = None if chosen.version == "auto" else int(chosen.version)
    table = read_table_file(Path(chosen.file), COLUMNS, required=REQUIRED)
    app = core_app(Settings.from_environment())
    check_revision(app)
    with app.app_context():
        run = import_addresses(
            world_of(app),
            table=table,
            actor=Actor("operator"),
            dry_run=chosen.dry_run,
            version=version,
            division_version=chosen.division_version,
            datum=chosen.datum,
            tell=tell_progress,
        )
        if table.unknown and not chosen.json:
            print("columns not read: " + ", ".join(table.unknown))
        return tell_run(run, as_json=chosen.json, more={"columns_not_read": table.unknown})


def _list(chosen: argparse.Namespace) -> int:
    app = core_app(Settings.from_environment())
    check_revision(app)
    with app.app_context():
        after = ""
        while page := list_base(chosen.area, retired=True if chosen.retired else None, after=after):
            for row in page:
                if chosen.json:
                    day = row.retired_on.isoformat() if row.retired_on else None
                    print(json.dumps({**asdict(row), "retired_on": day}, ensure_ascii=False))
                    continue
                note = f"  gone since {row.retired_on}" if row.retired_on else ""
                note += f"  formerly {row.former_address}" if row.former_address else ""
                version = f"v{row.version}" if row.version else "-"
                print(f"{row.division}  {version:>4}  {row.units:>3} units  {row.address}{note}")
            after = page[-1].id
    return 0


def _versions(chosen: argparse.Namespace) -> int:
    app = core_app(Settings.from_environment())
    check_revision(app)
    with app.app_context():
        rows = list_versions()
    if chosen.json:
        print(json.dumps([{**asdict(row), "created_at": row.created_at.isoformat()} for row in rows]))
        return 0
    for row in rows:
        counts = ", ".join(f"{count} {name}" for name, count in row.counts.items() if count)
        print(f"v{row.number}  {row.created_at:%Y-%m-%d %H:%M}Z  {row.state}  {row.dwellings} dwellings  "
              f"{row.sha256[:12]}  {row.file_name}  ({counts})")  # fmt: skip
    if not rows:
        print("no version yet: ./anju address import FILE")
    return 0
