"""Tenant: the equal other ways: a time at the window or by video, the network identity, the landlord side by side."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from flask import redirect, render_template, request, session, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from backend.domain.appointments import WAYS, Slot
from backend.domain.calendars import day_of, is_in_reach
from backend.domain.refusals import Refused
from backend.services import appointments, identity_checks, identity_reviews, network_identity, persons, tenancies
from mobile_api.pages.doors import account_id, session_id, tenant, world
from mobile_api.pages.forms import Sheet

LEFT_FROM = "network_home"  # which home a person was at when leaving for the network identity


@tenant.route("/homes/<registration_id>/ways", methods=["GET", "POST"])
def other_ways(registration_id: str) -> str | Response:
    """All ways beside each other: they count the same. Choosing one that needs a person leads on to a time."""
    mine = tenancies.get_tenancy(world(), account_id=account_id(), registration_id=registration_id)
    if request.method == "POST":
        way = request.form.get("way", "")
        identity_reviews.ask_a_person(world(), account_id=account_id(), way=way)
        return redirect(url_for("tenant.slots", registration_id=registration_id, way=way), 303)
    return render_template(
        "tenant/other_ways.html", home=mine, said=request.args.get("said"),
        progress=identity_checks.identity_progress(world(), account_id=account_id()),
        identity=persons.my_identity(world(), account_id=account_id()),
        appointment=appointments.my_appointment(world(), account_id=account_id()))


@tenant.route("/homes/<registration_id>/ways/<way>", methods=["GET", "POST"])
def slots(registration_id: str, way: str) -> str | Response | tuple[str, int]:
    """The times on offer, day by day; nothing is chosen beforehand, and the window needs no time at all."""
    mine = tenancies.get_tenancy(world(), account_id=account_id(), registration_id=registration_id)
    if way not in WAYS:
        raise Refused("not_found")
    if persons.my_identity(world(), account_id=account_id()) is None:
        return redirect(url_for("tenant.identity", registration_id=registration_id), 303)
    sheet = Sheet.of_request({"starts_at": _("时间")})
    if request.method == "POST":
        with sheet.filling():
            starts_at = sheet.chosen("starts_at")
            sheet.check()
            appointments.choose_slot(world(), account_id=account_id(), way=way, starts_at=_moment(starts_at))
            return redirect(url_for("tenant.other_ways", registration_id=registration_id, said="booked"), 303)
    progress = identity_checks.identity_progress(world(), account_id=account_id())
    offered = appointments.offered_slots(world(), account_id=account_id())
    present = appointments.my_appointment(world(), account_id=account_id())
    return render_template("tenant/slots.html", home=mine, way=way, sheet=sheet, days=_by_day(offered),
                           progress=progress, appointment=present), sheet.status


@tenant.post("/homes/<registration_id>/ways/cancel")
def cancel_slot(registration_id: str) -> Response:
    """Give the chosen time back."""
    tenancies.get_tenancy(world(), account_id=account_id(), registration_id=registration_id)
    appointments.cancel_appointment(world(), account_id=account_id())
    return redirect(url_for("tenant.other_ways", registration_id=registration_id, said="cancelled"), 303)


@tenant.route("/homes/<registration_id>/network-identity", methods=["GET", "POST"])
def begin_network(registration_id: str) -> str | Response:
    """Ask for the service's page; the person goes there by a link that says where it leads.

    A page that is loaded again asks for nothing and shows the ways.
    """
    if request.method == "GET":
        return redirect(url_for("tenant.other_ways", registration_id=registration_id), 303)
    mine = tenancies.get_tenancy(world(), account_id=account_id(), registration_id=registration_id)
    begun = network_identity.begin_request(world(), account_id=account_id(), session_id=session_id())
    session[LEFT_FROM] = registration_id
    return render_template("tenant/network_leave.html", home=mine, begun=begun)


@tenant.get("/network-identity/<request_id>")
def network_return(request_id: str) -> Response | tuple[str, int]:
    """The way back from the service: one word, and on to the task list or the other ways."""
    home = session.get(LEFT_FROM)
    if not home:
        raise Refused("network.other")
    outcome = network_identity.finish_request(
        world(), account_id=account_id(), session_id=session_id(), request_id=request_id,
        state=request.args.get("state", "")[:200], ticket=request.args.get("ticket", "")[:200])
    if outcome.result == "verified":
        return redirect(url_for("tenant.tenancy", registration_id=home, said="verified"), 303)
    return redirect(url_for("tenant.other_ways", registration_id=home, said=outcome.result), 303)


@tenant.get("/homes/<registration_id>/guardian")
def guardian(registration_id: str) -> str:
    """For a tenant under 16: what the guardian does, and where; never a dead end (ZJ-7)."""
    mine = tenancies.get_tenancy(world(), account_id=account_id(), registration_id=registration_id)
    progress = identity_checks.identity_progress(world(), account_id=account_id())
    return render_template("tenant/guardian.html", home=mine, progress=progress)


def _moment(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise Refused("appointment.slot", "starts_at") from None
    if found.tzinfo is None or not is_in_reach(found.date()):
        raise Refused("appointment.slot", "starts_at")
    return found


def _by_day(offered: Sequence[Slot]) -> list[tuple[date, list[Slot]]]:
    days: dict[date, list[Slot]] = {}
    for slot in offered:
        if slot.free:
            days.setdefault(day_of(slot.starts_at), []).append(slot)
    return list(days.items())
