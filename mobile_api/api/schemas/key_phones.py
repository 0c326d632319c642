"""What phones do with keys: codes to type, a new phone, keys issued without network."""

from __future__ import annotations

from backend.domain.delegations import LONGEST_LIFE
from mobile_api.api.schemas.base import Input, Output
from mobile_api.api.schemas.fields import Day, Id, Json, Moment, Part, Several, Text, Whole
from mobile_api.api.schemas.keys import THUMBPRINT

JWK = {
    "kty": "EC",
    "crv": "P-256",
    "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
}
LOCK_ID = "01936f0c-7a10-7cc3-8d21-5f2b6a4c9e01"


class CodesAsked(Input):
    once = Whole(
        "再要几个一次性密码（每天共 10 个）", "How many one-time codes besides (10 a day)", 1, most=3, load_default=0
    )


class DayCode(Output):
    day = Day("日期", "Day (China)")
    code = Text("当日密码", "Code of that day", "40917263")


class CodesShown(Output):
    key_id = Id("钥匙编号", "Id of the key")
    lock_id = Text("门锁编号", "Id of the lock", LOCK_ID)
    days = Several(Part(DayCode, "一天的密码", "A day's code"), "每日密码，可离线保存", "Day codes, to keep offline")
    once = Several(Text("一次性密码", "A one-time code", "07716420"), "一次性密码", "One-time codes")
    once_on = Day("一次性密码在哪天有效", "Day on which the one-time codes are good (China)", None, allow_none=True)
    period = Text("整个有效期的密码（临时钥匙）", "Code for a visitor's whole period", None, allow_none=True)
    until = Moment("最晚有效至", "Good at the latest until", "2026-12-29T16:00:00+00:00")


class PhoneKey(Input):
    phone_jwk = Json("手机公钥（JWK，P-256）", "Public key of this phone (JWK, P-256)", JWK, required=True)


class RebindAsked(Output):
    reference = Text("事项编号", "Reference of the case", "AJ-20261123-0007")
    due_at = Moment("处理期限", "To be decided by", allow_none=True)
    decision = Text("处理结果", "Decision, once there is one", None, allow_none=True)


class ActivationShown(Output):
    activation = Text("身份激活令牌", "Activation token (`activation+jwt`)", "eyJ0eXAiOiJhY3QifQ.e30.c2ln", most=8000)
    expires_at = Moment("到期", "Good until", "2026-11-30T06:30:00+00:00")


class DelegateAsked(PhoneKey):
    days = Whole("有效天数", "For how many days", 2, least=1, most=LONGEST_LIFE.days, load_default=LONGEST_LIFE.days)


class DelegateShown(Output):
    id = Id("授权编号", "Id of the delegate")
    lock_id = Text("门锁编号", "Id of the lock", LOCK_ID)
    epoch = Whole("住期", "Occupancy epoch it issues for", 2)
    phone_thumbprint = Text("手机公钥指纹", "Thumbprint of the phone", THUMBPRINT)
    expires_at = Moment("到期", "Good until", "2026-11-26T06:30:00+00:00")
    ended_at = Moment("收回时间", "Taken back at", allow_none=True)
    token = Text(
        "授权令牌，仅发出时给出", "Delegate token (`delegate+jwt`), given once", "eyJ0eXAiOiJkIn0.e30.c2ln", most=8000,
        allow_none=True,
    )  # fmt: skip


class DelegatedKey(Input):
    credential = Text("房东手机签发的凭证", "Credential signed by the landlord's phone", "eyJ0eXAiOiJlIn0.e30.c2ln",
                      most=8192, required=True)  # fmt: skip
    delegate = Text("授权令牌", "Delegate token", "eyJ0eXAiOiJkIn0.e30.c2ln", most=4096, required=True)
