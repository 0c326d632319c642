"""Representation (ZJ-7): a relative declares for a tenant who is old, disabled or ill. The key stays the tenant's."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.db import reading
from backend.domain.households import KIN, REPRESENTATIONS
from backend.domain.persons import age_band
from backend.domain.refusals import Refusal, Refused
from backend.domain.registrations import find_declaration_faults
from backend.gateways.world import World
from backend.models.accounts import Account
from backend.models.keys import Key
from backend.models.leases import Lease
from backend.models.persons import Person
from backend.models.registrations import Registration
from backend.models.units import Unit
from backend.services import idempotency
from backend.services.declarations import Answers, declare_person
from backend.services.entered_persons import ask_about, find_or_enter
from backend.services.hands import Desk, acting_for, check_place
from backend.services.household_members import MemberView, member_view, tell_of_declaration
from backend.services.persons import birth_of, check_entry, number_token


def declare_for_relative(
    world: World,
    *,
    account_id: str,
    unit_number: str,
    kinship: str,
    representation: str,
    name: str,
    id_type: str,
    id_number: str,
    move_in_on: date,
    told: bool,
    planned_end_on: date | None = None,
    reason: str | None = None,
    birth_on: date | None = None,
    sex: str | None = None,
    nationality: str = "CHN",
    hukou_division: str | None = None,
    idempotency_key: str | None = None,
    desk: Desk | None = None,
) -> MemberView:
    """Declare for a relative with a lease of their own, found by the number at the door and the document in the lease.

    `kinship` is what the tenant is to the one who speaks. The representative is identified, is told nothing but what
    they entered, and gets no key; the tenant, if they have an account, is told and may object. The same declaration
    again changes nothing. Raises Refused with every faulty field, household.unidentified, household.told (PIPL-17),
    household.child, household.unit, household.represented, person.unmatched.
    """
    entered = check_entry(world, id_type, id_number, name, birth_on, sex, hukou_division, nationality)
    faults = _find_faults(kinship, representation, told, age_band(entered.birth_on, world.clock.today()))
    faults += find_declaration_faults(move_in_on, planned_end_on, reason, world.clock.today())
    if faults:
        raise Refused.of(faults)
    token = number_token(world, entered.document)
    with reading() as session:
        _representative(world, session, account_id)
        unit_id = _find_unit(session, unit_number)
    check_place(world, account_id, desk, "declare_for_relative", unit_id=unit_id)
    with reading() as session:
        me = _representative(world, session, account_id)
        _find_lease(session, me, unit_id, entered.document.id_type, token)
    matched = ask_about(world, entered, desk)
    answers = Answers(move_in_on, planned_end_on, reason, hukou_division)
    body = {"unit": unit_number, "who": token.hex(), "as": kinship, "for": representation, "said": repr(answers)}
    with acting_for(world, account_id, desk, "declare_for_relative", unit_id=unit_id) as (session, hand):
        me = _representative(world, session, account_id)
        known = idempotency.find_answer(session, account_id, idempotency_key, "declare_for_relative", body)
        if known is not None:
            return member_view(world, session, session.get_one(Registration, known["id"]), me.id)
        row = _find_lease(session, me, unit_id, entered.document.id_type, token)
        if row.tenant_leg != "declared":
            actor = hand.speaks_as("representative")
            person = find_or_enter(
                world, session, actor, entered, matched, hukou_division=hukou_division
            )
            _refuse_foreign_key(session, row, person)
            answers = Answers(move_in_on, planned_end_on, reason, person.hukou_division or hukou_division)
            declare_person(
                world,
                session,
                row,
                person,
                answers,
                declared_by="relative",
                declarer=me,
                representation=representation,
                actor=actor,
                source=hand.source,
                declared_at=hand.declared_at,
                note=hand.note,
            )
            tell_of_declaration(world, session, row)
        idempotency.remember(world, session, account_id, idempotency_key, "declare_for_relative", body, {"id": row.id})
        return member_view(world, session, row, me.id)


def _find_faults(kinship: str, representation: str, told: bool, band: str) -> list[Refusal]:
    faults = []
    if kinship not in KIN:
        faults.append(Refusal("household.kin", "kinship", allowed=KIN))
    if representation not in REPRESENTATIONS:
        faults.append(Refusal("input.not_one_of", "representation", allowed=tuple(REPRESENTATIONS)))
    if band != "adult":
        faults.append(Refusal("household.child", "id_number"))
    if not told:
        faults.append(Refusal("household.told", "told"))
    return faults


def _representative(world: World, session: Session, account_id: str) -> Person:
    account = session.get_one(Account, account_id)
    if account.person_id is None:
        raise Refused("person.missing")
    me = session.get_one(Person, account.person_id)
    if age_band(birth_of(world, session, me), world.clock.today()) != "adult":
        raise Refused("person.minor")
    if me.identity_state not in ("verified", "attested"):
        raise Refused("household.unidentified")
    return me


def _find_unit(session: Session, unit_number: str) -> str:
    found = session.scalar(select(Unit.id).where(Unit.public_number == unit_number.strip().upper()))
    if found is None:
        raise Refused("household.unit", "unit_number")
    return found


def _find_lease(session: Session, me: Person, unit_id: str, id_type: str, token: bytes) -> Registration:
    """The registration of the lease that names this document in this unit: waiting, or declared by this representative.

    Everything else is answered in one way, so that nobody finds out who lives where.
    """
    row = session.scalar(
        select(Registration)
        .join(Lease, Lease.id == Registration.lease_id)
        .where(
            Lease.unit_id == unit_id,
            Lease.state == "active",
            Lease.named_id_type == id_type,
            Lease.named_id_token == token,
            Registration.residence == "living",
        )
        .order_by(Registration.created_at.desc())
        .limit(1)
    )
    if row is None or me.id_number_token == token or (row.tenant_leg == "declared" and row.declarer_id != me.id):
        raise Refused("household.unit", "unit_number")
    return row


def _refuse_foreign_key(session: Session, row: Registration, person: Person) -> None:
    """A key that another person's phone has accepted does not become the tenant's, nor the tenant's key theirs."""
    holder = session.scalar(
        select(Account.person_id)
        .join(Key, Key.holder_account_id == Account.id)
        .where(Key.lease_id == row.lease_id, Key.state.in_(("claimed", "active", "suspended")))
        .limit(1)
    )
    if holder is not None and holder != person.id:
        raise Refused("household.represented")
