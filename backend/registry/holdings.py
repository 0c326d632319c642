"""Questions about what the registry holds; each answers a sender about its own records only."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import func, insert, select

from backend.registry.batches import Registry
from backend.registry.signing import Sender
from backend.registry.tables import changes, legs, reads, records
from backend.wire.registry_answers import digest_id, digest_root
from backend.wire.registry_messages import write_time

MOST_CHANGES = 500
_ENDS = ("CHECKOUT", "VOID")


class UnknownRecord(Exception):
    """There is no such record."""


def find_record(registry: Registry, sender: Sender, record_id: str) -> dict[str, Any] | None:
    """State, versions, hashes and receipts of a record, no personal data; None when it is not this sender's."""
    with registry.database.reading() as connection:
        row = connection.execute(
            select(records).where(records.c.id == record_id, records.c.sender == sender.name)
        ).first()
        if row is None:
            return None
        held = connection.execute(select(legs).where(legs.c.record_id == record_id).order_by(legs.c.accepted_at)).all()
    parts = [
        {
            "op": part.op,
            "leg": part.leg,
            "version": part.version,
            "payload_hash": part.payload_hash,
            "receipt_no": part.receipt_no,
            "receipt_sig": part.receipt_sig,
        }
        for part in held
    ]
    return {"record_id": row.id, "state": row.state, "legs": parts}


def list_changes(registry: Registry, sender: Sender, cursor: int) -> dict[str, Any]:
    """Corrections to this sender's records after `cursor`, and the cursor to go on from."""
    with registry.database.reading() as connection:
        rows = connection.execute(
            select(changes)
            .where(changes.c.sender == sender.name, changes.c.sequence > cursor)
            .order_by(changes.c.sequence)
            .limit(MOST_CHANGES)
        ).all()
    listed = [
        {"sequence": r.sequence, "record_id": r.record_id, "kind": r.kind, "at": r.at, "fields": r.fields} for r in rows
    ]
    return {"changes": listed, "cursor": str(rows[-1].sequence if rows else cursor)}


def digest_of(registry: Registry, sender: Sender, day: str, town: str, *, listed: bool) -> dict[str, Any] | None:
    """Count and root over the legs declared on `day` in `town`; None when either is not one."""
    try:
        date.fromisoformat(day)
    except ValueError:
        return None
    if len(day) != 10 or len(town) != 9 or not (town.isascii() and town.isdigit()):
        return None
    with registry.database.reading() as connection:
        rows = connection.execute(
            select(legs.c.record_id, legs.c.leg, legs.c.version, records.c.state)
            .join(records, records.c.id == legs.c.record_id)
            .where(
                records.c.sender == sender.name,
                records.c.town == town,
                legs.c.declared_day == day,
                legs.c.part.not_in(_ENDS),
            )
        ).all()
    entries = sorted((digest_id(row.record_id, row.leg), row.version, row.state) for row in rows)
    root = digest_root(entries)
    if registry.faults.take("digest_skew") is not None:
        root = digest_root([])[::-1]
    answer: dict[str, Any] = {"day": day, "town": town, "count": len(entries), "root": root}
    if listed:
        answer["entries"] = [{"id": i, "version": version, "state": state} for i, version, state in entries]
    return answer


def list_reads(registry: Registry, sender: Sender, record_id: str) -> list[dict[str, str]] | None:
    """Who read a record here; None when it is not this sender's."""
    with registry.database.reading() as connection:
        owned = connection.execute(
            select(records.c.id).where(records.c.id == record_id, records.c.sender == sender.name)
        ).first()
        if owned is None:
            return None
        rows = connection.execute(select(reads).where(reads.c.record_id == record_id).order_by(reads.c.number)).all()
    return [{"at": r.at, "office": r.office, "badge": r.badge, "purpose": r.purpose} for r in rows]


def note_read(registry: Registry, record_id: str, office: str, badge: str, purpose: str) -> None:
    """Write down that someone at the registry read a record. Raises UnknownRecord."""
    _owner_of(registry, record_id)
    row = {"record_id": record_id, "office": office, "badge": badge, "purpose": purpose}
    with registry.database.writing() as connection:
        connection.execute(insert(reads).values(at=write_time(registry.now()), **row))


def correct_record(registry: Registry, record_id: str, fields: Mapping[str, str]) -> None:
    """Put a correction made at the registry on its way back to the sender. Raises UnknownRecord."""
    owner = _owner_of(registry, record_id)
    row = {"sender": owner, "record_id": record_id, "kind": "CORRECTED", "fields": dict(fields)}
    with registry.database.writing() as connection:
        connection.execute(insert(changes).values(at=write_time(registry.now()), **row))


def count_holdings(registry: Registry) -> dict[str, int]:
    """How many records there are in each state."""
    with registry.database.reading() as connection:
        rows = connection.execute(select(records.c.state, func.count()).group_by(records.c.state)).all()
    return {row[0]: row[1] for row in rows}


def list_latest(registry: Registry, limit: int) -> list[dict[str, str | int]]:
    """The records that changed last, masked: the first character of the name, no number."""
    with registry.database.reading() as connection:
        rows = connection.execute(
            select(legs, records.c.state, records.c.town)
            .join(records, records.c.id == legs.c.record_id)
            .order_by(legs.c.accepted_at.desc(), legs.c.receipt_no.desc())
            .limit(limit)
        ).all()
    return [
        {
            "record": row.record_id[-12:],
            "name": mask_name(row.payload.get("name", "")),
            "op": row.op,
            "leg": row.leg,
            "version": row.version,
            "state": row.state,
            "town": row.town,
            "accepted_at": row.accepted_at,
            "receipt_no": row.receipt_no,
        }
        for row in rows
    ]


def mask_name(name: str) -> str:
    """The first character and stars, never longer than three."""
    return name[:1] + "＊" * min(2, max(0, len(name) - 1))


def _owner_of(registry: Registry, record_id: str) -> str:
    with registry.database.reading() as connection:
        owner: str | None = connection.scalar(select(records.c.sender).where(records.c.id == record_id))
    if owner is None:
        raise UnknownRecord(record_id)
    return owner
