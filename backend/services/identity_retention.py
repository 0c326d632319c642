"""Identities to which nothing leads any more: entries that were voided or never declared (domain: retention).

The time counts from the day on which nothing leads to the person, and starts anew when something does again. Whoever
has a phone of their own here asks for deleting themselves (services.erasures).
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, exists, or_, select
from sqlalchemy.orm import Session

from backend.domain.erasures import Waits
from backend.gateways.world import World
from backend.models.accounts import Account
from backend.models.leases import Lease
from backend.models.persons import Person
from backend.models.registrations import Registration
from backend.models.registry_returns import RegistryLeg
from backend.models.units import Unit
from backend.services.audit import SYSTEM, write_leaf
from backend.services.batches import do_each
from backend.services.erasure_facts import find_waits, find_waits_of_person
from backend.services.erasures import erase_account, erase_person, forget_named
from backend.services.wards import find_guardian


def forget_adrift(world: World, session: Session) -> None:
    """Note whom nothing leads to any more, and destroy the data keys of those for whom it has lasted long enough."""
    perhaps = session.scalars(select(Person).where(*_perhaps_adrift())).all()
    do_each(session, perhaps, lambda person: _judge(world, session, person), name="adrift")
    _forget_unused_names(world, session)


def _judge(world: World, session: Session, person: Person) -> None:
    now = world.clock.now()
    account = session.scalar(select(Account).where(Account.person_id == person.id))
    waits = find_waits(world, session, account) if account else find_waits_of_person(world, session, person.id)
    if any(each.what != "identity" for each in waits) or _may_be_asked_for(world, session, person):
        person.adrift_at = None
        return
    person.adrift_at = person.adrift_at or now
    if person.adrift_at + world.house.identity_kept > now or _has_to_wait(waits, now):
        return
    if account is not None:  # kept by a window, without a phone
        erase_account(world, session, account)
        return
    erase_person(world, session, person.id)
    write_leaf(
        world, session, SYSTEM, "person_erased", subject_id=person.id, object_kind="person", object_id=person.id,
        decision="retention",
    )  # fmt: skip


def _has_to_wait(waits: tuple[Waits, ...], now: datetime) -> bool:
    """A check-out or a voiding that the registry has confirmed less than the legal time ago (PIPL-47)."""
    return any(each.until is None or each.until > now for each in waits)


def _may_be_asked_for(world: World, session: Session, person: Person) -> bool:
    """Whether a child has a guardian with a phone, who can ask for it."""
    guardian_id = find_guardian(world, session, person)
    phone = select(Account.id).where(Account.person_id == guardian_id, Account.phone_token.is_not(None))
    return guardian_id is not None and session.scalar(phone.limit(1)) is not None


def _perhaps_adrift() -> tuple[ColumnElement[bool], ...]:
    """Without a phone, a home or a unit; the rest is judged row by row."""
    own_phone = exists().where(Account.person_id == Person.id, Account.phone_token.is_not(None))
    lives = exists().where(Registration.person_id == Person.id, Registration.residence == "living")
    lets = exists().where(Unit.landlord_id == Person.id)
    return (Person.erased_at.is_(None), ~own_phone, ~or_(lives, lets) | Person.adrift_at.is_not(None))


def _forget_unused_names(world: World, session: Session) -> None:
    """What a landlord wrote of a tenant who never declared, or whose entry was voided, once the lease is over."""
    before = world.clock.now() - world.house.identity_kept
    told = exists().where(RegistryLeg.registration_id == Registration.id, RegistryLeg.state == "ACTIVE")
    unused = (
        select(Lease)
        .join(Registration, Registration.lease_id == Lease.id)
        .where(
            Lease.state != "active",
            Lease.named_gone_at.is_(None),
            Registration.residence == "voided",
            Registration.updated_at <= before,
            ~told,
        )
    )
    for lease in session.scalars(unused).all():
        forget_named(world, session, lease)
