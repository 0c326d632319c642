"""What the registry returned or nobody could read, sent again from the case about it once the cause is mended."""

from __future__ import annotations

from sqlalchemy.orm import Session

from backend.db import transaction
from backend.domain.purposes import HANDLE_CASE, decide_act
from backend.domain.refusals import Refusal
from backend.gateways.world import World
from backend.models.cases import Case
from backend.models.registrations import Registration
from backend.services.audit import write_leaf
from backend.services.case_files import case_for
from backend.services.case_steps import note_step
from backend.services.cases import judge_decider
from backend.services.disclosures import answer, note_refusal
from backend.services.officer_sessions import Acting, acting_officer
from backend.services.returned_legs import REJECTION, leg_of, send_leg_again, take_up_parked


def send_case_again(world: World, *, session_id: str, reference: str) -> None:
    """Send the leg a case is about to the registry again; the case stays with whoever has taken it.

    Raises Refused case.nothing_to_send (accepted, or on its way), case.not_taken, case.taken, transition,
    purpose.missing, purpose.unfit, area.foreign, forbidden, not_found.
    """
    with transaction() as session:
        acting = acting_officer(world, session, session_id)
        case = case_for(session, acting, reference)
        outcome: Case | Refusal = case
        if isinstance(case, Case):
            refusal = decide_act(acting.session.purpose, HANDLE_CASE) or judge_decider(session, acting, case)
            outcome = refusal or _send(world, session, acting, case)
        note_refusal(world, session, acting, outcome, "case", reference)
    answer(outcome)


def _send(world: World, session: Session, acting: Acting, case: Case) -> Case | Refusal:
    if case.kind != REJECTION or case.registration_id is None:
        return Refusal("case.nothing_to_send")
    registration, leg = session.get_one(Registration, case.registration_id), leg_of(case)
    sent = take_up_parked(world, session, registration.id, leg) or send_leg_again(
        world, session, registration, leg, acting.actor, source="officer"
    )
    if not sent:
        return Refusal("case.nothing_to_send")
    case.version += 1
    note_step(world, session, case, "send_again", acting.actor)
    write_leaf(
        world,
        session,
        acting.actor,
        "registry_retry",
        subject_id=case.person_id,
        object_kind="case",
        object_id=case.reference,
    )
    return case
