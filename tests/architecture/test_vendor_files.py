"""Files of others that we serve: a folder says where they come from, holds their licence, and nothing was changed."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
FOLDERS = sorted(path.parent for room in ("backend", "mobile_api") for path in (TOP / room).rglob("SHA256SUMS"))


def test_the_map_library_is_among_them() -> None:
    assert TOP / "backend/console/static/leaflet" in FOLDERS


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_folder_holds_what_its_manifest_says_and_a_licence(folder: Path) -> None:
    lines = (folder / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    sums = {name: digest for digest, name in (line.split(maxsplit=1) for line in lines)}
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}
    assert {name: found[name] for name in found if name not in ("SHA256SUMS", "ORIGIN")} == sums
    assert "Redistribution" in (folder / "LICENSE").read_text(encoding="utf-8")
    assert "npm package" in (folder / "ORIGIN").read_text(encoding="utf-8")


def test_no_script_of_another_lies_outside_such_a_folder() -> None:
    """A minified file has lines that nobody writes by hand."""
    for room in ("backend", "mobile_api"):
        for path in (TOP / room).rglob("*.js"):
            if path.parent not in FOLDERS:
                assert max(map(len, path.read_text(encoding="utf-8").splitlines()), default=0) < 400, path
