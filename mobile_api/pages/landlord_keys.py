"""Landlord: suspend, resume or revoke a key: the effect is said, and without a ground it is refused (HR-12)."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from backend.domain.refusals import Refused
from backend.services import keys, landlord_views
from mobile_api.pages.doors import account_id, landlord, world
from mobile_api.pages.forms import Sheet

ACTIONS = ("suspend", "resume", "revoke")


@landlord.route("/leases/<lease_id>/key/<action>", methods=["GET", "POST"])
def key_action(lease_id: str, action: str) -> str | Response | tuple[str, int]:
    """Ask once, say the effect, do it."""
    if action not in ACTIONS:
        raise Refused("not_found")
    found = landlord_views.get_lease(world(), account_id=account_id(), lease_id=lease_id)
    if found.key is None:
        raise Refused("not_found")
    sheet = Sheet.of_request({"ground": _("依据")})
    if request.method == "POST":
        with sheet.filling():
            ground = sheet.optional("ground")
            _act(action, found.key.id, None if ground == "none" else ground)
            return redirect(url_for("landlord.lease", lease_id=lease_id, said=f"key_{action}"), 303)
    return render_template("landlord/key_action.html", sheet=sheet, lease=found, action=action,
                           grounds=_grounds()), sheet.status


def _act(action: str, key_id: str, ground: str | None) -> None:
    who = account_id()
    if action == "suspend":
        keys.suspend_key(world(), account_id=who, key_id=key_id, ground=ground)
    elif action == "resume":
        keys.resume_key(world(), account_id=who, key_id=key_id)
    else:
        keys.revoke_key(world(), account_id=who, key_id=key_id, ground=ground)


def _grounds() -> dict[str, str]:
    return {"check_out": _("租客已在手机上退房"), "none": _("没有退房（例如欠租、想提前收回）")}
