"""Looks for what must not be anywhere: pictures, pieces of pictures, and the 128 numbers of a face."""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

NUMBERS = 128  # of one face
# An embedding of this engine: numbers within about ±.5, together 1.2 to 1.6 long; wide enough for scaled ones.
_LARGEST, _SMALLEST, _SHORT, _LONG = 1.0, 1e-8, 0.3, 4.0
_HEADS = re.compile(
    rb"\xff\xd8\xff(?:\xe0..JFIF|\xe1..Exif|\xdb\x00[\x43\x84\xc5]|\xee..Adobe)"
    rb"|\x89PNG\r\n\x1a\n|RIFF....WEBPVP8|GIF8[79]a|\x00\x00\x00.ftyp(?:heic|avif|mif1)",
    re.DOTALL,
)
_HEADS_IN_TEXT = re.compile(
    rb"/9j/[24]\w{2}|_9j_[24]\w{2}|iVBORw0KGgo|UklGR.{6}XRUJQ|R0lGOD[dl]h"  # base64
    rb"|(?i:ffd8ffe0[0-9a-f]{4}4a464946|89504e470d0a1a0a)"  # hex
    rb"|\\xff\\xd8\\xff"  # a bytes literal in a log
)
_NUMBERS_IN_TEXT = re.compile(rb"(?:-?[01]?\.\d{2,}(?:[eE]-?\d+)?[\s,;\]]+){100,}")


def find_traces(content: bytes, pictures: Sequence[bytes] = ()) -> list[str]:
    """What of a face is in `content`, in words; `pictures` are the ones that were sent, looked for by pieces."""
    found = [f"the head of a picture at {match.start()}" for match in _HEADS.finditer(content)]
    found += [f"a picture written as text at {match.start()}" for match in _HEADS_IN_TEXT.finditer(content)]
    found += [f"numbers written as text at {match.start()}" for match in _NUMBERS_IN_TEXT.finditer(content)]
    for kind in ("<f4", "<f8", ">f4", ">f8"):
        if has_embedding(content, kind):
            found.append(f"128 numbers like those of a face ({kind})")
    found += [f"a piece of picture {n}" for n, one in enumerate(pictures) if any(p in content for p in pieces_of(one))]
    return found


def pieces_of(picture: bytes) -> Iterator[bytes]:
    """A few stretches from inside a picture, raw and as base64, wherever that begins."""
    for share in (0.35, 0.6, 0.85):
        at = int(share * len(picture))
        piece = picture[at : at + 24]
        yield piece
        for shift in range(3):
            yield base64.b64encode(piece[shift : shift + 18])


def has_embedding(content: bytes, kind: str) -> bool:
    """Whether NUMBERS numbers of `kind` in a row, beginning at any byte, could be those of a face."""
    width = np.dtype(kind).itemsize
    for first in range(width):
        count = (len(content) - first) // width
        if count < NUMBERS:
            continue
        with np.errstate(all="ignore"):
            numbers = np.frombuffer(content, kind, count, first).astype(np.float64)
            sizes = np.abs(numbers)
            plausible = (sizes < _LARGEST) & (sizes > _SMALLEST)
        if any(_is_embedding(numbers[begin:end]) for begin, end in _runs(plausible)):
            return True
    return False


def _runs(plausible: NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate(([False], plausible, [False])).astype(np.int8)))
    for begin, end in zip(edges[::2], edges[1::2], strict=True):
        if end - begin >= NUMBERS:
            yield int(begin), int(end)


def _is_embedding(run: NDArray[np.float64]) -> bool:
    """Whether some 128 numbers of the run are as long as an embedding, of both signs, and hardly two alike."""
    lengths = np.sqrt(np.convolve(run**2, np.ones(NUMBERS), "valid"))
    for at in np.flatnonzero((lengths > _SHORT) & (lengths < _LONG)):
        some = run[at : at + NUMBERS]
        if len(np.unique(some)) > 100 and 20 < (some < 0).sum() < 108:
            return True
    return False


def files_in(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every file below a folder with its content; what goes while it is read was nothing to keep."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            try:
                yield str(path.relative_to(folder)), path.read_bytes()
            except FileNotFoundError:
                continue


def open_files_of(pids: Iterable[int]) -> Iterator[tuple[str, bytes]]:
    """What processes hold open that is a file, deleted ones included: a temporary file has no other name."""
    for pid in pids:
        try:
            numbers = os.listdir(f"/proc/{pid}/fd")
        except (FileNotFoundError, PermissionError):
            continue
        for number in numbers:
            link = Path(f"/proc/{pid}/fd/{number}")
            try:
                target = os.readlink(link)
                if link.is_file() and not target.startswith(("/dev", "/proc", "/usr", "/lib")):
                    yield f"{pid}: {target}", link.read_bytes()
            except OSError:
                continue


def family_of(pid: int) -> set[int]:
    """A process and all that descend from it."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except (FileNotFoundError, ProcessLookupError):
                continue
            children.setdefault(parent, []).append(int(entry.name))
    family, waiting = set(), [pid]
    while waiting:
        one = waiting.pop()
        family.add(one)
        waiting += children.get(one, [])
    return family


def traces_in(places: Iterable[tuple[str, bytes]], pictures: Sequence[bytes]) -> dict[str, list[str]]:
    """The places in which something was found, with what."""
    return {name: found for name, content in places if (found := find_traces(content, pictures))}
