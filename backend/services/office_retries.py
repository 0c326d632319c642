"""Parked deliveries taken up again, by the operator or a supervisor, once the office has said what was wrong."""

from __future__ import annotations

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from backend.db import transaction
from backend.domain.refusals import Refused
from backend.gateways.world import World
from backend.models.outbox import OutboxRow
from backend.models.sharing import DataSharingAgreement, OfficeDelivery
from backend.services import outbox
from backend.services.agreements import OPERATOR, rows_of_office
from backend.services.audit import Actor, write_leaf


def retry_parked(world: World, *, agreement_id: str, event_id: str | None = None) -> int:
    """Take up one parked delivery under an agreement, or all of them; answers how many.

    Each is built anew from the present rows, has its full time again, and is a new disclosure to the person. Raises
    Refused not_found, delivery.not_parked.
    """
    with transaction() as session:
        agreement = session.get(DataSharingAgreement, agreement_id)
        if agreement is None:
            raise Refused("not_found", "agreement_id")
        return retry_in(world, session, agreement_id, event_id, OPERATOR)


def retry_in(world: World, session: Session, agreement_id: str, event_id: str | None, actor: Actor) -> int:
    """The same inside the present write unit, of an agreement that is there."""
    rows = _parked(session, agreement_id, event_id)
    if event_id is not None and not rows:
        raise Refused("delivery.not_parked", "event_id")
    now = world.clock.now()
    for row in rows:
        row.parked_at, row.attempts, row.created_at, row.available_at = None, 0, now, now
        session.execute(
            update(OfficeDelivery)
            .where(
                OfficeDelivery.agreement_id == agreement_id,
                OfficeDelivery.event_id == row.payload["event_id"],
                OfficeDelivery.outcome == "parked",
            )
            .values(outcome="open", reason="taken_up", attempts=0, at=now)
        )
    if rows:
        write_leaf(
            world, session, actor, "deliveries_taken_up", object_kind="agreement", object_id=agreement_id,
            decision=str(len(rows)),
        )  # fmt: skip
        outbox.wake(world, session, "office")
    return len(rows)


def _parked(session: Session, agreement_id: str, event_id: str | None) -> list[OutboxRow]:
    agreement = session.get_one(DataSharingAgreement, agreement_id)
    under = select(OfficeDelivery.event_id).where(
        OfficeDelivery.agreement_id == agreement_id, OfficeDelivery.outcome == "parked"
    )
    parked = set(session.scalars(under))
    rows = session.scalars(
        select(OutboxRow)
        .where(*rows_of_office(agreement), OutboxRow.parked_at.is_not(None))
        .order_by(OutboxRow.id)
        .with_for_update()
    )
    return [row for row in rows if row.payload["event_id"] in parked and event_id in (None, row.payload["event_id"])]
