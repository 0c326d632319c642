"""What supervisors do with data-sharing agreements at the console; the operator's commands do the same.

A supervisor acts only where all areas of the agreement lie in the own one; a try outside is written down.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy.orm import Session

from backend.db import transaction
from backend.domain.officers import covers
from backend.domain.refusals import Refusal, Refused
from backend.gateways.world import World
from backend.models.sharing import DataSharingAgreement
from backend.services.agreements import (
    AgreementView,
    add_in,
    approve_in,
    end_in,
    get_in,
    require_state,
    resume_in,
    suspend_in,
    view_of,
)
from backend.services.disclosures import answer, note_refusal
from backend.services.office_retries import retry_in
from backend.services.officer_sessions import Acting, acting_officer, is_stepped_up
from backend.wire.codec import MessageRejected, load

LARGEST_FILE_BYTES = 200_000
ACTS = ("suspend", "resume", "end")
REASON_LEAST, REASON_MOST = 4, 120

Change = Callable[[Session, Acting, DataSharingAgreement], object]


def upload_agreement(world: World, *, session_id: str, file: bytes) -> AgreementView:
    """Take in the file that the operator's command takes as a draft. The same again changes nothing.

    Raises Refused agreement.file, agreement.supervisor, area.foreign (written down), and with every faulty member.
    """
    written = _read(file)
    areas = written.get("areas")
    with transaction() as session:
        acting = acting_officer(world, session, session_id)
        named = [area for area in areas if isinstance(area, str)] if isinstance(areas, list) else []
        refusal = _judge(acting, named)
        outcome = refusal or view_of(add_in(world, session, written, acting.actor))
        note_refusal(world, session, acting, outcome, "agreement", "new")
    return answer(outcome)


def approve_as_supervisor(world: World, *, session_id: str, agreement_id: str) -> AgreementView:
    """Approve a draft; with the second, different supervisor it takes the former version's place.

    Raises Refused not_found, area.foreign (written down), step_up, agreement.state, agreement.four_eyes.
    """

    def approve(session: Session, acting: Acting, agreement: DataSharingAgreement) -> None:
        if not is_stepped_up(world, acting.session):
            raise Refused("step_up", "password")
        approve_in(world, session, agreement, acting.officer.id, acting.actor)

    return _act(world, session_id, agreement_id, approve)


def change_as_supervisor(
    world: World, *, session_id: str, agreement_id: str, act: str, reason: str, confirmed: bool
) -> AgreementView:
    """Suspend, resume or end an agreement. Suspending and ending take a reason, ending a confirmation too.

    Raises Refused input.not_one_of, input.length, agreement.confirm, and what `approve_as_supervisor` raises.
    """

    def change(session: Session, acting: Acting, agreement: DataSharingAgreement) -> None:
        faults = _find_faults(act, reason, confirmed)
        if faults:
            raise Refused.of(faults)
        if act == "resume":
            resume_in(world, session, agreement, acting.actor)
        elif act == "suspend":
            require_state(agreement, "active")
            suspend_in(world, session, agreement, reason.strip(), acting.actor)
        else:
            end_in(world, session, agreement, reason.strip(), acting.actor)

    return _act(world, session_id, agreement_id, change)


def retry_as_supervisor(world: World, *, session_id: str, agreement_id: str, event_id: str | None) -> AgreementView:
    """Take up one parked delivery, or all of them, once the office has said what was wrong.

    Raises Refused not_found, area.foreign (written down), delivery.not_parked.
    """
    return _act(
        world,
        session_id,
        agreement_id,
        lambda session, acting, agreement: retry_in(world, session, agreement.id, event_id, acting.actor),
    )


def _act(world: World, session_id: str, agreement_id: str, change: Change) -> AgreementView:
    with transaction() as session:
        acting = acting_officer(world, session, session_id)
        agreement = get_in(session, agreement_id)
        refusal = _judge(acting, agreement.areas)
        if refusal is None:
            change(session, acting, agreement)
        outcome = refusal or view_of(agreement)
        note_refusal(world, session, acting, outcome, "agreement", agreement_id)
    return answer(outcome)


def _judge(acting: Acting, areas: list[str]) -> Refusal | None:
    if acting.officer.role != "supervisor":
        return Refusal("agreement.supervisor")
    return None if all(covers(acting.officer.area, area) for area in areas) else Refusal("area.foreign")


def _find_faults(act: str, reason: str, confirmed: bool) -> list[Refusal]:
    if act not in ACTS:
        return [Refusal("input.not_one_of", "act", allowed=ACTS)]
    faults = []
    if act != "resume" and not REASON_LEAST <= len(reason.strip()) <= REASON_MOST:
        faults.append(Refusal("input.length", "reason", {"least": REASON_LEAST, "most": REASON_MOST}))
    if act == "end" and not confirmed:
        faults.append(Refusal("agreement.confirm", "confirmed"))
    return faults


def _read(file: bytes) -> dict[str, object]:
    try:
        written = load(file) if len(file) <= LARGEST_FILE_BYTES else None
    except MessageRejected:
        written = None
    if not isinstance(written, dict):
        raise Refused("agreement.file", "file")
    return written
