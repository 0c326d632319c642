"""Entered in error or twice: void is not moved out. A draft is withdrawn at once, the rest a person decides."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.domain.cases import OPEN_STATES
from backend.domain.refusals import Refused
from backend.domain.registrations import decide_tenant_action
from backend.domain.residence_paths import VOID_REASONS
from backend.gateways.world import World
from backend.models.cases import Case
from backend.models.keys import Key
from backend.models.leases import Lease
from backend.models.registrations import Registration
from backend.services.audit import Actor
from backend.services.hands import Desk, acting_for
from backend.services.inbox import tell_person
from backend.services.key_changes import begin_revocation, unit_alias
from backend.services.own_registrations import own_registration, own_registration_to_change
from backend.services.registration_changes import (
    change_registration,
    hold_registration,
    open_registration_case,
    void_in,
)
from backend.services.tenancies import RegistrationView, registration_view


def request_void(
    world: World, *, account_id: str, registration_id: str, reason: str, desk: Desk | None = None
) -> RegistrationView:
    """Ask to have one's declared registration voided: a person decides; until then, and by it, no key changes.

    Asked again while the case is open, nothing changes. Raises Refused input.not_one_of, transition.
    """
    if reason not in VOID_REASONS:
        raise Refused("input.not_one_of", "reason", allowed=tuple(VOID_REASONS))
    with acting_for(world, account_id, desk, "request_void", registration_id=registration_id) as (session, hand):
        registration = own_registration_to_change(world, session, account_id, registration_id)
        refusal = decide_tenant_action(
            registration.tenant_leg, registration.residence, "request_void", registration.exemption
        )
        if refusal is not None:
            raise Refused.of([refusal])
        if _open_request(session, registration) is None:
            case = open_registration_case(
                world,
                session,
                registration,
                kind="void_request",
                rule="ZJ-13",
                opened_by="tenant",
                evidence={"reason": reason},
            )
            registration.case_id = registration.case_id or case.id
            actor = hand.actor
            change_registration(world, session, registration, "void_asked", actor, source=hand.source, reason=reason)
        return registration_view(session, registration)


def withdraw_draft(
    world: World, *, account_id: str, registration_id: str, desk: Desk | None = None
) -> RegistrationView:
    """Withdraw a registration that was never declared or sent: voided at once, the key that never worked ends with it.

    Repeated, nothing changes. Raises Refused transition, withdraw.used (then a check-out is the way).
    """
    with acting_for(world, account_id, desk, "withdraw_draft", registration_id=registration_id) as (session, hand):
        registration = own_registration(session, account_id, registration_id)
        hold_registration(session, registration)
        if registration.residence == "voided" and registration.declared_at is None:
            return registration_view(session, registration)
        refusal = decide_tenant_action(
            registration.tenant_leg, registration.residence, "withdraw", registration.exemption
        )
        if refusal is not None:
            raise Refused.of([refusal])
        keys = session.scalars(
            select(Key).where(Key.lease_id == registration.lease_id, Key.state.not_in(("revoking", "revoked")))
        ).all()
        if any(key.activated_at is not None for key in keys):
            raise Refused("withdraw.used")
        actor = hand.actor
        void_in(world, session, registration, "withdraw", actor, "entered_in_error", source=hand.source)
        lease = session.get_one(Lease, registration.lease_id)
        lease.state, lease.version = "cancelled", lease.version + 1
        for key in keys:
            begin_revocation(world, session, key, actor, "holder_request")
        unit = unit_alias(session, registration.unit_id)
        tell_person(
            world, session, lease.landlord_id, "tenant_withdrew", once=registration.id, alias=lease.alias, unit=unit,
            lease_id=lease.id,
        )  # fmt: skip
        return registration_view(session, registration)


def void_registration(world: World, session: Session, registration: Registration, reason: str, actor: Actor) -> None:
    """Void inside the deciding use case's write unit: told to the registry if it holds the record; no key changes."""
    void_in(world, session, registration, "void", actor, reason, source="officer")


def _open_request(session: Session, registration: Registration) -> Case | None:
    return session.scalar(
        select(Case)
        .where(Case.registration_id == registration.id, Case.kind == "void_request", Case.state.in_(OPEN_STATES))
        .limit(1)
    )
