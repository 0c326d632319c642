"""Words of the pages that depend on the language: picks from the domain's tables, dates, phones of locks.

The domain's tables hold both languages; texts of the pages themselves are Chinese message ids with an English
catalogue.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from flask_babel import format_date, format_datetime, gettext
from flask_babel import lazy_gettext as _l

from backend.domain import documents, keys, leases, officers, purposes, registrations, rules, spaces
from backend.domain.notices import NoticeText
from backend.domain.refusals import Refusal
from backend.web import language

PRESENCE = {
    "online": ("good", "wifi", _l("在线")),
    "sleeping": ("plain", "moon", _l("休眠中，按一下门锁即可唤醒")),
    "offline": ("bad", "wifi-off", _l("离线")),
    "never": ("plain", "wifi-off", _l("尚未联网")),
}
UNIT_STATES = {
    "let": ("good", "check", _l("在租")),
    "awaiting": ("going", "clock", _l("待入住")),
    "vacant": ("plain", "door", _l("无在租")),
    "lock_offline": ("bad", "wifi-off", _l("锁离线")),
}
KEY_SIGNS = {
    "draft": ("plain", "pencil"),
    "invited": ("going", "send"),
    "claimed": ("going", "clock"),
    "active": ("good", "check"),
    "suspended": ("bad", "pause"),
    "revoking": ("going", "clock"),
    "revoked": ("plain", "stop"),
}
REGISTRATION_SIGNS = {
    "invited": ("plain", "send"),
    "draft": ("going", "pencil"),
    "declared": ("going", "clock"),
    "sent": ("going", "clock"),
    "registered": ("good", "check"),
    "rejected": ("bad", "alert"),
    "not_sent": ("plain", "check"),
    "foreign_path": ("plain", "alert"),
    "disputed": ("bad", "person"),
    "moved_out": ("plain", "check"),
    "voided": ("plain", "stop"),
}
INVITATION_STATES = {
    "pending": ("going", "send", _l("等待租客打开")),
    "accepted": ("good", "check", _l("已接受")),
    "cancelled": ("plain", "stop", _l("已取消")),
    "expired": ("bad", "clock", _l("已过期")),
}
IDENTITY_PROGRESS = {
    "open": _l("未完成"),
    "attested": _l("已见证，待复核"),
    "verified": _l("已核验"),
    "review": _l("工作人员核验中"),
}
TODOS = {
    "claim_lock": _l("领取门锁"),
    "lock_offline": _l("门锁离线，请看一下"),
    "report_tenant": _l("报告租客"),
    "invite": _l("邀请租客"),
    "attest": _l("租客的身份待核验，您可以当面见证"),
    "difference": _l("租客与您填写的证件不一致"),
    "lease_over": _l("租约已到期，租客搬走了吗？"),
}
HEALTH_WORDS = {
    "door.forced": _l("门被强行打开"),
    "tamper.cover": _l("锁盖被打开"),
    "lock.jammed": _l("锁舌卡住"),
    "lockout.started": _l("尝试次数太多，暂时锁定"),
    "lockout.ended": _l("锁定结束"),
    "battery.low": _l("电量低"),
    "battery.critical": _l("电量很低"),
    "power.restored": _l("恢复供电"),
    "factory_reset": _l("恢复出厂设置"),
    "clock.lost": _l("时钟丢失，已等待校时"),
    "log.overflow": _l("记录存满，部分较早的记录被覆盖"),
    "firmware.updated": _l("固件已更新"),
}
DOOR_WORDS = {
    "lock.unlocked": ("key", _l("开锁")),
    "lock.locked": ("lock", _l("上锁")),
    "door.opened": ("door", _l("门打开")),
    "door.closed": ("door", _l("门关上")),
    "access.denied": ("stop", _l("没有打开")),
    "inside.opened": ("door", _l("从里面打开")),
    "mech_key.used": ("key", _l("用了机械钥匙")),
    "lock.unlock_timeout": ("clock", _l("开锁后没有推门，已重新上锁")),
}
LOCK_REFUSALS = {
    "revoked": _l("钥匙已停用"),
    "old_epoch": _l("钥匙属于以前的租期"),
    "unknown_key": _l("门锁还不认识这把钥匙，请稍等片刻再试"),
    "no_right": _l("这把钥匙不能这样用"),
    "not_yet_valid": _l("还没到开始日期"),
    "expired": _l("指令过期，请再按一次"),
    "outside_schedule": _l("不在可用时间内"),
    "used_up": _l("可用次数已用完"),
    "jammed": _l("锁舌卡住了，请推紧门再试"),
    "need_time": _l("门锁正在校时，请再按一次"),
    "wrong_boot": _l("门锁刚刚重启，请再按一次"),
    "stale_counter": _l("门锁刚刚重启，请再按一次"),
    "lockout": _l("尝试次数太多，门锁暂时锁定"),
    "battery": _l("门锁电量不足"),
}
ACTIONS_OF_CHALLENGE = {
    "turn_left": _l("请慢慢向左转头，再转回来"),
    "turn_right": _l("请慢慢向右转头，再转回来"),
    "open_mouth": _l("请张大嘴，再闭上"),
    "close_eyes": _l("请闭上眼睛，数一秒再睁开"),
}
OTHER_WAYS = {
    "window": (_l("到窗口当面核验"), _l("带上证件，到派出所或村流动人口窗口办理。不需要预约照片。")),
    "live_video": (_l("预约视频核验"), _l("工作人员与您视频通话，当面看一下证件，不录像。")),
    "attestation": (_l("请房东当面见证"), _l("房东当面见到您、看过证件原件，在自己手机上确认。钥匙马上可以使用。")),
}
TASKS = {
    "notice": (_l("阅读告知书"), _l("一分钟读完：收集什么、给谁看、保存多久。")),
    "identity": (_l("填写身份"), _l("证件种类、号码和姓名，照证件填写。")),
    "face": (_l("核验身份"), _l("拍证件和一段自拍；也可以选其他方式。")),
    "declare": (_l("申报居住登记"), _l("入住日期和户籍地，不到一分钟。")),
    "key": (_l("领取钥匙"), _l("以上完成后，钥匙自动生效。")),
}
# What the registry does with a declaration; staff's actions are named by domain.purposes.
REGISTRY_ACTIONS = {
    "registry_sent": ("居住登记送往登记机关", "Your registration was sent to the registry"),
    "registry_accepted": ("登记机关受理了您的居住登记", "The registry accepted your registration"),
    "registry_rejected": ("登记机关退回了您的居住登记", "The registry returned your registration"),
    "identity_review": ("复核了您的身份", "Reviewed your identity"),
}
FIELD_NAMES = {
    **purposes.FIELDS,
    "move_in_on": ("入住日期", "move-in date"),
    "planned_end_on": ("预计离开日期", "planned end"),
    "reason": ("事由", "reason of stay"),
    "hukou_division": ("户籍地", "place of household registration"),
    "phone": ("手机号", "phone"),
    "sex": ("性别", "sex"),
    "birth_on": ("出生日期", "date of birth"),
    "nationality": ("国籍", "nationality"),
    "moved_out_on": ("离开日期", "move-out date"),
}
COMMAND_STATES = {
    "queued": _l("正在发送…"),
    "sent": _l("已发送，等待门锁…"),
    "accepted": _l("门锁已收到…"),
    "executed": _l("门已打开"),
    "refused": _l("没有打开"),
    "expired": _l("门锁没有及时回应，指令已作废，门没有打开"),
    "unknown": _l("暂时不知道结果，门锁联网后会告诉我们"),
}


def pick(zh: str, en: str) -> str:
    """One of two texts, by the present language."""
    return zh if language() == "zh" else en


def name_of(table: Mapping[str, Any], code: str | None) -> str:
    """The name of a code in one of the domain's tables of (zh, en) pairs; an unknown code stands for itself."""
    if code is None:
        return ""
    pair = table.get(code)
    return pick(pair[0], pair[1]) if pair is not None else code


def key_state(code: str) -> str:
    """A key's state in words."""
    return name_of(keys.STATE_NAMES, code)


def registration_state(code: str) -> str:
    """A registration's state in words."""
    return name_of(registrations.STATE_NAMES, code)


def document_name(code: str) -> str:
    """A document type in words."""
    kind = documents.DOCUMENT_TYPES[code]
    return pick(kind.zh, kind.en)


def space_name(code: str) -> str:
    """A kind of space in words."""
    return name_of(spaces.SPACE_NAMES, code)


def purpose_name(code: str) -> str:
    """A purpose in words."""
    if code == "residence_registration":
        return gettext("办理居住登记")
    found = purposes.PURPOSES.get(code)
    return pick(found.zh, found.en) if found is not None else code


def as_day(text: str) -> date | None:
    """A form's date, or None when it is empty."""
    return date.fromisoformat(text) if text else None


def lease_kind(code: str) -> str:
    """A kind of lease in words."""
    return name_of(leases.KIND_NAMES, code)


def rule_words(rule_id: str | None) -> str:
    """What a legal rule asks, with its id."""
    rule = rules.RULES.get(rule_id or "")
    if rule is None:
        return ""
    return f"{rule.zh}（{rule.id}）" if language() == "zh" else f"{rule.en} ({rule.id})"


def sentence(refusal: Refusal) -> str:
    """What is wrong and what to do, in the present language: the same words in the summary and at the field."""
    spoken = language()
    gap = "" if spoken == "zh" else " "
    return f"{refusal.sentence(spoken)}{gap}{refusal.remedy(spoken)}"


def notice_title(text: NoticeText) -> str:
    """A notice's title."""
    return pick(text.title_zh, text.title_en)


def notice_layers(text: NoticeText) -> list[tuple[str, str]]:
    """A notice's paragraphs as (headline, text): what stands before the first colon is the headline."""
    paragraphs = text.paragraphs_zh if language() == "zh" else text.paragraphs_en
    layers = []
    for paragraph in paragraphs:
        head, colon, rest = paragraph.partition("：" if language() == "zh" else ": ")
        layers.append((head, rest) if colon and len(head) <= 40 else ("", paragraph))
    return layers


def day(value: date | None) -> str:
    """A calendar day in words; an open end says so."""
    return gettext("不定期") if value is None else str(format_date(value, "medium"))


def moment(value: datetime | None) -> str:
    """A moment in China's time, to the minute."""
    if value is None:
        return ""
    return str(format_datetime(value, "yyyy年M月d日 HH:mm" if language() == "zh" else "d MMM yyyy, HH:mm"))


def battery_words(percent: int | None) -> tuple[str, str]:
    """A battery as (sign, words)."""
    if percent is None:
        return "plain", gettext("电量未知")
    if percent < 10:
        return "bad", gettext("电量很低，请马上换电池（%(percent)s%%）", percent=percent)
    if percent < 20:
        return "bad", gettext("电量低，请尽快换电池（%(percent)s%%）", percent=percent)
    return "good", gettext("电量充足（%(percent)s%%）", percent=percent)


FILTERS = {
    "day": day,
    "moment": moment,
    "key_state": key_state,
    "registration_state": registration_state,
    "document_name": document_name,
    "space_name": space_name,
    "lease_kind": lease_kind,
    "rule_words": rule_words,
    "sentence": sentence,
    "notice_title": notice_title,
    "notice_layers": notice_layers,
    "battery_words": battery_words,
}
TABLES = {
    "PRESENCE": PRESENCE,
    "UNIT_STATES": UNIT_STATES,
    "KEY_SIGNS": KEY_SIGNS,
    "REGISTRATION_SIGNS": REGISTRATION_SIGNS,
    "INVITATION_STATES": INVITATION_STATES,
    "IDENTITY_PROGRESS": IDENTITY_PROGRESS,
    "TODOS": TODOS,
    "HEALTH_WORDS": HEALTH_WORDS,
    "DOOR_WORDS": DOOR_WORDS,
    "ACCESS_ACTIONS": {**purposes.DISCLOSURES, **REGISTRY_ACTIONS},
    "FIELD_NAMES": FIELD_NAMES,
    "ROLE_NAMES": officers.ROLE_NAMES,
    "ACTIONS_OF_CHALLENGE": ACTIONS_OF_CHALLENGE,
    "OTHER_WAYS": OTHER_WAYS,
    "TASKS": TASKS,
    "COMMAND_STATES": COMMAND_STATES,
    "KEY_STATES": keys.STATE_NAMES,
    "SPACES": spaces.SPACE_NAMES,
    "RIGHTS": spaces.RIGHT_NAMES,
    "LEASE_KINDS": leases.KIND_NAMES,
    "DOCUMENTS": documents.DOCUMENT_TYPES,
    "REASONS_OF_STAY": registrations.REASONS_OF_STAY,
    "CHECK_OUT_REASONS": registrations.CHECK_OUT_REASONS,
}
