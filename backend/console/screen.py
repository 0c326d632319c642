"""The locked screen: lock, stay, open again by password or passkey, without losing the page one was on."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, session
from werkzeug.wrappers import Response

from backend.console.kept_forms import resume_page, to_kept_form
from backend.console.pages import Form, by_script, here, holder, safe_next, world
from backend.services.officer_passkeys import ask_again, show_passkey_again
from backend.services.officer_sessions import lock_session, open_screen
from backend.web import LOCKED, caller

pages = Blueprint("screen", __name__)
Answer = str | tuple[str, int] | Response


@pages.post("/screen/lock")
def lock() -> Answer:
    """Lock now; a script gets no body, a person the lock screen."""
    lock_session(world(), session_id=holder().session_id)
    return ("", 204) if by_script() else redirect(safe_next(request.form.get("next")))


@pages.post("/screen/stay")
def stay() -> tuple[str, int]:
    """Somebody is at the page, typing: reaching this at all is what counts."""
    return "", 204


@pages.post("/screen/open")
def open_again() -> Answer:
    """Open by the password and go on where one was."""
    session_id, password = holder().session_id, request.form.get("password", "")
    if by_script():
        open_screen(world(), session_id=session_id, password=password)
        return "", 204
    form = Form.sent("password")
    with form.filling("password", codes=("officer.wait",)):
        open_screen(world(), session_id=session_id, password=password)
        return to_kept_form() if form.value("kept") else redirect(safe_next(form.value("next")))
    return lock_page(form, form.value("next"), form.value("kept")), form.status


@pages.post("/screen/passkey")
def ask() -> Response:
    """The question for one of one's own passkeys."""
    question = ask_again(world(), session_id=holder().session_id)
    session["challenge"] = question.challenge
    return Response(question.options, mimetype="application/json")


@pages.post("/screen/passkey/answer")
def answer() -> tuple[str, int]:
    """Its answer: opens a locked screen, else it is the second act before a full number."""
    show_passkey_again(
        world(),
        session_id=holder().session_id,
        credential=request.form.get("credential", ""),
        challenge=session.pop("challenge", ""),
        opens=caller().kind == LOCKED,
    )
    return "", 204


@pages.post("/screen/resume")
def resume() -> str:
    """Show what was typed before the screen was locked, once it is open again."""
    return resume_page(request.form.get("kept", ""))


def lock_page(form: Form | None = None, next_page: str | None = None, kept: str | None = None) -> str:
    """The lock screen as a page of its own: nothing of the console is on it but whose screen it is.

    `kept` is a sealed form that was sent to the locked screen.
    """
    return render_template("locked.html", form=form or Form(), next=next_page or here(), kept=kept, who=holder())
