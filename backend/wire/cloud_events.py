"""CloudEvents 1.0 in JSON (structured mode, and batches of it): one spelling, strictly read.

Only the attributes below are written and taken: `specversion`, `id`, `source`, `type`, `subject`, `time`,
`datacontenttype`, `dataschema`, the extension `agreement` (under which agreement it is told, so that a signed delivery
to one office is none to another) and `data`, a flat object of agreed fields.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from backend.wire.codec import MessageRejected, load
from backend.wire.registry_messages import canonical_json, read_time, write_time

CONTENT_TYPE = "application/cloudevents+json"
BATCH_CONTENT_TYPE = "application/cloudevents-batch+json"
SPECVERSION = "1.0"
LARGEST_EVENT_BYTES = 65_536  # what the specification asks intermediaries to forward at least (section "Size limits")
LARGEST_BATCH_BYTES = 4_194_304
MOST_EVENTS = 100
MOST_FIELDS = 60

Value = str | int | float | bool
_TEXT = re.compile(r"[^\x00-\x1f\x7f\ud800-\udfff]{1,200}")
_LONG_TEXT = re.compile(r"[^\x00\ud800-\udfff]{1,500}")
_TYPE = re.compile(r"[a-z0-9]+(\.[a-z0-9-]+){2,}")
_FIELD = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)?")
_MEMBERS = frozenset(
    "specversion id source type subject time datacontenttype dataschema agreement data".split()
)  # fmt: skip


@dataclass(frozen=True)
class CloudEvent:
    """One change as it is told. `source` and `id` together name it: whoever has seen both has seen the event."""

    id: str
    source: str
    type: str
    subject: str
    time: datetime
    dataschema: str
    agreement: str
    data: Mapping[str, Value] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The event's JSON object."""
        return {
            "specversion": SPECVERSION,
            "id": self.id,
            "source": self.source,
            "type": self.type,
            "subject": self.subject,
            "time": write_time(self.time),
            "datacontenttype": "application/json",
            "dataschema": self.dataschema,
            "agreement": self.agreement,
            "data": dict(self.data),
        }


def source_of(subscriber: str) -> str:
    """The source of what is told to one office; two offices get different fields, so theirs are different sources."""
    return f"urn:anju:feed:{subscriber}"


def schema_of(about: str) -> str:
    """The name and version of the fields of a kind of object."""
    return f"urn:anju:schema:{about}:1"


def encode_event(event: CloudEvent) -> bytes:
    """Spell one event. Raises MessageRejected when it is none that would be taken."""
    read_event(event.as_json())
    return canonical_json(event.as_json())


def encode_events(events: Sequence[CloudEvent]) -> bytes:
    """Spell a batch. Raises MessageRejected like encode_event, and for none or more than MOST_EVENTS."""
    if not 1 <= len(events) <= MOST_EVENTS:
        raise MessageRejected("bad_count")
    for event in events:
        read_event(event.as_json())
    return canonical_json([event.as_json() for event in events])


def decode_event(body: bytes) -> CloudEvent:
    """Read one event. Raises MessageRejected with a short reason and the member at fault."""
    if len(body) > LARGEST_EVENT_BYTES:
        raise MessageRejected("too_large")
    return read_event(load(body))


def decode_events(body: bytes) -> tuple[CloudEvent, ...]:
    """Read a batch of 1 to MOST_EVENTS events. Raises MessageRejected."""
    if len(body) > LARGEST_BATCH_BYTES:
        raise MessageRejected("too_large")
    listed = load(body)
    if not isinstance(listed, list):
        raise MessageRejected("not_a_list")
    if not 1 <= len(listed) <= MOST_EVENTS:
        raise MessageRejected("bad_count")
    return tuple(read_event(item) for item in listed)


def read_event(value: object) -> CloudEvent:
    """Read an event out of parsed JSON. Raises MessageRejected."""
    if not isinstance(value, dict):
        raise MessageRejected("not_an_object")
    if value.keys() - _MEMBERS:
        raise MessageRejected("unknown_member")
    for name in sorted(_MEMBERS - value.keys()):
        raise MessageRejected("missing_member", name)
    if value["specversion"] != SPECVERSION:
        raise MessageRejected("unknown_version", "specversion")
    if value["datacontenttype"] != "application/json":
        raise MessageRejected("bad_member", "datacontenttype")
    for name in ("id", "source", "subject", "dataschema", "agreement", "type"):
        shape = _TYPE if name == "type" else _TEXT
        if not isinstance(value[name], str) or not shape.fullmatch(value[name]) or len(value[name]) > 200:
            raise MessageRejected("bad_member", name)
    try:
        at = read_time(value["time"])
    except ValueError:
        raise MessageRejected("bad_member", "time") from None
    return CloudEvent(
        id=value["id"],
        source=value["source"],
        type=value["type"],
        subject=value["subject"],
        time=at,
        dataschema=value["dataschema"],
        agreement=value["agreement"],
        data=_read_fields(value["data"]),
    )


def _read_fields(value: object) -> dict[str, Value]:
    if not isinstance(value, dict) or len(value) > MOST_FIELDS:
        raise MessageRejected("bad_member", "data")
    for name, item in value.items():
        if not _FIELD.fullmatch(name) or len(name) > 60:
            raise MessageRejected("bad_member", "data")
        if not _is_value(item):
            raise MessageRejected("bad_member", f"data/{name}")
    return dict(value)


def _is_value(item: object) -> bool:
    if isinstance(item, str):
        return _LONG_TEXT.fullmatch(item) is not None
    if isinstance(item, int):  # a truth value too
        return abs(item) < 2**53
    return isinstance(item, float) and math.isfinite(item)
