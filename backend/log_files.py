"""The log of an installation under the supervisor: one file per process, one with everything, both bounded."""

from __future__ import annotations

import json
import os
import re
import threading
from pathlib import Path
from typing import IO

BYTES_AT_MOST = 20_000_000  # then the file becomes NAME.1 and a new one begins
_PLAIN_WARNING = re.compile(r"\[(WARNING|ERROR|CRITICAL)\]|\b(Warning|Error):|^Traceback \(most recent call last\)")
_EXPECTED = "Mosquitto should not be run as root"  # backend/broker.py says why it is
_LOUD = ("warning", "error", "critical")


class LogFile:
    """Takes the lines of one process: as they are to NAME.log, with the name before them to anju.log."""

    _shared = threading.Lock()  # of anju.log, which all processes' listeners write

    def __init__(self, folder: Path, name: str) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path = folder / f"{name}.log"
        self._name = name
        self._all = folder / "anju.log"
        self._file: IO[str] | None = None

    def write(self, line: str) -> None:
        """Append one line to both files."""
        if self._file is None or self._file.tell() > BYTES_AT_MOST:
            self.close()
            self._file = _open(self.path)
        self._file.write(line + "\n")
        self._file.flush()
        with self._shared, _open(self._all) as everything:
            everything.write(f"{self._name:<9}| {line}\n")

    def close(self) -> None:
        """Close the process's file; a later line opens it again."""
        if self._file is not None:
            self._file.close()
            self._file = None


def _open(path: Path) -> IO[str]:
    if path.exists() and path.stat().st_size > BYTES_AT_MOST:
        os.replace(path, path.with_suffix(".log.1"))
    return path.open("a", encoding="utf-8")


def summary_of_warning(line: str) -> str | None:
    """What a person at the console should read of a log line; None for an ordinary one.

    Lines are JSON entries of our own processes or plain ones of gunicorn and Mosquitto.
    """
    if line.startswith("{"):
        try:
            entry = json.loads(line)
        except ValueError:
            return None
        if not isinstance(entry, dict) or str(entry.get("level", "")).lower() not in _LOUD:
            return None
        rest = ", ".join(
            f"{key}={value}"
            for key, value in entry.items()
            if key not in ("level", "event", "timestamp", "process", "exception", "logger")
        )
        text = f"{entry['level']}: {entry.get('event', '')}{f' ({rest})' if rest else ''}"
    elif _PLAIN_WARNING.search(line) and _EXPECTED not in line:
        text = line
    else:
        return None
    return text if len(text) <= 300 else text[:297] + "..."
