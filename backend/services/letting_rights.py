"""A landlord's right to let a unit: what it is, and whether somebody of the staff has seen the evidence.

It is a fact about papers and no condition of anything: lease, key and registration go on without it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.domain.refusals import Refusal
from backend.domain.spaces import decide_seeing, is_mandate_over
from backend.gateways.world import World
from backend.models.officers import Officer
from backend.models.persons import Person
from backend.models.units import UnitClaim
from backend.services.audit import Actor, write_leaf
from backend.services.office_names import english_names
from backend.services.persons import name_of

RIGHT_FIELDS = ("right",)


@dataclass(frozen=True)
class LettingRight:
    """A right to let as it stands today: `kind` is a key of domain.spaces.RIGHT_NAMES, `seen_kind` of SEEN_NAMES.

    `seen_at` is None while nobody of the staff has seen the evidence, and again once a mandate `is_over`. `office` is
    whose staff it was.
    """

    claim_id: str
    kind: str
    ends_on: date | None
    is_over: bool
    seen_at: datetime | None = None
    seen_kind: str | None = None
    office: str | None = None
    office_en: str | None = None


def find_right(world: World, session: Session, unit_id: str, landlord_id: str | None) -> LettingRight | None:
    """The right by which this landlord lets the unit; None where it is not theirs."""
    claim = _accepted(session, unit_id, landlord_id)
    if claim is None:
        return None
    ends_on = _end_of(claim)
    is_over = is_mandate_over(ends_on, world.clock.today())
    if claim.seen_at is None or is_over:
        return LettingRight(claim.id, claim.right_kind, ends_on, is_over)
    office = session.get_one(Officer, claim.seen_by).office
    english = english_names(session).get(office)
    return LettingRight(
        claim.id, claim.right_kind, ends_on, is_over, claim.seen_at, claim.seen_kind, office, english
    )


def is_right_seen(world: World, session: Session, unit_id: str, landlord_id: str | None) -> bool | None:
    """Whether the staff has seen the landlord's right to let: what a tenant is told of it. None without a landlord."""
    if landlord_id is None:
        return None
    claim = _accepted(session, unit_id, landlord_id)
    if claim is None or claim.seen_at is None:
        return False
    return not is_mandate_over(_end_of(claim), world.clock.today())


def _accepted(session: Session, unit_id: str, landlord_id: str | None) -> UnitClaim | None:
    mine = (UnitClaim.unit_id == unit_id, UnitClaim.person_id == landlord_id, UnitClaim.state == "accepted")
    return session.scalar(select(UnitClaim).where(*mine))


def _end_of(claim: UnitClaim) -> date | None:
    return claim.mandate_ends_on if claim.right_kind == "mandate" else None


def note_seen(world: World, session: Session, claim: UnitClaim, actor: Actor, how: str) -> Refusal | None:
    """Write down that an officer has seen the evidence of a claim, inside the present write unit; seen before: nothing.

    Answers why it does not count: one's own right, a mandate that is over.
    """
    if claim.seen_at is not None:
        return None
    landlord = name_of(world, session, session.get_one(Person, claim.person_id))
    refusal = decide_seeing(session.get_one(Officer, actor.id).display_name, landlord)
    if refusal is not None:
        return refusal
    ends_on = _end_of(claim)
    if ends_on is not None and is_mandate_over(ends_on, world.clock.today()):
        return Refusal("right.mandate_over", None, {"ends_on": ends_on.isoformat()})
    claim.seen_at, claim.seen_by, claim.seen_kind = world.clock.now(), actor.id, how
    _write_down(world, session, claim, actor, "right_seen", how)
    return None


def note_unseen(world: World, session: Session, claim: UnitClaim, actor: Actor) -> None:
    """Take back that it was seen, which was entered in error, inside the present write unit; not seen: nothing."""
    if claim.seen_at is None:
        return
    claim.seen_at = claim.seen_by = claim.seen_kind = None
    _write_down(world, session, claim, actor, "right_unseen", "entered_in_error")


def _write_down(world: World, session: Session, claim: UnitClaim, actor: Actor, action: str, decision: str) -> None:
    write_leaf(
        world,
        session,
        actor,
        action,
        subject_id=claim.person_id,
        object_kind="unit",
        object_id=claim.unit_id,
        fields=RIGHT_FIELDS,
        decision=decision,
    )
