"""Files that wait for the worker: bytes under an id, already sealed by whoever puts them there.

On disk beside the database, not in it: what is taken away is gone, and no backup has it. Processes on several machines
need one shared folder.
"""

from __future__ import annotations

import os
import re
import time
from pathlib import Path
from typing import Protocol

_NAME = re.compile(r"[0-9a-f-]{36}")


class FileShelf(Protocol):
    """Where sealed files wait."""

    def put(self, name: str, content: bytes) -> None:
        """Keep a file under an id (a UUID); it is whole or not there."""

    def get(self, name: str) -> bytes | None:
        """The file, or None when it is gone."""

    def take_away(self, name: str) -> None:
        """Forget a file; one that is gone already is no fault."""

    def names(self, *, older_than_seconds: float = 0) -> list[str]:
        """Ids of the files that have lain here for so long."""


class DiskShelf:
    """A folder that only the installation's own user can read."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, name: str, content: bytes) -> None:
        """Keep a file: written aside, then put into its place."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        aside = self._path(name).with_suffix(".part")
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(self._path(name))

    def get(self, name: str) -> bytes | None:
        """The file, or None."""
        try:
            return self._path(name).read_bytes()
        except FileNotFoundError:
            return None

    def take_away(self, name: str) -> None:
        """Remove the file and what a writer that was killed has left of it."""
        for path in (self._path(name), self._path(name).with_suffix(".part")):
            path.unlink(missing_ok=True)

    def names(self, *, older_than_seconds: float = 0) -> list[str]:
        """Ids of the files that have lain here for so long by the machine's own clock."""
        before = time.time() - older_than_seconds
        found: set[str] = set()
        for path in self._folder.glob("*") if self._folder.is_dir() else ():
            try:
                if _NAME.fullmatch(path.stem) and path.stat().st_mtime <= before:
                    found.add(path.stem)
            except FileNotFoundError:  # another worker was quicker
                continue
        return sorted(found)

    def _path(self, name: str) -> Path:
        if _NAME.fullmatch(name) is None:
            raise ValueError("a file on the shelf is named by a UUID")
        return self._folder / f"{name}.sealed"
