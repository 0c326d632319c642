"""Sign in with password and one-time code or with a passkey, sign out, language."""

from __future__ import annotations

from flask import Blueprint, make_response, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from backend.console.pages import Form, holder, officer, safe_next, world
from backend.domain.refusals import Refusal, Refused
from backend.services.officer_passkeys import ask_sign_in, sign_in_with_passkey
from backend.services.officer_sessions import sign_out_officer
from backend.services.officers import OfficerSignedIn, sign_in_officer
from backend.web import LANGUAGE_COOKIE, LANGUAGES, STATUS

pages = Blueprint("sign_in", __name__)
YEAR = 365 * 24 * 3600


def blank(*, asked: bool = False) -> Form:
    """An empty sign-in form."""
    return Form(status=401 if asked else 200)


@pages.get("/sign-in")
def form() -> str | Response:
    """The sign-in page; somebody signed in goes on."""
    if officer() is not None:
        return redirect(safe_next(request.args.get("next")))
    return render_template(
        "sign_in.html",
        form=blank(),
        next=request.args.get("next"),
        asked=False,
        over=request.args.get("ended") == "over",
    )


@pages.post("/sign-in")
def enter() -> tuple[str, int] | Response:
    """Check password and one-time code; a fresh session replaces whatever the browser had."""
    sheet = Form.sent("password", "code")
    given = {name: request.form.get(name, "") for name in ("login", "password", "code")}
    missing = [Refusal("input.missing", name) for name, value in given.items() if not value.strip()]
    if missing:
        sheet.faults, sheet.status = missing, STATUS["invalid"]
    else:
        try:
            signed = sign_in_officer(world(), **given, user_agent=browser())
        except Refused as refused:
            sheet.faults, sheet.status = list(refused.refusals), STATUS[refused.refusal.reason.kind]
    if sheet.faults:
        return render_template("sign_in.html", form=sheet, next=sheet.value("next"), asked=False), sheet.status
    begin_session(signed)
    return redirect(safe_next(request.form.get("next")))


@pages.post("/sign-in/passkey/question")
def ask_passkey() -> Response:
    """The question; the device offers the passkeys it holds for this console."""
    question = ask_sign_in(world())
    session["challenge"] = question.challenge
    return Response(question.options, mimetype="application/json")


@pages.post("/sign-in/passkey")
def enter_by_passkey() -> dict[str, str]:
    """Open a session for its owner; answers where to go on."""
    challenge = session.pop("challenge", "")
    credential = request.form.get("credential", "")
    begin_session(sign_in_with_passkey(world(), credential=credential, challenge=challenge, user_agent=browser()))
    return {"next": safe_next(request.form.get("next"))}


@pages.post("/sign-out")
def leave() -> Response:
    """End the session and its task; the browser forgets what it kept, but for notes that have not arrived yet."""
    keeps_notes = request.form.get("keep") == "notes"  # houses, codes and counts: nothing about a person
    sign_out_officer(world(), session_id=holder().session_id)
    session.clear()
    answer = make_response(redirect(url_for("sign_in.form")))
    answer.headers["Clear-Site-Data"] = '"cache"' if keeps_notes else '"cache", "storage"'
    return answer


@pages.post("/language")
def speak() -> Response:
    """Switch the language and stay on the page."""
    answer = make_response(redirect(safe_next(request.form.get("next"))))
    wish = request.form.get("to", "")
    if wish in LANGUAGES:
        answer.set_cookie(LANGUAGE_COOKIE, wish, max_age=YEAR, samesite="Lax", httponly=True, secure=request.is_secure)
    return answer


def begin_session(signed: OfficerSignedIn) -> None:
    """A fresh session replaces whatever the browser had."""
    session.clear()
    session.update(sid=signed.session_id, secret=signed.secret)


def browser() -> str:
    """What the browser says it is, for the list of one's sign-ins."""
    return request.headers.get("User-Agent", "")
