"""What other offices have reported about oneself: confirm or object before it counts."""

from __future__ import annotations

from typing import Any

from backend.services import reported_answers
from mobile_api.api.callers import me, world
from mobile_api.api.contract import Blueprint
from mobile_api.api.schemas.reported import ReportedAnswer, ReportedShown

blueprint = Blueprint("reported", "其他部门通报的变动", "Changes reported by other offices")


@blueprint.get("/me/reported-changes")
@blueprint.etag
@blueprint.response(200, ReportedShown(many=True))
def list_reported() -> Any:
    """List what other offices have reported about oneself, one's children or units; newest first.

    查看其他部门通报的、与本人、孩子或房屋有关的变动。
    """
    return reported_answers.list_reported(world(), account_id=me())


@blueprint.put("/me/reported-changes/<id:change_id>/answer")
@blueprint.arguments(ReportedAnswer)
@blueprint.response(200, ReportedShown)
@blueprint.refuses("not_found", "report.settled")
def answer_reported(body: dict[str, Any], change_id: str) -> Any:
    """Confirm a change, which then counts, or object: then a person decides. Without an answer nothing about a person
    counts.

    确认一项变动，或提出异议由工作人员决定；不答复的，与个人有关的变动不会自动生效。
    """
    return reported_answers.answer_reported(world(), account_id=me(), change_id=change_id, **body)
