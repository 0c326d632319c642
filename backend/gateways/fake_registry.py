"""The fake behind role RegistryClient: a registry in memory, as strict about form and versions as the real one.

It looks nobody up and knows no code tables. A test may let it fail, refuse a record, or lose an answer.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from backend.gateways.registry_client import RegistryRead, RegistryRefused, RegistryUnavailable
from backend.wire.jwk import PublicKeys, make_private_key, thumbprint
from backend.wire.receipts import Receipt, make_receipt_number, sign_receipt
from backend.wire.registry_answers import (
    CHINA,
    BatchStatus,
    Change,
    Digest,
    HeldLeg,
    HeldRecord,
    ItemResult,
    Received,
    digest_day,
    digest_id,
    digest_root,
)
from backend.wire.registry_codes import item_error
from backend.wire.registry_messages import Batch, Item, is_hash_right
from backend.wire.registry_payload import check_payload

_ENDS = {"CHECKOUT": "MOVED_OUT", "VOID": "VOIDED"}


@dataclass
class _Record:
    state: str = "ACTIVE"
    town: str = ""
    parts: dict[str, tuple[Item, HeldLeg]] = field(default_factory=dict)
    last: dict[str, int] = field(default_factory=dict)
    numbers: set[str] = field(default_factory=set)


class FakeRegistryClient:
    """A registry in memory. `unavailable` names the failure of every call until it is None again."""

    def __init__(self, now: datetime = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)) -> None:
        self.now = now
        self.unavailable: str | None = None
        self.lose_next_answer = False
        self.refused: dict[str, tuple[str, str]] = {}  # record id → code and pointer its items are rejected with
        self.corrections: list[Change] = []
        self.reads: dict[str, list[RegistryRead]] = {}
        self.calls: list[str] = []
        self._key = make_private_key()
        self._kid = thumbprint(self._key.public_key())
        self._records: dict[str, _Record] = {}
        self._batches: dict[str, BatchStatus] = {}
        self._answered: dict[str, tuple[str, Received]] = {}
        self._sequence = 0

    def validate(self, items: Sequence[Item]) -> list[ItemResult]:
        self._note("validate")
        return [self._judge(item)[0] for item in items]

    def submit(self, batch: Batch, idempotency_key: str) -> Received:
        self._note("submit")
        body_hash = hashlib.sha256(batch.to_bytes()).hexdigest()
        held_hash, received = self._answered.get(idempotency_key, ("", None))
        if received is None:
            received = Received(f"b-{len(self._batches) + 1}", self.now)
            items = tuple(self._file(item) for item in batch.items)
            good = sum(item.state in ("ACCEPTED", "DUPLICATE") for item in items)
            state = "DONE" if good == len(items) else "PARTIAL" if good else "FAILED"
            self._batches[received.batch_id] = BatchStatus(received.batch_id, state, self.now, items)
            self._answered[idempotency_key] = (body_hash, received)
        elif held_hash != body_hash:
            raise RegistryRefused(409, [item_error("4092", "/Idempotency-Key")])
        if self.lose_next_answer:
            self.lose_next_answer = False
            raise RegistryUnavailable("http_502")
        return received

    def batch_status(self, batch_id: str) -> BatchStatus:
        self._note("batch_status")
        if batch_id not in self._batches:
            raise RegistryRefused(404, [item_error("4004", "/batch_id")])
        return self._batches[batch_id]

    def find_record(self, record_id: str) -> HeldRecord | None:
        self._note("find_record")
        held = self._records.get(record_id)
        if held is None:
            return None
        return HeldRecord(record_id, held.state, tuple(part for _, part in held.parts.values()))

    def void(self, item: Item, idempotency_key: str) -> ItemResult:
        self._note("void")
        return self._file(item)

    def changes(self, cursor: str) -> tuple[list[Change], str]:
        self._note("changes")
        found = [change for change in self.corrections if change.sequence > int(cursor)]
        return found, str(found[-1].sequence if found else cursor)

    def digest(self, day: date, town: str, *, listed: bool = False) -> Digest:
        self._note("digest")
        entries = sorted(
            (digest_id(record_id, item.leg), item.record_version, record.state)
            for record_id, record in self._records.items()
            for part, (item, _) in record.parts.items()
            if part not in _ENDS and record.town == town and digest_day(item.declared_at) == day
        )
        return Digest(len(entries), digest_root(entries), tuple(entries) if listed else ())

    def codes(self, table: str, since: int = 0) -> dict[str, Any]:
        self._note("codes")
        return {"table": table, "version": max(1, since), "entries": []}

    def list_reads(self, record_id: str) -> list[RegistryRead]:
        self._note("list_reads")
        if record_id not in self._records:
            raise RegistryRefused(404, [item_error("4004", "/record")])
        return list(self.reads.get(record_id, []))

    def receipt_keys(self) -> PublicKeys:
        return {self._kid: self._key.public_key()}

    def _note(self, call: str) -> None:
        self.calls.append(call)
        if self.unavailable is not None:
            raise RegistryUnavailable(self.unavailable)

    def _judge(self, item: Item) -> tuple[ItemResult, bool]:
        errors = check_payload(item.op, item.leg, item.payload)
        if not errors and not is_hash_right(item):
            errors = [item_error("1102", "/payload_hash", item.leg)]
        if item.record_id in self.refused:
            code, pointer = self.refused[item.record_id]
            errors.append(item_error(code, pointer, item.leg))
        held = self._records.get(item.record_id)
        if not errors and (held is None or item.leg not in held.parts) and item.op == "AMEND":
            errors.append(item_error("4004", "/record_id", item.leg))
        if not errors and item.op in _ENDS:
            if held is None:
                errors.append(item_error("4004", "/record_id", item.leg))
            elif item.op in held.parts:
                first = held.parts[item.op][1]
                return _result(item, "DUPLICATE", receipt=(first.receipt_no, first.receipt_sig)), False
        if errors:
            return _result(item, "REJECTED", errors), False
        if held and (held.state == "VOIDED" or item.record_version <= held.last.get(item.leg, 0)):
            return _result(item, "STALE", [item_error("4091", "/record_version", item.leg)]), False
        if held and item.op in _ENDS and item.payload["receipt_no"] not in held.numbers:
            return _result(item, "REJECTED", [item_error("4004", "/payload/receipt_no", item.leg)]), False
        return _result(item, "ACCEPTED"), True

    def _file(self, item: Item) -> ItemResult:
        result, stands = self._judge(item)
        if not stands:
            return result
        held = self._records.setdefault(item.record_id, _Record())
        held.state = _ENDS.get(item.op, held.state)
        held.town = item.payload.get("division", held.town)[:9]
        self._sequence += 1
        number = make_receipt_number(held.town, self.now.astimezone(CHINA).date(), self._sequence)
        receipt = Receipt(
            number,
            item.record_id,
            item.record_version,
            item.op,
            item.leg,
            item.payload_hash,
            item.declared_at,
            self.now,
        )
        token = sign_receipt(receipt, self._key, self._kid)
        part = item.op if item.op in _ENDS else item.leg
        held.parts[part] = (
            item,
            HeldLeg(item.op, item.leg, item.record_version, item.payload_hash, number, token),
        )
        held.last[item.leg] = item.record_version
        held.numbers.add(number)
        return _result(item, "ACCEPTED", receipt=(number, token))


def _result(
    item: Item, state: str, errors: Sequence[Any] = (), receipt: tuple[str | None, str | None] = (None, None)
) -> ItemResult:
    return ItemResult(item.record_id, item.record_version, item.op, item.leg, state, *receipt, tuple(errors))
