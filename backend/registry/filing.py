"""One item against what the registry holds: judge it, and if it stands, file it with a receipt.

Judging writes nothing, so that a dry run says exactly what a filing would. Each leg of a record has its own line of
versions, because landlord and tenant report without waiting for each other; the end of a record belongs to both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from backend.registry.people import hash_number
from backend.registry.reissuing import reissue
from backend.registry.rules import Facts, check_item
from backend.registry.signing import Signing
from backend.registry.tables import legs, records, sequences, versions
from backend.wire.receipts import Receipt, make_receipt_number, sign_receipt
from backend.wire.registry_answers import CHINA, ItemResult, digest_day
from backend.wire.registry_codes import ItemError, is_blocking, item_error
from backend.wire.registry_messages import Item, write_time

_ENDS = {"CHECKOUT": "MOVED_OUT", "VOID": "VOIDED"}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What would become of an item; a repeated end names the receipt it got the first time."""

    state: str
    errors: tuple[ItemError, ...] = ()
    receipt_no: str | None = None
    receipt_sig: str | None = None

    def result_of(self, item: Item) -> ItemResult:
        """The verdict as an answer."""
        return ItemResult(
            item.record_id,
            item.record_version,
            item.op,
            item.leg,
            self.state,
            self.receipt_no,
            self.receipt_sig,
            self.errors,
        )


def judge(connection: Connection, item: Item, facts: Facts) -> Verdict:
    """Decide what becomes of an item, writing nothing."""
    errors = check_item(item, facts)
    if errors:
        return Verdict("REJECTED", tuple(errors))
    record = connection.execute(select(records).where(records.c.id == item.record_id)).first()
    if record is not None and record.sender != facts.sender.name:
        return _refused(item, "5001", "/record_id")
    if item.op in _ENDS:
        return _judge_end(connection, item, record)
    return _judge_leg(connection, item, record)


def file(connection: Connection, item: Item, facts: Facts, signing: Signing, now: datetime) -> ItemResult:
    """Judge an item and, when it stands, store it with its receipt in the same write unit."""
    verdict = judge(connection, item, facts)
    if verdict.state == "DUPLICATE":  # a repeated end asks for the receipt again
        held = _held(connection, item.record_id)[item.op]
        verdict = replace(verdict, receipt_sig=reissue(connection, [held], signing)[item.op])
    if verdict.state != "ACCEPTED":
        return verdict.result_of(item)
    town = _town_of(connection, item)
    number = make_receipt_number(town, now.astimezone(CHINA).date(), _next_in(connection, town, now))
    receipt = Receipt(
        number,
        item.record_id,
        item.record_version,
        item.op,
        item.leg,
        item.payload_hash,
        item.declared_at,
        now,
    )
    token = sign_receipt(receipt, signing.key, signing.kid)
    _store(connection, item, facts.sender.name, town, receipt, token)
    return Verdict("ACCEPTED", verdict.errors, number, token).result_of(item)


def part_of(item: Item) -> str:
    """Which part of a record an item is about: a leg, or an end."""
    return item.op if item.op in _ENDS else item.leg


def _judge_leg(connection: Connection, item: Item, record: Row[Any] | None) -> Verdict:
    held = _held(connection, item.record_id)
    if item.op == "AMEND" and item.leg not in held:
        return _refused(item, "4004", "/record_id")
    if record is not None and record.state == "VOIDED":
        return _stale(item)
    if item.record_version <= _last_version(connection, item):
        return _stale(item)
    return Verdict("ACCEPTED", tuple(_warnings(connection, item)))


def _judge_end(connection: Connection, item: Item, record: Row[Any] | None) -> Verdict:
    if record is None:
        return _refused(item, "4004", "/record_id")
    held = _held(connection, item.record_id)
    if item.op in held:
        return Verdict("DUPLICATE", (), held[item.op].receipt_no, held[item.op].receipt_sig)
    if record.state == "VOIDED" or item.record_version <= _last_version(connection, item):
        return _stale(item)
    if item.payload["receipt_no"] not in {row.receipt_no for row in _receipts(connection, item.record_id)}:
        return _refused(item, "4004", "/payload/receipt_no")
    return Verdict("ACCEPTED")


def _warnings(connection: Connection, item: Item) -> list[ItemError]:
    """4003: this person still lives elsewhere, as far as the registry knows. It never blocks."""
    elsewhere = select(records.c.id).where(
        records.c.person_hash == hash_number(item.payload["id_number"]),
        records.c.state == "ACTIVE",
        records.c.id != item.record_id,
        records.c.unit_no != item.payload["unit_no"],
    )
    return [item_error("4003", "/payload/unit_no", item.leg)] if connection.execute(elsewhere).first() else []


def _store(connection: Connection, item: Item, sender: str, town: str, receipt: Receipt, token: str) -> None:
    accepted_at = write_time(receipt.accepted_at)
    part = part_of(item)
    connection.execute(delete(legs).where(legs.c.record_id == item.record_id, legs.c.part == part))
    connection.execute(
        insert(legs).values(
            record_id=item.record_id,
            part=part,
            op=item.op,
            leg=item.leg,
            version=item.record_version,
            payload=dict(item.payload),
            payload_hash=item.payload_hash,
            effective_at=write_time(item.effective_at),
            declared_at=write_time(item.declared_at),
            declared_day=digest_day(item.declared_at).isoformat(),
            accepted_at=accepted_at,
            receipt_no=receipt.number,
            receipt_sig=token,
        )
    )
    connection.execute(
        insert(versions).values(
            record_id=item.record_id,
            leg=item.leg,
            version=item.record_version,
            op=item.op,
            payload_hash=item.payload_hash,
            receipt_no=receipt.number,
            accepted_at=accepted_at,
        )
    )
    _store_record(connection, item, sender, town, accepted_at)


def _store_record(connection: Connection, item: Item, sender: str, town: str, at: str) -> None:
    held = connection.execute(select(records).where(records.c.id == item.record_id)).first()
    known = held is not None
    values: dict[str, Any] = {"updated_at": at}
    counts = item.op in _ENDS or item.leg == "TENANT" or "TENANT" not in _held(connection, item.record_id)
    # a later word of the sender about a field ends the registry's correction, but no landlord's of what a tenant says
    if held is not None and held.corrected and counts:
        values["corrected"] = {name: value for name, value in held.corrected.items() if name not in item.payload}
    if item.op in _ENDS:
        values["state"] = _ENDS[item.op]
    elif item.leg == "TENANT" or not known:
        # the tenant's own word on who and where counts before the landlord's
        values |= {
            "town": town,
            "unit_no": item.payload["unit_no"],
            "person_hash": hash_number(item.payload["id_number"]),
        }
    if known:
        connection.execute(update(records).where(records.c.id == item.record_id).values(**values))
    else:
        connection.execute(insert(records).values(id=item.record_id, sender=sender, state="ACTIVE", **values))


def _town_of(connection: Connection, item: Item) -> str:
    if item.op not in _ENDS:
        return item.payload["division"][:9]
    town: str = connection.execute(select(records.c.town).where(records.c.id == item.record_id)).scalar_one()
    return town


def _next_in(connection: Connection, town: str, now: datetime) -> int:
    """The next running number of a town and day; safe because write units exclude each other."""
    day = now.astimezone(CHINA).date().isoformat()
    key = (sequences.c.town == town, sequences.c.day == day)
    last = connection.scalar(select(sequences.c.last).where(*key).with_for_update())
    if last is None:
        connection.execute(insert(sequences).values(town=town, day=day, last=1))
        return 1
    connection.execute(update(sequences).where(*key).values(last=last + 1))
    return int(last) + 1


def _last_version(connection: Connection, item: Item) -> int:
    last = select(func.max(versions.c.version)).where(
        versions.c.record_id == item.record_id, versions.c.leg == item.leg
    )
    return connection.scalar(last) or 0


def _held(connection: Connection, record_id: str) -> Mapping[str, Row[Any]]:
    return {row.part: row for row in connection.execute(select(legs).where(legs.c.record_id == record_id))}


def _receipts(connection: Connection, record_id: str) -> list[Row[Any]]:
    return list(connection.execute(select(versions.c.receipt_no).where(versions.c.record_id == record_id)))


def _refused(item: Item, code: str, pointer: str) -> Verdict:
    error = item_error(code, pointer, item.leg)
    return Verdict("REJECTED" if is_blocking(error) else "ACCEPTED", (error,))


def _stale(item: Item) -> Verdict:
    return Verdict("STALE", (item_error("4091", "/record_version", item.leg),))
