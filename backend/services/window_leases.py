"""What a tenant's phone does and a window does for who has none: accept a lease, codes and a key for the door."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from backend.db import reading
from backend.domain.refusals import Refused
from backend.gateways.world import World
from backend.models.accounts import Account
from backend.models.dwellings import Dwelling
from backend.models.invitations import Invitation
from backend.models.keys import Key
from backend.models.leases import Lease
from backend.models.persons import Person
from backend.models.registrations import Registration
from backend.models.units import Unit
from backend.services.audit import write_leaf
from backend.services.hands import Desk, acting_for
from backend.services.inbox import tell_person
from backend.services.invitations import hold_lease
from backend.services.key_changes import activate_waiting_keys, change_key, hold_key, unit_alias
from backend.services.key_codes import KeyCodes, give_out_codes
from backend.services.landlord_views import get_lease
from backend.services.leases import LeaseMade, record_lease
from backend.services.officer_sessions import acting_officer, is_stepped_up
from backend.services.own_leases import living_key, registration_of
from backend.services.own_registrations import own_registration

OPEN = ("draft", "invited")


@dataclass(frozen=True)
class LeaseOffer:
    """A lease that names a person's document and waits to be accepted."""

    lease_id: str
    unit_alias: str
    starts_on: date
    ends_on: date | None
    unit_id: str


@dataclass(frozen=True)
class LeaseTaken:
    """An accepted lease; its key has a keypad code and no phone."""

    lease_id: str
    registration_id: str
    key_id: str


def list_offers(world: World, *, account_id: str, area: str) -> tuple[LeaseOffer, ...]:
    """The leases of an area that name this account's person and wait to be accepted, the oldest first."""
    with reading() as session:
        person = _person_of(session, account_id)
        rows = session.scalars(offered_to(person).where(Dwelling.division.startswith(area, autoescape=True)))
        return tuple(
            LeaseOffer(row.id, unit_alias(session, row.unit_id), row.starts_on, row.ends_on, row.unit_id)
            for row in rows.all()
        )


def take_lease(world: World, *, account_id: str, lease_id: str, desk: Desk) -> LeaseTaken:
    """Accept a lease for the person its document names; an open invitation is used up by it.

    The key is held without a phone: it opens by keypad codes, and a phone that comes later is bound by rebinding.
    Repeated, nothing changes. Raises Refused window.no_offer and as `acting_for`.
    """
    with acting_for(world, account_id, desk, "take_lease", lease_id=lease_id) as (session, hand):
        person = _person_of(session, account_id)
        lease, key = session.get_one(Lease, lease_id), living_key(session, lease_id)
        registration = registration_of(session, lease_id)
        if key is not None and key.holder_account_id == account_id:
            return LeaseTaken(lease_id, registration.id, key.id)
        if key is None or session.scalar(offered_to(person).where(Lease.id == lease_id)) is None:
            raise Refused("window.no_offer", "lease_id")
        account = session.get_one(Account, account_id)
        waiting = select(Invitation).where(Invitation.lease_id == lease_id, Invitation.state == "pending")
        for invitation in session.scalars(waiting):
            invitation.state = "cancelled"
        if key.state == "draft":
            change_key(world, session, key, "invite", hand.actor)
        hold_lease(world, session, account, lease, key, hand)
        change_key(world, session, key, "claim", hand.actor)
        session.flush()
        activate_waiting_keys(world, session, person.id)
        tell_person(world, session, lease.landlord_id, "invitation_accepted", once=lease.id, alias=lease.alias,
                    lease_id=lease.id)  # fmt: skip
        return LeaseTaken(lease_id, registration.id, key.id)


def add_co_tenant(
    world: World,
    *,
    account_id: str,
    lease_id: str,
    alias: str,
    tenant_name: str,
    tenant_id_type: str,
    tenant_id_number: str,
    tenant_phone: str,
    desk: Desk,
    idempotency_key: str | None = None,
) -> LeaseMade:
    """Let another tenant join a landlord's lease, with its kind and dates. Raises as `leases.record_lease`."""
    joined = get_lease(world, account_id=account_id, lease_id=lease_id)
    return record_lease(
        world,
        account_id=account_id,
        unit_id=joined.unit_id,
        kind=joined.kind,
        starts_on=joined.starts_on,
        ends_on=joined.ends_on,
        alias=alias,
        tenant_name=tenant_name,
        tenant_id_type=tenant_id_type,
        tenant_id_number=tenant_id_number,
        tenant_phone=tenant_phone,
        joint_with=lease_id,
        idempotency_key=idempotency_key,
        desk=desk,
    )


def hand_out_mechanical_key(world: World, *, account_id: str, registration_id: str, desk: Desk) -> None:
    """Note that the person was given a mechanical key for the door: the ladder's last rung but one.

    Raises Refused not_found, key.none, and as `acting_for`.
    """
    with acting_for(world, account_id, desk, "hand_out_mechanical_key", registration_id=registration_id) as (
        session,
        hand,
    ):
        registration = own_registration(session, account_id, registration_id)
        key = living_key(session, registration.lease_id) if registration.lease_id else None
        if key is None or registration.residence != "living":
            raise Refused("key.none")
        write_leaf(
            world,
            session,
            hand.actor,
            "mechanical_key_handed",
            subject_id=_person_of(session, account_id).id,
            object_kind="key",
            object_id=key.id,
        )


def print_own_codes(world: World, *, account_id: str, registration_id: str, desk: Desk) -> KeyCodes:
    """The day codes of one's own active key on paper, whichever path the residence takes; the password is given again.

    Raises Refused not_found, step_up, key.none, key.not_active, unit.no_lock, lock.no_keypad, and as `acting_for`.
    """
    with acting_for(world, account_id, desk, "print_codes", registration_id=registration_id) as (session, hand):
        registration = own_registration(session, account_id, registration_id)
        if not is_stepped_up(world, acting_officer(world, session, desk.session_id).session):
            raise Refused("step_up", "password")
        key = living_key(session, registration.lease_id) if registration.lease_id else None
        if key is None or key.holder_account_id != account_id:
            raise Refused("key.none")
        hold_key(session, key)
        return give_out_codes(world, session, key, 0, hand.actor, "codes_printed")


def _person_of(session: Session, account_id: str) -> Person:
    return session.get_one(Person, session.get_one(Account, account_id).person_id)


def offered_to(person: Person) -> Select[Lease]:
    """The leases that name this person and wait to be accepted, the oldest first."""
    return (
        select(Lease)
        .join(Key, Key.lease_id == Lease.id)
        .join(Registration, Registration.lease_id == Lease.id)
        .join(Unit, Unit.id == Lease.unit_id)
        .join(Dwelling, Dwelling.id == Unit.dwelling_id)
        .where(
            Lease.state == "active",
            Lease.named_id_type == person.id_type,
            Lease.named_id_token == person.id_number_token,
            Key.kind == "occupant",
            Key.state.in_(OPEN),
            Key.holder_account_id.is_(None),
            Registration.residence == "living",
        )
        .order_by(Lease.created_at)
    )
