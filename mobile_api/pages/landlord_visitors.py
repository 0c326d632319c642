"""Landlord: visitors' keys of a unit. An occupant is asked first; an emergency is stated, and told at once."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from backend.services import landlord_views, visitor_keys
from mobile_api.pages.doors import account_id, landlord, world
from mobile_api.pages.receipts import draw_qr
from mobile_api.pages.visitor_forms import DAYS, emergency_sheet, read_emergency, read_visitor, visitor_sheet


@landlord.get("/units/<unit_id>/visitors")
def visitors(unit_id: str) -> str:
    """All visitors' keys of this unit with their state; never an opening."""
    unit = landlord_views.get_unit(world(), account_id=account_id(), unit_id=unit_id, managing=True)
    found = visitor_keys.list_visitor_keys(world(), account_id=account_id(), unit_id=unit_id)
    return render_template("visitors/list.html", unit=unit, visitors=found)


@landlord.route("/units/<unit_id>/visitors/new", methods=["GET", "POST"])
def new_visitor(unit_id: str) -> str | Response | tuple[str, int]:
    """Issue a key; where somebody lives it waits for an occupant's consent."""
    unit = landlord_views.get_unit(world(), account_id=account_id(), unit_id=unit_id, managing=True)
    sheet = visitor_sheet()
    if request.method == "POST":
        with sheet.filling():
            made = visitor_keys.issue_visitor_key(world(), account_id=account_id(), unit_id=unit_id,
                                                  idempotency_key=sheet.once, **read_visitor(sheet))
            return redirect(url_for("landlord.visitor", unit_id=unit_id, key_id=made.key.id), 303)
    return render_template("visitors/form.html", unit=unit, sheet=sheet, days=DAYS), sheet.status


@landlord.route("/units/<unit_id>/visitors/emergency", methods=["GET", "POST"])
def emergency(unit_id: str) -> str | Response | tuple[str, int]:
    """A stated emergency: works at once for four hours and two openings, and everyone who lives there is told."""
    unit = landlord_views.get_unit(world(), account_id=account_id(), unit_id=unit_id, managing=True)
    sheet = emergency_sheet()
    if request.method == "POST":
        with sheet.filling():
            made = visitor_keys.issue_visitor_key(world(), account_id=account_id(), unit_id=unit_id,
                                                  idempotency_key=sheet.once, **read_emergency(sheet))
            return redirect(url_for("landlord.visitor", unit_id=unit_id, key_id=made.key.id), 303)
    return render_template("visitors/emergency.html", unit=unit, sheet=sheet), sheet.status


@landlord.route("/units/<unit_id>/visitors/<key_id>", methods=["GET", "POST"])
def visitor(unit_id: str, key_id: str) -> str | Response:
    """One visitor's key: its state, the link while nobody has accepted it; end it at any time."""
    unit = landlord_views.get_unit(world(), account_id=account_id(), unit_id=unit_id, managing=True)
    if request.method == "POST":
        visitor_keys.end_visitor_key(world(), account_id=account_id(), key_id=key_id)
        return redirect(url_for("landlord.visitor", unit_id=unit_id, key_id=key_id), 303)
    found = visitor_keys.get_visitor_key(world(), account_id=account_id(), key_id=key_id)
    code = draw_qr(found.invitation.link, "QR") if found.invitation else None
    return render_template("visitors/one.html", unit=unit, visitor=found, code=code)
