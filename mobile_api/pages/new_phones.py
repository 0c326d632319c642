"""Tenant: the key on a new phone: suspend the old one at once, be identified again, bind the key to this one."""

from __future__ import annotations

import json

from flask import redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from backend.domain.refusals import Refused
from backend.services import identity_checks, rebinding, tenancies
from mobile_api.pages.doors import account_id, tenant, world
from mobile_api.pages.forms import Sheet


@tenant.route("/homes/<registration_id>/phone", methods=["GET", "POST"])
def new_phone(registration_id: str) -> str | Response | tuple[str, int]:
    """The three steps; the last sends this phone's public key, as accepting an invitation does."""
    mine = tenancies.get_tenancy(world(), account_id=account_id(), registration_id=registration_id)
    if mine.key is None:
        raise Refused("not_found")
    sheet = Sheet.of_request({"phone_jwk": _("手机密钥")})
    with sheet.filling():
        if sheet.values:
            rebinding.rebind_key(world(), account_id=account_id(), key_id=mine.key.id,
                                 phone_jwk=phone_jwk(sheet.text("phone_jwk")))
            return redirect(url_for("tenant.key", registration_id=registration_id), 303)
    return _page(mine, sheet, None), sheet.status


@tenant.post("/homes/<registration_id>/phone/ask")
def ask_new_phone(registration_id: str) -> str:
    """Let a person confirm who one is, instead of the face check; asked twice, it is the same request."""
    mine = tenancies.get_tenancy(world(), account_id=account_id(), registration_id=registration_id)
    asked = rebinding.ask_rebind(world(), account_id=account_id(), key_id=mine.key_id or "")
    return _page(mine, Sheet.of_request({}), asked)


def phone_jwk(text: str) -> dict[str, object]:
    """The public key a page sent. Raises Refused key.phone_key when it is none."""
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise Refused("key.phone_key", "phone_jwk")
    return found


def _page(mine: tenancies.TenancyView, sheet: Sheet, asked: rebinding.RebindAsked | None) -> str:
    progress = identity_checks.identity_progress(world(), account_id=account_id())
    return render_template("tenant/new_phone.html", home=mine, sheet=sheet, asked=asked, progress=progress)
