"""What staff do about a landlord's right to let: note that its evidence was seen, or that the note was an error.

No copy, number or remark is taken, so there is nothing to give away: it is a yes with a day, an office and a place.
"""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.db import transaction
from backend.domain.purposes import SEE_RIGHT, decide_act
from backend.domain.refusals import Refusal
from backend.domain.spaces import SEEN_BY_HAND
from backend.gateways.world import World
from backend.models.units import Unit, UnitClaim
from backend.queries.ledger import find_division
from backend.services.disclosures import answer, judge_area, note_refusal
from backend.services.inbox import tell_person
from backend.services.key_changes import unit_alias
from backend.services.letting_rights import note_seen, note_unseen
from backend.services.officer_sessions import Acting, acting_officer


def see_right(world: World, *, session_id: str, unit_id: str, claim_id: str, how: str) -> None:
    """Note that the original of what gives the right to let was seen, 'at_window' or 'on_visit'; the landlord is told.

    `claim_id` is the claim the officer had on the page: of a unit that has changed hands since, nothing is noted. Seen
    before, nothing changes. Raises Refused input.not_one_of, purpose.missing, purpose.unfit, area.foreign (these two
    written down), not_found, stale, right.own, right.mandate_over.
    """
    with transaction() as session:
        acting = acting_officer(world, session, session_id)
        outcome = _claim_for(session, acting, unit_id, claim_id)
        if isinstance(outcome, UnitClaim):
            outcome = _see(world, session, acting, outcome, how) or outcome
        note_refusal(world, session, acting, outcome, "unit", unit_id)
    answer(outcome)


def unsee_right(world: World, *, session_id: str, unit_id: str, claim_id: str) -> None:
    """Take back that a right to let was seen: it was entered in error. Not seen, nothing changes.

    Raises Refused as `see_right`.
    """
    with transaction() as session:
        acting = acting_officer(world, session, session_id)
        outcome = _claim_for(session, acting, unit_id, claim_id)
        if isinstance(outcome, UnitClaim):
            note_unseen(world, session, outcome, acting.actor)
        note_refusal(world, session, acting, outcome, "unit", unit_id)
    answer(outcome)


def _claim_for(session: Session, acting: Acting, unit_id: str, claim_id: str) -> UnitClaim | Refusal:
    """The accepted claim of a unit, both locked as who decides a contested one locks them."""
    area = find_division("unit", unit_id)
    refusal = decide_act(acting.session.purpose, SEE_RIGHT) or judge_area(acting, area)
    if refusal is not None:
        return refusal
    session.get_one(Unit, unit_id, with_for_update=True)
    accepted = select(UnitClaim).where(UnitClaim.unit_id == unit_id, UnitClaim.state == "accepted")
    claim = session.scalar(accepted.with_for_update())
    return claim if claim is not None and claim.id == claim_id else Refusal("stale")


def _see(world: World, session: Session, acting: Acting, claim: UnitClaim, how: str) -> Refusal | None:
    if how not in SEEN_BY_HAND:
        return Refusal("input.not_one_of", "how", allowed=SEEN_BY_HAND)
    if claim.seen_at is not None:
        return None
    refusal = note_seen(world, session, claim, acting.actor, how)
    if refusal is None:
        tell_person(
            world,
            session,
            claim.person_id,
            "right_seen",
            once=f"{claim.id}:{world.clock.now().isoformat()}",
            unit=unit_alias(session, claim.unit_id),
            unit_id=claim.unit_id,
            office=acting.officer.office,
        )
    return refusal
