"""One's own account: the children a guardian answers for."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from backend.domain.documents import DOCUMENT_TYPES
from backend.domain.guardians import RELATIONS
from backend.domain.notices import NOTICES
from backend.domain.refusals import Refusal
from backend.services import guardians, persons
from mobile_api.pages.doors import account, account_id, world
from mobile_api.pages.forms import Sheet


@account.route("/children", methods=["GET", "POST"])
def children() -> str | Response | tuple[str, int]:
    """My children under 16, and the form for another; the guardian's consent is ticked by the guardian alone."""
    text = NOTICES["registration_notice"]
    sheet = Sheet.of_request({"id_type": _("证件种类"), "id_number": _("证件号码"), "name": _("姓名"),
                              "birth_on": _("出生日期"), "relation": _("您是孩子的"), "consent": _("监护人同意")})
    if request.method == "POST":
        with sheet.filling():
            id_type = sheet.choice("id_type", DOCUMENT_TYPES)
            id_number, name = sheet.text("id_number"), sheet.text("name")
            birth_on, relation = sheet.optional_day("birth_on"), sheet.choice("relation", RELATIONS)
            if not sheet.is_ticked("consent"):
                sheet.faults.append(Refusal("input.missing", "consent"))
            sheet.check()
            guardians.enter_child(world(), account_id=account_id(), name=name, id_type=id_type, id_number=id_number,
                                  relation=relation, birth_on=birth_on, notice_version=sheet.text("version"))
            return redirect(url_for("account.children", said="entered"), 303)
    mine = persons.my_identity(world(), account_id=account_id())
    may_enter = mine is not None and mine.state in ("verified", "attested") and mine.age_band == "adult"
    return render_template("account/children.html", sheet=sheet, text=text, may_enter=may_enter,
                           children=guardians.list_children(world(), account_id=account_id()),
                           said=request.args.get("said")), sheet.status


@account.post("/children/<child_id>/consent")
def withdraw_for_child(child_id: str) -> Response:
    """Take the guardian's consent for a child back."""
    guardians.withdraw_for_child(world(), account_id=account_id(), child_id=child_id)
    return redirect(url_for("account.children"), 303)


@account.post("/children/<child_id>/consent/again")
def consent_for_child(child_id: str) -> Response:
    """Undo a withdrawal: consent anew to the present text."""
    version = request.form.get("version", "")
    guardians.consent_for_child(world(), account_id=account_id(), child_id=child_id, notice_version=version)
    return redirect(url_for("account.children", said="again"), 303)
