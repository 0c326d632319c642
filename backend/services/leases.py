"""Leases: record, report the tenant, extend, end."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.domain.leases import KINDS, LEASE_STATES, Term, decide_extension, find_term_faults, overlap_refusal
from backend.domain.refusals import Refusal, Refused, illegal_transition
from backend.gateways.world import World
from backend.models.keys import Key, KeyDoor
from backend.models.leases import Lease
from backend.models.persons import Person
from backend.models.registrations import Registration
from backend.models.units import Unit
from backend.services import idempotency
from backend.services.audit import Actor, write_leaf
from backend.services.change_feed import note_lease
from backend.services.hands import Desk, acting_for
from backend.services.inbox import tell_person
from backend.services.key_changes import begin_revocation, unit_alias
from backend.services.key_lists import enqueue_key_list
from backend.services.lease_making import (
    check_named,
    check_not_living_there,
    find_stay,
    join_stay,
    make_lease,
    make_occupants_key,
    make_registration,
    report_leg,
)
from backend.services.occupancy import joint_group, tell_occupants
from backend.services.own_leases import living_key, own_lease_to_change, registration_of
from backend.services.registration_changes import change_registration, hold_registration, send_landlord_leg
from backend.services.returned_legs import send_landlords_again
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
    joint_with: str | None = None,
    idempotency_key: str | None = None,
    desk: Desk | None = None,
) -> LeaseMade:
    """Record a real-name lease (PSAL-68, HR-8) with its registration and the key's draft; reports the tenant (ZJ-9-1).

    `joint_with` names a lease of the same unit that this tenant joins: kind and dates are then that lease's, and the
    co-tenant has an own registration, invitation and key. The tenant's name, document and phone are write-only for the
    landlord. Raises Refused with every faulty field, lease.overlap, lease.not_joint, unit.full (HR-7), unit.not_yours,
    lease.own.
    """
    number = tenant_id_number
    named = check_named(world, tenant_name, tenant_id_type, number, tenant_phone, phone_needed=desk is None)
    body: dict[str, Any] = {"unit": unit_id, "kind": kind, "from": starts_on, "to": ends_on, "who": named.token.hex()}
    if joint_with is not None:
        body = {"joint": joint_with, "who": named.token.hex()}
    with acting_for(world, account_id, desk, "record_lease", unit_id=unit_id, source="landlord") as (session, hand):
        known = idempotency.find_answer(session, account_id, idempotency_key, "record_lease", body)
        if known is not None:
            return LeaseMade(**known)
        unit = own_unit(session, account_id, unit_id, changing=True)
        landlord_id = landlord_of(session, account_id)
        require_mandate(world, session, unit.id, landlord_id)
        if session.get_one(Person, landlord_id).id_number_token == named.token:
            raise Refused("lease.own", "tenant_id_number")
        first = None if joint_with is None else find_joined(world, session, unit, joint_with)
        if first is None:
            check_terms(world, session, unit, kind, Term(starts_on, ends_on), alias)
        else:
            kind, starts_on, ends_on = first.kind, first.starts_on, first.ends_on
            _check_alias(alias)
        stay = find_stay(session, unit, named)
        if stay is None:
            check_not_living_there(session, unit, named)
        joint_id = None if first is None else first.joint_id or first.id
        term = Term(starts_on, ends_on)
        lease = make_lease(world, session, unit, landlord_id, kind, term, alias, named, joint_id)
        lease.rent_cents, lease.deposit_cents = rent_cents, deposit_cents
        begins_on = starts_on if first is None else max(starts_on, world.clock.today())  # who joins later is not late
        actor = hand.actor
        registration = stay or make_registration(world, session, lease, begins_on, actor, hand.source)
        key = make_occupants_key(world, session, lease)
        if stay is not None:
            join_stay(world, session, lease, stay, key, actor, hand.source)
        write_leaf(world, session, actor, "lease_recorded", object_kind="lease", object_id=lease.id)
        note_lease(world, session, lease, "recorded")
        if report_now:
            report_leg(world, session, lease, registration, actor, source=hand.source)
        if first is not None:
            tell_occupants(world, session, unit.id, "co_tenant_added", once=lease.id, unit=unit_alias(session, unit.id))
        made = LeaseMade(lease.id, registration.id, key.id, registration.landlord_receipt_no)
        idempotency.remember(world, session, account_id, idempotency_key, "record_lease", body, made.__dict__)
        return made


def report_tenant(world: World, *, account_id: str, lease_id: str, desk: Desk | None = None) -> LeaseMade:
    """Report the lease's tenant (ZJ-9-1), again where the registry has returned the report; else it changes nothing."""
    with acting_for(world, account_id, desk, "report_tenant", lease_id=lease_id, source="landlord") as (session, hand):
        lease = own_lease_to_change(world, session, account_id, lease_id)
        registration = registration_of(session, lease.id)
        hold_registration(session, registration)
        if registration.landlord_leg == "due":
            report_leg(world, session, lease, registration, hand.actor, source=hand.source)
        else:
            send_landlords_again(world, session, registration, hand.actor, source=hand.source)
        return _made(session, lease, registration)


def extend_lease(
    world: World, *, account_id: str, lease_id: str, ends_on: date | None, desk: Desk | None = None
) -> LeaseMade:
    """Extend a lease and its key in place, of a joint tenancy everyone's; the same end again changes nothing.

    Raises Refused lease.shorten (HR-12), lease.overlap, transition.
    """
    with acting_for(world, account_id, desk, "extend_lease", lease_id=lease_id, source="landlord") as (session, hand):
        lease = own_lease_to_change(world, session, account_id, lease_id)
        registration = registration_of(session, lease.id)
        if lease.ends_on == ends_on:
            return _made(session, lease, registration)
        if lease.state != "active":
            raise Refused.of([illegal_transition(LEASE_STATES[lease.state], {})])
        extend_in(world, session, hand.actor, lease, ends_on, source=hand.source)
        return _made(session, lease, registration)


def extend_in(
    world: World, session: Session, actor: Actor, lease: Lease, ends_on: date | None, *, source: str = "landlord"
) -> None:
    """Extend an active lease inside the present write unit. Raises Refused lease.shorten (HR-12), lease.overlap."""
    refusal = decide_extension(lease.ends_on, ends_on, world.clock.today())
    if refusal is not None:
        raise Refused.of([refusal])
    unit = session.get_one(Unit, lease.unit_id)
    group = [each for each in joint_group(session, lease) if each.state == "active"]
    others = terms_of(session, unit.id, without={each.id for each in group})
    clashes = [other for other in others if Term(lease.starts_on, ends_on).overlaps(other)]
    if len(clashes) >= beds_of(unit, lease.kind):
        raise Refused.of([overlap_refusal(clashes[0])])
    for each in group:
        _extend(world, session, actor, each, ends_on, source, is_named=each.id == lease.id)


def _extend(
    world: World, session: Session, actor: Actor, lease: Lease, ends_on: date | None, source: str, *, is_named: bool
) -> None:
    """Extend one lease of a group. Of the one named the landlord thereby takes back that its tenant has left."""
    registration = registration_of(session, lease.id)
    hold_registration(session, registration)
    taken_back = is_named and lease.landlord_ended_on is not None and not registration.disputed
    if taken_back:
        lease.landlord_ended_on = registration.landlord_end_reported_at = None
    lease.ends_on, lease.version = ends_on, lease.version + 1
    key = living_key(session, lease.id)
    if key is not None:
        key.ends_on, key.version = ends_on, key.version + 1
        for door_lock in door_locks(session, key):
            enqueue_key_list(world, session, door_lock)
    if registration.tenant_leg == "declared" and registration.residence == "living":
        registration.planned_end_on = ends_on
        change_registration(
            world,
            session,
            registration,
            "extend",
            actor,
            source=source,
            reason="left_taken_back" if taken_back else None,
            fields=["planned_end_on"],
            send="AMEND",
        )
        if registration.landlord_leg == "reported":
            send_landlord_leg(world, session, registration)
    write_leaf(
        world,
        session,
        actor,
        "lease_extended",
        subject_id=lease.tenant_id,
        object_kind="lease",
        object_id=lease.id,
    )
    note_lease(world, session, lease, "extended")
    if lease.tenant_id is not None:
        tell_person(
            world,
            session,
            lease.tenant_id,
            "lease_extended",
            once=f"{lease.id}:{lease.version}",
            unit=unit_alias(session, lease.unit_id),
            ends_on=ends_on.isoformat() if ends_on else "—",
            registration_id=registration.id,
        )


def end_lease(world: World, *, account_id: str, lease_id: str, ended_on: date, desk: Desk | None = None) -> EndMade:
    """The landlord reports that the tenant has left (ZJ-9-2). The tenant is asked; the key stays alive until then.

    A lease that nobody ever used ends at once; whoever had accepted it is told.
    """
    if ended_on > world.clock.today():
        raise Refused("input.future_date", "ended_on")
    with acting_for(world, account_id, desk, "end_lease", lease_id=lease_id, source="landlord") as (session, hand):
        lease = own_lease_to_change(world, session, account_id, lease_id)
        registration = registration_of(session, lease.id)
        hold_registration(session, registration)
        if lease.state == "ended":
            return EndMade("ended", registration.disputed)
        if ended_on < lease.starts_on and registration.tenant_leg == "declared":
            raise Refused("checkout.date", "ended_on")
        if registration.disputed or lease.landlord_ended_on == ended_on:  # a person decides; or said already
            return EndMade("waiting_for_tenant", registration.disputed)
        actor = hand.actor
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
        if registration.residence == "moved_out" or _is_void_without_key(session, lease, registration):
            lease.state = "ended"
            note_lease(world, session, lease, "ended")
            return EndMade("ended", registration.disputed)
        change_registration(world, session, registration, "landlord_end", actor, source=hand.source)
        tell_person(
            world,
            session,
            lease.tenant_id,
            "landlord_says_left",
            once=f"{lease.id}:{ended_on}:{lease.version}",  # said again after a person decided, it is asked again
            rule="ZJ-9-2",
            unit=unit_alias(session, lease.unit_id),
            ended_on=ended_on.isoformat(),
            registration_id=registration.id,
        )
        return EndMade("waiting_for_tenant", registration.disputed)


def _made(session: Session, lease: Lease, registration: Registration) -> LeaseMade:
    key = living_key(session, lease.id)
    return LeaseMade(lease.id, registration.id, key.id if key else None, registration.landlord_receipt_no)


def check_terms(
    world: World, session: Session, unit: Unit, kind: str, term: Term, alias: str, *, runs_already: bool = False
) -> None:
    """Raise Refused with all faults of a new lease's kind, dates and name; see find_term_faults."""
    faults = []
    if kind not in KINDS:
        faults.append(Refusal("input.not_one_of", "kind", allowed=KINDS))
    faults += _alias_faults(alias)
    faults += find_term_faults(
        term, world.clock.today(), terms_of(session, unit.id), beds_of(unit, kind), runs_already=runs_already
    )
    if faults:
        raise Refused.of(faults)


def _check_alias(alias: str) -> None:
    faults = _alias_faults(alias)
    if faults:
        raise Refused.of(faults)


def _alias_faults(alias: str) -> list[Refusal]:
    fits = 1 <= len(alias.strip()) <= 30
    return [] if fits else [Refusal("input.length", "alias", {"least": 1, "most": 30})]


def find_joined(world: World, session: Session, unit: Unit, lease_id: str) -> Lease:
    """The lease another tenant joins: active, not past its end, with room for one more person (HR-7)."""
    lease = session.get(Lease, lease_id)
    if lease is None or lease.unit_id != unit.id or lease.landlord_id != unit.landlord_id:
        raise Refused("not_found", "joint_with")
    today = world.clock.today()
    if lease.state != "active" or (lease.ends_on is not None and lease.ends_on < today):
        raise Refused("lease.not_joint", "joint_with")
    term = Term(lease.starts_on, lease.ends_on)
    actives = session.scalars(select(Lease).where(Lease.unit_id == unit.id, Lease.state == "active"))
    # Whoever has stayed beyond a planned end still lives there.
    terms = [Term(row.starts_on, None if row.ends_on and row.ends_on < today else row.ends_on) for row in actives]
    if sum(term.overlaps(other) for other in terms) >= unit.capacity:
        raise Refused("unit.full", "joint_with", most=unit.capacity)
    return lease


def beds_of(unit: Unit, kind: str) -> int:
    """How many leases of a kind may run side by side in a unit."""
    return unit.capacity if kind == "bed" else 1


def terms_of(session: Session, unit_id: str, without: Collection[str] = ()) -> list[Term]:
    rows = session.scalars(select(Lease).where(Lease.unit_id == unit_id, Lease.state == "active"))
    return [Term(row.starts_on, row.ends_on) for row in rows if row.id not in without]


def _has_lapsed(session: Session, lease: Lease, registration: Registration) -> bool:
    """Whoever accepted let the draft expire, and no key of the lease ever opened."""
    opened = session.scalar(select(Key.id).where(Key.lease_id == lease.id, Key.activated_at.is_not(None)).limit(1))
    return opened is None and registration.tenant_leg == "invited"


def _is_void_without_key(session: Session, lease: Lease, registration: Registration) -> bool:
    """Nobody ever lived there and nobody holds a key: there is nobody left to ask."""
    return registration.residence == "voided" and living_key(session, lease.id) is None


def _end_unused(world: World, session: Session, lease: Lease, registration: Registration, actor: Actor) -> EndMade:
    lease.state = "cancelled"
    note_lease(world, session, lease, "ended")
    registration.residence, registration.void_reason = "voided", "entered_in_error"
    registration.draft_expires_at = None
    change_registration(
        world,
        session,
        registration,
        "never_used",
        actor,
        source="landlord",
        reason="entered_in_error",
        fields=["void_reason"],
    )
    key = living_key(session, lease.id)
    if key is not None:
        begin_revocation(world, session, key, actor, "never_active")
    return EndMade("ended", False)


def door_locks(session: Session, key: Key) -> list[str]:
    return list(session.scalars(select(KeyDoor.lock_id).where(KeyDoor.key_id == key.id)))
