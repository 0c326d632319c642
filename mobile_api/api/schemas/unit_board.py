"""Many units at once: the board's page, and tenants who are late to declare."""

from __future__ import annotations

from backend.domain.landlord_board import STATES
from mobile_api.api.schemas.base import Input, Output
from mobile_api.api.schemas.fields import Choice, Day, Flag, Id, Json, Part, Several, Text, Whole
from mobile_api.api.schemas.leases import Todo

UNIT = "01936f0c-7a10-7cc3-8d21-5f2b6a4c9e01"


class BoardWishes(Input):
    words = Text("门牌、房间或租约名", "Words of address, unit or lease", "陈塘路", most=60)
    state = Choice("状态", "State", "vacant", STATES)
    after = Id("从这个房间之后", "Go on after this unit (`next_after` of the page before)", UNIT)
    limit = Whole("每页条数", "How many", 20, least=1, most=100, query=True, load_default=20)


class BoardLease(Output):
    id = Id("租约编号", "Id of the lease")
    alias = Text("您对租客的称呼", "What you call the tenant", "小李")
    starts_on = Day("开始日期", "First day")
    ends_on = Day("结束日期", "Last day", allow_none=True)
    accepted = Flag("租客已接受", "Whether the tenant has accepted")
    declared = Flag("租客已申报", "Whether the tenant has declared")


class BoardUnit(Output):
    unit_id = Id("房间编号", "Id of the unit")
    alias = Text("房间", "Unit", "陈塘路12号 201")
    address = Text("标准地址", "Standard address", "浙江省湖州市长兴县太湖街道陈塘村陈塘路12号 201")
    state = Choice("状态", "State", "let", STATES)
    presence = Text("门锁联网情况，没有门锁为空", "The lock's presence, none without a lock", "online", allow_none=True)
    lease = Part(BoardLease, "最早开始的租约", "The running lease that began first", allow_none=True)


class UnitBoard(Output):
    units = Several(Part(BoardUnit, "房间", "A unit"), "本页房间", "The units of this page")
    counts = Json("各状态的房间数", "How many of each state", {"let": 12, "vacant": 3})
    total = Whole("找到的房间数", "How many were found", 15)
    next_after = Id("下一页从这个房间之后", "The next page goes on after this unit", allow_none=True)
    contested = Several(
        Text("房间", "Unit", "陈塘村 12 号 202"), "由工作人员核实的房间", "Units whose claim a person decides"
    )
    todos = Several(Part(Todo, "待办", "A task"), "待办，先到期的在前", "Tasks, the first due first")


class TodoWishes(Input):
    after = Text(
        "从这项待办之后", "Go on after this task (`next_after` of the page before)", "vacant.01936f0c", most=100
    )
    limit = Whole("每页条数", "How many", 50, least=1, most=200, query=True, load_default=50)


class TodoPage(Output):
    todos = Several(Part(Todo, "待办", "A task"), "本页待办", "The tasks of this page")
    total = Whole("待办总数", "How many there are", 3)
    next_after = Text("下一页从这项之后", "The next page goes on after this task", None, allow_none=True)


class LateTenant(Output):
    lease_id = Id("租约编号", "Id of the lease")
    unit_id = Id("房间编号", "Id of the unit")
    unit_alias = Text("房间", "Unit", "陈塘路12号 201")
    alias = Text("您对租客的称呼", "What you call the tenant", "小李")
    due_on = Day("申报期限", "Was to be declared by", "2026-11-26")
    reminded_on = Day("您上次提醒的日期", "Day of your last reminder", None, allow_none=True)


class LeasesChosen(Input):
    lease_ids = Several(Id("租约编号", "Id of a lease"), "提醒哪些租约的租客", "Whose tenants to remind", required=True)


class Reminded(Output):
    told = Whole("现在提醒的", "Told now", 12)
    told_before = Whole("今天已提醒过的", "Told today already", 1)
    not_needed = Whole("不需要提醒的", "Not late, or not there yet", 0)
