"""Electronic keys, credentials and unlock commands."""

from __future__ import annotations

from backend.domain.keys import GROUNDS, STATE_NAMES
from backend.domain.visitors import CONSENT_NAMES, PURPOSES
from mobile_api.api.schemas.base import FieldProblem, Input, Output
from mobile_api.api.schemas.fields import Choice, Day, Flag, Id, Moment, Part, Several, Text, Whole
from mobile_api.api.schemas.locks import PRESENCES

THUMBPRINT = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
COMMAND_STATES = ("queued", "sent", "accepted", "executed", "refused", "expired", "unknown")


class DoorShown(Output):
    lock_id = Id("门锁编号", "Id of the lock")
    presence = Choice("在线状态", "Presence of the lock", "online", PRESENCES)
    last_seen_at = Moment("最近联系", "Last heard from at", allow_none=True)
    confirmed_at = Moment("门锁确认时间", "When the lock confirmed the present state of the key", allow_none=True)
    exposure_until = Moment(
        "最晚可能仍能开门", "Latest moment at which this door could still open", None, allow_none=True
    )


class WindowShown(Output):
    days = Text("星期（1 为周一，7 为周日）", "ISO weekdays as digits", "25")
    start = Whole("开始（当日第几分钟）", "First minute of the day (China)", 540)
    end = Whole("结束（当日第几分钟，不含）", "End, not included", 660)


class KeyShown(Output):
    id = Id("钥匙编号", "Id of the key")
    state = Choice("状态", "State", "active", STATE_NAMES)
    kind = Choice("种类", "Kind", "occupant", ("occupant", "visitor"))
    lease_id = Id("租约编号", "Id of the lease; a visitor's key has none", allow_none=True)
    unit_id = Id("房间编号", "Id of the unit")
    unit_alias = Text("房间", "Unit", "陈塘村 12 号 201")
    phone_thumbprint = Text(
        "绑定手机的公钥指纹", "Thumbprint (RFC 7638) of the phone it is bound to", THUMBPRINT, allow_none=True
    )
    starts_on = Day("生效日", "First day")
    ends_on = Day(
        "约定结束日", "Planned last day; without a check-out the key stays alive", "2027-11-22", allow_none=True
    )
    epoch = Whole("住期", "Occupancy epoch", 1)
    state_reason = Text("原因", "Why it is in this state", None, allow_none=True)
    doors = Several(Part(DoorShown, "门", "A door"), "门", "Doors")
    purpose = Choice("来访用途（临时钥匙）", "What a visitor's key is for", "repair", PURPOSES, allow_none=True)
    windows = Several(Part(WindowShown, "每周时段", "A weekly window"), "每周时段", "Weekly windows; none means always")
    uses = Whole("使用次数上限", "How often it may open", None, allow_none=True)
    used_up = Flag(
        "次数是否已用完；只告诉来访人和住户", "Whether no opening is left; told to visitor and occupants alone", False
    )
    consent = Choice("住户的答复", "What the occupants said of it", "not_needed", CONSENT_NAMES)
    ends_at = Moment("自动结束时间（临时钥匙）", "When a visitor's key ends by itself", None, allow_none=True)
    replaces_id = Id("所替换的钥匙（换手机）", "The key of the lost phone it stands for", allow_none=True)
    version = Whole("版本", "Version", 3)


class KeyChange(Input):
    state = Choice("要变成的状态", "State wanted", "suspended", ("active", "suspended", "revoked"), required=True)
    ground = Choice(
        "依据；住户的钥匙必填", "Ground; needed for an occupant's key", "both_agreed", GROUNDS, allow_none=True
    )


class PublicKey(Output):
    kty = Text("种类", "Kind", "EC")
    crv = Text("曲线", "Curve", "P-256")
    x = Text("横坐标", "X coordinate", "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU")
    y = Text("纵坐标", "Y coordinate", "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0")


class DoorCredential(Output):
    lock_id = Id("门锁编号", "Id of the lock")
    lock_key = Part(PublicKey, "门锁的公钥", "Public key (JWK) of the lock, by which the phone knows it")
    credential = Text("开门凭证", "Credential (`ekey+jwt`)", "eyJ0eXAiOiJla2V5K2p3dCJ9.e30.c2ln", most=8000)
    revocations = Text(
        "停用清单",
        "Signed revocation list to carry to the lock",
        "eyJ0eXAiOiJyZXZvY2F0aW9uK2p3dCJ9.e30.c2ln",
        most=20000,
    )


class CredentialShown(Output):
    key_id = Id("钥匙编号", "Id of the key")
    doors = Several(Part(DoorCredential, "门", "A door"), "每扇门的凭证", "What opens each door")
    activation = Text(
        "身份激活令牌",
        "Activation token (`activation+jwt`), shown together with the credential; a visitor needs none",
        "eyJ0eXAiOiJhY3RpdmF0aW9uK2p3dCJ9.e30.c2ln",
        most=8000,
        allow_none=True,
    )
    expires_at = Moment("凭证到期", "End of the credential; fetch it again before", "2026-11-30T06:30:00+00:00")


class TimeWanted(Input):
    lock_id = Id("门锁编号", "Id of the lock", required=True)
    nonce = Text(
        "门锁刚说的随机数",
        "Nonce the lock has just said (claim `nonce` of M2)",
        "AAECAwQFBgcICQoLDA0ODw",
        least=22,
        most=22,
        required=True,
    )


class TimeShown(Output):
    time = Text(
        "签名的时间", "Signed time (`locktime+jwt`), 30 s", "eyJ0eXAiOiJsb2NrdGltZStqd3QifQ.e30.c2ln", most=2000
    )


class LockReport(Input):
    lock_id = Id("门锁编号", "Id of the lock", required=True)
    items = Several(
        Text("一份加密记录", "One item, as the lock gave it (M5)", "AAECAwQFBgcICQoLDA0ODw", most=16_384),
        "从门锁领取的加密记录，最多 8 份；手机读不出内容",
        "Sealed items as the lock gave them, 8 at most; the phone cannot read them",
        required=True,
    )


class ReportTaken(Output):
    lock_id = Id("门锁编号", "Id of the lock")
    ack = Text(
        "给门锁的回执，下次开门时带去",
        "Acknowledgement (`lockack+jwt`) for the lock, to be carried with the next opening (`ack` of M3)",
        "eyJ0eXAiOiJsb2NrYWNrK2p3dCJ9.e30.c2ln",
        most=2_000,
    )
    refused = Several(
        Part(FieldProblem, "未采用的一份", "An item that was not taken"),
        "未采用的记录，丢掉即可",
        "Items that were not taken; they may be thrown away",
    )


class CommandShown(Output):
    id = Id("指令编号", "Id of the command")
    state = Choice(
        "状态", "State; `unknown` is an honest answer, resolved by the lock's own event", "executed", COMMAND_STATES
    )
    reason = Text("原因", "Reason of a refusal", None, allow_none=True)
    created_at = Moment("发出时间", "Asked at")
    answered_at = Moment("答复时间", "Answered at", allow_none=True)


class CommandWait(Input):
    wait_s = Whole("最多等待秒数", "Wait at most so many seconds for the answer", 3, most=3, query=True, load_default=0)
