"""Telling the registry, step by step: claim, note that it was received, record what became of it.

The worker makes the calls between these steps, outside any transaction. Each step is one write unit (or a few, a
chunk of rows each), so a kill at any moment leaves rows that are claimed again: the same content goes out under the
same key, and what the registry holds already is recognised by hash and receipt. Nothing is ever registered twice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import insert, select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from backend.db import transaction
from backend.domain.registry_rules import wait_before_poll
from backend.gateways.world import World
from backend.models.audit import AuditLeaf
from backend.models.registrations import Registration
from backend.models.registry_attempts import RegistryAttempt
from backend.services import outbox
from backend.services import registry_outcomes as outcomes
from backend.services.audit import Actor, make_leaf
from backend.services.outbox import OutboxItem
from backend.services.registry_items import NothingToSend, build_item, preload
from backend.services.registry_settlement import Row, Settlement, settling
from backend.wire.registry_answers import BATCH_STATES, ITEM_STATES, BatchStatus, HeldRecord, ItemResult
from backend.wire.registry_codes import ItemError, is_blocking
from backend.wire.registry_messages import MOST_ITEMS, PURPOSE, Batch, Item, canonical_json

log = structlog.get_logger(__name__)

LEASE = timedelta(seconds=30)  # longer than a submit and the first polls together
CHUNK = 100  # rows settled in one write unit
SENDING = Actor("registry", office="居住登记机关", purpose=PURPOSE)
CONNECTION_CODES = frozenset({"1001", "1002"})  # our standing with the registry is in doubt, not the items


@dataclass(frozen=True)
class Shipment:
    """Rows that travel together: still to be sent (`batch`), or at the registry already (`remote_batch_id`).

    With neither, they cannot be sent any more, and the registry is asked whether it holds them (`resolve_unsendable`).
    """

    rows: tuple[Row, ...]
    batch: Batch | None
    idempotency_key: str
    remote_batch_id: str | None = None


def claim_shipments(world: World, *, limit: int = MOST_ITEMS) -> list[Shipment]:
    """Claim due rows: one shipment per batch the registry already has, one new batch, one that is only asked about."""
    claimed = outbox.claim(world, "registry", limit=min(limit, MOST_ITEMS), lease=LEASE)
    if not claimed:
        return []
    with transaction() as session:
        earlier = _attempts_of(session, claimed)
        known = preload(session, [item.aggregate_id for item in claimed])
        resumed: dict[str, list[Row]] = {}
        fresh: list[tuple[OutboxItem, Item]] = []
        asked: list[Row] = []
        for item in claimed:
            last = next(iter(earlier.get(item.id, ())), None)
            if last is not None and last.outcome == "open" and last.remote_batch_id is not None:
                resumed.setdefault(last.remote_batch_id, []).append(Row(item, last.id))
                continue
            if last is not None and last.outcome == "open":
                last.outcome, last.reason = "failed", "fate_unknown"  # we died before we knew
                last.answered_at = world.clock.now()
            built = _build(world, session, item)
            if isinstance(built, Item):
                fresh.append((item, built))
            elif built is not None and last is not None and _may_be_held(earlier[item.id]):
                asked.append(_ask_about(world, session, item, last, built))
            elif built is not None:
                _drop(world, session, item, built)
        shipments = [Shipment(tuple(rows), None, "", batch_id) for batch_id, rows in resumed.items()]
        if fresh:
            shipments.append(_pack(world, session, fresh, earlier))
        if asked:
            shipments.append(Shipment(tuple(asked), None, ""))
        del known  # only now: the session holds what was read together by weak references
        return shipments


def note_received(world: World, shipment: Shipment, batch_id: str) -> Shipment:
    """The registry has the batch: remember under which id, so that a restart asks instead of sending again.

    Of rows that another worker has claimed or finished meanwhile nothing is noted: their state is that one's to say.
    """
    with transaction() as session:
        ours = outbox.hold(session, [row.item for row in shipment.rows])
        rows = [row for row in shipment.rows if row.item.id in ours]
        session.execute(
            update(RegistryAttempt)
            .where(RegistryAttempt.id.in_([row.attempt_id for row in rows]))
            .values(remote_batch_id=batch_id)
        )
        tenants = [row.item.aggregate_id for row in rows if row.item.payload.get("leg", "TENANT") == "TENANT"]
        session.execute(
            update(Registration)
            .where(Registration.id.in_(tenants))
            .values(
                registry_state="sent",
                sent_at=world.clock.now(),
                duties_look_at=Registration.duties_look_at,  # that it was sent changes nobody's duty
            )
        )
    return replace(shipment, remote_batch_id=batch_id)


def record_batch_result(world: World, shipment: Shipment, status: BatchStatus) -> list[Row]:
    """Store what became of each item of a finished batch; answers the STALE rows, about which the registry is asked.

    Results are matched by record, version and operation, never by their place in the answer.
    """
    results: dict[tuple[str, str, str, int], set[ItemResult]] = {}
    for result in status.items:
        results.setdefault((result.record_id, result.op, result.leg, result.record_version), set()).add(result)
    stale = []
    for rows in _chunks(shipment.rows):
        with settling(world, rows) as settlement:
            for row in rows:
                attempt = settlement.attempt(row)
                found = results.get((attempt.registration_id, attempt.op, attempt.leg, attempt.version), set())
                if not _settle(settlement, row, attempt, found, status.state):
                    stale.append(row)
    return stale


def resolve_stale(world: World, row: Row, held: HeldRecord | None) -> None:
    """Settle a row the registry calls stale by what it holds: our own version after a lost answer, or a later one."""
    with settling(world, [row]) as settlement:
        attempt = settlement.attempt(row)
        part = attempt.op if attempt.op in ("CHECKOUT", "VOID") else attempt.leg
        legs = {leg.op if leg.op in ("CHECKOUT", "VOID") else leg.leg: leg for leg in held.legs} if held else {}
        leg = legs.get(part)
        if leg is None or leg.version < attempt.version:
            outcomes.raise_alarm(settlement, row.item, attempt, "stale_without_record")
        elif leg.version > attempt.version:
            outcomes.supersede(settlement, row.item, attempt, "registry_holds_later")
        else:
            sent = _sent_as(settlement.session, attempt, leg.payload_hash)
            held_with = (leg.receipt_no, leg.receipt_sig)
            receipt = outcomes.check_receipt(settlement, sent, *held_with) if sent else "other_content"
            if sent is None or isinstance(receipt, str) or not outcomes.is_for_attempt(receipt, sent):
                outcomes.raise_alarm(settlement, row.item, attempt, f"held:{receipt}"[:120])
                return
            attempt.payload_hash, attempt.op = sent.payload_hash, sent.op
            outcomes.accept(settlement, row.item, attempt, receipt, leg.receipt_sig)


def resolve_unsendable(world: World, row: Row, held: HeldRecord | None) -> None:
    """Settle a row that cannot be sent any more: what the registry holds of it counts, and is ended there."""
    with settling(world, [row]) as settlement:
        attempt = settlement.attempt(row)
        is_held = held is not None and any(
            leg.leg == attempt.leg and leg.op not in ("CHECKOUT", "VOID") and leg.version >= attempt.version
            for leg in held.legs
        )
        if not is_held:
            outcomes.give_up(settlement, row.item, attempt)
    if is_held:
        resolve_stale(world, row, held)


def leave_open(world: World, shipment: Shipment) -> None:
    """The batch is not judged yet: ask again later, sending nothing."""
    for rows in _chunks(shipment.rows):
        with transaction() as session:
            ours = outbox.hold(session, [row.item for row in rows])
            sent_at = _sent_at(session, rows)
            waiting = [row for row in rows if row.item.id in ours]
            outbox.settle_together(session, [(r.item, _asked_again(world, sent_at[r.attempt_id])) for r in waiting])


def put_off_shipment(world: World, shipment: Shipment, reason: str, retry_after_seconds: float | None = None) -> None:
    """The registry did not answer: everything of the shipment is tried again later, when it says when, then."""
    wait = None if retry_after_seconds is None else timedelta(seconds=retry_after_seconds)
    for rows in _chunks(shipment.rows):
        with settling(world, rows) as settlement:
            for row in rows:
                attempt = settlement.attempt(row)
                if shipment.remote_batch_id is None:
                    outcomes.put_off(settlement, row.item, attempt, reason, wait=wait)
                else:  # it is there; only our question went unanswered
                    age = world.clock.now() - attempt.sent_at
                    settlement.retry(row.item, after=wait_before_poll(age), error=reason)


def refuse_shipment(world: World, shipment: Shipment, errors: Sequence[ItemError], code: str) -> None:
    """The registry refuses the call: the item it points at is in doubt, or our connection, or the whole call."""
    log.error("registry_refused_call", code=code)
    named = {place for error in errors if (place := _place_of(error.pointer)) is not None}
    for rows in _chunks(shipment.rows):
        with settling(world, rows) as settlement:
            for row in rows:
                attempt = settlement.attempt(row)
                if shipment.remote_batch_id is not None:  # a batch it no longer knows is sent again
                    outcomes.put_off(settlement, row.item, attempt, f"batch_unknown {code}")
                elif code in CONNECTION_CODES or (named and shipment.rows.index(row) not in named):
                    outcomes.put_off(settlement, row.item, attempt, f"refused {code}", errors=errors)
                else:
                    outcomes.raise_alarm(settlement, row.item, attempt, f"refused {code}", errors)


def _build(world: World, session: Session, item: OutboxItem) -> Item | NothingToSend | None:
    """Build the item of a row; one that cannot be built is parked, and None."""
    registration = session.get_one(Registration, item.aggregate_id)
    leg = item.payload.get("leg", "TENANT")
    version = item.payload.get("version", registration.version)
    try:
        again = bool(item.payload.get("again"))
        return build_item(world, session, registration, op=item.kind, leg=leg, version=version, again=again)
    except DBAPIError:
        raise
    except Exception as error:  # one row nobody can read must not hold up the others
        log.error("registry_row_unreadable", registration_id=registration.id, error=type(error).__name__)
        outbox.park_in(world, session, item, error=f"OPERATOR: {type(error).__name__}")
        return None


def _drop(world: World, session: Session, item: OutboxItem, why: NothingToSend) -> None:
    """There is nothing to tell any more, and nothing of it ever left."""
    log.info("registry_nothing_to_send", registration_id=item.aggregate_id, reason=why.reason)
    outbox.finish_in(world, session, [item])


def _may_be_held(attempts: Sequence[RegistryAttempt]) -> bool:
    """Whether the registry may have filed one of these attempts though we have no receipt that counts."""
    return any(attempt.op in ("UPSERT", "AMEND") and attempt.outcome in ("alarm", "failed") for attempt in attempts)


def _ask_about(
    world: World, session: Session, item: OutboxItem, last: RegistryAttempt, why: NothingToSend
) -> Row:
    """Open an attempt that sends nothing: the registry is asked whether it holds what was tried last."""
    attempt = RegistryAttempt(
        outbox_id=item.id,
        registration_id=item.aggregate_id,
        op=last.op,
        leg=last.leg,
        version=last.version,
        payload_hash=last.payload_hash,
        idempotency_key=last.idempotency_key,
        reason=why.reason,
        errors=[],
        sent_at=world.clock.now(),
    )
    session.add(attempt)
    session.flush()
    return Row(item, attempt.id)


def _pack(
    world: World,
    session: Session,
    fresh: Sequence[tuple[OutboxItem, Item]],
    earlier: Mapping[int, Sequence[RegistryAttempt]],
) -> Shipment:
    """Write the attempts before anything leaves, and make one batch with a key made of its rows and their content.

    The same rows with the same content are the same request, after a crash too; the number of times each was judged
    before goes into the key, so that a renewed try is a new request, and so is telling again what was lost.
    """
    batch = Batch(PURPOSE, tuple(built for _, built in fresh))
    rounds = [[item.id, _rounds(earlier.get(item.id, ()))] for item, _ in fresh]
    key = hashlib.sha256(canonical_json(rounds) + batch.to_bytes()).hexdigest()
    session.flush()  # those that died before are closed now, so that the open ones are these
    sent_at = world.clock.now()
    attempts = [
        {"outbox_id": item.id, "registration_id": item.aggregate_id, "op": built.op, "leg": built.leg,
         "version": built.record_version, "payload_hash": built.payload_hash, "idempotency_key": key,
         "sent_at": sent_at}
        for item, built in fresh
    ]  # fmt: skip
    session.connection().execute(insert(RegistryAttempt), attempts)  # as objects they cost five times that
    mine = (RegistryAttempt.outbox_id.in_([item.id for item, _ in fresh]), RegistryAttempt.outcome == "open")
    written = session.execute(select(RegistryAttempt.outbox_id, RegistryAttempt.id).where(*mine))
    ids = {row.outbox_id: row.id for row in written}
    _write_disclosed(world, session, [(item, built) for item, built in fresh if item.id not in earlier])
    rows = [Row(item, ids[item.id]) for item, _ in fresh]
    return Shipment(tuple(rows), batch, key)


def _write_disclosed(world: World, session: Session, first: Sequence[tuple[OutboxItem, Item]]) -> None:
    """A leaf for each first attempt: from now on it is disclosed to the registry."""
    leaves = [
        make_leaf(
            world,
            SENDING,
            "registry_sent",
            subject_id=session.get_one(Registration, item.aggregate_id).person_id,
            object_kind="registration",
            object_id=item.aggregate_id,
            fields=sorted(built.payload),
        )
        for item, built in first
    ]
    if leaves:
        session.connection().execute(insert(AuditLeaf), leaves)


def _settle(
    settlement: Settlement, row: Row, attempt: RegistryAttempt, found: set[ItemResult], batch_state: str
) -> bool:
    """Settle one row; False when it is stale and the registry has to be asked what it holds."""
    if batch_state not in BATCH_STATES or len(found) > 1 or any(r.state not in ITEM_STATES for r in found):
        reason = "contradictory_answer" if len(found) > 1 else "unknown_state"
        outcomes.raise_alarm(settlement, row.item, attempt, reason)
        return True
    result = next(iter(found), None)
    if result is None or result.state == "PENDING":
        outcomes.put_off(settlement, row.item, attempt, "pending" if result else "no_result")
    elif result.state == "STALE":
        return False
    elif result.state == "REJECTED":
        blocking = [error for error in result.errors if is_blocking(error)]
        if blocking and all(error.retryable for error in blocking):
            outcomes.put_off(settlement, row.item, attempt, blocking[0].code, errors=result.errors)
        else:
            outcomes.reject(settlement, row.item, attempt, result.errors)
    else:
        receipt = outcomes.check_receipt(settlement, attempt, result.receipt_no, result.receipt_sig)
        if isinstance(receipt, str) or (result.state == "ACCEPTED" and not outcomes.is_for_attempt(receipt, attempt)):
            why = receipt if isinstance(receipt, str) else "for_something_else"
            outcomes.raise_alarm(settlement, row.item, attempt, f"receipt:{why}")
        else:
            outcomes.accept(settlement, row.item, attempt, receipt, result.receipt_sig or "", result.errors)
    return True


def _attempts_of(session: Session, items: Sequence[OutboxItem]) -> dict[int, list[RegistryAttempt]]:
    """The earlier attempts of rows that have any, newest first."""
    found: dict[int, list[RegistryAttempt]] = {}
    tried = select(RegistryAttempt).where(RegistryAttempt.outbox_id.in_([item.id for item in items]))
    for attempt in session.scalars(tried.order_by(RegistryAttempt.id.desc())):
        found.setdefault(attempt.outbox_id, []).append(attempt)
    return found


def _rounds(attempts: Sequence[RegistryAttempt]) -> int:
    """How often the registry has judged this row before."""
    return sum(attempt.remote_batch_id is not None and attempt.outcome != "open" for attempt in attempts)


def _sent_at(session: Session, rows: Sequence[Row]) -> dict[int, datetime]:
    mine = RegistryAttempt.id.in_([row.attempt_id for row in rows])
    found = session.execute(select(RegistryAttempt.id, RegistryAttempt.sent_at).where(mine))
    return {row.id: row.sent_at for row in found}


def _asked_again(world: World, sent_at: datetime) -> dict[str, Any]:
    now = world.clock.now()
    at = now + wait_before_poll(now - sent_at)
    return {"available_at": at, "lease_until": None, "last_error": "waiting_for_registry"}


def _sent_as(session: Session, attempt: RegistryAttempt, payload_hash: str) -> RegistryAttempt | None:
    """The attempt of this row that carried exactly what the registry holds."""
    same = select(RegistryAttempt).where(
        RegistryAttempt.outbox_id == attempt.outbox_id,
        RegistryAttempt.version == attempt.version,
        RegistryAttempt.payload_hash == payload_hash,
    )
    return session.scalars(same.limit(1)).first()


def _place_of(pointer: str) -> int | None:
    parts = pointer.split("/")
    return int(parts[2]) if len(parts) > 2 and parts[1] == "items" and parts[2].isdigit() else None


def _chunks(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    for start in range(0, len(rows), CHUNK):
        yield rows[start : start + CHUNK]
