"""One unit with its registered occupants, and the second act that shows one full number."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from backend.console.pages import Form, acting, may, safe_next, standard_today, world
from backend.domain.cases import kinds_for
from backend.domain.purposes import END_KEY, PRINT_CODES, SEE_RIGHT, UNMASK, decide_act
from backend.domain.refusals import Refused
from backend.queries import ledger, unit_facts
from backend.services.disclosures import open_unit, refuse_outside, show_number
from backend.services.letting_right_acts import see_right as note_right_seen
from backend.services.letting_right_acts import unsee_right as take_right_back
from backend.services.officer_sessions import step_up

pages = Blueprint("units", __name__)


@pages.get("/units/<uuid:unit_id>")
def show(unit_id: str) -> str:
    """The unit's page; each person named on it can read that it was opened."""
    page = open_unit(world(), session_id=acting().session_id, unit_id=str(unit_id))
    rows = ledger.list_units(
        acting().area,
        page.unit.dwelling_id,
        world().clock.today(),
        standard=standard_today(),
    )
    states = {row.id: row for row in rows}
    return render_template(
        "unit.html",
        page=page,
        state=states[page.unit.id],
        may_unmask=may("units.number"),
        unmasks=decide_act(acting().purpose, UNMASK) is None,
        case_kinds=kinds_for(acting().role) if may("cases.show") else (),
        may_visit=may("visits.plan_for_unit"),
        may_print=may("occupant_keys.codes", "POST") and decide_act(acting().purpose, PRINT_CODES) is None,
        may_end_key=may("occupant_keys.order", "POST") and decide_act(acting().purpose, END_KEY) is None,
        may_see_right=may_see_right(),
        now=world().clock.now(),
    )


def may_see_right() -> bool:
    """Whether the officer's role and purpose let them say that a right to let was seen."""
    return may("units.see_right", "POST") and decide_act(acting().purpose, SEE_RIGHT) is None


@pages.post("/units/<uuid:unit_id>/right")
def see_right(unit_id: str) -> Response:
    """The original of what gives the right to let was seen; back to the page on which that was said."""
    note_right_seen(
        world(),
        session_id=acting().session_id,
        unit_id=str(unit_id),
        claim_id=request.form.get("claim_id", ""),
        how=request.form.get("how", ""),
    )
    return _back(str(unit_id))


@pages.post("/units/<uuid:unit_id>/right/undo")
def unsee_right(unit_id: str) -> Response:
    """That was entered in error."""
    claim_id = request.form.get("claim_id", "")
    take_right_back(world(), session_id=acting().session_id, unit_id=str(unit_id), claim_id=claim_id)
    return _back(str(unit_id))


def _back(unit_id: str) -> Response:
    here = url_for("units.show", unit_id=unit_id)
    return redirect(safe_next(request.form.get("next") or here))


@pages.route("/registrations/<uuid:registration_id>/number", methods=["GET", "POST"])
def number(registration_id: str) -> str | tuple[str, int] | Response:
    """Ask for the password again, then show one number once; a reload asks anew."""
    who, unit = acting(), unit_of(str(registration_id))
    unfit = decide_act(who.purpose, UNMASK)
    if request.method == "GET" and unfit is not None:
        raise Refused.of([unfit])  # before a password is asked for in vain
    form = Form.sent("password") if request.method == "POST" else Form()
    if request.method == "POST":
        with form.filling("password"):
            if not who.stepped_up:
                step_up(world(), session_id=who.session_id, password=request.form.get("password", ""))
            shown = show_number(world(), session_id=who.session_id, registration_id=str(registration_id))
            return render_template("number.html", shown=shown, unit=shown.unit)
    return render_template("step_up.html", form=form, unit=unit, registration_id=registration_id), form.status


def unit_of(registration_id: str) -> unit_facts.UnitFacts | None:
    """The unit a registration belongs to; outside the area this says so and is written down."""
    residence = unit_facts.find_residence(registration_id)
    unit = unit_facts.find_unit(residence.unit_id) if residence else None
    refuse_outside(
        world(),
        session_id=acting().session_id,
        object_kind="registration",
        object_id=registration_id,
        division=unit.division if unit else None,
    )
    return unit
