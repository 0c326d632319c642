"""The registry's contract as an OpenAPI 3.1 document, made from the tables that judge, so that neither can drift."""

from __future__ import annotations

from functools import cache
from typing import Any

from backend.wire.registry_answers import BATCH_STATES, ITEM_STATES, RECORD_STATES
from backend.wire.registry_codes import CODES, OWNERS
from backend.wire.registry_messages import (
    LARGEST_BODY_BYTES,
    LATEST_VERSION,
    MOST_ITEMS,
    PURPOSE,
    SCHEMA,
    SIGNATURE_HEADER,
    SIGNATURE_LIFE_SECONDS,
    SIGNED_AT_HEADER,
)
from backend.wire.registry_payload import FIELDS, LEGS, OPS

_ID = "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
_ABOUT = f"""居住登记系统的报送合同（{SCHEMA}）。除公布的密钥与本文件外，每次调用都要签名：{SIGNATURE_HEADER} 是对
“方法 路径\\n幂等键\\n时刻\\n正文”的分离式 JWS（ES256，kid），{SIGNED_AT_HEADER} 为该时刻，前后
{SIGNATURE_LIFE_SECONDS} 秒内有效。

The residence registry's contract. Every call but the published keys and this document is signed: {SIGNATURE_HEADER} is
a detached JWS (ES256, kid) over "METHOD target\\nkey\\nmoment\\nbody"; {SIGNED_AT_HEADER} is that moment, good for
{SIGNATURE_LIFE_SECONDS} s either way. Outside the demo the caller also shows a client certificate. Received is not
accepted: only an ACCEPTED item with a receipt that verifies is. Same key and body, same answer; same key, other body,
409. Order per record is kept; records do not wait for each other."""


@cache
def make_document() -> dict[str, Any]:
    """The document; a test holds it against the routes."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "居住登记机关（模拟） Residence registry (stand-in)",
            "version": "1.0",
            "description": _ABOUT,
        },
        "paths": _paths(),
        "components": {"schemas": _schemas(), "parameters": _parameters(), "responses": {"Problem": _problem()}},
    }


def _paths() -> dict[str, Any]:
    record = [_in_path("record_id", {"type": "string"})]
    return {
        "/v1/keys": {"get": _call("keys", "Public keys receipts verify with", _answer("Keys"), signed=False)},
        "/v1/openapi.json": {
            "get": _call("document", "This document", _json({"type": "object"}), signed=False),
        },
        "/v1/validate": {
            "post": _call(
                "validate", "Dry run: same rules and errors, nothing stored", _answer("Results"), body="Batch"
            )
        },
        "/v1/batches": {
            "post": _call(
                "submit", "Receive a batch; judged later", _answer("Received"), body="Batch", key=True, status="202"
            )
        },
        "/v1/batches/{batch_id}": {
            "get": _call(
                "batch_status",
                "How far a batch is, with the result of each item",
                _answer("BatchStatus"),
                [_in_path("batch_id", {"type": "string"})],
            )
        },
        "/v1/records/{record_id}": {
            "get": _call("record", "What the registry holds of a record, no personal data", _answer("Record"), record)
        },
        "/v1/records/{record_id}/void": {
            "post": _call(
                "void",
                "Entered in error, filed at once; PENDING while an earlier item of the record waits: call again",
                _answer("Result"),
                record,
                body="Item",
                key=True,
            )
        },
        "/v1/changes": {
            "get": _call(
                "changes",
                "Corrections made at the registry after a cursor, oldest first",
                _answer("Changes"),
                [_in_query("cursor", {"type": "string", "pattern": "^[0-9]{1,15}$", "default": "0"})],
            )
        },
        "/v1/digest": {
            "get": _call(
                "digest",
                "Count and SHA-256 root over the sorted (id, version, state) of a day and town",
                _answer("Digest"),
                [
                    _in_query("day", {"type": "string", "format": "date"}, required=True),
                    _in_query("town", {"type": "string", "pattern": "^[0-9]{9}$"}, required=True),
                    _in_query("list", {"type": "string", "enum": ["0", "1"]}),
                ],
            )
        },
        "/v1/codes/{table}": {
            "get": _call(
                "codes",
                "A code table, or what changed in it after a version",
                _answer("CodeTable"),
                [
                    _in_path("table", {"type": "string"}),
                    _in_query("since", {"type": "string", "pattern": "^[0-9]{1,15}$", "default": "0"}),
                ],
            )
        },
        "/v1/access": {
            "get": _call(
                "access",
                "Who read a record at the registry: office, badge pseudonym, purpose",
                _answer("Reads"),
                [_in_query("record", {"type": "string", "pattern": _ID}, required=True)],
            )
        },
    }


def _call(
    name: str,
    summary: str,
    answer: dict[str, Any],
    parameters: list[dict[str, Any]] | None = None,
    *,
    body: str = "",
    key: bool = False,
    signed: bool = True,
    status: str = "200",
) -> dict[str, Any]:
    headers = ["Schema", "SignedAt", "Signature"] if signed else []
    headers += ["IdempotencyKey"] if key else []
    made: dict[str, Any] = {
        "operationId": name,
        "summary": summary,
        "parameters": [*(parameters or []), *({"$ref": f"#/components/parameters/{header}"} for header in headers)],
        "responses": {status: answer, "default": {"$ref": "#/components/responses/Problem"}},
    }
    if body:
        content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{body}"}}}
        made["requestBody"] = {"required": True, "description": f"≤ {LARGEST_BODY_BYTES} bytes", "content": content}
    return made


def _parameters() -> dict[str, Any]:
    return {
        "Schema": _header("X-Schema", {"type": "string", "const": SCHEMA}),
        "SignedAt": _header(SIGNED_AT_HEADER, {"type": "string", "format": "date-time"}),
        "Signature": _header(SIGNATURE_HEADER, {"type": "string", "pattern": r"^[\w-]+\.\.[\w-]+$"}),
        "IdempotencyKey": _header("Idempotency-Key", {"type": "string", "pattern": "^[0-9A-Za-z_-]{16,128}$"}),
    }


def _schemas() -> dict[str, Any]:
    text, whole, moment = {"type": "string"}, {"type": "integer"}, {"type": "string", "format": "date-time"}
    record_id = {"type": "string", "pattern": _ID}
    hexes = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
    or_none = {"type": ["string", "null"]}
    version = {"type": "integer", "minimum": 1, "maximum": LATEST_VERSION}
    fields = {f.name: {"type": "string", "minLength": f.shortest, "maxLength": f.longest} for f in FIELDS.values()}
    legs = {"type": "string", "enum": list(LEGS)}
    ops = {"type": "string", "enum": list(OPS)}
    return {
        "Payload": _object(fields, required=(), closed=True),
        "Item": _object(
            {
                "op": ops,
                "record_id": record_id,
                "record_version": version,
                "leg": legs,
                "effective_at": moment,
                "declared_at": moment,
                "payload": _ref("Payload"),
                "nonce": {"type": "string", "pattern": "^[0-9A-Za-z_-]{21}[AQgw]$"},
                "payload_hash": hexes,
            },
            closed=True,
        ),
        "Batch": _object(
            {
                "schema": {"type": "string", "const": SCHEMA},
                "purpose": {"type": "string", "const": PURPOSE},
                "items": {**_list("Item"), "minItems": 1, "maxItems": MOST_ITEMS},
            },
            closed=True,
        ),
        "Error": _object(
            {
                "code": {"type": "string", "enum": sorted(CODES)},
                "pointer": text,
                "message_zh": text,
                "message_en": text,
                "retryable": {"type": "boolean"},
                "owner": {"type": "string", "enum": list(OWNERS)},
            }
        ),
        "Result": _object(
            {
                "record_id": record_id,
                "record_version": version,
                "op": ops,
                "leg": legs,
                "state": {"type": "string", "enum": list(ITEM_STATES)},
                "receipt_no": or_none,
                "receipt_sig": or_none,
                "errors": _list("Error"),
            }
        ),
        "Results": _object({"items": _list("Result")}),
        "Received": _object({"batch_id": text, "received_at": moment}),
        "BatchStatus": _object(
            {
                "batch_id": text,
                "state": {"type": "string", "enum": list(BATCH_STATES)},
                "received_at": moment,
                "items": _list("Result"),
            }
        ),
        "Record": _object(
            {
                "record_id": record_id,
                "state": {"type": "string", "enum": list(RECORD_STATES)},
                "revision": {"type": "integer", "minimum": 0},
                "legs": {
                    "type": "array",
                    "items": _object(
                        {
                            "op": ops,
                            "leg": legs,
                            "version": version,
                            "payload_hash": hexes,
                            "receipt_no": text,
                            "receipt_sig": text,
                        }
                    ),
                },
            }
        ),
        "Changes": _object({"changes": {"type": "array", "items": _change(record_id, moment)}, "cursor": text}),
        "Digest": _object(
            {
                "day": {"type": "string", "format": "date"},
                "town": text,
                "count": {"type": "integer", "minimum": 0},
                "root": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
                "entries": {"type": "array", "items": _object({"id": text, "version": version, "state": text})},
            },
            required=("day", "town", "count", "root"),
        ),
        "CodeTable": _object(
            {
                "table": text,
                "version": whole,
                "entries": {
                    "type": "array",
                    "items": _object(
                        {
                            "code": text,
                            "zh": text,
                            "en": text,
                            "version": whole,
                            "valid_from": text,
                            "valid_until": or_none,
                        }
                    ),
                },
            }
        ),
        "Reads": _object(
            {
                "reads": {
                    "type": "array",
                    "items": _object({"at": moment, "office": text, "badge": text, "purpose": text}),
                }
            }
        ),
        "Keys": _object({"keys": {"type": "array", "items": {"type": "object", "required": ["kid", "kty", "x", "y"]}}}),
        "Problem": _object(
            {
                "type": text,
                "title": text,
                "status": {"type": "integer", "minimum": 400, "maximum": 599},
                "detail": text,
                "code": {"type": "string", "enum": sorted(CODES)},
                "errors": {**_list("Error"), "minItems": 1},
            }
        ),
    }


def _change(record_id: dict[str, Any], moment: dict[str, Any]) -> dict[str, Any]:
    return _object(
        {
            "sequence": {"type": "integer", "minimum": 1},
            "record_id": record_id,
            "kind": {"type": "string", "enum": ["CORRECTED"]},
            "at": moment,
            "fields": _ref("Payload"),
            "revision": {"type": "integer", "minimum": 0},
        }
    )


def _object(
    properties: dict[str, Any], required: tuple[str, ...] | None = None, *, closed: bool = False
) -> dict[str, Any]:
    made: dict[str, Any] = {"type": "object", "properties": properties}
    made["required"] = list(properties if required is None else required)
    return {**made, "additionalProperties": False} if closed else made


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _list(name: str) -> dict[str, Any]:
    return {"type": "array", "items": _ref(name)}


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": "As asked.", "content": {"application/json": {"schema": schema}}}


def _answer(name: str) -> dict[str, Any]:
    return _json(_ref(name))


def _problem() -> dict[str, Any]:
    content = {"application/problem+json": {"schema": _ref("Problem")}}
    return {"description": "拒绝，附代码。 Refused, with codes of the table (RFC 9457).", "content": content}


def _header(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "header", "required": True, "schema": schema}


def _in_path(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _in_query(name: str, schema: dict[str, Any], *, required: bool = False) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": required, "schema": schema}
