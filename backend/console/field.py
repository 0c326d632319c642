"""The phone of whoever walks a round: today's visits, a door found by its code, what came of it. Works offline.

These pages show houses and numbers alone, so that a phone may keep them; what names a person is in `field_desks`.
"""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint, Response, jsonify, redirect, render_template, request, send_from_directory, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from backend.console.pages import Form, acting, by_script, standard_today, world
from backend.console.visit_notes import read_note
from backend.console.visits import unit_area, visit_of
from backend.domain.calendars import day_of, start_of
from backend.domain.ids import new_id
from backend.domain.refusals import Refused
from backend.domain.visits import GROUNDS, HEADS_MOST, OUTCOMES, is_noted_in_time
from backend.queries import visit_lists
from backend.queries.doors import find_door
from backend.queries.unit_facts import UnitFacts, find_unit
from backend.queries.visit_lists import VisitLine
from backend.services.disclosures import refuse_outside
from backend.services.visits import note_visit, plan_visit_of_unit

pages = Blueprint("field", __name__, url_prefix="/g")
STATIC = Path(__file__).parent / "static"


@pages.get("/")
def home() -> str:
    """Today's round of the officer who is signed in."""
    who, today = acting(), world().clock.today()
    made = visit_lists.list_visits(who.area, assignee_id=who.id, scope="done")
    return render_template(
        "field/home.html",
        made_today=[line for line in made if line.noted_at is not None and day_of(line.noted_at) == today],
        lines=visit_lists.list_round(who.area, who.id, today),
        withdrawn=[
            (line, visit_lists.find_withdrawal(line.id))
            for line in visit_lists.list_withdrawn(who.area, who.id, start_of(today))
        ],
        coming=[one for one in visit_lists.list_visits(who.area, assignee_id=who.id) if one.due_on > today],
        today=today,
        noted="noted" in request.args,
    )


@pages.route("/visits/<uuid:planned_id>", methods=["GET", "POST"])
def visit(planned_id: str) -> tuple[str, int] | AnyResponse:
    """One visit: what to read out first, then what came of it. A module of ours sends the same form when it can."""
    line = visit_of(str(planned_id))
    form = Form.sent() if request.method == "POST" else Form(_begun(line))
    if request.method == "POST":
        if by_script():
            _note(line, form)
            return jsonify({"noted": line.id})
        with form.filling("outcome", "adults", "children", codes=("field.done", "field.withdrawn", "field.not_yours")):
            _note(line, form)
            return redirect(url_for("field.home", noted=1))
    row = visit_lists.find_unit_row(acting().area, line.unit_id, world().clock.today(), standard_today())
    over, now = visit_lists.find_withdrawal(line.id), world().clock.now()
    in_time = line.state == "planned" or (over is not None and is_noted_in_time(now, over.at, over.reason))
    page = render_template(
        "field/visit.html", line=line, row=row, form=form, ground=GROUNDS[line.ground], outcomes=OUTCOMES,
        most=HEADS_MOST, withdrawal=over, may_note=in_time and line.assignee_id == acting().id,
    )  # fmt: skip
    return page, form.status


@pages.get("/door")
def door() -> AnyResponse:
    """The door of a scanned or typed number: one's own visit there, else the unit. Raises Refused not_found."""
    found = find_door(request.args.get("number", "")[:40])
    unit = _unit(found.unit_id if found else "")
    mine = [line for line in visit_lists.list_of_unit(acting().area, unit.id) if line.assignee_id == acting().id]
    if mine:
        return redirect(url_for("field.visit", planned_id=mine[0].id))
    return redirect(url_for("field.unit", unit_id=unit.id))


@pages.route("/units/<uuid:unit_id>", methods=["GET", "POST"])
def unit(unit_id: str) -> tuple[str, int] | AnyResponse:
    """A unit as the board shows it; with a ground, one's own visit today."""
    facts, form = _unit(str(unit_id)), Form.sent() if request.method == "POST" else Form()
    if request.method == "POST":
        with form.filling("ground", codes=("field.no_ground", "field.planned")):
            made = plan_visit_of_unit(
                world(),
                session_id=acting().session_id,
                unit_id=facts.id,
                ground=form.value("ground"),
                assignee_id=acting().id,
                due_on=world().clock.today(),
            )
            return redirect(url_for("field.visit", planned_id=made))
    standard = standard_today()
    page = render_template(
        "field/unit.html",
        unit=facts,
        row=visit_lists.find_unit_row(acting().area, facts.id, world().clock.today(), standard),
        grounds=visit_lists.list_grounds(acting().area, facts.id, world().clock.now(), standard),
        planned=visit_lists.list_of_unit(acting().area, facts.id),
        form=form,
    )
    return page, form.status


@pages.get("/offline")
def offline() -> str:
    """What the phone shows instead of a page it cannot reach; kept beside the round."""
    return render_template("field/offline.html")


@pages.get("/worker.js")
def worker() -> Response:
    """The service worker; here, since it may serve only what lies below its own address."""
    answer = send_from_directory(STATIC, "field_worker.js")
    answer.headers["Cache-Control"] = "no-cache"
    return answer


@pages.get("/manifest.webmanifest")
def manifest() -> Response:
    """What a phone needs to put the round on its home screen."""
    answer = jsonify(
        {
            "name": gettext("安居走访"),
            "short_name": gettext("走访"),
            "start_url": url_for("field.home"),
            "scope": "/g/",
            "display": "standalone",
            "background_color": "#f6f5f1",
            "theme_color": "#0b3f94",
            "icons": [{"src": url_for("static", filename="icon.svg"), "sizes": "any", "type": "image/svg+xml"}],
        }
    )
    answer.mimetype = "application/manifest+json"
    return answer


def _begun(line: VisitLine) -> dict[str, str]:
    """A note to begin from: what was registered at this door is the outcome, unless the visitor says otherwise."""
    outcome = {"outcome": "registered"} if visit_lists.has_registered(line.id) else {}
    return {"note_id": new_id(), **outcome}


def _note(line: VisitLine, form: Form) -> None:
    note_visit(world(), session_id=acting().session_id, visit_id=line.id, **read_note(form.values))


def _unit(unit_id: str) -> UnitFacts:
    """A unit of the own area. Raises Refused area.foreign (written down) or not_found."""
    refuse_outside(
        world(), session_id=acting().session_id, object_kind="unit", object_id=unit_id, division=unit_area(unit_id)
    )
    unit = find_unit(unit_id)
    if unit is None:
        raise Refused("not_found")
    return unit
