"""Hang the pages into the mobile app: blueprints, CSRF, words for templates, static files, the error page."""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from importlib import import_module, resources
from pathlib import Path
from typing import Any

from flask import Flask, Response, jsonify, redirect, render_template, request, url_for
from werkzeug.exceptions import HTTPException

from backend.domain.refusals import Refusal
from backend.services import inbox
from backend.web import LIVE_HEADER, caller, language
from mobile_api.pages import doors, icons, kept_forms, words
from mobile_api.pages.doors import STATIC, here, is_demo, is_elder, is_ended, owner, wants_json, world
from mobile_api.pages.duties import duty_page, notice_page
from mobile_api.pages.live import live_page
from mobile_api.pages.sign_in import blank_sheet, sign_in_page

VIEWS = (
    "front",
    "sign_in",
    "kept_forms",
    "invitations",
    "receipts",
    "accounts",
    "rights",
    "landlord_units",
    "door_sheets",
    "landlord_leases",
    "landlord_corrections",
    "landlord_imports",
    "landlord_keys",
    "landlord_visitors",
    "landlord_reminders",
    "side_by_side",
    "tenancies",
    "residence_paths",
    "identities",
    "identity_checks",
    "other_ways",
    "children",
    "unlocks",
    "near_keys",
    "keypad_codes",
    "new_phones",
    "tenant_visitors",
    "move_outs",
    "households",
    "declared_for",
    "reported",
    "openness",
    "reports",
    "help_requests",
)


def register_pages(app: Flask) -> None:
    """Give `app` all pages."""
    app.config.setdefault("WTF_CSRF_CHECK_DEFAULT", False)  # the JSON API carries bearer tokens, not cookies
    app.config.setdefault("WTF_CSRF_TIME_LIMIT", None)  # lives as long as the session
    app.config.setdefault("WTF_CSRF_SSL_STRICT", False)  # we send no Referer; the token alone decides
    doors.csrf.init_app(app)
    for module in VIEWS:
        import_module(f"mobile_api.pages.{module}")
    for blueprint in doors.ALL:
        app.register_blueprint(blueprint)
    app.register_blueprint(import_module("mobile_api.demo").demo)  # answers 404 outside the demo
    app.jinja_env.filters.update(words.FILTERS)
    app.jinja_env.globals.update(
        words.TABLES, pick=words.pick, name_of=words.name_of, period=words.period, until=words.until,
        asset_url=asset_url, ICONS=icons.ICONS, unread=unread,
        language=language, caller=caller, is_elder=is_elder, is_ended=is_ended, owner=owner, is_demo=is_demo,
        here=here, purpose_name=words.purpose_name, case_kind=words.case_kind, relation_options=words.relation_options,
        office_name=words.office_name, as_day=words.as_day, live_page=live_page, duty_page=duty_page,
        notice_page=notice_page,
        reports_waiting=import_module("mobile_api.pages.reported").count_waiting, today=lambda: world().clock.today(),
    )
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True


@cache
def _version(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()[:10]


def asset_url(name: str, shared: bool = False) -> str:
    """The address of a static file with its content's version."""
    if shared:
        folder = Path(str(resources.files("backend"))) / "assets"
        return url_for("shared.asset", name=name, v=_version(folder / name))
    return url_for("front.static_file", name=name, v=_version(STATIC / name))


def unread() -> int:
    """How many messages the signed-in account has not read."""
    who = caller().account_id
    return 0 if who is None else inbox.count_unread(world(), account_id=who)


class SignInFirst(HTTPException):
    """Sends a person who opened a page without being signed in to the sign-in, and back afterwards."""

    code = 303

    def get_response(self, environ: Any = None, scope: Any = None) -> Any:
        """The redirect."""
        return redirect(url_for("front.sign_in", next=here()), 303)


def error_page(status: int, refusals: tuple[Refusal, ...], request_id: str | None) -> str | Response:
    """A friendly page for a refusal: what happened, what to do, where to go.

    Raises SignInFirst for a page opened by nobody; a module of ours gets the words as JSON.
    """
    first, spoken = refusals[0], language()
    if wants_json():
        body: dict[str, Any] = {"code": first.code, "sentence": first.sentence(spoken), "remedy": first.remedy(spoken)}
        return jsonify(body)
    if LIVE_HEADER in request.headers:
        return jsonify({"code": first.code, **({"ended": True} if is_ended() else {})})
    if status == 401 and request.method == "GET":
        raise SignInFirst
    if status == 401:
        return sign_in_page(blank_sheet(), here(), kept_forms.keep_sent(), was_lost=kept_forms.was_lost())
    return render_template("error.html", status=status, refusal=first, request_id=request_id)
