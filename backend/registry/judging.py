"""Judging what was received, a chunk at a time, in the order in which it came for each record.

Records do not wait for each other, but an item never overtakes an earlier one of its own record, not even when that one
was told to wait and this one was not. Any number of threads and processes may judge at once: write units exclude each
other, and a chunk is one write unit.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, bindparam, exists, func, select, update

from backend.registry.batches import Registry, facts_of, find_request, result_of, store_request
from backend.registry.filing import file
from backend.registry.rules import Facts
from backend.registry.signing import Sender, Signing, signing_of
from backend.registry.tables import batch_items, batches
from backend.wire.jwk import make_private_key
from backend.wire.registry_answers import ItemResult
from backend.wire.registry_codes import item_error
from backend.wire.registry_messages import Item, decode_item, write_time

log = logging.getLogger(__name__)

CHUNK = 50  # items judged in one write unit: long enough to be quick, short enough to let others write
GOOD_STATES = {"ACCEPTED", "DUPLICATE"}


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
        batch = connection.execute(_due(now)).first()
        if batch is None:
            return 0
        waiting = connection.execute(
            select(batch_items)
            .where(batch_items.c.batch_number == batch.number, batch_items.c.result.is_(None), ~_waits_for_another())
            .order_by(batch_items.c.place)
            .limit(CHUNK)
        ).all()
        facts = facts_of(registry, connection, Sender(batch.sender, tuple(batch.divisions)))
        judged = [_judge_row(connection, row, facts, faults, signing, now) for row in waiting]
        _note_results(connection, batch.number, {row.place: r for row, r in zip(waiting, judged, strict=True)})
        _settle(connection, batch.number, now)
    return len(waiting)


def void_at_once(registry: Registry, sender: Sender, key: str, body: bytes, item: Item) -> ItemResult:
    """File a void now. The same key and body get the same result; raises KeyReused for another body.

    PENDING when something earlier of this record is still waiting to be judged: the void takes its turn behind it, and
    the same call made again tells what became of it.
    """
    now, signing = registry.now(), _signing(registry)
    with registry.database.writing() as connection:
        held = find_request(connection, sender, key, body)
        if held is None:
            _, number = store_request(connection, sender, key, body, (item,), now, now)
            if connection.execute(_free_items(number)).first() is not None:
                result = file(connection, item, facts_of(registry, connection, sender), signing, now)
                _note_results(connection, number, {0: result})
                _settle(connection, number, now)
        else:
            number = held.number
        mine = select(batch_items).where(batch_items.c.batch_number == number)
        return result_of(connection.execute(mine).one())


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
        return _spoilt(row, "REJECTED")


def _spoilt(row: Row[Any], state: str) -> ItemResult:
    """A result for an item that was not judged: nothing of it is stored, and it may be sent again under a new key."""
    errors = () if state == "PENDING" else (item_error("9002", "", row.leg),)
    return ItemResult(row.record_id, row.record_version, row.op, row.leg, state, errors=errors)


def _waits_for_another() -> ColumnElement[bool]:
    """Whether an item has an earlier one of its record and sender before it that is not judged yet."""
    earlier, theirs, mine = batch_items.alias(), batches.alias(), batches.alias()
    return exists(
        select(earlier.c.place)
        .join(theirs, theirs.c.number == earlier.c.batch_number)
        .join(mine, mine.c.sender == theirs.c.sender)
        .where(
            earlier.c.record_id == batch_items.c.record_id,
            earlier.c.batch_number < batch_items.c.batch_number,
            earlier.c.result.is_(None),
            mine.c.number == batch_items.c.batch_number,
        )
        .correlate(batch_items)
    )


def _free_items(number: Any) -> Any:
    """The unjudged items of a batch (its number, or the column of it) that nothing holds up."""
    return select(batch_items.c.place).where(
        batch_items.c.batch_number == number, batch_items.c.result.is_(None), ~_waits_for_another()
    )


def _due(now: datetime) -> Any:
    return (
        select(batches)
        .where(
            batches.c.state.in_(("RECEIVED", "PROCESSING")),
            batches.c.not_before <= write_time(now),
            exists(_free_items(batches.c.number)),
        )
        .order_by(batches.c.number)
        .limit(1)
    )


def _note_results(connection: Connection, number: int, results: Mapping[int, ItemResult]) -> None:
    """Write down what became of items; what was sent is emptied, because what was accepted lives on elsewhere."""
    connection.execute(
        update(batch_items).where(batch_items.c.batch_number == number, batch_items.c.place == bindparam("at_place")),
        [{"at_place": place, "result": result.as_json(), "item": None} for place, result in results.items()],
    )


def _settle(connection: Connection, number: int, now: datetime) -> None:
    """Say how far the batch is: PROCESSING until every item is judged, then DONE, PARTIAL or FAILED."""
    mine = batch_items.c.batch_number == number
    left = connection.scalar(select(func.count()).where(mine, batch_items.c.result.is_(None)))
    values: dict[str, str] = {"state": "PROCESSING"}
    if not left:
        results = connection.scalars(select(batch_items.c.result).where(mine)).all()
        good = sum(result["state"] in GOOD_STATES for result in results)
        values["state"] = "DONE" if good == len(results) else "PARTIAL" if good else "FAILED"
        values["finished_at"] = write_time(now)
    connection.execute(update(batches).where(batches.c.number == number).values(**values))


def _signing(registry: Registry) -> Signing:
    """The key receipts are signed with, or, told to fail, one that nobody published."""
    return signing_of(make_private_key()) if registry.faults.take("bad_receipt") is not None else registry.signing
