"""A report as the one who made it sees it, on the phone and at the window; read inside a unit of the caller's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.domain.case_reports import decide_reopen
from backend.domain.cases import decide_action
from backend.gateways.world import World
from backend.models.cases import Case
from backend.models.officers import Officer
from backend.models.visits import Visit
from backend.services.case_messages import Sent, find_sent
from backend.services.case_steps import StepView, last_words, list_steps
from backend.services.office_names import english_names
from backend.services.unit_names import unit_alias


@dataclass(frozen=True)
class ReportStep:
    """One step as the reporter sees it: what happened when, and by whose office, never by whom.

    Of a visit it is said that it took place, when, and from which office; what came of it stands in the answer.
    """

    action: str
    state: str
    at: datetime
    office_zh: str | None = None
    office_en: str | None = None


@dataclass(frozen=True)
class ReportView:
    """A report as the one who made it sees it; `answer` and `decision` only once they were checked."""

    id: str
    reference: str
    kind: str
    facts: tuple[str, ...]
    words: str | None
    call_back: bool
    unit_alias: str | None
    rule: str | None
    office: str
    state: str
    opened_at: datetime
    due_at: datetime | None
    decision: str | None
    decision_reason: str | None
    answer: str | None
    answered_at: datetime | None
    stars: int | None
    stars_reason: str | None
    may_rate: bool
    may_reopen: bool
    is_reopened: bool
    steps: tuple[ReportStep, ...]
    sent: Sent | None


@dataclass(frozen=True)
class ReportLine:
    """A report on the list of one's own."""

    id: str
    reference: str
    kind: str
    unit_alias: str | None
    office: str
    state: str
    opened_at: datetime
    due_at: datetime | None
    answered_at: datetime | None


def report_view(world: World, session: Session, case: Case) -> ReportView:
    """A report with its steps, inside a reading or write unit."""
    steps = list_steps(world, session, case)
    is_answered = case.answered_at is not None
    now = world.clock.now()
    return ReportView(
        id=case.id,
        reference=case.reference,
        kind=case.kind,
        facts=tuple(case.evidence.get("facts", ())),
        words=last_words(steps, "report"),
        call_back=case.call_back,
        unit_alias=unit_alias(session, case.unit_id) if case.unit_id else None,
        rule=case.rule,
        office=case.office,
        state=_told(case.state),
        opened_at=case.opened_at,
        due_at=case.due_at,
        decision=case.decision if is_answered else None,
        decision_reason=case.decision_reason if is_answered else None,
        answer=last_words(steps, "decide") if is_answered else None,
        answered_at=case.answered_at,
        stars=case.stars,
        stars_reason=case.stars_reason,
        may_rate=decide_action(case.state, "rate", case.kind) is None,
        may_reopen=decide_reopen(case.state, case.answered_at, case.reopened_at, now) is None,
        is_reopened=case.reopened_at is not None,
        steps=tuple(_spoken(session, case, steps)),
        sent=find_sent(world, session, case),
    )


# What happens between colleagues (handing out, planning, sending back) is not told outside; a sent-back case is "being
# handled".
_SPOKEN = ("report", "route", "claim", "visit", "decide", "answer", "rate", "reopen")


def _spoken(session: Session, case: Case, steps: tuple[StepView, ...]) -> Iterator[ReportStep]:
    """The steps that are told. A visit has the time it was made, not that of its note, and its visitor's office."""
    visits = iter(_visits_of(session, case))
    for step in steps:
        if step.action == "visit":
            made = next(visits, None)
            if made is not None:  # else its visit is no more, and neither its time nor its office is known
                yield ReportStep("visit", _told(step.state), made.at or step.at, made.office_zh, made.office_en)
        elif step.action in _SPOKEN:
            yield ReportStep(step.action, _told(step.state), step.at)


@dataclass(frozen=True)
class _Made:
    at: datetime | None
    office_zh: str
    office_en: str


def _visits_of(session: Session, case: Case) -> list[_Made]:
    """The visits made for a case, in the order of their steps."""
    rows = session.execute(
        select(Visit.visited_at, Officer.office)
        .join(Officer, Officer.id == Visit.assignee_id)
        .where(Visit.case_id == case.id, Visit.state == "done")
        .order_by(Visit.noted_at, Visit.id)
    ).all()
    names = english_names(session) if rows else {}
    return [_Made(at, office, names.get(office, office)) for at, office in rows]


def _told(state: str) -> str:
    """The state as it is told outside: what was not checked yet is not said to be done."""
    return "assigned" if state in ("handled", "checked") else state


def report_line(session: Session, case: Case) -> ReportLine:
    """A report on the list."""
    return ReportLine(
        id=case.id,
        reference=case.reference,
        kind=case.kind,
        unit_alias=unit_alias(session, case.unit_id) if case.unit_id else None,
        office=case.office,
        state=_told(case.state),
        opened_at=case.opened_at,
        due_at=case.due_at,
        answered_at=case.answered_at,
    )
