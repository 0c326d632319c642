"""Sign in with a phone and a code, and sign out. The phone waits in the session; the code is in no page or address."""

from __future__ import annotations

from flask import make_response, redirect, render_template, request, session, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from backend.domain.refusals import Refused
from backend.services import sign_ins
from backend.services.kept_forms import open_form_of_account
from backend.web import LANGUAGE_COOKIE, LANGUAGES, caller, language
from mobile_api.pages.doors import account_id, chosen_elder, front, safe_path, session_id, world
from mobile_api.pages.forms import Sheet
from mobile_api.pages.front import remember_elder, remember_language


@front.route("/sign-in", methods=["GET", "POST"])
def sign_in() -> str | Response | tuple[str, int]:
    """Ask for the phone, then send a code."""
    onward = safe_path(request.values.get("next"))
    if request.method == "GET" and caller().account_id is not None:
        return redirect(onward)
    sheet, kept = Sheet.of_request(_labels()), request.form.get("kept")
    if "phone" in request.form:
        with sheet.filling():
            phone = sheet.text("phone")
            sheet.check()
            _send_code(phone)
            session["next"] = onward
            return redirect(url_for("front.sign_in_code"), 307 if kept else 303)
    return sign_in_page(sheet, onward, kept), sheet.status


def blank_sheet() -> Sheet:
    """The first question of a sign-in, before it is answered."""
    return Sheet(_labels())


def sign_in_page(sheet: Sheet, onward: str, kept: str | None = None, *, was_lost: bool = False) -> str:
    """The page that asks for the phone; `kept` is a sealed form that was sent after the sign-in was over."""
    return render_template("front/sign_in.html", sheet=sheet, next=onward, kept=kept, was_lost=was_lost,
                           at=url_for("front.sign_in"))


def _labels() -> dict[str, str]:
    return {"phone": _("手机号")}


@front.route("/sign-in/code", methods=["GET", "POST"])
def sign_in_code() -> str | Response | tuple[str, int]:
    """Ask for the code that was sent."""
    phone = session.get("phone")
    if phone is None:
        return redirect(url_for("front.sign_in"), 303)
    sheet, kept = Sheet.of_request({"code": _("验证码")}), request.form.get("kept")
    if "code" in request.form:
        with sheet.filling():
            code = sheet.text("code")
            sheet.check()
            return _open_session(phone, code, kept)
    sheet.values.pop("code", None)  # a code is never shown again
    wait = max(0, int(session.get("resend_at", 0) - world().clock.now().timestamp()))
    return render_template("front/sign_in_code.html", sheet=sheet, masked=session["phone_masked"], wait=wait,
                           next=session.get("next", "/"), kept=kept, at=url_for("front.sign_in_code")), sheet.status


@front.post("/sign-in/resend")
def resend_code() -> Response:
    """Send another code to the same phone; too early is shown as the countdown it is."""
    phone = session.get("phone")
    if phone is None:
        return redirect(url_for("front.sign_in"), 303)
    _send_code(phone)
    return redirect(url_for("front.sign_in_code"), 307 if "kept" in request.form else 303)


@front.post("/sign-out")
def sign_out() -> Response:
    """End this sign-in and forget what this browser kept of it."""
    sign_ins.sign_out(world(), account_id=account_id(), session_id=session_id())
    session.clear()
    answer = redirect(url_for("front.home"), 303)
    answer.headers["Clear-Site-Data"] = '"cache"'
    return answer


def _send_code(phone: str) -> None:
    try:
        sent = sign_ins.request_phone_code(world(), phone=phone)
        wait, masked = sent.resend_after_seconds, sent.phone_masked
    except Refused as refused:
        if refused.refusal.code != "code.too_soon" or session.get("phone") != phone:
            raise
        wait, masked = int(refused.refusal.params["seconds"]), session["phone_masked"]
    session["phone"], session["phone_masked"] = phone, masked
    session["resend_at"] = world().clock.now().timestamp() + wait


def _open_session(phone: str, code: str, kept: str | None) -> Response:
    signed = sign_ins.sign_in(world(), phone=phone, code=code, kind="page",
                              user_agent=request.headers.get("User-Agent", ""), language=language())
    onward = safe_path(session.get("next"))
    session.clear()  # a fresh session: nothing from before the sign-in is carried over
    session.permanent = True
    session["sid"], session["secret"] = signed.session_id, signed.secret
    if kept and _is_of(signed.account_id, kept):
        answer: Response = make_response(render_template("front/signed_in.html", kept=kept, next=onward))
    else:
        answer = redirect(onward, 303)
    _carry_preferences(answer, signed)
    return answer


def _is_of(account_id: str, kept: str) -> bool:
    """Whether a kept form was written under this account; anybody else hears nothing of it."""
    try:
        open_form_of_account(world(), account_id=account_id, kept=kept)
    except Refused:
        return False
    return True


def _carry_preferences(answer: Response, signed: sign_ins.SignedIn) -> None:
    """What was chosen on this device goes to the account; what was not chosen here is the account's."""
    chosen = request.cookies.get(LANGUAGE_COOKIE)
    wish, elder = chosen if chosen in LANGUAGES else None, chosen_elder()
    if wish is not None or elder is not None:
        sign_ins.set_preferences(world(), account_id=signed.account_id, language=wish, elder_mode=elder)
    view = sign_ins.find_session(world(), session_id=signed.session_id, secret=signed.secret, kind="page")
    if view is not None and wish is None:
        remember_language(answer, view.language)
    if view is not None and elder is None:
        remember_elder(answer, view.elder_mode)
