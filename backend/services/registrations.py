"""The tenant's leg: declare, check out, contradict the landlord's "left"."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.domain.refusals import Refused, illegal_transition
from backend.domain.registrations import (
    STATE_NAMES,
    decide_tenant_action,
    find_check_out_faults,
    is_held,
)
from backend.gateways.world import World
from backend.models.accounts import Account
from backend.models.keys import Key
from backend.models.leases import Lease
from backend.models.persons import Person
from backend.models.registrations import Registration
from backend.services import idempotency
from backend.services.audit import Actor
from backend.services.change_feed import note_lease
from backend.services.consents import is_given
from backend.services.declarations import Answers, declare_person
from backend.services.hands import Desk, acting_for
from backend.services.household_members import ask_about_those_who_stay, find_leaving
from backend.services.inbox import tell_person
from backend.services.key_changes import begin_revocation, unit_alias
from backend.services.own_registrations import own_registration, own_registration_to_change
from backend.services.registration_changes import (
    change_registration,
    hold_registration,
    open_registration_case,
    settle_dispute_by_agreement,
)
from backend.services.tenancies import RegistrationView, registration_view


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
    desk: Desk | None = None,
) -> RegistrationView:
    """The tenant's complete declaration: fixes `declared_at` for good and lets the key become active.

    It waits neither for the landlord nor for the registry. Raises Refused notice.missing (PIPL-17), person.missing,
    person.minor (ZJ-7), transition, and every faulty field.
    """
    body = {"id": registration_id, "in": move_in_on, "out": planned_end_on, "why": reason, "hukou": hukou_division}
    with acting_for(world, account_id, desk, "declare", registration_id=registration_id) as (session, hand):
        registration = own_registration(session, account_id, registration_id)
        if idempotency.find_answer(session, account_id, idempotency_key, "declare", body) is not None:
            return registration_view(session, registration)
        person = declarer_of(world, session, account_id)
        declare_person(
            world,
            session,
            registration,
            person,
            Answers(move_in_on, planned_end_on, reason, hukou_division),
            declared_by=hand.declared_by,
            actor=hand.actor,
            source=hand.source,
            declared_at=hand.declared_at,
            note=hand.note,
        )
        idempotency.remember(world, session, account_id, idempotency_key, "declare", body, {"id": registration.id})
        return registration_view(session, registration)


def check_out(
    world: World,
    *,
    account_id: str,
    registration_id: str,
    moved_out_on: date,
    reason: str,
    leaving_too: Sequence[str] = (),
    idempotency_key: str | None = None,
    desk: Desk | None = None,
) -> RegistrationView:
    """The tenant has moved out: the key is revoked, the registry is told, the landlord too.

    A void registration stays void, and the registry is told nothing: the lease and its key end. `leaving_too` are the
    registrations of those who leave with them and whom they answer for; nobody else is checked out. Raises Refused
    checkout.date, checkout.reason, transition, not_found.
    """
    body = {"id": registration_id, "out": moved_out_on, "why": reason}
    if leaving_too:
        body["with"] = ",".join(sorted(leaving_too))
    with acting_for(world, account_id, desk, "check_out", registration_id=registration_id) as (session, hand):
        registration = own_registration_to_change(world, session, account_id, registration_id)
        if idempotency.find_answer(session, account_id, idempotency_key, "check_out", body) is not None:
            return registration_view(session, registration)
        refusal = decide_tenant_action(
            registration.tenant_leg, registration.residence, "check_out", registration.exemption,
            lease_state=lease_state_of(session, registration),
        )  # fmt: skip
        faults = (
            [refusal]
            if refusal
            else find_check_out_faults(moved_out_on, registration.move_in_on, reason, world.clock.today())
        )
        if faults:
            raise Refused.of(faults)
        for member in find_leaving(world, session, account_id, registration, leaving_too, moved_out_on):
            end_residence(
                world,
                session,
                member,
                moved_out_on,
                reason,
                by=member.declared_by or "self",
                actor=hand.actor,
                source=hand.source,
            )
        end_residence(
            world, session, registration, moved_out_on, reason, by="self", actor=hand.actor, source=hand.source
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
    source: str | None = None,
) -> None:
    """End a residence inside the present write unit: check-out sent, lease ended, keys revoked on this ground.

    Of somebody who lives along only the residence ends; of somebody whose registration is void, all but it. Whoever
    stays when the tenant leaves stays registered; what becomes of the lease is a question for a person.
    """
    hold_registration(session, registration)
    is_void = registration.residence == "voided"
    if not is_void:
        registration.residence, registration.moved_out_on = "moved_out", moved_out_on
        registration.moved_out_reason, registration.moved_out_by = reason, by
    if registration.disputed and by != "officer":
        settle_dispute_by_agreement(world, session, registration)
    registration.disputed = False
    change_registration(
        world,
        session,
        registration,
        "left_after_void" if is_void else "check_out",
        actor,
        source=source or ("officer" if by == "officer" else "tenant"),
        reason=reason,
        fields=[] if is_void else ["moved_out_on", "moved_out_reason"],
        send=None if is_void else "CHECKOUT",
    )
    if registration.lease_id is None:
        return
    lease = session.get_one(Lease, registration.lease_id)
    lease.state, lease.version = "ended", lease.version + 1
    note_lease(world, session, lease, "ended")
    living = session.scalars(select(Key).where(Key.lease_id == lease.id, Key.state.not_in(("revoking", "revoked"))))
    for key in living.all():
        begin_revocation(world, session, key, actor, "check_out")
    ask_about_those_who_stay(world, session, registration, lease)


def confirm_residence(world: World, session: Session, registration: Registration, *, actor: Actor) -> None:
    """A person has found that the tenant still lives there: the landlord's "left" falls, nothing else changes."""
    hold_registration(session, registration)
    registration.disputed = False
    registration.landlord_end_reported_at = None
    session.get_one(Lease, registration.lease_id).landlord_ended_on = None
    action = "stays_after_void" if registration.residence == "voided" else "still_living"
    change_registration(world, session, registration, action, actor, source="officer")


def answer_still_here(
    world: World, *, account_id: str, registration_id: str, desk: Desk | None = None
) -> RegistrationView:
    """The tenant contradicts the landlord's "left": disputed, the key stays alive, a person decides."""
    with acting_for(world, account_id, desk, "still_here", registration_id=registration_id) as (session, hand):
        registration = own_registration(session, account_id, registration_id)
        hold_registration(session, registration)
        if registration.lease_id is None:  # the landlord reports of tenants, never of who lives along
            raise Refused("not_found", "registration_id")
        lease = session.get_one(Lease, registration.lease_id)
        if registration.disputed:
            return registration_view(session, registration)
        if lease.landlord_ended_on is None or not is_held(registration.residence, lease.state):
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
        change_registration(world, session, registration, "still_here", hand.actor, source=hand.source)
        tell_person(
            world,
            session,
            lease.landlord_id,
            "still_here",
            once=case.id,
            rule="HR-12",
            alias=lease.alias,
            unit=unit_alias(session, registration.unit_id),
            lease_id=lease.id,
        )
        return registration_view(session, registration)


def lease_state_of(session: Session, registration: Registration) -> str | None:
    """The state of a registration's own lease; None without one."""
    return None if registration.lease_id is None else session.get_one(Lease, registration.lease_id).state


def declarer_of(world: World, session: Session, account_id: str) -> Person:
    """The person who declares from an account of their own. Raises Refused notice.missing (PIPL-17), person.missing."""
    account = session.get_one(Account, account_id)
    if not is_given(session, account_id, "registration_notice"):
        raise Refused("notice.missing")
    if account.person_id is None:
        raise Refused("person.missing")
    return session.get_one(Person, account.person_id)
