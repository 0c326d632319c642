"""Tables people bring: CSV, XLSX and GeoJSON, read into rows of text under one set of column names.

The file is not trusted: its size, its rows, what it unpacks to and the entities of its XML are limited. A file that
cannot be read gives one refusal that says what is wrong, where, and what to do; a fault of one row stays with the row.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from backend.domain.refusals import Refused
from backend.domain.table_cells import clean_cell, header_name, normal_date
from backend.gateways.csv_files import read_csv
from backend.gateways.xlsx_files import MOST_UNPACKED, looks_like_xlsx, read_xlsx

MOST_BYTES = 32 * 1024 * 1024
MOST_ROWS = 100_000
MOST_COLUMNS = 200
HEADER_AMONG = 10  # a title or a note may stand above the column names
_OLD_EXCEL = bytes.fromhex("d0cf11e0a1b11ae1")  # .xls, and .xlsx under a password
_DATUM_OF_CRS = {"4490": "CGCS2000", "4326": "WGS84", "CRS84": "WGS84"}

Names = Mapping[str, Sequence[str]]
RawRow = tuple[int, list[tuple[str, str | None]]]  # row number, cells as (text, fault)


@dataclass(frozen=True)
class Limits:
    """How much of a file is read: its bytes, what a workbook may unpack to, its rows."""

    bytes: int = MOST_BYTES
    unpacked: int = MOST_UNPACKED
    rows: int = MOST_ROWS


LIMITS = Limits()  # of an operator's files; uploads get their own


@dataclass(frozen=True)
class TableRow:
    """One row: its number as the file's own program shows it (the column names' row counts), the cells that are filled,
    and the fault that its form has, as (column or None, reason)."""

    number: int
    cells: dict[str, str]
    fault: tuple[str | None, str] | None = None


@dataclass(frozen=True)
class Table:
    """A file that was read. `unknown` are the column names nobody asked for; what stands in them was not kept."""

    name: str
    sha256: str
    columns: tuple[str, ...]
    unknown: tuple[str, ...]
    rows: tuple[TableRow, ...]


def read_table(
    name: str,
    content: bytes,
    names: Names,
    *,
    required: Collection[str] = (),
    dates: Collection[str] = (),
    limits: Limits = LIMITS,
) -> Table:
    """Read a file by its content. `names` gives the accepted headers of each column, `dates` those that hold days.

    Raises Refused table.* when the file as a whole is of no use; `required` columns must be in it.
    """
    if len(content) > limits.bytes:
        raise Refused("table.too_large", "file", what=("文件", "file"), most=f"{limits.bytes // 1024**2} MB")
    if content.startswith(_OLD_EXCEL):
        raise Refused("table.old_excel", "file")
    if looks_like_xlsx(content):
        raw = read_xlsx(content, limits.rows, MOST_COLUMNS, limits.unpacked)
        found = _tabular(raw, names, dates, limits.rows)
    elif content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        found = _features(content, names, dates, limits.rows)
    elif b"\x00" in content and not content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise Refused("table.kind", "file", name=name[:80])
    else:
        found = _tabular(read_csv(content), names, dates, limits.rows)
    columns, unknown, rows = found
    for column in required:
        if column not in columns:
            raise Refused("table.missing_column", "file", column=names[column][0], allowed=tuple(names[column]))
    if not rows:
        raise Refused("table.empty", "file")
    return Table(name[:120], sha256(content).hexdigest(), columns, unknown, rows)


def read_table_file(path: Path, names: Names, *, required: Collection[str] = (), dates: Collection[str] = ()) -> Table:
    """Like `read_table`, of a file on disk. Raises FileNotFoundError."""
    with path.open("rb") as file:
        content = file.read(MOST_BYTES + 1)
    return read_table(path.name, content, names, required=required, dates=dates)


_Found = tuple[tuple[str, ...], tuple[str, ...], tuple[TableRow, ...]]


def _tabular(raw: Iterator[RawRow], names: Names, dates: Collection[str], most_rows: int) -> _Found:
    """Rows below the first row that names at least one column; the row that names most of the first ten is taken."""
    known = {header_name(spelling): column for column, spellings in names.items() for spelling in (column, *spellings)}
    head: list[RawRow] = []
    for row in raw:
        head.append(row)
        if len(head) == HEADER_AMONG:
            break
    best = max(head, key=lambda row: len({known.get(header_name(text)) for text, _ in row[1]} - {None}), default=None)
    headers = [header_name(text) for text, _ in best[1]] if best else []
    columns = [known.get(header) for header in headers]
    if best is None or not any(columns):
        raise Refused("table.no_header", "file", allowed=tuple(spellings[0] for spellings in names.values()))
    for column in filter(None, columns):
        if columns.count(column) > 1:
            raise Refused("table.double_column", "file", column=names[column][0], row=best[0])
    unknown = tuple(text for (text, _), column in zip(best[1], columns, strict=True) if text and column is None)
    rest = head[head.index(best) + 1 :]
    rows = tuple(_numbered(_chain(rest, raw), columns, dates, most_rows))
    return tuple(column for column in columns if column), unknown, rows


def _chain(first: Iterable[RawRow], then: Iterator[RawRow]) -> Iterator[RawRow]:
    yield from first
    yield from then


def _numbered(
    raw: Iterator[RawRow], columns: list[str | None], dates: Collection[str], most_rows: int
) -> Iterator[TableRow]:
    count = 0
    for number, cells in raw:
        if not any(text or fault for text, fault in cells):
            continue
        count += 1
        if count > most_rows:
            raise _too_many_rows(most_rows)
        fault: tuple[str | None, str] | None = next(
            ((column, fault) for column, (_, fault) in zip(columns, cells, strict=False) if column and fault), None
        )
        if any(text for text, _ in cells[len(columns) :]):
            fault = (None, "table.ragged")
        filled = {c: text for c, (text, _) in zip(columns, cells, strict=False) if c and text}
        yield TableRow(number, _with_dates(filled, dates), fault)


def _with_dates(cells: dict[str, str], dates: Collection[str]) -> dict[str, str]:
    return {column: normal_date(text) if column in dates else text for column, text in cells.items()}


def _features(content: bytes, names: Names, dates: Collection[str], most_rows: int) -> _Found:
    """A GeoJSON FeatureCollection: properties as columns, a point or an outline as coordinates (RFC 7946)."""
    try:
        document = json.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise Refused("table.encoding", "file", row=content[: error.start].count(b"\n") + 1) from None
    except json.JSONDecodeError as error:
        where = (f"第 {error.lineno} 行", f"line {error.lineno}")
        raise Refused("table.broken", "file", where=where) from None
    except RecursionError:
        raise Refused("table.broken", "file", where=("嵌套过深", "nested too deep")) from None
    features = document.get("features")
    if document.get("type") != "FeatureCollection" or not isinstance(features, list):
        raise Refused("table.broken", "file", where=("不是 FeatureCollection", "not a FeatureCollection"))
    if len(features) > most_rows:
        raise _too_many_rows(most_rows)
    known = {header_name(spelling): column for column, spellings in names.items() for spelling in (column, *spellings)}
    datum = _datum_of(document)
    seen: dict[str, None] = {}
    unknown: dict[str, None] = {}
    rows = []
    for number, feature in enumerate(features, 1):
        cells, strange = _feature_cells(feature, known, datum, number)
        seen |= dict.fromkeys(cells)
        unknown |= dict.fromkeys(strange)
        rows.append(TableRow(number, _with_dates(cells, dates)))
    return tuple(seen), tuple(unknown), tuple(rows)


def _feature_cells(
    feature: Any, known: Mapping[str, str], datum: str, number: int
) -> tuple[dict[str, str], tuple[str, ...]]:
    broken = Refused("table.broken", "file", where=(f"第 {number} 个要素", f"feature {number}"))
    if not isinstance(feature, dict) or not isinstance(feature.get("properties") or {}, dict):
        raise broken
    cells: dict[str, str] = {}
    strange = []
    for key, value in (feature.get("properties") or {}).items():
        column = known.get(header_name(str(key)))
        if column is None:
            strange.append(str(key))
        elif isinstance(value, dict | list):
            raise broken
        elif text := _json_text(value):
            cells[column] = text
    geometry = feature.get("geometry")
    if geometry is not None and "longitude" in known.values():
        placed = _placed(geometry)
        if placed is None:
            raise broken
        cells |= placed
        cells.setdefault("datum", datum)
    return cells, tuple(strange)


def _placed(geometry: Any) -> dict[str, str] | None:
    """The point of a Point; the outer ring of a Polygon, with the middle of its extent as the point; else None."""
    if not isinstance(geometry, dict):
        return None
    kind: Any = geometry.get("type")
    coordinates: Any = geometry.get("coordinates")
    if kind == "Point" and _is_point(coordinates):
        return {"longitude": repr(coordinates[0]), "latitude": repr(coordinates[1])}
    rings = coordinates if kind == "Polygon" and isinstance(coordinates, list) else []
    if not rings or not isinstance(rings[0], list) or not rings[0] or not all(map(_is_point, rings[0])):
        return None
    ring = [point[:2] for point in rings[0]]
    easts, norths = [point[0] for point in ring], [point[1] for point in ring]
    return {
        "longitude": repr(round((min(easts) + max(easts)) / 2, 7)),
        "latitude": repr(round((min(norths) + max(norths)) / 2, 7)),
        "outline": json.dumps(ring),
    }


def _is_point(value: Any) -> bool:
    return isinstance(value, list) and len(value) >= 2 and all(type(part) in (int, float) for part in value)


def _json_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return clean_cell(str(value))


def _datum_of(document: Mapping[str, Any]) -> str:
    """WGS84 by RFC 7946, unless the older member `crs` names another one that we know."""
    named = json.dumps(document.get("crs") or "")
    return next((datum for code, datum in _DATUM_OF_CRS.items() if code in named), "WGS84")


def _too_many_rows(most: int) -> Refused:
    return Refused("table.too_large", "file", what=("行数", "rows"), most=f"{most}")
