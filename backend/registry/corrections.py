"""What the registry's own clerks do with a record: read it, and correct it.

A correction leaves the sender's line of versions alone: versions, payload hashes and receipts say for ever what was
filed, and a digest does not change. It raises the record's own `revision` by one, keeps the corrected values beside
the legs, and goes out to the sender as a change. The town under which a record is counted stays the one it was filed
in. A later version of the sender that speaks of the field again ends the correction of that field; a landlord's does so
only while there is no tenant's own leg.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from sqlalchemy import Connection, Row, insert, select, update

from backend.registry.batches import Registry
from backend.registry.code_tables import CodeTables
from backend.registry.people import hash_number
from backend.registry.tables import changes, reads, records
from backend.wire.registry_answers import CHINA
from backend.wire.registry_codes import ItemError, item_error
from backend.wire.registry_messages import is_record_id, write_time
from backend.wire.registry_payload import FIELDS, escape_pointer, fault_of

PURPOSE_OF_CORRECTION = "correction"
# these name the record or its proof: to change them is another record, not a correction
_FIXED = ("receipt_no", "declared_by", "notice_version")
CORRECTABLE = tuple(name for name in FIELDS if name not in _FIXED)
_BADGE = re.compile(r"[0-9A-Za-z][0-9A-Za-z-]{1,38}[0-9A-Za-z]")


class UnknownRecord(Exception):
    """There is no such record."""


class CorrectionRefused(Exception):
    """A correction does not have the form that a filing would need; `errors` say where."""

    def __init__(self, *errors: ItemError) -> None:
        super().__init__(", ".join(f"{error.code} {error.pointer}" for error in errors))
        self.errors = errors


def note_read(registry: Registry, record_id: str, office: str, badge: str, purpose: str) -> None:
    """Write down that someone at the registry read a record.

    Raises UnknownRecord, and CorrectionRefused (2001, 2002, 2003) for a read without office, badge or purpose. The
    badge is a pseudonym of letters, digits and hyphens: a name does not fit into it.
    """
    _check_reader(office, badge, purpose)
    with registry.database.writing() as connection:
        _record_of(connection, record_id)
        _store_read(connection, record_id, write_time(registry.now()), office, badge, purpose)


def correct_record(registry: Registry, record_id: str, fields: Mapping[str, object], *, office: str, badge: str) -> int:
    """Correct fields of a record; answers its new revision.

    The clerk has read the record, so that is written down too. Raises UnknownRecord, and CorrectionRefused when a
    field is not in the data dictionary (5003), is fixed, or has a value that no filing could have.
    """
    _check_reader(office, badge, PURPOSE_OF_CORRECTION)
    with registry.database.writing() as connection:
        record = _record_of(connection, record_id)
        now = registry.now()
        errors = _faults_of(fields, CodeTables(connection), now.astimezone(CHINA).date().isoformat())
        if errors:
            raise CorrectionRefused(*errors)
        revision = int(record.revision) + 1
        values = {"revision": revision, "corrected": {**record.corrected, **fields}, "updated_at": write_time(now)}
        if "unit_no" in fields:
            values["unit_no"] = fields["unit_no"]
        if "id_number" in fields:
            values["person_hash"] = hash_number(str(fields["id_number"]))
        connection.execute(update(records).where(records.c.id == record_id).values(**values))
        connection.execute(
            insert(changes).values(
                sender=record.sender,
                record_id=record_id,
                kind="CORRECTED",
                at=write_time(now),
                fields=dict(fields),
                revision=revision,
            )
        )
        _store_read(connection, record_id, write_time(now), office, badge, PURPOSE_OF_CORRECTION)
    return revision


def _faults_of(fields: Mapping[str, object], tables: CodeTables, day: str) -> list[ItemError]:
    if not fields:
        return [item_error("2001", "")]
    errors = []
    for name, value in fields.items():
        pointer = f"/{escape_pointer(name)}"
        field = FIELDS.get(name)
        if field is None or name in _FIXED:
            errors.append(item_error("5003", pointer))
        elif (code := fault_of(field, value)) is not None:
            errors.append(item_error(code, pointer))
        elif field.table is not None and (row := tables.find(field.table, str(value))) is None:
            errors.append(item_error("2101", pointer))
        elif field.table is not None and row is not None and not row.is_valid_on_text(day):
            errors.append(item_error("2102", pointer))
    return errors


def _check_reader(office: str, badge: str, purpose: str) -> None:
    errors = []
    for name, value in (("office", office), ("purpose", purpose)):
        if not value.strip():
            errors.append(item_error("2001", f"/{name}"))
        elif len(value) > 120:
            errors.append(item_error("2002", f"/{name}"))
        elif not value.isprintable():
            errors.append(item_error("2003", f"/{name}"))
    if not badge:
        errors.append(item_error("2001", "/badge"))
    elif not _BADGE.fullmatch(badge):
        errors.append(item_error("2003", "/badge"))
    if errors:
        raise CorrectionRefused(*errors)


def _record_of(connection: Connection, record_id: str) -> Row[tuple[object, ...]]:
    known = is_record_id(record_id)
    row = connection.execute(select(records).where(records.c.id == record_id)).first() if known else None
    if row is None:
        raise UnknownRecord(record_id)
    return row


def _store_read(connection: Connection, record_id: str, at: str, office: str, badge: str, purpose: str) -> None:
    row = {"record_id": record_id, "at": at, "office": office, "badge": badge, "purpose": purpose}
    connection.execute(insert(reads).values(**row))
