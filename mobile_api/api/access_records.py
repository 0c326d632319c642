"""Who looked at my data, and the inbox."""

from __future__ import annotations

from typing import Any

from backend.services import access_records, inbox, look_questions
from mobile_api.api.callers import me, world
from mobile_api.api.contract import Blueprint
from mobile_api.api.paging import page_by_id
from mobile_api.api.schemas.access_records import (
    AccessPage,
    AccessShown,
    InboxShown,
    NoticeShown,
    NoticesRead,
    QuestionAsked,
    QuestionShown,
    TopicShown,
    TopicsSilenced,
    WhichNotices,
)
from mobile_api.api.schemas.base import Cursor

blueprint = Blueprint("access_records", "谁看过我的数据", "Who looked at my data")


@blueprint.get("/me/access-records")
@blueprint.etag
@blueprint.arguments(Cursor, location="query")
@blueprint.response(200, AccessPage)
def list_access_records(query: dict[str, Any]) -> Any:
    """List who looked at one's data: office, badge pseudonym, purpose, case, fields; newest first.

    查看谁看过我的数据：单位、工号代称、用途、事项、字段。
    """
    return access_records.my_access_records(world(), account_id=me(), **query)


@blueprint.post("/me/access-records/<id:record_id>/question")
@blueprint.arguments(QuestionAsked)
@blueprint.response(200, QuestionShown)
@blueprint.refuses("not_found")
def ask_about_look(body: dict[str, Any], record_id: str) -> Any:
    """Ask about one look at one's data; the answer comes as a message. Asked again, the first question is answered.

    对一次查看提问；答复会发到消息里。重复提问返回第一次的。
    """
    return look_questions.ask_about_look(world(), account_id=me(), record_id=record_id, **body)


@blueprint.get("/me/access-records/<id:record_id>")
@blueprint.etag
@blueprint.response(200, AccessShown)
@blueprint.refuses("not_found")
def get_access_record(record_id: str) -> Any:
    """Show one look at one's data, with what was asked and answered about it.

    查看一次访问记录，以及提问和答复。
    """
    return access_records.find_access_record(world(), account_id=me(), record_id=record_id)


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


@blueprint.get("/me/inbox")
@blueprint.etag
@blueprint.arguments(Cursor, location="query")
@blueprint.response(200, InboxShown)
@blueprint.refuses("not_found")
def show_inbox(query: dict[str, Any]) -> Any:
    """Show the inbox as the pages do: how many are unread; more than three of one kind and day are one line.

    查看收件箱：未读条数；同一天同类消息超过三条合并为一行。
    """
    limit = query["limit"]
    lines = inbox.list_lines(world(), account_id=me(), before=query.get("before"), limit=limit + 1)
    following = lines[limit - 1].notice.id if len(lines) > limit else None
    return {"unread": inbox.count_unread(world(), account_id=me()), "lines": lines[:limit], "next": following}


@blueprint.route("/me/notices/read", methods=["PUT"], endpoint="mark_all_read")
@blueprint.arguments(WhichNotices)
@blueprint.response(200, NoticesRead)
def mark_all_read(body: dict[str, Any]) -> Any:
    """Mark all messages as read, or those of one kind and day.

    全部标为已读，或只标某一天某一类。
    """
    return {"read": inbox.mark_all_read(world(), account_id=me(), **body)}


@blueprint.get("/me/notifications")
@blueprint.etag
@blueprint.response(200, TopicShown(many=True))
def list_topics() -> Any:
    """List the topics one is told of, and which of them may be silenced.

    查看提醒的种类，以及哪些可以关闭。
    """
    return inbox.list_topics(world(), account_id=me())


@blueprint.route("/me/notifications", methods=["PUT"], endpoint="silence_topics")
@blueprint.arguments(TopicsSilenced)
@blueprint.response(200, TopicShown(many=True))
@blueprint.refuses("notices.duty", "input.not_one_of")
def silence_topics(body: dict[str, Any]) -> Any:
    """Silence exactly these topics; what the law has one told of cannot be.

    关闭这些种类的提醒；依法要告知的不能关闭。
    """
    return inbox.silence_topics(world(), account_id=me(), topics=body["topics"])


@blueprint.route("/me/notices/<id:notice_id>/read", methods=["PUT"], endpoint="mark_read")
@blueprint.response(204)
def mark_read(notice_id: str) -> None:
    """Mark a message as read.

    标记已读。
    """
    inbox.mark_read(world(), account_id=me(), notice_id=notice_id)
