"""What an office asks for by itself: its changes after a cursor, and its own agreement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import insert, or_, select
from sqlalchemy.orm import Session

from backend.db import reading, transaction
from backend.domain.calendars import day_of
from backend.domain.ids import new_id
from backend.domain.refusals import Refused
from backend.domain.sharing import why_withheld
from backend.gateways.key_ring import KeyRingError
from backend.gateways.world import World
from backend.models.audit import AuditLeaf
from backend.models.sharing import DataSharingAgreement, FeedEvent, OfficeDelivery
from backend.services.agreements import AgreementView, find_earlier, terms_of, view_of
from backend.services.office_sending import leaves_of
from backend.services.shared_fields import Told, build
from backend.wire.cloud_events import CloudEvent, encode_event
from backend.wire.codec import MessageRejected
from backend.wire.jwk import keys_from_jwks
from backend.wire.office_calls import verify_call
from backend.wire.tokens import TokenRejected


@dataclass(frozen=True)
class OfficeCaller:
    """Whose signature a call carries, and under which agreement."""

    agreement_id: str
    subscriber: str


@dataclass(frozen=True)
class ChangesPage:
    """Some changes, and the cursor to go on from; `more`: there are further ones already."""

    events: tuple[CloudEvent, ...]
    next: int
    more: bool


def identify_office(
    world: World, *, subscriber: str, method: str, target: str, time_text: str, signature: str, body: bytes
) -> OfficeCaller:
    """The office that signed this call with a key that two supervisors approved. Raises Refused office.signature."""
    with reading() as session:
        approved = session.scalars(
            select(DataSharingAgreement)
            .where(DataSharingAgreement.subscriber == subscriber, DataSharingAgreement.second_approver_id.is_not(None))
            .order_by(DataSharingAgreement.version.desc())
            .limit(1)
        ).first()
        if approved is None:
            raise Refused("office.signature")
        agreement_id, jwks = approved.id, approved.keys
    try:
        verify_call(
            subscriber=subscriber,
            method=method,
            target=target,
            time_text=time_text,
            signature=signature,
            body=body,
            keys=keys_from_jwks(jwks),
            now=world.clock.now(),
        )
    except TokenRejected:
        raise Refused("office.signature") from None
    return OfficeCaller(agreement_id, subscriber)


def get_own_agreement(world: World, *, agreement_id: str) -> AgreementView:
    """The office's own agreement, ended too."""
    with reading() as session:
        return view_of(session.get_one(DataSharingAgreement, agreement_id))


def pull_changes(world: World, *, agreement_id: str, cursor: int, limit: int) -> ChangesPage:
    """The agreed changes numbered after `cursor`, each written down and shown to the person before they leave.

    What may not be told is passed over. Raises Refused office.agreement unless the agreement is in force.
    """
    with transaction() as session:
        agreement = session.get_one(DataSharingAgreement, agreement_id)
        terms, earlier = terms_of(agreement), find_earlier(session, agreement)
        today = world.clock.today()
        if terms.state != "active" or not terms.starts_on <= today <= terms.ends_on or terms.direction == "in":
            raise Refused("office.agreement")
        rows = session.scalars(
            select(FeedEvent)
            .where(
                FeedEvent.sequence > cursor,
                FeedEvent.kind.in_(agreement.kinds),
                or_(*(FeedEvent.area.startswith(area) for area in agreement.areas)),
            )
            .order_by(FeedEvent.sequence)
            .limit(limit + 1)
        ).all()
        page = rows[:limit]
        told = [
            (event, built)
            for event in page
            if why_withheld(terms, event.kind, event.area, today, day_of(event.at), earlier) is None
            and isinstance(built := _build(world, session, agreement, event), Told)
        ]
        _write_down(world, session, agreement, told)
        last = page[-1].sequence if page else None
        return ChangesPage(tuple(one.event for _, one in told), last or cursor, len(rows) > limit)


def _build(world: World, session: Session, agreement: DataSharingAgreement, event: FeedEvent) -> Told | None:
    """One that cannot be built does not stop the others; the operator finds it among the parked deliveries."""
    try:
        built = build(world, session, agreement, event)
        if isinstance(built, Told):
            encode_event(built.event)
            return built
        _mark(world, session, agreement, event, "withheld", built.reason, ())
    except (KeyRingError, MessageRejected) as error:  # the texts may carry values
        _mark(world, session, agreement, event, "parked", type(error).__name__, ())
    return None


def _write_down(
    world: World, session: Session, agreement: DataSharingAgreement, told: Sequence[tuple[FeedEvent, Told]]
) -> None:
    """Each fetch is a disclosure of its own, also of what was fetched before."""
    leaves = [leaf for _, one in told for leaf in leaves_of(world, agreement, one, "office_fetched")]
    if leaves:
        session.execute(insert(AuditLeaf), leaves)
    for event, one in told:
        _mark(world, session, agreement, event, "delivered", None, sorted(one.event.data))


def _mark(
    world: World,
    session: Session,
    agreement: DataSharingAgreement,
    event: FeedEvent,
    outcome: str,
    reason: str | None,
    fields: Sequence[str],
) -> None:
    now = world.clock.now()
    known = session.scalar(
        select(OfficeDelivery).where(OfficeDelivery.agreement_id == agreement.id, OfficeDelivery.event_id == event.id)
    )
    if known is None:
        known = OfficeDelivery(
            id=new_id(), agreement_id=agreement.id, event_id=event.id, attempts=0, first_at=now, outcome=outcome, at=now
        )
        session.add(known)
    known.outcome, known.reason, known.fields, known.at = outcome, reason, list(fields), now
    known.attempts += 1
