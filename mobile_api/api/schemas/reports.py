"""Reports and requests for help."""

from __future__ import annotations

from typing import Any

from backend.domain.case_kinds import KINDS, OFFICES, REASON_NAMES
from backend.domain.case_reports import RATING_REASONS, REPORTED, REPORTS, SIDES, WORDS_MOST
from mobile_api.api.schemas.base import Input, Output
from mobile_api.api.schemas.fields import Choice, Flag, Id, Moment, Part, Several, Text, Whole

STATES = ("routed", "assigned", "answered", "rated")
ACTIONS = ("report", "route", "claim", "visit", "decide", "answer", "rate", "reopen")
FACTS = tuple(fact for kind in REPORTS.values() for fact in kind.facts)
DECISIONS = tuple(dict.fromkeys(code for kind in REPORTED for code in KINDS[kind].decisions))
REFERENCE = "AJ-20261123-0007"
UNIT = "陈塘路 9 号 101"


class PlaceWish(Input):
    side = Choice("以谁的身份", "As whom", "tenant", SIDES, load_default="tenant")
    kind = Choice(
        "种类：登记信息有误时也列出以前的住处",
        "Kind: for a question about data former homes are listed too",
        "data_question",
        tuple(REPORTS),
    )


class PlaceShown(Output):
    unit_no = Text("房间编号", "Public number of the unit", "U-TEST0101")
    unit_alias = Text("房间", "Unit", UNIT)


class ReportFiled(Input):
    unit_no = Text("房间编号（门牌二维码）", "Public number of the unit, as on its door", "U-TEST0101", required=True)
    kind = Choice("种类", "Kind", "unsafe_dwelling", tuple(REPORTS), required=True)
    facts = Several(
        Choice("情况", "What is wrong", "wires_bare", FACTS),
        "情况，至少一项",
        "Facts of that kind, at least one",
        required=True,
    )
    words = Text(
        "补充说明：只写房屋或门锁，不写任何人",
        "About the thing, never about a person; no long numbers",
        "厨房插座旁边的电线露在外面。",
        most=WORDS_MOST,
        allow_none=True,
    )
    call_back = Flag("希望电话联系", "Whether to be called back", False)


class ReportStepShown(Output):
    action = Choice("步骤", "What happened", "claim", ACTIONS)
    state = Choice("之后的状态", "State after it", "assigned", STATES + ("reported",))
    at = Moment("时间；走访为走访的时间", "At; of a visit, when it was made")
    office_zh = Text("走访人员所在的部门（中文）", "Of a visit: whose office, in Chinese", None, allow_none=True)
    office_en = Text("走访人员所在的部门（英文）", "Of a visit: whose office", None, allow_none=True)


class SentShown(Output):
    phone_masked = Text("您选的人", "The chosen person; null: nobody was chosen", "139******07", allow_none=True)
    with_address = Flag("短信是否含住址", "Whether the message tells the address", False)
    state = Choice("短信状态", "State of the message", "sent", ("none", "waiting", "sent", "failed"))
    times = Whole("发送次数", "How often", 1)
    last_at = Moment("最近一次", "Last at", allow_none=True)


class ReportLineShown(Output):
    id = Id("反映编号", "Id of the report")
    reference = Text("事项编号", "Reference, to be quoted", REFERENCE)
    kind = Choice("种类", "Kind", "unsafe_dwelling", REPORTED)
    unit_alias = Text("房间", "Unit", UNIT, allow_none=True)
    office = Choice("承办部门", "Entitled office", "housing_office", tuple(OFFICES))
    office_zh = Text("承办部门（中文）", "Its name in Chinese", "住房管理部门")
    office_en = Text("承办部门（英文）", "Its name", "Housing office")
    state = Choice("状态", "State", "assigned", STATES)
    opened_at = Moment("提出时间", "Reported at")
    due_at = Moment("最迟", "To be handled by", allow_none=True)
    answered_at = Moment("答复时间", "Answered at", allow_none=True)

    def get_attribute(self, obj: Any, attr: str, default: Any) -> Any:
        """The office in words comes from the domain's table."""
        if attr in ("office_zh", "office_en"):
            return OFFICES[obj.office][attr == "office_en"]
        return super().get_attribute(obj, attr, default)


class ReportShown(ReportLineShown):
    facts = Several(Choice("情况", "A fact", "wires_bare", FACTS), "情况", "Facts")
    words = Text("您写的", "What you wrote", "厨房插座旁边的电线露在外面。", allow_none=True)
    call_back = Flag("希望电话联系", "Whether to be called back", False)
    rule = Text("法规编号", "Legal rule", "HR-7", allow_none=True)
    decision = Choice("处理结果", "Outcome", "handled", DECISIONS, allow_none=True)
    decision_reason = Choice("理由", "Reason of the outcome", "mended", tuple(REASON_NAMES), allow_none=True)
    answer = Text("答复", "Answer, once checked", "已请电工更换线路。", allow_none=True)
    stars = Whole("评价", "Rating, 1 to 5", 5, allow_none=True)
    stars_reason = Choice("评价原因", "Why", "solved", tuple(RATING_REASONS), allow_none=True)
    may_rate = Flag("可以评价", "Whether it can be rated now", False)
    may_reopen = Flag("可以重新办理", "Whether it can be reopened now", False)
    is_reopened = Flag("重新办理过", "Whether it was reopened once", False)
    steps = Several(Part(ReportStepShown, "步骤", "A step"), "经过", "History")
    sent = Part(SentShown, "求助短信", "Of a request for help: what went to whom", allow_none=True)


class Rating(Input):
    stars = Whole("1 到 5", "1 to 5", 5, least=1, most=5, required=True)
    reason = Choice("原因（可不填）", "Why, optional", "solved", tuple(RATING_REASONS), allow_none=True)


class Reopening(Input):
    words = Text("还有什么没解决", "What is left", "雨天又跳闸。", most=WORDS_MOST, allow_none=True)


class HelpContactChosen(Input):
    phone = Text("要通知的人的手机号", "Whom to tell", "+8613900000001", most=40, required=True)
    with_address = Flag("短信里写上住址", "Whether the message tells the address", False)


class HelpContactShown(Output):
    phone_masked = Text("手机号（遮盖）", "Number, masked", "139******01")
    with_address = Flag("短信里写上住址", "Whether the message tells the address", False)
    text = Text("会发出的短信", "The very words that would be sent", "【安居】手机尾号 0007 的人向您求助……")
