"""The registry sync as staff of an area see it: its health, and what lies parked in their area, by address."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from backend.db import db
from backend.models.dwellings import Dwelling
from backend.models.registrations import Registration
from backend.models.units import Unit
from backend.queries.reconciliations import ReconciliationSum, get_reconciliation_sum
from backend.queries.registry_sync import ParkedRow, SyncHealth, get_sync_health
from backend.queries.unit_facts import short_address


@dataclass(frozen=True)
class ParkedPlace:
    """A parked row and the unit it belongs to."""

    row: ParkedRow
    unit_id: str
    place: str
    label: str


@dataclass(frozen=True)
class SyncPage:
    """Health of the whole sync, parked rows of one area."""

    health: SyncHealth
    parked: tuple[ParkedPlace, ...]
    compared: ReconciliationSum


def get_sync_page(area: str, now: datetime) -> SyncPage:
    """How the sync is doing, and the parked rows of an area, oldest first."""
    health = get_sync_health(now)
    rows: dict[str, list[ParkedRow]] = {row.registration_id: [] for row in health.parked}
    for row in health.parked:
        rows[row.registration_id].append(row)
    places = db.session.execute(
        select(Registration.id, Unit, Dwelling)
        .join(Unit, Unit.id == Registration.unit_id)
        .join(Dwelling, Dwelling.id == Unit.dwelling_id)
        .where(Registration.id.in_(list(rows)), Dwelling.division.startswith(area, autoescape=True))
    )
    parked = [
        ParkedPlace(row, unit.id, short_address(dwelling), unit.label)
        for registration_id, unit, dwelling in places
        for row in rows[registration_id]
    ]
    parked.sort(key=lambda place: place.row.outbox_id)
    return SyncPage(health, tuple(parked), get_reconciliation_sum(area))


def find_parked_division(outbox_id: int, now: datetime) -> str | None:
    """Where the registration behind a parked row lies; None when no such row is parked."""
    parked = {row.outbox_id: row.registration_id for row in get_sync_health(now).parked}
    if outbox_id not in parked:
        return None
    return db.session.scalar(
        select(Dwelling.division)
        .join(Unit, Unit.dwelling_id == Dwelling.id)
        .join(Registration, Registration.unit_id == Unit.id)
        .where(Registration.id == parked[outbox_id])
    )
