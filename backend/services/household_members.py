"""Who lives along, and who answers for whom: read inside other use cases' units, and shown to the one who declared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from backend.domain.documents import mask_number
from backend.domain.households import choose_leaving
from backend.domain.persons import age_band
from backend.domain.refusals import Refusal, Refused
from backend.gateways.world import World
from backend.models.accounts import Account
from backend.models.cases import Case
from backend.models.data_keys import DataKey
from backend.models.leases import Lease
from backend.models.persons import Person
from backend.models.registrations import Registration
from backend.services.inbox import tell_person
from backend.services.key_changes import unit_alias
from backend.services.persons import birth_of, name_of, number_of
from backend.services.registration_changes import open_registration_case
from backend.services.tenancies import RegistrationView, registration_view

OBJECTION = "void_request"


@dataclass(frozen=True)
class MemberView:
    """Somebody whose residence another account has declared or entered, the number masked.

    `manages`: 'you', or 'themselves' once the person looks after it from an account of their own; then only name,
    relation and state are shown. `unit_alias` says where; `relation` is None for a tenant of their own.
    """

    registration_id: str
    unit_alias: str
    name: str
    id_type: str | None
    id_number_masked: str | None
    relation: str | None
    age_band: str
    declared_by: str | None
    representation: str | None
    manages: str
    objected: bool
    state: str
    registration: RegistrationView | None


def head_of(session: Session, own: Registration) -> Registration:
    """The tenant's registration of a household, given any registration of it."""
    return own if own.household_of_id is None else session.get_one(Registration, own.household_of_id)


def living_members(session: Session, head_id: str) -> list[Registration]:
    """Who lives along with the tenant of a registration, in the order they were entered."""
    rows = session.scalars(
        select(Registration)
        .where(Registration.household_of_id == head_id, Registration.residence == "living")
        .order_by(Registration.created_at, Registration.id)
    )
    return list(rows)


def count_living(session: Session, unit_id: str) -> int:
    """How many people are declared as living in a unit: a number, no names."""
    found = select(func.count()).where(
        Registration.unit_id == unit_id, Registration.residence == "living", Registration.tenant_leg == "declared"
    )
    return session.scalar(found) or 0


def count_household(session: Session, head: Registration) -> int:
    """How many of one lease are declared as living there, the tenant included: what the landlord sees of them."""
    members = [row for row in living_members(session, head.id) if row.tenant_leg == "declared"]
    return len(members) + (head.residence == "living" and head.tenant_leg == "declared")


def looks_after_it_alone(world: World, session: Session, registration: Registration) -> bool:
    """Whether the person a registration is about has taken it over from an account of their own.

    A child's registration stays the guardian's until the child is 16 (ZJ-7).
    """
    if registration.person_id is None:
        return False
    person = session.get_one(Person, registration.person_id)
    account = select(Account.id).where(Account.person_id == person.id).limit(1)
    return _may_take_over(world, session, person) and session.scalar(account) is not None


def _may_take_over(world: World, session: Session, person: Person) -> bool:
    is_known = person.identity_state in ("verified", "attested")
    return is_known and age_band(birth_of(world, session, person), world.clock.today()) == "adult"


def spokesperson_of(world: World, session: Session, registration: Registration) -> str | None:
    """The person who is told about a registration and mends it: whoever declared it, until its person takes it over."""
    if registration.declarer_id is None or looks_after_it_alone(world, session, registration):
        return registration.person_id
    return registration.declarer_id


def spokespersons_of(world: World, session: Session, registrations: Sequence[Registration]) -> dict[str, str | None]:
    """The same for many at once, by the id of the registration: in a few statements and not in three for each."""
    declared_for = [row for row in registrations if row.declarer_id is not None and row.person_id is not None]
    grown: set[str] = set()
    if declared_for:
        about = {row.person_id for row in declared_for}
        own = set(session.scalars(select(Account.person_id).where(Account.person_id.in_(about))))
        people = session.scalars(select(Person).where(Person.id.in_(own))).all()
        keys = session.scalars(select(DataKey).where(DataKey.subject_id.in_(own))).all()
        grown = {person.id for person in people if _may_take_over(world, session, person)}
        del keys  # only now: the session holds what was read together by weak references
    return {
        row.id: row.person_id if row.declarer_id is None or row.person_id in grown else row.declarer_id
        for row in registrations
    }


def find_answered_for(
    world: World, session: Session, account_id: str, registration_id: str, *, changing: bool = True
) -> Registration:
    """A registration this account has declared for somebody else, locked when it is to be changed.

    Another's is not found. Raises Refused not_found, household.theirs once its person has taken it over.
    """
    account = session.get_one(Account, account_id)
    registration = session.get(Registration, registration_id, with_for_update=changing or None, populate_existing=True)
    if registration is None or account.person_id is None or registration.declarer_id != account.person_id:
        raise Refused("not_found", "registration_id")
    if changing and looks_after_it_alone(world, session, registration):
        raise Refused("household.theirs")
    return registration


def find_leaving(
    world: World,
    session: Session,
    account_id: str,
    head: Registration,
    asked: Sequence[str],
    moved_out_on: date,
) -> list[Registration]:
    """Those who leave with the tenant, as the tenant chose them among those the tenant answers for.

    Raises Refused not_found, checkout.date for somebody who moved in later, household.undeclared.
    """
    if not asked:
        return []
    person_id = session.get_one(Account, account_id).person_id
    mine = {
        row.id: row
        for row in living_members(session, head.id)
        if row.declarer_id == person_id and not looks_after_it_alone(world, session, row)
    }
    faults = choose_leaving(asked, mine)
    if not faults and any(mine[one].tenant_leg != "declared" for one in asked):
        faults = [Refusal("household.undeclared", "leaving_too")]
    if not faults and any(mine[one].move_in_on > moved_out_on for one in asked):
        faults = [Refusal("checkout.date", "leaving_too")]
    if faults:
        raise Refused.of(faults)
    return [row for row in mine.values() if row.id in asked]


def ask_about_those_who_stay(world: World, session: Session, head: Registration, lease: Lease) -> None:
    """The tenant has left and others stay: nobody is checked out for it; a person sees to their lease (HR-8).

    The landlord is told how many, never who.
    """
    staying = living_members(session, head.id)
    if not staying:
        return
    case = open_registration_case(
        world,
        session,
        head,
        kind="visit",
        rule="HR-8",
        opened_by="rule",
        evidence={"ground": "others_stay", "question": "lease_of_those_who_stay", "people": str(len(staying))},
    )
    told = {"unit": unit_alias(session, head.unit_id), "people": str(len(staying)), "reference": case.reference}
    tell_person(world, session, lease.landlord_id, "others_stay", once=case.id, rule="HR-8", lease_id=lease.id, **told)
    for person_id in {spokesperson_of(world, session, row) for row in staying} - {None, lease.landlord_id}:
        once = f"{case.id}:{str(person_id)[-12:]}"
        tell_person(world, session, str(person_id), "you_stay", once=once, rule="HR-8", **told)


def tell_of_declaration(world: World, session: Session, row: Registration) -> None:
    """Tell whoever has an identified account that somebody spoke for them, and that they can object (ZJ-7)."""
    if row.person_id is None or not looks_after_it_alone(world, session, row):
        return
    kind = "declared_for_you" if row.tenant_leg == "declared" else "entered_for_you"
    unit = unit_alias(session, row.unit_id)
    tell_person(world, session, row.person_id, kind, once=row.id, rule="ZJ-7", unit=unit, registration_id=row.id)


def find_objection(session: Session, registration_id: str) -> Case | None:
    """The open case in which somebody says that what was declared of them is wrong."""
    return session.scalar(
        select(Case)
        .where(Case.registration_id == registration_id, Case.kind == OBJECTION, Case.decided_at.is_(None))
        .limit(1)
    )


def member_view(world: World, session: Session, row: Registration, viewer_id: str | None) -> MemberView:
    """One registration as the person `viewer_id`, who declared it or lives along, sees it."""
    person = session.get_one(Person, row.person_id)
    mine = row.declarer_id == viewer_id and not looks_after_it_alone(world, session, row)
    view = registration_view(session, row)
    return MemberView(
        registration_id=row.id,
        unit_alias=unit_alias(session, row.unit_id),
        name=name_of(world, session, person),
        id_type=person.id_type if mine else None,
        id_number_masked=mask_number(number_of(world, session, person)) if mine else None,
        relation=row.relation,
        age_band=age_band(birth_of(world, session, person), world.clock.today()),
        declared_by=row.declared_by,
        representation=row.representation if mine else None,
        manages="you" if mine else "themselves",
        objected=find_objection(session, row.id) is not None,
        state=view.state,
        registration=view if mine else None,
    )
