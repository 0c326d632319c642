"""Tenant: document type first, then number and name, checked as they will be sent."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from backend.domain.divisions import provinces
from backend.domain.documents import DOCUMENT_TYPES, USUAL_DOCUMENT
from backend.services import persons, tenancies
from mobile_api.pages.divisions import asked_division
from mobile_api.pages.doors import account_id, tenant, world
from mobile_api.pages.forms import Sheet


@tenant.route("/homes/<registration_id>/identity", methods=["GET", "POST"])
def identity(registration_id: str) -> str | Response | tuple[str, int]:
    """Name and document; afterwards the number is shown masked only."""
    mine = tenancies.get_tenancy(world(), account_id=account_id(), registration_id=registration_id)
    known = persons.my_identity(world(), account_id=account_id())
    sheet = Sheet.of_request({"id_type": _("证件种类"), "name": _("姓名"), "id_number": _("证件号码"),
                              "birth_on": _("出生日期"), "hukou_division": _("户籍地")}, id_type=USUAL_DOCUMENT)
    if request.method == "POST":
        with sheet.filling():
            id_type = sheet.choice("id_type", DOCUMENT_TYPES)
            name, id_number = sheet.text("name"), sheet.text("id_number")
            birth_on, division = sheet.optional_day("birth_on"), asked_division(sheet, False)
            sheet.check()
            keep = request.form.get("keep") == "yes"
            entered = persons.enter_identity(world(), account_id=account_id(), id_type=id_type, id_number=id_number,
                                             name=name, birth_on=birth_on, keep_unmatched=keep,
                                             hukou_division=division if id_type == USUAL_DOCUMENT else None)
            return redirect(url_for(_onward(entered), registration_id=registration_id), 303)
    correcting = known is not None and known.may_correct and (
        known.document_state == "unmatched" or "correct" in request.args or request.method == "POST")
    unmatched = any(fault.code == "person.unmatched" for fault in sheet.faults)
    # Asked here only where it was not asked with the declaration: of whoever was entered with another document.
    declared = mine.registration.declared_at is not None
    asks = correcting and declared and known is not None and known.hukou_division is None
    chosen = provinces().get(sheet.value("province"))
    return render_template("tenant/identity.html", home=mine, sheet=sheet, known=known, correcting=correcting,
                           unmatched=unmatched, asks=asks, provinces=provinces().values(), chosen=chosen), sheet.status


def _onward(entered: persons.IdentityView) -> str:
    """The next page: a mismatch that was kept needs a person, a child a guardian, everybody else the face question."""
    if entered.document_state == "unmatched":
        return "tenant.other_ways"
    return "tenant.face_consent" if entered.age_band == "adult" else "tenant.guardian"
