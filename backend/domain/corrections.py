"""Corrections made at the registry: which fields count once the person accepts them, and how they are named."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from backend.domain.refusals import Refusal
from backend.domain.registrations import REASONS_OF_STAY, find_declaration_faults

ANSWER_WITHIN = timedelta(days=15)  # as long as a draft lives; then silence goes to a person
COUNTING = ("move_in_on", "planned_end_on", "reason")  # what a person may amend by own word; the rest needs a person
IDENTITY = ("name", "id_type", "id_number", "birth_on", "sex")
CARRIED_OUT = (*COUNTING, *IDENTITY, "hukou_division")  # what an officer can put in the place of what stands here
FIELD_NAMES: Mapping[str, tuple[str, str]] = {
    "name": ("姓名", "Name"),
    "id_type": ("证件种类", "Document type"),
    "id_number": ("证件号码", "Document number"),
    "birth_on": ("出生日期", "Date of birth"),
    "sex": ("性别", "Sex"),
    "hukou_division": ("户籍地", "Household registration"),
    "relation": ("与承租人关系", "Relation"),
    "unit_no": ("房屋编号", "Unit number"),
    "division": ("区划", "Division"),
    "address": ("住址", "Address"),
    "place_type": ("居住处所", "Kind of place"),
    "reason": ("居住事由", "Reason of stay"),
    "move_in_on": ("入住日期", "Moved in on"),
    "planned_end_on": ("预计离开日期", "Planned end"),
    "moved_out_on": ("离开日期", "Moved out on"),
}
STATE_NAMES = {
    "shown": ("请您确认", "Waits for your answer"),
    "accepted": ("您已同意", "You have accepted it"),
    "objected": ("您有异议，由工作人员处理", "You have objected; a person decides"),
    "unanswered": ("由工作人员处理", "A person decides"),
}


@dataclass(frozen=True)
class Amended:
    """A declaration's answers after a correction."""

    move_in_on: date
    planned_end_on: date | None
    reason: str | None


def amended_by(held: Amended, values: Mapping[str, str]) -> Amended | None:
    """The answers with a correction's values in place; None when a value cannot be read."""
    try:
        return Amended(
            date.fromisoformat(values["move_in_on"]) if "move_in_on" in values else held.move_in_on,
            _day(values["planned_end_on"]) if "planned_end_on" in values else held.planned_end_on,
            (values["reason"] or None) if "reason" in values else held.reason,
        )
    except ValueError:
        return None


def find_faults(after: Amended | None, today: date) -> list[Refusal]:
    """What keeps corrected answers from counting."""
    if after is None:
        return [Refusal("registration.move_in", "move_in_on")]
    return find_declaration_faults(after.move_in_on, after.planned_end_on, after.reason, today)


def shown_value(field: str, value: str) -> tuple[str, str]:
    """A value in words (zh, en): codes by their table, document numbers with only their ends."""
    if field == "reason" and value in REASONS_OF_STAY:
        zh, en = REASONS_OF_STAY[value]
        return zh, en
    if field == "id_number":
        value = value[:3] + "＊" * max(0, len(value) - 5) + value[-2:]
    return value, value


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None
