"""The front page, and the two switches of every page: language and elder mode."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from backend.services import sign_ins
from backend.web import LANGUAGE_COOKIE, LANGUAGES, caller
from mobile_api.pages.doors import front, is_elder, safe_path, wants_json, world

A_YEAR = 365 * 24 * 3600


@front.get("/")
def home() -> str:
    """What Anju is, in three sentences; two doors; what it never does."""
    return render_template("front/home.html")


@front.post("/language")
def set_language() -> Response:
    """Change the language and come back; a signed-in account keeps it."""
    wish = request.form.get("language", "")
    answer = _back_to_page()
    if wish in LANGUAGES:
        remember_language(answer, wish)
        who = caller().account_id
        if who is not None:
            sign_ins.set_preferences(world(), account_id=who, language=wish)
    return answer


@front.post("/elder")
def set_elder() -> Response:
    """Switch elder mode (长辈版) and come back; a signed-in account keeps it. A script has switched the page itself."""
    wish = {"1": True, "0": False}.get(request.form.get("elder", ""), not is_elder())
    answer = Response(status=204) if wants_json() else _back_to_page()
    remember_elder(answer, wish)
    who = caller().account_id
    if who is not None:
        sign_ins.set_preferences(world(), account_id=who, elder_mode=wish)
    return answer


def _back_to_page() -> Response:
    """Back to the page of the switch; what was typed there, or waits there for a sign-in, is sent on to it."""
    if "filled" in request.form:
        return redirect(url_for("front.show_form"), 307)
    at = request.form.get("at")
    if "kept" in request.form and at in (url_for("front.sign_in"), url_for("front.sign_in_code")):
        return redirect(at, 307)
    return redirect(safe_path(request.form.get("next")), 303)


def remember_language(answer: Response, wish: str) -> None:
    """Keep the language on this device."""
    answer.set_cookie(LANGUAGE_COOKIE, wish, max_age=A_YEAR, httponly=True, samesite="Lax", secure=request.is_secure)


def remember_elder(answer: Response, wish: bool) -> None:
    """Keep elder mode on this device."""
    answer.set_cookie("anju-elder", "1" if wish else "0", max_age=A_YEAR, httponly=True, samesite="Lax",
                      secure=request.is_secure)
