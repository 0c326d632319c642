"""What the worker's tests do again and again: pass, wait, look; and clients that die or disturb."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.db import db
from backend.gateways.clock import FixedClock
from backend.gateways.registry_client import HttpRegistryClient
from backend.gateways.world import World
from backend.models.outbox import OutboxRow
from backend.models.registrations import Registration
from backend.models.registry_attempts import RegistryAttempt
from backend.registry.tables import versions
from backend.wire.receipts import Receipt, verify_receipt
from backend.wire.registry_answers import BatchStatus, Received
from backend.wire.registry_messages import Batch
from backend.worker.registry_loop import process_once
from tests.registry.stage import Stage


class Killed(BaseException):
    """Stands for kill -9: nothing of ours catches it or cleans up."""


class Disturbed:
    """The real client; `before` and `after` are called around each call with its name, and may raise."""

    def __init__(self, client: HttpRegistryClient) -> None:
        self._client = client
        self.before: Callable[[str], None] = lambda _: None
        self.after: Callable[[str], None] = lambda _: None
        self.calls: list[str] = []
        self.keys: list[str] = []

    def submit(self, batch: Batch, idempotency_key: str) -> Received:
        """Note the key too."""
        self.keys.append(idempotency_key)
        return self._around("submit", lambda: self._client.submit(batch, idempotency_key))

    def batch_status(self, batch_id: str) -> BatchStatus:
        """Ask."""
        return self._around("batch_status", lambda: self._client.batch_status(batch_id))

    def find_record(self, record_id: str) -> Any:
        """Ask."""
        return self._around("find_record", lambda: self._client.find_record(record_id))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def _around(self, name: str, call: Callable[[], Any]) -> Any:
        self.calls.append(name)
        self.before(name)
        answer = call()
        self.after(name)
        return answer


@dataclass(frozen=True)
class Stored:
    """What we have stored of a registration."""

    state: str
    receipt_no: str | None
    landlord_receipt_no: str | None
    checkout_receipt_no: str | None
    errors: list[dict[str, Any]]


class Telling:
    """A worker, its registry, and time."""

    def __init__(self, world: World, clock: FixedClock, stage: Stage) -> None:
        self.clock, self.stage = clock, stage
        stage.now = clock.now()
        self.client = Disturbed(stage.client)
        self.world = replace(world, registry=self.client)

    def once(self, *, judged: bool = True) -> int:
        """One pass; the registry judges what is due before it and while the worker waits."""
        if judged:
            self.stage.judge()
        return process_once(self.world, sleep=lambda _: self.stage.judge() if judged else None)

    def passes(self) -> int:
        """Passes until nothing is due."""
        total = 0
        while handled := self.once():
            total += handled
        return total

    def move(self, **step: float) -> None:
        """Let time pass on both sides."""
        self.clock.move(timedelta(**step))
        self.stage.move(**step)

    def settle(self) -> None:
        """Let time pass until no row is open any more (or parked)."""
        for _ in range(60):
            self.passes()
            if not self.open_rows():
                return
            self.move(minutes=5)
        raise AssertionError("rows stay open for five hours")

    def die(self, at: str, *, after: bool = False) -> None:
        """Make one pass and die before (or after) a call."""

        def kill(name: str) -> None:
            if name == at:
                raise Killed

        setattr(self.client, "after" if after else "before", kill)
        try:
            self.once()
        except Killed:
            db.session.remove()
        else:
            raise AssertionError(f"{at} was never called")
        finally:
            self.client.before = self.client.after = lambda _: None

    def stored(self, registration_id: str) -> Stored:
        """What we have stored now."""
        db.session.rollback()
        row = db.session.get_one(Registration, registration_id, populate_existing=True)
        return Stored(
            row.registry_state,
            row.receipt_no,
            row.landlord_receipt_no if row.landlord_receipt_token else None,
            row.checkout_receipt_no,
            row.registry_errors,
        )

    def receipt(self, registration_id: str) -> Receipt:
        """The stored receipt, verified."""
        row = db.session.get_one(Registration, registration_id, populate_existing=True)
        return verify_receipt(row.receipt_token or "", self.stage.client.receipt_keys())

    def open_rows(self, session: Session | None = None) -> list[OutboxRow]:
        """Rows neither done nor parked, as they are now or in a write unit."""
        if session is None:
            db.session.rollback()
        mine = select(OutboxRow).where(OutboxRow.destination == "registry", OutboxRow.done_at.is_(None))
        return list((session or db.session).scalars(mine.where(OutboxRow.parked_at.is_(None))))

    def attempts(self, registration_id: str) -> list[RegistryAttempt]:
        """Every attempt, oldest first."""
        db.session.rollback()
        mine = select(RegistryAttempt).where(RegistryAttempt.registration_id == registration_id)
        return list(db.session.scalars(mine.order_by(RegistryAttempt.id)))

    def held_versions(self) -> list[tuple[str, str, int, str]]:
        """Everything the registry ever accepted: record, leg, version, receipt."""
        with self.stage.registry.database.reading() as connection:
            rows = connection.execute(select(versions).order_by(versions.c.receipt_no)).all()
        return [(row.record_id, row.leg, row.version, row.receipt_no) for row in rows]
