"""Locks as the landlord sees them: health and safety, never comings and goings."""

from __future__ import annotations

from mobile_api.api.schemas.base import Input, Output
from mobile_api.api.schemas.fields import Choice, Flag, Id, Moment, Text, Whole

PRESENCES = ("online", "sleeping", "offline", "never")


class ClaimCode(Input):
    claim_code = Text(
        "锁身贴纸上的领取码", "Claim code on the lock's sticker", "ANJU-7K2M-Q9XD", most=40, required=True
    )


class LockClaimed(Output):
    lock_id = Id("门锁编号", "Id of the lock")
    unit_id = Id("房间编号", "Id of the unit")
    serial = Text("序列号", "Serial number", "S1-0001-000012")


class LockShown(Output):
    id = Id("门锁编号", "Id of the lock")
    serial = Text("序列号", "Serial number", "S1-0001-000012")
    model = Text("型号", "Model", "Anju S1")
    presence = Choice("在线状态", "Presence", "online", PRESENCES)
    last_seen_at = Moment("最近联系", "Last heard from at", allow_none=True)
    battery_percent = Whole("电量 %", "Battery in percent", 87, allow_none=True)
    door_state = Text(
        "门的安全状态", "Safety of the door: forced, ajar, jammed, or nothing to say", None, allow_none=True
    )
    firmware = Text("固件", "Firmware", "1.4.0", allow_none=True)
    stale = Flag("信息是否陈旧", "Whether this is old news", False)
    alarm = Text("告警", "Alarm", None, allow_none=True)


class LockHealth(Output):
    at = Moment("时间", "At")
    kind = Text("事件", "Kind of event", "battery.low")
    late = Flag("是否补报", "Whether it was reported late", False)


class DoorEvent(Output):
    at = Moment("时间", "At")
    kind = Text("事件", "Kind of event", "lock.unlocked")
    late = Flag("是否补报", "Whether it was reported late", False)
    by = Choice("哪种钥匙", "Which kind of key: your own, or a visitor's", "own", ("own", "visitor"))
