"""Kinds of cases: to which office each is routed, who decides it until when, and which ends it can have.

This table is the routing: the kind says the office and the time, the dwelling's division says the area. What people
report themselves (`checked`) goes round the whole loop; what is decided about a claim or an identity takes effect at
once and ends with the decision.
"""

from __future__ import annotations

from dataclasses import dataclass

OFFICES = {
    "police_station": ("派出所", "Police station"),
    "housing_office": ("住房管理部门", "Housing office"),
    "data_office": ("个人信息保护负责人", "Data protection officer"),
    "village_office": ("村（社区）便民服务点", "Village service point"),
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

    `days` are working days; `hours` run on the clock and are used where somebody waits at the door. `checked`: a
    supervisor looks at what was done before it is answered. `urgent`: stands before everything else.
    """

    zh: str
    en: str
    office: str
    deciders: tuple[str, ...]
    decisions: dict[str, Decision]
    days: int = 0
    hours: int = 0
    checked: bool = False
    urgent: bool = False


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
    "repaired": ("已修好或已整改", "Repaired or put right"),
    "help_given": ("已联系上并提供帮助", "Reached, and helped"),
    "explained": ("已解释清楚", "Explained"),
    "passed_on": ("已转交有权处理的部门", "Passed on to the entitled office"),
    "look_unfit": ("这次查看不应当，已处理", "This look should not have been made; it was dealt with"),
    "unfounded": ("核实后不属实", "Found not to be so"),
}
METHODS = {"window": ("当面（窗口）", "In person (window)"), "live_video": ("视频", "Live video")}

_FIELD_STAFF = ("officer", "grid_worker", "supervisor")
_REPORTERS = ("grid_worker", "window_clerk", "officer", "supervisor")
_HANDLED = Decision("已处理", "Handled", ("seen_on_site", "mended", "explained", "reminded", "declared_now"))
_PASSED = Decision("已转交", "Passed on", ("passed_on",))
_UNFOUNDED = Decision("不属实", "Not so", ("unfounded",))
_DONE = Decision("已处理", "Handled", ("repaired", "seen_on_site", "explained", "reminded"))
_HELPED = Decision("已处理", "Handled", ("help_given", "seen_on_site", "explained"))
_ENDS = {"handled": _DONE, "passed_on": _PASSED, "unfounded": _UNFOUNDED}
_WHO_IT_IS = {
    "confirmed": Decision("身份确认", "Identity confirmed", ("same_person",), ("method",)),
    "not_confirmed": Decision(
        "未能确认",
        "Not confirmed",
        ("other_person", "document_expired", "document_doubtful", "number_differs", "not_reached"),
        ("method",),
    ),
}

KINDS: dict[str, CaseKind] = {
    "identity_review": CaseKind(
        "身份复核",
        "Identity review",
        "police_station",
        ("reviewer", "supervisor", "window_clerk"),
        _WHO_IT_IS,
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
        {"handled": _HANDLED, "unfounded": _UNFOUNDED},
        days=15,
        checked=True,
    ),
    "look_question": CaseKind(
        "查看疑问",
        "Question about a look at one's data",
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
        {"handled": _HELPED, "passed_on": _PASSED},
        hours=2,
        checked=True,
        urgent=True,
    ),
    "unsafe_dwelling": CaseKind(
        "房屋安全隐患",
        "Unsafe dwelling",
        "housing_office",
        _FIELD_STAFF,
        _ENDS,
        days=3,
        checked=True,
    ),
    "landlord_duty": CaseKind(
        "房东不配合登记",
        "Landlord hinders the registration",
        "police_station",
        _FIELD_STAFF,
        _ENDS,
        days=5,
        checked=True,
    ),
    "lock_trouble": CaseKind(
        "门锁故障",
        "Trouble with the lock",
        "village_office",
        _REPORTERS,
        _ENDS,
        days=2,
        checked=True,
    ),
    "resident_report": CaseKind(
        "其他房屋问题",
        "Other trouble with a dwelling",
        "village_office",
        _REPORTERS,
        _ENDS,
        days=7,
        checked=True,
    ),
    "rebind": CaseKind(
        "换手机绑定钥匙",
        "Key to a new phone",
        "police_station",
        ("officer", "reviewer", "supervisor", "window_clerk"),
        _WHO_IT_IS,
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
        {
            "counted": Decision("采用", "Counts", ("papers_seen", "both_sides_heard")),
            "handled": _HANDLED,
            "passed_on": _PASSED,
            "unfounded": _UNFOUNDED,
        },
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
        checked=True,
    ),
}
