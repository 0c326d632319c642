"""Tables that people open in their own program: CSV with a byte-order mark, XLSX with every cell as text.

As text, because a spreadsheet that takes a document number for a figure loses its last digits.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

import openpyxl

ROWS_AS_TEXT = 200  # rows below the example that are text already
WIDTH = 22


def write_csv(rows: Sequence[Sequence[str]]) -> bytes:
    """UTF-8 with a mark, so that Excel reads Chinese; lines end as RFC 4180 says."""
    out = io.StringIO(newline="")
    csv.writer(out).writerows(rows)
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def write_xlsx(rows: Sequence[Sequence[str]]) -> bytes:
    """One sheet, the first row frozen."""
    book = openpyxl.Workbook()
    sheet = book.active
    for row in (*rows, *[[""] * len(rows[0])] * ROWS_AS_TEXT):
        sheet.append([text or None for text in row])
    for cells in sheet.iter_rows(max_row=len(rows) + ROWS_AS_TEXT, max_col=len(rows[0])):
        for cell in cells:
            cell.number_format = "@"
    for number in range(1, len(rows[0]) + 1):
        sheet.column_dimensions[openpyxl.utils.get_column_letter(number)].width = WIDTH
    sheet.freeze_panes = "A2"
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
