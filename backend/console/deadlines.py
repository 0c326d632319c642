"""Deadlines that were missed: whose duty, by which rule, where. Nameless, so no purpose is needed."""

from __future__ import annotations

from flask import Blueprint, render_template, request

from backend.console.pages import acting, may, world
from backend.queries import duty_lists

pages = Blueprint("deadlines", __name__)


@pages.get("/deadlines")
def index() -> str:
    """Overdue duties of the officer's area, by the one table of duties."""
    owner = request.args.get("owner") if request.args.get("owner") in ("tenant", "landlord") else None
    every = duty_lists.list_overdue(acting().area, world().clock.now())
    return render_template(
        "deadlines.html",
        lines=[line for line in every if owner is None or line.owner in (owner, "both")],
        every=every,
        owner=owner,
        paper=duty_lists.list_paper_due(acting().area),
        may_open=may("units.show"),
        may_visit=may("visits.plan_for_unit"),
    )
