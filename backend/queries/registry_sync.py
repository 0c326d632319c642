"""How the sync with the registry is doing, and what was tried for one registration. No personal data in any answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session, aliased

from backend.db import reading
from backend.domain.registry_rules import decide_owner
from backend.models.outbox import OutboxRow
from backend.models.registrations import Registration
from backend.models.registry_attempts import RegistryAttempt
from backend.models.registry_contacts import RegistryContact

MOST_PARKED = 200
MOST_ASKED = 500
CONTACT_OLD_AFTER = timedelta(seconds=60)


@dataclass(frozen=True)
class ParkedRow:
    """Something set aside for a person; `owner` is TENANT, LANDLORD, OPERATOR or REGISTRY."""

    outbox_id: int
    registration_id: str
    kind: str
    leg: str
    owner: str
    error: str
    attempts: int
    parked_at: datetime
    pointers: tuple[str, ...] = ()  # the fields the registry found fault with the last time


@dataclass(frozen=True)
class SyncHealth:
    """The state of the sync. `is_well` is False within a minute of the registry falling silent (or the worker)."""

    backlog: int
    oldest_waiting_at: datetime | None
    last_receipt_no: str | None
    last_receipt_at: datetime | None
    checked_at: datetime | None
    reached_at: datetime | None
    failing_since: datetime | None
    failure: str | None
    rejected: int
    alarms_today: int
    parked: tuple[ParkedRow, ...]
    is_well: bool


@dataclass(frozen=True)
class ReturnedLeg:
    """Something the registry did not take and that was not sent again since; `owner` is who can mend it."""

    outbox_id: int
    registration_id: str
    kind: str
    leg: str
    owner: str
    codes: tuple[str, ...]
    pointers: tuple[str, ...]
    answered_at: datetime | None


@dataclass(frozen=True)
class AttemptView:
    """One try to tell the registry: the proof of diligence."""

    sent_at: datetime
    answered_at: datetime | None
    op: str
    leg: str
    version: int
    outcome: str
    reason: str | None
    errors: tuple[dict[str, Any], ...]
    receipt_no: str | None
    batch_id: str | None


@dataclass(frozen=True)
class RegistryCourse:
    """What is known of one registration at the registry."""

    registration_id: str
    registry_state: str
    version: int
    accepted_version: int
    receipt_no: str | None
    landlord_receipt_no: str | None
    checkout_receipt_no: str | None
    attempts: tuple[AttemptView, ...]


def get_sync_health(now: datetime) -> SyncHealth:
    """Backlog, age, last receipt, contact, parked rows; `now` is the clock's."""
    with reading() as session:
        mine = (OutboxRow.destination == "registry", OutboxRow.done_at.is_(None))
        open_rows = (*mine, OutboxRow.parked_at.is_(None))
        last = session.execute(
            select(RegistryAttempt.receipt_no, RegistryAttempt.answered_at)
            .where(RegistryAttempt.outcome == "accepted")
            .order_by(RegistryAttempt.id.desc())
            .limit(1)
        ).first()
        contact = session.get(RegistryContact, 1)
        parked = session.scalars(
            select(OutboxRow).where(*mine, OutboxRow.parked_at.is_not(None)).order_by(OutboxRow.id).limit(MOST_PARKED)
        ).all()
        alarms = session.scalar(
            select(func.count()).where(
                RegistryAttempt.outcome == "alarm", RegistryAttempt.answered_at > now - timedelta(days=1)
            )
        )
        checked_at = contact.checked_at if contact else None
        return SyncHealth(
            backlog=session.scalar(select(func.count()).where(*open_rows)) or 0,
            oldest_waiting_at=session.scalar(select(func.min(OutboxRow.created_at)).where(*open_rows)),
            last_receipt_no=last.receipt_no if last else None,
            last_receipt_at=last.answered_at if last else None,
            checked_at=checked_at,
            reached_at=contact.reached_at if contact else None,
            failing_since=contact.failing_since if contact else None,
            failure=contact.failure if contact else None,
            rejected=session.scalar(select(func.count()).where(Registration.registry_state == "rejected")) or 0,
            alarms_today=alarms or 0,
            parked=_with_pointers(session, parked),
            is_well=contact is not None and contact.failure is None and now - contact.checked_at < CONTACT_OLD_AFTER,
        )


def list_returned(limit: int | None = MOST_PARKED) -> tuple[ReturnedLeg, ...]:
    """Legs whose last attempt came back and of which nothing waits to be sent, the oldest first."""
    later = aliased(RegistryAttempt)
    newer = exists().where(
        later.registration_id == RegistryAttempt.registration_id,
        later.leg == RegistryAttempt.leg,
        later.id > RegistryAttempt.id,
    )
    rejected = select(RegistryAttempt).where(RegistryAttempt.outcome == "rejected", ~newer).order_by(RegistryAttempt.id)
    with reading() as session:
        rows = session.scalars(rejected).all()
        waiting = _legs_on_their_way(session, [row.registration_id for row in rows])
        return tuple(_returned(row) for row in rows if (row.registration_id, row.leg) not in waiting)[:limit]


def find_course(registration_id: str) -> RegistryCourse | None:
    """One registration's way to the registry with every attempt, oldest first; None when there is none of that id."""
    with reading() as session:
        row = session.get(Registration, registration_id)
        if row is None:
            return None
        attempts = session.scalars(
            select(RegistryAttempt)
            .where(RegistryAttempt.registration_id == registration_id)
            .order_by(RegistryAttempt.id)
        ).all()
        return RegistryCourse(
            registration_id=row.id,
            registry_state=row.registry_state,
            version=row.version,
            accepted_version=row.registry_version,
            receipt_no=row.receipt_no,
            landlord_receipt_no=row.landlord_receipt_no,
            checkout_receipt_no=row.checkout_receipt_no,
            attempts=tuple(_attempt(attempt) for attempt in attempts),
        )


def _with_pointers(session: Session, rows: Sequence[OutboxRow]) -> tuple[ParkedRow, ...]:
    tried = session.execute(
        select(RegistryAttempt.outbox_id, RegistryAttempt.errors)
        .where(RegistryAttempt.outbox_id.in_([row.id for row in rows]))
        .order_by(RegistryAttempt.id)
    )
    pointers = {outbox_id: tuple(error["pointer"] for error in errors) for outbox_id, errors in tried}
    return tuple(_parked(row, pointers.get(row.id, ())) for row in rows)


def _parked(row: OutboxRow, pointers: tuple[str, ...]) -> ParkedRow:
    owner, _, error = (row.last_error or "").partition(": ")
    assert row.parked_at is not None
    return ParkedRow(
        outbox_id=row.id,
        registration_id=row.aggregate_id,
        kind=row.kind,
        leg=row.payload.get("leg", "TENANT"),
        owner=owner if error else "OPERATOR",
        error=error or owner,
        attempts=row.attempts,
        parked_at=row.parked_at,
        pointers=pointers,
    )


def _legs_on_their_way(session: Session, records: Sequence[str]) -> set[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    for start in range(0, len(records), MOST_ASKED):
        waiting = select(OutboxRow.aggregate_id, OutboxRow.payload).where(
            OutboxRow.destination == "registry",
            OutboxRow.done_at.is_(None),
            OutboxRow.aggregate_id.in_(records[start : start + MOST_ASKED]),
        )
        found |= {(record, payload.get("leg", "TENANT")) for record, payload in session.execute(waiting)}
    return found


def _returned(row: RegistryAttempt) -> ReturnedLeg:
    return ReturnedLeg(
        outbox_id=row.outbox_id,
        registration_id=row.registration_id,
        kind=row.op,
        leg=row.leg,
        owner=decide_owner(error.get("owner", "OPERATOR") for error in row.errors),
        codes=tuple(error["code"] for error in row.errors),
        pointers=tuple(error["pointer"] for error in row.errors),
        answered_at=row.answered_at,
    )


def _attempt(row: RegistryAttempt) -> AttemptView:
    return AttemptView(
        sent_at=row.sent_at,
        answered_at=row.answered_at,
        op=row.op,
        leg=row.leg,
        version=row.version,
        outcome=row.outcome,
        reason=row.reason,
        errors=tuple(row.errors),
        receipt_no=row.receipt_no,
        batch_id=row.remote_batch_id,
    )
