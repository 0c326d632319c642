"""Tenant: exempt, withdrawn, void, and the foreigners' form; landlord: the form was taken by the police."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from backend.domain.divisions import provinces
from backend.domain.refusals import Refused
from backend.domain.residence_paths import EXEMPTIONS, VOID_REASONS
from backend.services import exemptions, foreign_paths, landlord_views, persons, tenancies, voids
from mobile_api.pages.divisions import asked_division
from mobile_api.pages.doors import account_id, landlord, tenant, world
from mobile_api.pages.forms import Sheet
from mobile_api.pages.words import name_of

Page = str | Response | tuple[str, int]


@tenant.route("/homes/<registration_id>/exempt", methods=["GET", "POST"])
def exempt(registration_id: str) -> Page:
    """State why no declaration is owed (ZJ-12); the key works all the same."""
    mine = _home(registration_id)
    identity = persons.my_identity(world(), account_id=account_id())
    if identity is None:
        return redirect(url_for("tenant.identity", registration_id=registration_id), 303)
    asks = identity.id_type == "111" and identity.hukou_division is None
    sheet = Sheet.of_request(
        {"exemption": _("情形"), "move_in_on": _("入住日期"), "exempt_until": _("到哪一天"),
         "hukou_division": _("户籍地")},
        move_in_on=min(mine.registration.move_in_on, world().clock.today()))  # fmt: skip
    if request.method == "POST":
        with sheet.filling():
            exemption, move_in_on = sheet.choice("exemption", EXEMPTIONS), sheet.day("move_in_on")
            until, division = sheet.optional_day("exempt_until"), asked_division(sheet, asks)
            sheet.check()
            exemptions.declare_exempt(world(), account_id=account_id(), registration_id=registration_id,
                                      exemption=exemption, move_in_on=move_in_on, exempt_until=until,
                                      hukou_division=division, idempotency_key=sheet.once)  # fmt: skip
            return _back(registration_id, "exempt")
    chosen = provinces().get(sheet.value("province"))
    options = [(code, name_of(EXEMPTIONS, code), None) for code in EXEMPTIONS]
    return render_template("tenant/exempt.html", home=mine, sheet=sheet, options=options, asks=asks, chosen=chosen,
                           provinces=provinces().values()), sheet.status  # fmt: skip


@tenant.route("/homes/<registration_id>/withdraw", methods=["GET", "POST"])
def withdraw(registration_id: str) -> Page:
    """Withdraw what was never declared: asked once, with its effect."""
    mine = _home(registration_id)
    sheet = Sheet.of_request({})
    if request.method == "POST":
        with sheet.filling():
            voids.withdraw_draft(world(), account_id=account_id(), registration_id=registration_id)
            return _back(registration_id, "withdrawn")
    return render_template("tenant/withdraw.html", home=mine, sheet=sheet), sheet.status


@tenant.route("/homes/<registration_id>/void", methods=["GET", "POST"])
def void(registration_id: str) -> Page:
    """Ask to have a declared registration voided; a person decides."""
    mine = _home(registration_id)
    sheet = Sheet.of_request({"reason": _("原因")})
    if request.method == "POST":
        with sheet.filling():
            reason = sheet.choice("reason", VOID_REASONS)
            sheet.check()
            voids.request_void(world(), account_id=account_id(), registration_id=registration_id, reason=reason)
            return _back(registration_id, "void_asked")
    options = [(code, name_of(VOID_REASONS, code), None) for code in VOID_REASONS]
    return render_template("tenant/void.html", home=mine, sheet=sheet, options=options), sheet.status


@tenant.route("/homes/<registration_id>/foreign-form", methods=["GET", "POST"])
def foreign_form(registration_id: str) -> Page:
    """Take the form, print it, and note when the police took it (EEL-39)."""
    mine = _home(registration_id)
    if request.method == "POST":
        foreign_paths.hand_out_foreign_form(world(), account_id=account_id(), registration_id=registration_id)
        return redirect(url_for("tenant.foreign_form", registration_id=registration_id), 303)
    return _form_page(registration_id, mine, Sheet.of_request({"done_on": _("受理日期")}, done_on=_today()))


@tenant.post("/homes/<registration_id>/foreign-form/done")
def foreign_done(registration_id: str) -> Page:
    """Note the day on which the police took the form."""
    mine = _home(registration_id)
    sheet = Sheet.of_request({"done_on": _("受理日期")})
    with sheet.filling():
        done_on = sheet.day("done_on")
        sheet.check()
        foreign_paths.mark_foreign_done(world(), account_id=account_id(), registration_id=registration_id,
                                        done_on=done_on)  # fmt: skip
        return _back(registration_id, "foreign_done")
    return _form_page(registration_id, mine, sheet)


@landlord.route("/leases/<lease_id>/foreign-done", methods=["GET", "POST"])
def foreign_done_by_host(lease_id: str) -> Page:
    """The host notes the same; the tenant is told."""
    found = landlord_views.get_lease(world(), account_id=account_id(), lease_id=lease_id)
    if found.foreign_due_at is None:
        raise Refused("not_found")
    sheet = Sheet.of_request({"done_on": _("受理日期")}, done_on=_today())
    if request.method == "POST":
        with sheet.filling():
            done_on = sheet.day("done_on")
            sheet.check()
            foreign_paths.mark_foreign_done_by_host(world(), account_id=account_id(), lease_id=lease_id,
                                                    done_on=done_on)  # fmt: skip
            return redirect(url_for("landlord.lease", lease_id=lease_id, said="foreign_done"), 303)
    return render_template("landlord/foreign_done.html", lease=found, sheet=sheet), sheet.status


def _home(registration_id: str) -> tenancies.TenancyView:
    return tenancies.get_tenancy(world(), account_id=account_id(), registration_id=registration_id)


def _back(registration_id: str, said: str) -> Response:
    return redirect(url_for("tenant.tenancy", registration_id=registration_id, said=said), 303)


def _today() -> str:
    return world().clock.today().isoformat()


def _form_page(registration_id: str, mine: tenancies.TenancyView, sheet: Sheet) -> tuple[str, int]:
    form = None
    if mine.registration.foreign_form_no is not None:
        form = foreign_paths.get_foreign_form(world(), account_id=account_id(), registration_id=registration_id)
    return render_template("tenant/foreign_form.html", home=mine, form=form, sheet=sheet), sheet.status
