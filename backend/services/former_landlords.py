"""What ends when a unit changes hands: everything its former landlord has given away. Tenants keep what is theirs."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.domain.keys import ENDED
from backend.gateways.world import World
from backend.models.keys import Key
from backend.services.audit import Actor
from backend.services.key_changes import begin_revocation, end_delegates, lock_of
from backend.services.key_lists import enqueue_key_list


def end_former_landlords_keys(world: World, session: Session, unit_id: str) -> None:
    """End visitors' keys and delegates of a unit's former landlord, inside the present write unit."""
    given = session.scalars(
        select(Key).where(
            Key.unit_id == unit_id, Key.kind == "visitor", Key.issuer_role == "landlord", Key.state.not_in(ENDED)
        )
    ).all()
    for visitor in given:
        begin_revocation(world, session, visitor, Actor("system"), "landlord_changed")
    end_delegates(world, session, unit_id)
    lock = lock_of(session, unit_id)
    if lock is not None:
        enqueue_key_list(world, session, lock.id)
