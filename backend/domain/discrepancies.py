"""Where a dwelling's facts do not agree with each other: which kinds there are, by which rule, and what follows.

Each is about a dwelling and a duty; none is a mark on a person, and none touches a key.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Discrepancy:
    """One kind: its names, the rule it rests on, what a person does about it, the kind of case that may be open, the
    ground (a key of domain.visits.GROUNDS) on which the dwelling may be visited."""

    zh: str
    en: str
    rule: str
    remedy_zh: str
    remedy_en: str
    case_kind: str
    ground: str


DISCREPANCIES: dict[str, Discrepancy] = {
    "unreported": Discrepancy(
        "租客已申报，房东未报告", "Declared, and not reported by the landlord", "ZJ-9-1",
        "提醒房东报告；租客的登记不受影响。", "Remind the landlord; the tenant's registration stands.",
        "overdue_report", "report_overdue"),
    "undeclared": Discrepancy(
        "逾期未申报", "Declaration overdue", "HK-15",
        "上门或电话帮助申报；钥匙不受影响。", "Help with the declaration at the door or by phone; the key stays.",
        "overdue_registration", "overdue"),
    "lease_over": Discrepancy(
        "租期已满，未办离开登记", "Lease over, not checked out", "ZJ-9-2",
        "向双方核实：续租、仍住或已离开。", "Ask both: extended, still there, or gone.",
        "overdue_check_out", "check_out_overdue"),
    "over_capacity": Discrepancy(
        "超员", "More people than the space may hold", "HR-7",
        "核实人数和面积；不影响登记和钥匙。", "Check people and area; registration and key stay.",
        "over_capacity", "over_capacity"),
    "disputed": Discrepancy(
        "有争议：一方说已离开", "Disputed: one side says left", "HR-12",
        "决定之前钥匙一直有效，两边都要听。", "The key works until it is decided; hear both sides.",
        "dispute", "disputed"),
    "right_unseen": Discrepancy(
        "已出租，出租权尚未核看", "Let, and the right to let not seen yet", "HR-9",
        "请房东带上证明到窗口，或走访时看原件；不影响租约、登记和钥匙。",
        "Ask the landlord to bring the papers to the window, or see them on a visit; lease, registration and key stay.",
        "visit", "right_unseen"),
}  # fmt: skip
