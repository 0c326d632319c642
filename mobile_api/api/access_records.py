"""Who looked at my data, and the inbox."""

from __future__ import annotations

from typing import Any

from backend.services import access_records, inbox
from mobile_api.api.callers import me, world
from mobile_api.api.contract import Blueprint
from mobile_api.api.paging import page_by_id
from mobile_api.api.schemas.access_records import AccessPage, NoticeShown
from mobile_api.api.schemas.base import Cursor

blueprint = Blueprint("access_records", "谁看过我的数据", "Who looked at my data")


@blueprint.get("/me/access-records")
@blueprint.arguments(Cursor, location="query")
@blueprint.response(200, AccessPage)
def list_access_records(query: dict[str, Any]) -> Any:
    """List who looked at one's data: office, badge pseudonym, purpose, case, fields; newest first.

    查看谁看过我的数据：单位、工号代称、用途、事项、字段。
    """
    return access_records.my_access_records(world(), account_id=me(), **query)


@blueprint.get("/me/notices")
@blueprint.etag
@blueprint.arguments(Cursor, location="query")
@blueprint.response_page(NoticeShown(many=True))
@blueprint.refuses("not_found")
def list_notices(query: dict[str, Any]) -> Any:
    """List the messages of the inbox, newest first.

    查看消息，新的在前。
    """
    limit = query["limit"]
    found = inbox.list_notices(world(), account_id=me(), before=query.get("before"), limit=limit + 1)
    return page_by_id(found, limit)


@blueprint.route("/me/notices/<id:notice_id>/read", methods=["PUT"], endpoint="mark_read")
@blueprint.response(204)
def mark_read(notice_id: str) -> None:
    """Mark a message as read.

    标记已读。
    """
    inbox.mark_read(world(), account_id=me(), notice_id=notice_id)
