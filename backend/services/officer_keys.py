"""What officers do with an occupant's key: print its codes for its owner at the window, end it on a court's order.

Both need a fitting purpose, the own area and the password again, and are told to the person. Neither shows what a key
is used for, and an officer's decision alone ends no key (HR-12).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlalchemy.orm import Session

from backend.db import transaction
from backend.domain.keys import LIVE
from backend.domain.purposes import END_KEY, PRINT_CODES, decide_act, decide_case_number
from backend.domain.refusals import Refusal
from backend.gateways.world import World
from backend.models.keys import Key
from backend.models.leases import Lease
from backend.models.registrations import Registration
from backend.queries.unit_facts import UnitFacts, find_residence, find_unit
from backend.services.disclosures import answer, judge_area, judge_cap, may_be_named, note_refusal
from backend.services.inbox import tell_account, tell_person
from backend.services.key_changes import begin_revocation, hold_key, unit_alias
from backend.services.key_codes import KeyCodes, give_out_codes
from backend.services.officer_sessions import Acting, acting_officer, is_stepped_up
from backend.services.own_leases import living_key


@dataclass(frozen=True)
class PrintedCodes:
    """The day codes of one occupant, to be printed, and the unit they belong to."""

    unit: UnitFacts
    codes: KeyCodes


@dataclass(frozen=True)
class OrderEntered:
    """A court's order was entered under this number: the key ends as soon as its doors have confirmed."""

    unit: UnitFacts
    case: str


def print_codes(world: World, *, session_id: str, registration_id: str) -> PrintedCodes:
    """The codes of an occupant's active key on paper, for a person without a phone who stands at the window.

    The leaf is there before the codes are; the person reads it, and is told. Only of occupants whose name the unit's
    page shows: of others nobody could say whose codes they are.
    Raises Refused purpose.missing, purpose.unfit, area.foreign (written down), reads.cap, not_found, step_up, key.none,
    key.not_active, unit.no_lock, lock.no_keypad.
    """
    with transaction() as session:
        acting = acting_officer(world, session, session_id)
        outcome = _print_codes(world, session, acting, registration_id)
        note_refusal(world, session, acting, outcome, "registration", registration_id)
    return answer(outcome)


def revoke_on_order(world: World, *, session_id: str, registration_id: str, case: str | None) -> OrderEntered:
    """End an occupant's key on a court's order, whose number is `case`: holder and landlord are told ground and number.

    Nothing else changes: the registration stays until the check-out, and so does the lease.
    Raises Refused purpose.missing, purpose.unfit, area.foreign (written down), not_found, purpose.case,
    purpose.case_form, step_up, key.none.
    """
    with transaction() as session:
        acting = acting_officer(world, session, session_id)
        outcome = _revoke_on_order(world, session, acting, registration_id, case)
        note_refusal(world, session, acting, outcome, "registration", registration_id)
    return answer(outcome)


def _print_codes(world: World, session: Session, acting: Acting, registration_id: str) -> PrintedCodes | Refusal:
    unit = _unit_for(acting, registration_id, PRINT_CODES)
    if isinstance(unit, Refusal):
        return unit
    residence = find_residence(registration_id)
    if residence is None or residence.person_id is None or not may_be_named(residence):
        return Refusal("not_found")
    if not is_stepped_up(world, acting.session):
        return Refusal("step_up", "password")
    refusal = judge_cap(world, session, acting, [residence.person_id], "codes_printed")
    key = _held_key_of(session, registration_id)
    if refusal is not None or key is None:
        return refusal or Refusal("key.none")
    codes = give_out_codes(world, session, key, 0, acting.actor, "codes_printed")
    if key.holder_account_id is not None:
        tell_account(
            world,
            session,
            key.holder_account_id,
            "codes_printed",
            once=f"{key.id}:{world.clock.now().isoformat()}",
            unit=unit_alias(session, key.unit_id),
            office=acting.officer.office,
        )
    return PrintedCodes(unit, codes)


def _revoke_on_order(
    world: World, session: Session, acting: Acting, registration_id: str, case: str | None
) -> OrderEntered | Refusal:
    unit = _unit_for(acting, registration_id, END_KEY)
    if isinstance(unit, Refusal):
        return unit
    number = decide_case_number(case)
    if isinstance(number, Refusal):
        return number
    if not is_stepped_up(world, acting.session):
        return Refusal("step_up", "password")
    key = _held_key_of(session, registration_id)
    if key is None:
        return Refusal("key.none")
    # The leaf bears the court's number, under which the person can ask; the task's own stands in `task_begun`.
    begin_revocation(world, session, key, replace(acting.actor, case_ref=number), "court_order")
    words = {"unit": unit_alias(session, key.unit_id), "case": number}
    if key.holder_account_id is not None:
        tell_account(world, session, key.holder_account_id, "key_ended_by_order", once=f"{key.id}:holder", **words)
    landlord_id = session.get_one(Lease, key.lease_id).landlord_id
    tell_person(world, session, landlord_id, "key_ended_by_order", once=f"{key.id}:landlord", **words)
    return OrderEntered(unit, number)


def _unit_for(acting: Acting, registration_id: str, act: str) -> UnitFacts | Refusal:
    """The unit of a registration, when purpose and area allow this act there."""
    residence = find_residence(registration_id)
    unit = find_unit(residence.unit_id) if residence else None
    refusal = decide_act(acting.session.purpose, act) or judge_area(acting, unit.division if unit else None)
    return refusal or unit or Refusal("not_found")


def _held_key_of(session: Session, registration_id: str) -> Key | None:
    """The occupant's key of a registration that a phone holds, locked as its other writers have left it."""
    lease_id = session.get_one(Registration, registration_id).lease_id
    key = living_key(session, lease_id) if lease_id else None
    if key is None:
        return None
    hold_key(session, key)
    return key if key.state in LIVE else None
