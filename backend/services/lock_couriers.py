"""Events of a lock without network, brought sealed by a phone: stored as all others, answered with a word for the lock.

Nothing is written about who brought them or when, and no limit is kept in the database: it would be a record of
somebody coming home. What is brought changes neither a lock's presence nor what is known of its health.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from sqlalchemy import select

from backend.db import reading, transaction
from backend.domain.keys import ENDED, STATE_NAMES
from backend.domain.paces import Pace
from backend.domain.refusals import Refusal, Refused
from backend.gateways.world import World
from backend.models.keys import Key, KeyDoor
from backend.models.locks import Lock
from backend.services.lock_logs import record_events
from backend.services.lock_reports import known_lock, record_anomaly
from backend.wire.codec import MessageRejected
from backend.wire.lock_documents import PLATFORM, Acknowledgement, claims_of
from backend.wire.lock_messages import EventBatch, read_event
from backend.wire.sealed_events import unseal

MOST_ITEMS = 8  # what a lock gives in one visit
AFTER_ITS_END = timedelta(days=30)  # a key that has ended may still bring what its last opening collected
PATH = "near/m5"

_PACE = Pace(20, timedelta(minutes=1))


@dataclass(frozen=True)
class TakenReport:
    """`ack` (lockack+jwt) says how far the lock's log is stored: the next phone at the door carries it there.

    `refused` names the items that were not taken; they may be thrown away, the lock still has what was in them.
    """

    lock_id: str
    ack: str
    refused: tuple[Refusal, ...]


def take_report(
    world: World, *, account_id: str, key_id: str, lock_id: str, items: Sequence[str]
) -> TakenReport:
    """Take the items that the holder of a key has collected at one of its doors; the same again changes nothing.

    The key may be in any state, ended ones for 30 days: what the lock has sealed is true whoever brings it.
    Raises Refused not_found, key.not_active, rate, input.wrong_type, and courier.item at each item when none is good.
    """
    agreement_key = _agreement_key(world, account_id, key_id, lock_id)
    seconds = _PACE.count(account_id, world.clock.now())
    if seconds:
        raise Refused("rate", seconds=seconds)
    if not 1 <= len(items) <= MOST_ITEMS:
        raise Refused("input.wrong_type", "items", expected=f"1–{MOST_ITEMS}")
    batches, faults = _unseal(world, agreement_key, lock_id, items)
    stored = record_events(world, [(lock_id, batch) for batch in batches]) if batches else []
    if faults:
        _note(world, lock_id, sorted(set(faults.values())))
    refused = [Refusal("courier.item", f"items/{place}") for place in faults]
    if not batches:
        raise Refused.of(refused)
    if not stored:  # retired a moment ago
        raise Refused("not_found", "lock_id")
    ((_, reached),) = stored
    now = int(world.clock.now().timestamp())
    word = Acknowledgement(iss=PLATFORM, aud=lock_id, iat=now, seq=reached.seq, head=reached.head)
    return TakenReport(lock_id, world.tokens.sign("lockack", claims_of(word)), tuple(refused))


def _agreement_key(world: World, account_id: str, key_id: str, lock_id: str) -> dict[str, str] | None:
    """The lock's public agreement key, for who holds a key to it."""
    with reading() as session:
        found = session.execute(
            select(Key.state, Key.revoke_asked_at, Lock.agreement_key)
            .join(KeyDoor, KeyDoor.key_id == Key.id)
            .join(Lock, Lock.id == KeyDoor.lock_id)
            .where(
                Key.id == key_id,
                Key.holder_account_id == account_id,
                Lock.id == lock_id,
                Lock.retired_at.is_(None),
            )
        ).one_or_none()
    if found is None:
        raise Refused("not_found", "key_id")
    ended_at = found.revoke_asked_at
    if found.state in ENDED and (ended_at is None or world.clock.now() >= ended_at + AFTER_ITS_END):
        raise Refused("key.not_active", state=STATE_NAMES[found.state])
    return None if found.agreement_key is None else dict(found.agreement_key)


def _unseal(
    world: World, agreement_key: dict[str, str] | None, lock_id: str, items: Sequence[str]
) -> tuple[list[EventBatch], dict[int, str]]:
    """The batches in the order of their events, and what is wrong with the items at which places."""
    if agreement_key is None:
        return [], dict.fromkeys(range(len(items)), "no_agreement")
    secret = world.key_ring.events_secret(agreement_key, lock_id)
    batches: list[EventBatch] = []
    faults: dict[int, str] = {}
    for place, item in enumerate(items):
        try:
            batches.append(replace(unseal(secret, lock_id, item), late=True))
        except MessageRejected as rejected:
            faults[place] = rejected.reason
    return sorted(batches, key=_begins), faults


def _begins(batch: EventBatch) -> int:
    try:
        return read_event(batch.events[0]).seq
    except (IndexError, MessageRejected):  # the log's own business
        return 0


def _note(world: World, lock_id: str, reasons: Sequence[str]) -> None:
    with transaction() as session:
        known_lock(session, lock_id)
        for reason in reasons:
            record_anomaly(world, session, lock_id, "courier", reason, PATH)
