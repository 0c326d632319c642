"""The calls under /v1: the feed with a cursor, and one's own agreement."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask import Blueprint, Response, jsonify, request

from backend.domain.refusals import Refused
from backend.domain.sharing import MOST_PER_PAGE
from backend.offices.door import office, world
from backend.services.office_pulls import get_own_agreement, pull_changes

blueprint = Blueprint("calls", __name__, url_prefix="/v1")
PER_PAGE = 100


@blueprint.get("/agreement")
def agreement() -> Response:
    """What the office may be told and may report, until when."""
    view = asdict(get_own_agreement(world(), agreement_id=office().agreement_id))
    for name in ("starts_on", "ends_on", "changed_at"):
        view[name] = view[name].isoformat()
    return jsonify(view)


@blueprint.get("/changes")
def changes() -> Response:
    """The agreed changes after `cursor` (0 at first), oldest first, at most `limit` (500)."""
    page = pull_changes(
        world(),
        agreement_id=office().agreement_id,
        cursor=_whole("cursor", 0, 0, 2**62),
        limit=_whole("limit", PER_PAGE, 1, MOST_PER_PAGE),
    )
    body: dict[str, Any] = {
        "events": [event.as_json() for event in page.events],
        "next": str(page.next),
        "more": page.more,
    }
    return jsonify(body)


def _whole(name: str, default: int, least: int, most: int) -> int:
    text = request.args.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) < 20 and least <= int(text) <= most):
        raise Refused("input.wrong_type", name, expected=f"{least}–{most}")
    return int(text)
