"""The first sign-in: the code from the paper, then password and authenticator, or a passkey."""

from __future__ import annotations

import segno
from flask import Blueprint, redirect, render_template, request, session, url_for
from markupsafe import Markup
from werkzeug.wrappers import Response

from backend.console.pages import Form, world
from backend.console.sign_in import begin_session, browser
from backend.console.staff_words import browser_name
from backend.domain.refusals import Refusal, Refused
from backend.services.officer_enrolment import (
    ask_first_passkey,
    finish_with_passkey,
    finish_with_password,
    look_at_enrolment,
)

pages = Blueprint("first_sign_in", __name__)
CODES = ("officer.first_code", "officer.wait", "officer.locked")


@pages.route("/first", methods=["GET", "POST"])
def form() -> tuple[str, int] | Response:
    """Name and first code; the browser keeps both for the next page, in its signed cookie."""
    sheet = Form.sent("first_code") if request.method == "POST" else Form()
    if request.method == "POST":
        given = {name: request.form.get(name, "").strip() for name in ("login", "first_code")}
        sheet.faults = [Refusal("input.missing", name) for name, value in given.items() if not value]
        sheet.status = 422 if sheet.faults else 200
        if not sheet.faults:
            with sheet.filling(codes=CODES):
                look_at_enrolment(world(), **given)
                session.clear()
                session["first"] = given
                return redirect(url_for("first_sign_in.setup"))
    return render_template("first.html", form=sheet), sheet.status


@pages.route("/first/ways", methods=["GET", "POST"])
def setup() -> tuple[str, int] | Response:
    """Choose a password and set the authenticator up, or make a passkey."""
    given = session.get("first")
    if given is None:
        return redirect(url_for("first_sign_in.form"))
    sheet = Form.sent("password", "again", "code") if request.method == "POST" else Form()
    if request.method == "POST":
        sheet.faults = _faults()
        sheet.status = 422 if sheet.faults else 200
        if not sheet.faults:
            with sheet.filling("password", "code"):
                signed = finish_with_password(
                    world(),
                    **given,
                    password=request.form.get("password", ""),
                    code=request.form.get("code", ""),
                    user_agent=browser(),
                )
                begin_session(signed)
                return redirect(url_for("own.account", done="first"))
    try:
        enrolment = look_at_enrolment(world(), **given)
    except Refused:
        session.pop("first")
        return redirect(url_for("first_sign_in.form"))
    code = segno.make(enrolment.uri, error="m", micro=False).svg_inline(scale=4, border=2, dark="#17212f")
    return render_template("first_ways.html", form=sheet, enrolment=enrolment, qr=Markup(code)), sheet.status


@pages.post("/first/passkey/question")
def ask() -> Response:
    """The question for the first passkey."""
    question = ask_first_passkey(world(), **_kept())
    session["challenge"] = question.challenge
    return Response(question.options, mimetype="application/json")


@pages.post("/first/passkey")
def keep() -> dict[str, str]:
    """Enrol it; the officer is signed in."""
    given, challenge = _kept(), session.pop("challenge", "")
    signed = finish_with_passkey(
        world(),
        **given,
        credential=request.form.get("credential", ""),
        challenge=challenge,
        label=request.form.get("label", "").strip() or browser_name(browser()),
        user_agent=browser(),
    )
    begin_session(signed)
    return {"next": url_for("own.account", done="first")}


def _kept() -> dict[str, str]:
    given: dict[str, str] = session.get("first") or {"login": "", "first_code": ""}
    return given


def _faults() -> list[Refusal]:
    given = {name: request.form.get(name, "") for name in ("password", "again", "code")}
    missing = [Refusal("input.missing", name) for name, value in given.items() if not value.strip()]
    if not missing and given["password"] != given["again"]:
        return [Refusal("officer.repeat", "again")]
    return missing
