"""Registrations and leases as the duties' facts, and who is told: inside the caller's unit."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlalchemy.orm import Session

from backend.domain.calendars import is_in_reach
from backend.domain.duty_facts import DutyFacts
from backend.gateways.world import World
from backend.models.accounts import Account
from backend.models.invitations import Invitation
from backend.models.leases import Lease
from backend.models.persons import Person
from backend.models.registrations import Registration
from backend.models.units import Unit
from backend.services.wards import children_of, find_guardian

SIDES = ("tenant", "landlord")


def facts_of(registration: Registration, lease: Lease | None) -> DutyFacts:
    """The facts duties run from. No permit is kept here yet, so that its endorsement has no fact to run from."""
    return DutyFacts(
        move_in_on=registration.move_in_on,
        scope=registration.scope,
        residence=registration.residence,
        tenant_leg=registration.tenant_leg,
        tenant_due_on=registration.tenant_due_on,
        draft_expires_at=registration.draft_expires_at,
        declared_at=registration.declared_at,
        changed_on=registration.changed_on,
        landlord_leg=registration.landlord_leg if _owes_report(registration, lease) else "reported",
        landlord_due_on=registration.landlord_due_on,
        exempt_until=registration.exempt_until,
        foreign_due_at=registration.foreign_due_at,
        foreign_done_at=registration.foreign_done_at,
        registry_state=registration.registry_state,
        accepted_at=registration.accepted_at,
        disputed=registration.disputed,
        has_person=registration.person_id is not None,
        lease_active=lease is not None and lease.state == "active",
        lease_ends_on=lease.ends_on if lease is not None and lease.ends_on and is_in_reach(lease.ends_on) else None,
        landlord_ended_on=lease.landlord_ended_on if lease is not None else None,
        landlord_end_reported_at=registration.landlord_end_reported_at,
    )


def _owes_report(registration: Registration, lease: Lease | None) -> bool:
    """The landlord reports tenants (ZJ-9-1), also one without a lease; of who lives along or is a guest, nothing."""
    return lease is not None or registration.landlord_due_on is not None


def account_of_side(
    world: World, session: Session, side: str, registration: Registration, lease: Lease | None
) -> str | None:
    """The account that is told, None on the paper path.

    The tenant's side is the person's own account, else a child's guardian's (ZJ-7), else the phone that took the
    invitation, else that of the household one lives along with.
    """
    if side == "landlord":
        landlord_id = lease.landlord_id if lease is not None else _landlord_of(session, registration)
        return None if landlord_id is None else _account_of(session, landlord_id)
    if registration.person_id is not None:
        person = session.get_one(Person, registration.person_id)
        found = _account_of(session, person.id)
        if found is None and (guardian_id := find_guardian(world, session, person)) is not None:
            found = _account_of(session, guardian_id)
        if found:
            return found
    if lease is not None:
        accepted = select(Invitation.accepted_by).where(
            Invitation.lease_id == lease.id, Invitation.accepted_by.is_not(None)
        )
        return session.scalar(accepted.order_by(Invitation.accepted_at.desc()).limit(1))
    if registration.household_of_id is None:
        return None
    head = session.get_one(Registration, registration.household_of_id)
    head_lease = session.get(Lease, head.lease_id) if head.lease_id is not None else None
    return account_of_side(world, session, "tenant", head, head_lease) if head_lease is not None else None


def rows_of_account(
    world: World, session: Session, account_id: str
) -> list[tuple[str, Registration, Lease | None]]:
    """(side, registration, lease) of everything an account has a part in: own, children's, household's, let."""
    person_id = session.scalar(select(Account.person_id).where(Account.id == account_id))
    accepted = select(Invitation.lease_id).where(Invitation.accepted_by == account_id, Invitation.lease_id.is_not(None))
    theirs: list[ColumnElement[bool]] = [Registration.lease_id.in_(accepted)]
    if person_id is not None:
        wards = [child.id for child in children_of(world, session, person_id)]
        theirs += [Registration.person_id == person_id, Registration.person_id.in_(wards)]
    pairs = select(Registration, Lease).outerjoin(Lease, Lease.id == Registration.lease_id)
    asked = and_(Registration.residence == "voided", Lease.state == "active", Lease.landlord_ended_on.is_not(None))
    present = or_(Registration.residence == "living", asked)  # a void ends no lease: the landlord's "left" is answered
    own = session.scalars(
        select(Registration.id).outerjoin(Lease, Lease.id == Registration.lease_id).where(or_(*theirs), present)
    ).all()
    lived_in = pairs.where(or_(Registration.id.in_(own), Registration.household_of_id.in_(own)), present)
    found: list[tuple[str, Registration, Lease | None]] = [
        ("tenant", registration, lease) for registration, lease in session.execute(lived_in)
    ]
    if person_id is not None:
        let = pairs.where(Lease.landlord_id == person_id, Registration.residence == "living")
        found += [("landlord", registration, lease) for registration, lease in session.execute(let)]
        found += [("landlord", stay, None) for stay in session.scalars(_stays_of(person_id))]
    return found


def _stays_of(person_id: str) -> Select[Registration]:
    """Who lives in this landlord's units under no lease, and of whom a report is owed."""
    return (
        select(Registration)
        .join(Unit, Unit.id == Registration.unit_id)
        .where(
            Unit.landlord_id == person_id,
            Registration.lease_id.is_(None),
            Registration.landlord_due_on.is_not(None),
            Registration.residence == "living",
        )
    )


def _landlord_of(session: Session, registration: Registration) -> str | None:
    """The landlord of the unit, who owes the lease and the report of whoever lives there without one."""
    return session.get_one(Unit, registration.unit_id).landlord_id


def _account_of(session: Session, person_id: str) -> str | None:
    return session.scalar(select(Account.id).where(Account.person_id == person_id))
