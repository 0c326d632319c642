"""Children and their guardians (ZJ-7): a guardian answers for a child until it is 16, and from then on learns nothing.

Who was the guardian stays noted, since a declaration made for a child names them; whoever asks "whose guardian is this
now" asks here. A date of birth is sealed, so that no statement can.
"""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.db import reading
from backend.domain.persons import age_band
from backend.gateways.world import World
from backend.models.accounts import Account
from backend.models.persons import Person
from backend.services.persons import birth_of


def is_child(world: World, session: Session, person: Person) -> bool:
    """Whether a person is under 16 today."""
    return age_band(birth_of(world, session, person), world.clock.today()) != "adult"


def children_of(world: World, session: Session, guardian_id: str | None) -> list[Person]:
    """The children under 16 a person answers for, the eldest entry first."""
    if guardian_id is None:
        return []
    entered = select(Person).where(Person.guardian_id == guardian_id, Person.erased_at.is_(None))
    rows = session.scalars(entered.order_by(Person.created_at, Person.id)).all()
    return [child for child in rows if is_child(world, session, child)]


def find_guardian(world: World, session: Session, person: Person) -> str | None:
    """The person who answers for somebody now; None for whoever answers alone."""
    return person.guardian_id if person.guardian_id is not None and is_child(world, session, person) else None


def list_children_ids(world: World, *, account_id: str) -> tuple[str, ...]:
    """The ids of the children an account answers for."""
    with reading() as session:
        person_id = session.get_one(Account, account_id).person_id
        return tuple(child.id for child in children_of(world, session, person_id))
