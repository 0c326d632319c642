"""Discrepancies: dwellings whose facts do not agree, by rule. Nameless, so no purpose is needed."""

from __future__ import annotations

from flask import Blueprint, abort, render_template, request

from backend.console.pages import acting, may, standard_today, world
from backend.domain.discrepancies import DISCREPANCIES
from backend.queries.discrepancies import MOST, count_discrepancies, list_discrepancies, read_cursor

pages = Blueprint("discrepancies", __name__)


@pages.get("/discrepancies")
def index() -> str:
    """One kind at a time, the longest standing first; `after` turns the page."""
    kind = request.args.get("kind") or next(iter(DISCREPANCIES))
    if kind not in DISCREPANCIES:
        abort(404)
    after = read_cursor(request.args.get("after", ""))
    area, today, standard = acting().area, world().clock.today(), standard_today()
    found = list_discrepancies(area, today, standard, kind, after=after, limit=MOST + 1)
    return render_template(
        "discrepancies.html",
        kind=kind,
        counts=count_discrepancies(area, today, standard),
        lines=found[:MOST],
        more=found[MOST - 1].cursor if len(found) > MOST else None,
        after=after,
        most=MOST,
        today=today,
        may_open_unit=may("units.show"),
        may_visit=may("visits.plan_for_unit"),
        may_open_case=may("cases.show"),
    )
