"""Batches: received at once, answered when asked. How they are judged stands in backend.registry.judging."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Row, insert, select

from backend.registry.code_tables import CodeTables
from backend.registry.database import Database
from backend.registry.faults import Faults
from backend.registry.filing import judge
from backend.registry.people import is_match
from backend.registry.rules import Facts
from backend.registry.signing import Sender, Signing
from backend.registry.tables import batch_items, batches
from backend.wire.registry_answers import BatchStatus, ItemResult, Received, decode_result
from backend.wire.registry_messages import Batch, Item, read_time, write_time


class KeyReused(Exception):
    """The Idempotency-Key came before with another body."""


@dataclass(frozen=True)
class Registry:
    """What the registry consists of; `clock` tells its own time."""

    database: Database
    signing: Signing
    faults: Faults
    clock: Callable[[], datetime]

    def now(self) -> datetime:
        """The registry's time, which may be off."""
        off = self.faults.peek("clock")
        return self.clock() + timedelta(seconds=float(off.get("seconds", 0)) if off else 0)


def receive(registry: Registry, sender: Sender, key: str, body: bytes, batch: Batch) -> Received:
    """Store a batch; the same key and body get the same answer. Raises KeyReused."""
    now = registry.now()
    slow = registry.faults.peek("slow")
    not_before = now + timedelta(seconds=float(slow.get("seconds", 60)) if slow else 0)
    with registry.database.writing() as connection:
        held = find_request(connection, sender, key, body)
        if held is not None:
            return Received(held.id, read_time(held.received_at))
        batch_id, _ = store_request(connection, sender, key, body, batch.items, now, not_before)
    return Received(batch_id, read_time(write_time(now)))


def find_request(connection: Connection, sender: Sender, key: str, body: bytes) -> Row[Any] | None:
    """The batch that this key already stands for; raises KeyReused when it came with another body."""
    held = connection.execute(
        select(batches).where(batches.c.sender == sender.name, batches.c.idempotency_key == key)
    ).first()
    if held is not None and held.body_hash != hashlib.sha256(body).hexdigest():
        raise KeyReused
    return held


def store_request(
    connection: Connection,
    sender: Sender,
    key: str,
    body: bytes,
    items: tuple[Item, ...],
    now: datetime,
    not_before: datetime,
) -> tuple[str, int]:
    """Store what a key stands for, unjudged; answers the batch's id and its number in the order of coming."""
    batch_id = f"b-{uuid4().hex}"
    number: int = connection.execute(
        insert(batches)
        .values(
            id=batch_id,
            sender=sender.name,
            divisions=list(sender.divisions),
            idempotency_key=key,
            body_hash=hashlib.sha256(body).hexdigest(),
            received_at=write_time(now),
            not_before=write_time(not_before),
            state="RECEIVED",
        )
        .returning(batches.c.number)
    ).scalar_one()
    connection.execute(insert(batch_items), [_item_row(number, place, item) for place, item in enumerate(items)])
    return batch_id, number


def find_batch(registry: Registry, sender: Sender, batch_id: str) -> BatchStatus | None:
    """How far one of the sender's batches is; None when the sender has none of that id."""
    with registry.database.reading() as connection:
        row = connection.execute(
            select(batches).where(batches.c.id == batch_id, batches.c.sender == sender.name)
        ).first()
        if row is None:
            return None
        items = connection.execute(
            select(batch_items).where(batch_items.c.batch_number == row.number).order_by(batch_items.c.place)
        ).all()
    return BatchStatus(row.id, row.state, read_time(row.received_at), tuple(result_of(item) for item in items))


def dry_run(registry: Registry, sender: Sender, batch: Batch) -> list[ItemResult]:
    """What would become of each item if it were filed now; nothing is stored."""
    with registry.database.reading() as connection:
        facts = facts_of(registry, connection, sender)
        return [judge(connection, item, facts).result_of(item) for item in batch.items]


def facts_of(registry: Registry, connection: Connection, sender: Sender) -> Facts:
    """What the rules need to know to judge a sender's items."""
    strict = registry.faults.peek("strict_population") is not None
    units = registry.faults.peek("unknown_units") or {}
    return Facts(
        sender=sender,
        tables=CodeTables(connection),
        matches=lambda number, name: is_match(connection, number, name, strict=strict),
        unknown_units=frozenset(units.get("units", ())),
    )


def _item_row(number: int, place: int, item: Item) -> dict[str, Any]:
    return {
        "batch_number": number,
        "place": place,
        "record_id": item.record_id,
        "record_version": item.record_version,
        "op": item.op,
        "leg": item.leg,
        "item": item.as_json(),
    }


def result_of(row: Row[Any]) -> ItemResult:
    """The result of a stored item; PENDING as long as it is not judged."""
    if row.result is None:
        return ItemResult(row.record_id, row.record_version, row.op, row.leg, "PENDING")
    return decode_result(row.result)
