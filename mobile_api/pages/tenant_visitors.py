"""Tenant: visitors' keys to the own home (issue, consent, refuse, end), and a visitor's own key screen."""

from __future__ import annotations

from flask import jsonify, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from backend.domain.ids import new_id
from backend.domain.refusals import Refused
from backend.services import commands, key_codes, tenancies, visitor_keys
from backend.services.tenancies import TenancyView
from mobile_api.pages.doors import account_id, tenant, wants_json, world
from mobile_api.pages.live import live
from mobile_api.pages.receipts import draw_qr
from mobile_api.pages.unlocks import asked_word, spoken
from mobile_api.pages.visitor_forms import DAYS, read_visitor, visitor_sheet
from mobile_api.requests import preferred_wait


@tenant.get("/visitors")
def any_visitors() -> Response:
    """From a message: the visitors' keys of the only home one lives in, else the list of homes."""
    mine = tenancies.my_tenancies(world(), account_id=account_id())
    living = [one.registration_id for one in mine if one.registration.residence == "living"]
    if len(living) == 1:
        return redirect(url_for("tenant.visitors", registration_id=living[0]))
    return redirect(url_for("tenant.home"))


@tenant.get("/homes/<registration_id>/visitors")
def visitors(registration_id: str) -> str:
    """All visitors' keys to this home; what waits for an answer stands on top."""
    home = tenancies.get_tenancy(world(), account_id=account_id(), registration_id=registration_id)
    found = visitor_keys.list_visitor_keys(world(), account_id=account_id(), unit_id=_unit_of(home))
    return render_template("visitors/list.html", home=home, visitors=found)


@tenant.route("/homes/<registration_id>/visitors/new", methods=["GET", "POST"])
def new_visitor(registration_id: str) -> str | Response | tuple[str, int]:
    """Issue a key for a cleaner or a friend who waters the flowers; nobody is asked, the landlord learns what for."""
    home = tenancies.get_tenancy(world(), account_id=account_id(), registration_id=registration_id)
    sheet = visitor_sheet()
    if request.method == "POST":
        with sheet.filling():
            made = visitor_keys.issue_visitor_key(world(), account_id=account_id(), unit_id=_unit_of(home),
                                                  idempotency_key=sheet.once, **read_visitor(sheet))
            return redirect(url_for("tenant.visitor", registration_id=registration_id, key_id=made.key.id), 303)
    return render_template("visitors/form.html", home=home, sheet=sheet, days=DAYS), sheet.status


@tenant.route("/homes/<registration_id>/visitors/<key_id>", methods=["GET", "POST"])
@live("visitor", "key_id")
def visitor(registration_id: str, key_id: str) -> str | Response:
    """One visitor's key: consent to the landlord's or refuse it, both weigh the same; end it at any time."""
    home = tenancies.get_tenancy(world(), account_id=account_id(), registration_id=registration_id)
    answer = request.form.get("answer", "")
    if request.method == "POST" and answer in ("yes", "no"):
        visitor_keys.answer_visitor_key(world(), account_id=account_id(), key_id=key_id, agrees=answer == "yes")
    elif request.method == "POST" and answer == "end":
        visitor_keys.end_visitor_key(world(), account_id=account_id(), key_id=key_id)
    if request.method == "POST":
        return redirect(url_for("tenant.visitor", registration_id=registration_id, key_id=key_id), 303)
    found = visitor_keys.get_visitor_key(world(), account_id=account_id(), key_id=key_id)
    code = draw_qr(found.invitation.link, "QR") if found.invitation else None
    return render_template("visitors/one.html", home=home, visitor=found, code=code)


@tenant.get("/visits/<key_id>")
@live("visit", "key_id")
def visit(key_id: str) -> str:
    """The visitor's own screen: the same one button, when the key works, and the code for the keypad."""
    key = visitor_keys.get_my_visit(world(), account_id=account_id(), key_id=key_id)
    over = key.ends_at is not None and key.ends_at <= world().clock.now()
    code = None
    if key.state == "active" and not key.used_up and not over:
        try:
            code = key_codes.fetch_codes(world(), account_id=account_id(), key_id=key_id).period
        except Refused as refused:
            if refused.refusal.code not in ("lock.no_keypad", "unit.no_lock", "key.over"):
                raise
    return render_template("tenant/visit.html", key=key, code=code, command_word=asked_word(), once=new_id(),
                           over=over, today=world().clock.today())


@tenant.post("/visits/<key_id>/unlock")
def unlock_visit(key_id: str) -> Response:
    """Send one command, and wait for its word when asked to; the page's once-id makes a double tap the same command."""
    command = commands.unlock_and_wait(world(), account_id=account_id(), key_id=key_id,
                                       idempotency_key=request.form.get("once") or new_id(), seconds=preferred_wait())
    if wants_json():
        return jsonify(spoken(command))
    return redirect(url_for("tenant.visit", key_id=key_id, command=command.id), 303)


def _unit_of(home: TenancyView) -> str:
    if home.key is None:
        raise Refused("not_found")
    return home.key.unit_id
