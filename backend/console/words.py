"""Words of the console's templates: tables of codes in both languages, dates and spans as people read them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from flask_babel import gettext, lazy_gettext

from backend.console import right_words, visit_words
from backend.console.case_words import CASE_TABLES
from backend.console.figure_words import FIGURE_TABLES
from backend.console.looks import ICONS, MAP_MARKS, REGISTRATION_LOOKS, UNIT_LOOKS
from backend.console.staff_words import STAFF_ACTIONS, STAFF_DECISIONS, STAFF_FILTERS, STAFF_TABLES
from backend.console.upkeep_words import UPKEEP_ACTIONS, UPKEEP_DECISIONS, UPKEEP_TABLES
from backend.domain import appointments, case_reports, cases, ledger, purposes, sharing
from backend.domain.calendars import CHINA, day_of
from backend.domain.documents import DOCUMENT_TYPES
from backend.domain.duties import DUTIES
from backend.domain.officers import ROLE_NAMES
from backend.domain.reconciliation import KIND_NAMES
from backend.domain.registrations import BASES, STATE_NAMES
from backend.domain.rules import RULES
from backend.domain.window import ACTS
from backend.web import language

Pair = tuple[str, str]

IDENTITY_STATES = {
    "none": ("未核验", "Not checked"),
    "attested": ("已见证，待复核", "Attested, review due"),
    "verified": ("已核验", "Verified"),
}
REGISTRY_STATES = {
    "unsent": ("待报送", "Waiting to be sent"),
    "sent": ("已送达，待确认", "Delivered, not confirmed yet"),
    "accepted": ("已受理", "Accepted"),
    "rejected": ("已退回", "Returned"),
}
LOOP_STEPS = {
    "routed": ("待领取", "Waiting"),
    "assigned": ("处理中", "Being handled"),
    "handled": ("待复核", "To be checked"),
}
COMPARED = {
    "differs": ("不一致", "Differs"),
    "digest_skew": ("清单一致，摘要有误", "Lists are equal, only the digest is wrong"),
}
ACTORS = {
    "resident": ("租客或房东", "Resident"),
    "officer": ("工作人员", "Staff"),
    "system": ("系统", "System"),
    "registry": ("登记机关", "Registry"),
    "operator": ("运维人员", "Operator"),
}
CHANGES = {
    "declare": ("租客申报", "Declared by the tenant"),
    "landlord_report": ("房东报告", "Reported by the landlord"),
    "extend": ("租约延期", "Lease extended"),
    "named_corrected": ("房东更正租客信息", "Tenant's details corrected by the landlord"),
    "identity_corrected": ("更正姓名或号码", "Name or number corrected"),
    "guardian_corrected": ("更正监护人姓名或号码", "Guardian's name or number corrected"),
    "still_here": ("租客表示仍在居住", "Tenant: still living there"),
    "still_living": ("核实：仍在居住", "Found: still living there"),
    "lease_joined": ("补录了租约", "A lease was recorded"),
    "renumbered": ("门牌变更", "Address renumbered"),
    "check_out": ("离开登记", "Checked out"),
    "draft_expired": ("草稿过期", "Draft expired"),
    "accept": ("租客接受邀请", "Invitation accepted"),
    "amend": ("租客报告变动或更正", "Changed or corrected by the tenant"),
    "exempt": ("租客说明依法可不申报", "Tenant: exempt"),
    "exemption_over": ("可不申报的期限已过", "Exemption over"),
    "foreign_form": ("领取外国人住宿登记表", "Foreigners' form taken"),
    "foreign_done": ("外国人住宿登记已办理", "Foreigners' form done"),
    "landlord_end": ("房东报告租客已离开", "Landlord: the tenant has left"),
    "no_answer": ("租客未答复", "No answer by the tenant"),
    "never_used": ("租约从未使用", "Lease never used"),
    "withdraw": ("租客撤回", "Withdrawn by the tenant"),
    "void_asked": ("租客申请作废", "Voiding asked for by the tenant"),
    "void": ("作废", "Voided"),
    "left_after_void": ("登记作废后离开", "Left, the registration being void"),
    "stays_after_void": ("核实：登记已作废，仍在居住", "Found: still there, the registration being void"),
    "registry_accepted": ("登记机关受理", "Accepted by the registry"),
    "registry_rejected": ("登记机关退回", "Returned by the registry"),
    "sent_again": ("重新报送", "Sent again"),
}
AUDIT_ACTIONS = {
    **purposes.DISCLOSURES,
    **STAFF_ACTIONS,
    **UPKEEP_ACTIONS,
    "officer_sign_in": ("登录", "Sign-in"),
    "officer_sign_out": ("退出", "Sign-out"),
    "task_begun": ("选择用途", "Purpose chosen"),
    "task_ended": ("结束任务", "Task ended"),
    "step_up": ("再次验证", "Shown again who one is"),
    "search_made": ("查找", "Search"),
    "building_counted": ("紧急清点一栋房屋的人数", "Headcount of a building in an emergency"),
    "case_taken_down": ("替人登记反映的问题", "Report taken down for somebody"),
    "case_told": ("已回电告知结果", "Caller told of the outcome"),
    "case_claimed": ("领取事项", "Case taken"),
    "case_released": ("退回事项", "Case given back"),
    "case_reported": ("提出事项", "Case reported"),
    "case_assigned": ("指派事项", "Case handed out"),
    "case_checked": ("复核事项", "Case checked"),
    "case_sent_back": ("退回重办", "Case sent back"),
    "case_rate": ("评价事项", "Case rated"),
    "case_reopen": ("重新办理", "Case reopened"),
    "reviews_listed": ("查看身份复核队列", "Review queue read"),
    "appointment_listed": ("查看当天预约名单", "Day's appointments read"),
    "appointment_linked": ("设置视频链接", "Video link set"),
    "appointment_ended": ("预约结束", "Appointment ended"),
    "appointment_chosen": ("租客预约时间", "Time chosen by the tenant"),
    "identity_network_identity": ("网络身份认证", "Network identity"),
    "identity_document": ("姓名与号码核对", "Name and number checked"),
    "identity_corrected": ("更正身份", "Identity corrected"),
    "child_entered": ("监护人添加孩子", "Child entered by a guardian"),
    "refused": ("被拒绝", "Refused"),
    **visit_words.AUDIT_ACTIONS,
    **right_words.AUDIT_ACTIONS,
    "office_told": ("告知其他单位", "Told to another office"),
    "office_fetched": ("其他单位获取", "Fetched by another office"),
    "agreement_added": ("录入共享协议", "Agreement taken in"),
    "agreement_approved": ("批准共享协议", "Agreement approved"),
    "agreement_suspended": ("暂停共享协议", "Agreement suspended"),
    "agreement_resumed": ("恢复共享协议", "Agreement resumed"),
    "agreement_ended": ("终止共享协议", "Agreement ended"),
    "registry_retry": ("重新报送", "Sent again"),
    "identity_window": ("当面复核身份", "Identity review in person"),
    "identity_live_video": ("视频复核身份", "Identity review by video"),
    "registration_check_out": ("办理离开登记", "Check-out made"),
    **{f"registration_{name}": CHANGES[name] for name in ("left_after_void", "stays_after_void")},
    "registration_still_living": ("核实仍在居住", "Found still living there"),
    "registration_renumbered": ("随门牌变更登记", "Registration follows a new address"),
    "unit_opened": ("查看单元", "Unit opened"),
    "person_found": ("查找时看到登记", "Registration seen in a search"),
    "number_shown": ("显示完整号码", "Full number shown"),
    "case_opened": ("查看事项", "Case opened"),
    "case_decided": ("处理事项", "Case decided"),
    "codes_printed": ("打印门锁密码", "Keypad codes printed"),
    "key_revoke": ("停用钥匙", "Key ended"),
}
DECISIONS = {
    "allowed": ("允许", "Allowed"),
    **UPKEEP_DECISIONS,
    **STAFF_DECISIONS,
    "refused": ("拒绝", "Refused"),
    "found": ("有结果", "Found"),
    "none": ("无结果", "Nothing found"),
    "area.foreign": ("不在辖区", "Outside the area"),
    "reads.cap": ("达到每日上限", "Daily limit reached"),
    "purpose.unfit": ("用途不符", "Unfit purpose"),
    "matched": ("已由系统核验", "Verified meanwhile"),
    "unmatched": ("不一致", "Not matched"),
    "idle": ("无人处理，自动退回", "Left alone, given back"),
    "home_moved": visit_words.WITHDRAWN["home_moved"],
    "kept": ("已赴约", "Kept"),
    "missed": ("未赴约", "Missed"),
    "cancelled": ("已取消", "Cancelled"),
    "late": ("只看超时", "Late ones"),
    "today": ("只看今天有约", "With a time today"),
    "mine": ("只看我领取的", "Taken by me"),
    "escalated": ("只看已交负责人", "With the supervisors"),
    "window": ("当面（窗口）", "In person (window)"),
    "live_video": ("视频", "Live video"),
    "verified": ("确认", "Confirmed"),
    "expired": ("超时", "Ran out"),
    "pass": ("通过", "Passed"),
    "fail": ("未通过", "Not passed"),
    "court_order": ("法院裁定", "Court's order"),
    "left_taken_back": ("房东收回“已离开”", "Landlord takes back “left”"),
    "active": ("生效", "In force"),
    "draft": ("待批准", "To be approved"),
    **visit_words.OUTCOMES,
    **right_words.DECISIONS,
    **{code: (kind.zh, kind.en) for code, kind in sharing.KINDS.items()},
    **{code: (d.zh, d.en) for kind in cases.KINDS.values() for code, d in kind.decisions.items()},
}
WAYS = {
    "face": ("人脸核验通过", "Matched by face"),
    "network_identity": ("网络身份认证通过", "Confirmed by network identity"),
    "window": ("自选窗口", "Chose the window"),
    "live_video": ("自选视频", "Chose live video"),
}
NAVIGATION = {
    "ledger": lazy_gettext("房屋台账"),
    "cases": lazy_gettext("待办事项"),
    "visits": lazy_gettext("走访"),
    "reviews": lazy_gettext("身份复核"),
    "deadlines": lazy_gettext("逾期提醒"),
    "search": lazy_gettext("查找登记"),
    "window": lazy_gettext("窗口办理"),
    "sync": lazy_gettext("登记同步"),
    "staff": lazy_gettext("人员账号"),
    "figures": lazy_gettext("统计"),
    "audit": lazy_gettext("访问审计"),
    "discrepancies": lazy_gettext("差异核查"),
    "agreements": lazy_gettext("共享协议"),
    "loop": lazy_gettext("办理成效"),
}
TABLES: Mapping[str, Any] = {
    **visit_words.TABLES,
    **right_words.TABLES,
    **CASE_TABLES,
    "ACTORS": ACTORS,
    "APPOINTMENT_STATES": appointments.STATE_NAMES,
    "AUDIT_ACTIONS": AUDIT_ACTIONS,
    "BASES": BASES,
    "CASE_KINDS": cases.KINDS,
    "CASE_STATES": cases.STATE_NAMES,
    "CHANGES": CHANGES,
    "DEADLINE_STATES": ledger.DEADLINE_STATES,
    "DECISIONS": DECISIONS,
    "DOCUMENTS": {code: (row.zh, row.en) for code, row in DOCUMENT_TYPES.items()},
    "DUTIES": DUTIES,
    "FIELDS": purposes.FIELDS | sharing.INBOUND_FIELDS | {code: (f.zh, f.en) for code, f in sharing.FIELDS.items()},
    "ICONS": ICONS,
    "IDENTITY_STATES": IDENTITY_STATES,
    "LOOP_STEPS": LOOP_STEPS,
    "MAP_MARKS": MAP_MARKS,
    "METHODS": cases.METHODS,
    "RATING_REASONS": case_reports.RATING_REASONS,
    "REPORTS": case_reports.REPORTS,
    "REPORT_SOURCES": case_reports.SOURCES,
    "SEND_BACK_REASONS": case_reports.SEND_BACK_REASONS,
    "NAVIGATION": NAVIGATION,
    "OFFICES": cases.OFFICES,
    "OFFICE_PURPOSES": {code: row[:2] for code, row in sharing.OFFICE_PURPOSES.items()},
    "COMPARED": COMPARED,
    "DIFFERENCES": KIND_NAMES,
    "PURPOSES": purposes.PURPOSES,
    "LEAF_PURPOSES": {**purposes.PURPOSES, purposes.EMERGENCY: purposes.EMERGENCY_NAME},
    "REASON_NAMES": cases.REASON_NAMES,
    "REGISTRATION_LOOKS": REGISTRATION_LOOKS,
    "REGISTRATION_STATES": STATE_NAMES,
    "REGISTRY_STATES": REGISTRY_STATES,
    "ROLES": ROLE_NAMES,
    "RULES": RULES,
    "SPACES": ledger.SPACE_NAMES,
    "UNIT_LOOKS": UNIT_LOOKS,
    "UNIT_STATES": ledger.UNIT_STATES,
    "WAYS": WAYS,
    **STAFF_TABLES,
    **FIGURE_TABLES,
    "SHARED_KINDS": {code: (kind.zh, kind.en) for code, kind in sharing.KINDS.items()},
    **UPKEEP_TABLES,
    "WINDOW_ACTS": ACTS,
}


def pick(pair: Any) -> str:
    """The word of a (zh, en) pair, or of a row with `zh` and `en`, in the present language."""
    zh, en = pair if isinstance(pair, tuple) else (pair.zh, pair.en)
    return str(zh if language() == "zh" else en)


def phrase(table: Mapping[str, Any], code: object) -> str:
    """A code in words; a code the table does not know is shown as it is."""
    row = table.get(str(code))
    return pick(row) if row is not None else str(code)


def day(value: date | None) -> str:
    """2026-11-23; a dash when there is none."""
    return value.isoformat() if value else "—"


def moment(value: datetime | None) -> str:
    """11-23 10:05 in China; the year when it is not this one is left to the title."""
    return value.astimezone(CHINA).strftime("%m-%d %H:%M") if value else "—"


def full_moment(value: datetime | None) -> str:
    """2026-11-23 10:05:09 in China."""
    return value.astimezone(CHINA).strftime("%Y-%m-%d %H:%M:%S") if value else "—"


def day_there(value: datetime | None) -> str:
    """2026-11-23 in China, of a moment whose hour is of no matter."""
    return day(day_of(value)) if value else "—"


def clock_time(value: datetime | None) -> str:
    """10:05 in China."""
    return value.astimezone(CHINA).strftime("%H:%M") if value else "—"


def span(value: timedelta) -> str:
    """A span in its largest whole unit: 3 天, 5 小时, 12 分钟."""
    minutes = int(abs(value).total_seconds()) // 60
    if minutes >= 48 * 60:
        return gettext("%(n)s 天", n=minutes // (24 * 60))
    if minutes >= 60:
        return gettext("%(n)s 小时", n=minutes // 60)
    return gettext("%(n)s 分钟", n=minutes)


FILTERS: Mapping[str, Callable[..., str]] = {
    "day": day,
    "moment": moment,
    "full_moment": full_moment,
    "clock_time": clock_time,
    "day_there": day_there,
    "span": span,
    **STAFF_FILTERS,
}
