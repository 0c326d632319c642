"""`./anju bench [GROUP] [--quick] [--json]`: measures against the same work without Anju, side by side in one run.

Exit status 0 when every goal is reached, 1 when one is missed, 2 for an unknown group.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, MutableMapping, Sequence

from tests.bench import console, face, locks, registry
from tests.bench.figures import Row, machine, report, table
from tests.bench.stage import Stage

# group -> what it measures, given whether the run is a quick one
GROUPS: MutableMapping[str, Callable[[bool], Sequence[locks.Measurement]]] = {
    "locks": locks.measurements,
    "face": face.measurements,
    "registry": registry.measurements,
    "console": console.measurements,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the asked group; answers the exit status."""
    parser = argparse.ArgumentParser(prog="./anju bench", description=__doc__)
    parser.add_argument("group", nargs="?", default="all", help=f"{', '.join(GROUPS)} or all (default)")
    parser.add_argument("--quick", action="store_true", help="shorter and noisier, at most 50 s a group")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of the table")
    options = parser.parse_args(arguments)
    if options.group != "all" and options.group not in GROUPS:
        print(f"There is no bench {options.group!r}; there is: {', '.join(GROUPS)}, all.", file=sys.stderr)
        return 2
    chosen = [GROUPS[name] for name in GROUPS if options.group in ("all", name)]
    on, rows = machine(), list[Row]()
    progress = Progress()
    with Stage(quick=options.quick, say=progress) as stage:
        for measurements in chosen:
            for measure in measurements(options.quick):
                found = measure(stage)
                progress.note(table(found))
                rows += found
    progress.end()
    told = report(rows, on)
    print(json.dumps(told, ensure_ascii=False, indent=1) if options.json else table(rows))
    return 0 if told["ok"] else 1


class Progress:
    """One line on standard error: on a terminal it renews itself, in a file a line now and then."""

    def __init__(self) -> None:
        self._begun = time.monotonic()
        self._said = float("-inf")
        self._live = sys.stderr.isatty()

    def __call__(self, text: str) -> None:
        """Say what is going on."""
        seconds = time.monotonic() - self._begun
        if self._live:
            sys.stderr.write(f"\r{seconds:4.0f} s  {text}"[:100].ljust(100))
        elif seconds >= self._said + 5:
            self._said = seconds
            sys.stderr.write(f"{seconds:4.0f} s  {text}\n")
        sys.stderr.flush()

    def note(self, text: str) -> None:
        """Leave what is known so far above the line."""
        self.end()
        sys.stderr.write(f"{text}\n")

    def end(self) -> None:
        """Leave the line."""
        if self._live:
            sys.stderr.write("\r" + " " * 100 + "\r")


if __name__ == "__main__":
    sys.exit(main())
