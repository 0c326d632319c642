"""Landlord: mending what was mistyped in a lease: whom it names, and the day it starts."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from backend.domain.documents import DOCUMENT_TYPES, USUAL_DOCUMENT
from backend.services import landlord_views, lease_corrections
from mobile_api.pages.doors import account_id, landlord, world
from mobile_api.pages.forms import Sheet


@landlord.route("/leases/<lease_id>/tenant", methods=["GET", "POST"])
def correct_named(lease_id: str) -> str | Response | tuple[str, int]:
    """Name and document anew; what stands there is not shown."""
    found = landlord_views.get_lease(world(), account_id=account_id(), lease_id=lease_id)
    sheet = Sheet.of_request({"tenant_name": _("租客姓名"), "tenant_id_type": _("租客证件种类"),
                              "tenant_id_number": _("租客证件号码")}, tenant_id_type=USUAL_DOCUMENT)
    if request.method == "POST":
        with sheet.filling():
            name, id_type = sheet.text("tenant_name"), sheet.choice("tenant_id_type", DOCUMENT_TYPES)
            number = sheet.text("tenant_id_number")
            sheet.check()
            lease_corrections.correct_named(world(), account_id=account_id(), lease_id=lease_id, tenant_name=name,
                                            tenant_id_type=id_type, tenant_id_number=number)
            return redirect(url_for("landlord.lease", lease_id=lease_id, said="named"), 303)
    return render_template("landlord/correct_named.html", sheet=sheet, lease=found), sheet.status


@landlord.route("/leases/<lease_id>/start", methods=["GET", "POST"])
def move_start(lease_id: str) -> str | Response | tuple[str, int]:
    """Another first day; once the tenant has accepted, an earlier one."""
    found = landlord_views.get_lease(world(), account_id=account_id(), lease_id=lease_id)
    sheet = Sheet.of_request({"starts_on": _("新的开始日期")})
    if request.method == "POST":
        with sheet.filling():
            starts_on = sheet.day("starts_on")
            sheet.check()
            lease_corrections.move_start(world(), account_id=account_id(), lease_id=lease_id, starts_on=starts_on)
            return redirect(url_for("landlord.lease", lease_id=lease_id, said="start"), 303)
    return render_template("landlord/move_start.html", sheet=sheet, lease=found), sheet.status
