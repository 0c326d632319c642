"""Visitors' keys: what is asked for, what landlord and occupants see of them."""

from __future__ import annotations

from backend.domain.visitors import EMERGENCIES, LATEST_MINUTE, MOST_USES, PURPOSES
from mobile_api.api.schemas.base import Input, Output
from mobile_api.api.schemas.fields import Choice, Day, Flag, Part, Several, Text, Whole
from mobile_api.api.schemas.keys import KeyShown
from mobile_api.api.schemas.leases import InvitationShown


class WindowAsked(Input):
    days = Text("星期（1 为周一，7 为周日）", "ISO weekdays as digits", "25", most=7, required=True)
    start = Whole("开始（当日第几分钟）", "First minute of the day (China)", 540, most=LATEST_MINUTE, required=True)
    end = Whole("结束（当日第几分钟，不含）", "End, not included", 660, least=1, most=LATEST_MINUTE, required=True)


class VisitorKeyAsked(Input):
    purpose = Choice("用途", "What for", "repair", PURPOSES, required=True)
    phone = Text(
        "来访人手机号（填写后不再显示）",
        "The visitor's phone, never shown again",
        "+86 199 0000 0003",
        most=32,
        required=True,
    )
    starts_on = Day(
        "生效日，不填为今天", "First day; without it today", "2026-11-23", allow_none=True, load_default=None
    )
    ends_on = Day(
        "最后一天；紧急情况不填", "Last day; none in an emergency", "2026-11-25", allow_none=True, load_default=None
    )
    sched = Several(
        Part(WindowAsked, "每周时段", "A weekly window"), "每周时段（06:00–22:00）", "Weekly windows", load_default=list
    )
    uses = Whole("使用次数", "How often it may open", 2, least=1, most=MOST_USES, allow_none=True, load_default=None)
    emergency = Choice("紧急情况（仅房东）", "Stated emergency, by the landlord alone", "water", EMERGENCIES,
                       allow_none=True, load_default=None)  # fmt: skip


class ConsentGiven(Input):
    agrees = Flag("是否同意", "Whether this occupant agrees", required=True)


class VisitorKeyShown(Output):
    key = Part(KeyShown, "钥匙", "The key")
    issuer_role = Choice("由谁发出", "Who issued it", "landlord", ("landlord", "tenant"))
    is_mine = Flag("是否本人发出", "Whether you issued it")
    emergency = Choice("紧急情况", "Stated emergency", "water", EMERGENCIES, allow_none=True)
    invitation = Part(InvitationShown, "链接（仅发出人可见）", "The link, for its issuer alone", allow_none=True)
    may_answer = Flag("是否等您同意", "Whether your consent is asked", False)
    may_end = Flag("您可否停用", "Whether you may end it")
