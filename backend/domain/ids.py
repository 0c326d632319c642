"""Identifiers: UUID version 7 (RFC 9562), as lower-case text with hyphens."""

from __future__ import annotations

from uuid import UUID

import uuid_utils.compat as uuids


def new_id() -> str:
    """Make a new identifier; it sorts by time of making and says nothing about a person."""
    return str(uuids.uuid7())


def is_id(text: str) -> bool:
    """Whether `text` has an identifier's spelling; what has not can be nobody's."""
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False
