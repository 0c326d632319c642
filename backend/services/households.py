"""The household: the tenant enters who lives along, a guardian declares a child, the list of both."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.db import reading, transaction
from backend.domain.guardians import decide_guardian
from backend.domain.households import (
    RELATIONS,
    find_member_faults,
    is_declared_at_entry,
    is_over_capacity,
    relation_of_child,
)
from backend.domain.persons import age_band
from backend.domain.refusals import Refusal, Refused
from backend.domain.registrations import find_declaration_faults
from backend.gateways.world import World
from backend.models.accounts import Account
from backend.models.keys import Key
from backend.models.persons import Person
from backend.models.registrations import Registration
from backend.models.units import Unit
from backend.services import idempotency
from backend.services.audit import Actor
from backend.services.consents import find_for_child
from backend.services.declarations import Answers, declare_person, find_living, make_member
from backend.services.entered_persons import ask_about, find_or_enter
from backend.services.household_members import (
    MemberView,
    count_living,
    member_view,
    tell_of_declaration,
)
from backend.services.key_changes import unit_alias
from backend.services.persons import birth_of, check_entry, name_of, number_token
from backend.services.registration_changes import change_registration
from backend.services.tenancies import own_registration


@dataclass(frozen=True)
class ChildToDeclare:
    """A child this account answers for who is not registered in the unit yet."""

    person_id: str
    name: str
    needs_division: bool


@dataclass(frozen=True)
class HouseholdView:
    """Who lives along with a tenant. `living` counts everybody declared in the unit, `over_capacity` is a hint (HR-7).

    `is_tenant`: the account holds the lease; who lives along sees only whom they answer for themselves.
    """

    registration_id: str
    unit_alias: str
    is_tenant: bool
    living: int
    capacity: int
    over_capacity: bool
    members: tuple[MemberView, ...]
    children: tuple[ChildToDeclare, ...]


def list_household(world: World, *, account_id: str, registration_id: str) -> HouseholdView:
    """The household of one of this account's tenancies; another's is not found."""
    with reading() as session:
        own = own_registration(session, account_id, registration_id)
        head = _head_of(session, own)
        me = session.get_one(Account, account_id).person_id
        unit = session.get_one(Unit, head.unit_id)
        rows = session.scalars(
            select(Registration)
            .where(Registration.household_of_id == head.id, Registration.residence != "voided")
            .order_by(Registration.created_at, Registration.id)
        ).all()
        shown = [row for row in rows if own is head or row.declarer_id == me]
        living = count_living(session, unit.id)
        return HouseholdView(
            registration_id=own.id,
            unit_alias=unit_alias(session, unit.id),
            is_tenant=own is head,
            living=living,
            capacity=unit.capacity,
            over_capacity=is_over_capacity(living, unit.capacity),
            members=tuple(member_view(world, session, row, me) for row in shown),
            children=_children_to_declare(world, session, me, unit.id),
        )


@dataclass(frozen=True)
class ChildsLease:
    """A lease that a child this account answers for has accepted and that waits for the guardian's declaration."""

    registration_id: str
    unit_alias: str
    child: ChildToDeclare


def list_childrens_leases(world: World, *, account_id: str) -> tuple[ChildsLease, ...]:
    """The leases of one's children under 16 that are not declared yet (ZJ-7), the oldest first."""
    with reading() as session:
        me = session.get_one(Account, account_id).person_id
        if me is None:
            return ()
        rows = session.execute(
            select(Registration, Person)
            .join(Key, Key.lease_id == Registration.lease_id)
            .join(Account, Account.id == Key.holder_account_id)
            .join(Person, Person.id == Account.person_id)
            .where(
                Person.guardian_id == me,
                Key.kind == "occupant",
                Registration.residence == "living",
                Registration.tenant_leg != "declared",
            )
            .order_by(Registration.created_at, Registration.id)
        ).all()
        found = {row.id: (row, child) for row, child in rows}
        today = world.clock.today()
        return tuple(
            ChildsLease(row.id, unit_alias(session, row.unit_id), _to_declare(world, session, child))
            for row, child in found.values()
            if age_band(birth_of(world, session, child), today) != "adult"
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
) -> MemberView:
    """Enter a grown person who lives along: a relative is declared with it, anybody else declares by themselves later.

    No lease, key or identity check is asked of them; scope, deadline, registry record and receipt are their own. The
    same person in the same unit again changes nothing. Raises Refused with every faulty field, household.head,
    household.child (ZJ-7), household.told (PIPL-17), household.kin, household.unidentified, person.unmatched,
    registration.already.
    """
    entered = check_entry(world, id_type, id_number, name, birth_on, sex, hukou_division)
    today = world.clock.today()
    faults = find_member_faults(relation, age_band(entered.birth_on, today), representation, told)
    faults += find_declaration_faults(move_in_on, planned_end_on, reason, today)
    if entered.document.id_type == "111" and hukou_division is None:
        faults.append(Refusal("input.missing", "hukou_division"))
    if faults:
        raise Refused.of(faults)
    with reading() as session:
        _tenant_with_home(world, session, account_id, registration_id, representation)
    matched = ask_about(world, entered)
    answers = Answers(move_in_on, planned_end_on, reason, hukou_division)
    token = number_token(world, entered.document).hex()
    body = {"id": registration_id, "who": token, "as": relation, "for": representation, "said": repr(answers)}
    with transaction() as session:
        known = idempotency.find_answer(session, account_id, idempotency_key, "add_co_resident", body)
        head, me = _tenant_with_home(world, session, account_id, registration_id, representation)
        if known is not None:
            return member_view(world, session, session.get_one(Registration, known["id"]), me.id)
        session.get_one(Unit, head.unit_id, with_for_update=True)  # of two entries at once, one waits
        actor = Actor("resident", account_id)
        person = find_or_enter(
            world, session, actor, entered, matched, hukou_division=hukou_division, nationality=nationality
        )
        row = _known_member(session, head, me, person)
        if row is None:
            row = _enter(world, session, head, me, person, relation, answers, representation, actor)
        idempotency.remember(world, session, account_id, idempotency_key, "add_co_resident", body, {"id": row.id})
        return member_view(world, session, row, me.id)


def declare_child(
    world: World,
    *,
    account_id: str,
    registration_id: str,
    child_id: str,
    move_in_on: date,
    planned_end_on: date | None = None,
    reason: str | None = None,
    hukou_division: str | None = None,
    relation: str | None = None,
    idempotency_key: str | None = None,
) -> MemberView:
    """A guardian declares a child under 16 (ZJ-7), in the home of the guardian or under the child's own lease.

    `relation` is what the child is to the tenant; it follows from the guardianship when the guardian is the tenant.
    The same child in the same unit again changes nothing. Raises Refused not_found, guardian.unidentified,
    guardian.grown, household.consent, household.head, and every faulty field.
    """
    answers = Answers(move_in_on, planned_end_on, reason, hukou_division)
    body = {"id": registration_id, "child": child_id, "as": relation, "said": repr(answers)}
    with transaction() as session:
        me, child = _guardian_and_child(world, session, account_id, child_id)
        known = idempotency.find_answer(session, account_id, idempotency_key, "declare_child", body)
        if known is not None:
            return member_view(world, session, session.get_one(Registration, known["id"]), me.id)
        row = _childs_place(session, account_id, registration_id, me, child, relation, move_in_on, world)
        if row.tenant_leg != "declared":
            actor = Actor("resident", account_id, role="guardian")
            declare_person(
                world,
                session,
                row,
                child,
                answers,
                declared_by="guardian",
                declarer=me,
                actor=actor,
                source="tenant",
            )
            tell_of_declaration(world, session, row)
        idempotency.remember(world, session, account_id, idempotency_key, "declare_child", body, {"id": row.id})
        return member_view(world, session, row, me.id)


def _head_of(session: Session, own: Registration) -> Registration:
    return own if own.household_of_id is None else session.get_one(Registration, own.household_of_id)


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
    actor: Actor,
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
            actor=actor,
            source="tenant",
        )
    else:
        person.hukou_division = person.hukou_division or answers.hukou_division
        change_registration(world, session, row, "enter", actor, source="tenant", fields=["relation", "move_in_on"])
    tell_of_declaration(world, session, row)
    return row


def _their_own(person: Person, answers: Answers) -> Answers:
    """What a person has said of themselves counts before what another says of them."""
    division = person.hukou_division or answers.hukou_division
    return Answers(answers.move_in_on, answers.planned_end_on, answers.reason, division)


def _guardian_and_child(world: World, session: Session, account_id: str, child_id: str) -> tuple[Person, Person]:
    account = session.get_one(Account, account_id)
    child = session.get(Person, child_id)
    if child is None or account.person_id is None or child.guardian_id != account.person_id:
        raise Refused("not_found", "child_id")
    me = session.get_one(Person, account.person_id)
    refusal = decide_guardian(me.identity_state, birth_of(world, session, me), world.clock.today())
    if refusal is not None:
        raise Refused.of([refusal])
    consent = find_for_child(session, child.id, "registration_notice")
    if consent is None or not consent.given or consent.withdrawn_at is not None:
        raise Refused("household.consent", "child_id")
    return me, child


def _childs_place(
    session: Session,
    account_id: str,
    registration_id: str,
    me: Person,
    child: Person,
    relation: str | None,
    move_in_on: date,
    world: World,
) -> Registration:
    """The registration to declare: the child's own lease's, or a new one in the household the guardian lives in."""
    leased = session.get(Registration, registration_id)
    if leased is not None and leased.lease_id is not None and _holds(session, child.id, leased.lease_id):
        return leased
    own = own_registration(session, account_id, registration_id)
    head = _head_of(session, own)
    if own.tenant_leg != "declared" or own.residence != "living" or own.person_id != me.id:
        raise Refused("household.head")
    session.get_one(Unit, head.unit_id, with_for_update=True)  # of two declarations at once, one waits
    row = find_living(session, child.id, head.unit_id)
    if row is not None:
        return row
    relation = relation or (relation_of_child(child.guardian_relation or "other") if own is head else None)
    if relation not in RELATIONS:
        code = "input.missing" if relation is None else "input.not_one_of"
        raise Refused(code, "relation", allowed=tuple(RELATIONS))
    return make_member(world, session, head, child, relation, move_in_on)


def _holds(session: Session, person_id: str, lease_id: str) -> bool:
    """Whether the person's own account holds the key of a lease."""
    found = (
        select(Key.id)
        .join(Account, Account.id == Key.holder_account_id)
        .where(Key.lease_id == lease_id, Key.kind == "occupant", Account.person_id == person_id)
    )
    return session.scalar(found.limit(1)) is not None


def _children_to_declare(
    world: World, session: Session, guardian_id: str | None, unit_id: str
) -> tuple[ChildToDeclare, ...]:
    if guardian_id is None:
        return ()
    rows = session.scalars(
        select(Person).where(Person.guardian_id == guardian_id).order_by(Person.created_at, Person.id)
    ).all()
    today = world.clock.today()
    return tuple(
        _to_declare(world, session, child)
        for child in rows
        if age_band(birth_of(world, session, child), today) != "adult"
        and find_living(session, child.id, unit_id) is None
    )


def _to_declare(world: World, session: Session, child: Person) -> ChildToDeclare:
    needs_division = child.id_type == "111" and child.hukou_division is None
    return ChildToDeclare(child.id, name_of(world, session, child), needs_division)
