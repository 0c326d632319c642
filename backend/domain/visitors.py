"""Keys for a cleaner or tradesman: what such a key may be, so that it never is a residence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from backend.domain.calendars import CHINA, day_of, start_of
from backend.domain.refusals import Refusal

PURPOSES = {
    "cleaning": ("打扫", "cleaning"),
    "repair": ("维修", "repair"),
    "inspection": ("安全检查", "safety inspection"),
    "viewing": ("看房", "viewing"),
    "care": ("照护", "care"),
    "meter": ("抄表", "meter reading"),
}
EMERGENCIES = {
    "fire": ("火情", "fire"),
    "gas": ("燃气泄漏", "a gas leak"),
    "water": ("漏水", "a water leak"),
    "person_in_danger": ("有人遇险", "a person in danger"),
}
CONSENT_NAMES = {
    "not_needed": ("无需同意", "no consent needed"),
    "asked": ("等待住户同意", "waiting for an occupant's consent"),
    "given": ("住户已同意", "an occupant has consented"),
    "refused": ("住户已拒绝", "an occupant has refused"),
    "emergency": ("紧急情况", "emergency"),
}
LONGEST_DAYS = 30
MOST_USES = 10
EARLIEST_MINUTE, LATEST_MINUTE = 6 * 60, 22 * 60  # a visit is by day
MOST_WINDOWS = 14
EMERGENCY_LIFE = timedelta(hours=4)
EMERGENCY_USES = 2
MOST_EMERGENCIES, EMERGENCY_SPAN = 2, timedelta(days=7)  # of one unit: what comes oftener is no emergency but a visit


@dataclass(frozen=True)
class WeeklyWindow:
    """A weekly window in China Standard Time: ISO weekdays as digits, minutes of the day, end excluded."""

    days: str
    start: int
    end: int

    def holds(self, moment: datetime) -> bool:
        """Whether an aware moment lies in the window."""
        local = moment.astimezone(CHINA)
        return str(local.isoweekday()) in self.days and self.start <= local.hour * 60 + local.minute < self.end


def find_visitor_key_faults(
    purpose: str,
    starts_on: date,
    ends_on: date,
    sched: Sequence[WeeklyWindow],
    uses: int | None,
    emergency: str | None,
    today: date,
) -> list[Refusal]:
    """All reasons why this is no visitor's key: a key without windows or counted uses would be a residence."""
    faults = []
    if purpose not in PURPOSES:
        faults.append(Refusal("input.not_one_of", "purpose", allowed=tuple(PURPOSES)))
    if emergency is not None:
        if emergency not in EMERGENCIES:
            faults.append(Refusal("input.not_one_of", "emergency", allowed=tuple(EMERGENCIES)))
        if uses is not None and not 1 <= uses <= EMERGENCY_USES:
            faults.append(Refusal("visitor.uses", "uses", {"most": EMERGENCY_USES}))
        return faults  # it begins now and ends by itself: dates and windows have no part in it
    if ends_on < starts_on:
        faults.append(Refusal("input.date_order", "ends_on"))
    elif not today <= ends_on <= today + timedelta(days=LONGEST_DAYS):
        faults.append(Refusal("visitor.dates", "ends_on", {"days": LONGEST_DAYS}))
    if uses is not None and not 1 <= uses <= MOST_USES:
        faults.append(Refusal("visitor.uses", "uses", {"most": MOST_USES}))
    if not sched and uses is None:
        faults.append(Refusal("visitor.unlimited", "sched"))
    if len(sched) > MOST_WINDOWS or not all(_is_by_day(window) for window in sched):
        faults.append(Refusal("visitor.windows", "sched"))
    return faults


def ends_at(created_at: datetime, ends_on: date, emergency: str | None) -> datetime:
    """When a visitor's key ends by itself: with its last day, or four hours after it was issued in an emergency."""
    if emergency is not None:
        return created_at + EMERGENCY_LIFE
    return start_of(ends_on + timedelta(days=1))


def emergency_days(now: datetime) -> tuple[date, date]:
    """First and last day of a key issued now in an emergency."""
    return day_of(now), day_of(now + EMERGENCY_LIFE)


def is_within(sched: Sequence[WeeklyWindow], moment: datetime) -> bool:
    """Whether the weekly windows allow this moment; without any, every moment."""
    return not sched or any(window.holds(moment) for window in sched)


def _is_by_day(window: WeeklyWindow) -> bool:
    days = set(window.days)
    return (
        0 < len(days) == len(window.days)
        and days <= set("1234567")
        and EARLIEST_MINUTE <= window.start < window.end <= LATEST_MINUTE
    )
