"""One's own account: ways to sign in, sign-ins, and what the console has to tell."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from backend.console.pages import Form, acting, safe_next, world
from backend.console.sign_in import browser
from backend.console.staff_words import browser_name
from backend.domain.refusals import Refusal
from backend.queries.staff import find_staff, list_sessions
from backend.services.officer_accounts import change_password, end_session
from backend.services.officer_passkeys import add_passkey, ask_new_passkey, list_passkeys, remove_passkey
from backend.services.officer_sessions import step_up
from backend.services.staff_notices import mark_notice_read

pages = Blueprint("own", __name__)


@pages.get("/me")
def account() -> str:
    """Role, area, ways to sign in, living sign-ins."""
    return _page(Form())


@pages.post("/me/password")
def password() -> tuple[str, int] | Response:
    """Change the password; one's other sign-ins end."""
    form = Form.sent("present", "wanted", "again")
    given = {name: request.form.get(name, "") for name in ("present", "wanted", "again")}
    form.faults = [Refusal("input.missing", name) for name, value in given.items() if not value]
    if not form.faults and given["wanted"] != given["again"]:
        form.faults = [Refusal("officer.repeat", "again")]
    if form.faults:
        return _page(form), 422
    with form.filling("password", "wanted", codes=("officer.wait",)):
        change_password(world(), session_id=acting().session_id, present=given["present"], wanted=given["wanted"])
        return redirect(url_for("own.account", done="password"))
    form.faults = [Refusal(f.code, "present", f.params) if f.field == "password" else f for f in form.faults]
    return _page(form), form.status


@pages.post("/me/verify")
def verify() -> tuple[str, int] | Response:
    """The second act before a passkey is added: the password again."""
    form = Form.sent("password")
    with form.filling("password", codes=("officer.wait",)):
        step_up(world(), session_id=acting().session_id, password=request.form.get("password", ""))
        return redirect(safe_next(url_for("own.account")))
    return _page(form), form.status


@pages.post("/me/passkeys/question")
def ask_passkey() -> Response:
    """The question for a further passkey."""
    question = ask_new_passkey(world(), session_id=acting().session_id)
    session["challenge"] = question.challenge
    return Response(question.options, mimetype="application/json")


@pages.post("/me/passkeys")
def keep_passkey() -> dict[str, str]:
    """Enrol it under the name it was given."""
    add_passkey(
        world(),
        session_id=acting().session_id,
        credential=request.form.get("credential", ""),
        challenge=session.pop("challenge", ""),
        label=request.form.get("label", "").strip() or browser_name(browser()),
    )
    return {"next": url_for("own.account", done="passkey")}


@pages.post("/me/passkeys/<uuid:passkey_id>/remove")
def drop_passkey(passkey_id: str) -> Response:
    """Remove one's own passkey."""
    remove_passkey(world(), session_id=acting().session_id, passkey_id=str(passkey_id))
    return redirect(url_for("own.account", done="removed"))


@pages.post("/me/sessions/<uuid:session_id>/end")
def sign_out_elsewhere(session_id: str) -> Response:
    """End one of one's own sign-ins."""
    who = acting()
    end_session(world(), session_id=who.session_id, officer_id=who.id, ended_id=str(session_id))
    return redirect(url_for("own.account", done="ended"))


@pages.post("/notices/<uuid:notice_id>/read")
def read_notice(notice_id: str) -> Response:
    """Take a notice off the start page."""
    mark_notice_read(world(), officer_id=acting().id, notice_id=str(notice_id))
    return redirect(url_for("front.start"))


def _page(form: Form) -> str:
    who, now = acting(), world().clock.now()
    return render_template(
        "own.html",
        form=form,
        line=find_staff(who.id, now),
        passkeys=list_passkeys(who.id),
        sessions=list_sessions(who.id, now),
        done=request.args.get("done"),
        now=now,
    )
