"""Exempt from registration (ZJ-12): stated with its ground instead of a declaration; the key works all the same."""

from __future__ import annotations

from datetime import date, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.domain.notices import NOTICES
from backend.domain.persons import age_band
from backend.domain.refusals import Refused
from backend.domain.registrations import decide_scope, decide_tenant_action
from backend.domain.residence_paths import exempt_until as last_day
from backend.domain.residence_paths import find_exemption_faults
from backend.gateways.world import World
from backend.models.accounts import Account
from backend.models.dwellings import Dwelling
from backend.models.keys import Key
from backend.models.leases import Lease
from backend.models.persons import Person
from backend.models.registrations import Registration
from backend.models.units import Unit
from backend.services import idempotency
from backend.services.audit import SYSTEM
from backend.services.batches import do_each
from backend.services.consents import is_given
from backend.services.declarations import find_living, take_over
from backend.services.hands import Desk, Hand, acting_for
from backend.services.inbox import tell_person
from backend.services.key_changes import activate_waiting_keys, unit_alias
from backend.services.own_registrations import own_registration
from backend.services.persons import birth_of
from backend.services.registration_changes import change_registration, hold_registration
from backend.services.tenancies import RegistrationView, registration_view

DAYS_TO_DECLARE = 3  # HK-15, counted from the end of the exemption


def declare_exempt(
    world: World,
    *,
    account_id: str,
    registration_id: str,
    exemption: str,
    move_in_on: date,
    exempt_until: date | None = None,
    hukou_division: str | None = None,
    idempotency_key: str | None = None,
    desk: Desk | None = None,
) -> RegistrationView:
    """State why no declaration is owed: nothing is sent, no `declared_at` is set, and the key can become active.

    Living with near relatives ends after 30 days at the latest; the person is asked then. Raises Refused
    notice.missing (PIPL-17), person.missing, person.minor (ZJ-7), transition, exempt.not_needed (foreigners, locals),
    exempt.declared, exempt.over, exempt.days and every faulty field.
    """
    body = {"id": registration_id, "why": exemption, "in": move_in_on, "out": exempt_until, "hukou": hukou_division}
    with acting_for(world, account_id, desk, "declare_exempt", registration_id=registration_id) as (session, hand):
        registration = own_registration(session, account_id, registration_id)
        hold_registration(session, registration)
        if idempotency.find_answer(session, account_id, idempotency_key, "declare_exempt", body) is not None:
            return registration_view(session, registration)
        person = _person(world, session, account_id)
        refusal = decide_tenant_action(
            registration.tenant_leg, registration.residence, "declare_exempt", registration.exemption
        )
        until = last_day(exemption, move_in_on, exempt_until)
        faults = [refusal] if refusal else find_exemption_faults(exemption, move_in_on, until, world.clock.today())
        if faults:
            raise Refused.of(faults)
        if hukou_division is not None and not (len(hukou_division) == 6 and hukou_division.isdigit()):
            raise Refused("registration.division", "hukou_division")
        person.hukou_division = hukou_division or person.hukou_division
        unit = session.get_one(Unit, registration.unit_id)
        division = session.get_one(Dwelling, unit.dwelling_id).division
        if decide_scope(person.id_type, person.hukou_division, division, exemption) != "exempt":
            raise Refused("exempt.not_needed", "exemption")
        _take_over(world, session, registration, person, hand)
        _settle(world, session, registration, person, exemption, move_in_on, until)
        fields = ["exemption", "exempt_until", "move_in_on"]
        actor = hand.actor
        change_registration(
            world, session, registration, "exempt", actor, source=hand.source, reason=exemption, fields=fields
        )
        session.flush()
        activate_waiting_keys(world, session, person.id)
        idempotency.remember(
            world, session, account_id, idempotency_key, "declare_exempt", body, {"id": registration.id}
        )
        return registration_view(session, registration)


def end_past_exemptions(world: World, session: Session) -> None:
    """Who was exempt until yesterday is asked to declare (HK-15): a notice, no lock action. Run by the housekeeping."""
    over = session.scalars(
        select(Registration)
        .where(
            Registration.scope == "exempt",
            Registration.residence == "living",
            Registration.exempt_until < world.clock.today(),
        )
        .order_by(Registration.id)
        .with_for_update()
    )
    do_each(session, over.all(), lambda row: _end(world, session, row), name="exemptions")


def _end(world: World, session: Session, registration: Registration) -> None:
    assert registration.exempt_until is not None
    registration.scope = "in_scope"  # the exemption's ground stays: it is what lets them check out undeclared
    registration.tenant_due_on = registration.exempt_until + timedelta(days=DAYS_TO_DECLARE)
    change_registration(world, session, registration, "exemption_over", SYSTEM, source="system")
    if registration.person_id is not None:
        tell_person(
            world,
            session,
            registration.person_id,
            "exemption_over",
            once=f"{registration.id}:{registration.exempt_until}",
            rule="ZJ-12",
            unit=unit_alias(session, registration.unit_id),
            due_on=registration.tenant_due_on.isoformat(),
        )


def _person(world: World, session: Session, account_id: str) -> Person:
    account = session.get_one(Account, account_id)
    if not is_given(session, account_id, "registration_notice"):
        raise Refused("notice.missing")
    if account.person_id is None:
        raise Refused("person.missing")
    person = session.get_one(Person, account.person_id)
    if age_band(birth_of(world, session, person), world.clock.today()) != "adult":
        raise Refused("person.minor")
    return person


def _take_over(world: World, session: Session, registration: Registration, person: Person, hand: Hand) -> None:
    """What somebody they live with has entered of them here goes over, unless it was declared: that is their clock."""
    session.get_one(Unit, registration.unit_id, with_for_update=True)  # of two statements at once, one waits
    other = find_living(session, person.id, registration.unit_id)
    if other is not None and other.id != registration.id and other.tenant_leg == "declared":
        raise Refused("exempt.declared")
    take_over(world, session, registration, person, hand.actor, hand.source)


def _settle(
    world: World,
    session: Session,
    registration: Registration,
    person: Person,
    exemption: str,
    move_in_on: date,
    until: date | None,
) -> None:
    registration.person_id, registration.scope = person.id, "exempt"
    registration.exemption, registration.exempt_until = exemption, until
    registration.move_in_on = move_in_on
    registration.tenant_leg, registration.draft_expires_at = "draft", None
    registration.tenant_due_on = None
    registration.notice_version = NOTICES["registration_notice"].version
    session.get_one(Lease, registration.lease_id).tenant_id = person.id
    for key in session.scalars(select(Key).where(Key.lease_id == registration.lease_id, Key.holder_id.is_(None))):
        key.holder_id = person.id
