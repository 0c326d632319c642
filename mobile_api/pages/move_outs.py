"""Tenant: moving out in three steps, and "I still live here" against the landlord's "left"."""

from __future__ import annotations

from datetime import date

from flask import redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from backend.domain.refusals import Refused
from backend.domain.registrations import CHECK_OUT_REASONS
from backend.services import households, registrations, registry_corrections, tenancies
from backend.services.household_members import MemberView
from mobile_api.pages.doors import account_id, is_shown_again, tenant, world
from mobile_api.pages.forms import Sheet


@tenant.route("/homes/<registration_id>/move-out", methods=["GET", "POST"])
def move_out(registration_id: str) -> str | Response | tuple[str, int]:
    """When and why, then check and confirm: the key ends, the registry and the landlord are told."""
    mine = tenancies.get_tenancy(world(), account_id=account_id(), registration_id=registration_id)
    members = _may_leave_too(registration_id)
    sheet = Sheet.of_request({"moved_out_on": _("离开日期"), "reason": _("离开原因"),
                              "leaving_too": _("和您一起离开的人")},
                             moved_out_on=mine.landlord_says_left_on or world().clock.today())
    step = 2 if is_shown_again() and sheet.value("step") == "2" else 1
    if request.method == "POST" and not is_shown_again():
        with sheet.filling():
            moved_out_on, reason = sheet.day("moved_out_on"), sheet.choice("reason", CHECK_OUT_REASONS)
            _check_dates(sheet, moved_out_on, mine.registration.move_in_on)
            sheet.check()
            step = 1 if sheet.value("go") == "1" else 2
            if sheet.value("step") == "2" and step == 2:
                registrations.check_out(world(), account_id=account_id(), registration_id=registration_id,
                                        moved_out_on=moved_out_on, reason=reason,
                                        leaving_too=_chosen(sheet), idempotency_key=sheet.once)
                return redirect(url_for("tenant.tenancy", registration_id=registration_id, said="moved_out"), 303)
    return render_template("tenant/move_out.html", home=mine, sheet=sheet, step=step, members=members,
                           reasons={code: pair for code, pair in CHECK_OUT_REASONS.items() if code != "deceased"}
                           ), sheet.status


def _may_leave_too(registration_id: str) -> list[MemberView]:
    """Those one answers for who live along and are declared: nobody is chosen beforehand."""
    mine = households.list_household(world(), account_id=account_id(), registration_id=registration_id)
    living = [one for one in mine.members if one.registration is not None and one.registration.residence == "living"]
    return [one for one in living if one.declared_by is not None] if mine.is_tenant else []


def _chosen(sheet: Sheet) -> tuple[str, ...]:
    """The ids of the boxes that are ticked; a second submit of the same sheet says the same."""
    ticked = (name for name in sheet.values if name.startswith("leaves-") and sheet.is_ticked(name))
    return tuple(sorted(name.removeprefix("leaves-") for name in ticked))


def _check_dates(sheet: Sheet, moved_out_on: date, move_in_on: date) -> None:
    if moved_out_on != date.min and not move_in_on <= moved_out_on <= world().clock.today():
        raise Refused("checkout.date", "moved_out_on")


@tenant.route("/homes/<registration_id>/still-here", methods=["GET", "POST"])
def still_here(registration_id: str) -> str | Response:
    """Contradict the landlord's "left": a person decides, the key stays alive."""
    mine = tenancies.get_tenancy(world(), account_id=account_id(), registration_id=registration_id)
    if request.method == "POST":
        registrations.answer_still_here(world(), account_id=account_id(), registration_id=registration_id)
        return redirect(url_for("tenant.tenancy", registration_id=registration_id, said="still_here"), 303)
    return render_template("tenant/still_here.html", home=mine)


@tenant.post("/homes/<registration_id>/corrections/<correction_id>")
def answer_correction(registration_id: str, correction_id: str) -> Response:
    """Accept what the registry has corrected, or object: then a person decides."""
    accept = request.form.get("accept") == "yes"
    registry_corrections.answer_correction(
        world(), account_id=account_id(), registration_id=registration_id, correction_id=correction_id, accept=accept
    )
    said = "correction_accepted" if accept else "correction_objected"
    return redirect(url_for("tenant.tenancy", registration_id=registration_id, said=said), 303)
