"""Refusals of a call: problem+json (RFC 9457) with codes of the table, for whatever goes wrong under /v1."""

from __future__ import annotations

import logging

from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import HTTPException

from backend.wire.registry_codes import ItemError, item_error
from backend.wire.registry_messages import MessageRefused

log = logging.getLogger(__name__)

_CODE_OF_STATUS = {404: "4004", 413: "1101", 500: "9002", 502: "9002", 503: "9001", 504: "9002"}


class Problem(Exception):
    """A call is refused with an HTTP status and the errors of the table."""

    def __init__(self, status: int, *errors: ItemError) -> None:
        super().__init__(status)
        self.status, self.errors = status, errors


def render(problem: Problem) -> Response:
    """The answer of a refused call."""
    first = problem.errors[0]
    body = {
        "type": f"urn:residence-registry:code:{first.code}",
        "title": first.message_en,
        "status": problem.status,
        "detail": first.message_zh,
        "code": first.code,
        "errors": [error.as_json() for error in problem.errors],
    }
    answer = jsonify(body)
    answer.status_code = problem.status
    answer.mimetype = "application/problem+json"
    if problem.status == 503:
        answer.headers["Retry-After"] = "5"
    return answer


def register_problems(app: Flask) -> None:
    """Render every error of the app."""
    app.register_error_handler(Problem, render)
    app.register_error_handler(MessageRefused, lambda refused: render(Problem(400, *refused.errors)))
    app.register_error_handler(HTTPException, _render_http)
    app.register_error_handler(Exception, _render_unexpected)


def _render_http(error: HTTPException) -> Response:
    status = error.code or 500
    if error.response is not None or status < 400:
        return Response(status=status)
    return render(Problem(status, item_error(_CODE_OF_STATUS.get(status, "1102"), "")))


def _render_unexpected(error: Exception) -> Response:
    # the text of an exception may carry what was sent, so only its kind is logged
    log.error("%s %s failed: %s", request.method, request.endpoint, type(error).__name__)
    return render(Problem(500, item_error("9002", "")))
