"""`./anju status`: what runs, since when, and whether it is well."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from backend.health import ask_health
from backend.supervisor import read_state

EXIT_WELL, EXIT_UNWELL, EXIT_NOT_RUNNING = 0, 1, 3
_HEADINGS = ("process", "pid", "state", "uptime", "health", "address", "restarts")


def main() -> int:
    """Print the table; 0 when all is well, 1 when a process is not, 3 when nothing runs."""
    var = Path(os.environ.get("ANJU_VAR") or "var")
    state = read_state(var)
    if state is None:
        print("Anju is not running here. Start it with: ./anju demo")
        return EXIT_NOT_RUNNING
    return EXIT_WELL if print_table(state) else EXIT_UNWELL


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
