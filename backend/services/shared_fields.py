"""What an office is told of a change: the agreed fields, read from the present rows at the moment of telling.

Each field has a reader of its own, and only the readers of agreed fields are called: what is not agreed is never read.
Everything here runs inside the caller's write unit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from backend.domain.registrations import Facts, describe
from backend.domain.sharing import FIELDS, OUT_KINDS, is_registration_told
from backend.gateways.world import World
from backend.models.data_keys import DataKey
from backend.models.dwellings import Dwelling
from backend.models.leases import Lease
from backend.models.persons import Person
from backend.models.registrations import Registration
from backend.models.sharing import DataSharingAgreement, FeedEvent
from backend.models.units import Unit
from backend.services import vault
from backend.services.agreements import terms_of
from backend.services.persons import name_of, number_of
from backend.wire.cloud_events import CloudEvent, Value, schema_of, source_of
from backend.wire.registry_messages import write_time


@dataclass(frozen=True)
class Withheld:
    """Why an office is not told of a change after all."""

    reason: str


@dataclass(frozen=True)
class Told:
    """What is told, and whom it is about: subject of the leaf -> the fields that are about them.

    A tenant who has not accepted yet has no person; the lease stands for them until they have.
    """

    event: CloudEvent
    subjects: dict[str, tuple[str, ...]]


class Rows:
    """The rows behind one change, each read when it is first asked for."""

    def __init__(self, world: World, session: Session, event: FeedEvent) -> None:
        self.world, self.session, self.event = world, session, event

    @cached_property
    def registration(self) -> Registration:
        """The registration that changed."""
        return self.session.get_one(Registration, self.event.object_id)

    @cached_property
    def lease(self) -> Lease:
        """The lease that changed."""
        return self.session.get_one(Lease, self.event.object_id)

    @cached_property
    def unit(self) -> Unit:
        """The unit it is about."""
        if self.event.object_kind == "registration":
            return self.session.get_one(Unit, self.registration.unit_id)
        of_lease = self.event.object_kind == "lease"
        return self.session.get_one(Unit, self.lease.unit_id if of_lease else self.event.object_id)

    @cached_property
    def dwelling(self) -> Dwelling:
        """The dwelling of the unit."""
        return self.session.get_one(Dwelling, self.unit.dwelling_id)

    @cached_property
    def landlord(self) -> Person | None:
        """The landlord: of the lease, else of the unit."""
        owner = self.lease.landlord_id if self.event.object_kind == "lease" else self.unit.landlord_id
        return None if owner is None else self._readable(owner)

    @cached_property
    def resident(self) -> Person | None:
        """Whose registration it is."""
        return None if self.registration.person_id is None else self._readable(self.registration.person_id)

    def named(self, column: str, sealed: bytes) -> str:
        """What the landlord wrote of the tenant."""
        self.require_key(self.lease.id)
        return vault.unseal(self.world, self.session, self.lease.id, f"leases.{column}", self.lease.id, sealed)

    def require_key(self, subject_id: str) -> None:
        """Raise Erased when what is sealed for this subject has been destroyed."""
        if self.session.get(DataKey, subject_id) is None:
            raise Erased

    def _readable(self, person_id: str) -> Person:
        self.require_key(person_id)
        return self.session.get_one(Person, person_id)


class Erased(Exception):
    """The data key was destroyed: the person's data is deleted."""


def build(world: World, session: Session, agreement: DataSharingAgreement, event: FeedEvent) -> Told | Withheld:
    """Build what one office is told of one change, or say why it is not.

    Facts of a residence out of scope (ZJ-2), exempt (ZJ-12) or foreign (EEL-39) are told to nobody.
    """
    rows = Rows(world, session, event)
    if event.object_kind == "registration":
        registration = rows.registration
        if not is_registration_told(registration.scope, registration.declared_at is not None):
            return Withheld(f"scope_{registration.scope}")
    about = OUT_KINDS[event.kind].about
    agreed = terms_of(agreement).fields_for(event.kind)
    if not rows.dwelling.division.startswith(tuple(agreement.areas)):  # it belongs to another division meanwhile
        return Withheld("area_not_agreed")
    try:
        read = {name: READERS[name](rows) for name in agreed}
    except Erased:
        return Withheld("erased")
    told = {name: value for name, value in read.items() if value is not None}
    cloud_event = CloudEvent(
        id=event.id,
        source=source_of(agreement.subscriber),
        type=event.kind,
        subject=f"{event.object_kind}/{event.object_id}",
        time=event.at,
        dataschema=schema_of(about),
        agreement=agreement.id,
        data=told,
    )
    return Told(cloud_event, _subjects(rows, tuple(told)))


def _subjects(rows: Rows, fields: Sequence[str]) -> dict[str, tuple[str, ...]]:
    kind = rows.event.object_kind
    not_landlords = tuple(name for name in fields if not name.startswith("landlord."))
    of_landlord = tuple(name for name in fields if not name.startswith("tenant."))
    if kind == "registration":
        person_id = rows.registration.person_id
        return {} if person_id is None else {person_id: not_landlords}
    if kind == "lease":
        return {rows.lease.tenant_id or rows.lease.id: not_landlords, rows.lease.landlord_id: of_landlord}
    owner = rows.unit.landlord_id
    names_one = any(FIELDS[name].about == "landlord" for name in fields)
    return {owner: of_landlord} if owner is not None and names_one else {}


def _address(rows: Rows) -> str:
    place = rows.dwelling
    parts = (place.province, place.city, place.county, place.street, place.village)
    return f"{''.join(parts)}{place.road}{place.door_no}{place.building}{rows.unit.label}"


def _registered_people(rows: Rows) -> int:
    """Of whom facts are told at all: whoever is out of scope, exempt or foreign is not counted either."""
    counted = select(func.count()).where(
        Registration.unit_id == rows.unit.id,
        Registration.residence == "living",
        Registration.tenant_leg == "declared",
        Registration.scope == "in_scope",
    )
    return rows.session.scalar(counted) or 0


def _state(rows: Rows) -> str:
    row = rows.registration
    return describe(Facts(row.tenant_leg, row.landlord_leg, row.scope, row.residence, row.registry_state, row.disputed))


def _of(person: Person | None, read: Callable[[Person], str]) -> str | None:
    return None if person is None else read(person)


def _day(value: object) -> str | None:
    return None if value is None else str(value)


READERS: dict[str, Callable[[Rows], Value | None]] = {
    "unit.public_number": lambda rows: rows.unit.public_number,
    "unit.address": _address,
    "unit.division": lambda rows: rows.dwelling.division,
    "unit.space_kind": lambda rows: rows.unit.space_kind,
    "unit.usable_area_m2": lambda rows: rows.unit.usable_area_m2,
    "unit.capacity": lambda rows: rows.unit.capacity,
    "unit.registered_people": _registered_people,
    "landlord.name": lambda rows: _of(rows.landlord, lambda p: name_of(rows.world, rows.session, p)),
    "landlord.id_type": lambda rows: _of(rows.landlord, lambda p: p.id_type),
    "landlord.id_number": lambda rows: _of(rows.landlord, lambda p: number_of(rows.world, rows.session, p)),
    "lease.kind": lambda rows: rows.lease.kind,
    "lease.state": lambda rows: rows.lease.state,
    "lease.starts_on": lambda rows: _day(rows.lease.starts_on),
    "lease.ends_on": lambda rows: _day(rows.lease.ends_on),
    "lease.filing_no": lambda rows: rows.lease.filing_no,
    "tenant.name": lambda rows: rows.named("named_name", rows.lease.named_name_sealed),
    "tenant.id_type": lambda rows: rows.lease.named_id_type,
    "tenant.id_number": lambda rows: rows.named("named_id_number", rows.lease.named_id_number_sealed),
    "registration.state": _state,
    "registration.declared_at": lambda rows: (
        None if rows.registration.declared_at is None else write_time(rows.registration.declared_at)
    ),
    "registration.move_in_on": lambda rows: _day(rows.registration.move_in_on),
    "registration.planned_end_on": lambda rows: _day(rows.registration.planned_end_on),
    "registration.moved_out_on": lambda rows: _day(rows.registration.moved_out_on),
    "registration.receipt_no": lambda rows: rows.registration.receipt_no,
    "resident.name": lambda rows: _of(rows.resident, lambda p: name_of(rows.world, rows.session, p)),
    "resident.id_type": lambda rows: _of(rows.resident, lambda p: p.id_type),
    "resident.id_number": lambda rows: _of(rows.resident, lambda p: number_of(rows.world, rows.session, p)),
}
