"""The stand-in's web app: the contract under /v1, the person's page under /confirm, its switches under /_sim."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import HTTPException

from backend.netid.calls import Problem, Senders, sim, v1
from backend.netid.faults import Faults
from backend.netid.pages import pages
from backend.netid.requests import Requests
from backend.netid.settings import NetidSettings
from backend.wire.network_identity import LARGEST_BODY_BYTES

log = logging.getLogger(__name__)


def create_netid_app(
    settings: NetidSettings | None = None,
    *,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    sleep: Callable[[float], None] = time.sleep,
) -> Flask:
    """Make the app. What it remembers lies in this process alone, so it runs as one."""
    logging.basicConfig(format="%(asctime)s netid %(levelname)s %(message)s", level=logging.INFO)
    settings = settings or NetidSettings.from_environment()
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY_BYTES + 1
    app.extensions.update(
        netid_requests=Requests(settings.public_url, clock),
        netid_faults=Faults(),
        netid_senders=Senders(settings.senders),
        netid_sleep=sleep,
        netid_words_of_time=lambda at: at.astimezone(ZoneInfo("Asia/Shanghai")).strftime("%H:%M:%S"),
    )
    app.register_blueprint(v1)
    app.register_blueprint(pages)
    if settings.switches:
        app.register_blueprint(sim)
    app.add_url_rule("/healthz", "healthz", lambda: jsonify({"status": "ok"}))
    app.after_request(_secure)
    app.register_error_handler(Problem, _problem)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _failure)
    return app


def _problem(problem: Problem) -> tuple[Response, int]:
    return jsonify({"status": problem.status, "code": problem.code}), problem.status


def _http(error: HTTPException) -> Any:
    status = error.code or 500
    return (jsonify({"status": status, "code": "http"}), status) if status >= 400 else error


def _failure(error: Exception) -> tuple[Response, int]:
    # the text of an exception may carry what was sent, so only its kind is logged
    log.error("%s %s failed: %s", request.method, request.endpoint, type(error).__name__)
    return jsonify({"status": 500, "code": "failure"}), 500


def _secure(answer: Response) -> Response:
    answer.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Referrer-Policy"] = "no-referrer"
    answer.headers["Cache-Control"] = "public, max-age=3600" if request.endpoint == "static" else "no-store"
    return answer
