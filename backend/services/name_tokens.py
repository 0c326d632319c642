"""Names of before there was a search by name get their blind index: in pieces, in the worker, after an upgrade."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.db import transaction
from backend.gateways.world import World
from backend.models.data_keys import DataKey
from backend.models.persons import Person
from backend.services.batches import do_each
from backend.services.persons import name_of, name_token

AT_ONCE = 500


def fill_name_tokens(world: World, *, limit: int = AT_ONCE) -> int:
    """Give at most `limit` persons without one the token of their name; answers how many, 0 when all have it.

    Whoever was deleted has no name any more and is left alone. Killed at any point, it goes on where it was.
    """
    with transaction() as session:
        waiting = session.scalars(
            select(Person)
            .join(DataKey, DataKey.subject_id == Person.id)
            .where(Person.name_token.is_(None), Person.erased_at.is_(None))
            .order_by(Person.id)
            .limit(limit)
            .with_for_update(of=Person, skip_locked=True)
        ).all()
        return do_each(session, waiting, lambda person: _fill(world, session, person), name="name_tokens")


def _fill(world: World, session: Session, person: Person) -> None:
    person.name_token = name_token(world, name_of(world, session, person))
