"""Commands to locks: asked by a key's holder, sent by the bridge, ended by the lock's own word.

A command for an offline lock is refused at once and never kept for later. What stands in the audit log is that a
command was asked for, without a name: when somebody opens a door is the tenant's alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from threading import BoundedSemaphore
from typing import Any

from sqlalchemy import bindparam, exists, insert, or_, select, update
from sqlalchemy.orm import Session, load_only

from backend.db import after_commit, can_act_at_once, reading, transaction
from backend.domain.commands import FINAL, decide_silence
from backend.domain.ids import is_id, new_id
from backend.domain.keys import STATE_NAMES
from backend.domain.refusals import Refused
from backend.domain.visitors import is_within
from backend.gateways.wake_up import Listener
from backend.gateways.world import World
from backend.models.commands import Command
from backend.models.keys import Key, KeyDoor
from backend.models.locks import Lock
from backend.models.outbox import OutboxRow
from backend.services import outbox, quick_commands
from backend.services.audit import Actor, make_leaf, write_leaf
from backend.services.command_answers import Answered
from backend.services.key_lists import KeyTimes, key_ends, windows_of
from backend.services.outbox import OutboxItem
from backend.services.quick_commands import CommandSeen

LONGEST_WAIT_SECONDS = 3.0
MOST_WAITERS = 6  # of one process: the rest of its threads stay free for others
LOOK_AGAIN_SECONDS = 0.5  # a lost wake-up costs no more than this

RESIDENT, ASKED = Actor("resident"), "command_asked"  # a leaf that names nobody

_waiters = BoundedSemaphore(MOST_WAITERS)


@dataclass(frozen=True)
class CommandView:
    """What is known of a command. `state` is one of backend.domain.commands; `reason` the lock's word for a refusal."""

    id: str
    lock_id: str
    key_id: str | None
    action: str
    state: str
    reason: str | None
    created_at: datetime
    expires_at: datetime
    answered_at: datetime | None


def request_unlock(world: World, *, account_id: str, key_id: str, idempotency_key: str) -> CommandView:
    """Ask a lock to open for a key's holder; the same idempotency key answers with the same command.

    Raises Refused not_found, key.not_active, key.not_yet, key.over, key.outside_window, unit.no_lock, lock_offline,
    input.key_reused.
    """
    quick = _request_at_once(world, account_id, key_id, idempotency_key) if can_act_at_once() else None
    if quick is not None:
        return quick
    with transaction() as session:
        asked = session.scalar(_ASKED, {"account_id": account_id, "idempotency_key": idempotency_key})
        if asked is not None:
            if asked.key_id != key_id or asked.action != "unlock":
                raise Refused("input.key_reused", "Idempotency-Key")
            return _view(asked, world.clock.now(), may_have_left=True)
        key = _usable_key(world, session, account_id, key_id)
        lock = _reachable_lock(session, key)
        command = _make_command(
            world, session, lock, "unlock", key_id=key.id, account_id=account_id, idempotency_key=idempotency_key
        )
        write_leaf(world, session, RESIDENT, ASKED, object_kind="command", object_id=command.id)
        return _view(command, command.created_at, may_have_left=False)


def unlock_and_wait(
    world: World, *, account_id: str, key_id: str, idempotency_key: str, seconds: float
) -> CommandView:
    """Ask a lock to open, wait up to `seconds` (3 at most) for its word, and answer what is known then.

    When too many wait already it answers at once. Raises what `request_unlock` raises.
    """

    def ask() -> CommandView:
        return request_unlock(world, account_id=account_id, key_id=key_id, idempotency_key=idempotency_key)

    if seconds <= 0 or not _waiters.acquire(blocking=False):
        return ask()
    try:
        until = time.monotonic() + min(seconds, LONGEST_WAIT_SECONDS)
        listener = world.wake_up.listen("command")  # before there is a command: its answer cannot come unheard
        try:
            view = ask()
            return _wait(listener, view, lambda: get_command(world, account_id=account_id, command_id=view.id), until)
        finally:
            listener.close()
    finally:
        _waiters.release()


def get_command(world: World, *, account_id: str, command_id: str) -> CommandView:
    """What is known of one's own command. Raises Refused not_found for anybody else's."""
    if can_act_at_once():
        seen = quick_commands.find_command(command_id)
        if seen is None or seen.account_id != account_id:
            raise Refused("not_found", "command_id")
        now = world.clock.now()
        if decide_silence(seen.state, True, seen.expires_at, now) is None:
            return _view(seen, now, may_have_left=False)
    with reading() as session:
        command = session.scalar(_SHOWN, {"command_id": command_id})
        if command is None or command.account_id != account_id:
            raise Refused("not_found", "command_id")
        now = world.clock.now()
        is_silent = decide_silence(command.state, True, command.expires_at, now) is not None
        return _view(command, now, may_have_left=is_silent and _may_have_left(session, command))


def wait_for_command(world: World, *, account_id: str, command_id: str, seconds: float) -> CommandView:
    """Wait up to `seconds` (3 at most) until a command is final, and answer what is known then.

    When too many wait already it answers at once. Raises Refused not_found.
    """

    def look() -> CommandView:
        return get_command(world, account_id=account_id, command_id=command_id)

    if seconds <= 0 or not _waiters.acquire(blocking=False):
        return look()
    try:
        until = time.monotonic() + min(seconds, LONGEST_WAIT_SECONDS)
        listener = world.wake_up.listen("command")
        try:  # look first, with the ear open: the answer may have come already
            return _wait(listener, look(), look, until)
        finally:
            listener.close()
    finally:
        _waiters.release()


def _wait(listener: Listener, view: CommandView, look: Callable[[], CommandView], until: float) -> CommandView:
    while view.state not in FINAL and (left := until - time.monotonic()) > 0:
        listener.wait(min(left, LOOK_AGAIN_SECONDS))
        view = look()
    return view


def ask_replay(world: World, session: Session, lock: Lock) -> None:
    """Intend, inside the present write unit, to ask a lock for everything it holds unacknowledged."""
    if lock.boot_id is not None:
        _make_command(world, session, lock, "replay", key_id=None)


def ask_wipe(world: World, session: Session, lock: Lock) -> None:
    """Intend, inside the present write unit, to have a lock that is being retired erase its keys; only when online."""
    if lock.boot_id is not None and lock.presence == "online":
        _make_command(world, session, lock, "wipe", key_id=None)


def record_sent(world: World, items: Sequence[OutboxItem]) -> None:
    """Note that these claimed rows have been handed to the broker, commands among them, in one write unit."""
    ids = [item.payload["command_id"] for item in items if item.kind == "command"]
    if can_act_at_once():
        if items:
            quick_commands.note_sent([(item.id, item.fence) for item in items], ids, world.clock.now())
        return
    with transaction() as session:
        if ids:
            session.connection().execute(_SENT, {"ids": ids, "now": world.clock.now()})
        outbox.finish_in(world, session, items)


def settle_silent_commands(world: World, *, limit: int = 200) -> int:
    """Name the commands nobody answered in time: `expired` when they never left, else `unknown`; answers how many."""
    now = world.clock.now()
    with reading() as session:
        waiting = select(Command.id).where(Command.state.in_(("queued", "sent", "accepted")), Command.expires_at < now)
        if session.scalar(waiting.limit(1)) is None:
            return 0
    with transaction() as session:
        commands = session.scalars(
            select(Command)
            .where(Command.state.in_(("queued", "sent", "accepted")), Command.expires_at < now)
            .order_by(Command.expires_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        ).all()
        changed = 0
        for command in commands:
            state = decide_silence(command.state, _may_have_left(session, command), command.expires_at, now)
            if state is not None:
                command.state, changed = state, changed + 1
        if changed:
            after_commit(session, Answered(world))
        return changed


def expire_unsent(world: World, session: Session, key_id: str) -> None:
    """Name, inside the present write unit, the commands of a key that may open no longer and that never left."""
    waiting = session.scalars(select(Command).where(Command.key_id == key_id, Command.state == "queued")).all()
    for command in waiting:
        if not _may_have_left(session, command):
            command.state = "expired"
            after_commit(session, Answered(world))


def _request_at_once(world: World, account_id: str, key_id: str, idempotency_key: str) -> CommandView | None:
    """The common case; None when it is not, or when key or lock changed in between."""
    key = quick_commands.find_key(account_id, key_id, idempotency_key)
    if key is None:
        return None
    _check_key(world, key)
    if key.presence != "online" or key.boot_id is None:
        raise Refused("lock_offline")
    now = world.clock.now()
    seen = CommandSeen(
        id=new_id(),
        lock_id=key.lock_id,
        key_id=key_id,
        action="unlock",
        state="queued",
        reason=None,
        created_at=now,
        expires_at=now + world.house.command_life,
        answered_at=None,
        account_id=account_id,
    )
    values = {**vars(seen), "idempotency_key": idempotency_key, "boot_id": key.boot_id}
    leaf = make_leaf(world, RESIDENT, ASKED, object_kind="command", object_id=seen.id)
    wake = world.wake_up.name_in_database("lock")
    if not quick_commands.write_command(values, leaf, shard=key.shard, least_counter=_least_counter(now), wake=wake):
        return None
    if wake is None:
        world.wake_up.notify("lock")
    return _view(seen, now, may_have_left=False)


def _usable_key(world: World, session: Session, account_id: str, key_id: str) -> Key:
    key = session.get(Key, key_id) if is_id(key_id) else None
    if key is None or key.holder_account_id != account_id:
        raise Refused("not_found", "key_id")
    _check_key(world, key)
    return key


def _check_key(world: World, key: KeyTimes) -> None:
    if key.state != "active":
        raise Refused("key.not_active", state=STATE_NAMES[key.state])
    if world.clock.today() < key.starts_on:
        raise Refused("key.not_yet", starts_on=key.starts_on.isoformat())
    ends = key_ends(key)
    if ends is not None and ends <= world.clock.now():
        raise Refused("key.over")
    if not is_within(windows_of(key), world.clock.now()):
        raise Refused("key.outside_window")  # only earlier than the lock would; uses are its alone to count


def _reachable_lock(session: Session, key: Key) -> Lock:
    lock = session.scalar(_BEHIND_KEY, {"key_id": key.id})
    if lock is None:
        raise Refused("unit.no_lock")
    if lock.presence != "online" or lock.boot_id is None:
        raise Refused("lock_offline")
    return lock


def _make_command(
    world: World,
    session: Session,
    lock: Lock,
    action: str,
    *,
    key_id: str | None,
    account_id: str | None = None,
    idempotency_key: str | None = None,
) -> Command:
    now = world.clock.now()
    lock.command_counter = max(lock.command_counter + 1, _least_counter(now))
    values: dict[str, Any] = {
        "id": new_id(),
        "lock_id": lock.id,
        "key_id": key_id,
        "account_id": account_id,
        "idempotency_key": idempotency_key or new_id(),
        "action": action,
        "state": "queued",
        "counter": lock.command_counter,
        "boot_id": lock.boot_id,
        "created_at": now,
        "expires_at": now + world.house.command_life,
    }
    session.connection().execute(insert(Command), values)
    command = Command(**values)
    outbox.put(world, session, "lock", lock.id, "command", {"command_id": command.id})
    return command


def _least_counter(now: datetime) -> int:
    """Never below the clock: a database restored from a backup must not fall behind what its locks have seen."""
    return int(now.timestamp())


def _may_have_left(session: Session, command: Command) -> bool:
    """Whether a sender has ever claimed it."""
    if command.state != "queued":
        return True
    claimed = exists().where(
        OutboxRow.destination == "lock",
        OutboxRow.aggregate_id == command.lock_id,
        OutboxRow.created_at >= command.created_at,
        OutboxRow.kind == "command",
        or_(OutboxRow.attempts > 0, OutboxRow.done_at.is_not(None)),
        OutboxRow.payload["command_id"].as_string() == command.id,
    )
    return bool(session.scalar(select(claimed)))


def _view(command: Command | CommandSeen, now: datetime, *, may_have_left: bool) -> CommandView:
    """The command as it is to be shown now: silence has a name even when no sweep has written it yet."""
    silent = decide_silence(command.state, may_have_left, command.expires_at, now)
    return CommandView(
        id=command.id,
        lock_id=command.lock_id,
        key_id=command.key_id,
        action=command.action,
        state=silent or command.state,
        reason=command.reason,
        created_at=command.created_at,
        expires_at=command.expires_at,
        answered_at=command.answered_at,
    )


# Made once: a person waits for each of them, and putting a statement together takes as long as running it.
_SHOWN = select(Command).where(Command.id == bindparam("command_id"))
_ASKED = select(Command).where(
    Command.account_id == bindparam("account_id"), Command.idempotency_key == bindparam("idempotency_key")
)
_BEHIND_KEY = (
    select(Lock)
    .join(KeyDoor, KeyDoor.lock_id == Lock.id)
    .where(KeyDoor.key_id == bindparam("key_id"), Lock.retiring_at.is_(None), Lock.retired_at.is_(None))
    .order_by(Lock.id)
    .with_for_update(of=Lock)
    .options(load_only(Lock.presence, Lock.boot_id, Lock.command_counter, Lock.shard))
)
_SENT = (
    update(Command)
    .where(Command.id.in_(bindparam("ids", expanding=True)), Command.state == "queued")
    .values(state="sent", sent_at=bindparam("now"))
)
