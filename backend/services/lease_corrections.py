"""A landlord mends what was mistyped in a lease: whom it names, and the day it starts.

What was written of the tenant stays write-only: it is replaced whole, the tenant is told, and a few corrections are
all, so that nobody can find a number by trying.
"""

from __future__ import annotations

from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from backend.domain.leases import LEASE_STATES, Term, decide_start, find_term_faults
from backend.domain.refusals import Refused, illegal_transition
from backend.domain.registrations import landlord_due_on, tenant_due_on
from backend.gateways.world import World
from backend.models.keys import Key
from backend.models.leases import Lease
from backend.models.persons import Person
from backend.models.registrations import Registration, RegistrationChange
from backend.models.units import Unit
from backend.services import vault
from backend.services.audit import Actor, write_leaf
from backend.services.change_feed import note_lease
from backend.services.hands import Desk, Hand, acting_for
from backend.services.inbox import tell_account
from backend.services.key_changes import unit_alias
from backend.services.key_lists import enqueue_key_list
from backend.services.lease_making import Named, check_named, check_not_living_there
from backend.services.leases import beds_of, door_locks, terms_of
from backend.services.occupancy import joint_group
from backend.services.own_leases import living_key, own_lease_to_change, registration_of
from backend.services.registration_changes import (
    change_registration,
    compare_legs,
    hold_registration,
    send_landlord_leg,
)
from backend.services.returned_legs import may_name_anew, named_is_returned

MOST_CORRECTIONS = 3


def correct_named(
    world: World,
    *,
    account_id: str,
    lease_id: str,
    tenant_name: str,
    tenant_id_type: str,
    tenant_id_number: str,
    desk: Desk | None = None,
) -> None:
    """Write anew whom the lease names (PSAL-68), until the report has gone to the registry, or when it has come back.

    A report that came back for this is sent anew with it. The same changes nothing.

    Raises Refused with every faulty field, transition, lease.reported, lease.corrected_often, lease.own,
    lease.same_tenant.
    """
    named = check_named(world, tenant_name, tenant_id_type, tenant_id_number, "", phone_needed=False)
    with acting_for(world, account_id, desk, "correct_named", lease_id=lease_id, source="landlord") as (session, hand):
        lease = _active(own_lease_to_change(world, session, account_id, lease_id))
        registration = registration_of(session, lease.id)
        hold_registration(session, registration)
        if _is_written(world, session, lease, named):
            return
        _check_correction(session, lease, registration, named, hand)
        came_back = named_is_returned(registration)
        _write_named(world, session, lease, named)
        change_registration(
            world, session, registration, "named_corrected", hand.actor, source=hand.source,
            fields=["name", "id_type", "id_number"],
        )  # fmt: skip
        if came_back:
            send_landlord_leg(world, session, registration)
        note_lease(world, session, lease, "recorded")
        compare_legs(world, session, lease, registration)
        _tell_tenant(world, session, lease, "lease_named_corrected")


def move_start(
    world: World, *, account_id: str, lease_id: str, starts_on: date, desk: Desk | None = None
) -> None:
    """Let a lease start on another day, of a joint tenancy everyone's, and its keys with it; the same changes nothing.

    Once a tenant has accepted, only earlier: who was promised a day is not put off by one side (HR-12). Raises Refused
    transition, lease.start_later, lease.start, input.date_order, lease.past, lease.overlap.
    """
    with acting_for(world, account_id, desk, "move_start", lease_id=lease_id, source="landlord") as (session, hand):
        lease = _active(own_lease_to_change(world, session, account_id, lease_id))
        if lease.starts_on == starts_on:
            return
        group = [each for each in joint_group(session, lease) if each.state == "active"]
        accepted = any(_holder(session, each) is not None for each in group)
        refusal = decide_start(lease.starts_on, starts_on, accepted)
        if refusal is not None:
            raise Refused.of([refusal])
        unit = session.get_one(Unit, lease.unit_id)
        others = terms_of(session, unit.id, without={each.id for each in group})
        term = Term(starts_on, lease.ends_on)
        faults = find_term_faults(term, world.clock.today(), others, beds_of(unit, lease.kind))
        if faults:
            raise Refused.of(faults)
        for each in group:
            _move(world, session, hand, each, starts_on)


def _active(lease: Lease) -> Lease:
    if lease.state != "active":
        raise Refused.of([illegal_transition(LEASE_STATES[lease.state], {})])
    return lease


def _is_written(world: World, session: Session, lease: Lease, named: Named) -> bool:
    if (lease.named_id_token, lease.named_id_type) != (named.token, named.document.id_type):
        return False
    return vault.unseal(world, session, lease.id, "leases.named_name", lease.id, lease.named_name_sealed) == named.name


def _check_correction(
    session: Session, lease: Lease, registration: Registration, named: Named, hand: Hand
) -> None:
    if not may_name_anew(registration):
        raise Refused("lease.reported")
    done = session.scalar(
        select(func.count()).where(
            RegistrationChange.registration_id == registration.id, RegistrationChange.action == "named_corrected"
        )
    )
    if (done or 0) >= MOST_CORRECTIONS and hand.channel == "phone":  # at the window somebody sees the document
        raise Refused("lease.corrected_often", most=MOST_CORRECTIONS)
    if session.get_one(Person, lease.landlord_id).id_number_token == named.token:
        raise Refused("lease.own", "tenant_id_number")
    check_not_living_there(session, session.get_one(Unit, lease.unit_id), named, but=registration.id)


def _write_named(world: World, session: Session, lease: Lease, named: Named) -> None:
    def sealed(column: str, text: str) -> bytes:
        return vault.seal(world, session, lease.id, f"leases.{column}", lease.id, text)

    lease.named_name_sealed = sealed("named_name", named.name)
    lease.named_id_type, lease.named_id_token = named.document.id_type, named.token
    lease.named_id_number_sealed = sealed("named_id_number", named.document.id_number)
    lease.version += 1


def _move(world: World, session: Session, hand: Hand, lease: Lease, starts_on: date) -> None:
    registration, key = registration_of(session, lease.id), living_key(session, lease.id)
    expected, lease.starts_on, lease.version = lease.starts_on, starts_on, lease.version + 1
    if registration.tenant_leg != "declared" and registration.move_in_on == expected:
        registration.move_in_on = starts_on
        registration.tenant_due_on = tenant_due_on(starts_on)
        if registration.landlord_leg == "due":
            registration.landlord_due_on = landlord_due_on(starts_on)
    if key is not None:
        key.starts_on, key.version = starts_on, key.version + 1
        for lock_id in door_locks(session, key):
            enqueue_key_list(world, session, lock_id)
    _leaf(world, session, hand.actor, lease, "lease_start_moved")
    note_lease(world, session, lease, "recorded")
    _tell_tenant(world, session, lease, "lease_start_moved", starts_on=starts_on.isoformat())


def _leaf(world: World, session: Session, actor: Actor, lease: Lease, action: str) -> None:
    write_leaf(
        world, session, actor, action, subject_id=lease.tenant_id, object_kind="lease", object_id=lease.id
    )


def _holder(session: Session, lease: Lease) -> str | None:
    key: Key | None = living_key(session, lease.id)
    return key.holder_account_id if key is not None else None


def _tell_tenant(world: World, session: Session, lease: Lease, kind: str, **words: str) -> None:
    """Tell whoever has accepted the lease; before that nobody is there to be told."""
    holder = _holder(session, lease)
    if holder is not None:
        once = f"{lease.id}:{lease.version}"
        home = registration_of(session, lease.id).id
        tell_account(world, session, holder, kind, once=once, unit=unit_alias(session, lease.unit_id),
                     registration_id=home, **words)  # fmt: skip
