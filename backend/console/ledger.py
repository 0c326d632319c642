"""The ledger board: village, dwelling, unit; aggregates only, no purpose needed."""

from __future__ import annotations

from flask import Blueprint, abort, render_template, request

from backend.console.pages import acting, world
from backend.domain.ids import is_id
from backend.domain.ledger import UNIT_STATES
from backend.domain.officers import covers
from backend.queries import ledger
from backend.services.disclosures import refuse_outside

pages = Blueprint("ledger", __name__)


@pages.get("/ledger")
def board() -> str:
    """The board of the officer's area; `division`, `state`, `text` filter it, `dwelling` opens one."""
    who, today = acting(), world().clock.today()
    state, division = request.args.get("state") or None, request.args.get("division") or None
    if state is not None and state not in UNIT_STATES:
        abort(404)
    if division is not None and not covers(who.area, division):
        refuse_outside(
            world(), session_id=who.session_id, object_kind="division", object_id=division[:12], division=division
        )
    dwelling_id = request.args.get("dwelling") or None
    if dwelling_id is not None and not is_id(dwelling_id):
        abort(404)
    opened = ledger.find_dwelling(who.area, dwelling_id, today) if dwelling_id else None
    if dwelling_id and opened is None:
        refuse_outside(
            world(),
            session_id=who.session_id,
            object_kind="dwelling",
            object_id=dwelling_id,
            division=ledger.find_division("dwelling", dwelling_id),
        )
    text = request.args.get("text", "").strip()[:40]
    return render_template(
        "board.html",
        board=ledger.get_board(who.area, today),
        dwellings=ledger.list_dwellings(who.area, today, division=division, state=state, text=text),
        opened=opened,
        units=ledger.list_units(who.area, opened.id, today) if opened else (),
        filters={"division": division, "state": state, "text": text or None},
        now=world().clock.now(),
    )
