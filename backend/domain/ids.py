"""Identifiers: UUID version 7 (RFC 9562), as lower-case text with hyphens."""

from __future__ import annotations

import re

import uuid_utils.compat as uuids

_SPELLING = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def new_id() -> str:
    """Make a new identifier; it sorts by time of making and says nothing about a person."""
    return str(uuids.uuid7())


def is_id(text: str) -> bool:
    """Whether `text` has an identifier's spelling; what has not can be nobody's."""
    return _SPELLING.fullmatch(text) is not None
