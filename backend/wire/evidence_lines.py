"""Lines that name their own damage: each with a running sum and a copy beside it. Used for files of evidence.

    {…,"sum":"…"}    a line of content: a JSON object, its sum SHA-256 over the sum before and its own content
    "…"              its copy: the line above in base64url, as a JSON text

A chain hash alone would say which event was changed and not where. With the copy and the sum there are two ways to
every line, and the sum tells which of them is whole; from the whole one the true bytes are known, and the first that
differs from the file is the first that was changed. It costs 2.3 times the size, and the file stays readable.

What is promised. Any change is found. As long as of a line and its copy one is whole, the first changed byte is named
exactly, be it flipped, put in or taken out, and whatever was changed behind it. Where both were changed, or lines are
missing, the place is named as a range that begins at that line. Who changes a text, its copy and all sums after it
leaves no byte that could be known as changed; that is for signatures to find (backend.wire.evidence).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from backend.wire.jwk import base64url, from_base64url

LONGEST_LINE = 16_384  # an event text of 1,024 characters, each escaped; a token of 1,024; the header
NOTHING = bytes(32)  # the sum before the first line

_TAG = b"anju/evidence/v1\x00"
_SUM = re.compile(rb',"sum":"([A-Za-z0-9_-]{43})"}')
_SUM_BYTES = 53
_COPY = re.compile(rb"[A-Za-z0-9_-]{80,}")


class EvidenceDamaged(Exception):
    """The file is not what was written. `offset` counts bytes from 0, `line` from 1; `seq` is the event's, if one's.

    `exact`: `offset` is the first changed byte; otherwise that byte lies between `offset` and `until`.
    """

    def __init__(
        self, why: str, offset: int, line: int, seq: int | None, *, exact: bool, until: int | None = None
    ) -> None:
        super().__init__(why)
        self.why, self.offset, self.line, self.seq = why, offset, line, seq
        self.exact, self.until = exact, offset if until is None else until


@dataclass(frozen=True)
class Line:
    """A line that is as it was written."""

    number: int
    offset: int
    end: int
    content: dict[str, Any]

    def wrong(self, why: str, seq: int | None = None) -> EvidenceDamaged:
        """The line is whole and does not fit the rest: it was changed together with its copy and the sums."""
        return EvidenceDamaged(why, self.offset, self.number, seq, exact=False, until=self.end)


def whole_lines(raw: bytes) -> list[Line]:
    """All lines of an unchanged file. Raises EvidenceDamaged at the first byte that is another."""
    lines: list[Line] = []
    offset, previous, seq = 0, NOTHING, None
    while not (lines and "signed" in lines[-1].content):
        number = 2 * len(lines) + 1
        written = _find_line(raw, offset, previous)
        if written is None:
            raise _unknowable(raw, offset, number, None if seq is None else seq + 1)
        both = pair(written)
        line = Line(number, offset, offset + len(both), _read(written))
        seq, previous = _seq_of(line, seq), from_base64url(written[-_SUM_BYTES:][8:51].decode())
        found = raw[offset : line.end]
        if found != both:
            place = offset + _first_difference(found, both)
            number += place > offset + len(written)
            why = "the file ends too early" if place == len(raw) else "a byte was changed"
            raise EvidenceDamaged(why, place, number, seq if lines else None, exact=True)
        lines.append(line)
        offset = line.end
    if len(raw) > offset:
        raise EvidenceDamaged("something was added after the end", offset, 2 * len(lines) + 1, None, exact=True)
    return lines


def _find_line(raw: bytes, offset: int, previous: bytes) -> bytes | None:
    """The line that was written at `offset`, from itself or from its copy, whichever is whole."""
    window = raw[offset : offset + 4 * LONGEST_LINE]
    itself = window.partition(b"\n")[0]
    if _fits(itself, previous):
        return itself
    for found in _COPY.finditer(window):
        try:
            copy = from_base64url(found[0].decode())
        except ValueError:
            continue
        if _fits(copy, previous):
            return copy
    return None


def _unknowable(raw: bytes, offset: int, number: int, seq: int | None) -> EvidenceDamaged:
    if b"\n" not in raw[offset:]:
        return EvidenceDamaged("the file ends too early", offset, number, seq, exact=False, until=len(raw))
    end = raw.find(b"\n", raw.find(b"\n", offset) + 1)
    why = "a line and its copy were changed, or lines are missing" if number > 1 else "this is no exported event log"
    return EvidenceDamaged(why, offset, number, seq, exact=False, until=len(raw) if end < 0 else end)


def _fits(line: bytes, previous: bytes) -> bool:
    """Whether a line is as it was written: its sum is that of the sum before and its content."""
    found = _SUM.fullmatch(line[-_SUM_BYTES:])
    return found is not None and found[1].decode() == base64url(_sum(previous, _content(line)))


def spell_line(content: Mapping[str, Any], previous: bytes) -> tuple[bytes, bytes]:
    """A line of content and its sum, which the next one goes on from (`NOTHING` before the first)."""
    spelled = _dump(content)
    summed = _sum(previous, spelled)
    return spelled[:-1] + f',"sum":"{base64url(summed)}"}}'.encode(), summed


def _content(line: bytes) -> bytes:
    return line[:-_SUM_BYTES] + b"}"


def _sum(previous: bytes, content: bytes) -> bytes:
    return hashlib.sha256(_TAG + previous + content).digest()


def pair(line: bytes) -> bytes:
    """A line with its copy, as they stand in the file."""
    return line + b'\n"' + base64url(line).encode() + b'"\n'


def _dump(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, separators=(",", ":")).encode()  # ASCII: an escaped text has one spelling in any editor


def _read(line: bytes) -> dict[str, Any]:
    """The content of a line; nothing when somebody wrote a sum to what is no content."""
    try:
        content = json.loads(_content(line))
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _first_difference(one: bytes, other: bytes) -> int:
    pairs = enumerate(zip(one, other, strict=False))
    return next((place for place, (a, b) in pairs if a != b), min(len(one), len(other)))


def _seq_of(line: Line, before: int | None) -> int | None:
    """The sequence a line is about: events are numbered on from the anchor."""
    anchor = line.content.get("anchor")
    if isinstance(anchor, dict) and isinstance(anchor.get("seq"), int):
        return int(anchor["seq"])
    return before + 1 if "event" in line.content and before is not None else before
