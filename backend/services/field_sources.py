"""Where each stored field of a person and a registration came from; earlier values stay, sealed under the person's key.

Nobody has to remember which fields were set: the session collects every change of a field of the tables below when it
is written, and `note_fields` turns what was collected into rows. `change_registration` calls it for the registration
and its person; whoever writes a person calls it too. What is left at the commit is a mistake in our code: it is logged.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import structlog
from sqlalchemy import event, select, update
from sqlalchemy.orm import Session, attributes

from backend.domain.ids import new_id
from backend.gateways.world import World
from backend.models.persons import Person
from backend.models.registrations import FieldSource, Registration
from backend.services import vault
from backend.services.audit import Actor

log = structlog.get_logger(__name__)

# field as people and the registry call it -> column
PERSON_FIELDS = {
    "name": "name_sealed",
    "name_latin": "name_latin_sealed",
    "id_type": "id_type",
    "id_number": "id_number_sealed",
    "birth_on": "birth_on_sealed",
    "sex": "sex",
    "nationality": "nationality",
    "hukou_division": "hukou_division",
    "guardian_relation": "guardian_relation",
}
REGISTRATION_FIELDS = {
    name: name
    for name in (
        "unit_id",
        "place_type",
        "basis",
        "reason",
        "move_in_on",
        "planned_end_on",
        "relation",
        "declared_by",
        "representation",
        "changed_on",
        "exemption",
        "exempt_until",
        "foreign_form_no",
        "foreign_done_at",
        "moved_out_on",
        "moved_out_reason",
        "void_reason",
    )
}
_COLLECTED = "fields_changed"  # in session.info: (kind, id) -> {field: value before the write unit}
_PLACE = "field_sources.earlier"
Kept = Person | Registration


@dataclass(frozen=True)
class FieldOrigin:
    """Where one field of one's own data came from. `corrected`: how often an earlier value was replaced."""

    object_kind: str
    field: str
    source: str
    at: datetime
    notice_version: str | None
    corrected: int


def note_fields(
    world: World,
    session: Session,
    row: Kept,
    *,
    source: str,
    actor: Actor,
    notice_version: str | None = None,
    derived: Mapping[str, str] | None = None,
) -> None:
    """Write the source of every field of `row` that the present write unit has set and not noted yet.

    `derived` names another source for single fields (birth and sex that an 18-digit number says: 'document').
    """
    session.flush()
    kind, fields = fields_of(row)
    collected = session.info.get(_COLLECTED, {}).pop((kind, row.id), {})
    for name, earlier in collected.items():
        present = getattr(row, fields[name])
        replaced = None if earlier is None else _text_of(world, session, row, name, earlier)
        if present is None and replaced is None:
            continue
        if present is not None and replaced == _text_of(world, session, row, name, present):
            continue  # set and set back, or sealed anew
        source_id = new_id()
        session.add(
            FieldSource(
                id=source_id,
                object_kind=kind,
                object_id=row.id,
                field=name,
                source=(derived or {}).get(name, source),
                at=world.clock.now(),
                notice_version=notice_version,
                actor_kind=actor.kind,
                actor_id=actor.id,
                earlier_sealed=_seal(world, session, row, source_id, replaced),
            )
        )


def forget_earlier_values(session: Session, row: Kept) -> None:
    """What corrections of `row` have replaced is gone, and its present blanks are nobody's statement."""
    session.flush()
    kind, _ = fields_of(row)
    session.info.get(_COLLECTED, {}).pop((kind, row.id), None)
    settings = update(FieldSource).where(FieldSource.object_kind == kind, FieldSource.object_id == row.id)
    session.execute(settings.values(earlier_sealed=None))


def earlier_value(world: World, session: Session, row: FieldSource) -> str | None:
    """The value that this setting replaced, for the person or under an audit leaf; None: there was none.

    Raises KeyRingError once the person's data key is destroyed.
    """
    if row.earlier_sealed is None:
        return None
    if row.object_kind == "person":
        subject_id = row.object_id
    else:
        subject_id = session.get_one(Registration, row.object_id).person_id or ""
    return vault.unseal(world, session, subject_id, _PLACE, row.id, row.earlier_sealed)


def origins_of(session: Session, row: Kept) -> tuple[FieldOrigin, ...]:
    """The newest source of each field of a row that has a value, in the order of the tables."""
    kind, fields = fields_of(row)
    rows = session.scalars(
        select(FieldSource)
        .where(FieldSource.object_kind == kind, FieldSource.object_id == row.id)
        .order_by(FieldSource.at, FieldSource.id)
    )
    settings: dict[str, list[FieldSource]] = {}
    for setting in rows:
        settings.setdefault(setting.field, []).append(setting)
    return tuple(
        FieldOrigin(
            kind,
            name,
            settings[name][-1].source,
            settings[name][-1].at,
            settings[name][-1].notice_version,
            sum(setting.earlier_sealed is not None for setting in settings[name]),
        )
        for name, column in fields.items()
        if name in settings and getattr(row, column) is not None
    )


def fields_of(row: Kept) -> tuple[str, dict[str, str]]:
    """The kind of a row, and its fields that need a source with the columns they stand in."""
    return ("person", PERSON_FIELDS) if isinstance(row, Person) else ("registration", REGISTRATION_FIELDS)


def _text_of(world: World, session: Session, row: Kept, name: str, value: Any) -> str:
    if isinstance(value, bytes):
        return vault.unseal(world, session, row.id, f"persons.{name}", row.id, value)
    return value.isoformat() if isinstance(value, date) else str(value)


def _seal(world: World, session: Session, row: Kept, source_id: str, earlier: str | None) -> bytes | None:
    """Seal under the person's data key; a residence that nobody has accepted yet says nothing about a person."""
    subject_id = row.id if isinstance(row, Person) else row.person_id
    if earlier is None or subject_id is None:
        return None
    return vault.seal(world, session, subject_id, _PLACE, source_id, earlier)


@event.listens_for(Session, "before_flush")
def _collect(session: Session, _context: object, _instances: object) -> None:
    """Remember what each field was before this write unit; an autoflush must not make us forget it."""
    for row in (*session.new, *session.dirty):
        if not isinstance(row, Kept):
            continue
        kind, fields = fields_of(row)
        before = session.info.setdefault(_COLLECTED, {}).setdefault((kind, row.id), {})
        if row in session.new:
            before.update(dict.fromkeys(fields))
            continue
        for name, column in fields.items():
            history = attributes.get_history(row, column)
            if history.has_changes():
                before.setdefault(name, history.deleted[0] if history.deleted else None)


@event.listens_for(Session, "before_commit")
def _miss(session: Session) -> None:
    session.flush()
    for (kind, row_id), before in session.info.pop(_COLLECTED, {}).items():
        if before:
            log.error("fields_without_source", object_kind=kind, object_id=row_id, fields=sorted(before))


@event.listens_for(Session, "after_rollback")
def _forget(session: Session) -> None:
    session.info.pop(_COLLECTED, None)
