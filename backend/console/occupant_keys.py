"""An occupant's key at the window: its codes on paper, and its end on a court's order; each with a second act."""

from __future__ import annotations

from flask import Blueprint, render_template, request

from backend.console.pages import Form, acting, world
from backend.console.units import unit_of
from backend.services.officer_keys import print_codes, revoke_on_order
from backend.services.officer_sessions import step_up

pages = Blueprint("occupant_keys", __name__)
NO_CODES = ("key.none", "key.not_active", "key.over", "unit.no_lock", "lock.no_keypad")


@pages.route("/registrations/<uuid:registration_id>/codes", methods=["GET", "POST"])
def codes(registration_id: str) -> str | tuple[str, int]:
    """Ask for the password again, then show a sheet to print, once; a reload asks anew."""
    unit = unit_of(str(registration_id))
    form = Form.sent("password") if request.method == "POST" else Form()
    if request.method == "POST":
        with form.filling("password", codes=NO_CODES):
            _step_up()
            printed = print_codes(world(), session_id=acting().session_id, registration_id=str(registration_id))
            return render_template("codes_sheet.html", codes=printed.codes, unit=unit, today=world().clock.today())
    return render_template("codes_ask.html", form=form, unit=unit, registration_id=registration_id), form.status


@pages.route("/registrations/<uuid:registration_id>/court-order", methods=["GET", "POST"])
def order(registration_id: str) -> str | tuple[str, int]:
    """Ask for the court's number and the password again, then end the key and say so."""
    unit = unit_of(str(registration_id))
    form, entered = Form.sent("password") if request.method == "POST" else Form(), None
    if request.method == "POST":
        with form.filling("password", "case_number", codes=("key.none",)):
            _step_up()
            entered = revoke_on_order(
                world(),
                session_id=acting().session_id,
                registration_id=str(registration_id),
                case=form.value("case_number"),
            )
    page = render_template("court_order.html", form=form, unit=unit, registration_id=registration_id, entered=entered)
    return page, form.status


def _step_up() -> None:
    who = acting()
    if not who.stepped_up:
        step_up(world(), session_id=who.session_id, password=request.form.get("password", ""))
