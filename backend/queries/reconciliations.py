"""Which days and towns to compare with the registry, and how the last comparisons came out. No personal data."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Select, func, or_, select

from backend.db import reading
from backend.models.registry_returns import Reconciliation, RegistryLeg

RECENT = timedelta(days=31)  # compared every night: corrections and ends come soon or late, but mostly soon
OLD_AGAIN = timedelta(days=30)  # what is older and was equal is looked at once a month
MOST_SHOWN = 100


@dataclass(frozen=True)
class ReconciliationView:
    """One day and town as it was last compared; `details` are ids and kinds."""

    day: date
    town: str
    checked_at: datetime
    outcome: str
    our_count: int
    their_count: int
    mended: int
    details: tuple[dict[str, Any], ...]


@dataclass(frozen=True)
class ReconciliationSum:
    """All days and towns together, and those that are not equal."""

    days: int
    last_checked_at: datetime | None
    unequal: tuple[ReconciliationView, ...]


def list_due(now: datetime, today: date, *, limit: int, checked_before: datetime) -> list[tuple[date, str]]:
    """Days and towns to compare now: new or changed since, not equal the last time, recent, or long not looked at."""
    changed = func.max(RegistryLeg.changed_at)
    pairs = _pairs().having(
        or_(
            func.max(Reconciliation.checked_at).is_(None),
            (func.max(Reconciliation.checked_at) < checked_before)
            & or_(
                func.max(Reconciliation.outcome) != "equal",
                changed >= func.max(Reconciliation.checked_at),
                RegistryLeg.day >= today - RECENT,
                func.max(Reconciliation.checked_at) < now - OLD_AGAIN,
            ),
        )
    )
    with reading() as session:
        return [(row.day, row.town) for row in session.execute(pairs.limit(limit))]


def list_pairs(
    *, since: date | None = None, day: date | None = None, town: str | None = None
) -> list[tuple[date, str]]:
    """The days and towns of which something was accepted, those asked for."""
    pairs = _pairs()
    if day is not None:
        pairs = pairs.where(RegistryLeg.day == day)
    if since is not None:
        pairs = pairs.where(RegistryLeg.day >= since)
    if town is not None:
        pairs = pairs.where(RegistryLeg.town == town)
    with reading() as session:
        return [(row.day, row.town) for row in session.execute(pairs)]


def get_reconciliation_sum(area: str = "") -> ReconciliationSum:
    """How the comparisons of an area came out; `area` is a division's prefix of any length."""
    inside = Reconciliation.town.startswith(area[:9], autoescape=True)
    with reading() as session:
        days, last = session.execute(select(func.count(), func.max(Reconciliation.checked_at)).where(inside)).one()
        unequal = session.scalars(
            select(Reconciliation)
            .where(inside, Reconciliation.outcome.in_(("differs", "digest_skew")))
            .order_by(Reconciliation.day.desc(), Reconciliation.town)
            .limit(MOST_SHOWN)
        )
        return ReconciliationSum(days, last, tuple(_view(row) for row in unequal))


def _pairs() -> Select[date, str]:
    same = (Reconciliation.day == RegistryLeg.day) & (Reconciliation.town == RegistryLeg.town)
    return (
        select(RegistryLeg.day, RegistryLeg.town)
        .outerjoin(Reconciliation, same)
        .group_by(RegistryLeg.day, RegistryLeg.town)
        .order_by(RegistryLeg.day.desc(), RegistryLeg.town)
    )


def _view(row: Reconciliation) -> ReconciliationView:
    return ReconciliationView(
        row.day, row.town, row.checked_at, row.outcome, row.our_count, row.their_count, row.mended, tuple(row.details)
    )
