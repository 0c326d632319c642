"""The ledger board: village, dwelling, unit; aggregates only, no purpose needed."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, render_template, request
from werkzeug.wrappers import Response

from backend.console.live import live_answer, wants_parts
from backend.console.pages import acting, may, standard_today, world
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
def board() -> str | Response:
    """The board of the officer's area; `division`, `state`, `road`, `building`, `text` narrow it, `dwelling` opens one,
    `after` turns the page; the only one found by its address is opened.

    Asked for its parts, it answers those that change, with a tag.
    """
    wishes, opened, after = asked_wishes(), asked_dwelling(), asked_id("after")
    today, standard = world().clock.today(), standard_today()
    area = acting().area
    whole = ledger.get_board(area, today, standard=standard)
    by_village = wishes == ledger.ANYTHING and opened is None and len(whole.villages) > 1
    found = () if by_village else ledger.list_dwellings(
        area, today, wishes, after=after, limit=ledger.DWELLINGS_PER_PAGE + 1, standard=standard
    )  # fmt: skip
    rows = found[: ledger.DWELLINGS_PER_PAGE]
    if opened is None and wishes.text and len(rows) == 1:
        opened = rows[0]  # the one that was looked for
    shown: dict[str, Any] = {
        "board": ledger.narrow_board(whole, wishes.division),
        "dwellings": rows,
        "more": rows[-1].id if len(found) > len(rows) else None,
        "opened": opened,
        "units": ledger.list_units(area, opened.id, today, standard=standard) if opened else (),
        "by_village": by_village,
        "villages": {village.division: village.name for village in whole.villages},
        "filters": {
            "division": wishes.division, "state": wishes.state, "road": wishes.road, "building": wishes.building,
            "text": wishes.text or None, "after": after,
        },
        "may_print_sheets": may("door_sheets.sheet"),
        "may_count": may("ledger.headcount", "POST"),
    }  # fmt: skip
    if wants_parts():
        return live_answer(lambda: render_template("parts/board_live.html", **shown), *shown.values())
    return render_template(
        "board.html", **shown, roads=ledger.list_roads(area, wishes.division), now=world().clock.now()
    )


def asked_wishes() -> ledger.Wishes:
    """What the address narrows the list to. Aborts with 404 for an odd state; a foreign village is refused."""
    state, division = request.args.get("state") or None, asked_division()
    if state is not None and state not in UNIT_STATES:
        abort(404)
    words = {name: request.args.get(name, "").strip()[:40] for name in ("road", "building", "text")}
    return ledger.Wishes(division, state, words["road"] or None, words["building"] or None, words["text"])


def asked_division() -> str | None:
    """The village in the address; one outside the area is refused, and that is written down."""
    division = request.args.get("division") or None
    if division is not None and not covers(acting().area, division):
        refuse_outside(
            world(),
            session_id=acting().session_id,
            object_kind="division",
            object_id=division[:12],
            division=division,
        )
    return division


def asked_dwelling() -> ledger.DwellingRow | None:
    """The dwelling that the address opens; one outside the area is refused, and that is written down."""
    dwelling_id = asked_id("dwelling")
    if dwelling_id is None:
        return None
    found = ledger.find_dwelling(acting().area, dwelling_id, world().clock.today(), standard=standard_today())
    if found is None:
        refuse_outside(
            world(),
            session_id=acting().session_id,
            object_kind="dwelling",
            object_id=dwelling_id,
            division=ledger.find_division("dwelling", dwelling_id),
        )
    return found


def asked_id(name: str) -> str | None:
    """An id in the address; 404 for what is none."""
    value = request.args.get(name) or None
    if value is not None and not is_id(value):
        abort(404)
    return value
