"""The empty list that a landlord fills in: column names in one language, and one invented tenancy as an example.

The example's unit is nowhere, so a row that somebody forgets to delete fails by itself.
"""

from __future__ import annotations

from backend.domain.tenancy_rows import LEASE_COLUMNS

_PAPER = ("paper_declared_on", "paper_receipt_no")  # read where a list has them, not asked for
_EXAMPLE = {
    "unit_number": ("", ""),
    "address": ("示例村示例路1号", "Example Village, Example Road 1"),
    "room": ("101室", "101"),
    "tenant_name": ("周来福", "Example Tenant"),
    "tenant_id_type": ("居民身份证", "Resident identity card"),
    "tenant_id_number": ("330522199001010001", "330522199001010001"),  # sequence 000, which is never issued
    "tenant_phone": ("19900009101", "19900009101"),
    "kind": ("合租", "Room"),
    "starts_on": ("2026-01-01", "2026-01-01"),
    "ends_on": ("2027-12-31", "2027-12-31"),
    "moved_in_on": ("2026-01-01", "2026-01-01"),
    "rent": ("1500", "1500"),
    "deposit": ("1500", "1500"),
    "alias": ("示例，请删去这一行", "Example: delete this row"),
}


def column_name(column: str, language: str, columns: dict[str, tuple[str, ...]] = LEASE_COLUMNS) -> str:
    """A column's name in 'zh' or 'en', as the template writes it."""
    names = columns[column]
    return names[0] if language == "zh" else next(name for name in names if name.isascii())


def lease_template(language: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Column names and the example's row, in 'zh' or 'en'."""
    columns = tuple(column for column in LEASE_COLUMNS if column not in _PAPER)
    example = tuple(_EXAMPLE[column][language != "zh"] for column in columns)
    return tuple(column_name(column, language) for column in columns), example
