"""Cases: the closed loop, who decides what, and what can be decided. The kinds themselves stand in `case_kinds`."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from backend.domain.calendars import day_of, end_of, working_days_after
from backend.domain.case_kinds import KINDS, METHODS, OFFICES, REASON_NAMES, CaseKind, Decision
from backend.domain.refusals import Refusal, illegal_transition

__all__ = ["KINDS", "METHODS", "OFFICES", "REASON_NAMES", "CaseKind", "Decision"]

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
TRANSITIONS: dict[str, dict[str, str]] = {
    "reported": {"route": "routed"},
    "routed": {"claim": "assigned", "assign": "assigned", "settle": "handled"},
    "assigned": {"assign": "assigned", "release": "routed", "decide": "handled", "settle": "handled"},
    "handled": {"check": "checked", "send_back": "assigned"},
    "checked": {"answer": "answered"},
    "answered": {"rate": "rated", "reopen": "routed"},
    "rated": {},
}
ACTION_NAMES = {
    "report": ("提出", "report"),
    "route": ("转办", "route"),
    "claim": ("领取", "take"),
    "assign": ("指派", "assign"),
    "release": ("放回", "put back"),
    "decide": ("作出决定", "decide"),
    "settle": ("另行解决", "settle another way"),  # what it waited for has come by itself
    "check": ("复核通过", "approve"),
    "send_back": ("退回重办", "send back"),
    "answer": ("答复", "answer"),
    "rate": ("评价", "rate"),
    "reopen": ("重新办理", "reopen"),
    "plan_visit": ("安排走访", "plan a visit"),  # field work: the case stays where it is
    "visit": ("走访", "visit"),
    "withdraw_visit": ("取消走访", "withdraw the visit"),
    "escalate": ("交给负责人", "hand to the supervisors"),
}
CHECKERS = ("supervisor",)


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


def closing_state(kind: str) -> str:
    """The state in which nothing more is owed: answered, or, of a kind nobody checks, handled."""
    return "answered" if KINDS[kind].checked else "handled"


def is_closed_for(role: str, kind: str, state: str, *, caller_waits: bool) -> bool:
    """Whether a member of staff in `role` has nothing more to do for a case.

    Who handled it is done once it is decided, unless it is sent back; a supervisor checks it after that. Then whoever
    left a number (`caller_waits`) is called, by either.
    """
    if state in OPEN_STATES:
        return False
    if state == "handled":
        return not (KINDS[kind].checked and role in CHECKERS)
    return state != "checked" or not caller_waits


def checked_kinds() -> tuple[str, ...]:
    """The kinds that a supervisor checks before they are answered."""
    return tuple(kind for kind, row in KINDS.items() if row.checked)


def urgent_kinds() -> tuple[str, ...]:
    """The kinds that stand before everything else."""
    return tuple(kind for kind, row in KINDS.items() if row.urgent)


def decide_action(state: str, action: str, kind: str | None = None) -> Refusal | None:
    """Whether a case in `state` takes `action` ('claim', 'release', 'decide', …); a refusal lists what is possible.

    A case of a `kind` that nobody checks takes nothing more once it is handled.
    """
    is_over = kind is not None and state == "handled" and not KINDS[kind].checked
    possible = {} if is_over else TRANSITIONS[state]
    if action in possible:
        return None
    return illegal_transition(STATE_NAMES[state], {name: ACTION_NAMES[name] for name in possible})


def decide_check(kind: str, state: str, action: str, decided_by: str | None, checker: str) -> Refusal | None:
    """Whether `checker` may approve ('check') or send back what `decided_by` did: never one's own work (four eyes)."""
    refusal = decide_action(state, action, kind)
    if refusal is None and decided_by == checker:
        return Refusal("case.own_work")
    return refusal


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
