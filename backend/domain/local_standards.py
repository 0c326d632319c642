"""Local standards that a county publishes (HR-7): which there are, and what may be set from when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from backend.domain.refusals import Refusal

REASON_LEAST, REASON_MOST = 4, 120
FURTHEST = timedelta(days=3 * 365)  # a standard is published at most a few years ahead


@dataclass(frozen=True)
class Standard:
    """One standard: its names, its unit in both languages, and between which values it may lie."""

    zh: str
    en: str
    unit_zh: str
    unit_en: str
    least: float
    most: float
    whole: bool


STANDARDS: dict[str, Standard] = {
    "area_per_head_m2": Standard("人均使用面积下限", "Least usable area per head", "平方米", "m²", 1, 50, False),
    "persons_per_room": Standard("每间居住人数上限", "Most persons in a room", "人", "persons", 1, 10, True),
}


def find_standard_faults(
    name: str, value: float | None, starts_on: date | None, reason: str, today: date
) -> list[Refusal]:
    """All faults of a change; it begins today at the earliest, since what was checked by the old value stays valid."""
    standard = STANDARDS.get(name)
    if standard is None:
        return [Refusal("input.not_one_of", "name", allowed=tuple(STANDARDS))]
    faults = []
    fits = value is not None and standard.least <= value <= standard.most
    if value is None or not fits or (standard.whole and value != int(value)):
        faults.append(
            Refusal("standard.value", "value", {"least": f"{standard.least:g}", "most": f"{standard.most:g}"})
        )
    if starts_on is None:
        faults.append(Refusal("input.missing", "starts_on"))
    elif not today <= starts_on <= today + FURTHEST:
        faults.append(Refusal("standard.starts_on", "starts_on"))
    if not REASON_LEAST <= len(reason.strip()) <= REASON_MOST:
        faults.append(Refusal("input.length", "reason", {"least": REASON_LEAST, "most": REASON_MOST}))
    return faults
