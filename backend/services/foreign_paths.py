"""The foreigners' path (EEL-39): a printed form within 24 hours, by the person or the host; never this registry."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.db import reading
from backend.domain.calendars import start_of
from backend.domain.refusals import Refused
from backend.domain.registrations import STATE_NAMES, Facts, describe
from backend.domain.residence_paths import decide_foreign_action, find_done_faults, foreign_form_number
from backend.gateways.world import World
from backend.models.accounts import Account
from backend.models.dwellings import Dwelling
from backend.models.persons import Person
from backend.models.registrations import Registration
from backend.models.units import Unit
from backend.services import vault
from backend.services.audit import Actor
from backend.services.hands import Desk, acting_for
from backend.services.household_members import head_of
from backend.services.inbox import tell_person
from backend.services.invitations import host_alias
from backend.services.key_changes import activate_waiting_keys, unit_alias
from backend.services.own_leases import own_lease, registration_of
from backend.services.own_registrations import own_registration
from backend.services.persons import birth_of, name_of, number_of
from backend.services.registration_changes import change_registration
from backend.services.tenancies import RegistrationView, address_of, registration_view


@dataclass(frozen=True)
class ForeignForm:
    """The form as its person prints it and takes to the police; the landlord never sees these answers."""

    form_no: str
    handed_out_at: datetime
    due_at: datetime | None
    done_at: datetime | None
    name: str
    name_latin: str | None
    id_type: str
    id_number: str
    nationality: str
    birth_on: date
    sex: str
    address: str
    unit_no: str
    move_in_on: date
    planned_end_on: date | None
    host_alias: str


def hand_out_foreign_form(
    world: World, *, account_id: str, registration_id: str, desk: Desk | None = None
) -> RegistrationView:
    """Give the form its number: from now on the key waits for the identity alone. Repeated, nothing changes.

    Raises Refused transition unless a foreigner's residence has been declared.
    """
    with acting_for(world, account_id, desk, "hand_out_foreign_form", registration_id=registration_id) as (
        session,
        hand,
    ):
        registration = own_registration(session, account_id, registration_id)
        session.refresh(registration, with_for_update=True)
        _require(registration, "hand_out")
        if registration.foreign_form_at is None:
            now = world.clock.now()
            registration.foreign_form_at = now
            registration.foreign_form_no = foreign_form_number(registration.id, now)
            actor, fields = hand.actor, ["foreign_form_no"]
            change_registration(
                world, session, registration, "foreign_form", actor, source="system", reason="EEL-39", fields=fields
            )
            session.flush()
            if registration.person_id is not None:
                activate_waiting_keys(world, session, registration.person_id)
        return registration_view(session, registration)


def get_foreign_form(world: World, *, account_id: str, registration_id: str) -> ForeignForm:
    """The form to print, for its person alone. Raises Refused not_found before it was handed out."""
    with reading() as session:
        registration = own_registration(session, account_id, registration_id)
        person_id = registration.person_id
        if registration.foreign_form_no is None or registration.foreign_form_at is None or person_id is None:
            raise Refused("not_found", "registration_id")
        account = session.get_one(Account, account_id)
        if account.person_id != person_id:
            raise Refused("not_found", "registration_id")
        person, unit = session.get_one(Person, person_id), session.get_one(Unit, registration.unit_id)
        latin = person.name_latin_sealed
        return ForeignForm(
            form_no=registration.foreign_form_no,
            handed_out_at=registration.foreign_form_at,
            due_at=registration.foreign_due_at,
            done_at=registration.foreign_done_at,
            name=name_of(world, session, person),
            name_latin=vault.unseal(world, session, person.id, "persons.name_latin", person.id, latin)
            if latin
            else None,
            id_type=person.id_type,
            id_number=number_of(world, session, person),
            nationality=person.nationality,
            birth_on=birth_of(world, session, person),
            sex=person.sex,
            address=address_of(session.get_one(Dwelling, unit.dwelling_id), unit),
            unit_no=unit.public_number,
            move_in_on=registration.move_in_on,
            planned_end_on=registration.planned_end_on,
            host_alias=host_alias(world, session, head_of(session, registration)) or "—",
        )


def mark_foreign_done(
    world: World, *, account_id: str, registration_id: str, done_on: date, desk: Desk | None = None
) -> RegistrationView:
    """The person notes that the police have taken the form, with the day. The same day again changes nothing.

    Raises Refused transition, input.future_date, foreign.done_on.
    """
    with acting_for(world, account_id, desk, "mark_foreign_done", registration_id=registration_id) as (session, hand):
        registration = own_registration(session, account_id, registration_id)
        note_foreign_done(world, session, registration, done_on, hand.actor, source=hand.source)
        return registration_view(session, registration)


def mark_foreign_done_by_host(
    world: World, *, account_id: str, lease_id: str, done_on: date, desk: Desk | None = None
) -> date:
    """The host notes the same for the tenant of a lease (EEL-39 asks either); answers the day that now stands.

    Raises Refused not_found, transition, input.future_date, foreign.done_on.
    """
    with acting_for(world, account_id, desk, "host_foreign_done", lease_id=lease_id, source="landlord") as (
        session,
        hand,
    ):
        lease = own_lease(session, account_id, lease_id)
        registration = registration_of(session, lease.id)
        note_foreign_done(world, session, registration, done_on, hand.actor, source=hand.source)
        return done_on


def note_foreign_done(
    world: World, session: Session, registration: Registration, done_on: date, actor: Actor, *, source: str
) -> None:
    """Keep the day inside the present write unit, for whoever noted it: 'tenant', 'landlord' or 'officer'."""
    session.refresh(registration, with_for_update=True)
    _require(registration, "mark_done")
    faults = find_done_faults(done_on, registration.move_in_on, world.clock.today())
    if faults:
        raise Refused.of(faults)
    done_at = start_of(done_on)
    if registration.foreign_done_at == done_at:
        return
    registration.foreign_done_at = done_at
    change_registration(
        world,
        session,
        registration,
        "foreign_done",
        actor,
        source=source,
        reason="EEL-39",
        fields=["foreign_done_at"],
    )
    if source != "tenant" and registration.person_id is not None:
        tell_person(
            world,
            session,
            registration.person_id,
            "foreign_done",
            once=f"{registration.id}:{done_on}",
            rule="EEL-39",
            unit=unit_alias(session, registration.unit_id),
            done_on=done_on.isoformat(),
        )


def list_waiting_forms(session: Session, before: datetime) -> list[Registration]:
    """Foreigners' residences whose 24 hours end before `before` and that nobody has marked as done: for reminders."""
    rows = session.scalars(
        select(Registration)
        .where(
            Registration.scope == "foreign",
            Registration.residence == "living",
            Registration.foreign_done_at.is_(None),
            Registration.foreign_due_at < before,
        )
        .order_by(Registration.foreign_due_at, Registration.id)
    )
    return list(rows)


def _require(registration: Registration, action: str) -> None:
    row = registration
    facts = Facts(row.tenant_leg, row.landlord_leg, row.scope, row.residence, row.registry_state, row.disputed)
    refusal = decide_foreign_action(
        row.scope, row.tenant_leg, row.residence, row.foreign_form_at is not None, action, STATE_NAMES[describe(facts)]
    )
    if refusal is not None:
        raise Refused.of([refusal])
