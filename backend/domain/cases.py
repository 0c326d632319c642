"""Cases: the closed loop, who decides what, and what can be decided."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from backend.domain.calendars import day_of, end_of, working_days_after
from backend.domain.refusals import Refusal, illegal_transition

OPEN_STATES = ("reported", "routed", "assigned")
IDLE = timedelta(minutes=30)
STATE_NAMES = {
    "reported": ("已提出", "Reported"),
    "routed": ("待领取", "Waiting to be taken"),
    "assigned": ("处理中", "Being handled"),
    "handled": ("已处理", "Handled"),
    "checked": ("已复核", "Checked"),
    "answered": ("已答复", "Answered"),
    "rated": ("已评价", "Rated"),
}
TRANSITIONS = {
    "reported": {"route": "routed"},
    "routed": {"claim": "assigned"},
    "assigned": {"release": "routed", "decide": "handled"},
    "handled": {"check": "checked"},
    "checked": {"answer": "answered"},
    "answered": {"rate": "rated"},
    "rated": {},
}
ACTION_NAMES = {
    "route": ("转办", "route"),
    "claim": ("领取", "take"),
    "release": ("放回", "put back"),
    "decide": ("作出决定", "decide"),
    "check": ("复核", "check"),
    "answer": ("答复", "answer"),
    "rate": ("评价", "rate"),
}
OFFICES = {
    "police_station": ("派出所", "Police station"),
    "housing_office": ("住房管理部门", "Housing office"),
    "data_office": ("个人信息保护负责人", "Data protection officer"),
}


@dataclass(frozen=True)
class Decision:
    """One possible end: its names, the reasons it may have, and what else must be said."""

    zh: str
    en: str
    reasons: tuple[str, ...]
    needs: tuple[str, ...] = ()  # 'method', 'moved_out_on', 'claim'


@dataclass(frozen=True)
class CaseKind:
    """One kind of case: names, entitled office, time to handle it, deciding roles, possible decisions.

    `days` are working days; `hours` run on the clock and are used where somebody waits at the door.
    """

    zh: str
    en: str
    office: str
    deciders: tuple[str, ...]
    decisions: dict[str, Decision]
    days: int = 0
    hours: int = 0


REASON_NAMES = {
    "same_person": ("本人与证件一致", "The person is the one on the document"),
    "other_person": ("与证件照片不是同一人", "Not the person on the document"),
    "document_expired": ("证件已过期", "The document has expired"),
    "document_doubtful": ("证件存疑，请到窗口办理", "The document is doubtful: please come to the window"),
    "number_differs": ("号码与证件不一致", "The number differs from the document"),
    "not_reached": ("约定时间未能见到本人", "The person could not be met at the agreed time"),
    "seen_on_site": ("现场核实", "Seen on site"),
    "both_sides_heard": ("双方说明一致", "Both sides were heard and agree"),
    "papers_seen": ("已查看材料", "Papers were seen"),
    "papers_missing": ("材料不足", "Papers are missing"),
    "court_decision": ("依法院裁定", "A court has decided"),
    "declared_now": ("已补办申报", "Declared in the meantime"),
    "reminded": ("已当面提醒并告知办理方式", "Reminded face to face, and told how"),
    "mended": ("已更正", "Corrected"),
    "explained": ("已解释清楚", "Explained"),
    "passed_on": ("已转交有权处理的部门", "Passed on to the entitled office"),
    "look_unfit": ("这次查看不应当，已处理", "This look should not have been made; it was dealt with"),
    "unfounded": ("核实后不属实", "Found not to be so"),
}
METHODS = {"window": ("当面（窗口）", "In person (window)"), "live_video": ("视频", "Live video")}

_FIELD_STAFF = ("officer", "grid_worker", "supervisor")
_HANDLED = Decision("已处理", "Handled", ("seen_on_site", "mended", "explained", "reminded", "declared_now"))
_PASSED = Decision("已转交", "Passed on", ("passed_on",))
_UNFOUNDED = Decision("不属实", "Not so", ("unfounded",))

KINDS: dict[str, CaseKind] = {
    "identity_review": CaseKind(
        "身份复核",
        "Identity review",
        "police_station",
        ("reviewer", "supervisor", "window_clerk"),
        {
            "confirmed": Decision("身份确认", "Identity confirmed", ("same_person",), ("method",)),
            "not_confirmed": Decision(
                "未能确认",
                "Not confirmed",
                ("other_person", "document_expired", "document_doubtful", "number_differs", "not_reached"),
                ("method",),
            ),
        },
        hours=72,
    ),
    "unit_claim": CaseKind(
        "房屋出租权争议",
        "Contested claim on a unit",
        "police_station",
        ("officer", "supervisor"),
        {
            "accepted": Decision(
                "认定后一申请人",
                "The later claimant has the right",
                ("papers_seen", "both_sides_heard", "court_decision"),
            ),
            "kept": Decision(
                "维持原登记",
                "The earlier claim stands",
                ("papers_seen", "papers_missing", "both_sides_heard", "court_decision"),
            ),
        },
        days=5,
    ),
    "dispute": CaseKind(
        "是否仍在居住有争议",
        "Left, or still living there",
        "police_station",
        ("officer", "supervisor"),
        {
            "still_living": Decision(
                "租客仍在居住", "The tenant still lives there", ("seen_on_site", "both_sides_heard")
            ),
            "moved_out": Decision(
                "租客已搬离",
                "The tenant has moved out",
                ("seen_on_site", "both_sides_heard", "court_decision"),
                ("moved_out_on",),
            ),
        },
        days=3,
    ),
    "leg_difference": CaseKind(
        "双方申报不一致",
        "The two reports differ",
        "police_station",
        ("officer", "supervisor"),
        {"handled": _HANDLED, "unfounded": _UNFOUNDED},
        days=5,
    ),
    "overdue_registration": CaseKind(
        "逾期未申报",
        "Registration overdue",
        "police_station",
        _FIELD_STAFF,
        {"handled": _HANDLED, "unfounded": _UNFOUNDED},
        days=5,
    ),
    "registry_rejection": CaseKind(
        "登记机关退回",
        "Returned by the registry",
        "police_station",
        ("officer", "supervisor", "window_clerk"),
        {"handled": _HANDLED, "passed_on": _PASSED},
        days=2,
    ),
    "data_question": CaseKind(
        "个人信息疑问",
        "Question about one's data",
        "data_office",
        ("supervisor",),
        {
            "handled": Decision("已答复", "Answered", ("explained", "look_unfit", "mended")),
            "unfounded": _UNFOUNDED,
        },
        days=15,
    ),
    "help_request": CaseKind(
        "求助",
        "Request for help",
        "police_station",
        _FIELD_STAFF,
        {"handled": _HANDLED, "passed_on": _PASSED},
        hours=2,
    ),
    "resident_report": CaseKind(
        "群众反映",
        "Report by a resident",
        "police_station",
        _FIELD_STAFF,
        {"handled": _HANDLED, "passed_on": _PASSED, "unfounded": _UNFOUNDED},
        days=7,
    ),
    "rebind": CaseKind(
        "换手机绑定钥匙",
        "Key to a new phone",
        "police_station",
        ("officer", "reviewer", "supervisor", "window_clerk"),
        {
            "confirmed": Decision("身份确认", "Identity confirmed", ("same_person",), ("method",)),
            "not_confirmed": Decision(
                "未能确认",
                "Not confirmed",
                ("other_person", "document_expired", "document_doubtful", "number_differs", "not_reached"),
                ("method",),
            ),
        },
        hours=2,
    ),
    "overdue_report": CaseKind(
        "房东逾期未报告",
        "Landlord's report overdue",
        "police_station",
        _FIELD_STAFF,
        {"handled": _HANDLED, "unfounded": _UNFOUNDED},
        days=5,
    ),
    "overdue_check_out": CaseKind(
        "租期已满，未退房也未续租",
        "Lease over, neither extended nor checked out",
        "police_station",
        _FIELD_STAFF,
        {"handled": _HANDLED, "unfounded": _UNFOUNDED},
        days=10,
    ),
    "over_capacity": CaseKind(
        "居住人数超过上限",
        "More people than the space may hold",
        "housing_office",
        _FIELD_STAFF,
        {"handled": _HANDLED, "passed_on": _PASSED, "unfounded": _UNFOUNDED},
        days=10,
    ),
    "headcount_differs": CaseKind(
        "实有人数与登记不符",
        "Headcount differs from the registrations",
        "police_station",
        _FIELD_STAFF,
        {"handled": _HANDLED, "unfounded": _UNFOUNDED},
        days=5,
    ),
    "void_request": CaseKind(
        "申请作废登记",
        "A registration said to be entered in error",
        "police_station",
        ("officer", "supervisor", "window_clerk"),
        {
            "voided": Decision("作废", "Voided", ("both_sides_heard", "papers_seen", "seen_on_site")),
            "kept": Decision("保留", "Kept", ("unfounded", "both_sides_heard", "seen_on_site")),
        },
        days=3,
    ),
    "registry_difference": CaseKind(
        "与登记机关数据不一致",
        "Differs from what the registry holds",
        "data_office",
        ("supervisor",),
        {"handled": Decision("已处理", "Handled", ("mended", "explained")), "passed_on": _PASSED},
        days=3,
    ),
    "registry_correction": CaseKind(
        "对登记机关更正有异议",
        "Objection to a correction made at the registry",
        "police_station",
        ("officer", "supervisor", "window_clerk"),
        {"handled": _HANDLED, "passed_on": _PASSED, "unfounded": _UNFOUNDED},
        days=5,
    ),
    "office_change": CaseKind(
        "其他部门通报的变动",
        "A change reported by another office",
        "police_station",
        ("officer", "supervisor"),
        {
            "counted": Decision("采用", "Counts", ("papers_seen", "both_sides_heard", "seen_on_site")),
            "refused": Decision("不采用", "Does not count", ("unfounded", "papers_missing", "both_sides_heard")),
            "handled": Decision("已与对方联系", "Taken up with the office", ("explained", "mended")),  # it ended (410)
        },
        days=5,
    ),
    "visit": CaseKind(
        "上门走访",
        "Visit",
        "police_station",
        _FIELD_STAFF,
        {"handled": _HANDLED, "unfounded": _UNFOUNDED},
        days=5,
    ),
}


def office_of(kind: str) -> str:
    """The office entitled to a kind of case (a key of OFFICES)."""
    return KINDS[kind].office


def due_time_of(kind: str, opened_at: datetime) -> datetime:
    """When a case should be handled: hours on the clock, or the end of the n-th working day after (China)."""
    row = KINDS[kind]
    if row.hours:
        return opened_at + timedelta(hours=row.hours)
    return end_of(working_days_after(day_of(opened_at), row.days))


def returning_kinds() -> tuple[str, ...]:
    """The kinds that go back to the queue when their taker leaves them alone for `IDLE`: those decided at a meeting."""
    met = {kind for kind, row in KINDS.items() for end in row.decisions.values() if "method" in end.needs}
    return tuple(kind for kind in KINDS if kind in met)


def kinds_for(role: str) -> tuple[str, ...]:
    """The kinds of cases a role may take and decide."""
    return tuple(kind for kind, row in KINDS.items() if role in row.deciders)


def decide_action(state: str, action: str) -> Refusal | None:
    """Whether a case in `state` takes `action` ('claim', 'release', 'decide', …); a refusal lists what is possible."""
    if action in TRANSITIONS[state]:
        return None
    return illegal_transition(STATE_NAMES[state], {name: ACTION_NAMES[name] for name in TRANSITIONS[state]})


def find_decision_faults(
    kind: str, decision: str, reason: str, method: str | None, moved_out_on: date | None, today: date
) -> list[Refusal]:
    """All faults of a decision on a case of `kind`."""
    row = KINDS[kind].decisions.get(decision)
    if row is None:
        return [Refusal("case.decision", "decision", allowed=tuple(KINDS[kind].decisions))]
    faults = []
    if reason not in row.reasons:
        faults.append(Refusal("case.reason", "reason", allowed=row.reasons))
    if "method" in row.needs and method not in METHODS:
        faults.append(Refusal("input.not_one_of" if method else "input.missing", "method", allowed=tuple(METHODS)))
    if "moved_out_on" in row.needs:
        if moved_out_on is None:
            faults.append(Refusal("input.missing", "moved_out_on"))
        elif moved_out_on > today:
            faults.append(Refusal("input.future_date", "moved_out_on"))
    return faults
