"""Which path a residence takes once what it depends on has changed, inside the caller's write unit."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from backend.domain.registrations import decide_scope
from backend.models.dwellings import Dwelling
from backend.models.persons import Person
from backend.models.registrations import Registration
from backend.models.units import Unit


@dataclass(frozen=True)
class Path:
    """What the registry has to be told: `op`; `leaving` when it is the end of what was in scope until now."""

    op: str
    leaving: bool = False
    entered: bool = False


def take_path(session: Session, registration: Registration, person: Person) -> Path:
    """Set the scope that document and household registration now give, and answer what the registry is told.

    Who became local is checked out there (ZJ-2); a record that turns out to be a foreigner's was entered in error and
    is voided there (EEL-39). Key, lease and `declared_at` stay as they are.
    """
    before = registration.scope
    unit = session.get_one(Unit, registration.unit_id)
    division = session.get_one(Dwelling, unit.dwelling_id).division
    registration.scope = decide_scope(person.id_type, person.hukou_division, division, registration.exemption)
    if before == "in_scope" and registration.scope == "out_of_scope":
        return Path("CHECKOUT", leaving=True)
    if before == "in_scope" and registration.scope == "foreign":
        return Path("VOID", leaving=True)
    entered = before != "in_scope" and registration.scope == "in_scope"
    return Path("UPSERT" if entered else "AMEND", entered=entered)
