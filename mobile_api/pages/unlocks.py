"""Tenant: the key screen. One button; the command's word comes back honestly, also when it is 'not known yet'."""

from __future__ import annotations

from itertools import groupby

from flask import jsonify, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from backend.domain.calendars import day_of
from backend.domain.commands import FINAL
from backend.domain.ids import new_id
from backend.domain.reasons import REASONS
from backend.domain.refusals import Refusal
from backend.services import access_records, commands, help_requests, keys, tenancies
from backend.web import language
from mobile_api.api.paging import page_by_moment, read_moment
from mobile_api.pages.doors import account_id, tenant, wants_json, world
from mobile_api.pages.forms import Sheet
from mobile_api.pages.live import live
from mobile_api.pages.tables import COMMAND_STATES, LOCK_REFUSALS
from mobile_api.requests import preferred_wait

LONGEST_WAIT_SECONDS = 3.0
EVENTS_A_PAGE = 60  # some days of a household's comings and goings


@tenant.get("/key")
def any_key() -> Response:
    """The tab "key": the only living tenancy's key screen, else the list."""
    mine = tenancies.my_tenancies(world(), account_id=account_id())
    living = [one for one in mine if one.registration.residence == "living"]
    if len(living) == 1:
        return redirect(url_for("tenant.key", registration_id=living[0].registration_id))
    return redirect(url_for("tenant.home"))


@tenant.get("/homes/<registration_id>/key")
@live("home", "registration_id")
def key(registration_id: str) -> str:
    """One big button, the state in words, the period, whether the lock is online."""
    mine = tenancies.get_tenancy(world(), account_id=account_id(), registration_id=registration_id)
    contact = help_requests.find_help_contact(world(), account_id=account_id())
    return render_template("tenant/key.html", home=mine, once=new_id(), command_word=asked_word(),
                           help_contact=contact, help_sheet=Sheet.of_request({}), today=world().clock.today())


def asked_word() -> str | None:
    """What has come of the command the page's address names."""
    if "command" not in request.args:
        return None
    found = commands.get_command(world(), account_id=account_id(), command_id=request.args["command"])
    return str(spoken(found)["words"])


@tenant.post("/homes/<registration_id>/unlock")
def unlock(registration_id: str) -> Response:
    """Send one command, and wait for its word when asked to; the page's once-id makes a double tap the same command."""
    mine = tenancies.get_tenancy(world(), account_id=account_id(), registration_id=registration_id)
    command = commands.unlock_and_wait(world(), account_id=account_id(), key_id=mine.key_id or "",
                                       idempotency_key=request.form.get("once") or new_id(), seconds=preferred_wait())
    if wants_json():
        return jsonify(spoken(command))
    return redirect(url_for("tenant.key", registration_id=registration_id, command=command.id), 303)


@tenant.get("/commands/<command_id>")
def command_state(command_id: str) -> Response:
    """Wait up to three seconds for the command's word."""
    try:
        seconds = min(float(request.args.get("wait_s", "0")), LONGEST_WAIT_SECONDS)
    except ValueError:
        seconds = 0.0
    found = commands.wait_for_command(world(), account_id=account_id(), command_id=command_id, seconds=seconds)
    return jsonify(spoken(found))


def spoken(command: commands.CommandView) -> dict[str, object]:
    """A command as key.js reads it: its state, the words for it, and whether anything more will come."""
    words = str(COMMAND_STATES.get(command.state, command.state))
    if command.state == "refused" and command.reason:
        words = _("没有打开：%(why)s", why=refusal_words(command.reason))
    return {"id": command.id, "state": command.state, "words": words, "settled": command.state in FINAL}


def refusal_words(reason: str) -> str:
    """Why a lock refused, in words; an unlisted word of a lock is shown as it is."""
    if reason in LOCK_REFUSALS:
        return str(LOCK_REFUSALS[reason])
    return Refusal(reason).sentence(language()) if reason in REASONS else reason


@tenant.get("/homes/<registration_id>/doors")
def door_events(registration_id: str) -> str:
    """Openings with one's own key, for 30 days; nobody else sees them."""
    mine = tenancies.get_tenancy(world(), account_id=account_id(), registration_id=registration_id)
    before = request.args.get("before")
    until, skip = read_moment(before)
    found = access_records.my_door_events(
        world(), account_id=account_id(), key_id=mine.key_id or "", until=until, skip=skip, limit=EVENTS_A_PAGE + 1
    )
    page = page_by_moment(found, EVENTS_A_PAGE, before)
    days = [(day, list(events)) for day, events in groupby(page.items, lambda event: day_of(event.at))]
    return render_template("tenant/door_events.html", home=mine, days=days, following=page.following)


@tenant.route("/homes/<registration_id>/key/<action>", methods=["GET", "POST"])
def own_key(registration_id: str, action: str) -> str | Response:
    """A lost phone: the holder may always suspend, resume or end the own key."""
    mine = tenancies.get_tenancy(world(), account_id=account_id(), registration_id=registration_id)
    acts = {"suspend": keys.suspend_key, "resume": keys.resume_key}
    if request.method == "POST" and action in acts and mine.key_id is not None:
        acts[action](world(), account_id=account_id(), key_id=mine.key_id)
    elif request.method == "GET" and action in acts and mine.key is not None:
        return render_template("tenant/own_key.html", home=mine, action=action)
    return redirect(url_for("tenant.key", registration_id=registration_id), 303)
