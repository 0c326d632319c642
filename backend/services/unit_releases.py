"""A landlord gives a unit up that nobody lives in: it is not enrolled any more, and its lock is free for the next."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.domain.keys import LIVE
from backend.domain.refusals import Refused
from backend.gateways.world import World
from backend.models.accounts import Account
from backend.models.keys import Key
from backend.models.leases import Lease
from backend.models.registrations import Registration
from backend.models.units import Unit, UnitClaim
from backend.services.audit import write_leaf
from backend.services.change_feed import note_unit
from backend.services.former_landlords import end_former_landlords_keys
from backend.services.hands import Desk, acting_for
from backend.services.key_changes import lock_of
from backend.services.lock_lives import give_lock_back
from backend.services.units import own_unit


@dataclass(frozen=True)
class UnitReleased:
    """A unit that is let by nobody now."""

    unit_id: str


def release_unit(world: World, *, account_id: str, unit_id: str, desk: Desk | None = None) -> UnitReleased:
    """Give a unit up, with its lock, and with every key the landlord had given away; the same again changes nothing.

    Past leases stay as they are. A mandate that is over holds nobody. Raises Refused unit.not_yours, unit.let while a
    lease runs, unit.lived_in while somebody is registered there or an occupant's key lives (HR-12).
    """
    with acting_for(world, account_id, desk, "release_unit", unit_id=unit_id) as (session, hand):
        if _has_released(session, account_id, unit_id):
            return UnitReleased(unit_id)
        unit = own_unit(session, account_id, unit_id, changing=True)
        _require_empty(session, unit)
        for claim in session.scalars(
            select(UnitClaim).where(UnitClaim.unit_id == unit.id, UnitClaim.state == "accepted")
        ):
            claim.state = "ended"
        end_former_landlords_keys(world, session, unit.id)
        unit.landlord_id, unit.version = None, unit.version + 1
        lock = lock_of(session, unit.id)
        if lock is not None:
            give_lock_back(world, session, lock, hand.actor)
        session.flush()
        note_unit(world, session, unit, "changed")
        write_leaf(world, session, hand.actor, "unit_released", object_kind="unit", object_id=unit.id)
        return UnitReleased(unit.id)


def _has_released(session: Session, account_id: str, unit_id: str) -> bool:
    """Whether nobody lets the unit and this account's person was the last who did."""
    last = (
        select(UnitClaim.person_id)
        .join(Unit, Unit.id == UnitClaim.unit_id)
        .where(UnitClaim.unit_id == unit_id, UnitClaim.state == "ended", Unit.landlord_id.is_(None))
        .order_by(UnitClaim.created_at.desc(), UnitClaim.id.desc())
        .limit(1)
    )
    person_id = session.get_one(Account, account_id).person_id
    return person_id is not None and session.scalar(last) == person_id


def _require_empty(session: Session, unit: Unit) -> None:
    runs = select(Lease.id).where(Lease.unit_id == unit.id, Lease.state == "active")
    if session.scalar(runs.limit(1)) is not None:
        raise Refused("unit.let", "unit_id")
    lives = select(Registration.id).where(
        Registration.unit_id == unit.id, Registration.residence == "living", Registration.tenant_leg == "declared"
    )
    opens = select(Key.id).where(Key.unit_id == unit.id, Key.kind == "occupant", Key.state.in_(LIVE))
    if any(session.scalar(each.limit(1)) is not None for each in (lives, opens)):
        raise Refused("unit.lived_in", "unit_id")
