"""The stand-in offices' web app: deliveries under /hooks, a page for people, switches under /_sim."""

from __future__ import annotations

import atexit
import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import HTTPException

from backend.subscribers.faults import Faults
from backend.subscribers.hooks import PlatformKeys, Problem, hooks, sim
from backend.subscribers.pages import pages
from backend.subscribers.reporting import Reporter
from backend.subscribers.settings import SubscriberSettings
from backend.subscribers.store import Store
from backend.wire.cloud_events import LARGEST_BATCH_BYTES

log = logging.getLogger(__name__)


def create_subscribers_app(
    settings: SubscriberSettings | None = None,
    *,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    sleep: Callable[[float], None] = time.sleep,
    transport: httpx.BaseTransport | None = None,
) -> Flask:
    """Make the app. Without settings it serves: they come from the environment, and a thread sends the reports."""
    logging.basicConfig(format="%(asctime)s subscribers %(levelname)s %(message)s", level=logging.INFO)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    serving = settings is None
    settings = settings or SubscriberSettings.from_environment()
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BATCH_BYTES + 1
    store = Store(settings.folder / "offices.db")
    reporter = Reporter(settings, store, clock, transport)
    app.extensions.update(
        subscriber_settings=settings,
        subscriber_store=store,
        subscriber_reporter=reporter,
        subscriber_faults=Faults(),
        subscriber_keys=PlatformKeys(settings.platform_keys),
        subscriber_clock=clock,
        subscriber_sleep=sleep,
    )
    app.register_blueprint(hooks)
    app.register_blueprint(pages)
    if settings.switches:
        app.register_blueprint(sim)
    app.add_url_rule("/healthz", "healthz", lambda: jsonify({"status": "ok"}))
    app.after_request(_secure)
    app.register_error_handler(Problem, _problem)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _failure)
    if serving:
        _start(reporter)
    return app


def _start(reporter: Reporter) -> None:
    stopping = threading.Event()
    threading.Thread(target=reporter.run, args=(stopping,), name="reporting", daemon=True).start()
    atexit.register(stopping.set)


def _problem(problem: Problem) -> tuple[Response, int]:
    answer = jsonify({"status": problem.status, "code": problem.code})
    if problem.retry_after is not None:
        answer.headers["Retry-After"] = str(problem.retry_after)
    return answer, problem.status


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
    answer.headers["Referrer-Policy"] = "same-origin"  # the page's own forms say where they stood
    answer.headers["Cache-Control"] = "public, max-age=3600" if request.endpoint == "static" else "no-store"
    return answer
