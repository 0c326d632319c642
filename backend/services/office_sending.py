"""Telling offices, step by step: claim and build what is agreed, then note what became of it.

The worker makes the calls between these steps, outside any transaction. What is about to leave is written down first,
with the leaf that shows it to the person: a kill at any moment repeats a delivery, which its id tells the receiver, and
never hides one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import insert, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from backend.db import transaction
from backend.domain.calendars import day_of
from backend.domain.ids import new_id
from backend.domain.registry_rules import TRIES_BEFORE_PARKED
from backend.domain.sharing import PARKED_AFTER, SUSPENDED_WAIT, retry_wait, why_withheld
from backend.gateways.world import World
from backend.models.audit import AuditLeaf
from backend.models.sharing import DataSharingAgreement, FeedEvent, OfficeDelivery
from backend.services import outbox
from backend.services.agreements import find_earlier, find_in_force, office_actor, suspend_in, terms_of
from backend.services.audit import SYSTEM, make_leaf
from backend.services.case_opening import open_case
from backend.services.outbox import OutboxItem
from backend.services.shared_fields import Told, Withheld, build
from backend.wire.cloud_events import BATCH_CONTENT_TYPE, CONTENT_TYPE, CloudEvent, encode_event, encode_events

log = structlog.get_logger(__name__)

LEASE = timedelta(seconds=90)  # longer than CALLS_AT_MOST calls take that each time out after 13 s
PASS_AT_MOST = 100
CALLS_AT_MOST = 5


@dataclass(frozen=True)
class Parcel:
    """One claimed row with the event it becomes."""

    item: OutboxItem
    delivery_id: str
    attempt: int  # 1 at first
    event: CloudEvent


@dataclass(frozen=True)
class Shipment:
    """What one call carries to one office."""

    agreement_id: str
    subscriber: str
    url: str
    parcels: tuple[Parcel, ...]

    @property
    def attempt(self) -> int:
        """Which try this is, 1 at first."""
        return max(parcel.attempt for parcel in self.parcels)

    def encode(self) -> tuple[str, bytes]:
        """Content type and body: one event as it is, several as a batch."""
        if len(self.parcels) == 1:
            return CONTENT_TYPE, encode_event(self.parcels[0].event)
        return BATCH_CONTENT_TYPE, encode_events([parcel.event for parcel in self.parcels])


@dataclass(frozen=True)
class Pass:
    """What one pass has to send, and how many rows it took up."""

    shipments: list[Shipment]
    rows: int


def claim_shipments(world: World) -> Pass:
    """Claim what is due and build it under the agreement as it stands now; what may not leave is closed here.

    What failed before travels alone, so that one event an office cannot read holds up no other. What is too much for
    one pass is given back.
    """
    claimed = outbox.claim(world, "office", limit=PASS_AT_MOST, lease=LEASE)
    ready: list[tuple[DataSharingAgreement, list[Parcel]]] = []
    open_batches: dict[str, list[Parcel]] = {}
    with transaction() as session:
        for item in claimed:
            agreement = _agreement_of(session, item)
            delivery, told = _check(world, session, agreement, item)
            if told is None:
                continue
            batch = open_batches.get(agreement.id)
            if delivery.attempts > 0 or batch is None or len(batch) >= agreement.batch_size:
                if len(ready) == CALLS_AT_MOST:
                    outbox.retry_in(world, session, item, after=timedelta(0), error="next_pass")
                    continue
                batch = []
                ready.append((agreement, batch))
                if delivery.attempts == 0:
                    open_batches[agreement.id] = batch
            batch.append(_write_down(world, session, agreement, delivery, told, item))
        shipments = [
            Shipment(agreement.id, agreement.subscriber, agreement.webhook_url or "", tuple(parcels))
            for agreement, parcels in ready
        ]
    return Pass(shipments, len(claimed))


def note_delivered(world: World, shipment: Shipment) -> None:
    """The office has taken it."""
    with transaction() as session:
        for parcel in shipment.parcels:
            if outbox.finish_in(world, session, [parcel.item]):
                _mark(world, session, parcel, "delivered", None)


def put_off(
    world: World, shipment: Shipment, reason: str, *, refused: bool, retry_after_seconds: float | None = None
) -> None:
    """It was not taken: try again later, or set it aside for a person after a week, or when it was refused for good.

    Refused for good is the same refusal twice in a row once it was tried often: one among many outages is none.
    """
    now = world.clock.now()
    with transaction() as session:
        for parcel in shipment.parcels:
            item = parcel.item
            before = session.get_one(OfficeDelivery, parcel.delivery_id).reason
            hopeless = refused and before == reason and parcel.attempt >= TRIES_BEFORE_PARKED
            if hopeless or now - item.created_at >= PARKED_AFTER:
                outbox.park_in(world, session, item, error=reason)
                _mark(world, session, parcel, "parked", reason)
                log.error("office_delivery_parked", subscriber=shipment.subscriber, reason=reason, row=item.id)
                continue
            wait = retry_wait(parcel.attempt, retry_after_seconds)
            outbox.retry_in(world, session, item, after=wait, error=reason)
            _mark(world, session, parcel, "open", reason)


def end_by_office(world: World, shipment: Shipment) -> None:
    """The office says that it wants no more (410): suspended until a person has asked; what waits is kept."""
    with transaction() as session:
        agreement = session.get_one(DataSharingAgreement, shipment.agreement_id, with_for_update=True)
        if agreement.state == "active":
            suspend_in(world, session, agreement, "gone", SYSTEM)
            _ask_supervisors(world, session, agreement)
            log.error("office_subscription_gone", subscriber=shipment.subscriber)
        for parcel in shipment.parcels:
            outbox.retry_in(world, session, parcel.item, after=SUSPENDED_WAIT, error="gone")
            _mark(world, session, parcel, "open", "gone")


def _ask_supervisors(world: World, session: Session, agreement: DataSharingAgreement) -> None:
    """A case for those who approve agreements: they ask the office, then the operator resumes or ends it."""
    open_case(
        world,
        session,
        kind="office_change",
        area=agreement.areas[0],
        opened_by="rule",
        evidence={"office": agreement.office_zh, "why": "gone", "agreement": agreement.id},
    )


def leaves_of(world: World, agreement: DataSharingAgreement, told: Told, action: str) -> list[dict[str, Any]]:
    """The leaves that show one delivery to those it is about: office, purpose, agreement, fields."""
    kind, _, object_id = told.event.subject.partition("/")
    return [
        make_leaf(
            world,
            office_actor(agreement),
            action,
            subject_id=subject_id,
            object_kind=kind,
            object_id=object_id,
            fields=fields,
            decision=told.event.type,
        )
        for subject_id, fields in told.subjects.items()
    ]


def _agreement_of(session: Session, item: OutboxItem) -> DataSharingAgreement:
    """The agreement the row was written for, or the version that has taken its place."""
    agreement = session.get_one(DataSharingAgreement, item.payload["agreement_id"])
    if agreement.state == "ended" and agreement.state_reason == "superseded":
        return find_in_force(session, agreement.subscriber) or agreement
    return agreement


def _check(
    world: World, session: Session, agreement: DataSharingAgreement, item: OutboxItem
) -> tuple[OfficeDelivery, Told | None]:
    """What the agreement lets out of this row now; None when it was closed or put off instead."""
    event = session.get_one(FeedEvent, item.payload["event_id"])
    delivery = _delivery(world, session, agreement, event)
    happened_on, today = day_of(event.at), world.clock.today()
    earlier = find_earlier(session, agreement) if happened_on < agreement.starts_on else ()
    reason = why_withheld(terms_of(agreement), event.kind, event.area, today, happened_on, earlier)
    if reason is None and agreement.delivery != "webhook":
        reason = "pulls"  # the version now in force fetches by itself
    if reason in ("suspended", "not_in_force"):
        outbox.retry_in(world, session, item, after=SUSPENDED_WAIT, error=reason)
        return delivery, None
    try:
        told = Withheld(reason) if reason is not None else build(world, session, agreement, event)
        if isinstance(told, Told):
            encode_event(told.event)
            return delivery, told
    except DBAPIError:
        raise
    except Exception as error:  # one event nobody can read must not hold up the others; the texts may carry values
        outbox.park_in(world, session, item, error=type(error).__name__)
        delivery.outcome, delivery.reason = "parked", type(error).__name__
        return delivery, None
    outbox.finish_in(world, session, [item])
    delivery.outcome, delivery.reason = "withheld", told.reason
    return delivery, None


def _write_down(
    world: World,
    session: Session,
    agreement: DataSharingAgreement,
    delivery: OfficeDelivery,
    told: Told,
    item: OutboxItem,
) -> Parcel:
    """Mark as sent, with the leaves: before it leaves, so that nothing leaves unseen. A retry shows nothing new."""
    if delivery.attempts == 0 or set(told.event.data) - set(delivery.fields):
        leaves = leaves_of(world, agreement, told, "office_told")
        if leaves:
            session.execute(insert(AuditLeaf), leaves)
    delivery.fields, delivery.attempts = sorted(told.event.data), delivery.attempts + 1
    return Parcel(item, delivery.id, delivery.attempts, told.event)


def _delivery(world: World, session: Session, agreement: DataSharingAgreement, event: FeedEvent) -> OfficeDelivery:
    known = session.scalar(
        select(OfficeDelivery).where(OfficeDelivery.agreement_id == agreement.id, OfficeDelivery.event_id == event.id)
    )
    now = world.clock.now()
    if known is None:
        known = OfficeDelivery(
            id=new_id(),
            agreement_id=agreement.id,
            event_id=event.id,
            outcome="open",
            fields=[],
            attempts=0,
            first_at=now,
        )
        session.add(known)
    known.at = now
    return known


def _mark(world: World, session: Session, parcel: Parcel, outcome: str, reason: str | None) -> None:
    delivery = session.get_one(OfficeDelivery, parcel.delivery_id)
    delivery.outcome, delivery.reason, delivery.at = outcome, reason, world.clock.now()
