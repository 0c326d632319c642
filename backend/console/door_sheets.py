"""Door sheets to print: the units of a dwelling or a village, each with its QR code and nothing of a person."""

from __future__ import annotations

import segno
from flask import Blueprint, abort, render_template, request
from markupsafe import Markup

from backend.console.pages import acting, world
from backend.domain.ids import is_id
from backend.domain.officers import covers
from backend.queries import ledger
from backend.services import door_sheets
from backend.services.disclosures import refuse_outside

pages = Blueprint("door_sheets", __name__)


@pages.get("/door-sheets")
def sheet() -> str:
    """Sheets of the officer's area; `dwelling` or `division` narrows them, `after` turns the page."""
    who = acting()
    wishes = {name: request.args.get(name) or None for name in ("dwelling", "division", "after")}
    dwelling_id, division, after = wishes["dwelling"], wishes["division"], wishes["after"]
    if any(value is not None and not is_id(value) for value in (dwelling_id, after)):
        abort(404)
    if division is not None and not covers(who.area, division):
        refuse_outside(
            world(), session_id=who.session_id, object_kind="division", object_id=division[:12], division=division
        )
    if dwelling_id is not None and ledger.find_dwelling(who.area, dwelling_id, world().clock.today()) is None:
        refuse_outside(
            world(),
            session_id=who.session_id,
            object_kind="dwelling",
            object_id=dwelling_id,
            division=ledger.find_division("dwelling", dwelling_id),
        )
    most = door_sheets.SHEETS_PER_PAGE
    found = door_sheets.list_door_sheets(
        world(), area=who.area, dwelling_id=dwelling_id, division=division, after=after, limit=most + 1
    )
    shown = found[:most]
    return render_template(
        "door_sheets.html",
        sheets=shown,
        more=shown[-1].unit_id if len(found) > most else None,
        filters=wishes,
        draw_qr=draw_qr,
    )


def draw_qr(text: str, words: str) -> Markup:
    """A QR code as inline SVG with a title; level Q, because a sheet at a door gets dirty."""
    code = segno.make(text, error="q", micro=False)
    return Markup(code.svg_inline(scale=4, border=4, title=words, omitsize=True, svgclass=None, lineclass=None))
