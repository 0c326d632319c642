"""Children's registrations (ZJ-7): a guardian declares a child in the shared home or under an own lease."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.db import reading
from backend.domain.guardians import decide_guardian
from backend.domain.households import RELATIONS, relation_of_child
from backend.domain.refusals import Refused
from backend.gateways.world import World
from backend.models.accounts import Account
from backend.models.keys import Key
from backend.models.persons import Person
from backend.models.registrations import Registration
from backend.models.units import Unit
from backend.services import idempotency
from backend.services.consents import find_for_child
from backend.services.declarations import Answers, declare_person, find_living, make_member
from backend.services.hands import Desk, acting_for
from backend.services.household_members import MemberView, head_of, member_view, tell_of_declaration
from backend.services.key_changes import unit_alias
from backend.services.own_registrations import own_registration
from backend.services.persons import birth_of, name_of
from backend.services.wards import children_of, is_child


@dataclass(frozen=True)
class ChildToDeclare:
    """A child this account answers for who is not registered in the unit yet."""

    person_id: str
    name: str
    needs_division: bool


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
        return tuple(
            ChildsLease(row.id, unit_alias(session, row.unit_id), _to_declare(world, session, child))
            for row, child in found.values()
            if is_child(world, session, child)
        )


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
    desk: Desk | None = None,
) -> MemberView:
    """A guardian declares a child under 16 (ZJ-7), in the home of the guardian or under the child's own lease.

    `relation` is what the child is to the tenant; it follows from the guardianship when the guardian is the tenant.
    The same child in the same unit again changes nothing. Raises Refused not_found, guardian.unidentified,
    guardian.grown, household.consent, household.head, and every faulty field.
    """
    answers = Answers(move_in_on, planned_end_on, reason, hukou_division)
    body = {"id": registration_id, "child": child_id, "as": relation, "said": repr(answers)}
    with acting_for(world, account_id, desk, "declare_child", registration_id=registration_id) as (session, hand):
        me, child = _guardian_and_child(world, session, account_id, child_id)
        known = idempotency.find_answer(session, account_id, idempotency_key, "declare_child", body)
        if known is not None:
            return member_view(world, session, session.get_one(Registration, known["id"]), me.id)
        row = _childs_place(session, account_id, registration_id, me, child, relation, move_in_on, world)
        if row.tenant_leg != "declared":
            actor = hand.speaks_as("guardian")
            declare_person(
                world,
                session,
                row,
                child,
                answers,
                declared_by="guardian",
                declarer=me,
                actor=actor,
                source=hand.source,
                declared_at=hand.declared_at,
                note=hand.note,
            )
            tell_of_declaration(world, session, row)
        idempotency.remember(world, session, account_id, idempotency_key, "declare_child", body, {"id": row.id})
        return member_view(world, session, row, me.id)


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
    head = head_of(session, own)
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


def children_to_declare(
    world: World, session: Session, guardian_id: str | None, unit_id: str
) -> tuple[ChildToDeclare, ...]:
    """The children under 16 a guardian answers for who are not registered in a unit."""
    return tuple(
        _to_declare(world, session, child)
        for child in children_of(world, session, guardian_id)
        if find_living(session, child.id, unit_id) is None
    )


def _to_declare(world: World, session: Session, child: Person) -> ChildToDeclare:
    needs_division = child.id_type == "111" and child.hukou_division is None
    return ChildToDeclare(child.id, name_of(world, session, child), needs_division)
