"""Facts of one unit and of who is registered there, by id alone: no name, no number, nothing a door has reported."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, func, select

from backend.db import db
from backend.models.cases import Case
from backend.models.dwellings import Dwelling
from backend.models.leases import Lease
from backend.models.registrations import Registration, RegistrationChange
from backend.models.units import Unit


@dataclass(frozen=True)
class UnitFacts:
    """One unit with its address."""

    id: str
    dwelling_id: str
    division: str
    address: str
    public_number: str
    label: str
    space_kind: str
    usable_area_m2: float
    capacity: int
    landlord_id: str | None


@dataclass(frozen=True)
class ResidenceFacts:
    """One registration in a unit: dates, legs, registry; `person_id` is for the service, never for a page."""

    id: str
    unit_id: str
    person_id: str | None
    version: int
    tenant_leg: str
    landlord_leg: str
    scope: str
    residence: str
    registry_state: str
    disputed: bool
    move_in_on: date
    planned_end_on: date | None
    lease_starts_on: date | None
    lease_ends_on: date | None
    tenant_due_on: date | None
    declared_at: datetime | None
    landlord_due_on: date | None
    landlord_reported_at: datetime | None
    receipt_no: str | None
    accepted_at: datetime | None
    registry_errors: list[Any]
    basis: str | None = None


@dataclass(frozen=True)
class Change:
    """One step in a registration's history: what was done by which side; no values."""

    at: datetime
    version: int
    action: str
    actor_kind: str
    reason: str | None


@dataclass(frozen=True)
class CaseMark:
    """An open case of a unit, without what it is about in detail."""

    reference: str
    kind: str
    state: str
    due_at: datetime | None


def find_unit(unit_id: str) -> UnitFacts | None:
    """One unit, or None."""
    row = db.session.execute(
        select(Unit, Dwelling).join(Dwelling, Dwelling.id == Unit.dwelling_id).where(Unit.id == unit_id)
    ).first()
    if row is None:
        return None
    unit, dwelling = row
    return UnitFacts(
        unit.id,
        dwelling.id,
        dwelling.division,
        short_address(dwelling),
        unit.public_number,
        unit.label,
        unit.space_kind,
        unit.usable_area_m2,
        unit.capacity,
        unit.landlord_id,
    )


def find_residence(registration_id: str) -> ResidenceFacts | None:
    """One registration, or None."""
    row = db.session.execute(_RESIDENCES.where(Registration.id == registration_id)).first()
    return ResidenceFacts(*row) if row else None


def list_living(unit_id: str) -> tuple[ResidenceFacts, ...]:
    """The registrations of those who live in a unit, oldest first."""
    rows = db.session.execute(
        _RESIDENCES.where(Registration.unit_id == unit_id, Registration.residence == "living").order_by(
            Registration.move_in_on, Registration.id
        )
    )
    return tuple(ResidenceFacts(*row) for row in rows)


def count_past(unit_id: str) -> int:
    """How many registrations of a unit have ended."""
    statement = select(func.count()).where(Registration.unit_id == unit_id, Registration.residence != "living")
    return db.session.scalar(statement) or 0


def list_changes(registration_id: str) -> tuple[Change, ...]:
    """The history of a registration, newest first."""
    rows = db.session.execute(
        select(
            RegistrationChange.at,
            RegistrationChange.version,
            RegistrationChange.action,
            RegistrationChange.actor_kind,
            RegistrationChange.reason,
        )
        .where(RegistrationChange.registration_id == registration_id)
        .order_by(RegistrationChange.version.desc(), RegistrationChange.at.desc())
    )
    return tuple(Change(*row) for row in rows)


def list_open_cases(unit_id: str) -> tuple[CaseMark, ...]:
    """The open cases about a unit."""
    rows = db.session.execute(
        select(Case.reference, Case.kind, Case.state, Case.due_at)
        .where(Case.unit_id == unit_id, Case.state.in_(("reported", "routed", "assigned")))
        .order_by(Case.opened_at)
    )
    return tuple(CaseMark(*row) for row in rows)


def short_address(dwelling: Dwelling) -> str:
    """Village, road, door and building: what staff of a street need of an address."""
    return f"{dwelling.village}{dwelling.road}{dwelling.door_no}{dwelling.building}"


_RESIDENCES: Select[*tuple[Any, ...]] = select(
    Registration.id,
    Registration.unit_id,
    Registration.person_id,
    Registration.version,
    Registration.tenant_leg,
    Registration.landlord_leg,
    Registration.scope,
    Registration.residence,
    Registration.registry_state,
    Registration.disputed,
    Registration.move_in_on,
    Registration.planned_end_on,
    Lease.starts_on,
    Lease.ends_on,
    Registration.tenant_due_on,
    Registration.declared_at,
    Registration.landlord_due_on,
    Registration.landlord_reported_at,
    Registration.receipt_no,
    Registration.accepted_at,
    Registration.registry_errors,
    Registration.basis,
).outerjoin(Lease, Lease.id == Registration.lease_id)
