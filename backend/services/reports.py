"""Reports: what a tenant or landlord brings up, where it is, what came of it. Only who reported it reads it here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from backend.db import reading
from backend.domain.calendars import start_of
from backend.domain.case_reports import (
    A_DAY_AT_MOST,
    REPORTS,
    SIDES,
    TWICE_WITHIN,
    WORDS_MOST,
    decide_rater,
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
from backend.services.case_opening import open_case
from backend.services.case_steps import advance, last_words, list_steps
from backend.services.hands import Desk, Hand, acting_for
from backend.services.moved_homes import follow_case
from backend.services.own_registrations import own_registrations
from backend.services.report_views import ReportLine, ReportView, report_line, report_view
from backend.services.unit_names import unit_alias

_LISTED = 200  # units offered to choose from; of more, the number at the door is typed or scanned


@dataclass(frozen=True)
class ReportPlace:
    """A dwelling one may report about as one's own."""

    unit_no: str
    unit_alias: str


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
    report.number), report.unit, report.not_own, report.too_many, and at the window as `acting_for`.
    """
    said = (words or "").strip()
    chosen = tuple(dict.fromkeys(facts))
    faults = find_report_faults(kind, chosen, said)
    if faults:
        raise Refused.of(faults)
    body = {"unit": unit_no, "kind": kind, "facts": sorted(chosen), "words": said, "call": call_back}
    unit_id = _find_unit(unit_no)
    with acting_for(world, account_id, desk, "file_report", unit_id=unit_id) as (session, hand):
        known = idempotency.find_answer(session, account_id, idempotency_key, "file_report", body)
        if known is not None:
            return report_view(world, session, session.get_one(Case, known["id"]))
        case = _open(world, session, hand, account_id, unit_id, kind, chosen, said, call_back)
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
        return tuple(report_line(session, row) for row in rows.all())


def find_own_report(*, account_id: str, reference: str) -> str:
    """The id of this account's report by what people quote. Raises Refused not_found at `reference`."""
    mine = select(Case.id).where(Case.reference == reference.strip().upper(), Case.reporter_id == account_id)
    with reading() as session:
        found = session.scalar(mine)
    if found is None:
        raise Refused("not_found", "reference")
    return found


def get_report(world: World, *, account_id: str, report_id: str) -> ReportView:
    """One report of this account; another's is not found."""
    with reading() as session:
        return report_view(world, session, _own(session, account_id, report_id))


def rate_report(
    world: World,
    *,
    account_id: str,
    report_id: str,
    stars: int,
    reason: str | None = None,
    desk: Desk | None = None,
) -> ReportView:
    """Rate the answer, which closes the case: 1 to 5 and, if one likes, why. The same again changes nothing.

    At the window nobody enters what is said of their own work. Raises Refused input.not_one_of, transition, not_found,
    report.own_work, and at the window as `acting_for`.
    """
    faults = find_rating_faults(stars, reason)
    if faults:
        raise Refused.of(faults)
    with acting_for(world, account_id, desk, "rate_report", case_id=report_id) as (session, hand):
        case = _own(session, account_id, report_id, changing=True)
        if (case.state, case.stars, case.stars_reason) != ("rated", stars, reason):
            _refuse(decide_rater(hand.officer_id, case.decided_by, case.checked_by))
            _refuse(decide_action(case.state, "rate", case.kind))
            case.stars, case.stars_reason = stars, reason
            _step(world, session, case, "rate", hand.actor, reason=reason)
        return report_view(world, session, case)


def reopen_report(
    world: World, *, account_id: str, report_id: str, words: str | None = None, desk: Desk | None = None
) -> ReportView:
    """It is not solved: the case goes back to its office, once, with a new time. `words` as in `file_report`.

    Raises Refused report.reopened, report.reopen_late, report.number, input.length, transition, not_found, and at the
    window as `acting_for`.
    """
    faults = find_words_faults(words or "", "words", WORDS_MOST)
    if faults:
        raise Refused.of(faults)
    with acting_for(world, account_id, desk, "reopen_report", case_id=report_id) as (session, hand):
        case = _own(session, account_id, report_id, changing=True)
        _refuse(reopen_in(world, session, case, hand.actor, words or ""))
        return report_view(world, session, case)


def reopen_in(world: World, session: Session, case: Case, actor: Actor, words: str) -> Refusal | None:
    """Send a case back to its office inside the present write unit; a refusal means that nothing was changed."""
    now = world.clock.now()
    refusal = decide_reopen(case.state, case.answered_at, case.reopened_at, now)
    if refusal is not None:
        return refusal
    forget_decision(case)
    case.assigned_to = case.assigned_at = case.touched_at = case.escalated_at = None
    case.reopened_at, case.due_at = now, due_time_of(case.kind, now)
    _step(world, session, case, "reopen", actor, words=words)
    follow_case(world, session, case, actor)
    return None


def _find_unit(unit_no: str) -> str:
    with reading() as session:
        found = session.scalar(select(Unit.id).where(Unit.public_number == unit_no.strip().upper()))
    if found is None:
        raise Refused("report.unit", "unit_no")
    return found


def _open(
    world: World,
    session: Session,
    hand: Hand,
    account_id: str,
    unit_id: str,
    kind: str,
    facts: tuple[str, ...],
    words: str,
    call_back: bool,
) -> Case:
    unit = session.get_one(Unit, unit_id)
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
    actor: Actor,
    *,
    reason: str | None = None,
    words: str = "",
) -> None:
    advance(world, session, case, action, actor, reason=reason, words=words)
    write_leaf(world, session, actor, f"case_{action}", object_kind="case", object_id=case.reference)


def _refuse(refusal: Refusal | None) -> None:
    if refusal is not None:
        raise Refused.of([refusal])
