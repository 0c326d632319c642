"""What a programmer reads: the OpenAPI document, the same as readable pages, the list of all reasons.

The pages are rendered here on the server: nothing is fetched from elsewhere and the strict content security policy
stays as it is.
"""

from __future__ import annotations

import json
import re
from typing import Any

from flask import Blueprint, Response, current_app, render_template, request
from markupsafe import Markup, escape

from backend.domain.reasons import REASONS
from backend.domain.rules import RULES
from backend.web import STATUS, language
from mobile_api.api.description import ABOUT

DOCUMENT = "anju_openapi"

documents = Blueprint(
    "documents",
    __name__,
    url_prefix="/api/v1",
    template_folder="templates",
    static_folder="static",
    static_url_path="/docs/static",
)


@documents.get("/openapi.json")
def openapi() -> Response:
    """The OpenAPI 3.1 document."""
    answer = Response(json.dumps(_document(), ensure_ascii=False), mimetype="application/json")
    answer.headers["Cache-Control"] = "public, max-age=300"
    return answer


@documents.get("/docs")
def docs() -> str:
    """The document as a page."""
    return render_template(
        "api_docs.html",
        about=[point[_spoken() == "en"] for point in ABOUT],
        with_code=_with_code,
        document=_document(),
        groups=_groups(_document()),
        as_json=_as_json,
        schema_name=_schema_name,
        schema_type=_schema_type,
        spoken=_spoken(),
    )


@documents.get("/problems")
def problems() -> str:
    """All reasons for which a call may be refused; the `type` of a problem links here."""
    rows = [(code, STATUS[reason.kind], reason) for code, reason in sorted(REASONS.items())]
    return render_template("api_problems.html", rows=rows, rules=RULES, spoken=_spoken())


def _document() -> dict[str, Any]:
    document: dict[str, Any] = current_app.extensions[DOCUMENT]
    return document


def _spoken() -> str:
    wish = request.args.get("lang")
    return wish if wish in ("zh", "en") else language()


def _groups(document: dict[str, Any]) -> list[tuple[str, str, list[tuple[str, str, dict[str, Any]]]]]:
    """(tag, its words, [(METHOD, path, operation)]) in the order of the tags."""
    calls: dict[str, list[tuple[str, str, dict[str, Any]]]] = {}
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method != "parameters":
                operation = {**operation, "parameters": _parameters(document, item, operation)}
                calls.setdefault(operation["tags"][0], []).append((method.upper(), path, operation))
    words = {tag["name"]: tag.get("description", "") for tag in document["tags"]}
    return [(tag, words.get(tag, ""), rows) for tag, rows in calls.items()]


def _parameters(document: dict[str, Any], item: dict[str, Any], operation: dict[str, Any]) -> list[dict[str, Any]]:
    named = document["components"]["parameters"]
    both = [*item.get("parameters", []), *operation.get("parameters", [])]
    return [named[each["$ref"].rsplit("/", 1)[1]] if "$ref" in each else each for each in both]


def _as_json(value: Any) -> Markup:
    return escape(json.dumps(value, ensure_ascii=False, indent=2))


def _with_code(text: str) -> Markup:
    """Words between backquotes as code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))


def _schema_name(schema: dict[str, Any]) -> str | None:
    """The name of the shared schema that `schema` refers to, alone or as a list."""
    target = schema.get("items", schema)
    return target["$ref"].rsplit("/", 1)[1] if "$ref" in target else None


def _schema_type(schema: dict[str, Any]) -> str:
    kinds = schema.get("type", "")
    text = " | ".join(kinds) if isinstance(kinds, list) else kinds
    return f"{text} ({schema['format']})" if "format" in schema else text
