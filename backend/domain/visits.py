"""Visits: why one may be made, what may come of it, in which order a round is walked.

What comes of a visit is a code and, where people were counted, two numbers: nothing is written about a person, and
nothing that somebody else said about them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from backend.domain.refusals import Refusal

STATE_NAMES = {
    "planned": ("待走访", "To be made"),
    "done": ("已走访", "Made"),
    "withdrawn": ("已取消", "No longer needed"),
}
PLANNERS = ("officer", "supervisor")  # hand out to others; a grid worker plans for herself
VISITORS = ("grid_worker", "officer")
PLAN_AHEAD = timedelta(days=60)
NOTE_LATE = timedelta(days=7)  # a phone that was away longer than this has a wrong clock
NOTE_GRACE = timedelta(hours=2)  # as long as somebody is served at a door
HEADS_MOST = 99


@dataclass(frozen=True)
class Ground:
    """Why a door may be knocked at: the rule it rests on and what it is for, as it is read out there."""

    zh: str
    en: str
    rule: str | None
    purpose_zh: str
    purpose_en: str


@dataclass(frozen=True)
class Outcome:
    """What came of a visit. `decides`: decision and reason of a case that was opened for the visit alone."""

    zh: str
    en: str
    decides: tuple[str, str] | None
    counts: str = "maybe"  # 'must', 'maybe', 'zero': whether people are counted


GROUNDS = {
    "not_enrolled": Ground("单元未入册", "Unit not enrolled", "ZJ-9-1", "了解这里是否出租；出租的，请房东入册并报告。",
                           "To learn whether it is let; if so, the landlord is asked to enrol it and to report."),
    "overdue": Ground("逾期未申报", "Registration overdue", "HK-15",
                      "提醒住在这里的人申报居住登记，需要时当场协助办理。",
                      "To remind whoever lives here to register, and to help with it on the spot if they wish."),
    "report_overdue": Ground("房东逾期未报告", "Landlord's report overdue", "ZJ-9-1", "提醒房东报告承租人。",
                             "To remind the landlord to report the tenant."),
    "check_out_overdue": Ground("租期已满未退房", "Lease over, nobody checked out", "ZJ-9-2",
                                "了解是否还有人住在这里。", "To learn whether somebody still lives here."),
    "disputed": Ground("是否仍在居住有争议", "Left, or still living there", "ZJ-9-2", "当面听取住在这里的人的说明。",
                       "To hear whoever lives here in person."),
    "over_capacity": Ground("居住人数超过上限", "More people than the space may hold", "HR-7",
                            "核对居住人数和房间用途。", "To compare the number of people and the use of the rooms."),
    "headcount_differs": Ground("实有人数与登记不符", "Headcount differs", "HK-15",
                                "再次核对人数；还没有申报的，协助办理。",
                                "To count once more, and to help whoever has not registered yet."),
    "no_one_registered": Ground("无在住登记", "No one registered", "ZJ-9-1", "了解这里现在是否有人居住。",
                                "To learn whether somebody lives here now."),
    "right_unseen": Ground("出租权尚未核看", "Right to let not seen yet", "HR-9",
                           "请房东出示有权出租的证明，看原件，不留复印件。",
                           "To see the original of what gives the landlord the right to let; no copy is kept."),
    "others_stay": Ground("租客已离开，同住人还住着", "The tenant has left, others stay", "HR-8",
                          "了解还住在这里的人的租约，提醒房东补录。",
                          "To see to the lease of those who still live here, and to remind the landlord of it."),
    "reported": Ground("核实反映的问题", "Something was reported", None, "核实有人反映的房屋问题。",
                       "To see what was reported about this dwelling."),
}  # fmt: skip
_OF_CASE = {
    "overdue_registration": "overdue",
    "overdue_report": "report_overdue",
    "overdue_check_out": "check_out_overdue",
    "dispute": "disputed",
    "over_capacity": "over_capacity",
    "headcount_differs": "headcount_differs",
}
GROUND_OF_RULE = {
    "HK-15": "overdue",
    "ZJ-9-1": "report_overdue",
    "ZJ-9-2": "check_out_overdue",
    "HR-7": "over_capacity",
}

OUTCOMES = {
    "met": Outcome("见到住户，已当面告知", "Met and informed", ("handled", "reminded")),
    "registered": Outcome("当场办理了登记", "Registered on the spot", ("handled", "declared_now")),
    "counted": Outcome("已记下人数", "People counted", ("handled", "seen_on_site"), "must"),
    "nobody_there": Outcome("无人应门，已留告知单", "Nobody there, a note was left", None, "no"),
    "moved_out": Outcome("已搬走（亲眼所见或住户自己说，不问邻居）",
                         "Moved out (seen, or said by who lived there; neighbours are not asked)",
                         ("handled", "seen_on_site")),
    "empty": Outcome("空置，没有人住", "Empty, nobody lives there", ("handled", "seen_on_site"), "zero"),
    "address_wrong": Outcome("地址不对或找不到", "Address wrong or not found", ("unfounded", "unfounded"), "no"),
}  # fmt: skip

WITHDRAWN = {
    "ground_gone": ("事由已经没有了", "The ground has gone"),
    "home_moved": ("房屋划归别的辖区", "The dwelling now lies in another area"),
}
_OF_DUTY = ("overdue", "report_overdue", "check_out_overdue")
_PARTS = re.compile(r"\d+|\D+")


def ground_of_case(kind: str, evidence: Mapping[str, Any]) -> str:
    """The ground (a key of GROUNDS) on which a case is visited; one opened for a visit names its own."""
    if kind != "visit":
        return _OF_CASE.get(kind, "reported")
    return str(evidence.get("ground") or ("others_stay" if "question" in evidence else "reported"))


def grounds_of_unit(state: str, signs: Collection[str], late_rules: Collection[str]) -> tuple[str, ...]:
    """The grounds on which a unit may be visited without a case: its state on the ledger, what else is true of it
    (`signs`, which a state that comes first may cover), and its missed duties.

    None for a unit where everything is in order: nobody is visited without a reason.
    """
    found = [state, *signs, *(GROUND_OF_RULE.get(rule, "") for rule in late_rules)]
    return tuple(dict.fromkeys(ground for ground in found if ground in GROUNDS))


def has_ground(kind: str, evidence: Mapping[str, Any], grounds: Collection[str]) -> bool:
    """Whether a case may still be visited; `grounds` are those that are true of its unit.

    A duty that was fulfilled meanwhile stands in the case as what is suggested. What somebody reported is looked into
    until the case is decided.
    """
    ground = ground_of_case(kind, evidence)
    if kind != "visit" and ground in _OF_DUTY:
        return "suggestion" not in evidence
    return ground in ("reported", "disputed") or ground in grounds


def find_plan_faults(
    due_on: date | None, today: date, planner: tuple[str, str], assignee_id: str, entitled: set[str]
) -> list[Refusal]:
    """All faults of a plan: its day, and who goes. `planner` is (role, id) of whoever plans."""
    faults = []
    if due_on is None:
        faults.append(Refusal("input.missing", "due_on"))
    elif not today <= due_on <= today + PLAN_AHEAD:
        faults.append(Refusal("field.due", "due_on", {"days": PLAN_AHEAD.days}))
    role, own_id = planner
    if assignee_id not in entitled or (role not in PLANNERS and assignee_id != own_id):
        faults.append(Refusal("field.assignee", "assignee_id"))
    return faults


def decide_note(state: str, assignee_id: str, officer_id: str, *, in_time: bool = False) -> Refusal | None:
    """Whether this officer may note what came of a visit: of a withdrawn one only what was made `in_time`."""
    if state == "done":
        return Refusal("field.done")
    if state == "withdrawn" and not in_time:
        return Refusal("field.withdrawn")
    return None if assignee_id == officer_id else Refusal("field.not_yours")


def find_outcome_faults(outcome: str, adults: int | None, children: int | None) -> list[Refusal]:
    """All faults of what came of a visit: the code, and the two numbers, which go together (0–99 each)."""
    row = OUTCOMES.get(outcome)
    if row is None:
        return [Refusal("input.not_one_of" if outcome else "input.missing", "outcome", allowed=tuple(OUTCOMES))]
    counted = {"adults": adults, "children": children}
    if row.counts in ("no", "zero"):
        return [Refusal("field.no_count", name) for name, number in counted.items() if number]
    if row.counts == "maybe" and adults is None and children is None:
        return []
    faults = [Refusal("input.missing", name) for name, number in counted.items() if number is None]
    wrong = [name for name, number in counted.items() if number is not None and not 0 <= number <= HEADS_MOST]
    return faults + [Refusal("field.count", name, {"most": HEADS_MOST}) for name in wrong]


def counted_people(outcome: str, adults: int | None, children: int | None) -> tuple[int, int] | None:
    """(adults, children) that a visit without faults has counted, None when nobody was counted."""
    if OUTCOMES[outcome].counts == "zero":
        return 0, 0
    return None if adults is None or children is None or OUTCOMES[outcome].counts == "no" else (adults, children)


def is_noted_in_time(made_at: datetime, withdrawn_at: datetime, reason: str | None) -> bool:
    """Whether a visit counts that was withdrawn: it was made before, or by somebody who stood at the door just then.

    At a visit people do what they were to be reminded of, and with that its ground goes.
    """
    late = NOTE_GRACE if reason == "ground_gone" else timedelta(0)
    return made_at < withdrawn_at + late


def noted_time(said: datetime | None, made_at: datetime, now: datetime) -> datetime:
    """When a visit took place: the phone's word while it can be true, else the moment its note arrived."""
    earliest = max(made_at, now - NOTE_LATE)
    return said if said is not None and earliest <= said <= now else now


def route_key(*parts: str) -> tuple[tuple[tuple[int, int | str], ...], ...]:
    """A sort key for street, house number, building, unit as they are walked: 2号 before 10号, 1号 before 1-2号."""
    return tuple(
        tuple((0, int(piece)) if piece.isdecimal() else (1, piece) for piece in _PARTS.findall(part)) for part in parts
    )
