"""The calls under /v1: the feed with a cursor, the inbound door for changes, and one's own agreement."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, jsonify, request

from backend.domain.refusals import Refused
from backend.domain.sharing import MOST_PER_PAGE
from backend.offices.door import office, world
from backend.services.office_pulls import get_own_agreement, pull_changes
from backend.services.reported_changes import ReportView, get_report, receive_change
from backend.wire.cloud_events import CONTENT_TYPE
from backend.wire.registry_messages import write_time

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


@blueprint.post("/changes")
def report() -> tuple[Response, int]:
    """Take one change that the office reports (a CloudEvent, its id the office's own); taken is not yet counted."""
    if request.mimetype != CONTENT_TYPE:
        raise Refused("input.not_one_of", "Content-Type", allowed=(CONTENT_TYPE,))
    taken = receive_change(world(), agreement_id=office().agreement_id, body=request.get_data())
    answer = _answer(taken)
    answer.headers["Location"] = f"/v1/changes/{taken.id}"
    return answer, 202


@blueprint.get("/changes/<uuid:change_id>")
def reported(change_id: UUID) -> Response:
    """What became of a change the office has reported: shown, unmatched, counted or refused."""
    return _answer(get_report(world(), agreement_id=office().agreement_id, change_id=str(change_id)))


def _answer(view: ReportView) -> Response:
    return jsonify(
        {
            "change": view.id,
            "id": view.office_change_id,
            "type": view.kind,
            "received_at": write_time(view.received_at),
            "state": view.state,
            "decided_at": None if view.decided_at is None else write_time(view.decided_at),
        }
    )


def _whole(name: str, default: int, least: int, most: int) -> int:
    text = request.args.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) < 20 and least <= int(text) <= most):
        raise Refused("input.wrong_type", name, expected=f"{least}–{most}")
    return int(text)
