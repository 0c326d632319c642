"""Whose registration is it: an account's own, through the key it holds, or as the person it is about."""

from __future__ import annotations

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from backend.domain.persons import age_band
from backend.domain.refusals import Refused
from backend.gateways.world import World
from backend.models.accounts import Account
from backend.models.keys import Key
from backend.models.persons import Person
from backend.models.registrations import Registration
from backend.services.persons import birth_of
from backend.services.registration_changes import hold_registration


def own_registrations(session: Session, account_id: str) -> list[Registration]:
    """The registrations of all tenancies this account holds or held, newest first, then its own without such a key."""
    lease_ids = session.scalars(
        select(Key.lease_id)
        .where(Key.holder_account_id == account_id, Key.kind == "occupant")
        .order_by(Key.created_at.desc())
    )
    held = [
        session.scalars(select(Registration).where(Registration.lease_id == lease_id)).one()
        for lease_id in dict.fromkeys(lease_ids)
    ]
    return held + [row for row in _without_key(session, account_id) if row not in held]


def own_registration(session: Session, account_id: str, registration_id: str) -> Registration:
    """A registration of this account's tenancy, or its own without a key; another's is not found."""
    registration = session.get(Registration, registration_id)
    if registration is None:
        raise Refused("not_found", "registration_id")
    held = select(Key.id).where(Key.lease_id == registration.lease_id, Key.holder_account_id == account_id)
    if registration.lease_id is not None and session.scalar(held.limit(1)) is not None:
        return registration
    if registration not in _without_key(session, account_id):
        raise Refused("not_found", "registration_id")
    return registration


def _without_key(session: Session, account_id: str) -> list[Registration]:
    """Own registrations that no key leads to: under another's lease, or declared before there was a lease to accept.

    They are shown once the person's own identity is checked: name and number, which whoever entered them knows too,
    are not enough.
    """
    account = session.get_one(Account, account_id)
    person = session.get(Person, account.person_id) if account.person_id else None
    if person is None or person.identity_state not in ("verified", "attested"):
        return []
    rows = session.scalars(
        select(Registration)
        .where(
            Registration.person_id == person.id,
            or_(Registration.lease_id.is_(None), Registration.declared_by.in_(("window", "paper"))),
        )
        .order_by(Registration.created_at.desc(), Registration.id.desc())
    )
    return list(rows)


def own_registration_to_change(world: World, session: Session, account_id: str, registration_id: str) -> Registration:
    """The same, locked to be changed by the person it is about. Raises Refused not_found, person.minor (ZJ-7).

    Whoever holds the lease's key without being the person, and a child whose guardian speaks for it, change nothing.
    """
    registration = own_registration(session, account_id, registration_id)
    hold_registration(session, registration)
    declared = registration.tenant_leg == "declared"
    if declared and registration.person_id != session.get_one(Account, account_id).person_id:
        raise Refused("not_found", "registration_id")
    if registration.declared_by == "guardian" and registration.person_id is not None:
        person = session.get_one(Person, registration.person_id)
        if age_band(birth_of(world, session, person), world.clock.today()) != "adult":
            raise Refused("person.minor")
    return registration
