"""Visits at the desk: who goes where on which day, planned from a unit; a round to print. No person.

A visit of a case is planned on the case's own page (cases.py).
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from backend.console.pages import Form, acting, may, standard_today, world
from backend.domain.visits import GROUNDS, PLANNERS
from backend.queries import visit_lists
from backend.queries.ledger import find_division
from backend.queries.unit_facts import find_unit
from backend.queries.visit_lists import VisitLine
from backend.services.case_checks import Handler
from backend.services.disclosures import refuse_outside
from backend.services.visits import list_visitors, plan_visit_of_unit, replan_visit

pages = Blueprint("visits", __name__)
SCOPES = ("planned", "done")
PLAN = ("assignee_id", "due_on", "ground")


@pages.get("/visits")
def index() -> str:
    """The visits of the area day by day in the order they are walked, of everybody or of one; printed as it stands."""
    who, scope = acting(), request.args.get("scope", "planned")
    if scope not in SCOPES:
        abort(404)
    visitor = request.args.get("who") or (who.id if who.role not in PLANNERS else None)
    lines = visit_lists.list_visits(who.area, assignee_id=visitor, scope=scope)
    return render_template(
        "visits.html",
        days=_by_day(lines) if scope == "planned" else [(None, list(lines))],
        total=len(lines),
        scope=scope,
        visitor=visitor,
        visitors=offered_visitors(who.area),
        today=world().clock.today(),
        may_walk=may("field.home"),
    )


@pages.route("/visits/<uuid:planned_id>", methods=["GET", "POST"])
def show(planned_id: str) -> tuple[str, int] | Response:
    """One visit, and its new day or visitor."""
    line, form = visit_of(str(planned_id)), Form.sent() if request.method == "POST" else Form()
    if request.method == "POST":
        with form.filling(*PLAN, codes=("field.done", "field.withdrawn")):
            replan_visit(world(), session_id=acting().session_id, visit_id=line.id, **plan_of(form))
            return redirect(url_for("visits.index"))
    else:
        form.values |= {"assignee_id": line.assignee_id, "due_on": line.due_on.isoformat()}
    return _page("visit.html", form, line.area, line=line, may_plan=may("visits.show", "POST"),
                 withdrawal=visit_lists.find_withdrawal(line.id)), form.status  # fmt: skip


@pages.route("/units/<uuid:unit_id>/visit", methods=["GET", "POST"])
def plan_for_unit(unit_id: str) -> tuple[str, int] | Response:
    """Plan a visit to a unit for a ground that is true of it."""
    unit = find_unit(str(unit_id))
    area = unit.division if unit else None
    refuse_outside(world(), session_id=acting().session_id, object_kind="unit", object_id=str(unit_id), division=area)
    form = Form.sent() if request.method == "POST" else Form({"ground": request.args.get("ground", "")})
    if request.method == "POST":
        with form.filling(*PLAN, codes=("field.no_ground", "field.planned")):
            ground = form.value("ground")
            plan_visit_of_unit(
                world(), session_id=acting().session_id, unit_id=str(unit_id), ground=ground, **plan_of(form)
            )
            return redirect(url_for("visits.index"))
    grounds = visit_lists.list_grounds(acting().area, str(unit_id), world().clock.now(), standard_today())
    planned = visit_lists.list_of_unit(acting().area, str(unit_id))
    return _page("visit_plan.html", form, area or "", unit=unit, grounds=grounds, planned=planned), form.status


def visit_of(visit_id: str) -> VisitLine:
    """One visit of the own area. Raises Refused area.foreign (written down) or not_found."""
    line = visit_lists.find_visit(acting().area, visit_id)
    if line is None:
        area = visit_lists.find_visit_area(visit_id)
        refuse_outside(world(), session_id=acting().session_id, object_kind="visit", object_id=visit_id, division=area)
        abort(404)
    return line


def offered_visitors(area: str) -> tuple[Handler, ...]:
    """Whom this member of staff may send: a grid worker herself alone."""
    who = acting()
    return tuple(one for one in list_visitors(area) if who.role in PLANNERS or one.id == who.id)


def unit_area(unit_id: str) -> str | None:
    """Where a unit lies, whatever the area."""
    return find_division("unit", unit_id)


def plan_of(form: Form) -> dict[str, Any]:
    """Who goes and when, as a form says."""
    return {"assignee_id": form.value("assignee_id"), "due_on": form.day("due_on")}


def _page(template: str, form: Form, area: str, **more: Any) -> str:
    return render_template(
        template, form=form, visitors=offered_visitors(area), today=world().clock.today(), GROUNDS=GROUNDS, **more
    )


def _by_day(lines: tuple[VisitLine, ...]) -> list[tuple[Any, list[VisitLine]]]:
    days: dict[Any, list[VisitLine]] = {}
    for line in lines:
        days.setdefault(line.due_on, []).append(line)
    return list(days.items())
