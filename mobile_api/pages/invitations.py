"""The invitation's link: what is offered, then accepting it with a key made inside the tenant's phone."""

from __future__ import annotations

from flask import redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from backend.services import invitations
from backend.web import caller
from mobile_api.pages.doors import account_id, front, world
from mobile_api.pages.forms import Sheet
from mobile_api.pages.new_phones import phone_jwk


@front.get("/i/<token>")
def invitation(token: str) -> str:
    """Landlord's alias, the unit's alias and the dates; nothing personal before signing in."""
    face = invitations.look_at_invitation(world(), token=token)
    return _page(face, token, Sheet({}))


@front.post("/i/<token>")
def accept_invitation(token: str) -> Response | tuple[str, int]:
    """Accept: the public half of the phone's key goes with it; the private half never leaves the phone."""
    sheet = Sheet.of_request({"phone_jwk": _("手机密钥")})
    with sheet.filling():
        made = invitations.accept_invitation(world(), account_id=account_id(), token=token,
                                             phone_jwk=phone_jwk(sheet.text("phone_jwk")))
        if made.registration_id is None:
            return redirect(url_for("tenant.visit", key_id=made.key_id), 303)
        return redirect(url_for("tenant.tenancy", registration_id=made.registration_id, accepted=1), 303)
    face = invitations.look_at_invitation(world(), token=token)
    return _page(face, token, sheet), sheet.status


def _page(face: invitations.InvitationFace, token: str, sheet: Sheet) -> str:
    """The page; whoever is signed in with another phone is told so instead of being offered to accept."""
    mine = caller().account_id
    other_phone = bool(mine) and not invitations.is_for_account(world(), account_id=account_id(), token=token)
    return render_template("front/invitation.html", face=face, token=token, sheet=sheet, other_phone=other_phone)

