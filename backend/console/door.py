"""The console's door: who is calling, what an error looks like, which pages there are."""

from __future__ import annotations

from hashlib import sha256
from importlib import resources
from pathlib import Path
from typing import Any

from flask import Flask, current_app, jsonify, render_template, request, session, url_for
from flask_wtf.csrf import CSRFError, CSRFProtect

from backend.bootstrap import World, world_of
from backend.console import (
    agreements,
    audits,
    cases,
    deadlines,
    demo,
    discrepancies,
    divisions,
    door_sheets,
    field,
    field_desks,
    figures,
    first_sign_in,
    front,
    ledger,
    loop,
    maps,
    occupant_keys,
    own,
    reviews,
    screen,
    search,
    sign_in,
    staff,
    standards,
    sync,
    taken_reports,
    tasks,
    units,
    visits,
    window,
    words,
)
from backend.console.figure_words import sheet_label
from backend.console.kept_forms import keep_sent, page_of_form, was_lost
from backend.console.pages import by_script, has_passkey, here, may, navigation, officer, place, unread
from backend.domain.divisions import provinces
from backend.domain.log_faults import fault_sentence
from backend.domain.purposes import OWN_REFERENCE
from backend.domain.refusals import Refusal, Refused
from backend.domain.staff_notices import sentence
from backend.services.officer_passkeys import console_party
from backend.services.officer_sessions import find_officer_session
from backend.web import LIVE_HEADER, LOCKED, Caller, caller, error_answer, language

PAGES = (
    *(front, sign_in, first_sign_in, screen, own, staff, tasks, window, ledger, maps, door_sheets, units),
    *(occupant_keys, taken_reports, cases, visits, field, field_desks, reviews, search, deadlines),
    *(discrepancies, divisions, loop, sync),
    *(figures, agreements, standards, audits, demo),
)
WITHOUT_CALLER = ("static", "shared.asset", "front.health", "field.worker", "field.manifest")


def register_pages(app: Flask) -> CSRFProtect:
    """Give `app` all pages and the words they use; answers the CSRF protection, to be put on behind the door."""
    for page in PAGES:
        app.register_blueprint(page.pages)
    app.jinja_env.filters.update(words.FILTERS)
    app.jinja_env.globals.update(words.TABLES)
    app.jinja_env.globals.update(
        pick=words.pick,
        phrase=words.phrase,
        sheet_label=sheet_label,
        asset_url=asset_url,
        here=here,
        page_of_form=page_of_form,
        form_was_lost=was_lost,
        officer=officer,
        place=place,
        navigation=navigation,
        unread=unread,
        has_passkey=has_passkey,
        clock_now=world_of(app).clock.now,
        idle_seconds=int(world_of(app).house.officer_idle.total_seconds()),
        passkey_origin=passkey_origin(world_of(app)),
        notice_sentence=notice_sentence,
        fault_sentence=fault_sentence,
        is_own_reference=OWN_REFERENCE.fullmatch,
        language=language,
        provinces=provinces,
        is_demo=lambda: world_of(app).house.demo,
    )
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True

    @app.errorhandler(CSRFError)
    def _csrf(error: CSRFError) -> Any:
        return error_answer((Refusal("csrf"),), error_page)

    return CSRFProtect()


def authenticate() -> Caller:
    """The officer of the session cookie, or nobody."""
    session_id, secret = session.get("sid"), session.get("secret")
    if request.endpoint in WITHOUT_CALLER or not session_id or not secret:
        return Caller()
    view = find_officer_session(
        world_of(current_app), session_id=session_id, secret=secret, seen=LIVE_HEADER not in request.headers
    )
    if view is None:
        session.clear()
        return Caller()
    kind = LOCKED if view.locked else "staff"
    return Caller(kind, session_id=view.session_id, role=view.role, purpose=view.purpose, details=view)


def error_page(status: int, refusals: tuple[Refusal, ...], request_id: str | None) -> Any:
    """A friendly page: what is wrong, what to do, where to go; or the form that helps: sign-in, purpose."""
    first = refusals[0]
    if by_script():
        spoken = language()
        return jsonify({"code": first.code, "sentence": first.sentence(spoken), "remedy": first.remedy(spoken)})
    if LIVE_HEADER in request.headers:
        return jsonify({"code": first.code})
    if first.code == "session.locked":
        return screen.lock_page(kept=keep_sent())
    if first.code == "unauthenticated":
        return render_template("sign_in.html", form=sign_in.blank(asked=True), next=here(), asked=True)
    if first.code in ("purpose.missing", "purpose.unfit") and caller().kind == "staff":
        kept = keep_sent()
        if kept or was_lost() or first.code == "purpose.missing":
            return tasks.ask(kept, first)
    on_the_round = request.path.startswith("/g/") and may("field.home") and first.code != "purpose.unfit"
    page = "field/error.html" if on_the_round else "error.html"
    return render_template(page, status=status, refusal=first, request_id=request_id)


def passkey_origin(world: World) -> str:
    """Where passkeys work: the console's own address, or nothing where browsers allow none."""
    try:
        return console_party(world).origin
    except Refused:
        return ""


def notice_sentence(kind: str, params: dict[str, Any]) -> str:
    """A notice in the present language."""
    return sentence(kind, params, language())


def asset_url(name: str, shared: bool = False) -> str:
    """The address of a static file with its content's version."""
    folder = Path(str(resources.files("backend"))) / ("assets" if shared else "console/static")
    version = sha256((folder / name).read_bytes()).hexdigest()[:10]
    if shared:
        return url_for("shared.asset", name=name, v=version)
    return url_for("static", filename=name, v=version)
