"""Landlord: record a lease in three steps, share the invitation, watch its progress, attest, extend, end."""

from __future__ import annotations

from datetime import date, timedelta

from flask import redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from backend.domain.documents import DOCUMENT_TYPES, USUAL_DOCUMENT, decide_document
from backend.domain.leases import KIND_NAMES
from backend.domain.persons import decide_name, decide_phone
from backend.domain.refusals import Refusal
from backend.services import identity_reviews, invitations, landlord_views, leases
from mobile_api.pages.doors import account_id, is_shown_again, landlord, world
from mobile_api.pages.forms import Sheet
from mobile_api.pages.live import live
from mobile_api.pages.receipts import draw_qr

LONGEST_ALIAS = 30
ATTESTED = ("met_in_person", "saw_document")
FIELDS_OF_STEP = (
    ("kind", "starts_on", "ends_on", "alias"),
    ("tenant_name", "tenant_id_type", "tenant_id_number", "tenant_phone"),
)


def _lease_labels() -> dict[str, str]:
    return {"kind": _("出租方式"), "starts_on": _("开始日期"), "ends_on": _("结束日期"), "alias": _("给租约起个名字"),
            "tenant_name": _("租客姓名"), "tenant_id_type": _("租客证件种类"), "tenant_id_number": _("租客证件号码"),
            "tenant_phone": _("租客手机号")}


@landlord.route("/units/<unit_id>/lease", methods=["GET", "POST"])
def new_lease(unit_id: str) -> str | Response | tuple[str, int]:
    """Terms, tenant, check-answers. The answers travel in the form itself: nothing is kept until the last step.

    `joint` names a lease whose tenant is to get a co-tenant: kind and dates are that lease's. `after` names the
    lease of the tenant before: the new one begins when that one is over.
    """
    unit = landlord_views.get_unit(world(), account_id=account_id(), unit_id=unit_id, managing=True)
    joint = _joint_lease(request.values.get("joint"))
    before = _joint_lease(request.values.get("after"))
    terms = _terms_of(joint) if joint is not None else _terms_after(before, unit.space_kind)
    alias = None if joint else _("%(unit)s 的租客", unit=unit.alias)[:LONGEST_ALIAS]
    sheet = Sheet.of_request(_lease_labels(), tenant_id_type=USUAL_DOCUMENT, alias=alias, **terms)
    step = _step(sheet)
    if request.method == "POST" and not is_shown_again():
        shown = step
        with sheet.filling():
            step = _next_step(sheet, shown)
            if step == 4:
                return _record(sheet, unit_id)
        if sheet.faults:
            step = _step_of_faults(sheet, shown)
    return render_template("landlord/lease_form.html", sheet=sheet, unit=unit, step=step, joint=joint, before=before,
                           fields=FIELDS_OF_STEP), sheet.status


def _joint_lease(lease_id: str | None) -> landlord_views.LeaseView | None:
    return landlord_views.get_lease(world(), account_id=account_id(), lease_id=lease_id) if lease_id else None


def _usual_terms(space_kind: str) -> dict[str, object]:
    """What is asked for a unit of this kind nearly always; the landlord sees it and may choose otherwise."""
    return {"kind": "whole" if space_kind == "whole_home" else "room", "starts_on": world().clock.today()}


def _terms_of(joint: landlord_views.LeaseView) -> dict[str, object]:
    return {"kind": joint.kind, "starts_on": joint.starts_on, "ends_on": joint.ends_on}


def _terms_after(before: landlord_views.LeaseView | None, space_kind: str) -> dict[str, object]:
    """From today, let as before; while the tenant before has not confirmed, from the day after the planned end."""
    today = world().clock.today()
    if before is None:
        return _usual_terms(space_kind)
    waits = before.state == "active" and before.ends_on is not None and before.ends_on >= today
    return {"kind": before.kind, "starts_on": before.ends_on + timedelta(days=1) if waits and before.ends_on else today}


def _step(sheet: Sheet) -> int:
    value = sheet.value("step")
    return int(value) if value in ("1", "2", "3") else 1


def _next_step(sheet: Sheet, step: int) -> int:
    wish = sheet.value("go")
    if wish in ("1", "2"):
        return int(wish)
    _check_terms(sheet)
    if step >= 2:
        _check_tenant(sheet)
    sheet.check()
    return step + 1


def _check_terms(sheet: Sheet) -> None:
    sheet.choice("kind", KIND_NAMES)
    starts_on, ends_on = sheet.day("starts_on"), sheet.optional_day("ends_on")
    if ends_on is not None and ends_on < starts_on:
        sheet.faults.append(Refusal("input.date_order", "ends_on"))
    sheet.text("alias")


def _check_tenant(sheet: Sheet) -> None:
    id_type = sheet.choice("tenant_id_type", DOCUMENT_TYPES)
    name, number, phone = sheet.text("tenant_name"), sheet.text("tenant_id_number"), sheet.text("tenant_phone")
    today = world().clock.today()
    for field, value, found in (
        ("tenant_name", name, decide_name(name)),
        ("tenant_id_number", number, decide_document(id_type, number, today) if id_type in DOCUMENT_TYPES else None),
        ("tenant_phone", phone, decide_phone(phone)),
    ):
        if value and isinstance(found, Refusal):
            sheet.faults.append(Refusal(found.code, field, found.params, found.allowed))


def _step_of_faults(sheet: Sheet, otherwise: int) -> int:
    for number, fields in enumerate(FIELDS_OF_STEP, start=1):
        if any(sheet.fault(field) for field in fields):
            return number
    return otherwise


def _record(sheet: Sheet, unit_id: str) -> Response:
    made = leases.record_lease(
        world(),
        account_id=account_id(),
        unit_id=unit_id,
        kind=sheet.value("kind"),
        starts_on=date.fromisoformat(sheet.value("starts_on")),
        ends_on=sheet.optional_day("ends_on"),
        alias=sheet.value("alias"),
        tenant_name=sheet.value("tenant_name"),
        tenant_id_type=sheet.value("tenant_id_type"),
        tenant_id_number=sheet.value("tenant_id_number"),
        tenant_phone=sheet.value("tenant_phone"),
        report_now=sheet.is_ticked("report_now"),
        joint_with=sheet.optional("joint"),
        idempotency_key=sheet.once,
    )
    known = landlord_views.get_lease(world(), account_id=account_id(), lease_id=made.lease_id)
    if known.invitation is None:  # else this is a double submit
        invitations.invite_tenant(world(), account_id=account_id(), lease_id=made.lease_id)
    return redirect(url_for("landlord.share", lease_id=made.lease_id), 303)


@landlord.get("/leases/<lease_id>")
@live("lease", "lease_id")
def lease(lease_id: str) -> str:
    """One lease: its progress in facts, nothing personal; what can be done."""
    found = landlord_views.get_lease(world(), account_id=account_id(), lease_id=lease_id)
    return render_template("landlord/lease.html", lease=found, said=request.args.get("said"))


@landlord.get("/leases/<lease_id>/share")
@live("lease", "lease_id")
def share(lease_id: str) -> str | Response:
    """Link, QR code, expiry; send again, take back."""
    found = landlord_views.get_lease(world(), account_id=account_id(), lease_id=lease_id)
    if found.invitation is None:
        return redirect(url_for("landlord.lease", lease_id=lease_id), 303)
    code = draw_qr(found.invitation.link, _("邀请链接的二维码"))
    return render_template("landlord/share.html", lease=found, invitation=found.invitation, code=code)


@landlord.route("/leases/<lease_id>/invite", methods=["GET", "POST"])
def invite(lease_id: str) -> str | Response | tuple[str, int]:
    """Issue the key and send the invitation, or send it again, also to another phone; the old link dies."""
    found = landlord_views.get_lease(world(), account_id=account_id(), lease_id=lease_id)
    sheet = Sheet.of_request({"phone": _("租客手机号")})
    if request.method == "POST":
        with sheet.filling():
            phone = sheet.text("phone") if "phone" in sheet.values else None  # a button sends none: the lease's own
            sheet.check()
            invitations.invite_tenant(world(), account_id=account_id(), lease_id=lease_id, phone=phone)
            return redirect(url_for("landlord.share", lease_id=lease_id), 303)
    return render_template("landlord/invite.html", sheet=sheet, lease=found), sheet.status


@landlord.post("/leases/<lease_id>/invitation/cancel")
def cancel_invitation(lease_id: str) -> Response:
    """Take the open invitation back."""
    invitations.cancel_invitation(world(), account_id=account_id(), lease_id=lease_id)
    return redirect(url_for("landlord.lease", lease_id=lease_id, said="cancelled"), 303)


@landlord.post("/leases/<lease_id>/report")
def report(lease_id: str) -> Response:
    """Report the tenant (ZJ-9-1)."""
    leases.report_tenant(world(), account_id=account_id(), lease_id=lease_id)
    return redirect(url_for("landlord.lease", lease_id=lease_id, said="reported"), 303)


@landlord.route("/leases/<lease_id>/attest", methods=["GET", "POST"])
def attest(lease_id: str) -> str | Response | tuple[str, int]:
    """Side by side: I have met this person and seen this document."""
    found = landlord_views.get_lease(world(), account_id=account_id(), lease_id=lease_id)
    sheet = Sheet.of_request({"met_in_person": _("当面见到本人"), "saw_document": _("看过证件原件"),
                              "number_ends": _("证件号码末四位")})
    if request.method == "POST":
        with sheet.filling():
            sheet.faults += [Refusal("attestation.words", word) for word in ATTESTED if not sheet.is_ticked(word)]
            number_ends = sheet.text("number_ends")
            sheet.check()
            identity_reviews.attest(world(), account_id=account_id(), lease_id=lease_id,
                                    met_in_person=sheet.is_ticked("met_in_person"),
                                    saw_document=sheet.is_ticked("saw_document"), number_ends=number_ends)
            return redirect(url_for("landlord.lease", lease_id=lease_id, said="attested"), 303)
    return render_template("landlord/attest.html", sheet=sheet, lease=found), sheet.status


@landlord.route("/leases/<lease_id>/extend", methods=["GET", "POST"])
def extend(lease_id: str) -> str | Response | tuple[str, int]:
    """A later end; the key is extended with it."""
    found = landlord_views.get_lease(world(), account_id=account_id(), lease_id=lease_id)
    sheet = Sheet.of_request({"ends_on": _("新的结束日期")})
    if request.method == "POST":
        with sheet.filling():
            ends_on = None if sheet.is_ticked("open_ended") else sheet.day("ends_on")
            sheet.check()
            leases.extend_lease(world(), account_id=account_id(), lease_id=lease_id, ends_on=ends_on)
            return redirect(url_for("landlord.lease", lease_id=lease_id, said="extended"), 303)
    return render_template("landlord/extend.html", sheet=sheet, lease=found), sheet.status


@landlord.route("/leases/<lease_id>/end", methods=["GET", "POST"])
def end(lease_id: str) -> str | Response | tuple[str, int]:
    """Report that the tenant has left; the tenant is asked, the key stays alive until then."""
    found = landlord_views.get_lease(world(), account_id=account_id(), lease_id=lease_id)
    sheet = Sheet.of_request({"ended_on": _("离开日期")}, ended_on=world().clock.today().isoformat())
    if request.method == "POST":
        with sheet.filling():
            ended_on = sheet.day("ended_on")
            sheet.check()
            made = leases.end_lease(world(), account_id=account_id(), lease_id=lease_id, ended_on=ended_on)
            if sheet.value("go") == "next":
                return redirect(url_for("landlord.new_lease", unit_id=found.unit_id, after=lease_id), 303)
            return redirect(url_for("landlord.lease", lease_id=lease_id, said=f"end_{made.state}"), 303)
    return render_template("landlord/end.html", sheet=sheet, lease=found), sheet.status
