"""The common case in one statement: it writes only what still holds, and never half of it."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError, OperationalError

from backend.db import at_once, db, transaction
from backend.domain.refusals import Refused
from backend.gateways.world import World
from backend.models.audit import AuditLeaf
from backend.models.commands import Command
from backend.models.locks import Lock
from backend.models.outbox import OutboxRow
from backend.services import commands, lock_reports, quick_commands
from backend.services.keys import suspend_key
from tests.services.reports import make_birth
from tests.services.stories import Story, make_active

pytestmark = [
    pytest.mark.usefixtures("core"),
    pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True),
]


@pytest.fixture
def story(world: World) -> Story:
    story = make_active(world)
    lock_reports.record_birth(world, story.identity.lock_id, make_birth(story.identity.lock_id))
    return story


def ask(world: World, story: Story, once: str = "tap-1") -> commands.CommandView:
    return commands.request_unlock(world, account_id=story.tenant, key_id=story.key_id, idempotency_key=once)


def count(*of: Any) -> list[int]:
    db.session.rollback()
    return [db.session.scalar(select(func.count()).select_from(kind)) or 0 for kind in of]


def change_after_deciding(monkeypatch: pytest.MonkeyPatch, change: Any) -> None:
    """Let `change` happen between the decision and the writing."""
    write = quick_commands.write_command

    def late(*arguments: Any, **named: Any) -> bool:
        change()
        return write(*arguments, **named)

    monkeypatch.setattr(quick_commands, "write_command", late)


def test_a_key_suspended_between_deciding_and_writing_opens_nothing(
    world: World, story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = count(Command, OutboxRow)
    change_after_deciding(monkeypatch, lambda: suspend_key(world, account_id=story.tenant, key_id=story.key_id))
    with pytest.raises(Refused, match="key.not_active"):
        ask(world, story)
    assert count(Command) == before[:1]
    assert db.session.scalars(select(AuditLeaf).where(AuditLeaf.action == "command_asked")).all() == []


def test_a_lock_that_goes_offline_in_between_is_offline(
    world: World, story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    def go() -> None:
        with transaction() as session:
            session.get_one(Lock, story.identity.lock_id).presence = "offline"

    change_after_deciding(monkeypatch, go)
    with pytest.raises(Refused, match="lock_offline"):
        ask(world, story)
    assert count(Command) == [0]


def test_what_fails_half_way_leaves_nothing(world: World, story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    before = count(Command, OutboxRow, AuditLeaf)
    leaf = commands.make_leaf
    monkeypatch.setattr(commands, "make_leaf", lambda *a, **n: {**leaf(*a, **n), "action": None})
    with pytest.raises(IntegrityError):
        ask(world, story)
    assert count(Command, OutboxRow, AuditLeaf) == before


def test_the_leaf_written_with_a_command_is_the_one_that_was_hashed(world: World, story: Story) -> None:
    view = ask(world, story)
    leaf = db.session.scalars(select(AuditLeaf).where(AuditLeaf.object_id == view.id)).one()
    assert (leaf.action, leaf.actor_kind, leaf.actor_id, leaf.fields) == ("command_asked", "resident", None, [])
    assert len(leaf.nonce) == 32 and len(leaf.leaf_hash) == 32 and leaf.seq is None


def test_one_statement_inside_a_write_unit_is_refused() -> None:
    with pytest.raises(RuntimeError, match="another use case"), transaction():
        at_once("SELECT 1", {})


def test_a_connection_the_server_has_cut_is_replaced_and_a_fault_is_told_as_everywhere() -> None:
    [(pid,)] = at_once("SELECT pg_backend_pid()", {})
    db.session.execute(text("SELECT pg_terminate_backend(:pid, 10000)"), {"pid": pid})
    db.session.rollback()
    [(other,)] = at_once("SELECT pg_backend_pid()", {})
    assert other != pid
    with pytest.raises(OperationalError):
        at_once("SELECT pg_terminate_backend(pg_backend_pid())", {})
    assert at_once("SELECT 1", {}) == [(1,)]
