"""The tenant's leg: declare, check out, contradict the landlord's "left"; and the receipt."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.db import reading, transaction
from backend.domain.notices import NOTICES
from backend.domain.persons import age_band
from backend.domain.refusals import Refusal, Refused, illegal_transition
from backend.domain.registrations import (
    STATE_NAMES,
    decide_scope,
    decide_tenant_action,
    find_check_out_faults,
    find_declaration_faults,
    tenant_due_on,
)
from backend.gateways.world import World
from backend.models.accounts import Account
from backend.models.dwellings import Dwelling
from backend.models.keys import Key
from backend.models.leases import Lease
from backend.models.persons import Person
from backend.models.registrations import Registration
from backend.models.units import Unit
from backend.services import idempotency
from backend.services.audit import Actor
from backend.services.consents import is_given
from backend.services.inbox import tell_person
from backend.services.key_changes import activate_waiting_keys, begin_revocation, unit_alias
from backend.services.persons import birth_of, name_of
from backend.services.registration_changes import (
    change_registration,
    compare_legs,
    open_registration_case,
    send_landlord_leg,
    settle_dispute_by_agreement,
)
from backend.services.tenancies import RegistrationView, address_of, own_registration, registration_view


@dataclass(frozen=True)
class ReceiptView:
    """The receipt (登记凭证) as its holder prints it; `token` is what the QR carries."""

    receipt_no: str
    token: str
    declared_at: datetime
    accepted_at: datetime | None
    address: str
    holder_name: str
    checkout_receipt_no: str | None


def declare(
    world: World,
    *,
    account_id: str,
    registration_id: str,
    move_in_on: date,
    planned_end_on: date | None = None,
    reason: str | None = None,
    hukou_division: str | None = None,
    idempotency_key: str | None = None,
) -> RegistrationView:
    """The tenant's complete declaration: fixes `declared_at` for good and lets the key become active.

    It waits neither for the landlord nor for the registry. Raises Refused notice.missing (PIPL-17), person.missing,
    person.minor (ZJ-7), transition, and every faulty field.
    """
    body = {"id": registration_id, "in": move_in_on, "out": planned_end_on, "why": reason, "hukou": hukou_division}
    with transaction() as session:
        registration = own_registration(session, account_id, registration_id)
        if idempotency.find_answer(session, account_id, idempotency_key, "declare", body) is not None:
            return registration_view(session, registration)
        person = _declarer(world, session, account_id)
        refusal = decide_tenant_action(
            registration.tenant_leg, registration.residence, "declare", registration.exemption
        )
        faults = (
            [refusal] if refusal else find_declaration_faults(move_in_on, planned_end_on, reason, world.clock.today())
        )
        if not refusal and person.hukou_division is None and hukou_division is None:
            faults += _missing_division(person)
        if faults:
            raise Refused.of(faults)
        _fill(world, session, registration, person, move_in_on, planned_end_on, reason, hukou_division)
        actor = Actor("resident", account_id)
        change_registration(
            world,
            session,
            registration,
            "declare",
            actor,
            source="tenant",
            fields=["move_in_on", "planned_end_on", "reason", "hukou_division"],
            send="UPSERT",
        )
        if registration.landlord_leg == "reported":
            send_landlord_leg(world, session, registration)
        lease = session.get_one(Lease, registration.lease_id)
        lease.tenant_id = person.id
        compare_legs(world, session, lease, registration)
        session.flush()
        activate_waiting_keys(world, session, person.id)
        idempotency.remember(world, session, account_id, idempotency_key, "declare", body, {"id": registration.id})
        return registration_view(session, registration)


def check_out(
    world: World,
    *,
    account_id: str,
    registration_id: str,
    moved_out_on: date,
    reason: str,
    idempotency_key: str | None = None,
) -> RegistrationView:
    """The tenant has moved out: the key is revoked, the registry is told, the landlord too.

    Raises Refused checkout.date, checkout.reason, transition.
    """
    body = {"id": registration_id, "out": moved_out_on, "why": reason}
    with transaction() as session:
        registration = own_registration(session, account_id, registration_id)
        if idempotency.find_answer(session, account_id, idempotency_key, "check_out", body) is not None:
            return registration_view(session, registration)
        refusal = decide_tenant_action(
            registration.tenant_leg, registration.residence, "check_out", registration.exemption
        )
        faults = (
            [refusal]
            if refusal
            else find_check_out_faults(moved_out_on, registration.move_in_on, reason, world.clock.today())
        )
        if faults:
            raise Refused.of(faults)
        end_residence(
            world, session, registration, moved_out_on, reason, by="self", actor=Actor("resident", account_id)
        )
        idempotency.remember(world, session, account_id, idempotency_key, "check_out", body, {"id": registration.id})
        return registration_view(session, registration)


def end_residence(
    world: World,
    session: Session,
    registration: Registration,
    moved_out_on: date,
    reason: str,
    *,
    by: str,
    actor: Actor,
) -> None:
    """End a residence inside the present write unit: check-out sent, lease ended, keys revoked on this ground."""
    registration.residence, registration.moved_out_on = "moved_out", moved_out_on
    registration.moved_out_reason, registration.moved_out_by = reason, by
    if registration.disputed and by != "officer":
        settle_dispute_by_agreement(world, session, registration)
    registration.disputed = False
    change_registration(
        world,
        session,
        registration,
        "check_out",
        actor,
        source="officer" if by == "officer" else "tenant",
        reason=reason,
        fields=["moved_out_on", "moved_out_reason"],
        send="CHECKOUT",
    )
    if registration.lease_id is None:
        return
    lease = session.get_one(Lease, registration.lease_id)
    lease.state, lease.version = "ended", lease.version + 1
    living = session.scalars(select(Key).where(Key.lease_id == lease.id, Key.state.not_in(("revoking", "revoked"))))
    for key in living.all():
        begin_revocation(world, session, key, actor, "check_out")


def confirm_residence(world: World, session: Session, registration: Registration, *, actor: Actor) -> None:
    """A person has found that the tenant still lives there: the landlord's "left" falls, nothing else changes."""
    registration.disputed = False
    registration.landlord_end_reported_at = None
    session.get_one(Lease, registration.lease_id).landlord_ended_on = None
    change_registration(world, session, registration, "still_living", actor, source="officer")


def answer_still_here(world: World, *, account_id: str, registration_id: str) -> RegistrationView:
    """The tenant contradicts the landlord's "left": disputed, the key stays alive, a person decides."""
    with transaction() as session:
        registration = own_registration(session, account_id, registration_id)
        lease = session.get_one(Lease, registration.lease_id)
        if registration.disputed:
            return registration_view(session, registration)
        if lease.landlord_ended_on is None or registration.residence != "living":
            state = registration.residence if registration.residence != "living" else registration.tenant_leg
            raise Refused.of([illegal_transition(STATE_NAMES[state], {})])
        registration.disputed = True
        case = open_registration_case(
            world,
            session,
            registration,
            kind="dispute",
            rule="HR-12",
            opened_by="tenant",
            evidence={"landlord_says_left_on": lease.landlord_ended_on.isoformat()},
        )
        registration.case_id = case.id
        change_registration(world, session, registration, "still_here", Actor("resident", account_id), source="tenant")
        tell_person(
            world,
            session,
            lease.landlord_id,
            "still_here",
            once=case.id,
            rule="HR-12",
            alias=lease.alias,
            unit=unit_alias(session, registration.unit_id),
        )
        return registration_view(session, registration)


def get_receipt(world: World, *, account_id: str, registration_id: str) -> ReceiptView:
    """The registry's receipt for one's own registration. Raises Refused not_found before there is one."""
    with reading() as session:
        registration = own_registration(session, account_id, registration_id)
        if registration.receipt_no is None or registration.receipt_token is None or registration.declared_at is None:
            raise Refused("not_found")
        unit = session.get_one(Unit, registration.unit_id)
        dwelling = session.get_one(Dwelling, unit.dwelling_id)
        person = session.get_one(Person, registration.person_id)
        return ReceiptView(
            receipt_no=registration.receipt_no,
            token=registration.receipt_token,
            declared_at=registration.declared_at,
            accepted_at=registration.accepted_at,
            address=address_of(dwelling, unit),
            holder_name=name_of(world, session, person),
            checkout_receipt_no=registration.checkout_receipt_no,
        )


def _declarer(world: World, session: Session, account_id: str) -> Person:
    account = session.get_one(Account, account_id)
    if not is_given(session, account_id, "registration_notice"):
        raise Refused("notice.missing")
    if account.person_id is None:
        raise Refused("person.missing")
    person = session.get_one(Person, account.person_id)
    if age_band(birth_of(world, session, person), world.clock.today()) != "adult":
        raise Refused("person.minor")
    return person


def _missing_division(person: Person) -> list[Refusal]:
    needs = person.id_type == "111"  # only a resident identity card has a household registration behind it
    return [Refusal("input.missing", "hukou_division")] if needs else []


def _fill(
    world: World,
    session: Session,
    registration: Registration,
    person: Person,
    move_in_on: date,
    planned_end_on: date | None,
    reason: str | None,
    hukou_division: str | None,
) -> None:
    if hukou_division is not None and not (len(hukou_division) == 6 and hukou_division.isdigit()):
        raise Refused("registration.division", "hukou_division")
    unit = session.get_one(Unit, registration.unit_id)
    dwelling = session.get_one(Dwelling, unit.dwelling_id)
    person.hukou_division = hukou_division or person.hukou_division
    registration.person_id = person.id
    registration.move_in_on, registration.planned_end_on = move_in_on, planned_end_on
    registration.reason = reason
    registration.tenant_due_on = tenant_due_on(move_in_on)
    registration.notice_version = NOTICES["registration_notice"].version
    registration.exemption = registration.exempt_until = None  # who declares is exempt no longer (ZJ-12)
    registration.scope = decide_scope(person.id_type, person.hukou_division, dwelling.division, None)
    registration.tenant_leg, registration.declared_by = "declared", "self"
    registration.declared_at, registration.draft_expires_at = world.clock.now(), None
    for key in session.scalars(select(Key).where(Key.lease_id == registration.lease_id, Key.holder_id.is_(None))):
        key.holder_id = person.id
