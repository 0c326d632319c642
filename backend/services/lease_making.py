"""What a lease is made of, inside the use cases that record one: the named tenant, the lease, registration and key."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.domain.documents import Document, decide_document
from backend.domain.ids import new_id
from backend.domain.leases import Term
from backend.domain.persons import decide_name, decide_phone
from backend.domain.refusals import Refusal, Refused
from backend.domain.registrations import LET, landlord_due_on, tenant_due_on
from backend.gateways.world import World
from backend.models.keys import Key
from backend.models.leases import Lease
from backend.models.persons import Person
from backend.models.registrations import Registration
from backend.models.units import Unit
from backend.services import vault
from backend.services.audit import Actor
from backend.services.field_sources import note_fields
from backend.services.persons import number_token
from backend.services.registration_changes import (
    change_registration,
    compare_legs,
    hold_registration,
    new_registration,
    send_landlord_leg,
)


@dataclass(frozen=True)
class Named:
    """The tenant as the landlord names them (PSAL-68), checked; `token` finds equal documents without the number."""

    name: str
    document: Document
    phone: str
    token: bytes


def check_named(
    world: World, name: str, id_type: str, id_number: str, phone: str, *, phone_needed: bool = True
) -> Named:
    """Check what the landlord wrote of the tenant. Raises Refused with every faulty field.

    At the window the phone may be empty: the tenant accepts the lease there.
    """
    faults: list[Refusal] = []
    checked_name = decide_name(name, "tenant_name")
    document = decide_document(id_type, id_number, world.clock.today())
    number = decide_phone(phone, "tenant_phone") if phone_needed or phone.strip() else ""
    for found in (checked_name, document, number):
        if isinstance(found, Refusal):
            field = found.field if found.field and found.field.startswith("tenant_") else f"tenant_{found.field}"
            faults.append(Refusal(found.code, field, found.params, found.allowed))
    if faults:
        raise Refused.of(faults)
    assert isinstance(checked_name, str) and isinstance(document, Document) and isinstance(number, str)
    return Named(checked_name, document, number, number_token(world, document))


def check_not_living_there(session: Session, unit: Unit, named: Named, *, but: str | None = None) -> None:
    """Who lives in the unit under a lease of their own gets it extended: a second residence in one place cannot be.

    Who lives along there, also since the tenant has left, gets a lease of their own, and its declaration takes the
    earlier one over; so that a landlord does not learn from a refusal who lives along. `but` is the registration of the
    lease itself, where there is one.
    """
    living = session.scalar(
        select(Registration.id)
        .join(Person, Person.id == Registration.person_id)
        .where(
            Registration.unit_id == unit.id,
            Registration.residence == "living",
            Registration.lease_id.is_not(None),
            Person.id_type == named.document.id_type,
            Person.id_number_token == named.token,
            Registration.id != (but or ""),
        )
        .limit(1)
    )
    if living is not None:
        raise Refused("lease.same_tenant", "tenant_id_number")


def find_stay(session: Session, unit: Unit, named: Named) -> Registration | None:
    """The named person's own registration in this unit that no lease belongs to yet: declared on paper or in person."""
    return session.scalar(
        select(Registration)
        .join(Person, Person.id == Registration.person_id)
        .where(
            Registration.unit_id == unit.id,
            Registration.residence == "living",
            Registration.lease_id.is_(None),
            Registration.household_of_id.is_(None),
            Person.id_type == named.document.id_type,
            Person.id_number_token == named.token,
        )
    )


def join_stay(
    world: World, session: Session, lease: Lease, stay: Registration, key: Key, actor: Actor, source: str
) -> None:
    """Put a lease behind a residence that was declared before it was recorded: one registration, its time stays.

    Who was a guest lives in a let dwelling from now on, as whoever lives along does, and the registry is told so.
    """
    hold_registration(session, stay)
    stay.lease_id, lease.tenant_id, key.holder_id = lease.id, stay.person_id, stay.person_id
    stay.landlord_due_on = stay.landlord_due_on or landlord_due_on(world.clock.today())
    along = select(Registration).where(Registration.household_of_id == stay.id, Registration.residence == "living")
    for home in (stay, *session.scalars(along)):
        if home.place_type != LET:
            home.place_type = LET
            change_registration(
                world, session, home, "lease_joined", actor, source=source, fields=["place_type"], send="AMEND"
            )


def make_lease(
    world: World,
    session: Session,
    unit: Unit,
    landlord_id: str,
    kind: str,
    term: Term,
    alias: str,
    named: Named,
    joint_id: str | None = None,
) -> Lease:
    """Write a lease, what the landlord wrote of the tenant sealed under its own data key."""
    lease_id = new_id()
    vault.make_data_key(world, session, lease_id)

    def sealed(column: str, text: str) -> bytes:
        return vault.seal(world, session, lease_id, f"leases.{column}", lease_id, text)

    lease = Lease(
        id=lease_id,
        unit_id=unit.id,
        landlord_id=landlord_id,
        joint_id=joint_id,
        kind=kind,
        state="active",
        starts_on=term.starts_on,
        ends_on=term.ends_on,
        alias=alias.strip(),
        named_name_sealed=sealed("named_name", named.name),
        named_id_type=named.document.id_type,
        named_id_number_sealed=sealed("named_id_number", named.document.id_number),
        named_id_token=named.token,
        named_phone_sealed=sealed("named_phone", named.phone),
        created_at=world.clock.now(),
    )
    session.add(lease)
    session.flush()
    return lease


def make_registration(
    world: World,
    session: Session,
    lease: Lease,
    begins_on: date,
    actor: Actor,
    source: str = "landlord",
    *,
    due_from: date | None = None,
) -> Registration:
    """Write the lease's registration: the residence is expected to begin, and its deadlines to run, on `begins_on`.

    Deadlines run from `due_from` where that is given: who was let in before could not have declared here yet.
    """
    due_from = due_from or begins_on
    registration = new_registration(
        world,
        session,
        unit_id=lease.unit_id,
        lease_id=lease.id,
        place_type=LET,
        move_in_on=begins_on,
        planned_end_on=lease.ends_on,
        landlord_due_on=landlord_due_on(due_from),
        tenant_due_on=tenant_due_on(due_from),
    )
    note_fields(world, session, registration, source=source, actor=actor)
    return registration


def make_occupants_key(world: World, session: Session, lease: Lease) -> Key:
    """Write the lease's key as a draft."""
    key = Key(
        id=new_id(),
        lease_id=lease.id,
        unit_id=lease.unit_id,
        state="draft",
        starts_on=lease.starts_on,
        ends_on=lease.ends_on,
        created_at=world.clock.now(),
    )
    session.add(key)
    return key


def report_leg(
    world: World,
    session: Session,
    lease: Lease,
    registration: Registration,
    actor: Actor,
    source: str = "landlord",
) -> None:
    """Report the lease's tenant (ZJ-9-1): the landlord's leg, sent once the residence is in scope."""
    now = world.clock.now()
    registration.landlord_leg, registration.landlord_reported_at = "reported", now
    registration.landlord_receipt_no = f"L-{now:%Y%m%d}-{registration.id.replace('-', '')[-10:].upper()}"
    change_registration(
        world,
        session,
        registration,
        "landlord_report",
        actor,
        source=source,
        fields=["name", "id_type", "id_number"],
    )
    send_landlord_leg(world, session, registration)
    compare_legs(world, session, lease, registration)
