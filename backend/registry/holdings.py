"""Questions about what the registry holds; each answers a sender about its own records only."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, func, insert, select

from backend.registry.batches import Registry
from backend.registry.reissuing import is_spoilt, reissue
from backend.registry.signing import Sender
from backend.registry.tables import batch_items, batches, changes, cursors, legs, reads, records
from backend.wire.registry_answers import digest_id, digest_root
from backend.wire.registry_messages import write_time

MOST_CHANGES = 500
_ENDS = ("CHECKOUT", "VOID")


def find_record(registry: Registry, sender: Sender, record_id: str) -> dict[str, Any] | None:
    """State, versions, hashes and receipts of a record, no personal data; None when it is not this sender's.

    A receipt that cannot be verified is signed anew first.
    """
    with registry.database.reading() as connection:
        row = connection.execute(
            select(records).where(records.c.id == record_id, records.c.sender == sender.name)
        ).first()
        if row is None:
            return None
        held = connection.execute(_parts(record_id)).all()
    tokens = {part.part: part.receipt_sig for part in held}
    spoilt = any(is_spoilt(token, registry.signing) for token in tokens.values())
    if spoilt and registry.faults.peek("bad_receipt") is None:
        with registry.database.writing() as connection:
            held = connection.execute(_parts(record_id)).all()
            tokens = reissue(connection, held, registry.signing)
    parts = [
        {
            "op": part.op,
            "leg": part.leg,
            "version": part.version,
            "payload_hash": part.payload_hash,
            "receipt_no": part.receipt_no,
            "receipt_sig": tokens[part.part],
        }
        for part in held
    ]
    return {"record_id": row.id, "state": row.state, "revision": row.revision, "legs": parts}


def _parts(record_id: str) -> Any:
    return select(legs).where(legs.c.record_id == record_id).order_by(legs.c.accepted_at)


def list_changes(registry: Registry, sender: Sender, cursor: int) -> dict[str, Any]:
    """Corrections to this sender's records after `cursor`, and the cursor to go on from.

    Asking with a cursor says that everything up to it has arrived; asking again with an older one is allowed.
    """
    with registry.database.reading() as connection:
        rows = connection.execute(
            select(changes)
            .where(changes.c.sender == sender.name, changes.c.sequence > cursor)
            .order_by(changes.c.sequence)
            .limit(MOST_CHANGES)
        ).all()
    listed = [
        {
            "sequence": r.sequence,
            "record_id": r.record_id,
            "kind": r.kind,
            "at": r.at,
            "fields": r.fields,
            "revision": r.revision,
        }
        for r in rows
    ]
    _note_cursor(registry, sender, cursor)
    return {"changes": listed, "cursor": str(rows[-1].sequence if rows else cursor)}


def digest_of(registry: Registry, sender: Sender, day: str, town: str, *, listed: bool) -> dict[str, Any]:
    """Count and root over the legs declared on `day` (YYYY-MM-DD) in `town` (9 digits); the ids too when `listed`."""
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


def _note_cursor(registry: Registry, sender: Sender, cursor: int) -> None:
    mine = cursors.c.sender == sender.name
    with registry.database.reading() as connection:
        if connection.scalar(select(cursors.c.cursor).where(mine)) == cursor:
            return  # the usual case: nothing new since the last time
    with registry.database.writing() as connection:
        connection.execute(delete(cursors).where(mine))
        row = {"sender": sender.name, "cursor": cursor, "asked_at": write_time(registry.now())}
        connection.execute(insert(cursors).values(**row))


def count_waiting_changes(registry: Registry) -> int:
    """How many corrections no sender has fetched yet (or has not said that it has)."""
    read = select(cursors.c.cursor).where(cursors.c.sender == changes.c.sender).scalar_subquery()
    waiting = select(func.count()).select_from(changes).where(changes.c.sequence > func.coalesce(read, 0))
    with registry.database.reading() as connection:
        return connection.scalar(waiting) or 0


def list_batches(registry: Registry, limit: int) -> list[dict[str, str | int]]:
    """The batches that came last: when, from whom, how many items, how many of them judged, in which state."""
    with registry.database.reading() as connection:
        rows = connection.execute(select(batches).order_by(batches.c.number.desc()).limit(limit)).all()
        numbers = [row.number for row in rows]
        counts = {
            row[0]: (row[1], row[2])
            for row in connection.execute(
                select(batch_items.c.batch_number, func.count(), func.count(batch_items.c.result))
                .where(batch_items.c.batch_number.in_(numbers))
                .group_by(batch_items.c.batch_number)
            )
        }
    return [
        {
            "batch": row.id[:10],
            "sender": row.sender,
            "batch_state": row.state,
            "items": counts[row.number][0],
            "judged": counts[row.number][1],
            "received_at": row.received_at,
        }
        for row in rows
    ]


def count_holdings(registry: Registry) -> dict[str, int]:
    """How many records there are in each state."""
    with registry.database.reading() as connection:
        rows = connection.execute(select(records.c.state, func.count()).group_by(records.c.state)).all()
    return {row[0]: row[1] for row in rows}


def list_latest(registry: Registry, limit: int) -> list[dict[str, str | int]]:
    """The records that changed last, masked: the first character of the name, no number."""
    with registry.database.reading() as connection:
        rows = connection.execute(
            select(legs, records.c.state, records.c.town, records.c.corrected)
            .join(records, records.c.id == legs.c.record_id)
            .order_by(legs.c.accepted_at.desc(), legs.c.receipt_no.desc())
            .limit(limit)
        ).all()
    return [
        {
            "record_id": row.record_id,
            "record": row.record_id[-12:],
            "name": mask_name((row.payload | row.corrected).get("name", "") if "name" in row.payload else ""),
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
