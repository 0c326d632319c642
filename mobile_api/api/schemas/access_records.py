"""Who looked at my data, and the inbox."""

from __future__ import annotations

from backend.domain.cases import STATE_NAMES
from backend.domain.look_questions import QUESTIONS
from backend.domain.notice_kinds import KINDS, PLACES, TOPICS
from mobile_api.api.schemas.base import Input, Output
from mobile_api.api.schemas.fields import Choice, Day, Flag, Id, Json, Moment, Part, Several, Text, Whole


class QuestionAsked(Input):
    question = Choice("问什么", "What is asked", "why", tuple(QUESTIONS), required=True)


class QuestionShown(Output):
    code = Choice("问了什么", "What was asked", "why", tuple(QUESTIONS))
    reference = Text("事项编号", "Case", "AJ-20261123-0007")
    state = Choice("进度", "Where it is", "routed", tuple(STATE_NAMES))
    asked_at = Moment("提问时间", "Asked at")
    due_at = Moment("最迟答复", "Answered by", None, allow_none=True)
    decision = Text("答复", "Answer", None, allow_none=True)
    reason = Text("理由", "Reason of the answer", None, allow_none=True)
    decided_at = Moment("答复时间", "Answered at", None, allow_none=True)


class AccessShown(Output):
    id = Id("记录编号", "Id of the record")
    at = Moment("时间", "At")
    office = Text("单位", "Office", "太湖派出所", allow_none=True)
    office_en = Text("单位英文名", "Office in English", "Taihu police station", allow_none=True)
    role = Text("岗位", "Role", "precinct_officer", allow_none=True)
    badge = Text("工号代称", "Pseudonym of the badge", "P-7F3A", allow_none=True)
    purpose = Text("用途", "Purpose", "registration_check", allow_none=True)
    case_ref = Text("事项编号", "Case", None, allow_none=True)
    actor = Choice("谁", "Who looked", "officer", ("officer", "registry", "operator", "office", "system"))
    action = Text("动作", "What was done", "view_unit")
    about = Text("关于哪个孩子", "The child it is about; none: oneself", None, allow_none=True)
    decision = Text("决定", "What was decided", None, allow_none=True)
    question = Part(QuestionShown, "本人的提问", "What was asked about it", allow_none=True)
    fields = Several(Text("字段", "Field", "name"), "看到的内容", "Which were seen")  # type: ignore[assignment]


class AccessPage(Output):
    items = Several(Part(AccessShown, "一次查看", "One look"), "记录", "Records, newest first")
    next = Text("下一页游标", "Cursor of the next page", None, allow_none=True)


class NoticeShown(Output):
    id = Id("消息编号", "Id of the message")
    kind = Text("种类", "Kind", "key_active")
    topic = Choice("主题", "Topic; see /me/notifications", "progress", tuple(TOPICS))
    opens = Choice("打开什么", "What it is about; the ids stand in params", "key", tuple(PLACES))
    rule = Text("法规编号", "Legal rule", None, allow_none=True)
    params = Json("参数", "Parameters", {"unit": "陈塘村 12 号 201"})
    at = Moment("时间", "At")
    read_at = Moment("已读时间", "Read at", None, allow_none=True)
    title_zh = Text("标题", "Title in Chinese", "钥匙已可用")
    title_en = Text("英文标题", "Title", "Your key works")
    text_zh = Text("内容", "Text in Chinese", "陈塘村 12 号 201 的钥匙现在可以开门。")
    text_en = Text("英文内容", "Text", "The key to Chentang 12, 201 opens now.")


class InboxLineShown(Output):
    notice = Part(NoticeShown, "最新的一条", "The message, the newest of many")
    count = Whole("合并的条数", "How many of this kind and day the line stands for", 1)
    unread = Whole("其中未读", "Unread ones among them", 1)
    day = Day("日期", "The day in China", "2026-11-24")


class InboxShown(Output):
    unread = Whole("未读条数", "Unread messages", 1)
    lines = Several(Part(InboxLineShown, "一行", "A line"), "收件箱", "Lines, newest first")
    next = Text("下一页游标", "Cursor of the next page", None, allow_none=True)


class WhichNotices(Input):
    kind = Choice("只标这一类", "Only of this kind", "report_due", tuple(KINDS))
    day = Day("只标这一天", "Only of this day in China", "2026-11-24")


class NoticesRead(Output):
    read = Whole("标为已读的条数", "How many were unread", 3)


class TopicShown(Output):
    code = Choice("主题", "Topic", "permits", tuple(TOPICS))
    zh = Text("中文", "Chinese", "居住证提醒")
    en = Text("英文", "English", "Residence permit")
    hint_zh = Text("说明", "What belongs to it, in Chinese", "可以申领的日期、签注的时间。")
    hint_en = Text("英文说明", "What belongs to it", "The day from which you can ask for it, and its endorsement.")
    may_be_silenced = Flag("是否可以关闭", "Whether it may be silenced", True)
    silenced = Flag("是否已关闭", "Whether it is", False)


class TopicsSilenced(Input):
    topics = Several(
        Choice("主题", "Topic", "permits", tuple(TOPICS)), "要关闭的主题", "Topics to silence", required=True
    )


class CodeRow(Output):
    code = Text("代码", "Code", "204")
    zh = Text("中文", "Chinese", "务工")
    en = Text("英文", "English", "Work")
    allowed = Flag("是否可用", "Whether it may be chosen")


class CodeTables(Output):
    document_types = Several(Part(CodeRow, "一行", "A row"), "证件类型", "Document types")
    space_kinds = Several(Part(CodeRow, "一行", "A row"), "空间种类", "Kinds of space")
    right_kinds = Several(Part(CodeRow, "一行", "A row"), "出租权利", "Rights to let")
    reasons_of_stay = Several(Part(CodeRow, "一行", "A row"), "居住事由", "Reasons of stay")
    check_out_reasons = Several(Part(CodeRow, "一行", "A row"), "离开事由", "Reasons of leaving")
