"""Beside the ordinary path: exempt for a while (ZJ-12), foreigners (EEL-39), entered in error, late changes."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from backend.domain.calendars import day_of, end_of
from backend.domain.refusals import Refusal, illegal_transition

EXEMPTIONS = {
    "near_relatives": ("住在本地户籍近亲属家，不超过 30 天", "With near relatives registered here, up to 30 days"),
    "hotel": ("旅馆住宿", "Guest of a hotel"),
    "hospital": ("住院治疗", "In hospital"),
    "school": ("学校寄宿", "Boarding at a school"),
    "rescue_station": ("救助管理站", "At a rescue station"),
}
NEAR_RELATIVES_DAYS = 30
FIELD_SOURCES = {
    "tenant": ("本人", "Yourself"),
    "landlord": ("房东", "Landlord"),
    "officer": ("工作人员", "Staff"),
    "document": ("证件", "Document"),
    "registry": ("登记机关", "Registry"),
    "import": ("导入", "Import"),
    "office": ("其他部门", "Another office"),
    "system": ("系统", "Anju"),
}
VOID_REASONS = {
    "duplicate": ("重复登记", "Registered twice"),
    "entered_in_error": ("登记有误，从未在此居住", "Entered in error, never lived there"),
}
CHANGE_DAYS = 10  # ZJ-13 counts calendar days
FOREIGN_HOURS = 24
FOREIGN_ACTIONS = {"hand_out": ("领取登记表", "take the form"), "mark_done": ("记下已办理", "note that it is done")}


def exempt_until(exemption: str, move_in_on: date, asked: date | None) -> date | None:
    """The last day of an exemption: near relatives' ends after 30 days at the latest, the others when they are over."""
    if exemption != "near_relatives":
        return asked
    last = move_in_on + timedelta(days=NEAR_RELATIVES_DAYS)
    return last if asked is None else asked


def find_exemption_faults(exemption: str, move_in_on: date, until: date | None, today: date) -> list[Refusal]:
    """All faults of an exemption's answers; `until` as `exempt_until` made it."""
    faults = []
    if exemption not in EXEMPTIONS:
        return [Refusal("input.not_one_of", "exemption", allowed=tuple(EXEMPTIONS))]
    if not today - timedelta(days=3653) <= move_in_on <= today:
        faults.append(Refusal("registration.move_in", "move_in_on"))
    elif until is not None and until < today:
        faults.append(Refusal("exempt.over", "exempt_until", {"until": until.isoformat()}))
    if until is not None and exemption == "near_relatives" and (until - move_in_on).days > NEAR_RELATIVES_DAYS:
        faults.append(Refusal("exempt.days", "exempt_until", {"days": NEAR_RELATIVES_DAYS}))
    return faults


def change_due_on(changed_on: date) -> date:
    """The tenth day after the change (ZJ-13)."""
    return changed_on + timedelta(days=CHANGE_DAYS)


def is_late(changed_on: date, reported_at: datetime) -> bool:
    """Whether a change was reported after its tenth day: shown, never punished."""
    return day_of(reported_at) > change_due_on(changed_on)


def find_change_faults(changed_on: date | None, move_in_on: date, today: date) -> list[Refusal]:
    """All faults of the day on which a change took place; None is a correction, which has no day of its own."""
    if changed_on is None:
        return []
    if changed_on > today:
        return [Refusal("input.future_date", "changed_on")]
    return [Refusal("registration.changed_on", "changed_on")] if changed_on < move_in_on else []


def foreign_due_at(move_in_on: date) -> datetime:
    """24 hours after moving in (EEL-39). The hour is not asked, so they run from the end of the day of moving in."""
    return end_of(move_in_on) + timedelta(hours=FOREIGN_HOURS)


def foreign_form_number(registration_id: str, at: datetime) -> str:
    """The number printed on the form: the day and ten characters of the registration's id; says nothing of a person."""
    return f"F-{day_of(at):%Y%m%d}-{registration_id.replace('-', '')[-10:].upper()}"


def foreign_actions(scope: str, tenant_leg: str, residence: str, handed_out: bool) -> tuple[str, ...]:
    """What is possible on the foreigners' path now."""
    if (scope, tenant_leg, residence) != ("foreign", "declared", "living"):
        return ()
    return ("hand_out", "mark_done") if handed_out else ("hand_out",)


def decide_foreign_action(
    scope: str, tenant_leg: str, residence: str, handed_out: bool, action: str, state: tuple[str, str]
) -> Refusal | None:
    """Whether a step of the foreigners' path is possible now; a refusal says `state` and lists what is."""
    allowed = foreign_actions(scope, tenant_leg, residence, handed_out)
    if action in allowed:
        return None
    return illegal_transition(state, {name: FOREIGN_ACTIONS[name] for name in allowed})


def find_done_faults(done_on: date, move_in_on: date, today: date) -> list[Refusal]:
    """All faults of the day on which the police took the form."""
    if done_on > today:
        return [Refusal("input.future_date", "done_on")]
    return [Refusal("foreign.done_on", "done_on")] if done_on < move_in_on else []
