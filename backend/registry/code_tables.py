"""Versioned code tables: data in the registry's database, first filled from code_tables.json."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select

from backend.registry.tables import codes

_EDITABLE = ("zh", "en", "valid_from", "valid_until")
_CODE = re.compile(r"[0-9A-Za-z_-]{1,40}")
SOURCE = Path(__file__).with_name("code_tables.json")


@dataclass(frozen=True, slots=True)
class CodeRow:
    """One code with the days it is valid on and what the rules need to know of it."""

    code: str
    valid_from: str
    valid_until: str | None
    traits: Mapping[str, Any]

    def is_valid_on(self, day: date) -> bool:
        """Whether the code may be used for something that takes effect on `day`."""
        return self.is_valid_on_text(day.isoformat())

    def is_valid_on_text(self, text: str) -> bool:
        """The same for a day written as YYYY-MM-DD."""
        return self.valid_from <= text and (self.valid_until is None or text <= self.valid_until)


class CodeTables:
    """The codes as one judgement sees them: read once, so that a table cannot change under it by accident."""

    def __init__(self, connection: Connection) -> None:
        self._rows: dict[tuple[str, str], CodeRow] = {}
        for row in connection.execute(select(codes)):
            self._rows[row.table_name, row.code] = CodeRow(row.code, row.valid_from, row.valid_until, row.traits)

    def find(self, table: str, code: str) -> CodeRow | None:
        """The code's row, valid or not; None when the table has no such code."""
        return self._rows.get((table, code))


def fill_code_tables(connection: Connection) -> None:
    """Put the first edition of every table into an empty database."""
    if connection.scalar(select(func.count()).select_from(codes)):
        return
    rows = []
    for table, entries in json.loads(SOURCE.read_text(encoding="utf-8")).items():
        for code, entry in entries.items():
            rows.append(
                {
                    "table_name": table,
                    "code": code,
                    "version": 1,
                    "zh": entry["zh"],
                    "en": entry["en"],
                    "valid_from": entry.get("valid_from", "1990-01-01"),
                    "valid_until": entry.get("valid_until"),
                    "traits": entry.get("traits", {}),
                }
            )
    connection.execute(insert(codes), rows)


class CodeRefused(Exception):
    """A new edition of a code is not usable; the text names the member."""


def put_code(connection: Connection, table: str, code: str, entry: Mapping[str, Any]) -> int:
    """Add a code, or bring a new edition of it; answers the table's new version. Raises CodeRefused.

    A code is ended by its `valid_until`, never taken out: what was filed under it keeps its meaning.
    """
    version = connection.scalar(select(func.max(codes.c.version)).where(codes.c.table_name == table[:40]))
    if version is None:
        raise CodeRefused("table")
    if not _CODE.fullmatch(code):
        raise CodeRefused("code")
    held = connection.execute(select(codes).where(codes.c.table_name == table, codes.c.code == code)).first()
    kept = {} if held is None else {name: getattr(held, name) for name in _EDITABLE}
    values = {"valid_from": "1990-01-01", "valid_until": None, **kept, **entry}
    if unknown := set(values) - set(_EDITABLE):
        raise CodeRefused(min(unknown)[:60])
    for name in ("zh", "en"):
        if not isinstance(values.get(name), str) or not 1 <= len(values[name]) <= 120 or not values[name].isprintable():
            raise CodeRefused(name)
    for name in ("valid_from", "valid_until"):
        if not _is_day(values[name]) and not (name == "valid_until" and values[name] is None):
            raise CodeRefused(name)
    connection.execute(delete(codes).where(codes.c.table_name == table, codes.c.code == code))
    traits = {} if held is None else held.traits
    row = {"table_name": table, "code": code, "version": version + 1, "traits": traits, **values}
    connection.execute(insert(codes).values(**row))
    return int(version) + 1


def _is_day(text: object) -> bool:
    try:
        return isinstance(text, str) and date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def list_codes(connection: Connection, table: str, since: int) -> dict[str, Any] | None:
    """A table's codes changed after version `since`, and its present version; None when there is no such table."""
    version = connection.scalar(select(func.max(codes.c.version)).where(codes.c.table_name == table))
    if version is None:
        return None
    rows = connection.execute(
        select(codes).where(codes.c.table_name == table, codes.c.version > since).order_by(codes.c.code)
    )
    entries = [
        {
            "code": row.code,
            "zh": row.zh,
            "en": row.en,
            "version": row.version,
            "valid_from": row.valid_from,
            "valid_until": row.valid_until,
        }
        for row in rows
    ]
    return {"table": table, "version": version, "entries": entries}
