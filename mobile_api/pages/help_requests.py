"""Tenant: help from the key screen, and whom it goes to."""

from __future__ import annotations

from flask import jsonify, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from backend.services import help_requests, tenancies
from mobile_api.pages.doors import account_id, tenant, wants_json, world
from mobile_api.pages.forms import Sheet

Page = str | Response | tuple[str, int]


@tenant.get("/homes/<registration_id>/help")
def help_page(registration_id: str) -> str:
    """Ask for help: what goes to whom, one button; the same as on the key screen, on a page of its own."""
    mine = tenancies.get_tenancy(world(), account_id=account_id(), registration_id=registration_id)
    contact = help_requests.find_help_contact(world(), account_id=account_id())
    return render_template("tenant/help.html", home=mine, contact=contact, sheet=Sheet.of_request({}))


@tenant.post("/homes/<registration_id>/help")
def ask_for_help(registration_id: str) -> Response:
    """Send it: a message to the chosen person and a case; a page's module gets the address of what came of it."""
    made = help_requests.ask_for_help(world(), account_id=account_id(), registration_id=registration_id,
                                      idempotency_key=request.form.get("once") or None)  # fmt: skip
    following = url_for("tenant.show_report", report_id=made.id, said="help")
    return jsonify(page=following) if wants_json() else redirect(following, 303)


@tenant.route("/help-contact", methods=["GET", "POST"])
def help_contact() -> Page:
    """Choose whom to tell, see the very words, change or remove it."""
    known = help_requests.find_help_contact(world(), account_id=account_id())
    sheet = Sheet.of_request({"phone": _("手机号"), "with_address": _("住址")},
                             with_address="yes" if known and known.with_address else None)  # fmt: skip
    if request.method == "POST":
        sheet.values["with_address"] = request.form.get("with_address", "")
        with sheet.filling():
            phone = sheet.text("phone")
            sheet.check()
            help_requests.choose_help_contact(world(), account_id=account_id(), phone=phone,
                                              with_address=sheet.is_ticked("with_address"))  # fmt: skip
            return redirect(url_for("tenant.help_contact", said="chosen"), 303)
    return render_template("tenant/help_contact.html", known=known, sheet=sheet,
                           said=request.args.get("said")), sheet.status  # fmt: skip


@tenant.post("/help-contact/removal")
def forget_help_contact() -> Response:
    """Nobody is told any more."""
    help_requests.forget_help_contact(world(), account_id=account_id())
    return redirect(url_for("tenant.help_contact", said="removed"), 303)
