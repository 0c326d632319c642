"""Cases: taken by one person, decided with a reason that reaches those concerned."""

from __future__ import annotations

from datetime import date

from sqlalchemy.orm import Session

from backend.db import transaction
from backend.domain.case_reports import ANSWER_MOST, find_words_faults
from backend.domain.cases import KINDS, decide_action, find_decision_faults
from backend.domain.purposes import HANDLE_CASE, decide_act
from backend.domain.refusals import Refusal, Refused
from backend.gateways.world import World
from backend.models.cases import Case
from backend.services.audit import write_leaf
from backend.services.case_effects import apply_decision
from backend.services.case_files import badge_of, case_for, touch
from backend.services.case_steps import advance
from backend.services.disclosures import answer, note_refusal
from backend.services.officer_sessions import Acting, acting_officer


def claim_case(world: World, *, session_id: str, reference: str) -> None:
    """Take a case: from now on only this officer decides it; taking it again changes nothing.

    Raises Refused case.taken, transition, area.foreign, forbidden, not_found.
    """
    with transaction() as session:
        acting = acting_officer(world, session, session_id)
        outcome = case_for(session, acting, reference)
        if isinstance(outcome, Case):
            outcome = _claim(world, session, acting, outcome)
        note_refusal(world, session, acting, outcome, "case", reference)
    answer(outcome)


def release_case(world: World, *, session_id: str, reference: str) -> None:
    """Give a case back to the queue; a supervisor may give back somebody else's.

    Raises Refused case.taken, transition, area.foreign, forbidden, not_found.
    """
    with transaction() as session:
        acting = acting_officer(world, session, session_id)
        outcome = case_for(session, acting, reference)
        if isinstance(outcome, Case):
            outcome = _release(world, session, acting, outcome)
        note_refusal(world, session, acting, outcome, "case", reference)
    answer(outcome)


def decide_case(
    world: World,
    *,
    session_id: str,
    reference: str,
    decision: str,
    reason: str,
    method: str | None = None,
    moved_out_on: date | None = None,
    answer_text: str = "",
) -> None:
    """Decide a case one has taken; what follows from it and the messages to those concerned are one write unit.

    `method` ('window' or 'live_video') belongs to an identity review, `moved_out_on` to a dispute decided so. Where
    somebody reported, `answer_text` (1–300 characters, about the thing) is what they are told once it was checked.
    Raises Refused with every faulty field, case.not_taken, case.taken, transition, purpose.missing, purpose.unfit,
    area.foreign, forbidden, not_found.
    """
    with transaction() as session:
        acting = acting_officer(world, session, session_id)
        case = case_for(session, acting, reference)
        refusal = case if isinstance(case, Refusal) else decide_act(acting.session.purpose, HANDLE_CASE)
        if isinstance(case, Case) and refusal is None:
            refusal = judge_decider(session, acting, case)
        if isinstance(case, Refusal) or refusal is not None:
            note_refusal(world, session, acting, refusal, "case", reference)
        else:
            faults = find_decision_faults(case.kind, decision, reason, method, moved_out_on, world.clock.today())
            faults += _find_answer_faults(case, answer_text)
            if faults:
                raise Refused.of(faults)
            _decide(world, session, acting, case, decision, reason, method, moved_out_on, answer_text)
    if refusal is not None:
        raise Refused.of([refusal])


def _claim(world: World, session: Session, acting: Acting, case: Case) -> Case | Refusal:
    if case.assigned_to == acting.officer.id and case.state == "assigned":
        return case
    if case.assigned_to is not None:
        return _taken(session, case)
    refusal = decide_action(case.state, "claim")
    if refusal is not None:
        return refusal
    case.assigned_to, case.assigned_at = acting.officer.id, world.clock.now()
    touch(world, acting, case)
    advance(world, session, case, "claim", acting.actor)
    write_leaf(world, session, acting.actor, "case_claimed", object_kind="case", object_id=case.reference)
    return case


def _release(world: World, session: Session, acting: Acting, case: Case) -> Case | Refusal:
    refusal = decide_action(case.state, "release")
    if refusal is not None:
        return refusal
    if case.assigned_to != acting.officer.id and acting.officer.role != "supervisor":
        return _taken(session, case)
    case.assigned_to, case.assigned_at = None, None
    advance(world, session, case, "release", acting.actor)
    write_leaf(world, session, acting.actor, "case_released", object_kind="case", object_id=case.reference)
    return case


def _taken(session: Session, case: Case) -> Refusal:
    return Refusal("case.taken", None, {"badge": badge_of(session, case)})


def judge_decider(session: Session, acting: Acting, case: Case) -> Refusal | None:
    """Whether this officer may do what only whoever has taken an undecided case does."""
    if case.state == "routed":
        return Refusal("case.not_taken")
    if case.assigned_to != acting.officer.id:
        return _taken(session, case)
    return decide_action(case.state, "decide")


def _find_answer_faults(case: Case, answer_text: str) -> list[Refusal]:
    if not KINDS[case.kind].checked:
        return []
    somebody_waits = case.reporter_id is not None or case.contact_sealed is not None
    return find_words_faults(answer_text, "answer_text", ANSWER_MOST, least=1 if somebody_waits else 0)


def _decide(
    world: World,
    session: Session,
    acting: Acting,
    case: Case,
    decision: str,
    reason: str,
    method: str | None,
    moved_out_on: date | None,
    answer_text: str,
) -> None:
    case.decision, case.decision_reason = decision, reason
    refusal = apply_decision(world, session, case, acting.actor, method=method, moved_out_on=moved_out_on)
    if refusal is not None:
        raise Refused.of([refusal])  # rolls the whole write unit back
    case.decided_by, case.decided_at = acting.officer.id, world.clock.now()
    words = answer_text if KINDS[case.kind].checked else ""
    advance(world, session, case, "decide", acting.actor, reason=reason, words=words)
    write_leaf(
        world,
        session,
        acting.actor,
        "case_decided",
        subject_id=case.person_id,
        object_kind="case",
        object_id=case.reference,
        fields=["outcome"],
        decision=decision,
    )
