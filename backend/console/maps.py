"""The map of a village's dwellings, beside the same dwellings as a list; shapes from the address base, no tiles."""

from __future__ import annotations

import json
from typing import Any

from flask import Blueprint, render_template, url_for
from werkzeug.wrappers import Response

from backend.console import words
from backend.console.ledger import asked_division
from backend.console.live import live_answer
from backend.console.pages import acting, standard_today, world
from backend.queries import ledger

pages = Blueprint("maps", __name__)

MOST_ON_MAP = 2_000  # a village has some hundreds; more would be neither read nor drawn in time


@pages.get("/ledger/map")
def show() -> str:
    """The page: the list of a village's dwellings, which works alone, and the map that draws them."""
    villages = ledger.list_villages(acting().area)
    division = asked_division() or (villages[0].division if villages else None)
    rows = _dwellings(division)
    placed = [row.place for row in rows if row.place is not None]
    return render_template(
        "map.html",
        villages=villages,
        division=division,
        dwellings=rows,
        placed=len(placed),
        datums=sorted({place.datum for place in placed}),
        now=world().clock.now(),
    )


@pages.get("/ledger/shapes")
def shapes() -> Response:
    """The dwellings as GeoJSON features with their state, in the coordinates of the address base; its tag for 304."""
    rows = _dwellings(asked_division())
    answer = live_answer(lambda: json.dumps(_collection(rows), ensure_ascii=False, separators=(",", ":")), rows)
    answer.mimetype = "application/geo+json"
    return answer


def _dwellings(division: str | None) -> tuple[ledger.DwellingRow, ...]:
    return ledger.list_dwellings(
        acting().area,
        world().clock.today(),
        ledger.Wishes(division=division),
        limit=MOST_ON_MAP,
        standard=standard_today(),
    )


def _collection(rows: tuple[ledger.DwellingRow, ...]) -> dict[str, Any]:
    return {"type": "FeatureCollection", "features": [_feature(row, row.place) for row in rows if row.place]}


def _feature(row: ledger.DwellingRow, place: ledger.Place) -> dict[str, Any]:
    state = words.phrase(words.TABLES["UNIT_STATES"], row.state)
    geometry: dict[str, Any] = {"type": "Point", "coordinates": [place.longitude, place.latitude]}
    if place.outline:
        geometry = {"type": "Polygon", "coordinates": [place.outline]}
    properties = {
        "id": row.id, "address": row.address, "door": row.door, "state": row.state, "state_word": state,
        "point": [place.longitude, place.latitude], "datum": place.datum, "units": row.counts.units,
        "href": url_for("ledger.board", dwelling=row.id),
    }  # fmt: skip
    return {"type": "Feature", "id": row.id, "geometry": geometry, "properties": properties}
