"""Around the sync with the registry: what an operator takes up again, and whether the registry is reached at all."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from backend.db import transaction
from backend.gateways.world import World
from backend.models.outbox import OutboxRow
from backend.models.registry_contacts import RegistryContact
from backend.services.audit import Actor, write_leaf

CONTACT_NOTED_EVERY = timedelta(seconds=15)


def retry_parked(world: World, *, outbox_id: int, actor: Actor) -> bool:
    """Take a parked row up again; False when there is no such parked row."""
    with transaction() as session:
        row = session.get(OutboxRow, outbox_id)
        if row is None or row.destination != "registry" or row.parked_at is None:
            return False
        row.parked_at, row.available_at, row.lease_until = None, world.clock.now(), None
        write_leaf(world, session, actor, "registry_retry", object_kind="registration", object_id=row.aggregate_id)
    world.wake_up.notify("registry")
    return True


def retry_all_parked(world: World, *, actor: Actor) -> int:
    """Take every parked row up again; answers how many."""
    with transaction() as session:
        parked = session.scalars(
            select(OutboxRow)
            .where(OutboxRow.destination == "registry", OutboxRow.done_at.is_(None), OutboxRow.parked_at.is_not(None))
            .order_by(OutboxRow.id)
            .with_for_update()
        ).all()
        for row in parked:
            row.parked_at, row.available_at, row.lease_until = None, world.clock.now(), None
            write_leaf(world, session, actor, "registry_retry", object_kind="registration", object_id=row.aggregate_id)
    if parked:
        world.wake_up.notify("registry")
    return len(parked)


def note_contact(world: World, failure: str | None) -> bool:
    """Remember whether the registry was reached, at most every 15 s while nothing changes.

    Answers True when it has just come back; what waits for it is then due at once instead of in up to an hour.
    """
    now = world.clock.now()
    with transaction() as session:
        contact = session.get(RegistryContact, 1)
        if contact is None:
            contact = RegistryContact(id=1, checked_at=now - CONTACT_NOTED_EVERY)
            session.add(contact)
        elif contact.failure == failure and now - contact.checked_at < CONTACT_NOTED_EVERY:
            return False
        is_back = failure is None and contact.failing_since is not None
        contact.checked_at, contact.failure = now, failure
        if failure is None:
            contact.reached_at, contact.failing_since = now, None
        else:
            contact.failing_since = contact.failing_since or now
        if is_back:
            _hasten(session, now)
    return is_back


def _hasten(session: Session, now: datetime) -> None:
    waiting = update(OutboxRow).where(
        OutboxRow.destination == "registry",
        OutboxRow.done_at.is_(None),
        OutboxRow.parked_at.is_(None),
        OutboxRow.lease_until.is_(None),
        OutboxRow.available_at > now,
    )
    session.execute(waiting.values(available_at=now))
