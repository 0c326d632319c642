"""What a supervisor does with cases: hands them out, approves what was done, or sends it back. Four eyes."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.db import reading, transaction
from backend.domain.case_reports import SEND_BACK_REASONS, call_due_at
from backend.domain.cases import CHECKERS, KINDS, REASON_NAMES, decide_action, decide_check, kinds_for
from backend.domain.duties import quiet_until
from backend.domain.officers import ROLES, covers
from backend.domain.purposes import HANDLE_CASE, decide_act
from backend.domain.refusals import Refusal
from backend.gateways.world import World
from backend.models.accounts import Account
from backend.models.cases import Case
from backend.models.officers import Officer
from backend.services import outbox
from backend.services.audit import SYSTEM, write_leaf
from backend.services.case_files import case_for
from backend.services.case_steps import advance
from backend.services.disclosures import answer, note_refusal
from backend.services.inbox import tell_account
from backend.services.moved_homes import follow_case
from backend.services.officer_sessions import Acting, acting_officer


@dataclass(frozen=True)
class Handler:
    """A member of staff who may be given a case, by badge and role."""

    id: str
    badge: str
    role: str


def list_handlers(kind: str, area: str) -> tuple[Handler, ...]:
    """Who may take a case of a kind that lies in an area: entitled role, an area that covers it, an active account."""
    roles = tuple(role for role in ROLES if kind in kinds_for(role))
    with reading() as session:
        rows = session.scalars(
            select(Officer).where(Officer.role.in_(roles), Officer.active).order_by(Officer.role, Officer.badge)
        )
        return tuple(Handler(row.id, row.badge, row.role) for row in rows if covers(row.area, area))


def assign_case(world: World, *, session_id: str, reference: str, officer_id: str) -> None:
    """Give an undecided case to somebody entitled; the same again changes nothing.

    Raises Refused case.officer, transition, purpose.missing, purpose.unfit, area.foreign (written down), forbidden,
    not_found.
    """
    with transaction() as session:
        acting = acting_officer(world, session, session_id)
        outcome = _supervised(session, acting, reference)
        if isinstance(outcome, Case):
            outcome = _assign(world, session, acting, outcome, officer_id)
        note_refusal(world, session, acting, outcome, "case", reference)
    answer(outcome)


def check_case(world: World, *, session_id: str, reference: str) -> None:
    """Approve what a colleague has done: whoever reported it is answered in the same write unit.

    Raises Refused case.own_work, transition, purpose.missing, purpose.unfit, area.foreign, forbidden, not_found.
    """
    with transaction() as session:
        acting = acting_officer(world, session, session_id)
        outcome = _checkable(session, acting, reference, "check")
        if isinstance(outcome, Case):
            outcome.checked_by = acting.officer.id
            outcome.call_due_at = call_due_at(world.clock.now()) if outcome.contact_sealed is not None else None
            advance(world, session, outcome, "check", acting.actor)
            _note(world, session, acting, outcome, "case_checked")
            _answer_reporter(world, session, outcome)
        note_refusal(world, session, acting, outcome, "case", reference)
    answer(outcome)


def send_back_case(world: World, *, session_id: str, reference: str, reason: str) -> None:
    """Give it back to whoever handled it, with a reason of the list; nobody outside is told anything yet.

    Raises Refused input.not_one_of, and all that `check_case` raises.
    """
    with transaction() as session:
        acting = acting_officer(world, session, session_id)
        outcome = _checkable(session, acting, reference, "send_back")
        if isinstance(outcome, Case) and reason not in SEND_BACK_REASONS:
            outcome = Refusal(
                "input.not_one_of" if reason else "input.missing", "reason", allowed=tuple(SEND_BACK_REASONS)
            )
        if isinstance(outcome, Case):
            forget_decision(outcome)
            advance(world, session, outcome, "send_back", acting.actor, reason=reason)
            follow_case(world, session, outcome, acting.actor)
            _note(world, session, acting, outcome, "case_sent_back", reason)
        note_refusal(world, session, acting, outcome, "case", reference)
    answer(outcome)


def forget_decision(case: Case) -> None:
    """The case is open again: what was decided stands in its steps alone."""
    case.decision = case.decision_reason = case.decided_by = case.decided_at = None
    case.checked_by = case.answered_at = case.call_due_at = None


def _supervised(session: Session, acting: Acting, reference: str) -> Case | Refusal:
    if acting.officer.role not in CHECKERS:
        return Refusal("forbidden")
    case = case_for(session, acting, reference)
    return case if isinstance(case, Refusal) else decide_act(acting.session.purpose, HANDLE_CASE) or case


def _checkable(session: Session, acting: Acting, reference: str, action: str) -> Case | Refusal:
    case = _supervised(session, acting, reference)
    if isinstance(case, Refusal):
        return case
    return decide_check(case.kind, case.state, action, case.decided_by, acting.officer.id) or case


def _assign(world: World, session: Session, acting: Acting, case: Case, officer_id: str) -> Case | Refusal:
    refusal = decide_action(case.state, "assign")
    if refusal is not None:
        return refusal
    entitled = {handler.id for handler in list_handlers(case.kind, case.area)}
    if officer_id not in entitled:
        return Refusal("case.officer", "officer_id")
    if case.assigned_to != officer_id:
        case.assigned_to, case.assigned_at, case.touched_at = officer_id, world.clock.now(), None
        advance(world, session, case, "assign", acting.actor)
        _note(world, session, acting, case, "case_assigned")
    return case


def _note(world: World, session: Session, acting: Acting, case: Case, action: str, decision: str | None = None) -> None:
    write_leaf(
        world,
        session,
        acting.actor,
        action,
        subject_id=case.person_id,
        object_kind="case",
        object_id=case.reference,
        fields=["outcome"] if case.person_id else (),
        decision=decision or case.decision,
    )


def _answer_reporter(world: World, session: Session, case: Case) -> None:
    """To whoever reported it: inbox and a short message, or a letter where there is no phone."""
    if case.reporter_id is None:
        return
    case.answered_at = world.clock.now()
    advance(world, session, case, "answer", SYSTEM)
    decided, reason = KINDS[case.kind].decisions[case.decision or ""], REASON_NAMES[case.decision_reason or ""]
    tell_account(
        world,
        session,
        case.reporter_id,
        "report_answered",
        once=f"{case.id}:{case.version}",
        rule=case.rule,
        reference=case.reference,
        report_id=case.id,
        side=case.opened_by,
        decision_zh=decided.zh,
        decision_en=decided.en,
        reason_zh=reason[0],
        reason_en=reason[1],
    )
    if session.get_one(Account, case.reporter_id).phone_token is not None:
        waits = quiet_until(world.clock.now())
        payload = {"case_id": case.id, "version": case.version}
        outbox.put(world, session, "sms", case.id, "report_answered", payload, not_before=waits)
