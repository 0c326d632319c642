"""What of a database the models describe: not the months that a partitioned table consists of."""

from __future__ import annotations

import re
from typing import Any

_MADE_BY_THE_SERVER = re.compile(r"lock_events_(y[0-9]{4}m[0-9]{2}|rest)")
_POSTGRESQL_ONLY = {"brin_lock_events_received_at"}


def is_described(_item: Any, name: str | None, kind: str, _reflected: bool, _compared: Any) -> bool:
    """Alembic's `include_object`: False for partitions, and for indexes that only one of the databases has."""
    if kind == "table":
        return _MADE_BY_THE_SERVER.fullmatch(name or "") is None
    return name not in _POSTGRESQL_ONLY
