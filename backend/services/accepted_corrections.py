"""Corrections of the registry that their person has accepted: what they say until somebody has said it anew here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.domain.corrections import COUNTING
from backend.gateways.world import World
from backend.models.persons import Person
from backend.models.registrations import FieldSource, Registration, RegistrationChange
from backend.models.registry_returns import RegistryCorrection
from backend.services import vault
from backend.services.field_sources import PERSON_FIELDS

PLACE = "registry_corrections.values"
_OF_THE_HOME = ("unit_no", "division", "address")
_GUARDIANS = "guardian_"


def values_of(world: World, session: Session, registration: Registration, row: RegistryCorrection) -> dict[str, str]:
    """What a correction says, for the person or under an audit leaf."""
    opened = vault.unseal(world, session, registration.person_id or "", PLACE, row.id, row.values_sealed)
    found: dict[str, str] = json.loads(opened)
    return found


def seal_values(
    world: World, session: Session, registration: Registration, row_id: str, values: Mapping[str, str]
) -> bytes:
    """The values of a correction, sealed under the key of the person it is about."""
    text = json.dumps(dict(values), ensure_ascii=False)
    return vault.seal(world, session, registration.person_id or "", PLACE, row_id, text)


def standing_values(world: World, session: Session, registration: Registration) -> dict[str, str]:
    """What the registry holds of this registration by an accepted correction, and nothing here says yet.

    What a person may amend by own word (`COUNTING`) stands in the registration itself since it was accepted; the rest
    waits for a person to carry it out, and must not be undone by the next version that is sent.
    """
    accepted = session.scalars(
        select(RegistryCorrection)
        .where(RegistryCorrection.registration_id == registration.id, RegistryCorrection.state == "accepted")
        .order_by(RegistryCorrection.sequence)
    )
    found: dict[str, str] = {}
    for row in accepted.all():
        waiting = [name for name in row.fields if name not in COUNTING]
        at = row.answered_at
        said = {name for name in waiting if at is not None and _said_since(session, registration, name, at)}
        if set(waiting) - said:
            values = values_of(world, session, registration, row)
            found |= {name: values[name] for name in waiting if name not in said}
    return found


def _said_since(session: Session, registration: Registration, field: str, at: datetime) -> bool:
    """Whether a field was set anew here after a moment, whoever said it."""
    if field in _OF_THE_HOME:
        moved = select(RegistrationChange.id).where(
            RegistrationChange.registration_id == registration.id,
            RegistrationChange.action == "renumbered",
            RegistrationChange.at > at,
        )
        return session.scalar(moved.limit(1)) is not None
    person = session.get(Person, registration.person_id) if registration.person_id else None
    owner, name = (None if person is None else person.id), field
    if field.startswith(_GUARDIANS) and field not in PERSON_FIELDS and person is not None:
        owner, name = person.guardian_id, field.removeprefix(_GUARDIANS)
    kind, object_id = ("person", owner) if name in PERSON_FIELDS else ("registration", registration.id)
    said = select(FieldSource.id).where(
        FieldSource.object_kind == kind,
        FieldSource.object_id == object_id,
        FieldSource.field == name,
        FieldSource.at > at,
    )
    return session.scalar(said.limit(1)) is not None
