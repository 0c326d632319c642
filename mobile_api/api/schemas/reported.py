"""Changes that other offices have reported."""

from __future__ import annotations

from backend.domain.reported import STATE_NAMES
from mobile_api.api.schemas.base import Input, Output
from mobile_api.api.schemas.fields import Choice, Flag, Id, Moment, Part, Several, Text


class ReportedField(Output):
    field = Text("字段", "Field", "address.road")
    name_zh = Text("字段名", "Its name in Chinese", "道路")
    name_en = Text("字段英文名", "Its name", "road")
    value = Text("通报的内容", "What was reported; a number with its ends only", "新陈塘路")


class ReportedShown(Output):
    id = Id("变动编号", "Id of the change")
    kind = Text("种类", "Kind", "cn.anju.address.renumbered")
    kind_zh = Text("种类（中文）", "Kind in Chinese", "地址库变更")
    kind_en = Text("种类（英文）", "Kind in English", "address base renumbered")
    office_zh = Text("通报单位", "Who reported it, in Chinese", "长兴县地名办")
    office_en = Text("通报单位（英文）", "Who reported it", "Changxing address office")
    received_at = Moment("收到时间", "Received at")
    due_at = Moment("答复期限", "To be answered by", allow_none=True)
    state = Choice("状态", "State", "shown", tuple(STATE_NAMES))
    state_zh = Text("状态（中文）", "State in Chinese", "等待当事人确认")
    state_en = Text("状态（英文）", "State in English", "Waits for those it concerns")
    may_answer = Flag("是否可以答复", "Whether one can confirm or object")
    registration_id = Id("登记编号", "Id of the registration it is about", allow_none=True)
    unit_alias = Text("房间", "The unit it is about", "陈塘路 9 号 101", allow_none=True)
    about = Text("关于哪个孩子", "The child it is about; none: oneself", None, allow_none=True)
    fields = Several(Part(ReportedField, "字段", "A field"), "通报的内容", "What was reported")  # type: ignore[assignment]


class ReportedAnswer(Input):
    accept = Flag("是否属实", "Whether it is right", True, required=True)
