"""The registry's web app: the contract under /v1, a page for people at /, the stand-in's switches under /_sim."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from flask import Flask, Response, current_app, jsonify, request
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from backend.registry import calls, pages, switches
from backend.registry.batches import Registry
from backend.registry.database import Database
from backend.registry.faults import Faults
from backend.registry.problems import Problem, register_problems
from backend.registry.processor import Processor
from backend.registry.serving import check_certificate, cut_the_line
from backend.registry.settings import RegistrySettings
from backend.registry.signing import Senders, load_signing
from backend.wire.registry_codes import item_error
from backend.wire.registry_messages import LARGEST_BODY_BYTES

_PUBLIC = ("/v1/keys", "/v1/openapi.json")
_UNSAFE = ("POST", "PUT", "DELETE")


def create_registry_app(
    settings: RegistrySettings | None = None,
    *,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    start_processor: bool = True,
    sleep: Callable[[float], None] = time.sleep,
    wall: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Flask:
    """Make the app and start its judging thread.

    `clock` is the registry's time, `wall` the machine's, which signatures and certificates are held against. Raises
    WrongRevision when the database has not been upgraded, SettingsRefused for an installation without mutual TLS.
    """
    logging.basicConfig(format="%(asctime)s registry %(levelname)s %(message)s", level=logging.INFO)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    settings = settings or RegistrySettings.from_environment()
    settings.refuse_unsafe()
    database = Database(settings.url)
    database.check_revision()
    registry = Registry(database, load_signing(settings), Faults(database), clock)
    processor = Processor(registry)

    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY_BYTES + 1
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.extensions["registry"] = registry
    app.extensions["registry_senders"] = Senders(settings.senders)
    app.extensions["registry_wake"] = processor.wake
    app.extensions["registry_processor"] = processor
    app.extensions["registry_sleep"] = sleep
    app.extensions["registry_wall"] = wall
    app.extensions["registry_settings"] = settings
    app.register_blueprint(calls.blueprint)
    app.register_blueprint(pages.blueprint)
    if settings.switches:
        app.register_blueprint(switches.blueprint)
    if settings.serves_tls:
        app.before_request(lambda: check_certificate(request.environ, wall()))
    app.before_request(_fail_before)
    app.after_request(_fail_after)
    app.after_request(_secure)
    app.add_url_rule("/healthz", "healthz", _healthz)
    register_problems(app)
    if start_processor:
        processor.start()
    return app


def _healthz() -> Any:
    """200 when the database answers and the judging thread runs."""
    registry = calls.registry()
    processor: Processor = current_app.extensions["registry_processor"]
    try:
        with registry.database.reading() as connection:
            connection.execute(text("SELECT 1"))
    except SQLAlchemyError:
        return jsonify({"status": "failing", "reason": "the database does not answer"}), 503
    if not processor.is_alive:
        return jsonify({"status": "failing", "reason": "the judging thread is not running"}), 503
    return jsonify({"status": "ok"})


def _fail_before() -> None:
    """Failures that stop a call before anything is done."""
    if not request.path.startswith("/v1/") or request.path in _PUBLIC:
        return
    faults = calls.registry().faults
    if request.scheme != "https" and faults.take("broken_chain") is not None:
        cut_the_line(request.environ)  # with TLS the handshake fails and no call ever comes here
        raise Problem(502, item_error("9002", ""))
    waiting = faults.take("timeout")
    if waiting is not None:
        current_app.extensions["registry_sleep"](float(waiting.get("seconds", 30)))
        raise Problem(504, item_error("9002", ""))
    for name, status, code in (("http_502", 502, "9002"), ("busy", 503, "9001"), ("maintenance", 503, "9003")):
        if faults.take(name) is not None:
            raise Problem(status, item_error(code, ""))


def _fail_after(answer: Response) -> Response:
    """The answer that gets lost after everything was committed."""
    filed = request.path.startswith("/v1/") and request.method in _UNSAFE and answer.status_code < 300
    if filed and calls.registry().faults.take("lost_answer") is not None:
        return Response("<html><body>Bad gateway</body></html>", 502, mimetype="text/html")
    return answer


def _secure(answer: Response) -> Response:
    answer.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'none'"
    )
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Referrer-Policy"] = "same-origin"  # with no-referrer a form's Origin would be "null"
    answer.headers["Cache-Control"] = "public, max-age=3600" if request.endpoint == "static" else "no-store"
    return answer
