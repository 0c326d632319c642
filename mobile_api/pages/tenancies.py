"""Tenant: my homes, the task list, the notice, the declaration."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from backend.domain.divisions import provinces
from backend.domain.notices import NOTICES
from backend.domain.refusals import Refused
from backend.domain.registrations import REASONS_OF_STAY
from backend.services import (
    amendments,
    consents,
    field_origins,
    identity_checks,
    invitations,
    persons,
    registrations,
    registry_corrections,
    tenancies,
    visitor_keys,
)
from mobile_api.pages.divisions import asked_division
from mobile_api.pages.doors import account_id, tenant, world
from mobile_api.pages.forms import Sheet
from mobile_api.pages.live import live


@tenant.get("/")
@live("homes")
def home() -> str | Response:
    """Invitations to this phone, visits, homes; with nothing but a single home, straight to it."""
    mine = tenancies.my_tenancies(world(), account_id=account_id())
    living = [one for one in mine if one.registration.residence == "living"]
    visits = visitor_keys.list_my_visits(world(), account_id=account_id())
    invited = invitations.list_my_invitations(world(), account_id=account_id())
    if len(mine) == 1 and len(living) == 1 and not visits and not invited:
        return redirect(url_for("tenant.tenancy", registration_id=living[0].registration_id))
    return render_template("tenant/home.html", tenancies=mine, visits=visits, invited=invited)


@tenant.get("/homes/<registration_id>")
@live("home", "registration_id")
def tenancy(registration_id: str) -> str:
    """The task list: done, next, reference number."""
    mine = tenancies.get_tenancy(world(), account_id=account_id(), registration_id=registration_id)
    progress = identity_checks.identity_progress(world(), account_id=account_id())
    corrections = registry_corrections.list_corrections(
        world(), account_id=account_id(), registration_id=registration_id
    )
    origins = field_origins.list_origins(world(), account_id=account_id(), registration_id=registration_id)
    return render_template("tenant/tenancy.html", home=mine, progress=progress, origins=origins,
                           said=request.args.get("said"), accepted=request.args.get("accepted"),
                           corrections=corrections)


@tenant.route("/homes/<registration_id>/notice", methods=["GET", "POST"])
def notice(registration_id: str) -> str | Response:
    """The notice in layers; nothing is ticked beforehand."""
    mine = tenancies.get_tenancy(world(), account_id=account_id(), registration_id=registration_id)
    text = NOTICES["registration_notice"]
    if request.method == "POST":
        consents.answer_consent(world(), account_id=account_id(), purpose=text.purpose,
                                version=request.form.get("version", ""), given=True)
        known = persons.my_identity(world(), account_id=account_id())
        following = "tenant.identity" if known is None else "tenant.tenancy"
        return redirect(url_for(following, registration_id=registration_id), 303)
    return render_template("tenant/notice.html", home=mine, text=text)


@tenant.route("/homes/<registration_id>/declare", methods=["GET", "POST"])
def declare(registration_id: str) -> str | Response | tuple[str, int]:
    """The declaration: move-in, planned end, reason, place of household registration."""
    mine = tenancies.get_tenancy(world(), account_id=account_id(), registration_id=registration_id)
    identity = persons.my_identity(world(), account_id=account_id())
    if identity is None:
        return redirect(url_for("tenant.identity", registration_id=registration_id), 303)
    if identity.age_band != "adult":
        return redirect(url_for("tenant.guardian", registration_id=registration_id), 303)
    asks = identity.id_type == "111" and identity.hukou_division is None
    sheet = Sheet.of_request(
        {"move_in_on": _("入住日期"), "planned_end_on": _("预计离开日期"), "reason": _("居住事由"),
         "hukou_division": _("户籍地")},
        move_in_on=min(mine.registration.move_in_on, world().clock.today()), planned_end_on=mine.ends_on)
    if request.method == "POST":
        with sheet.filling():
            move_in_on, planned_end_on = sheet.day("move_in_on"), sheet.optional_day("planned_end_on")
            reason, division = sheet.optional("reason"), asked_division(sheet, asks)
            sheet.check()
            registrations.declare(world(), account_id=account_id(), registration_id=registration_id,
                                  move_in_on=move_in_on, planned_end_on=planned_end_on, reason=reason,
                                  hukou_division=division, idempotency_key=sheet.once)
            return redirect(url_for("tenant.tenancy", registration_id=registration_id, said="declared"), 303)
    chosen = provinces().get(sheet.value("province"))
    return render_template("tenant/declare.html", home=mine, sheet=sheet, identity=identity, asks=asks,
                           provinces=provinces().values(), chosen=chosen), sheet.status


@tenant.route("/homes/<registration_id>/amend", methods=["GET", "POST"])
def amend(registration_id: str) -> str | Response | tuple[str, int]:
    """Correct the declaration, or send a returned one again; the time of declaration stays."""
    mine = tenancies.get_tenancy(world(), account_id=account_id(), registration_id=registration_id)
    said = mine.registration
    sheet = Sheet.of_request(
        {"move_in_on": _("入住日期"), "planned_end_on": _("预计离开日期"), "reason": _("居住事由"),
         "changed_on": _("变动日期"), "hukou_division": _("户籍地")}, version=said.version,
        move_in_on=said.move_in_on, planned_end_on=said.planned_end_on, reason=said.reason)
    if request.method == "POST":
        with sheet.filling():
            move_in_on, planned_end_on = sheet.day("move_in_on"), sheet.optional_day("planned_end_on")
            reason, changed_on = sheet.optional("reason"), sheet.optional_day("changed_on")
            division, version = asked_division(sheet, False), sheet.whole_number("version")
            sheet.check()
            amendments.amend(world(), account_id=account_id(), registration_id=registration_id,
                             move_in_on=move_in_on, planned_end_on=planned_end_on, reason=reason,
                             changed_on=changed_on, hukou_division=division, version=version)
            return redirect(url_for("tenant.tenancy", registration_id=registration_id, said="amended"), 303)
    chosen = provinces().get(sheet.value("province"))
    return render_template("tenant/amend.html", home=mine, sheet=sheet, reasons=REASONS_OF_STAY, chosen=chosen,
                           provinces=provinces().values()), sheet.status


@tenant.get("/divisions/<province_code>")
def divisions(province_code: str) -> str:
    """The counties of a province, as options of the second select."""
    province = provinces().get(province_code)
    if province is None:
        raise Refused("not_found")
    return render_template("tenant/_divisions.html", province=province, present="")
