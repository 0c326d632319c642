"""The staff's audit log: filter, and check whether anything was changed. Nobody can edit it here or elsewhere."""

from __future__ import annotations

from datetime import date, timedelta

from flask import Blueprint, render_template, request

from backend.console.pages import Form, acting, world
from backend.domain.ids import is_id
from backend.domain.officers import ROLES
from backend.domain.purposes import PURPOSES
from backend.queries import audit_lists
from backend.services.audit_verification import find_faults

pages = Blueprint("audits", __name__)


@pages.get("/audit")
def index() -> str:
    """The newest leaves; a supervisor sees the own office, an auditor all. Persons are a mark only."""
    return _page(None)


@pages.post("/audit/check")
def check() -> str:
    """Recompute the whole log and its signed checkpoints now."""
    return _page(find_faults(world()))


def _page(faults: list[str] | None) -> str:
    who = acting()
    form = Form({name: value.strip()[:60] for name, value in request.args.items()})
    leaves = audit_lists.list_leaves(
        office=who.office if who.role == "supervisor" else None,
        badge=form.value("badge").upper() or None,
        action=form.value("action") or None,
        purpose=form.value("purpose") if form.value("purpose") in PURPOSES else None,
        on=_day(form.value("on")),
        before=form.value("before") if is_id(form.value("before")) else None,
    )
    return render_template(
        "audit.html",
        leaves=leaves,
        more=leaves[-1].id if len(leaves) == audit_lists.PAGE else None,
        actions=audit_lists.list_actions(),
        log=audit_lists.get_log_state(),
        reads=audit_lists.count_reads(timedelta(days=1), world().clock.now())[:5],
        caps={role: world().house.reads_of(role) for role in ROLES if role != "auditor"},
        form=form,
        faults=faults,
        now=world().clock.now(),
    )


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None
