"""The registry's messages, schema rr/1.0: what is sent, strictly read.

A batch carries items; an item carries one version of one leg of one record. What comes back is read in
backend.wire.registry_answers. Times are RFC 3339 with offset; JSON has text, whole numbers, lists and objects only.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from backend.wire.jwk import base64url, from_base64url
from backend.wire.registry_codes import ItemError, item_error
from backend.wire.registry_payload import LEGS, OPS, escape_pointer

SCHEMA = "rr/1.0"
PURPOSE = "residence_registration"
SIGNATURE_HEADER = "X-Body-Signature"
SIGNED_AT_HEADER = "X-Signed-At"
SIGNATURE_LIFE_SECONDS = 300  # a signed call is good for so long before and after its moment, then it is a replay
LARGEST_BODY_BYTES = 1_048_576
MOST_ITEMS = 200
NONCE_BYTES = 16
LATEST_VERSION = 2**31 - 1
DEEPEST = 24  # levels of JSON; a batch needs five

_RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)", re.ASCII)
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_HASH = re.compile(r"[0-9a-f]{64}")
_KEY = re.compile(r"[0-9A-Za-z_-]{16,128}")
_ITEM_MEMBERS = (
    ["op", "record_id", "record_version", "leg", "effective_at", "declared_at", "payload", "nonce", "payload_hash"]
)  # fmt: skip


class MessageRefused(Exception):
    """A body is not a message of this schema; `errors` say what and where (pointers from the body's root)."""

    def __init__(self, *errors: ItemError) -> None:
        super().__init__(", ".join(f"{error.code} {error.pointer}" for error in errors))
        self.errors = errors


@dataclass(frozen=True, slots=True)
class Item:
    """One version of one leg of one record.

    `declared_at` is the moment of the person's first complete declaration (or of the landlord's report) and never
    changes; `effective_at` is the moment the change took effect. `nonce` (16 bytes, base64url) hides the payload
    behind `payload_hash` once nobody holds it any more.
    """

    op: str
    record_id: str
    record_version: int
    leg: str
    effective_at: datetime
    declared_at: datetime
    payload: Mapping[str, str]
    nonce: str
    payload_hash: str

    def as_json(self) -> dict[str, Any]:
        """The item as it stands in a batch."""
        return {
            "op": self.op,
            "record_id": self.record_id,
            "record_version": self.record_version,
            "leg": self.leg,
            "effective_at": write_time(self.effective_at),
            "declared_at": write_time(self.declared_at),
            "payload": dict(self.payload),
            "nonce": self.nonce,
            "payload_hash": self.payload_hash,
        }


@dataclass(frozen=True, slots=True)
class Batch:
    """What one request carries: a purpose and at most 200 items."""

    purpose: str
    items: tuple[Item, ...]

    def to_bytes(self) -> bytes:
        """The batch as it is sent; equal batches make equal bytes, so a repeated request is the same request."""
        return canonical_json({"schema": SCHEMA, "purpose": self.purpose, "items": [i.as_json() for i in self.items]})


def make_item(
    op: str,
    record_id: str,
    record_version: int,
    leg: str,
    *,
    effective_at: datetime,
    declared_at: datetime,
    payload: Mapping[str, str],
    nonce: bytes,
) -> Item:
    """Make an item with the hash of its payload; `nonce` has 16 bytes (ValueError otherwise)."""
    return Item(
        op,
        record_id,
        record_version,
        leg,
        effective_at,
        declared_at,
        dict(payload),
        base64url(nonce),
        hash_payload(payload, nonce),
    )


def hash_payload(payload: Mapping[str, str], nonce: bytes) -> str:
    """SHA-256 in hex over the 16 nonce bytes followed by the payload's canonical JSON."""
    if len(nonce) != NONCE_BYTES:
        raise ValueError("a nonce has 16 bytes")
    return hashlib.sha256(nonce + canonical_json(dict(payload))).hexdigest()


def canonical_json(value: object) -> bytes:
    """One spelling for one value: members sorted by name, no white space, UTF-8 (RFC 8785 for our kinds of value)."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def write_time(at: datetime) -> str:
    """Write an aware moment as RFC 3339 in UTC with milliseconds; ValueError for a moment without zone."""
    if at.tzinfo is None:
        raise ValueError("a moment without a time zone is no moment")
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def read_time(text: object) -> datetime:
    """Read an RFC 3339 moment with offset into aware UTC; ValueError for anything else."""
    if not isinstance(text, str) or not _RFC3339.fullmatch(text):
        raise ValueError("not an RFC 3339 time with offset")
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except OverflowError:
        raise ValueError("out of the calendar") from None


def is_record_id(text: object) -> bool:
    """Whether `text` is a record's identifier (a UUID in lower case)."""
    return isinstance(text, str) and _ID.fullmatch(text) is not None


def is_idempotency_key(text: object) -> bool:
    """Whether `text` can name a request: 16 to 128 of A–Z a–z 0–9 _ -."""
    return isinstance(text, str) and _KEY.fullmatch(text) is not None


def signing_input(method: str, target: str, idempotency_key: str, body: bytes, signed_at: str = "") -> bytes:
    """The bytes a request's detached signature covers: the call, its key, its moment and its body.

    `target` is path and query as sent, `signed_at` the text of the header X-Signed-At. Binding them to the body keeps
    a signed dry run from being replayed as a filing, a signed question from being turned into another one, and either
    from being made again later than SIGNATURE_LIFE_SECONDS. Without a moment (in contracts that know none) there is no
    line for it.
    """
    moment = f"{signed_at}\n" if signed_at else ""
    return f"{method} {target}\n{idempotency_key}\n{moment}".encode() + body


def is_fresh(signed_at: str, now: datetime) -> bool:
    """Whether a call signed at that moment is still, or already, good at `now`; False for what is no moment."""
    try:
        return abs((now - read_time(signed_at)).total_seconds()) <= SIGNATURE_LIFE_SECONDS
    except ValueError:
        return False


def decode_batch(body: bytes) -> Batch:
    """Read a batch strictly.

    Raises MessageRefused: 1101 too large, 1102 form, 5002 no purpose. A payload's own fields are not judged here, only
    that they are an object; each item is judged on its own, so that one bad item does not stop the others.
    """
    if len(body) > LARGEST_BODY_BYTES:
        raise MessageRefused(item_error("1101", ""))
    whole = read_object(body)
    _only(whole, {"schema", "purpose", "items"}, "")
    if whole.get("schema") != SCHEMA:
        raise MessageRefused(item_error("1102", "/schema"))
    if whole.get("purpose") != PURPOSE:
        raise MessageRefused(item_error("5002", "/purpose"))
    items = whole.get("items")
    if not isinstance(items, list) or not items:
        raise MessageRefused(item_error("1102", "/items"))
    if len(items) > MOST_ITEMS:
        raise MessageRefused(item_error("1101", "/items"))
    return Batch(PURPOSE, tuple(decode_item(item, f"/items/{place}") for place, item in enumerate(items)))


def decode_item(raw: object, pointer: str = "") -> Item:
    """Read one item's envelope strictly; raises MessageRefused with 1102 at the member."""
    if not isinstance(raw, dict):
        raise MessageRefused(item_error("1102", pointer))
    _only(raw, set(_ITEM_MEMBERS), pointer)
    version = raw.get("record_version")
    payload = raw.get("payload")
    checks = {
        "op": raw.get("op") in OPS,
        "record_id": is_record_id(raw.get("record_id")),
        "record_version": isinstance(version, int) and not isinstance(version, bool) and 1 <= version <= LATEST_VERSION,
        "leg": raw.get("leg") in LEGS,
        "payload": isinstance(payload, dict),
        "nonce": _is_nonce(raw.get("nonce")),
        "payload_hash": isinstance(raw.get("payload_hash"), str) and bool(_HASH.fullmatch(raw["payload_hash"])),
    }
    for name, good in checks.items():
        if not good:
            raise MessageRefused(item_error("1102", f"{pointer}/{name}"))
    return Item(
        op=raw["op"],
        record_id=raw["record_id"],
        record_version=raw["record_version"],
        leg=raw["leg"],
        effective_at=_time(raw, "effective_at", pointer),
        declared_at=_time(raw, "declared_at", pointer),
        payload=raw["payload"],
        nonce=raw["nonce"],
        payload_hash=raw["payload_hash"],
    )


def is_hash_right(item: Item) -> bool:
    """Whether the item's hash is that of its payload and nonce."""
    return hash_payload(item.payload, from_base64url(item.nonce)) == item.payload_hash


def read_object(body: bytes) -> dict[str, Any]:
    """Read a JSON object; raises MessageRefused (1102) for doubled names, fractions, NaN, or text that is not JSON."""
    try:
        value = json.loads(
            body.decode("utf-8"),
            object_pairs_hook=_without_doubles,
            parse_float=_refuse_number,
            parse_constant=_refuse_number,
        )
        if not _is_shallow(value):
            raise ValueError("nested deeper than any message")
        canonical_json(value)  # lone surrogates come from escapes and cannot be written back
    except (ValueError, RecursionError):
        raise MessageRefused(item_error("1102", "")) from None
    if not isinstance(value, dict):
        raise MessageRefused(item_error("1102", ""))
    return value


def _is_shallow(value: object) -> bool:
    level = [value]
    for _ in range(DEEPEST):
        level = [inner for outer in level for inner in _members(outer)]
    return not level


def _members(value: object) -> Iterable[object]:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


def _only(raw: Mapping[str, Any], members: set[str], pointer: str) -> None:
    for name in raw:
        if name not in members:
            raise MessageRefused(item_error("1102", f"{pointer}/{escape_pointer(name)}"))


def _time(raw: Mapping[str, Any], name: str, pointer: str) -> datetime:
    try:
        return read_time(raw.get(name))
    except ValueError:
        raise MessageRefused(item_error("1102", f"{pointer}/{name}")) from None


def _is_nonce(text: object) -> bool:
    try:
        return isinstance(text, str) and len(from_base64url(text)) == NONCE_BYTES
    except ValueError:
        return False


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a name stands twice")
    return value


def _refuse_number(_text: str) -> object:
    raise ValueError("only whole numbers are used here")
