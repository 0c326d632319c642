"""The dwelling ledger: the states of a unit and the deadlines of a registration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from backend.domain.calendars import CHINA, day_of

# In the order in which a unit's state is decided: the first that fits is shown.
UNIT_STATES = {
    "not_enrolled": ("未入册", "Not enrolled"),
    "disputed": ("有争议", "Disputed"),
    "overdue": ("逾期未登记", "Overdue"),
    "over_capacity": ("超员", "Over capacity"),
    "headcount_differs": ("人数不符", "Headcount differs"),
    "registered": ("已登记", "Registered"),
    "no_one_registered": ("无在住登记", "No one registered"),
}
# What stands for a whole dwelling: what needs somebody first, then what is known of it.
DWELLING_STATES = (
    "disputed",
    "overdue",
    "over_capacity",
    "headcount_differs",
    "registered",
    "no_one_registered",
    "not_enrolled",
)
SPACE_NAMES = {
    "whole_home": ("整套", "Whole home"),
    "bedroom": ("卧室", "Bedroom"),
    "living_room": ("起居室", "Living room"),
    "kitchen": ("厨房", "Kitchen"),
    "toilet": ("卫生间", "Toilet"),
    "balcony": ("阳台", "Balcony"),
    "corridor": ("过道", "Corridor"),
    "basement_store": ("地下储藏室", "Basement store"),
    "garage": ("车库", "Garage"),
}
DEADLINE_STATES = {
    "met": ("按时", "On time"),
    "late": ("已补办", "Done late"),
    "open": ("未到期", "Not due yet"),
    "overdue": ("逾期", "Overdue"),
}


@dataclass(frozen=True)
class Deadline:
    """One duty: the rule, who owes it ('tenant' or 'landlord'), until when, when it was done.

    `days` are days left (open) or days late (overdue, late); 0 when it was met in time.
    """

    rule: str
    owner: str
    due_on: date
    done_on: date | None
    state: str
    days: int


def deadline_of(rule: str, owner: str, due_on: date, done_at: datetime | None, today: date) -> Deadline:
    """Where a duty stands on `today`; its last day is still in time."""
    done_on = day_of(done_at) if done_at else None
    if done_on is not None:
        late = max(0, (done_on - due_on).days)
        return Deadline(rule, owner, due_on, done_on, "late" if late else "met", late)
    left = (due_on - today).days
    return Deadline(rule, owner, due_on, None, "open" if left >= 0 else "overdue", abs(left))


def as_of(
    state: str,
    *,
    changed_at: datetime | None,
    overdue_since: date | None,
    headcount_at: datetime | None,
    enrolled_at: datetime,
    base_at: datetime,
) -> datetime:
    """Since when a unit's state is known to be what it is.

    Not enrolled: when the address base last named it, or a later change of a registration there; overdue: the end of
    the last day in time; headcount differs: the visit; else the last change of a registration, before the first of
    which the unit's entry.
    """
    if state == "not_enrolled":
        return max(base_at, changed_at or base_at)
    if state == "overdue" and overdue_since is not None:
        return datetime.combine(overdue_since + timedelta(days=1), time(0), CHINA)
    if state == "headcount_differs" and headcount_at is not None:
        return headcount_at
    return changed_at or enrolled_at


def dwelling_state(units_by_state: Mapping[str, int]) -> str:
    """The one state that stands for a dwelling with so many units in each state; without units: not enrolled."""
    return next((state for state in DWELLING_STATES if units_by_state.get(state)), "not_enrolled")


def coverage_percent(enrolled: int, known: int) -> float | None:
    """Enrolled dwellings in percent of the rentals known; None when no rental is known."""
    return round(100 * enrolled / known, 1) if known else None
