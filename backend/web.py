"""What both web doors share: policy, caller, errors, request id, language, security headers.

A door calls `open_door(app, ...)` after its routes are registered; a route without a row in policy.toml, or a row
without a route, stops the start.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any
from uuid import uuid4

import structlog
from flask import Blueprint, Flask, Response, current_app, g, jsonify, request, send_from_directory
from flask_babel import Babel
from sqlalchemy.exc import IntegrityError, OperationalError
from werkzeug.datastructures import ImmutableMultiDict
from werkzeug.exceptions import HTTPException

from backend.db import db
from backend.domain.correlation import place_of, request_id
from backend.domain.refusals import Refusal, Refused

log = structlog.get_logger()
DEADLOCK = "40P01"  # SQLSTATE: PostgreSQL has ended one of two that waited for each other

STATUS = {
    "invalid": 422,
    "not_found": 404,
    "forbidden": 403,
    "unauthenticated": 401,
    "conflict": 409,
    "gone": 410,
    "too_many": 429,
    "busy": 503,
    "too_large": 413,
    "unavailable": 503,
}
LANGUAGES = ("zh", "en")
LANGUAGE_COOKIE = "anju-lang"
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "font-src 'self'; media-src 'self' blob:; manifest-src 'self'; worker-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)
NOBODY = "nobody"
LOCKED = "locked"  # an officer whose screen is locked: may open it or sign out, and nothing else
LIVE_HEADER = "X-Anju-Live"  # sent by what a page asks for by itself: it does not count as somebody being there


@dataclass(frozen=True)
class Caller:
    """Who is calling; a door's `authenticate` makes it from cookie or bearer token."""

    kind: str = NOBODY  # 'nobody' | 'resident' | 'staff' | 'locked'
    account_id: str | None = None
    session_id: str | None = None
    role: str | None = None  # an officer's role
    purpose: str | None = None
    details: Any = None  # the door's own view of account or officer


@dataclass(frozen=True)
class Rule:
    """One row of policy.toml: who may call an endpoint with a method.

    `who`: 'anyone', 'resident', 'staff' (any officer), 'locked' (an officer behind the lock screen) or single officer
    roles. `relation` names what the service checks (own, landlord, holder, area). `purpose`: a purpose must be set.
    `fields`: identity fields the answer may disclose.
    """

    who: tuple[str, ...]
    relation: str = "none"
    purpose: bool = False
    fields: tuple[str, ...] = field(default=())


class PolicyError(Exception):
    """Routes and policy.toml do not fit each other."""


Policy = Mapping[tuple[str, str], Rule]


@cache
def load_policy() -> Policy:
    """All rows of backend/policy.toml by (app.endpoint, method)."""
    written = (resources.files("backend") / "policy.toml").read_text(encoding="utf-8")
    return {
        (endpoint, method): Rule(
            tuple(row["who"]), row.get("relation", "none"), row.get("purpose", False), tuple(row.get("fields", ()))
        )
        for endpoint, methods in tomllib.loads(written).items()
        for method, row in methods.items()
    }


def open_door(
    app: Flask,
    door: str,
    authenticate: Callable[[], Caller],
    error_page: Callable[..., Any],
    rules: Policy | None = None,
) -> None:
    """Put policy, errors, headers and languages around all routes of `app`; `rules` default to policy.toml.

    `error_page(status, refusals, request_id)` renders an HTML page; paths under /api/ answer problem+json instead.
    Raises PolicyError when routes and policy rows of `door` ('mobile' or 'console') differ.
    """
    rules = load_policy() if rules is None else rules
    check_policy(app, door, rules)

    @app.before_request
    def _before() -> Any:
        g.request_id = _request_id()
        request_id.set(g.request_id)
        g.caller = authenticate()
        rule = rules.get((f"{door}.{request.endpoint}", request.method.replace("HEAD", "GET")))
        if request.endpoint is None or rule is None:
            return None  # 404 and 405 are answered by the error handlers; OPTIONS by Flask
        refused = decide_call(rule, g.caller) or find_unreadable()
        if refused is not None:
            return error_answer((refused,), error_page)
        return None

    @app.after_request
    def _after(response: Response) -> Response:
        response.headers["X-Request-Id"] = getattr(g, "request_id", "")
        response.headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
        response.headers["Permissions-Policy"] = "geolocation=(), microphone=()"
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    @app.errorhandler(Refused)
    def _refused(error: Refused) -> Any:
        db.session.rollback()
        return error_answer(error.refusals, error_page)

    @app.errorhandler(HTTPException)
    def _http(error: HTTPException) -> Any:
        if error.code is not None and error.code < 400:
            return error
        codes = {
            401: "unauthenticated",
            403: "forbidden",
            404: "not_found",
            405: "method_not_allowed" if request.path.startswith("/api/") else "page.not_openable",
            412: "stale",
            413: "input.too_large",
            428: "precondition_missing",
        }
        if error.code == 413:
            request.form = ImmutableMultiDict()  # the page that says so does not read the form again
        code = codes.get(error.code or 500, "input.malformed" if (error.code or 500) < 500 else "failure")
        return error_answer((Refusal(code),), error_page, status=error.code)

    @app.errorhandler(IntegrityError)
    def _crossed(error: IntegrityError | OperationalError) -> Any:
        # Two writers met at the same instant and the database kept one out: nothing was changed.
        db.session.rollback()
        log.warning("writers_crossed", place=place_of(error), request_id=g.get("request_id"))
        return error_answer((Refusal("stale"),), error_page)

    @app.errorhandler(OperationalError)
    def _not_carried_out(error: OperationalError) -> Any:
        waited_for_each_other = getattr(error.orig, "sqlstate", None) == DEADLOCK
        return _crossed(error) if waited_for_each_other else _failure(error)

    @app.errorhandler(Exception)
    def _failure(error: Exception) -> Any:
        db.session.rollback()
        # The text of an exception may carry values (a constraint error does), so only its place is logged.
        place = place_of(error)
        log.error("unhandled", kind=type(error).__name__, place=place, request_id=g.get("request_id"))
        return error_answer((Refusal("failure"),), error_page, status=500)


def check_policy(app: Flask, door: str, rules: Policy) -> None:
    """Raise PolicyError when a route has no row or a row has no route."""
    routes = {
        (f"{door}.{rule.endpoint}", method)
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    rows = {row for row in rules if row[0].startswith(f"{door}.")}
    missing, stale = sorted(routes - rows), sorted(rows - routes)
    if missing or stale:
        raise PolicyError(
            f"policy.toml does not fit the routes of {door}; without a row: {missing}; without a route: {stale}"
        )


def decide_call(rule: Rule, caller: Caller) -> Refusal | None:
    """Whether `caller` may call: None, or the refusal."""
    if "anyone" in rule.who:
        return None
    if caller.kind == NOBODY:
        return Refusal("unauthenticated")
    if caller.kind == LOCKED:
        return None if LOCKED in rule.who else Refusal("session.locked")
    if caller.kind not in rule.who and caller.role not in rule.who:
        return Refusal("forbidden")
    if rule.purpose and caller.purpose is None:
        return Refusal("purpose.missing")
    return None


def find_unreadable() -> Refusal | None:
    """The first thing of the present request that is no text: it holds a NUL or half a character, which no name or word
    does and PostgreSQL does not store. An address that holds one names nothing.
    """
    if not is_text(request.path):
        return Refusal("not_found")
    for name, values in (*request.args.lists(), *request.form.lists()):
        if not all(map(is_text, (name, *values))):
            return Refusal("input.no_text", name if is_text(name) else None)
    if request.is_json and any(mark in request.get_data() for mark in (b"\\u", b"\0")):
        try:
            return _find_in_json(request.get_json(silent=True))
        except RecursionError:
            return Refusal("input.malformed")
    return None


def is_text(text: str) -> bool:
    """Whether a text can be stored: no NUL, no half of a surrogate pair."""
    if "\0" in text:
        return False
    try:
        return text.isascii() or bool(text.encode())
    except UnicodeEncodeError:
        return False


def _find_in_json(value: Any, name: str | None = None) -> Refusal | None:
    """The first text of a body that is none, at the field it stands in."""
    if isinstance(value, str):
        return None if is_text(value) else Refusal("input.no_text", name)
    if isinstance(value, dict):
        pairs = [(key if name is None else name, each) for key, each in value.items()]
        if not all(map(is_text, value)):
            return Refusal("input.no_text", name)
    else:
        pairs = [(name, each) for each in value] if isinstance(value, list) else []
    return next((found for key, each in pairs if (found := _find_in_json(each, key)) is not None), None)


def caller() -> Caller:
    """The caller of the present request."""
    found: Caller = g.caller
    return found


def language() -> str:
    """'zh' or 'en' for the present request: as its address says (`spoken`), else as the person chose (cookie).

    Until somebody has chosen, the browser's wish decides; one that asks for neither gets Chinese.
    """
    wish = (request.view_args or {}).get("spoken") or request.cookies.get(LANGUAGE_COOKIE)
    if wish in LANGUAGES:
        return str(wish)
    return request.accept_languages.best_match(LANGUAGES, "zh") or "zh"


def error_answer(refusals: Iterable[Refusal], error_page: Callable[..., Any], status: int | None = None) -> Any:
    """Render refusals as problem+json under /api/, else as the door's page."""
    refusals = tuple(refusals)
    status = status or STATUS[refusals[0].reason.kind]
    if request.path.startswith("/api/"):
        answer = problem(refusals, status)
    else:
        answer = current_app.make_response((error_page(status, refusals, g.get("request_id")), status))
    seconds = refusals[0].params.get("seconds")
    if seconds is not None:
        answer.headers["Retry-After"] = str(seconds)
    if status == 401 and request.path.startswith("/api/"):
        answer.headers["WWW-Authenticate"] = 'Bearer realm="anju"'
    return answer


def problem(refusals: tuple[Refusal, ...], status: int) -> Response:
    """RFC 9457 problem details: field, reason, rule, remedy, what is allowed."""
    first, spoken = refusals[0], language()
    body: dict[str, Any] = {
        "type": f"/api/v1/problems#{first.code}",
        "title": first.sentence("en"),
        "status": status,
        "code": first.code,
        "detail": first.sentence(spoken),
        "remedy": first.remedy(spoken),
        "instance": request.path,
        "request_id": g.get("request_id"),
    }
    if first.reason.rule:
        body["rule"] = first.reason.rule
    if first.allowed:
        body["allowed"] = list(first.allowed)
    errors = [
        {"pointer": f"/{r.field}", "code": r.code, "detail": r.sentence(spoken), "remedy": r.remedy(spoken)}
        for r in refusals
        if r.field
    ]
    if errors:
        body["field"], body["errors"] = first.field, errors
    answer = jsonify(body)
    answer.status_code, answer.mimetype = status, "application/problem+json"
    return answer


def install_languages(app: Flask, door: str, catalogue: Path, var: Path) -> None:
    """Set up Flask-Babel: Chinese texts are the message ids, `catalogue` (a .po file) holds the English ones."""
    folder = compile_catalogue(door, catalogue, var)
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = str(folder)
    app.config["BABEL_DEFAULT_LOCALE"] = "zh"
    app.config["BABEL_DEFAULT_TIMEZONE"] = "Asia/Shanghai"
    Babel(app, locale_selector=lambda: {"zh": "zh_CN", "en": "en"}[language()])
    app.jinja_env.globals.update(language=language, caller=caller)


def compile_catalogue(door: str, catalogue: Path, var: Path) -> Path:
    """Compile the .po file into var (nothing generated lies in the source tree); answers the folder."""
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    folder = (var / "translations" / door).resolve()
    target = folder / "en" / "LC_MESSAGES" / "messages.mo"
    target.parent.mkdir(parents=True, exist_ok=True)
    with catalogue.open("rb") as source:
        messages = read_po(source, locale="en")
    fresh = target.with_name(f"{uuid4().hex}.new")
    with fresh.open("wb") as out:
        write_mo(out, messages)
    fresh.replace(target)
    return folder


def install_assets(app: Flask) -> None:
    """Serve what both doors show alike (design tokens, htmx) under /assets/."""
    assets = Blueprint("shared", __name__)
    folder = Path(__file__).parent / "assets"

    @assets.get("/assets/<path:name>")
    def asset(name: str) -> Response:
        answer = send_from_directory(folder, name)
        # A module asks for another without its version: the two may not be of different ages.
        answer.headers["Cache-Control"] = "public, max-age=3600" if "v" in request.args else "no-cache"
        return answer

    app.register_blueprint(assets)


def _request_id() -> str:
    given = request.headers.get("X-Request-Id", "")
    return given if re.fullmatch(r"[A-Za-z0-9-]{8,64}", given) else uuid4().hex
