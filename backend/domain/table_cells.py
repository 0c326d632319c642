"""What stands in a cell of a table that somebody filled in: spelling, dates, column names."""

from __future__ import annotations

import re
import unicodedata
from datetime import date

MOST_CHARACTERS = 500  # no column of ours holds more
_DATE = re.compile(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?(?:[ T]0{1,2}:00(?::00(?:\.0+)?)?)?")
_SHORT_DATE = re.compile(r"(\d{4})(\d{2})(\d{2})")
_IN_BRACKETS = re.compile(r"\(.*?\)|\[.*?\]|【.*?】")
_NO_LETTER = re.compile(r"[\s_\-*:./]+")


def clean_cell(text: str) -> str:
    """A cell's text in NFC without control characters and outer blanks, cut at a length no column exceeds."""
    kept = "".join(" " if ch in "\t\r\n\u00a0\u3000" else ch for ch in text if ch in "\t\r\n" or not _is_control(ch))
    return " ".join(unicodedata.normalize("NFC", kept).split())[:MOST_CHARACTERS].rstrip()


def _is_control(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Cf", "Cs")


def header_name(text: str) -> str:
    """A column's name without what people add to it: width, case, blanks, a unit or a hint in brackets, a star."""
    wide = unicodedata.normalize("NFKC", clean_cell(text)).lower()
    return _NO_LETTER.sub("", _IN_BRACKETS.sub("", wide))


def normal_date(text: str) -> str:
    """A day as 2026-11-23 when it can be read as one (2026/11/23, 2026年11月23日, 20261123); else the text as it is."""
    narrow = unicodedata.normalize("NFKC", text).strip()
    found = _DATE.fullmatch(narrow) or _SHORT_DATE.fullmatch(narrow)
    if found is None:
        return text
    try:
        return date(*(int(part) for part in found.groups())).isoformat()
    except ValueError:
        return text
