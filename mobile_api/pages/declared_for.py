"""Whom one has declared for: look, correct, take back, check out; and speaking for a relative with an own lease."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from backend.domain.divisions import provinces
from backend.domain.households import KIN, RELATIONS, REPRESENTATIONS
from backend.domain.notices import NOTICES
from backend.domain.registrations import CHECK_OUT_REASONS
from backend.services import declared_for, household_children, persons, representations
from mobile_api.pages.doors import account_id, tenant, world
from mobile_api.pages.forms import Sheet
from mobile_api.pages.households import person_labels, read_person, stay_labels


@tenant.get("/declared-for/<registration_id>")
def member(registration_id: str) -> str:
    """One registration made for somebody else: how it stands, and what can be done."""
    one = declared_for.get_declared_for(world(), account_id=account_id(), registration_id=registration_id)
    return render_template("tenant/member.html", one=one, said=request.args.get("said"))


@tenant.route("/declared-for/<registration_id>/amend", methods=["GET", "POST"])
def amend_member(registration_id: str) -> str | Response | tuple[str, int]:
    """Correct it, or send it again once it came back."""
    one = declared_for.get_declared_for(world(), account_id=account_id(), registration_id=registration_id)
    said = one.registration
    sheet = Sheet.of_request(stay_labels(), **({"move_in_on": said.move_in_on, "planned_end_on": said.planned_end_on,
                                                "reason": said.reason} if said else {}))
    if request.method == "POST":
        with sheet.filling():
            move_in_on, planned_end_on = sheet.day("move_in_on"), sheet.optional_day("planned_end_on")
            reason = sheet.optional("reason")
            sheet.check()
            declared_for.amend_for(world(), account_id=account_id(), registration_id=registration_id,
                                   move_in_on=move_in_on, planned_end_on=planned_end_on, reason=reason)
            return redirect(url_for("tenant.member", registration_id=registration_id, said="amended"), 303)
    return render_template("tenant/member_amend.html", one=one, sheet=sheet), sheet.status


@tenant.route("/declared-for/<registration_id>/check-out", methods=["GET", "POST"])
def check_out_member(registration_id: str) -> str | Response | tuple[str, int]:
    """They have moved out, alone: when and why. No key changes."""
    one = declared_for.get_declared_for(world(), account_id=account_id(), registration_id=registration_id)
    sheet = Sheet.of_request({"moved_out_on": _("离开日期"), "reason": _("离开原因")},
                             moved_out_on=world().clock.today())
    if request.method == "POST":
        with sheet.filling():
            moved_out_on, reason = sheet.day("moved_out_on"), sheet.choice("reason", CHECK_OUT_REASONS)
            sheet.check()
            declared_for.check_out_for(world(), account_id=account_id(), registration_id=registration_id,
                                       moved_out_on=moved_out_on, reason=reason, idempotency_key=sheet.once)
            return redirect(url_for("tenant.member", registration_id=registration_id, said="moved_out"), 303)
    return render_template("tenant/member_out.html", one=one, sheet=sheet), sheet.status


@tenant.post("/declared-for/<registration_id>/withdraw")
def withdraw_member(registration_id: str) -> Response:
    """The entry was made in error: it is voided."""
    declared_for.withdraw_for(world(), account_id=account_id(), registration_id=registration_id)
    return redirect(url_for("tenant.represent", said="withdrawn"), 303)


@tenant.route("/represent", methods=["GET", "POST"])
def represent() -> str | Response | tuple[str, int]:
    """Whom one has declared for, and the form for a relative with a lease of their own (ZJ-7)."""
    sheet = Sheet.of_request({"unit_number": _("门牌二维码编号"), **person_labels(), "kinship": _("是您的什么人"),
                              "representation": _("代为申报的原因")}, move_in_on=world().clock.today())
    if request.method == "POST":
        with sheet.filling():
            unit_number, kinship = sheet.text("unit_number"), sheet.choice("kinship", KIN)
            representation, entry = sheet.choice("representation", REPRESENTATIONS), read_person(sheet)
            sheet.check()
            made = representations.declare_for_relative(
                world(), account_id=account_id(), unit_number=unit_number, kinship=kinship,
                representation=representation, **entry, idempotency_key=sheet.once)
            return redirect(url_for("tenant.member", registration_id=made.registration_id, said="declared"), 303)
    mine = persons.my_identity(world(), account_id=account_id())
    may_speak = mine is not None and mine.state in ("verified", "attested") and mine.age_band == "adult"
    return render_template("tenant/represent.html", sheet=sheet, may_speak=may_speak,
                           leases=household_children.list_childrens_leases(world(), account_id=account_id()),
                           members=declared_for.list_declared_for(world(), account_id=account_id()),
                           kin={code: RELATIONS[code] for code in KIN}, representations=REPRESENTATIONS,
                           text=NOTICES["registration_notice"], provinces=provinces().values(),
                           chosen=provinces().get(sheet.value("province")), said=request.args.get("said")), sheet.status
