"""Where does this come from: the sources of one's own data, for the person's pages and export."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.db import reading
from backend.gateways.world import World
from backend.models.accounts import Account
from backend.models.persons import Person
from backend.models.registrations import Registration
from backend.services.field_sources import FieldOrigin, origins_of
from backend.services.own_registrations import own_registration


def list_origins(world: World, *, account_id: str, registration_id: str) -> tuple[FieldOrigin, ...]:
    """Where each field of one's own registration, and of oneself, came from; another's registration is not found."""
    with reading() as session:
        registration = own_registration(session, account_id, registration_id)
        return origins_of(session, registration) + _of_person(session, account_id)


def list_all_origins(world: World, *, account_id: str) -> dict[str, tuple[FieldOrigin, ...]]:
    """The same for the export: by the id of each registration of the account's person, and 'person'."""
    with reading() as session:
        person_id = session.get_one(Account, account_id).person_id
        if person_id is None:
            return {}
        rows = session.scalars(
            select(Registration).where(Registration.person_id == person_id).order_by(Registration.created_at)
        ).all()
        return {"person": _of_person(session, account_id), **{row.id: origins_of(session, row) for row in rows}}


def _of_person(session: Session, account_id: str) -> tuple[FieldOrigin, ...]:
    account = session.get_one(Account, account_id)
    person = session.get(Person, account.person_id) if account.person_id else None
    return origins_of(session, person) if person is not None else ()
