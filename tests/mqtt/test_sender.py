"""The sender: woken or swept, it sends what is due, parks what it cannot send, and outlives a fault."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from backend.db import db
from backend.gateways.world import World
from backend.models.outbox import OutboxRow
from backend.mqtt.sender import Sender
from backend.services import lock_sending
from tests.mqtt.villages import MemoryLink

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)


def put(world: World, kind: str) -> None:
    now = world.clock.now()
    db.session.add(OutboxRow(destination="lock", aggregate_id="x", kind=kind, created_at=now, available_at=now))
    db.session.commit()


def test_a_row_nobody_can_send_is_parked_and_those_behind_it_go_on(core: Flask, world: World) -> None:
    put(world, "sing")
    sender = Sender(core, world, MemoryLink())  # type: ignore[arg-type]
    sender.step()
    row = db.session.scalars(select(OutboxRow)).one()
    assert row.parked_at is not None and row.last_error == "unknown kind sing"


def test_a_fault_ends_no_loop(core: Flask, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    sender = Sender(core, world, MemoryLink())  # type: ignore[arg-type]

    def claim(*_: Any, **__: Any) -> list[Any]:
        calls.append(1)
        if len(calls) == 1:
            raise ZeroDivisionError
        sender.stop()
        return []

    monkeypatch.setattr(lock_sending, "claim", claim)
    sender.run()
    assert len(calls) == 2 and sender.trouble is None


def test_a_message_that_could_not_leave_stays_claimed_until_its_lease_ends(core: Flask, world: World) -> None:
    class Shut(MemoryLink):
        def publish(self, *_: Any) -> bool:
            return False

    from tests.services.stories import make_active

    make_active(world)
    sender = Sender(core, world, Shut())  # type: ignore[arg-type]
    while sender.send_due():
        pass
    db.session.rollback()
    waiting = db.session.scalars(
        select(OutboxRow).where(OutboxRow.destination == "lock", OutboxRow.done_at.is_(None))
    ).all()
    assert [row.kind for row in waiting] == ["key_list"] and waiting[0].lease_until is not None


def test_a_message_that_cannot_be_made_waits_and_those_behind_it_go_on(core: Flask, world: World) -> None:
    put(world, "key_list")  # of a lock that is not there
    put(world, "sing")
    db.session.execute(OutboxRow.__table__.update().where(OutboxRow.kind == "sing").values(aggregate_id="y"))
    db.session.commit()
    Sender(core, world, MemoryLink()).step()  # type: ignore[arg-type]
    db.session.rollback()
    broken, behind = db.session.scalars(select(OutboxRow).order_by(OutboxRow.id)).all()
    assert broken.parked_at is None and broken.done_at is None and broken.available_at > world.clock.now()
    assert (broken.last_error or "").startswith("unmade: ") and behind.parked_at is not None
