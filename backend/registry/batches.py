"""Batches: received at once, judged later, answered when asked. `process_once` is the judging, a chunk at a time."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Row, bindparam, func, insert, select, update

from backend.registry.code_tables import CodeTables
from backend.registry.database import Database
from backend.registry.faults import Faults
from backend.registry.filing import file, judge
from backend.registry.people import is_match
from backend.registry.rules import Facts
from backend.registry.signing import Sender, Signing, signing_of
from backend.registry.tables import batch_items, batches
from backend.wire.jwk import make_private_key
from backend.wire.registry_answers import BatchStatus, ItemResult, Received, decode_result
from backend.wire.registry_codes import item_error
from backend.wire.registry_messages import Batch, Item, decode_item, read_time, write_time

log = logging.getLogger(__name__)

CHUNK = 50  # items judged in one write unit: long enough to be quick, short enough to let others write
GOOD_STATES = {"ACCEPTED", "DUPLICATE"}


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
    body_hash = hashlib.sha256(body).hexdigest()
    now = registry.now()
    slow = registry.faults.peek("slow")
    not_before = now + timedelta(seconds=float(slow.get("seconds", 60)) if slow else 0)
    with registry.database.writing() as connection:
        held = connection.execute(
            select(batches).where(batches.c.sender == sender.name, batches.c.idempotency_key == key)
        ).first()
        if held is not None:
            if held.body_hash != body_hash:
                raise KeyReused
            return Received(held.id, read_time(held.received_at))
        batch_id = f"b-{uuid4().hex}"
        number = connection.execute(
            insert(batches)
            .values(
                id=batch_id,
                sender=sender.name,
                divisions=list(sender.divisions),
                idempotency_key=key,
                body_hash=body_hash,
                received_at=write_time(now),
                not_before=write_time(not_before),
                state="RECEIVED",
            )
            .returning(batches.c.number)
        ).scalar_one()
        rows = [_item_row(number, place, item) for place, item in enumerate(batch.items)]
        connection.execute(insert(batch_items), rows)
    return Received(batch_id, read_time(write_time(now)))


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
    return BatchStatus(row.id, row.state, read_time(row.received_at), tuple(_result_of(item) for item in items))


def dry_run(registry: Registry, sender: Sender, batch: Batch) -> list[ItemResult]:
    """What would become of each item if it were filed now; nothing is stored."""
    with registry.database.reading() as connection:
        facts = _facts(registry, connection, sender)
        return [judge(connection, item, facts).result_of(item) for item in batch.items]


def file_at_once(registry: Registry, sender: Sender, item: Item) -> ItemResult:
    """File one item now, without a batch (the void call)."""
    with registry.database.writing() as connection:
        return file(connection, item, _facts(registry, connection, sender), registry.signing, registry.now())


def process_once(registry: Registry) -> int:
    """Judge one chunk of the oldest batch that is due; answers how many items were judged, 0 when nothing is due.

    Everything of a chunk is one write unit: killed in the middle, it is simply judged again.
    """
    now = registry.now()
    with registry.database.reading() as connection:  # the usual case has nothing to do and takes no lock
        if connection.execute(_due(now)).first() is None:
            return 0
    signing = _signing(registry)
    faults = registry.faults.all()
    with registry.database.writing() as connection:
        batch = connection.execute(_due(now).with_for_update()).first()
        if batch is None:
            return 0
        waiting = connection.execute(
            select(batch_items)
            .where(batch_items.c.batch_number == batch.number, batch_items.c.result.is_(None))
            .order_by(batch_items.c.place)
            .limit(CHUNK)
        ).all()
        facts = _facts(registry, connection, Sender(batch.sender, tuple(batch.divisions)))
        judged = [_judge_row(connection, row, facts, faults, signing, now) for row in waiting]
        if judged:
            connection.execute(
                update(batch_items).where(
                    batch_items.c.batch_number == batch.number, batch_items.c.place == bindparam("at_place")
                ),
                [
                    {"at_place": row.place, "result": result.as_json(), "item": None}
                    for row, result in zip(waiting, judged, strict=True)
                ],
            )
        _settle(connection, batch, now)
    return len(waiting)


def _judge_row(
    connection: Connection, row: Row[Any], facts: Facts, faults: Mapping[str, Any], signing: Signing, now: datetime
) -> ItemResult:
    if "partial" in faults and row.place % 2:
        return _spoilt(row, str(faults["partial"].get("state", "REJECTED")))
    changed = faults.get("code_changed")
    if changed is not None and row.place >= int(changed.get("place", 1)):
        facts = replace(facts, expired_codes={("place_type", str(changed.get("code", "30")))})
    try:
        with connection.begin_nested():
            return file(connection, decode_item(row.item), facts, signing, now)
    except Exception as error:  # one item that breaks us must not hold up everyone behind it
        log.error("an item could not be judged: %s", type(error).__name__)
        broken = item_error("9002", "", row.leg)
        return ItemResult(row.record_id, row.record_version, row.op, row.leg, "REJECTED", errors=(broken,))


def _due(now: datetime) -> Any:
    return (
        select(batches)
        .where(batches.c.state.in_(("RECEIVED", "PROCESSING")), batches.c.not_before <= write_time(now))
        .order_by(batches.c.number)
        .limit(1)
    )


def _settle(connection: Connection, batch: Row[Any], now: datetime) -> None:
    """Say how far the batch is: PROCESSING until every item is judged, then DONE, PARTIAL or FAILED."""
    mine = batch_items.c.batch_number == batch.number
    left = connection.scalar(select(func.count()).where(mine, batch_items.c.result.is_(None)))
    values: dict[str, str] = {"state": "PROCESSING"}
    if not left:
        results = connection.scalars(select(batch_items.c.result).where(mine)).all()
        good = sum(result["state"] in GOOD_STATES for result in results)
        values["state"] = "DONE" if good == len(results) else "PARTIAL" if good else "FAILED"
        values["finished_at"] = write_time(now)
    connection.execute(update(batches).where(batches.c.number == batch.number).values(**values))


def _facts(registry: Registry, connection: Connection, sender: Sender) -> Facts:
    strict = registry.faults.peek("strict_population") is not None
    units = registry.faults.peek("unknown_units") or {}
    return Facts(
        sender=sender,
        tables=CodeTables(connection),
        matches=lambda number, name: is_match(connection, number, name, strict=strict),
        unknown_units=frozenset(units.get("units", ())),
    )


def _spoilt(row: Row[Any], state: str) -> ItemResult:
    """The result of an item that the failure `partial` hits."""
    errors = (item_error("9002", "", row.leg),) if state == "REJECTED" else ()
    return ItemResult(row.record_id, row.record_version, row.op, row.leg, state, errors=errors)


def _signing(registry: Registry) -> Signing:
    return signing_of(make_private_key()) if registry.faults.take("bad_receipt") is not None else registry.signing


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


def _result_of(row: Row[Any]) -> ItemResult:
    if row.result is None:
        return ItemResult(row.record_id, row.record_version, row.op, row.leg, "PENDING")
    return decode_result(row.result)
