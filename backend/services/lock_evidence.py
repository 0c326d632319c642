"""Evidence of a lock's events, for the tenant who asks or the court that orders: the only way they ever leave.

No route leads here: a person at the operator's shell states ground and case, and everybody whose key is in the range
reads both on the page that says who has seen one's data. The file holds key ids, no names.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.db import transaction
from backend.domain.purposes import EVIDENCE_GROUNDS, decide_case_number
from backend.domain.refusals import Refusal, Refused
from backend.gateways.world import World
from backend.models.keys import Key
from backend.models.lock_events import LockCheckpoint, LockEvent
from backend.models.locks import Lock
from backend.services.audit import Actor, write_leaf
from backend.services.lock_lives import find_lock
from backend.wire.evidence import Evidence, LoggedEvent, write_evidence
from backend.wire.jwk import from_base64url, jwk_of
from backend.wire.lock_messages import first_hash
from backend.wire.tokens import claims_unverified

OFFICE = "安居平台运营方"


@dataclass(frozen=True)
class Exported:
    """The file, what it covers, and how many persons will read that it was made."""

    content: bytes
    lock_id: str
    first: int
    last: int
    checked: int
    told: int


def export_events(
    world: World, *, lock: str, ground: str, case: str, first: int | None = None, last: int | None = None
) -> Exported:
    """Write the events `first` to `last` of a lock (by default all that are kept) as evidence, with an audit leaf for
    every holder of a key in it.

    When the hash before the first event is gone with retention, that event itself becomes the anchor. A tenant's
    request covers no openings of others. Raises Refused lock.unknown, input.not_one_of, purpose.case,
    purpose.case_form, evidence.range, evidence.gap, evidence.others.
    """
    if ground not in EVIDENCE_GROUNDS:
        raise Refused("input.not_one_of", "ground", allowed=tuple(EVIDENCE_GROUNDS))
    number = decide_case_number(case)
    if isinstance(number, Refusal):
        raise Refused.of([number])
    with transaction() as session:
        row = find_lock(session, lock)
        anchor, events = _events(world, session, row, first, last)
        holders = _holders(session, row, events[0].seq, events[-1].seq)
        if ground == "tenant_request" and len(holders) > 1:
            raise Refused("evidence.others", "first")
        told = _write_leaves(world, session, row, holders, ground, number)
        content = write_evidence(
            Evidence(
                lock_id=row.id,
                lock_key=dict(row.public_key),
                platform_key={**jwk_of(world.tokens.public_keys()[world.tokens.kid]), "kid": world.tokens.kid},
                anchor_seq=anchor.seq,
                anchor_hash=anchor.hash,
                events=events,
                checkpoints=_checkpoints(session, row, anchor.seq, events[-1].seq),
                made_at=int(world.clock.now().timestamp()),
                ground=ground,
                case=number,
            ),
            world.tokens.sign,
        )
        checked = min(row.checked_seq, events[-1].seq)
        return Exported(content, row.id, events[0].seq, events[-1].seq, checked, told)


def _events(
    world: World, session: Session, lock: Lock, first: int | None, last: int | None
) -> tuple[LoggedEvent, tuple[LoggedEvent, ...]]:
    """The anchor and the events after it, without a gap. Raises Refused evidence.range, evidence.gap."""
    begin = max(1, first or 1)
    statement = select(LockEvent.seq, LockEvent.text, LockEvent.hash).where(
        LockEvent.lock_id == lock.id, LockEvent.seq >= begin - 1
    )
    if last is not None:
        statement = statement.where(LockEvent.seq <= last)
    stored = [LoggedEvent(*row) for row in session.execute(statement.order_by(LockEvent.seq))]
    known = _anchor_before(session, lock, begin, stored)
    if known is None and stored:  # retention has taken what came before; the oldest event we have begins the chain
        known = stored[0]
    events = tuple(event for event in stored if known is not None and event.seq > known.seq)
    if known is None or not events:
        raise Refused("evidence.range", "first", days=world.house.door_events_kept.days)
    for seq, event in enumerate(events, known.seq + 1):
        if event.seq != seq:
            raise Refused(
                "evidence.gap", "first", first=seq, last=event.seq - 1, before=seq - 1, after=event.seq
            )
    return known, events


def _anchor_before(
    session: Session, lock: Lock, begin: int, stored: Sequence[LoggedEvent]
) -> LoggedEvent | None:
    """Where the chain stood before event `begin`: as stored, as every chain begins, or as the lock has signed."""
    if begin == 1 and (not stored or stored[0].seq == 1):
        return LoggedEvent(0, "", first_hash(lock.id))
    if stored and stored[0].seq == begin - 1:
        return stored[0]
    if not stored:
        return None
    before = stored[0].seq - 1
    token = session.scalar(
        select(LockCheckpoint.token).where(LockCheckpoint.lock_id == lock.id, LockCheckpoint.seq == before)
    )
    return LoggedEvent(before, "", from_base64url(claims_unverified(token)["head"])) if token else None


def _checkpoints(session: Session, lock: Lock, anchor: int, last: int) -> dict[int, str]:
    rows = session.execute(
        select(LockCheckpoint.seq, LockCheckpoint.token).where(
            LockCheckpoint.lock_id == lock.id, LockCheckpoint.seq >= anchor, LockCheckpoint.seq <= last
        )
    )
    return {row.seq: row.token for row in rows}


@dataclass(frozen=True)
class _Holder:
    """Whose key it is: `name` tells holders apart, `person_id` is who can read the leaf (a visitor may be nobody)."""

    name: str
    person_id: str | None


def _holders(session: Session, lock: Lock, first: int, last: int) -> set[_Holder]:
    keys = session.scalars(
        select(Key).where(
            Key.id.in_(
                select(LockEvent.key_id).where(
                    LockEvent.lock_id == lock.id, LockEvent.seq >= first, LockEvent.seq <= last
                )
            )
        )
    )
    return {_Holder(key.holder_id or key.holder_account_id or key.id, key.holder_id) for key in keys}


def _write_leaves(
    world: World, session: Session, lock: Lock, holders: set[_Holder], ground: str, case: str
) -> int:
    """A leaf for each person, one without a person when there is none; answers how many persons can read theirs."""
    actor = Actor("operator", office=OFFICE, purpose=ground, case_ref=case)
    persons = sorted({holder.person_id for holder in holders if holder.person_id is not None})
    nobody: list[str | None] = [None]
    for person_id in persons or nobody:
        write_leaf(
            world,
            session,
            actor,
            "door_events_exported",
            subject_id=person_id,
            object_kind="lock",
            object_id=lock.id,
            fields=["door_events"],
        )
    return len(persons)
