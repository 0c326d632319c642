"""`./anju status`: what runs, since when, whether it is well, and whether the audit log fits."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from backend.health import ask_counts, ask_health
from backend.supervisor import read_state

EXIT_WELL, EXIT_UNWELL, EXIT_NOT_RUNNING = 0, 1, 3
_HEADINGS = ("process", "pid", "state", "uptime", "health", "address", "restarts")


def main() -> int:
    """Print the table and the log's line; 0 when all is well, 1 when something is not, 3 when nothing runs."""
    var = Path(os.environ.get("ANJU_VAR") or "var")
    state = read_state(var)
    if state is None:
        print("Anju is not running here. Start it with: ./anju demo")
        return EXIT_NOT_RUNNING
    all_run, log_fits = print_table(state), print_log_check(state)
    return EXIT_WELL if all_run and log_fits else EXIT_UNWELL


def print_table(state: Mapping[str, Any]) -> bool:
    """Print a row per process of a supervisor's state; returns whether every process is well."""
    reasons = ask_all(state)
    rows = [_HEADINGS]
    for entry, reason in zip(state.get("processes", []), reasons, strict=True):
        alive = entry["pid"] is not None
        rows.append(
            (
                entry["title"],
                str(entry["pid"] or "-"),
                "running" if alive else "ended",
                _span(time.time() - entry["started_at"]) if alive else "-",
                "well" if reason is None else reason,
                entry["page"] or entry["health"].removesuffix("/healthz"),
                str(entry["restarts"]),
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS))]
    for row in rows:
        print("  ".join(word.ljust(width) for word, width in zip(row, widths, strict=True)).rstrip())
    return bool(reasons) and all(reason is None for reason in reasons)


def print_log_check(state: Mapping[str, Any]) -> bool:
    """Print when the audit log was last recomputed, as the worker tells.

    Returns False when something did not fit, or when it has gone unchecked for longer than it should.
    """
    workers = [entry for entry in state.get("processes", []) if entry["name"] == "worker"]
    answers = [told for entry in workers if (told := ask_counts(entry["health"])) is not None]
    if not answers:
        print("audit log: the worker does not answer, so the last check is not known")
        return True  # a process that does not answer has a row of its own
    told = next((counts for counts in answers if "audit_checked_at" in counts), answers[0])
    good_for = told["audit_check_good_for"]
    if "audit_checked_at" not in told:
        print("audit log: no check has come to its end yet")
        return not any(_is_old(entry["started_at"], good_for) for entry in workers)
    at = time.strftime("%Y-%m-%d %H:%M", time.localtime(told["audit_checked_at"]))
    if told["audit_faults"]:
        print(f"audit log: {told['audit_faults']} FAULTS found at {at}; see ./anju audit verify")
        return False
    if _is_old(told["audit_checked_at"], good_for):
        print(f"audit log: NOT CHECKED since {at}; see ./anju audit verify")
        return False
    print(f"audit log: {told['audit_leaves']} leaves recomputed at {at}, every one fits")
    return True


def _is_old(at: float, seconds: int) -> bool:
    return time.time() - at > seconds


def all_well(state: Mapping[str, Any] | None) -> bool:
    """Whether every process of the state answers its health check."""
    reasons = ask_all(state or {})
    return bool(reasons) and all(reason is None for reason in reasons)


def ask_all(state: Mapping[str, Any]) -> list[str | None]:
    """Ask every process at the same time; None where it is well, else the reason."""
    addresses = [entry["health"] for entry in state.get("processes", [])]
    with ThreadPoolExecutor(max(len(addresses), 1)) as pool:
        return list(pool.map(ask_health, addresses))


def _span(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


if __name__ == "__main__":
    sys.exit(main())
