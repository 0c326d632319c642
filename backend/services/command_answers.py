"""The lock's word on a command: a result, or the event that tells of it, whichever comes first.

It works on plain columns, not on objects of the session: a person stands at the door, and events come by the thousand.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from sqlalchemy import Update, bindparam, select, update
from sqlalchemy.orm import Session

from backend.db import after_commit
from backend.domain.commands import decide_answer
from backend.domain.ids import is_id
from backend.gateways.world import World
from backend.models.commands import Command
from backend.models.locks import Lock


@dataclass
class AskedCommand:
    """A command held in the present write unit, as far as a lock's word can change it."""

    id: str
    lock_id: str
    state: str
    event_seq: int | None


def commands_to_answer(session: Session, command_ids: Collection[str]) -> Mapping[str, AskedCommand]:
    """The commands among these ids, by id, all at once; to be answered in the present write unit."""
    ids = [each for each in command_ids if is_id(each)]
    if not ids:
        return {}
    return {row.id: AskedCommand(*row) for row in session.connection().execute(_TO_ANSWER, {"ids": ids})}


def command_of_lock(session: Session, lock_id: str, command_id: str) -> AskedCommand | None:
    """A command of a lock in use, to be answered in the present write unit."""
    if not is_id(command_id):
        return None
    row = session.connection().execute(_OF_LOCK, {"command_id": command_id, "lock_id": lock_id}).one_or_none()
    return None if row is None else AskedCommand(*row)


def apply_answer(
    world: World,
    session: Session,
    lock_id: str,
    command: AskedCommand | None,
    answer: str,
    reason: str | None,
    seq: int | None,
) -> bool:
    """Apply the lock's word on a command inside the present write unit; False when there is no such command of it."""
    if command is None or command.lock_id != lock_id:
        return False
    changes: dict[str, Any] = {}
    if seq is not None and not command.event_seq:
        changes["event_seq"] = command.event_seq = seq
    state = decide_answer(command.state, answer, reason)
    if state is not None:
        changes["state"] = command.state = state
        changes["reason"] = reason
        if state != "accepted":
            changes["answered_at"] = world.clock.now()
            after_commit(session, Answered(world))
    if changes:
        session.connection().execute(_answer(tuple(changes)), {"of_id": command.id, **changes})
    return True


@cache
def _answer(names: tuple[str, ...]) -> Update:
    """The statement that sets these columns of a command."""
    return update(Command).where(Command.id == bindparam("of_id")).values({name: bindparam(name) for name in names})


@dataclass(frozen=True)
class Answered:
    """Wakes those who wait for a command; equal to its like, so that one unit wakes them once."""

    world: World = field(compare=False)

    def __call__(self) -> None:
        self.world.wake_up.notify("command")


_HELD = select(Command.id, Command.lock_id, Command.state, Command.event_seq)
_TO_ANSWER = _HELD.where(Command.id.in_(bindparam("ids", expanding=True))).order_by(Command.id).with_for_update()
_OF_LOCK = (
    _HELD.join(Lock, Lock.id == Command.lock_id)
    .where(Command.id == bindparam("command_id"), Command.lock_id == bindparam("lock_id"), Lock.retired_at.is_(None))
    .with_for_update(of=Command)
)
