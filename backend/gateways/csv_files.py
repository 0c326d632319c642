"""CSV as offices make it: UTF-8 with or without a mark, UTF-16, or GB18030; comma, semicolon or tab."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from backend.domain.refusals import Refused
from backend.domain.table_cells import clean_cell

LONGEST_FIELD = 10_000  # characters; a quote that is never closed would swallow the rest of the file


def read_csv(content: bytes) -> Iterator[tuple[int, list[tuple[str, str | None]]]]:
    """Row number and cells of every record. Raises Refused table.encoding, table.broken."""
    text = _decode(content)
    lines = io.StringIO(text, newline="")
    reader = csv.reader(lines, delimiter=_delimiter(text), strict=True)
    number = 0
    while True:
        number += 1
        try:
            record = next(reader)
        except StopIteration:
            return
        except csv.Error:
            raise _broken(reader.line_num) from None
        if any(len(cell) > LONGEST_FIELD for cell in record):
            raise _broken(reader.line_num)
        yield number, [(clean_cell(cell), None) for cell in record]


def _decode(content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings = ["utf-16"]
    elif content.startswith(b"\xef\xbb\xbf"):
        encodings = ["utf-8-sig"]
    else:
        encodings = ["utf-8", "gb18030"]
    for encoding in encodings:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError as error:
            row = content[: error.start].count(b"\n") + 1
    raise Refused("table.encoding", "file", row=row)


def _delimiter(text: str) -> str:
    """Whichever of the three stands most often in the first lines."""
    head = text[:4000]
    return max((",", "\t", ";"), key=head.count)


def _broken(line: int) -> Refused:
    return Refused(
        "table.broken",
        "file",
        where=(
            f"第 {line} 行，引号不配对或单元格过长",
            f"line {line}: a quote without its partner, or an endless cell",
        ),
    )
