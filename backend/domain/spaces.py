"""Spaces that may be let (HR-7) and the right to let them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date

from backend.domain.refusals import Refusal

LETTABLE = ("whole_home", "bedroom", "living_room")
NOT_LETTABLE = ("kitchen", "toilet", "balcony", "corridor", "basement_store", "garage")
SPACE_NAMES = {
    "whole_home": ("整套", "Whole home"),
    "bedroom": ("卧室", "Bedroom"),
    "living_room": ("客厅", "Living room"),
    "kitchen": ("厨房", "Kitchen"),
    "toilet": ("卫生间", "Toilet"),
    "balcony": ("阳台", "Balcony"),
    "corridor": ("过道", "Corridor"),
    "basement_store": ("地下储藏室", "Basement store"),
    "garage": ("车库", "Garage"),
}
RIGHT_NAMES = {
    "owner": ("房屋所有人", "Owner"),
    "co_owner": ("共有人", "Co-owner"),
    "sublet_agreed": ("经同意转租", "Sublet with consent"),
    "mandate": ("受托管理", "Mandate to manage"),
}
SEEN_NAMES = {
    "at_window": ("在窗口", "at the window"),
    "on_visit": ("走访时", "on a visit"),
    "in_case": ("认定争议时", "when a contested claim was decided"),
}
SEEN_BY_HAND = ("at_window", "on_visit")  # what staff say themselves; a decided case says its own
AREA_PER_HEAD_M2 = 5.0  # local standard (HR-7), an assumption: ANJU_AREA_PER_HEAD_M2 holds what the county publishes
MOST_PER_ROOM = 2  # likewise (ANJU_PERSONS_PER_ROOM); a whole home counts its rooms by area alone


@dataclass(frozen=True)
class SpaceStandard:
    """The local standard in force on a day (HR-7): least usable area per head in m², most persons in one room."""

    area_per_head_m2: float = AREA_PER_HEAD_M2
    persons_per_room: int = MOST_PER_ROOM


ASSUMED_STANDARD = SpaceStandard()


def find_space_faults(
    space_kind: str, usable_area_m2: float, capacity: int, standard: SpaceStandard = ASSUMED_STANDARD
) -> list[Refusal]:
    """All reasons why such a space may not be let (empty: it may) by the standard in force (HR-7)."""
    faults = []
    if space_kind in NOT_LETTABLE:
        faults.append(Refusal("unit.space", "space_kind", allowed=LETTABLE))
    elif space_kind not in LETTABLE:
        faults.append(Refusal("input.not_one_of", "space_kind", allowed=LETTABLE))
    if not 0 < usable_area_m2 <= 1000:
        faults.append(Refusal("unit.area", "usable_area_m2"))
    elif capacity < 1 or capacity > most_persons(space_kind, usable_area_m2, standard):
        most = most_persons(space_kind, usable_area_m2, standard)
        faults.append(Refusal("unit.capacity", "capacity", {"area": f"{usable_area_m2:g}", "most": most}))
    return faults


def most_persons(space_kind: str, usable_area_m2: float, standard: SpaceStandard = ASSUMED_STANDARD) -> int:
    """How many may live in such a space by the local standard (HR-7); at least one."""
    by_area = max(1, math.floor(usable_area_m2 / standard.area_per_head_m2))
    return by_area if space_kind == "whole_home" else min(by_area, standard.persons_per_room)


def decide_right(right_kind: str, mandate_ends_on: date | None, today: date) -> Refusal | None:
    """Whether the stated right to let is complete; a mandate must end, later than today."""
    if right_kind not in RIGHT_NAMES:
        return Refusal("input.not_one_of", "right_kind", allowed=tuple(RIGHT_NAMES))
    if right_kind == "mandate" and (mandate_ends_on is None or mandate_ends_on <= today):
        return Refusal("right.mandate_end", "mandate_ends_on")
    return None


def is_mandate_over(ends_on: date | None, today: date) -> bool:
    """Whether a manager's mandate has ended; who lets by a right of their own (None) needs no mandate."""
    return ends_on is not None and ends_on < today


def decide_seeing(staff_name: str, landlord_name: str) -> Refusal | None:
    """Whether this member of staff may say that a right to let was seen: never one's own.

    An account of staff is tied to no resident, so the name has to do; whoever merely shares it asks a colleague.
    """
    return Refusal("right.own") if staff_name.strip() == landlord_name.strip() else None
