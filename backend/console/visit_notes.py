"""What a visit's form says, from a page or from a phone that kept it while there was no network."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from backend.domain.refusals import Refusal, Refused
from backend.domain.whole_numbers import read_whole


def read_note(values: Mapping[str, str]) -> dict[str, Any]:
    """The arguments of `note_visit`; an empty number was not counted. Raises Refused with every unreadable field."""
    found: dict[str, Any] = {"outcome": values.get("outcome", ""), "note_id": values.get("note_id", "")}
    faults = []
    for name in ("adults", "children"):
        text = values.get(name, "").strip()
        found[name] = read_whole(text)
        if text and found[name] is None:
            faults.append(Refusal("input.wrong_type", name, {"expected": "2"}))
    if faults:
        raise Refused.of(faults)
    return {**found, "visited_at": _moment(values.get("visited_at", ""))}


def _moment(text: str) -> datetime | None:
    """An aware moment as a phone writes it (RFC 3339); what cannot be read says nothing."""
    try:
        said = datetime.fromisoformat(text)
    except ValueError:
        return None
    return said if said.tzinfo is not None else None
