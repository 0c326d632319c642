"""The OpenAPI 3.1 document: flask-smorest's own, completed with what every call has in common.

Each call is documented with who may call it (out of the policy), its refusals with an example each, and both languages.
"""

from __future__ import annotations

from typing import Any

import flask_smorest
from flask import Flask

from backend.domain.reasons import REASONS
from backend.domain.refusals import Refusal
from backend.web import STATUS, load_policy
from mobile_api.api.schemas.base import Problem

VERSION = "1"
PREFIX = "/api/v1"
EXAMPLE_ID = "01936f0c-7a10-7cc3-8d21-5f2b6a4c9e01"
ABOUT = (
    (
        "安居的接口：房东发放电子钥匙，租客登记居住，钥匙开门。手机应用或小程序可以只靠它完成全部流程。",
        "Landlords issue electronic keys, tenants register their residence, keys open doors: a phone app can do "
        "everything with this API alone.",
    ),
    (
        "登录：手机号和验证码换取访问令牌（15 分钟）和刷新令牌，请求带 `Authorization: Bearer …`。",
        "Sign in: phone and code give an access token (15 minutes) and a rotating refresh token; calls carry "
        "`Authorization: Bearer …`.",
    ),
    (
        "错误：`application/problem+json`，含字段、原因代码、法规编号和办法；语言取 `Accept-Language`。",
        "Errors: problem details with field, reason code, legal rule and remedy, in the language of `Accept-Language`.",
    ),
    (
        "创建类请求可带 `Idempotency-Key`，重复发送只生效一次。",
        "Creating calls take an `Idempotency-Key`: sent twice, done once.",
    ),
    (
        "可修改的资源带 `ETag`；修改时用 `If-Match`，轮询时用 `If-None-Match`。",
        "Resources that change carry an `ETag`: `If-Match` to change, `If-None-Match` to poll.",
    ),
    (
        "会变长的列表分页：`limit` 为条数，`Link` 头给出下一页的地址（`before` 游标），最后一页没有。",
        "Lists that grow have pages: `limit` items, and a `Link` header with the address of the next (`before`).",
    ),
    (
        "日期为 `YYYY-MM-DD`（北京时间），时刻为 RFC 3339（UTC）。",
        "Days are `YYYY-MM-DD` (Asia/Shanghai), instants RFC 3339 in UTC.",
    ),
)
SAMPLE_PARAMS = {
    "can": ("更正、退房", "correct, check out"),
    "expected": "YYYY-MM-DD",
    "least": 1,
    "most": 50,
    "left": 4,
    "seconds": 60,
    "minutes": 15,
    "state": "active",
    "starts_on": "2026-11-23",
    "ends_on": "2027-11-22",
    "area": "12",
    "until": "2026-11-23",
}
KEY_PARAMETERS = {"possible": "IDEMPOTENCY_KEY", "needed": "NEEDED_IDEMPOTENCY_KEY"}
EXAMPLE_TAG = "b7f8d3c1a2e4"
PATH_EXAMPLES = {"purpose": "face_check", "public_number": "CT7K2M9X"}  # every other one is an id
ETAG_HEADER = {"description": "版本 · The version, for If-None-Match and If-Match", "schema": {"type": "string"}}
OWN_STATUS = {"stale": 412, "precondition_missing": 428}  # answered by If-Match, not by the kind of the reason


class Api(flask_smorest.Api):
    """flask-smorest without its error handling and its document pages: backend.web and documents.py do both."""

    ERROR_SCHEMA = Problem
    DEFAULT_ERROR_RESPONSE_NAME = None

    def _register_error_handlers(self) -> None:
        """Errors are answered by backend.web, as everywhere."""

    def _register_doc_blueprint(self) -> None:
        """The document is served by documents.py."""


def make_api(app: Flask) -> Api:
    """The API object of an app; blueprints are registered with it."""
    return Api(
        app,
        spec_kwargs={
            "title": "Anju 安居",
            "version": VERSION,
            "openapi_version": "3.1.0",
            "info": {"description": "\n\n".join(f"{zh}\n{en}" for zh, en in ABOUT)},
            "servers": [{"url": "/"}],
        },
    )


def complete_document(app: Flask, api: Api) -> dict[str, Any]:
    """The whole document: flask-smorest's own and what all calls share."""
    if "Problem" not in api.spec.components.schemas:
        api.spec.components.schema("Problem", schema=Problem)
    document: dict[str, Any] = api.spec.to_dict()
    components = document["components"]
    components["schemas"].pop("PaginationMetadata", None)  # Anju pages by keyset, not by number
    components["responses"] = {"NOT_MODIFIED": {"description": "没有变化 · Not modified"}}
    components["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}}
    components["parameters"] = components.get("parameters", {}) | {
        name: _idempotency_parameter(kind == "needed") for kind, name in KEY_PARAMETERS.items()
    }
    for name, parameter in components["parameters"].items():
        parameter["example"] = f'"{EXAMPLE_TAG}"' if name.startswith("IF_") else EXAMPLE_ID
    for rule in app.url_map.iter_rules():
        path = api.flask_plugin.flaskpath2openapi(rule.rule)
        for method in sorted(rule.methods or ()):
            operation = document["paths"].get(path, {}).get(method.lower())
            if operation is not None:
                shared = document["paths"][path].get("parameters", [])
                _complete_operation(operation, rule.endpoint, method, path, shared)
    return document


def _complete_operation(
    operation: dict[str, Any], endpoint: str, method: str, path: str, shared: list[dict[str, Any]]
) -> None:
    operation["operationId"] = endpoint.removeprefix("api.").replace(".", "_")
    operation["description"] = f"{operation.get('description', '').strip()}\n\n{operation['summary']}"
    for parameter in shared:
        parameter["example"] = PATH_EXAMPLES.get(parameter["name"], EXAMPLE_ID)
    public = "anyone" in load_policy()[f"mobile.{endpoint}", method].who
    operation["security"] = [] if public else [{"bearer": []}]
    parameters = operation.setdefault("parameters", [])
    key = operation.pop("x-idempotent", None)
    if key is not None:
        parameters.append({"$ref": f"#/components/parameters/{KEY_PARAMETERS[key]}"})
    responses = {str(status): answer for status, answer in operation["responses"].items()}
    if any(each.get("$ref", "").rpartition("/")[2] in ("IF_NONE_MATCH", "IF_MATCH") for each in parameters):
        responses["200"].setdefault("headers", {})["ETag"] = ETAG_HEADER
    codes = {*operation.get("x-problem-codes", ()), *_general_codes(operation, path, public, responses)}
    operation["x-problem-codes"] = sorted(codes)
    operation["responses"] = {status: answer for status, answer in responses.items() if int(status) < 400}
    operation["responses"] |= _refusals(operation["x-problem-codes"], path)
    if not parameters:
        del operation["parameters"]


def _general_codes(operation: dict[str, Any], path: str, public: bool, responses: dict[str, Any]) -> set[str]:
    codes = set() if public else {"unauthenticated"}
    codes |= {"not_found"} if "{" in path else set()
    if "requestBody" in operation or any(parameter.get("in") == "query" for parameter in operation["parameters"]):
        codes |= {"input.missing", "input.unknown_field", "input.wrong_type", "input.length", "input.not_one_of"}
        codes.add("input.no_text")
    if "requestBody" in operation:
        codes |= {"input.malformed", "input.too_large"}
    if _takes_key(operation):
        codes |= {"input.key_reused", "input.wrong_type"}
    return codes | {code for code, status in OWN_STATUS.items() if str(status) in responses}


def _takes_key(operation: dict[str, Any]) -> bool:
    return any(parameter.get("$ref", "").endswith("IDEMPOTENCY_KEY") for parameter in operation["parameters"])


def _refusals(codes: list[str], path: str) -> dict[str, Any]:
    by_status: dict[str, dict[str, Any]] = {}
    for code in codes:
        status = OWN_STATUS.get(code) or STATUS[REASONS[code].kind]
        by_status.setdefault(str(status), {})[code] = {
            "summary": REASONS[code].en,
            "value": _problem(code, status, path),
        }
    found = {status: _answer(REASONS[next(iter(examples))].kind, examples) for status, examples in by_status.items()}
    found["default"] = _answer("failure", {"failure": {"value": _problem("failure", 500, path)}})
    return found


def _answer(kind: str, examples: dict[str, Any]) -> dict[str, Any]:
    content = {"schema": {"$ref": "#/components/schemas/Problem"}, "examples": examples}
    return {"description": kind, "content": {"application/problem+json": content}}


def _problem(code: str, status: int, path: str) -> dict[str, Any]:
    refusal = Refusal(code, None, SAMPLE_PARAMS)
    example = {
        "type": f"{PREFIX}/problems#{code}",
        "title": refusal.sentence("en"),
        "status": status,
        "code": code,
        "detail": refusal.sentence("zh"),
        "remedy": refusal.remedy("zh"),
        "instance": path,
        "request_id": "6f1f0a3cbd0e4f6c8f0f5f2b6a4c9e01",
    }
    return example | ({"rule": refusal.reason.rule} if refusal.reason.rule else {})


def _idempotency_parameter(needed: bool) -> dict[str, Any]:
    return {
        "name": "Idempotency-Key",
        "in": "header",
        "required": needed,
        "description": "重复发送只生效一次的键 · Key under which the same request is done once",
        "schema": {"type": "string", "minLength": 8, "maxLength": 64},
    }
