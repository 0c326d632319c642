"""What became of what was told to other offices: counts and what waits for a person. Nothing about persons."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from backend.db import db
from backend.models.sharing import FeedEvent, OfficeDelivery


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
