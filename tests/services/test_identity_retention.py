"""Identities to which nothing leads any more: kept for the house's time, then unreadable, and found by nobody."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from backend.db import db, reading, transaction
from backend.gateways.key_ring import KeyRingError
from backend.models.accounts import Account
from backend.models.audit import AuditLeaf
from backend.models.cases import Case
from backend.models.leases import Lease
from backend.models.persons import Person
from backend.models.registrations import Registration
from backend.seeding import sample_number
from backend.services import vault
from backend.services.erasures import GONE
from backend.services.housekeeping import HOURLY, keep_house
from backend.services.persons import name_of
from backend.services.voids import withdraw_draft
from tests.services import stories

pytestmark = pytest.mark.usefixtures("core")
DAY = timedelta(days=1)


def person(person_id: str) -> Person:
    db.session.rollback()
    return db.session.get_one(Person, person_id)


def entered_person(world: Any, **columns: Any) -> str:
    """Somebody whom somebody else has entered: no account of their own."""
    story = stories.make_identified(world)
    with reading() as session:
        account = session.get_one(Account, story.tenant)
        person_id = account.person_id
    assert person_id is not None
    with transaction() as session:
        session.get_one(Account, story.tenant).person_id = None
        for registration in session.scalars(select(Registration).where(Registration.lease_id == story.lease_id)):
            registration.person_id, registration.residence = person_id, columns.get("residence", "voided")
            registration.void_reason = "entered_in_error"
    return person_id


def test_a_voided_entry_takes_its_identity_along_when_the_time_is_over(world: Any, clock: Any) -> None:
    person_id = entered_person(world)
    sealed = person(person_id).name_sealed
    keep_house(world, HOURLY)
    assert person(person_id).adrift_at == clock.now() and person(person_id).erased_at is None
    clock.move(world.house.identity_kept - DAY)
    keep_house(world, HOURLY)
    assert name_of(world, db.session(), person(person_id)) == "周来福"
    clock.move(2 * DAY)
    keep_house(world, HOURLY)
    gone = person(person_id)
    assert gone.erased_at == clock.now() and name_of(world, db.session(), gone) == GONE
    with pytest.raises(KeyRingError):  # the old cipher text stays shut under the new key
        vault.unseal(world, db.session(), person_id, "persons.name", person_id, sealed)
    [leaf] = db.session.scalars(select(AuditLeaf).where(AuditLeaf.action == "person_erased"))
    assert (leaf.actor_kind, leaf.subject_id, leaf.decision) == ("system", person_id, "retention")
    keep_house(world, HOURLY)
    assert person(person_id).version == gone.version


def test_whoever_lives_somewhere_again_is_not_forgotten_and_the_time_starts_anew(world: Any, clock: Any) -> None:
    person_id = entered_person(world)
    keep_house(world, HOURLY)
    clock.move(20 * DAY)
    with transaction() as session:
        [row] = session.scalars(select(Registration).where(Registration.person_id == person_id))
        row.residence, row.void_reason = "living", None
    keep_house(world, HOURLY)
    assert person(person_id).adrift_at is None
    clock.move(40 * DAY)
    keep_house(world, HOURLY)
    assert person(person_id).erased_at is None
    with transaction() as session:
        session.get_one(Registration, row.id).residence = "voided"
    keep_house(world, HOURLY)
    assert person(person_id).adrift_at == clock.now() and person(person_id).erased_at is None


def test_whoever_has_a_phone_here_is_asked_and_not_forgotten(world: Any, clock: Any) -> None:
    story = stories.make_identified(world)
    withdraw_draft(world, account_id=story.tenant, registration_id=story.registration_id)
    for _ in range(2):
        clock.move(40 * DAY)
        keep_house(world, HOURLY)
    with reading() as session:
        person_id = session.get_one(Account, story.tenant).person_id
    assert person_id is not None and person(person_id).erased_at is None


def test_who_was_entered_at_a_window_and_never_declared_goes_with_the_account(world: Any, clock: Any) -> None:
    account_id = stories.make_landlord(world, number=sample_number("330522", date(1980, 5, 5)))
    with transaction() as session:
        account = session.get_one(Account, account_id)
        account.phone_token, account.phone_sealed, account.desk_area = None, None, "330522003"
        person_id = account.person_id
    assert person_id is not None
    keep_house(world, HOURLY)
    clock.move(31 * DAY)
    keep_house(world, HOURLY)
    assert person(person_id).erased_at == clock.now()
    with reading() as session:
        assert session.get_one(Account, account_id).person_id is None


def test_a_landlord_without_a_phone_stays_as_long_as_there_is_a_unit(world: Any, clock: Any) -> None:
    story = stories.make_let_unit(world)
    with transaction() as session:
        account = session.get_one(Account, story.landlord)
        account.phone_token, account.phone_sealed, account.desk_area = None, None, "330522003"
        person_id = account.person_id
    for _ in range(2):
        clock.move(40 * DAY)
        keep_house(world, HOURLY)
    assert person_id is not None and person(person_id).erased_at is None


def test_what_a_landlord_wrote_of_a_tenant_who_never_came_is_made_unreadable(world: Any, clock: Any) -> None:
    story = stories.make_claimed(world)
    withdraw_draft(world, account_id=story.tenant, registration_id=story.registration_id)
    with reading() as session:
        before = session.get_one(Lease, story.lease_id).named_name_sealed
        assert session.get_one(Lease, story.lease_id).state != "active"
    keep_house(world, HOURLY)
    clock.move(29 * DAY)
    keep_house(world, HOURLY)
    with reading() as session:
        assert session.get_one(Lease, story.lease_id).named_name_sealed == before
    clock.move(2 * DAY)
    keep_house(world, HOURLY)
    with reading() as session:
        lease = session.get_one(Lease, story.lease_id)
        assert lease.named_gone_at == clock.now() and lease.alias == GONE
        told = vault.unseal(world, session, lease.id, "leases.named_name", lease.id, lease.named_name_sealed)
    assert told == GONE


def test_a_guardian_with_a_phone_keeps_a_child_and_not_who_has_grown_up(world: Any, clock: Any) -> None:
    story = stories.make_active(world)
    child_id = stories.make_child(world, story.tenant)
    with transaction() as session:
        for case in session.scalars(select(Case)):
            case.state = "answered"
    keep_house(world, HOURLY)
    assert person(child_id).adrift_at is None, "the guardian can ask for it"
    clock.move(timedelta(days=7 * 366))
    keep_house(world, HOURLY)
    assert person(child_id).adrift_at == clock.now()
    clock.move(world.house.identity_kept)
    keep_house(world, HOURLY)
    assert person(child_id).erased_at is not None
