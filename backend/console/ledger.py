"""The ledger board: village, dwelling, unit; aggregates only, no purpose needed."""

from __future__ import annotations

from flask import Blueprint, abort, render_template, request

from backend.console.pages import acting, may, world
from backend.console.words import pick
from backend.domain.ids import is_id
from backend.domain.ledger import UNIT_STATES
from backend.domain.officers import covers
from backend.domain.purposes import EMERGENCY_NAME
from backend.queries import ledger
from backend.services.disclosures import refuse_outside
from backend.services.emergencies import count_building

pages = Blueprint("ledger", __name__)


@pages.post("/ledger/<uuid:dwelling_id>/headcount")
def headcount(dwelling_id: str) -> str:
    """How many are registered in a building, by unit, to print and take along; the tap itself is the purpose."""
    count = count_building(world(), session_id=acting().session_id, dwelling_id=str(dwelling_id))
    return render_template("headcount.html", count=count, printed_for=pick(EMERGENCY_NAME))


@pages.get("/ledger")
def board() -> str:
    """The board of the officer's area; `division`, `state`, `text` filter it, `dwelling` opens one,
    `after` turns the page."""
    who, today, per_head = acting(), world().clock.today(), world().house.area_per_head_m2
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
    opened = ledger.find_dwelling(who.area, dwelling_id, today, area_per_head_m2=per_head) if dwelling_id else None
    if dwelling_id and opened is None:
        refuse_outside(
            world(),
            session_id=who.session_id,
            object_kind="dwelling",
            object_id=dwelling_id,
            division=ledger.find_division("dwelling", dwelling_id),
        )
    text = request.args.get("text", "").strip()[:40]
    after = request.args.get("after") or None
    if after is not None and not is_id(after):
        abort(404)
    page = ledger.list_dwellings(
        who.area,
        today,
        division=division,
        state=state,
        text=text,
        after=after,
        limit=ledger.DWELLINGS_PER_PAGE + 1,
        area_per_head_m2=per_head,
    )
    rows = page[: ledger.DWELLINGS_PER_PAGE]
    return render_template(
        "board.html",
        board=ledger.get_board(who.area, today, area_per_head_m2=per_head),
        dwellings=rows,
        more=rows[-1].id if len(page) > len(rows) else None,
        opened=opened,
        units=ledger.list_units(who.area, opened.id, today, area_per_head_m2=per_head) if opened else (),
        filters={"division": division, "state": state, "text": text or None, "after": after},
        may_print_sheets=may("door_sheets.sheet"),
        may_count=may("ledger.headcount", "POST"),
        now=world().clock.now(),
    )
