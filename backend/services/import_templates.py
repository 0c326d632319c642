"""The list to fill in, as a file."""

from __future__ import annotations

from backend.domain.refusals import Refused
from backend.domain.tenancy_examples import lease_template
from backend.gateways.table_writing import write_csv, write_xlsx

KINDS = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def make_lease_template(language: str, ending: str) -> tuple[bytes, str]:
    """Column names and an invented row in 'zh' or 'en'; answers the bytes and their media type. Raises not_found."""
    if language not in ("zh", "en") or ending not in KINDS:
        raise Refused("not_found", "template")
    rows = lease_template(language)
    return (write_csv(rows) if ending == "csv" else write_xlsx(rows)), KINDS[ending]
