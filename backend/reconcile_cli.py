"""`./anju registry reconcile`: compare with the registry now, and how the last comparisons came out."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from datetime import date
from typing import Any

from backend.domain.reconciliation import KIND_NAMES
from backend.gateways.registry_client import RegistryRefused, RegistryUnavailable
from backend.operator_world import installation
from backend.queries.reconciliations import ReconciliationSum, list_pairs
from backend.services.audit import Actor
from backend.services.registry_reconciliation import Compared, reconcile
from backend.wire.registry_messages import write_time


def add_reconcile_command(verbs: Any) -> None:
    """Add the verb `reconcile` to the noun `registry`."""
    text = "compare with the registry by digest, mend what is safe, and list what differs"
    parser = verbs.add_parser("reconcile", help=text, description=text)
    when = parser.add_mutually_exclusive_group()
    when.add_argument("--day", type=date.fromisoformat, metavar="D", help="one day of declaration, 2026-11-23")
    when.add_argument("--since", type=date.fromisoformat, metavar="D", help="this day and later (default: all days)")
    parser.add_argument("--town", metavar="T", help="one town, 9 digits (default: all)")
    parser.add_argument("--json", action="store_true", help="for machines")
    parser.set_defaults(run=_reconcile)


def print_comparisons(compared: ReconciliationSum) -> None:
    """The lines of `registry status` about reconciliation."""
    last = write_time(compared.last_checked_at) if compared.last_checked_at else "never"
    print(f"compared       {compared.days} days and towns, last {last}; {len(compared.unequal)} not equal")
    for row in compared.unequal:
        print(f"  {row.day} {row.town}  {row.outcome}  here {row.our_count}, there {row.their_count}")


def comparisons_json(compared: ReconciliationSum) -> dict[str, Any]:
    """The same for machines."""
    unequal = [
        {"day": row.day.isoformat(), "town": row.town, "outcome": row.outcome, "details": list(row.details)}
        for row in compared.unequal
    ]
    last = write_time(compared.last_checked_at) if compared.last_checked_at else None
    return {"compared": {"days": compared.days, "last_checked_at": last, "unequal": unequal}}


def _reconcile(chosen: argparse.Namespace) -> int:
    town: str | None = chosen.town
    if town is not None and not (len(town) == 9 and town.isascii() and town.isdigit()):
        print("A town has 9 digits, for example 330522003.", file=sys.stderr)
        return 2
    done: list[Compared] = []
    with installation() as world:
        pairs = list_pairs(since=chosen.since, day=chosen.day, town=town)
        if chosen.day is not None and town is not None:
            pairs = [(chosen.day, town)]  # asked for by name: compared even if we hold nothing of it
        for day, where in pairs:
            try:
                done.append(reconcile(world, day=day, town=where, actor=Actor("operator")))
            except (RegistryUnavailable, RegistryRefused) as failure:
                print(f"The registry does not answer ({failure}); {len(done)} of {len(pairs)} were compared.",
                      file=sys.stderr)  # fmt: skip
                return 1
    if chosen.json:
        print(json.dumps([_as_json(row) for row in done], ensure_ascii=False))
    else:
        _print(done)
    return 0 if all(row.outcome == "equal" for row in done) else 1


def _print(done: Sequence[Compared]) -> None:
    unequal = [row for row in done if row.outcome != "equal"]
    print(f"compared {len(done)} days and towns: {len(done) - len(unequal)} equal, {len(unequal)} not")
    for row in unequal:
        print(f"{row.day} {row.town}  here {row.our_count}, there {row.their_count}")
        if row.outcome == "digest_skew":
            print(
                "  the lists are equal, only the digest differs: the registry computes it wrongly (摘要有误，清单一致)"
            )
        elif row.outcome == "unsettled":
            print("  what differs is on its way; compare again in a moment")
        for entry in row.details:
            zh, en = KIND_NAMES[entry["kind"]]
            what = "sent again" if "sent" in entry else f"case {entry['case']}"
            print(f"  {entry['id']}  {en} ({zh})  here {entry['ours']}, there {entry['theirs']}: {what}")


def _as_json(row: Compared) -> dict[str, Any]:
    return {
        "day": row.day.isoformat(), "town": row.town, "outcome": row.outcome, "here": row.our_count,
        "there": row.their_count, "mended": row.mended, "details": list(row.details),
    }  # fmt: skip
