"""The registry's answers: what became of a batch, what it holds of a record.

Read strictly in form and carefully in meaning: an unknown state is kept as it came, never taken for acceptance.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from backend.wire.registry_codes import ItemError, item_error
from backend.wire.registry_messages import MessageRefused, canonical_json, read_object, read_time, write_time

ITEM_STATES = ("ACCEPTED", "REJECTED", "PENDING", "DUPLICATE", "STALE")
BATCH_STATES = ("RECEIVED", "PROCESSING", "DONE", "PARTIAL", "FAILED")
FINISHED = ("DONE", "PARTIAL", "FAILED")
RECORD_STATES = ("ACTIVE", "MOVED_OUT", "VOIDED")
CHINA = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True, slots=True)
class ItemResult:
    """What became of one item. Only ACCEPTED (or DUPLICATE) with a receipt that verifies counts as accepted."""

    record_id: str
    record_version: int
    op: str
    leg: str
    state: str
    receipt_no: str | None = None
    receipt_sig: str | None = None
    errors: tuple[ItemError, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The result as it stands in an answer."""
        return {
            "record_id": self.record_id,
            "record_version": self.record_version,
            "op": self.op,
            "leg": self.leg,
            "state": self.state,
            "receipt_no": self.receipt_no,
            "receipt_sig": self.receipt_sig,
            "errors": [error.as_json() for error in self.errors],
        }


@dataclass(frozen=True, slots=True)
class Received:
    """The registry has the batch; it has not judged it (已送达，待登记机关确认)."""

    batch_id: str
    received_at: datetime


@dataclass(frozen=True, slots=True)
class BatchStatus:
    """How far a batch is, with the results of its items once there are any."""

    batch_id: str
    state: str
    received_at: datetime
    items: tuple[ItemResult, ...]

    @property
    def is_finished(self) -> bool:
        """Whether nothing of it will change by itself any more."""
        return self.state in FINISHED

    @property
    def is_known(self) -> bool:
        """Whether its state is one of the agreed ones; any other means nothing and is never a success."""
        return self.state in BATCH_STATES


@dataclass(frozen=True, slots=True)
class HeldLeg:
    """One leg of a record as the registry holds it, or its end (`op` CHECKOUT or VOID)."""

    op: str
    leg: str
    version: int
    payload_hash: str
    receipt_no: str
    receipt_sig: str


@dataclass(frozen=True, slots=True)
class HeldRecord:
    """What the registry knows of one of the sender's records: ACTIVE, MOVED_OUT or VOIDED.

    `revision` counts the registry's own corrections. It is no version: versions belong to the sender, and neither a
    receipt nor a digest changes when the registry corrects something.
    """

    record_id: str
    state: str
    legs: tuple[HeldLeg, ...]
    revision: int = 0


@dataclass(frozen=True, slots=True)
class Change:
    """A correction made at the registry, on its way back; `fields` are names and new values.

    `sequence` orders all changes of a sender and is what a cursor counts. `revision` is the record's after this change
    (1 for the first): it grows by one with each, so a reader sees a gap. The correction stands until a later version
    of the sender speaks of the field again; an older version, filed late, is STALE and ends nothing.
    """

    sequence: int
    record_id: str
    kind: str
    at: datetime
    fields: Mapping[str, str]
    revision: int = 0


@dataclass(frozen=True, slots=True)
class Digest:
    """Count and root of a day and town; `entries` (id, version, state) only when they were asked for."""

    count: int
    root: str
    entries: tuple[tuple[str, int, str], ...] = ()


def decode_received(body: bytes) -> Received:
    """Read the answer to a filing. Raises MessageRefused."""
    raw = read_object(body)
    return Received(_text(raw, "batch_id"), _moment(raw, "received_at"))


def decode_batch_status(body: bytes) -> BatchStatus:
    """Read how far a batch is. Raises MessageRefused when the form is not the agreed one."""
    raw = read_object(body)
    return BatchStatus(
        _text(raw, "batch_id"),
        _text(raw, "state"),
        _moment(raw, "received_at"),
        tuple(decode_result(item) for item in _list(raw, "items")),
    )


def decode_result(raw: object) -> ItemResult:
    """Read one item's result; the state is kept as it came. Raises MessageRefused."""
    row = _object(raw)
    return ItemResult(
        record_id=_text(row, "record_id"),
        record_version=_whole(row, "record_version"),
        op=_text(row, "op"),
        leg=_text(row, "leg"),
        state=_text(row, "state"),
        receipt_no=_text_or_none(row, "receipt_no"),
        receipt_sig=_text_or_none(row, "receipt_sig"),
        errors=tuple(_error(error) for error in _list(row, "errors")),
    )


def decode_record(body: bytes) -> HeldRecord:
    """Read what the registry holds of a record. Raises MessageRefused."""
    raw = read_object(body)
    legs = []
    for entry in _list(raw, "legs"):
        row = _object(entry)
        texts = [_text(row, name) for name in ("payload_hash", "receipt_no", "receipt_sig")]
        legs.append(HeldLeg(_text(row, "op"), _text(row, "leg"), _whole(row, "version"), *texts))
    revision = _whole(raw, "revision") if "revision" in raw else 0
    return HeldRecord(_text(raw, "record_id"), _text(raw, "state"), tuple(legs), revision)


def decode_changes(body: bytes) -> tuple[list[Change], str]:
    """Read corrections and the cursor to go on from. Raises MessageRefused."""
    raw = read_object(body)
    changes = []
    for entry in _list(raw, "changes"):
        row = _object(entry)
        fields = _object(row.get("fields"))
        if not all(isinstance(value, str) for value in fields.values()):
            raise MessageRefused(item_error("1102", "/fields"))
        revision = _whole(row, "revision") if "revision" in row else 0
        texts = (_text(row, "record_id"), _text(row, "kind"))
        changes.append(Change(_whole(row, "sequence"), *texts, _moment(row, "at"), fields, revision))
    return changes, _text(raw, "cursor")


def decode_digest(body: bytes) -> Digest:
    """Read a digest. Raises MessageRefused."""
    raw = read_object(body)
    entries = []
    for entry in raw.get("entries") or []:
        row = _object(entry)
        entries.append((_text(row, "id"), _whole(row, "version"), _text(row, "state")))
    return Digest(_whole(raw, "count"), _text(raw, "root"), tuple(entries))


def decode_problem(body: bytes) -> tuple[ItemError, ...]:
    """The errors of a refusal (problem+json); empty when the body is not one, as from a proxy on the way."""
    try:
        raw = read_object(body)
        return tuple(_error(error) for error in _list(raw, "errors"))
    except MessageRefused:
        return ()


def digest_day(declared_at: datetime) -> date:
    """The day under which a leg is counted: the Chinese calendar day of its `declared_at`, which never changes."""
    return declared_at.astimezone(CHINA).date()


def digest_id(record_id: str, leg: str) -> str:
    """The id of one leg of a record in a digest."""
    return f"{record_id}:{leg}"


def digest_root(entries: Iterable[tuple[str, int, str]]) -> str:
    """SHA-256 in hex over the canonical JSON of the sorted (id, version, state) triples; no personal data in it."""
    return hashlib.sha256(canonical_json(sorted([list(entry) for entry in entries]))).hexdigest()


def encode_received(received: Received) -> dict[str, Any]:
    """The answer to a filing."""
    return {"batch_id": received.batch_id, "received_at": write_time(received.received_at)}


def _error(raw: object) -> ItemError:
    row = _object(raw)
    retryable = row.get("retryable")
    if not isinstance(retryable, bool):
        raise MessageRefused(item_error("1102", "/retryable"))
    return ItemError(
        code=_text(row, "code"),
        pointer=_text(row, "pointer"),
        message_zh=_text(row, "message_zh"),
        message_en=_text(row, "message_en"),
        retryable=retryable,
        owner=_text(row, "owner"),
    )


def _object(raw: object) -> dict[str, Any]:
    if not isinstance(raw, dict):
        raise MessageRefused(item_error("1102", ""))
    return raw


def _list(raw: Mapping[str, Any], name: str) -> list[Any]:
    value = raw.get(name)
    if not isinstance(value, list):
        raise MessageRefused(item_error("1102", f"/{name}"))
    return value


def _text(raw: Mapping[str, Any], name: str) -> str:
    value = raw.get(name)
    if not isinstance(value, str):
        raise MessageRefused(item_error("1102", f"/{name}"))
    return value


def _text_or_none(raw: Mapping[str, Any], name: str) -> str | None:
    return None if raw.get(name) is None else _text(raw, name)


def _whole(raw: Mapping[str, Any], name: str) -> int:
    value = raw.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise MessageRefused(item_error("1102", f"/{name}"))
    return value


def _moment(raw: Mapping[str, Any], name: str) -> datetime:
    try:
        return read_time(raw.get(name))
    except ValueError:
        raise MessageRefused(item_error("1102", f"/{name}")) from None
