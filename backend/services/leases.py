"""Leases: record, report the tenant, extend, end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.db import transaction
from backend.domain.documents import Document, decide_document
from backend.domain.ids import new_id
from backend.domain.leases import KINDS, LEASE_STATES, Term, decide_extension, find_term_faults, overlap_refusal
from backend.domain.persons import decide_name, decide_phone
from backend.domain.refusals import Refusal, Refused, illegal_transition
from backend.domain.registrations import landlord_due_on, tenant_due_on
from backend.gateways.world import World
from backend.models.keys import Key, KeyDoor
from backend.models.leases import Lease
from backend.models.persons import Person
from backend.models.registrations import Registration
from backend.models.units import Unit
from backend.services import idempotency, vault
from backend.services.audit import Actor, write_leaf
from backend.services.inbox import tell_person
from backend.services.key_changes import begin_revocation, unit_alias
from backend.services.key_lists import enqueue_key_list
from backend.services.own_leases import living_key, own_lease_to_change, registration_of
from backend.services.persons import number_token
from backend.services.registration_changes import change_registration, compare_legs, send_landlord_leg
from backend.services.units import landlord_of, own_unit, require_mandate


@dataclass(frozen=True)
class LeaseMade:
    """A lease with its registration and key; `landlord_receipt_no` once the tenant is reported."""

    lease_id: str
    registration_id: str
    key_id: str | None
    landlord_receipt_no: str | None


@dataclass(frozen=True)
class EndMade:
    """'waiting_for_tenant' until the tenant checks out or says "still here" (then `disputed`), else 'ended'."""

    state: str
    disputed: bool


@dataclass(frozen=True)
class _Named:
    name: str
    document: Document
    phone: str


def record_lease(
    world: World,
    *,
    account_id: str,
    unit_id: str,
    kind: str,
    starts_on: date,
    ends_on: date | None,
    alias: str,
    tenant_name: str,
    tenant_id_type: str,
    tenant_id_number: str,
    tenant_phone: str,
    report_now: bool = True,
    rent_cents: int | None = None,
    deposit_cents: int | None = None,
    idempotency_key: str | None = None,
) -> LeaseMade:
    """Record a real-name lease (PSAL-68, HR-8) with its registration and the key's draft; reports the tenant (ZJ-9-1).

    The tenant's name, document and phone are write-only for the landlord. Raises Refused with every faulty field,
    lease.overlap, unit.not_yours, lease.own.
    """
    named = _check_named(world, tenant_name, tenant_id_type, tenant_id_number, tenant_phone)
    token = number_token(world, named.document)
    body: dict[str, Any] = {"unit": unit_id, "kind": kind, "from": starts_on, "to": ends_on, "who": token.hex()}
    with transaction() as session:
        known = idempotency.find_answer(session, account_id, idempotency_key, "record_lease", body)
        if known is not None:
            return LeaseMade(**known)
        unit = own_unit(session, account_id, unit_id, changing=True)
        landlord_id = landlord_of(session, account_id)
        require_mandate(world, session, unit.id, landlord_id)
        if session.get_one(Person, landlord_id).id_number_token == token:
            raise Refused("lease.own", "tenant_id_number")
        _check_terms(world, session, unit, kind, Term(starts_on, ends_on), alias)
        _check_not_living_there(session, unit, named.document.id_type, token)
        lease = _make_lease(world, session, unit, landlord_id, kind, starts_on, ends_on, alias, named, token)
        lease.rent_cents, lease.deposit_cents = rent_cents, deposit_cents
        registration = _make_registration(world, session, lease)
        key = Key(
            id=new_id(),
            lease_id=lease.id,
            unit_id=unit.id,
            state="draft",
            starts_on=starts_on,
            ends_on=ends_on,
            created_at=world.clock.now(),
        )
        session.add(key)
        actor = Actor("resident", account_id)
        write_leaf(world, session, actor, "lease_recorded", object_kind="lease", object_id=lease.id)
        if report_now:
            _report(world, session, lease, registration, account_id)
        made = LeaseMade(lease.id, registration.id, key.id, registration.landlord_receipt_no)
        idempotency.remember(world, session, account_id, idempotency_key, "record_lease", body, made.__dict__)
        return made


def report_tenant(world: World, *, account_id: str, lease_id: str) -> LeaseMade:
    """Report the lease's tenant (ZJ-9-1); a second report changes nothing."""
    with transaction() as session:
        lease = own_lease_to_change(world, session, account_id, lease_id)
        registration = registration_of(session, lease.id)
        if registration.landlord_leg == "due":
            _report(world, session, lease, registration, account_id)
        return _made(session, lease, registration)


def extend_lease(world: World, *, account_id: str, lease_id: str, ends_on: date | None) -> LeaseMade:
    """Extend a lease and its key in place; the same end again changes nothing.

    Raises Refused lease.shorten (HR-12), lease.overlap, transition.
    """
    with transaction() as session:
        lease = own_lease_to_change(world, session, account_id, lease_id)
        registration = registration_of(session, lease.id)
        if lease.ends_on == ends_on:
            return _made(session, lease, registration)
        if lease.state != "active":
            raise Refused.of([illegal_transition(LEASE_STATES[lease.state], {})])
        refusal = decide_extension(lease.ends_on, ends_on, world.clock.today())
        if refusal is not None:
            raise Refused.of([refusal])
        unit = session.get_one(Unit, lease.unit_id)
        others = [term for _id, term in _terms(session, unit.id, without=lease.id)]
        clashes = [other for other in others if Term(lease.starts_on, ends_on).overlaps(other)]
        if len(clashes) >= _beds(unit, lease.kind):
            raise Refused.of([overlap_refusal(clashes[0])])
        lease.ends_on, lease.version = ends_on, lease.version + 1
        key = living_key(session, lease.id)
        if key is not None:
            key.ends_on, key.version = ends_on, key.version + 1
            for door_lock in _door_locks(session, key):
                enqueue_key_list(world, session, door_lock)
        if registration.tenant_leg == "declared" and registration.residence == "living":
            registration.planned_end_on = ends_on
            change_registration(
                world,
                session,
                registration,
                "extend",
                Actor("resident", account_id),
                source="landlord",
                fields=["planned_end_on"],
                send="AMEND",
            )
        write_leaf(
            world,
            session,
            Actor("resident", account_id),
            "lease_extended",
            subject_id=lease.tenant_id,
            object_kind="lease",
            object_id=lease.id,
        )
        if lease.tenant_id is not None:
            tell_person(
                world,
                session,
                lease.tenant_id,
                "lease_extended",
                once=f"{lease.id}:{lease.version}",
                unit=unit_alias(session, unit.id),
                ends_on=ends_on.isoformat() if ends_on else "—",
            )
        return _made(session, lease, registration)


def end_lease(world: World, *, account_id: str, lease_id: str, ended_on: date) -> EndMade:
    """The landlord reports that the tenant has left (ZJ-9-2). The tenant is asked; the key stays alive until then.

    A lease that nobody ever used ends at once; whoever had accepted it is told.
    """
    if ended_on > world.clock.today():
        raise Refused("input.future_date", "ended_on")
    with transaction() as session:
        lease = own_lease_to_change(world, session, account_id, lease_id)
        registration = registration_of(session, lease.id)
        if lease.state == "ended":
            return EndMade("ended", registration.disputed)
        if ended_on < lease.starts_on and registration.tenant_leg == "declared":
            raise Refused("checkout.date", "ended_on")
        actor = Actor("resident", account_id)
        lease.landlord_ended_on = ended_on
        lease.version += 1
        registration.landlord_end_reported_at = registration.landlord_end_reported_at or world.clock.now()
        write_leaf(
            world,
            session,
            actor,
            "lease_end_reported",
            subject_id=lease.tenant_id,
            object_kind="lease",
            object_id=lease.id,
        )
        if lease.tenant_id is None or _has_lapsed(session, lease, registration):
            return _end_unused(world, session, lease, registration, actor)
        if registration.residence == "moved_out":
            lease.state = "ended"
            return EndMade("ended", registration.disputed)
        tell_person(
            world,
            session,
            lease.tenant_id,
            "landlord_says_left",
            once=f"{lease.id}:{ended_on}",
            rule="ZJ-9-2",
            unit=unit_alias(session, lease.unit_id),
            ended_on=ended_on.isoformat(),
        )
        return EndMade("waiting_for_tenant", registration.disputed)


def _made(session: Session, lease: Lease, registration: Registration) -> LeaseMade:
    key = living_key(session, lease.id)
    return LeaseMade(lease.id, registration.id, key.id if key else None, registration.landlord_receipt_no)


def _check_named(world: World, name: str, id_type: str, id_number: str, phone: str) -> _Named:
    faults: list[Refusal] = []
    checked_name = decide_name(name, "tenant_name")
    document = decide_document(id_type, id_number, world.clock.today())
    number = decide_phone(phone, "tenant_phone")
    for found in (checked_name, document, number):
        if isinstance(found, Refusal):
            field = found.field if found.field and found.field.startswith("tenant_") else f"tenant_{found.field}"
            faults.append(Refusal(found.code, field, found.params, found.allowed))
    if faults:
        raise Refused.of(faults)
    assert isinstance(checked_name, str) and isinstance(document, Document) and isinstance(number, str)
    return _Named(checked_name, document, number)


def _check_terms(world: World, session: Session, unit: Unit, kind: str, term: Term, alias: str) -> None:
    faults = []
    if kind not in KINDS:
        faults.append(Refusal("input.not_one_of", "kind", allowed=KINDS))
    if not 1 <= len(alias.strip()) <= 30:
        faults.append(Refusal("input.length", "alias", {"least": 1, "most": 30}))
    others = [other for _id, other in _terms(session, unit.id)]
    faults += find_term_faults(term, world.clock.today(), others, _beds(unit, kind))
    if faults:
        raise Refused.of(faults)


def _check_not_living_there(session: Session, unit: Unit, id_type: str, token: bytes) -> None:
    """Who lives in the unit already gets the lease extended: a second residence in one place cannot be."""
    living = session.scalar(
        select(Registration.id)
        .join(Person, Person.id == Registration.person_id)
        .where(
            Registration.unit_id == unit.id,
            Registration.residence == "living",
            Person.id_type == id_type,
            Person.id_number_token == token,
        )
        .limit(1)
    )
    if living is not None:
        raise Refused("lease.same_tenant", "tenant_id_number")


def _beds(unit: Unit, kind: str) -> int:
    return unit.capacity if kind == "bed" else 1


def _terms(session: Session, unit_id: str, without: str | None = None) -> list[tuple[str, Term]]:
    rows = session.scalars(select(Lease).where(Lease.unit_id == unit_id, Lease.state == "active"))
    return [(row.id, Term(row.starts_on, row.ends_on)) for row in rows if row.id != without]


def _make_lease(
    world: World,
    session: Session,
    unit: Unit,
    landlord_id: str,
    kind: str,
    starts_on: date,
    ends_on: date | None,
    alias: str,
    named: _Named,
    token: bytes,
) -> Lease:
    lease_id = new_id()
    vault.make_data_key(world, session, lease_id)

    def sealed(column: str, text: str) -> bytes:
        return vault.seal(world, session, lease_id, f"leases.{column}", lease_id, text)

    lease = Lease(
        id=lease_id,
        unit_id=unit.id,
        landlord_id=landlord_id,
        kind=kind,
        state="active",
        starts_on=starts_on,
        ends_on=ends_on,
        alias=alias.strip(),
        named_name_sealed=sealed("named_name", named.name),
        named_id_type=named.document.id_type,
        named_id_number_sealed=sealed("named_id_number", named.document.id_number),
        named_id_token=token,
        named_phone_sealed=sealed("named_phone", named.phone),
        created_at=world.clock.now(),
    )
    session.add(lease)
    session.flush()
    return lease


def _make_registration(world: World, session: Session, lease: Lease) -> Registration:
    now = world.clock.now()
    registration = Registration(
        id=new_id(),
        unit_id=lease.unit_id,
        lease_id=lease.id,
        move_in_on=lease.starts_on,
        planned_end_on=lease.ends_on,
        landlord_leg="due",
        landlord_due_on=landlord_due_on(lease.starts_on),
        tenant_leg="invited",
        tenant_due_on=tenant_due_on(lease.starts_on),
        registry_errors=[],
        created_at=now,
        updated_at=now,
    )
    session.add(registration)
    session.flush()
    return registration


def _report(world: World, session: Session, lease: Lease, registration: Registration, account_id: str) -> None:
    now = world.clock.now()
    registration.landlord_leg, registration.landlord_reported_at = "reported", now
    registration.landlord_receipt_no = f"L-{now:%Y%m%d}-{registration.id.replace('-', '')[-10:].upper()}"
    actor = Actor("resident", account_id)
    change_registration(
        world,
        session,
        registration,
        "landlord_report",
        actor,
        source="landlord",
        fields=["name", "id_type", "id_number"],
    )
    send_landlord_leg(world, session, registration)
    compare_legs(world, session, lease, registration)


def _has_lapsed(session: Session, lease: Lease, registration: Registration) -> bool:
    """Whoever accepted let the draft expire, and no key of the lease ever opened."""
    opened = session.scalar(select(Key.id).where(Key.lease_id == lease.id, Key.activated_at.is_not(None)).limit(1))
    return opened is None and registration.tenant_leg == "invited"


def _end_unused(world: World, session: Session, lease: Lease, registration: Registration, actor: Actor) -> EndMade:
    lease.state = "cancelled"
    registration.residence, registration.void_reason = "voided", "entered_in_error"
    key = living_key(session, lease.id)
    if key is not None:
        begin_revocation(world, session, key, actor, "never_active")
    return EndMade("ended", False)


def _door_locks(session: Session, key: Key) -> list[str]:
    return list(session.scalars(select(KeyDoor.lock_id).where(KeyDoor.key_id == key.id)))
