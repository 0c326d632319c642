"""A chunk of answers from the registry, settled in one write unit: read together, decided one by one, written together.

Row by row a backlog would take ten statements for each record, and the registry would wait for us. The fence of every
outbox row is checked under its lock before anything is decided, so whoever lost a claim decides nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from backend.db import transaction
from backend.domain.ids import new_id
from backend.domain.registry_rules import end_owed
from backend.gateways.world import World
from backend.models.accounts import Account
from backend.models.audit import AuditLeaf
from backend.models.notices import Notice
from backend.models.outbox import OutboxRow
from backend.models.registrations import Registration, RegistrationChange
from backend.models.registry_attempts import RegistryAttempt
from backend.models.registry_returns import RegistryLeg
from backend.services import outbox
from backend.services.audit import Actor, make_leaf
from backend.services.change_feed import note_registrations
from backend.services.household_members import spokespersons_of
from backend.services.letter_rows import NewLetter, write_letters
from backend.services.outbox import OutboxItem
from backend.services.registration_changes import put_end
from backend.wire.receipts import Receipt
from backend.wire.registry_answers import digest_day

ENDED_AS = {"CHECKOUT": "MOVED_OUT", "VOID": "VOIDED"}


@dataclass(frozen=True)
class Row:
    """One claimed outbox row with the attempt that is open for it."""

    item: OutboxItem
    attempt_id: int


@contextmanager
def settling(world: World, rows: Sequence[Row]) -> Iterator[Settlement]:
    """One write unit over these rows; what was decided is written at its end."""
    with transaction() as session:
        settlement = Settlement(world, session, rows)
        yield settlement
        settlement.write()


class Settlement:
    """What is known of a chunk of rows, and what was decided about them so far."""

    def __init__(self, world: World, session: Session, rows: Sequence[Row]) -> None:
        self.world, self.session = world, session
        items = [row.item for row in rows]
        self._ours = outbox.hold(session, items)
        self._attempts = {
            attempt.id: attempt
            for attempt in session.scalars(
                select(RegistryAttempt).where(RegistryAttempt.id.in_([row.attempt_id for row in rows]))
            )
        }
        ids = sorted({item.aggregate_id for item in items})
        found = session.scalars(select(Registration).where(Registration.id.in_(ids)))
        self._registrations = {registration.id: registration for registration in found}
        legs = session.scalars(select(RegistryLeg).where(RegistryLeg.registration_id.in_(ids)))
        self._legs = {(leg.registration_id, leg.leg): leg for leg in legs}
        self._open_rows = _open_rows(session, ids)
        self._outcomes = _outcomes_of(session, [item.id for item in items])
        self._settled: list[tuple[OutboxItem, dict[str, Any]]] = []
        self._leaves: list[dict[str, Any]] = []
        self._changes: list[dict[str, Any]] = []
        self._notices: list[tuple[str, str, str, dict[str, Any]]] = []
        self.receipt_keys = world.registry.receipt_keys()
        self._told_on: list[Registration] = []
        self._spokespersons: dict[str, str | None] | None = None

    def attempt(self, row: Row) -> RegistryAttempt:
        """The open attempt of a row."""
        return self._attempts[row.attempt_id]

    def registration(self, attempt: RegistryAttempt) -> Registration:
        """The registration an attempt tells about."""
        return self._registrations[attempt.registration_id]

    def finish(self, item: OutboxItem) -> bool:
        """Mark a row as done; False when the claim was lost to another worker, who decides then."""
        return self._settle(item, done_at=self.world.clock.now(), lease_until=None, last_error=None)

    def retry(self, item: OutboxItem, *, after: timedelta, error: str) -> None:
        """Give a row back, to be tried again."""
        at = self.world.clock.now() + after
        self._settle(item, available_at=at, lease_until=None, last_error=error[:300])

    def park(self, item: OutboxItem, *, error: str) -> bool:
        """Set a row aside for a person; False when the claim was lost."""
        return self._settle(item, parked_at=self.world.clock.now(), lease_until=None, last_error=error[:300])

    def close(self, attempt: RegistryAttempt, outcome: str) -> None:
        """Count an outcome of an attempt's row; the attempt itself is the caller's."""
        self._outcomes.setdefault(attempt.outbox_id, Counter())[outcome] += 1

    def count(self, attempt: RegistryAttempt, *outcomes: str) -> int:
        """How many attempts of this row ended so, the present one included once it is closed."""
        return sum(self._outcomes.get(attempt.outbox_id, Counter())[outcome] for outcome in outcomes)

    def has_later(self, item: OutboxItem) -> bool:
        """Whether a later version of the tenant's leg still waits: then the present state is that one's."""
        rows = self._open_rows.get(item.aggregate_id, ())
        return any(row_id > item.id and leg == "TENANT" for row_id, leg, _ in rows)

    def end_what_is_over(self, registration: Registration) -> None:
        """What was accepted of a residence that has ended meanwhile is ended at the registry too, once.

        Its end found nothing to name when it came: a version that is accepted only now had been set aside.
        """
        op = end_owed(registration.residence, registration.scope)
        legs = self._legs_of(registration.id)
        waits = any(kind in ENDED_AS for _, _, kind in self._open_rows.get(registration.id, ()))
        if op is not None and not waits and any(leg.state == "ACTIVE" for leg in legs):
            put_end(self.world, self.session, registration, op)

    def keep_leg(self, attempt: RegistryAttempt, receipt: Receipt) -> None:
        """Remember what the registry holds now, as its digest counts it."""
        record, now = attempt.registration_id, self.world.clock.now()
        if attempt.op in ENDED_AS:
            for leg in self._legs_of(record):
                leg.state, leg.changed_at = ENDED_AS[attempt.op], now
            return
        town = receipt.number.split("-")[1]
        others = [leg for leg in self._legs_of(record) if leg.leg != attempt.leg]
        if attempt.leg == "LANDLORD" and others:
            town = others[0].town  # the tenant's own word on where counts before the landlord's
        for leg in others:
            if leg.town != town:
                leg.town, leg.changed_at = town, now
        held = self._legs.get((record, attempt.leg))
        if held is None:
            held = RegistryLeg(registration_id=record, leg=attempt.leg, reads_asked_at=now, reads_seen=0)
            held.state = others[0].state if others else "ACTIVE"
            self.session.add(held)
            self._legs[record, attempt.leg] = held
        held.version, held.town, held.day = attempt.version, town, digest_day(receipt.declared_at)
        held.changed_at = now

    def note(self, actor: Actor, attempt: RegistryAttempt, action: str, reason: str | None) -> None:
        """Write down what became of a version: in the registration's own history and in the audit log."""
        registration, now = self.registration(attempt), self.world.clock.now()
        registration.updated_at = now
        change = {
            "id": new_id(),
            "registration_id": registration.id,
            "version": attempt.version,
            "at": now,
            "actor_kind": "system",
            "action": action,
            "reason": reason,
            "source": "registry",
            "fields": [error["pointer"] for error in attempt.errors],
        }
        self._changes.append(change)
        self._leaves.append(
            make_leaf(
                self.world,
                actor,
                action,
                subject_id=registration.person_id,
                object_kind="registration",
                object_id=registration.id,
                decision=reason,
            )
        )

    def spokesperson(self, registration: Registration) -> str | None:
        """The person who is told about a registration of this chunk, and mends it."""
        if self._spokespersons is None:
            self._spokespersons = spokespersons_of(self.world, self.session, list(self._registrations.values()))
        return self._spokespersons[registration.id]

    def tell_offices(self, registration: Registration) -> None:
        """Tell the entitled offices that the registry has accepted what is declared."""
        self._told_on.append(registration)

    def tell(self, person_id: str, kind: str, once: str, **params: Any) -> None:
        """Tell the account of a person once; who has no phone is written to."""
        self._notices.append((person_id, kind, f"{kind}:{once}"[:120], params))

    def write(self) -> None:
        """Write what was decided. The caller's objects are flushed with it."""
        outbox.settle_together(self.session, self._settled)
        self.session.flush()
        connection = self.session.connection()
        if self._changes:
            connection.execute(insert(RegistrationChange), self._changes)
        if self._leaves:
            connection.execute(insert(AuditLeaf), self._leaves)
        note_registrations(self.world, self.session, self._told_on, "registry_accepted")
        if self._notices:
            self._write_notices()

    def _write_notices(self) -> None:
        people = [person_id for person_id, _, _, _ in self._notices]
        found = select(Account.person_id, Account.id, Account.phone_token).where(Account.person_id.in_(people))
        pairs = self.session.execute(found).all()
        accounts = {row.person_id: row.id for row in pairs}
        phones = {row.person_id for row in pairs if row.phone_token is not None}
        letters = [
            NewLetter(person_id, kind, marker, None, params)
            for person_id, kind, marker, params in self._notices
            if person_id not in phones
        ]
        write_letters(self.world, self.session, letters)
        markers = [marker for _, _, marker, _ in self._notices]
        told = set(self.session.scalars(select(Notice.once).where(Notice.once.in_(markers))))
        rows = [
            {"id": new_id(), "account_id": accounts[person_id], "kind": kind, "once": marker, "params": params,
             "at": self.world.clock.now()}
            for person_id, kind, marker, params in self._notices
            if person_id in accounts and marker not in told
        ]  # fmt: skip
        if rows:
            self.session.connection().execute(insert(Notice), rows)

    def _settle(self, item: OutboxItem, **values: Any) -> bool:
        if item.id not in self._ours:
            return False
        self._ours.discard(item.id)
        self._settled.append((item, values))
        return True

    def _legs_of(self, record: str) -> list[RegistryLeg]:
        return [leg for name in ("TENANT", "LANDLORD") if (leg := self._legs.get((record, name))) is not None]


def _open_rows(session: Session, ids: Sequence[str]) -> dict[str, list[tuple[int, str, str]]]:
    """What waits for these records or was set aside: (row, leg, operation)."""
    open_rows = session.execute(
        select(OutboxRow.aggregate_id, OutboxRow.id, OutboxRow.payload, OutboxRow.kind).where(
            OutboxRow.destination == "registry", OutboxRow.aggregate_id.in_(ids), OutboxRow.done_at.is_(None)
        )
    )
    found: dict[str, list[tuple[int, str, str]]] = {}
    for record, row_id, payload, kind in open_rows:
        found.setdefault(record, []).append((row_id, payload.get("leg", "TENANT"), kind))
    return found


def _outcomes_of(session: Session, outbox_ids: Sequence[int]) -> dict[int, Counter[str]]:
    counted = session.execute(
        select(RegistryAttempt.outbox_id, RegistryAttempt.outcome, func.count())
        .where(RegistryAttempt.outbox_id.in_(outbox_ids), RegistryAttempt.outcome != "open")
        .group_by(RegistryAttempt.outbox_id, RegistryAttempt.outcome)
    )
    found: dict[int, Counter[str]] = {}
    for outbox_id, outcome, number in counted:
        found.setdefault(outbox_id, Counter())[outcome] = number
    return found
