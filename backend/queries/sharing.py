"""What became of what was told to other offices: counts and what waits for a person. Nothing about persons."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from backend.db import db
from backend.models.officers import Officer
from backend.models.sharing import DataSharingAgreement, FeedEvent, InboundChange, OfficeDelivery


@dataclass(frozen=True)
class ParkedDelivery:
    """A delivery that a person has to look at."""

    event_id: str
    kind: str
    reason: str | None
    at: datetime


def count_deliveries(agreement_id: str) -> dict[str, int]:
    """How many deliveries under one agreement had which outcome."""
    rows = db.session.execute(
        select(OfficeDelivery.outcome, func.count().label("deliveries"))
        .where(OfficeDelivery.agreement_id == agreement_id)
        .group_by(OfficeDelivery.outcome)
        .order_by(OfficeDelivery.outcome)
    )
    return {row.outcome: row.deliveries for row in rows}


def list_parked(agreement_id: str, limit: int = 50) -> tuple[ParkedDelivery, ...]:
    """The newest parked deliveries under one agreement."""
    rows = db.session.execute(
        select(OfficeDelivery.event_id, FeedEvent.kind, OfficeDelivery.reason, OfficeDelivery.at)
        .join(FeedEvent, FeedEvent.id == OfficeDelivery.event_id)
        .where(OfficeDelivery.agreement_id == agreement_id, OfficeDelivery.outcome == "parked")
        .order_by(OfficeDelivery.at.desc())
        .limit(limit)
    )
    return tuple(ParkedDelivery(*row) for row in rows)


@dataclass(frozen=True)
class Approval:
    """One of the two approvals of an agreement."""

    officer_id: str
    badge: str
    at: datetime


def list_approvals(agreement_id: str) -> tuple[Approval, ...]:
    """Who has approved an agreement, the first one first."""
    row = db.session.get(DataSharingAgreement, agreement_id)
    if row is None:
        return ()
    given = ((row.first_approver_id, row.first_approved_at), (row.second_approver_id, row.second_approved_at))
    ids = [who for who, _ in given if who is not None]
    known = db.session.execute(select(Officer.id, Officer.badge).where(Officer.id.in_(ids)))
    badges = {officer.id: officer.badge for officer in known}
    return tuple(Approval(who, badges[who], at) for who, at in given if who is not None and at is not None)


@dataclass(frozen=True)
class DeliveryLine:
    """One delivery as the operator sees it: what became of it, and which fields went out; no value."""

    event_id: str
    kind: str
    outcome: str
    reason: str | None
    fields: tuple[str, ...]
    attempts: int
    at: datetime


@dataclass(frozen=True)
class ReportLine:
    """One reported change as the operator sees it: which office, which kind, in which state; no value."""

    id: str
    subscriber: str
    office_change_id: str
    kind: str
    state: str
    received_at: datetime


def list_deliveries(agreement_id: str, limit: int = 20) -> tuple[DeliveryLine, ...]:
    """The newest deliveries under one agreement."""
    rows = db.session.execute(
        select(OfficeDelivery, FeedEvent.kind)
        .join(FeedEvent, FeedEvent.id == OfficeDelivery.event_id)
        .where(OfficeDelivery.agreement_id == agreement_id)
        .order_by(OfficeDelivery.at.desc(), OfficeDelivery.id.desc())
        .limit(limit)
    )
    return tuple(
        DeliveryLine(row.event_id, kind, row.outcome, row.reason, tuple(row.fields), row.attempts, row.at)
        for row, kind in rows
    )


def list_reports(state: str | None = None, limit: int = 100) -> tuple[ReportLine, ...]:
    """The newest changes that offices have reported, in all states or one."""
    statement = select(InboundChange).order_by(InboundChange.received_at.desc(), InboundChange.id.desc())
    if state is not None:
        statement = statement.where(InboundChange.state == state)
    return tuple(
        ReportLine(row.id, row.subscriber, row.office_change_id, row.kind, row.state, row.received_at)
        for row in db.session.scalars(statement.limit(limit))
    )
