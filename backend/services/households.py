"""The household: the tenant enters who lives along, and the list of all."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.db import reading
from backend.domain.households import (
    find_member_faults,
    is_declared_at_entry,
    is_over_capacity,
)
from backend.domain.persons import age_band
from backend.domain.refusals import Refusal, Refused
from backend.domain.registrations import find_declaration_faults
from backend.gateways.world import World
from backend.models.accounts import Account
from backend.models.persons import Person
from backend.models.registrations import Registration
from backend.models.units import Unit
from backend.services import idempotency
from backend.services.declarations import Answers, declare_person, find_living, make_member
from backend.services.entered_persons import ask_about, find_or_enter
from backend.services.hands import Desk, Hand, acting_for
from backend.services.household_children import ChildToDeclare, children_to_declare
from backend.services.household_members import (
    MemberView,
    count_living,
    head_of,
    member_view,
    tell_of_declaration,
)
from backend.services.key_changes import unit_alias
from backend.services.own_registrations import own_registration
from backend.services.persons import check_entry, number_token
from backend.services.registration_changes import change_registration


@dataclass(frozen=True)
class HouseholdView:
    """Who lives along with a tenant. `living` counts everybody declared in the unit, `over_capacity` is a hint (HR-7).

    Of a home where the account lives no more `living` is None and nobody is named.

    `is_tenant`: the account holds the lease; who lives along sees only whom they answer for themselves.
    """

    registration_id: str
    unit_alias: str
    is_tenant: bool
    living: int | None
    capacity: int
    over_capacity: bool
    members: tuple[MemberView, ...]
    children: tuple[ChildToDeclare, ...]


def list_household(world: World, *, account_id: str, registration_id: str) -> HouseholdView:
    """The household of one of this account's tenancies; another's is not found.

    Who lives there is told to those who live there: whoever has left, or never moved in, sees neither number nor names.
    """
    with reading() as session:
        own = own_registration(session, account_id, registration_id)
        head = head_of(session, own)
        me = session.get_one(Account, account_id).person_id
        unit = session.get_one(Unit, head.unit_id)
        lives_here = own.residence == "living"
        rows = session.scalars(
            select(Registration)
            .where(Registration.household_of_id == head.id, Registration.residence != "voided")
            .order_by(Registration.created_at, Registration.id)
        ).all()
        shown = [row for row in rows if lives_here and (own is head or row.declarer_id == me)]
        living = count_living(session, unit.id) if lives_here else None
        return HouseholdView(
            registration_id=own.id,
            unit_alias=unit_alias(session, unit.id),
            is_tenant=own is head,
            living=living,
            capacity=unit.capacity,
            over_capacity=living is not None and is_over_capacity(living, unit.capacity),
            members=tuple(member_view(world, session, row, me) for row in shown),
            children=children_to_declare(world, session, me, unit.id) if lives_here else (),
        )


def add_co_resident(
    world: World,
    *,
    account_id: str,
    registration_id: str,
    relation: str,
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
    representation: str | None = None,
    idempotency_key: str | None = None,
    desk: Desk | None = None,
) -> MemberView:
    """Enter a grown person who lives along: a relative is declared with it, anybody else declares by themselves later.

    No lease, key or identity check is asked of them; scope, deadline, registry record and receipt are their own. The
    same person in the same unit again changes nothing. Raises Refused with every faulty field, household.head,
    household.child (ZJ-7), household.told (PIPL-17), household.kin, household.unidentified, person.unmatched,
    registration.already.
    """
    entered = check_entry(world, id_type, id_number, name, birth_on, sex, hukou_division, nationality)
    today = world.clock.today()
    faults = find_member_faults(relation, age_band(entered.birth_on, today), representation, told)
    faults += find_declaration_faults(move_in_on, planned_end_on, reason, today)
    if entered.document.id_type == "111" and hukou_division is None:
        faults.append(Refusal("input.missing", "hukou_division"))
    if faults:
        raise Refused.of(faults)
    with reading() as session:
        _tenant_with_home(world, session, account_id, registration_id, representation)
    matched = ask_about(world, entered, desk)
    answers = Answers(move_in_on, planned_end_on, reason, hukou_division)
    token = number_token(world, entered.document).hex()
    body = {"id": registration_id, "who": token, "as": relation, "for": representation, "said": repr(answers)}
    with acting_for(world, account_id, desk, "add_co_resident", registration_id=registration_id) as (session, hand):
        known = idempotency.find_answer(session, account_id, idempotency_key, "add_co_resident", body)
        head, me = _tenant_with_home(world, session, account_id, registration_id, representation)
        if known is not None:
            return member_view(world, session, session.get_one(Registration, known["id"]), me.id)
        session.get_one(Unit, head.unit_id, with_for_update=True)  # of two entries at once, one waits
        person = find_or_enter(
            world, session, hand.actor, entered, matched, hukou_division=hukou_division
        )
        row = _known_member(session, head, me, person)
        if row is None:
            row = _enter(world, session, head, me, person, relation, answers, representation, hand)
        idempotency.remember(world, session, account_id, idempotency_key, "add_co_resident", body, {"id": row.id})
        return member_view(world, session, row, me.id)


def _tenant_with_home(
    world: World, session: Session, account_id: str, registration_id: str, representation: str | None
) -> tuple[Registration, Person]:
    """The tenant's own declared registration and the tenant, who is identified before representing anybody (ZJ-7)."""
    head = own_registration(session, account_id, registration_id)
    account = session.get_one(Account, account_id)
    if head.household_of_id is not None:
        raise Refused("not_found", "registration_id")
    if head.tenant_leg != "declared" or head.residence != "living" or head.person_id != account.person_id:
        raise Refused("household.head")
    me = session.get_one(Person, head.person_id)
    if representation is not None and me.identity_state not in ("verified", "attested"):
        raise Refused("household.unidentified")
    return head, me


def _known_member(session: Session, head: Registration, me: Person, person: Person) -> Registration | None:
    """The registration under which the person lives in the unit already, when this tenant has entered it."""
    row = find_living(session, person.id, head.unit_id)
    if row is not None and (row.household_of_id != head.id or row.declarer_id != me.id):
        raise Refused("registration.already")
    return row


def _enter(
    world: World,
    session: Session,
    head: Registration,
    me: Person,
    person: Person,
    relation: str,
    answers: Answers,
    representation: str | None,
    hand: Hand,
) -> Registration:
    row = make_member(world, session, head, person, relation, answers.move_in_on)
    row.declarer_id = me.id
    if is_declared_at_entry(relation):
        declare_person(
            world,
            session,
            row,
            person,
            _their_own(person, answers),
            declared_by="relative",
            declarer=me,
            representation=representation,
            actor=hand.actor,
            source=hand.source,
            declared_at=hand.declared_at,
            note=hand.note,
        )
    else:
        person.hukou_division = person.hukou_division or answers.hukou_division
        change_registration(
            world, session, row, "enter", hand.actor, source=hand.source, fields=["relation", "move_in_on"]
        )
    tell_of_declaration(world, session, row)
    return row


def _their_own(person: Person, answers: Answers) -> Answers:
    """What a person has said of themselves counts before what another says of them."""
    division = person.hukou_division or answers.hukou_division
    return Answers(answers.move_in_on, answers.planned_end_on, answers.reason, division)
