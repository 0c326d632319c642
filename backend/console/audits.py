"""The staff's audit log: filter, and check whether anything was changed. Nobody can edit it here or elsewhere."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from backend.console.pages import Form, acting, world
from backend.domain.calendars import read_day
from backend.domain.ids import is_id
from backend.domain.officers import ROLES
from backend.domain.purposes import PURPOSES
from backend.queries import audit_checks, audit_lists
from backend.services.audit_verification import check_log

pages = Blueprint("audits", __name__)


@pages.get("/audit")
def index() -> str:
    """The newest leaves; a supervisor sees the own office and who of the area reads most, an auditor all.

    Persons are a mark only.
    """
    who = acting()
    now, check = world().clock.now(), audit_checks.find_last_check()
    form = Form({name: value.strip()[:60] for name, value in request.args.items()})
    leaves = audit_lists.list_leaves(
        office=who.office if who.role == "supervisor" else form.value("office") or None,
        role=form.value("role") if form.value("role") in ROLES else None,
        unit_number=form.value("unit").upper() or None,
        badge=form.value("badge").upper() or None,
        action=form.value("action") or None,
        purpose=form.value("purpose") if form.value("purpose") in PURPOSES else None,
        on=read_day(form.value("on")),
        before=form.value("before") if is_id(form.value("before")) else None,
    )
    return render_template(
        "audit.html",
        leaves=leaves,
        more=leaves[-1].id if len(leaves) == audit_lists.PAGE else None,
        actions=audit_lists.list_actions(),
        offices=audit_lists.list_offices() if who.role == "auditor" else (),
        roles=ROLES,
        log=audit_lists.get_log_state(),
        reads=audit_lists.count_reads(timedelta(days=1), now, who.area if who.role == "supervisor" else "")[:5],
        caps={role: world().house.reads_of(role) for role in ROLES if role != "auditor"},
        form=form,
        check=check,
        check_is_old=audit_checks.is_old(check, now),
        found=audit_checks.list_found_faults(),
    )


@pages.post("/audit/check")
def check() -> Response:
    """Recompute the whole log and its signed checkpoints now; the result stays on the page."""
    check_log(world(), session_id=acting().session_id)
    return redirect(url_for("audits.index"))
