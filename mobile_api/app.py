"""The mobile web app: JSON API, pages, health."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

from flask import Flask, Response, current_app, jsonify, request, session
from flask.json.provider import DefaultJSONProvider
from werkzeug.datastructures import Authorization

from backend.bootstrap import World, assemble, check_revision, database_trouble, make_world, set_up_logging, world_of
from backend.config import Settings
from backend.domain.refusals import Refused
from backend.services import sign_ins
from backend.web import LIVE_HEADER, Caller, install_assets, install_languages, open_door
from mobile_api.api.assembly import register_api
from mobile_api.pages.assembly import error_page, register_pages
from mobile_api.requests import API_BODY_BYTES, UPLOAD_BYTES, MemoryRequest

CATALOGUE = Path(__file__).parent / "translations" / "en.po"
HEALTH = "/healthz"


def create_mobile_app(settings: Settings | None = None, world: World | None = None) -> Flask:
    """Make the mobile app; without arguments out of the environment, as a process of its own.

    Raises SettingsError, WrongRevision (the database is not migrated) and PolicyError (a route without a row).
    """
    if settings is None:
        settings = Settings.from_environment()
        set_up_logging("mobile", settings.log_level)
    world = world or make_world(settings, with_faces=True)
    app = Flask("mobile_api", static_folder=None, template_folder="templates")
    app.request_class = MemoryRequest
    assemble(app, settings, world)
    check_revision(app)
    _configure(app, settings, world)
    install_assets(app)
    install_languages(app, "mobile", CATALOGUE, settings.var)
    register_api(app)
    register_pages(app)
    app.add_url_rule(HEALTH, "healthz", health)
    open_door(app, "mobile", authenticate, error_page)
    return app


def authenticate() -> Caller:
    """Who is calling: under /api/ the bearer of an access token, on pages the session in the cookie."""
    if request.path.startswith("/api/"):
        return _of_token(request.authorization)
    if request.path == HEALTH or "sid" not in session:
        return Caller()
    view = sign_ins.find_session(
        world_of(current_app), session_id=session["sid"], secret=session["secret"], kind="page",
        seen=LIVE_HEADER not in request.headers,
    )  # fmt: skip
    return Caller("resident", view.id, view.session_id, details=view) if view else Caller()


def health() -> tuple[Response, int]:
    """Whether this process can serve: its database answers. Whether faces can be checked is told beside it."""
    trouble = database_trouble(current_app)
    if trouble is not None:
        return jsonify(status="down", reason=trouble), 503
    return jsonify(status="ok", face_check=world_of(current_app).faces.is_ready()), 200


def _of_token(given: Authorization | None) -> Caller:
    if given is None or given.type != "bearer" or not given.token:
        return Caller()
    try:
        view = sign_ins.read_access_token(world_of(current_app), given.token)
    except Refused:
        return Caller()  # a call open to anyone is answered; every other one asks to sign in
    return Caller("resident", view.id, view.session_id, details=view)


def _configure(app: Flask, settings: Settings, world: World) -> None:
    app.secret_key = world.key_ring.cookie_key("mobile")
    app.config.update(
        # Cookies ignore ports: with the prefix no other app on this host can set or read this one.
        SESSION_COOKIE_NAME="__Host-anju-m" if settings.cookie_secure else "anju-m",
        SESSION_COOKIE_SECURE=settings.cookie_secure,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        # A day longer than a sign-in lies idle: a form sent after its end is still known to be whose.
        PERMANENT_SESSION_LIFETIME=world.house.page_session_idle + timedelta(days=1),
        MAX_CONTENT_LENGTH=UPLOAD_BYTES,
        MAX_FORM_MEMORY_SIZE=API_BODY_BYTES * 2,
        MAX_FORM_PARTS=100,
    )
    app.json = PlainJson(app)


class PlainJson(DefaultJSONProvider):
    """JSON with ISO dates (Flask's own writes them as in mail headers) and readable Chinese."""

    ensure_ascii = False
    sort_keys = False

    @staticmethod
    def default(value: Any) -> Any:
        """Days and instants in ISO 8601."""
        return value.isoformat() if isinstance(value, date) else DefaultJSONProvider.default(value)
