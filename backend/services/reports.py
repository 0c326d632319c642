"""Reports: what a tenant or landlord brings up, where it is, what came of it. Only who reported it reads it here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from backend.db import reading, transaction
from backend.domain.calendars import start_of
from backend.domain.case_reports import (
    A_DAY_AT_MOST,
    REPORTS,
    SIDES,
    TWICE_WITHIN,
    WORDS_MOST,
    decide_reopen,
    decide_side,
    find_rating_faults,
    find_report_faults,
    find_words_faults,
    rule_of_report,
)
from backend.domain.cases import OPEN_STATES, decide_action, due_time_of
from backend.domain.ids import is_id
from backend.domain.refusals import Refusal, Refused
from backend.gateways.world import World
from backend.models.accounts import Account
from backend.models.cases import Case
from backend.models.dwellings import Dwelling
from backend.models.registrations import Registration
from backend.models.units import Unit
from backend.services import idempotency
from backend.services.audit import Actor, write_leaf
from backend.services.case_checks import forget_decision
from backend.services.case_messages import Sent, find_sent
from backend.services.case_opening import open_case
from backend.services.case_steps import StepView, advance, last_words, list_steps
from backend.services.hands import Desk, Hand, acting_for
from backend.services.tenancies import own_registrations
from backend.services.unit_names import unit_alias

_LISTED = 200  # units offered to choose from; of more, the number at the door is typed or scanned


@dataclass(frozen=True)
class ReportPlace:
    """A dwelling one may report about as one's own."""

    unit_no: str
    unit_alias: str


@dataclass(frozen=True)
class ReportStep:
    """One step as the reporter sees it: what happened when, and by whose office, never by whom."""

    action: str
    state: str
    at: datetime


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


def list_places(world: World, *, account_id: str, side: str, kind: str | None = None) -> tuple[ReportPlace, ...]:
    """The dwellings a 'tenant' lives in or a 'landlord' lets, by name; for a question about data also former homes."""
    with reading() as session:
        units = session.scalars(
            select(Unit).where(Unit.id.in_(_own_unit_ids(session, account_id, side, kind))).limit(_LISTED)
        )
        places = [ReportPlace(unit.public_number, unit_alias(session, unit.id)) for unit in units]
        return tuple(sorted(places, key=lambda place: place.unit_alias))


def file_report(
    world: World,
    *,
    account_id: str,
    unit_no: str,
    kind: str,
    facts: Sequence[str],
    words: str | None = None,
    call_back: bool = False,
    idempotency_key: str | None = None,
    desk: Desk | None = None,
) -> ReportView:
    """Report something about a dwelling, named by the number at its door, or about one's own record there.

    It goes to the office entitled to its kind where the dwelling lies. Sent twice, under one key or word for word
    within ten minutes, it is one case.
    Raises Refused with every faulty field (input.missing, input.not_one_of, input.length, report.facts,
    report.number), report.unit, report.not_own, report.too_many.
    """
    said = (words or "").strip()
    chosen = tuple(dict.fromkeys(facts))
    faults = find_report_faults(kind, chosen, said)
    if faults:
        raise Refused.of(faults)
    body = {"unit": unit_no, "kind": kind, "facts": sorted(chosen), "words": said, "call": call_back}
    with acting_for(world, account_id, desk, "file_report") as (session, hand):
        known = idempotency.find_answer(session, account_id, idempotency_key, "file_report", body)
        if known is not None:
            return report_view(world, session, session.get_one(Case, known["id"]))
        case = _open(world, session, hand, account_id, unit_no, kind, chosen, said, call_back)
        idempotency.remember(world, session, account_id, idempotency_key, "file_report", body, {"id": case.id})
        return report_view(world, session, case)


def list_reports(
    world: World, *, account_id: str, before: str | None = None, limit: int = 50
) -> tuple[ReportLine, ...]:
    """What this account has reported, newest first, or what stands behind `before`. Raises Refused not_found."""
    with reading() as session:
        mine = select(Case).where(Case.reporter_id == account_id)
        if before is not None:
            seen = _own(session, account_id, before, "before")
            older = (Case.opened_at == seen.opened_at) & (Case.id < seen.id)
            mine = mine.where((Case.opened_at < seen.opened_at) | older)
        rows = session.scalars(mine.order_by(Case.opened_at.desc(), Case.id.desc()).limit(limit))
        return tuple(_line(session, row) for row in rows.all())


def get_report(world: World, *, account_id: str, report_id: str) -> ReportView:
    """One report of this account; another's is not found."""
    with reading() as session:
        return report_view(world, session, _own(session, account_id, report_id))


def rate_report(world: World, *, account_id: str, report_id: str, stars: int, reason: str | None = None) -> ReportView:
    """Rate the answer, which closes the case: 1 to 5 and, if one likes, why. The same again changes nothing.

    Raises Refused input.not_one_of, transition, not_found.
    """
    faults = find_rating_faults(stars, reason)
    if faults:
        raise Refused.of(faults)
    with transaction() as session:
        case = _own(session, account_id, report_id, changing=True)
        if (case.state, case.stars, case.stars_reason) != ("rated", stars, reason):
            _refuse(decide_action(case.state, "rate", case.kind))
            case.stars, case.stars_reason = stars, reason
            _step(world, session, case, "rate", account_id, reason=reason)
        return report_view(world, session, case)


def reopen_report(world: World, *, account_id: str, report_id: str, words: str | None = None) -> ReportView:
    """It is not solved: the case goes back to its office, once, with a new time. `words` as in `file_report`.

    Raises Refused report.reopened, report.reopen_late, report.number, input.length, transition, not_found.
    """
    faults = find_words_faults(words or "", "words", WORDS_MOST)
    if faults:
        raise Refused.of(faults)
    with transaction() as session:
        case, now = _own(session, account_id, report_id, changing=True), world.clock.now()
        _refuse(decide_reopen(case.state, case.answered_at, case.reopened_at, now))
        forget_decision(case)
        case.assigned_to = case.assigned_at = case.touched_at = case.escalated_at = None
        case.reopened_at, case.due_at = now, due_time_of(case.kind, now)
        _step(world, session, case, "reopen", account_id, words=words or "")
        return report_view(world, session, case)


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
        steps=tuple(_spoken(step) for step in steps if step.action in _SPOKEN),
        sent=find_sent(world, session, case),
    )


# What happens between colleagues (handing out, sending back) is not told outside; a sent-back case is "being handled".
_SPOKEN = ("report", "route", "claim", "decide", "answer", "rate", "reopen")


def _spoken(step: StepView) -> ReportStep:
    return ReportStep(step.action, _told(step.state), step.at)


def _told(state: str) -> str:
    """The state as it is told outside: what was not checked yet is not said to be done."""
    return "assigned" if state in ("handled", "checked") else state


def _open(
    world: World,
    session: Session,
    hand: Hand,
    account_id: str,
    unit_no: str,
    kind: str,
    facts: tuple[str, ...],
    words: str,
    call_back: bool,
) -> Case:
    unit = session.scalar(select(Unit).where(Unit.public_number == unit_no.strip().upper()))
    if unit is None:
        raise Refused("report.unit", "unit_no")
    side = _side_of(session, account_id, unit.id, kind)
    _refuse(decide_side(kind, side))
    evidence = {"facts": [code for code in REPORTS[kind].facts if code in facts]}
    same = _find_same(world, session, account_id, unit.id, kind, evidence, words)
    if same is not None:
        return same
    _check_pace(world, session, account_id)
    person_id = session.get_one(Account, account_id).person_id
    about_me = kind == "data_question"
    case = open_case(
        world,
        session,
        kind=kind,
        area=session.get_one(Dwelling, unit.dwelling_id).division,
        unit_id=unit.id,
        registration_id=_own_record(session, account_id, unit.id) if about_me else None,
        person_id=person_id if about_me else None,
        rule=rule_of_report(kind, facts),
        opened_by=side,
        evidence=evidence,
        reporter_id=account_id,
        call_back=call_back,
        actor=hand.actor,
        words=words,
    )
    write_leaf(world, session, hand.actor, "case_reported", object_kind="case", object_id=case.reference)
    return case


def _find_same(
    world: World,
    session: Session,
    account_id: str,
    unit_id: str,
    kind: str,
    evidence: dict[str, list[str]],
    words: str,
) -> Case | None:
    """What this account reported word for word just now: a form sent again after going back."""
    lately = select(Case).where(
        Case.reporter_id == account_id,
        Case.unit_id == unit_id,
        Case.kind == kind,
        Case.opened_at >= world.clock.now() - TWICE_WITHIN,
        Case.state.in_(OPEN_STATES),
    )
    for case in session.scalars(lately).all():
        said = last_words(list_steps(world, session, case), "report") or ""
        if case.evidence == evidence and said == words:
            return case
    return None


def _own_unit_ids(session: Session, account_id: str, side: str, kind: str | None) -> list[str]:
    if side == "tenant":
        mine = own_registrations(session, account_id)
        return [row.unit_id for row in mine if row.residence == "living" or kind == "data_question"]
    person_id = session.get_one(Account, account_id).person_id
    return list(session.scalars(select(Unit.id).where(Unit.landlord_id == person_id))) if person_id else []


def _side_of(session: Session, account_id: str, unit_id: str, kind: str) -> str:
    sides = (side for side in SIDES if unit_id in _own_unit_ids(session, account_id, side, kind))
    return next(sides, "resident")


def _own_record(session: Session, account_id: str, unit_id: str) -> str | None:
    person_id = session.get_one(Account, account_id).person_id
    mine = select(Registration.id).where(Registration.unit_id == unit_id, Registration.person_id == person_id)
    return session.scalar(mine.order_by(Registration.created_at.desc()).limit(1)) if person_id else None


def _check_pace(world: World, session: Session, account_id: str) -> None:
    today = start_of(world.clock.today())
    made = select(func.count()).where(Case.reporter_id == account_id, Case.opened_at >= today)
    if (session.scalar(made) or 0) >= A_DAY_AT_MOST:
        raise Refused("report.too_many")


def _own(
    session: Session, account_id: str, report_id: str, field: str = "report_id", *, changing: bool = False
) -> Case:
    case = session.get(Case, report_id, with_for_update=changing) if is_id(report_id) else None
    if case is None or case.reporter_id != account_id:
        raise Refused("not_found", field)
    return case


def _step(
    world: World,
    session: Session,
    case: Case,
    action: str,
    account_id: str,
    *,
    reason: str | None = None,
    words: str = "",
) -> None:
    actor = Actor("resident", account_id)
    advance(world, session, case, action, actor, reason=reason, words=words)
    write_leaf(world, session, actor, f"case_{action}", object_kind="case", object_id=case.reference)


def _refuse(refusal: Refusal | None) -> None:
    if refusal is not None:
        raise Refused.of([refusal])


def _line(session: Session, case: Case) -> ReportLine:
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
