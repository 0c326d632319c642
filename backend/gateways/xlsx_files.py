"""XLSX by openpyxl in its read-only mode, after a look at the archive: formulas by value, the first visible sheet.

openpyxl reads XML through defusedxml where that is installed; importing it here makes sure that it is.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time
from typing import Any
from xml.etree.ElementTree import ParseError

import defusedxml
import openpyxl
from openpyxl.cell.cell import ERROR_CODES

from backend.domain.refusals import Refused
from backend.domain.table_cells import clean_cell

MOST_UNPACKED = 256 * 1024 * 1024
MOST_PARTS = 2000
EXACT_BELOW = 10**15  # Excel keeps fifteen digits; a longer number has lost its end
Cells = list[tuple[str, str | None]]

if not openpyxl.DEFUSEDXML:  # an entity bomb would be unpacked in memory
    raise RuntimeError(f"openpyxl does not use defusedxml {defusedxml.__version__}; unset OPENPYXL_DEFUSEDXML")


def looks_like_xlsx(content: bytes) -> bool:
    """Whether the content is a zip archive; nothing else that is accepted begins like one."""
    return content.startswith(b"PK\x03\x04")


def read_xlsx(
    content: bytes, most_rows: int, most_columns: int, most_unpacked: int = MOST_UNPACKED
) -> Iterator[tuple[int, Cells]]:
    """Row number and cells of the first visible sheet. Raises Refused table.kind, table.broken, table.too_large."""
    _check_archive(content, most_unpacked)
    try:
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
        sheet = next((s for s in book.worksheets if s.sheet_state == "visible"), None)
        if sheet is None:
            raise Refused("table.empty", "file")
        sheet.reset_dimensions()  # what the file says of its own size is not to be trusted
        blank = 0
        for number, row in enumerate(sheet.iter_rows(max_col=most_columns, values_only=True), 1):
            cells = [_cell(value) for value in row]
            blank = 0 if any(text or fault for text, fault in cells) else blank + 1
            if blank > most_rows:
                raise Refused("table.too_large", "file", what=("行数", "rows"), most=f"{most_rows}")
            yield number, cells
    except (
        *(KeyError, ValueError, TypeError, AttributeError, IndexError, OverflowError, EOFError, ParseError),
        *(zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, StopIteration),
    ) as error:  # whatever openpyxl meets in a file that lies about itself; defusedxml raises kinds of ValueError
        raise Refused("table.broken", "file", where=("工作簿", "workbook")) from error


def _check_archive(content: bytes, most_unpacked: int) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
        raise Refused("table.broken", "file", where=("压缩包", "archive")) from None
    if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > most_unpacked:
        most = f"{most_unpacked // 1024**2} MB"
        raise Refused("table.too_large", "file", what=("解压后", "unpacked"), most=most)
    if "xl/workbook.xml" not in {part.filename for part in parts}:
        raise Refused("table.kind", "file", name="zip")


def _cell(value: Any) -> tuple[str, str | None]:
    if value is None:
        return "", None
    if isinstance(value, bool):
        return ("true" if value else "false"), None
    if isinstance(value, int | float):
        if abs(value) >= EXACT_BELOW:
            return "", "table.long_number"
        return (f"{int(value)}" if value == int(value) else f"{value:.12g}"), None
    if isinstance(value, datetime):
        return (value.date() if value.time() == time(0) else value).isoformat(), None
    if isinstance(value, date | time):
        return value.isoformat(), None
    text = clean_cell(str(value))
    return ("", "table.error_cell") if text in ERROR_CODES else (text, None)
