"""How long the books of sharing are kept: events and deliveries 90 days, what nobody could match 30.

What stays are the audit leaves: each delivery, in and out, remains on the page of whom it was about.
"""

from __future__ import annotations

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from backend.domain.reported import SETTLED_KEPT, UNMATCHED_KEPT
from backend.domain.sharing import DELIVERIES_KEPT
from backend.gateways.world import World
from backend.models.data_keys import DataKey
from backend.models.outbox import OutboxRow
from backend.models.sharing import FeedEvent, InboundChange, OfficeDelivery

AT_ONCE = 500  # SQLite takes a limited number of values, and its one writer should not be held up


def forget_shared(world: World, session: Session) -> None:
    """Forget what is past its time; run by the housekeeping."""
    _forget_events(world, session)
    _forget_reports(world, session)


def _forget_events(world: World, session: Session) -> None:
    """Events that are delivered or closed go with their deliveries; what still waits or is parked stays for a person.

    The last number is kept, whatever its age: a cursor of an office must never be ahead of the feed.
    """
    last = session.scalar(select(func.max(FeedEvent.sequence)))
    if last is None:
        return
    waiting = select(OfficeDelivery.id).where(
        OfficeDelivery.event_id == FeedEvent.id, OfficeDelivery.outcome.in_(("open", "parked"))
    )
    unfinished = select(OutboxRow.payload).where(OutboxRow.destination == "office", OutboxRow.done_at.is_(None))
    queued = {payload["event_id"] for payload in session.scalars(unfinished)}
    found = session.scalars(
        select(FeedEvent.id)
        .where(FeedEvent.at < world.clock.now() - DELIVERIES_KEPT, FeedEvent.sequence < last, ~waiting.exists())
        .order_by(FeedEvent.sequence)
        .limit(AT_ONCE + len(queued))
    )
    old = [event_id for event_id in found if event_id not in queued][:AT_ONCE]
    if old:
        session.execute(delete(OfficeDelivery).where(OfficeDelivery.event_id.in_(old)))
        session.execute(delete(FeedEvent).where(FeedEvent.id.in_(old)))


def _forget_reports(world: World, session: Session) -> None:
    """An unmatched report goes wholly; of a settled one the row stays, so that its id is still known, and its content
    goes with its data key."""
    now = world.clock.now()
    unmatched = session.scalars(
        select(InboundChange.id)
        .where(InboundChange.state == "unmatched", InboundChange.received_at < now - UNMATCHED_KEPT)
        .limit(AT_ONCE)
    ).all()
    settled = session.scalars(
        select(InboundChange.id)
        .where(
            InboundChange.state.in_(("counted", "refused")),
            InboundChange.decided_at < now - SETTLED_KEPT,
            InboundChange.payload_sealed != b"",
        )
        .limit(AT_ONCE)
    ).all()
    if unmatched:
        session.execute(delete(InboundChange).where(InboundChange.id.in_(unmatched)))
    if settled:
        session.execute(update(InboundChange).where(InboundChange.id.in_(settled)).values(payload_sealed=b""))
    if unmatched or settled:
        session.execute(delete(DataKey).where(DataKey.subject_id.in_([*unmatched, *settled])))
