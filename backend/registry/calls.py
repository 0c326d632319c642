"""The calls of the contract under /v1: every one signed, every refusal problem+json with a code of the table."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from functools import wraps
from typing import Any, TypeVar, cast

from flask import Blueprint, Response, current_app, g, jsonify, request

from backend.registry.batches import KeyReused, Registry, dry_run, find_batch, receive
from backend.registry.code_tables import list_codes
from backend.registry.contract import make_document
from backend.registry.holdings import digest_of, find_record, list_changes, list_reads
from backend.registry.judging import void_at_once
from backend.registry.problems import Problem
from backend.registry.signing import Sender, Senders
from backend.wire.jwk import keys_to_jwks
from backend.wire.registry_answers import encode_received
from backend.wire.registry_codes import item_error
from backend.wire.registry_messages import (
    LARGEST_BODY_BYTES,
    LATEST_VERSION,
    SCHEMA,
    SIGNATURE_HEADER,
    SIGNED_AT_HEADER,
    MessageRefused,
    decode_batch,
    decode_item,
    is_fresh,
    is_idempotency_key,
    is_record_id,
    read_object,
    signing_input,
    write_time,
)
from backend.wire.tokens import TokenRejected

blueprint = Blueprint("v1", __name__, url_prefix="/v1")
View = TypeVar("View", bound=Callable[..., Any])
_BATCH_ID = re.compile(r"b-[0-9a-f]{32}")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TOWN = re.compile(r"[0-9]{9}")
_TABLE = re.compile(r"[a-z_]{1,40}")


def registry() -> Registry:
    """The registry this app serves."""
    return cast(Registry, current_app.extensions["registry"])


def signed(view: View) -> View:
    """Let a call through only when a known sender signed exactly this call with this body, and signed it just now."""

    @wraps(view)
    def checked(*args: Any, **kwargs: Any) -> Any:
        if request.headers.get("X-Schema") != SCHEMA:
            raise Problem(400, item_error("1102", "/X-Schema"))
        if (request.content_length or 0) > LARGEST_BODY_BYTES:
            raise Problem(413, item_error("1101", ""))
        key, signed_at = request.headers.get("Idempotency-Key", ""), request.headers.get(SIGNED_AT_HEADER, "")
        wall = cast("Callable[[], datetime]", current_app.extensions["registry_wall"])
        if not is_fresh(signed_at, wall()):
            raise Problem(401, item_error("1001", f"/{SIGNED_AT_HEADER}"))
        data = signing_input(request.method, target_of(), key, request.get_data(), signed_at)
        senders = cast(Senders, current_app.extensions["registry_senders"])
        try:
            g.sender = senders.verify(request.headers.get(SIGNATURE_HEADER, ""), data)
        except TokenRejected:
            raise Problem(401, item_error("1001", f"/{SIGNATURE_HEADER}")) from None
        return view(*args, **kwargs)

    return cast(View, checked)


def target_of() -> str:
    """Path and query of this call as they were sent: what is signed is not what some decoder makes of it."""
    sent = str(request.environ.get("RAW_URI") or request.environ.get("REQUEST_URI") or "")
    if sent.startswith("/"):
        return sent
    return request.path + (f"?{request.query_string.decode('ascii', 'replace')}" if request.query_string else "")


def sender() -> Sender:
    """Who makes this call."""
    return cast(Sender, g.sender)


@blueprint.get("/keys")
def keys() -> Response:
    """The public keys receipts verify with."""
    return jsonify(keys_to_jwks(registry().signing.public_keys()))


@blueprint.get("/openapi.json")
def document() -> Response:
    """This contract as an OpenAPI 3.1 document."""
    return jsonify(make_document())


@blueprint.post("/validate")
@signed
def validate() -> Response:
    """Dry run: the same rules and errors as a filing, nothing stored."""
    batch = _batch()
    return jsonify({"items": [result.as_json() for result in dry_run(registry(), sender(), batch)]})


@blueprint.post("/batches")
@signed
def submit() -> tuple[Response, int]:
    """Receive a batch. 202 means received, not accepted."""
    key = _idempotency_key()
    try:
        received = receive(registry(), sender(), key, request.get_data(), _batch())
    except KeyReused:
        raise Problem(409, item_error("4092", "/Idempotency-Key")) from None
    current_app.extensions["registry_wake"]()
    return jsonify(encode_received(received)), 202


@blueprint.get("/batches/<batch_id>")
@signed
def batch_status(batch_id: str) -> Response:
    """How far a batch is."""
    status = find_batch(registry(), sender(), batch_id) if _BATCH_ID.fullmatch(batch_id) else None
    if status is None:
        raise Problem(404, item_error("4004", "/batch_id"))
    answer: dict[str, Any] = {
        "batch_id": status.batch_id,
        "state": status.state,
        "received_at": write_time(status.received_at),
        "items": [item.as_json() for item in status.items],
    }
    return jsonify(_distorted(answer))


@blueprint.get("/records/<record_id>")
@signed
def record(record_id: str) -> Response:
    """What the registry holds of one of this sender's records."""
    held = find_record(registry(), sender(), record_id) if is_record_id(record_id) else None
    if held is None:
        raise Problem(404, item_error("4004", "/record_id"))
    return jsonify(held)


@blueprint.post("/records/<record_id>/void")
@signed
def void(record_id: str) -> Response:
    """Entered in error: takes the item of a VOID and answers its result at once; PENDING behind a waiting item."""
    key, body = _idempotency_key(), request.get_data()
    item = decode_item(read_object(body))
    if item.op != "VOID" or item.record_id != record_id:
        raise Problem(422, item_error("1102", "/op" if item.op != "VOID" else "/record_id"))
    try:
        result = void_at_once(registry(), sender(), key, body, item)
    except KeyReused:
        raise Problem(409, item_error("4092", "/Idempotency-Key")) from None
    return jsonify(result.as_json())


@blueprint.get("/changes")
@signed
def changes() -> Response:
    """Corrections made at the registry since `cursor`, oldest first."""
    return jsonify(list_changes(registry(), sender(), _whole("cursor", 0)))


@blueprint.get("/digest")
@signed
def digest() -> Response:
    """Count and root over one day and town; `list=1` adds the ids."""
    day, town = request.args.get("day", ""), request.args.get("town", "")
    if not _is_day(day):
        raise Problem(400, item_error("1102", "/day"))
    if not _TOWN.fullmatch(town):
        raise Problem(400, item_error("1102", "/town"))
    return jsonify(digest_of(registry(), sender(), day, town, listed=request.args.get("list") == "1"))


@blueprint.get("/codes/<table>")
@signed
def codes(table: str) -> Response:
    """A code table, or what changed in it since a version."""
    since = _whole("since", 0)
    with registry().database.reading() as connection:
        listed = list_codes(connection, table, since) if _TABLE.fullmatch(table) else None
    if listed is None:
        raise Problem(404, item_error("2101", "/table"))
    return jsonify(listed)


@blueprint.get("/access")
@signed
def access() -> Response:
    """Who read a record at the registry, for the person's own page."""
    record_id = request.args.get("record", "")
    reads = list_reads(registry(), sender(), record_id) if is_record_id(record_id) else None
    if reads is None:
        raise Problem(404, item_error("4004", "/record"))
    return jsonify({"reads": reads})


def _batch() -> Any:
    try:
        return decode_batch(request.get_data())
    except MessageRefused as refused:
        code = refused.errors[0].code
        raise Problem({"1101": 413, "5002": 422}.get(code, 400), *refused.errors) from None


def _idempotency_key() -> str:
    key = request.headers.get("Idempotency-Key", "")
    if not is_idempotency_key(key):
        raise Problem(400, item_error("1102", "/Idempotency-Key"))
    return key


def _whole(name: str, default: int) -> int:
    text = request.args.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) <= 15):
        raise Problem(400, item_error("1102", f"/{name}"))
    return min(int(text), LATEST_VERSION)  # nothing is numbered higher, and a database's whole number has an end


def _is_day(text: str) -> bool:
    try:
        return _DAY.fullmatch(text) is not None and bool(date.fromisoformat(text))
    except ValueError:
        return False


def _distorted(answer: dict[str, Any]) -> dict[str, Any]:
    """Apply the switched-on failures that spoil an answer, not the record behind it."""
    faults = registry().faults
    items = answer["items"]
    if any(item["state"] == "ACCEPTED" for item in items) and faults.take("unknown_state") is not None:
        items = [{**item, "state": "ACEPTED"} if item["state"] == "ACCEPTED" else item for item in items]
    if faults.take("reordered") is not None:
        items = items[::-1]
    if faults.take("duplicated") is not None:
        items = [item for item in items for _ in range(2)]
    return {**answer, "items": items}
