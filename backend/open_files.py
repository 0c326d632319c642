"""Who has a file or a socket open on this machine, as far as /proc tells."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path


def who_holds(names: set[str]) -> str | None:
    """A process that has one of `names` open (a path, or socket:[inode]), as "gunicorn, process 4711"; else None.

    None also where there is no /proc, and for processes of other people.
    """
    for folder in Path("/proc").glob("[0-9]*"):
        if _open_files(folder) & names:
            with contextlib.suppress(OSError):  # ended meanwhile
                return f"{(folder / 'comm').read_text().strip()}, process {folder.name}"
    return None


def _open_files(process: Path) -> set[str]:
    found = set()
    with contextlib.suppress(OSError):  # ended, or another person's
        for entry in (process / "fd").iterdir():
            with contextlib.suppress(OSError):  # closed meanwhile
                found.add(os.readlink(entry))
    return found
