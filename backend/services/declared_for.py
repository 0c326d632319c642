"""What an account has declared for others: see it, correct it, take it back, check out; and the others' objection."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select

from backend.db import reading
from backend.domain.refusals import Refusal, Refused
from backend.domain.registrations import (
    decide_tenant_action,
    find_check_out_faults,
    find_declaration_faults,
)
from backend.gateways.world import World
from backend.models.accounts import Account
from backend.models.registrations import Registration
from backend.services import idempotency
from backend.services.hands import Desk, acting_for
from backend.services.household_members import (
    OBJECTION,
    MemberView,
    find_answered_for,
    find_objection,
    member_view,
)
from backend.services.own_registrations import own_registration
from backend.services.registration_changes import change_registration, open_registration_case, void_in
from backend.services.registrations import end_residence
from backend.services.tenancies import RegistrationView, registration_view


def list_declared_for(world: World, *, account_id: str) -> tuple[MemberView, ...]:
    """Everybody this account has declared or entered, in whatever unit, the newest first; voided ones are gone."""
    with reading() as session:
        person_id = session.get_one(Account, account_id).person_id
        if person_id is None:
            return ()
        rows = session.scalars(
            select(Registration)
            .where(Registration.declarer_id == person_id, Registration.residence != "voided")
            .order_by(Registration.created_at.desc(), Registration.id.desc())
        )
        return tuple(member_view(world, session, row, person_id) for row in rows)


def get_declared_for(world: World, *, account_id: str, registration_id: str) -> MemberView:
    """One of them. Raises Refused not_found."""
    with reading() as session:
        row = find_answered_for(world, session, account_id, registration_id, changing=False)
        return member_view(world, session, row, row.declarer_id)


def amend_for(
    world: World,
    *,
    account_id: str,
    registration_id: str,
    move_in_on: date,
    planned_end_on: date | None = None,
    reason: str | None = None,
    desk: Desk | None = None,
) -> MemberView:
    """Correct what one has declared for another, or send it again once it came back; `declared_at` stays (ZJ-13).

    The same answers again change nothing. Raises Refused not_found, household.theirs, transition, every faulty field.
    """
    with acting_for(world, account_id, desk, "amend_for", registration_id=registration_id) as (session, hand):
        row = find_answered_for(world, session, account_id, registration_id)
        refusal = decide_tenant_action(row.tenant_leg, row.residence, "amend")
        today = world.clock.today()
        faults = [refusal] if refusal else find_declaration_faults(move_in_on, planned_end_on, reason, today)
        if faults:
            raise Refused.of(faults)
        given = {"move_in_on": move_in_on, "planned_end_on": planned_end_on, "reason": reason}
        changed = [name for name, value in given.items() if getattr(row, name) != value]
        for name in changed:
            setattr(row, name, given[name])
        if changed or row.registry_state == "rejected":
            actor = hand.actor
            change_registration(world, session, row, "amend", actor, source=hand.source, fields=changed, send="AMEND")
        return member_view(world, session, row, row.declarer_id)


def withdraw_for(
    world: World, *, account_id: str, registration_id: str, reason: str = "entered_in_error", desk: Desk | None = None
) -> None:
    """Take an entry back that should not have been made ('entered_in_error' or 'duplicate'): it is voided.

    Who has lived there is checked out instead. A second call changes nothing. Raises Refused not_found,
    household.theirs, transition, input.not_one_of; the registration of a tenant of their own goes by a void request.
    """
    allowed = ("entered_in_error", "duplicate")
    if reason not in allowed:
        raise Refused.of([Refusal("input.not_one_of", "reason", allowed=allowed)])
    with acting_for(world, account_id, desk, "withdraw_for", registration_id=registration_id) as (session, hand):
        row = find_answered_for(world, session, account_id, registration_id)
        if row.residence == "voided":
            return
        refusal = None if row.household_of_id else Refusal("household.lease", "registration_id")
        if row.residence != "living":
            refusal = decide_tenant_action(row.tenant_leg, row.residence, "amend")
        if refusal is not None:
            raise Refused.of([refusal])
        void_in(world, session, row, "void", hand.actor, reason, source=hand.source)


def check_out_for(
    world: World,
    *,
    account_id: str,
    registration_id: str,
    moved_out_on: date,
    reason: str,
    idempotency_key: str | None = None,
    desk: Desk | None = None,
) -> MemberView:
    """Somebody one answers for has moved out, alone: nobody else's residence and no key changes.

    Raises Refused not_found, household.theirs, household.lease for a tenant of their own, checkout.date,
    checkout.reason, transition.
    """
    body = {"id": registration_id, "out": moved_out_on, "why": reason}
    with acting_for(world, account_id, desk, "check_out_for", registration_id=registration_id) as (session, hand):
        known = idempotency.find_answer(session, account_id, idempotency_key, "check_out_for", body)
        row = find_answered_for(world, session, account_id, registration_id, changing=known is None)
        if known is not None:
            return member_view(world, session, row, row.declarer_id)
        refusal = decide_tenant_action(row.tenant_leg, row.residence, "check_out")
        if row.household_of_id is None:
            refusal = Refusal("household.lease", "registration_id")  # it would end their lease and their key
        today = world.clock.today()
        faults = [refusal] if refusal else find_check_out_faults(moved_out_on, row.move_in_on, reason, today)
        if faults:
            raise Refused.of(faults)
        by, actor = row.declared_by or "relative", hand.actor
        end_residence(world, session, row, moved_out_on, reason, by=by, actor=actor, source=hand.source)
        idempotency.remember(world, session, account_id, idempotency_key, "check_out_for", body, {"id": row.id})
        return member_view(world, session, row, row.declarer_id)


def object_to_declaration(
    world: World, *, account_id: str, registration_id: str, desk: Desk | None = None
) -> RegistrationView:
    """ "This is not so": whoever was declared or entered by another says so, and a person decides (ZJ-7).

    Nothing else changes meanwhile. Raises Refused not_found, also where nobody spoke for this account's person, and
    household.objected while an objection is open.
    """
    with acting_for(world, account_id, desk, "object_to_declaration", registration_id=registration_id) as (
        session,
        hand,
    ):
        row = own_registration(session, account_id, registration_id)
        person_id = session.get_one(Account, account_id).person_id
        if row.person_id != person_id or row.declarer_id is None or row.residence != "living":
            raise Refused("not_found", "registration_id")
        session.refresh(row, with_for_update=True)
        if find_objection(session, row.id) is not None:
            raise Refused("household.objected")
        evidence = {"reason": "entered_in_error", "objection": "declared_by_another"}
        case = open_registration_case(
            world, session, row, kind=OBJECTION, rule="ZJ-7", opened_by="tenant", evidence=evidence
        )
        row.case_id = row.case_id or case.id
        change_registration(world, session, row, "object", hand.actor, source=hand.source)
        return registration_view(session, row)
