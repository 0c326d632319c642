"""Deadlines that were missed: whose duty, by which rule, where. Nameless, so no purpose is needed."""

from __future__ import annotations

from flask import Blueprint, render_template, request

from backend.console.pages import acting, may, world
from backend.queries import case_lists

pages = Blueprint("deadlines", __name__)


@pages.get("/deadlines")
def index() -> str:
    """Overdue declarations and landlords' reports of the officer's area."""
    owner = request.args.get("owner") if request.args.get("owner") in ("tenant", "landlord") else None
    today = world().clock.today()
    every = case_lists.list_duties(acting().area, today)
    return render_template(
        "deadlines.html",
        lines=[line for line in every if owner in (None, line.owner)],
        every=every,
        owner=owner,
        today=today,
        may_open=may("units.show"),
    )
