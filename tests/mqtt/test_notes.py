"""What was sent is noted some moments later: the next row of a lock does not wait for that, and a crash sends again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from backend.db import db
from backend.gateways.world import World
from backend.models.outbox import OutboxRow
from backend.mqtt.notes import SendingNotes
from backend.services import commands, lock_reports, lock_sending
from backend.services.outbox import OutboxItem
from tests.services.reports import make_birth
from tests.services.stories import Story, make_active


@pytest.fixture
def story(core: Flask, world: World) -> Story:
    story = make_active(world)
    lock_reports.record_birth(world, story.identity.lock_id, make_birth(story.identity.lock_id))
    while items := lock_sending.claim(world, limit=10):
        commands.record_sent(world, items)
    return story


def ask(world: World, story: Story, once: str) -> str:
    return commands.request_unlock(world, account_id=story.tenant, key_id=story.key_id, idempotency_key=once).id


def claimed(world: World, sent: tuple[int, ...] = ()) -> list[OutboxItem]:
    return lock_sending.claim(world, limit=10, sent=sent)


def open_rows() -> int:
    db.session.rollback()
    waiting = select(OutboxRow.id).where(OutboxRow.destination == "lock", OutboxRow.done_at.is_(None))
    return len(db.session.scalars(waiting).all())


def test_a_row_behind_one_that_has_left_is_claimed_before_that_is_noted(world: World, story: Story) -> None:
    first, second = ask(world, story, "tap-1"), ask(world, story, "tap-2")
    [one] = claimed(world)
    assert one.payload["command_id"] == first and one.is_followed
    assert claimed(world) == [], "it may not have left yet"
    [two] = claimed(world, (one.id,))
    assert two.payload["command_id"] == second
    assert claimed(world, (one.id, two.id)) == [], "what has left is not claimed again while its lease lasts"


def test_what_was_sent_and_never_noted_is_sent_again_when_its_lease_ends(
    world: World, story: Story, clock: Any
) -> None:
    ask(world, story, "tap-1")
    [one] = claimed(world)
    clock.move(lock_sending.LEASE + timedelta(seconds=1))
    [again] = claimed(world)
    assert again.id == one.id and again.fence == one.fence + 1
    commands.record_sent(world, [one])
    assert open_rows() == 1, "the late note of the first sender changes nothing"
    commands.record_sent(world, [again])
    assert open_rows() == 0


def test_without_a_thread_it_is_noted_at_once_and_what_cannot_be_noted_is_kept(
    core: Flask, world: World, story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any) -> None:
        raise OperationalError("away", None, Exception())

    ask(world, story, "tap-1")
    notes, items = SendingNotes(core, world), claimed(world)
    with monkeypatch.context() as patch:
        patch.setattr(commands, "record_sent", away)
        with pytest.raises(OperationalError):
            notes.put(items)
    assert list(notes.ids()) == [items[0].id]
    notes.write()
    assert list(notes.ids()) == [] and open_rows() == 0


def test_with_its_thread_everything_is_noted_when_it_ends(core: Flask, world: World, story: Story) -> None:
    ask(world, story, "tap-1")
    notes = SendingNotes(core, world)
    notes.begin()
    notes.put(claimed(world))
    notes.end()
    assert list(notes.ids()) == [] and open_rows() == 0
