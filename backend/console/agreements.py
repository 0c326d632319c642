"""Data-sharing agreements with other offices: what they may be told, what was told, what is parked; two approve."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from backend.console.pages import Form, acting, may, world
from backend.domain.ids import is_id
from backend.domain.officers import covers
from backend.domain.refusals import Refused
from backend.queries import sharing
from backend.services.agreement_acts import (
    LARGEST_FILE_BYTES,
    approve_as_supervisor,
    change_as_supervisor,
    retry_as_supervisor,
    upload_agreement,
)
from backend.services.agreements import get_agreement, list_agreements
from backend.services.officer_sessions import step_up

pages = Blueprint("agreements", __name__)
CODES = ("agreement.state", "agreement.four_eyes", "agreement.supervisor", "step_up", "officer.wait")
Page = str | tuple[str, int] | Response


@pages.get("/agreements")
def index() -> Page:
    """All agreements, by office; nothing about a person is in one."""
    return _index(Form())


@pages.post("/agreements")
def upload() -> Page:
    """Take in an agreement's file as a draft."""
    form, sent = Form.sent(), request.files.get("file")
    try:
        raw = sent.read(LARGEST_FILE_BYTES + 1) if sent is not None else b""
        made = upload_agreement(world(), session_id=acting().session_id, file=raw)
        return redirect(url_for("agreements.show", agreement_id=made.id))
    except Refused as refused:
        if refused.refusal.reason.kind != "invalid":
            raise
        form.faults, form.status = list(refused.refusals), 422
    return _index(form)


@pages.get("/agreements/<uuid:agreement_id>")
def show(agreement_id: str) -> Page:
    """One agreement, what was delivered under it and what is parked."""
    return _show(str(agreement_id), Form())


@pages.post("/agreements/<uuid:agreement_id>/approval")
def approve(agreement_id: str) -> Page:
    """Approve a draft; the second approval, by another supervisor, puts it in force."""
    form, who = Form.sent("password"), acting()
    with form.filling("password", codes=CODES):
        if not who.stepped_up and _is_ours(str(agreement_id)):
            step_up(world(), session_id=who.session_id, password=request.form.get("password", ""))
        approve_as_supervisor(world(), session_id=who.session_id, agreement_id=str(agreement_id))
        return redirect(url_for("agreements.show", agreement_id=agreement_id))
    return _show(str(agreement_id), form)


@pages.post("/agreements/<uuid:agreement_id>/<any(suspend, resume, end):kind>")
def change(agreement_id: str, kind: str) -> Page:
    """Suspend, resume or end."""
    form = Form.sent()
    form.values["kind"] = kind
    with form.filling("reason", "confirmed", codes=CODES):
        change_as_supervisor(
            world(),
            session_id=acting().session_id,
            agreement_id=str(agreement_id),
            act=kind,
            reason=form.value("reason"),
            confirmed=form.value("confirmed") == "yes",
        )
        return redirect(url_for("agreements.show", agreement_id=agreement_id))
    return _show(str(agreement_id), form)


@pages.post("/agreements/<uuid:agreement_id>/retry")
def retry(agreement_id: str) -> Page:
    """Take up a parked delivery, or all of them, once the office has said what was wrong."""
    form = Form.sent()
    event_id = form.value("event_id") or None
    if event_id is not None and not is_id(event_id):
        raise NotFound
    retry_as_supervisor(world(), session_id=acting().session_id, agreement_id=str(agreement_id), event_id=event_id)
    return redirect(url_for("agreements.show", agreement_id=agreement_id))


def _is_ours(agreement_id: str) -> bool:
    """Whether the password is worth asking for: outside the area the refusal comes first."""
    return all(covers(acting().area, area) for area in get_agreement(agreement_id).areas)


def _index(form: Form) -> Page:
    agreements = list_agreements()
    parked = {agreement.id: sharing.count_deliveries(agreement.id).get("parked", 0) for agreement in agreements}
    page = render_template(
        "agreements.html", form=form, agreements=agreements, parked=parked, may_upload=may("agreements.upload", "POST")
    )
    return page, form.status


def _show(agreement_id: str, form: Form) -> Page:
    view, who = get_agreement(agreement_id), acting()
    approvals = sharing.list_approvals(agreement_id)
    acts = {"draft": ("end",), "active": ("suspend", "end"), "suspended": ("resume", "end")}.get(view.state, ())
    may_act = may("agreements.change", "POST") and all(covers(who.area, area) for area in view.areas)
    page = render_template(
        "agreement.html",
        form=form,
        view=view,
        approvals=approvals,
        mine=any(approval.officer_id == who.id for approval in approvals),
        counts=sharing.count_deliveries(agreement_id),
        parked=sharing.list_parked(agreement_id),
        newest=sharing.list_deliveries(agreement_id),
        acts=acts if may_act else (),
        may_act=may_act,
        today=world().clock.today(),
    )
    return page, form.status
