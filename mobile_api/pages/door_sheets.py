"""What a door's QR code opens, and a landlord's own sheets to print."""

from __future__ import annotations

from flask import render_template

from backend.domain.refusals import Refused
from backend.queries.doors import find_door
from backend.services import door_sheets
from mobile_api.pages.doors import account_id, front, landlord, world
from mobile_api.pages.receipts import draw_qr


@front.get("/u/<public_number>")
def door(public_number: str) -> str:
    """Which unit this is: number, address, label. Nothing about who lives there, or whether anybody does."""
    found = find_door(public_number[:40])
    if found is None:
        raise Refused("not_found")
    return render_template("front/door.html", door=found)


@landlord.get("/door-sheets")
def own_door_sheets() -> str:
    """The QR codes of the landlord's units, several to a page."""
    sheets = door_sheets.list_own_door_sheets(world(), account_id=account_id())
    return render_template("landlord/door_sheets.html", sheets=sheets, draw_qr=draw_qr)
