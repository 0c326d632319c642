"""Landlord: suspend, resume or revoke a key once there is a ground: the effect is said; else it is refused (HR-12)."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from backend.domain.refusals import Refused
from backend.services import keys, landlord_views
from mobile_api.pages.doors import account_id, landlord, world
from mobile_api.pages.forms import Sheet

ACTIONS = ("suspend", "resume", "revoke")


@landlord.route("/leases/<lease_id>/key/<action>", methods=["GET", "POST"])
def key_action(lease_id: str, action: str) -> str | Response | tuple[str, int]:
    """Ask once, say the effect, do it; without a ground say so, and the way that works."""
    if action not in ACTIONS:
        raise Refused("not_found")
    found = landlord_views.get_lease(world(), account_id=account_id(), lease_id=lease_id)
    if found.key is None:
        raise Refused("not_found")
    sheet = Sheet.of_request({})
    if request.method == "POST":
        with sheet.filling():
            _act(action, found.key.id, "check_out" if action in found.key_acts else None)
            return redirect(url_for("landlord.lease", lease_id=lease_id, said=f"key_{action}"), 303)
    return render_template("landlord/key_action.html", sheet=sheet, lease=found, action=action), sheet.status


def _act(action: str, key_id: str, ground: str | None) -> None:
    who = account_id()
    if action == "suspend":
        keys.suspend_key(world(), account_id=who, key_id=key_id, ground=ground)
    elif action == "resume":
        keys.resume_key(world(), account_id=who, key_id=key_id)
    else:
        keys.revoke_key(world(), account_id=who, key_id=key_id, ground=ground)
