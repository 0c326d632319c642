"""The end of a lock's life: replaced by another, retired, its event chain closed. By the operator alone; its landlord
gives it back with the unit.

A lock that goes is first `retiring`: it belongs to no unit, its key list is empty at a higher epoch (every key and code
of it is dead, even when a phone is the courier), and it is told to wipe itself as soon as it is online. It is `retired`
when its own signed event says that it has wiped itself, or at once when the operator cannot wait (stolen, broken).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session

from backend.db import reading, transaction
from backend.domain.keys import CLOCK_BOUND, LIVE
from backend.domain.refusals import Refused
from backend.gateways.world import World
from backend.models.keys import Key, KeyDoor
from backend.models.lock_events import LockEvent
from backend.models.locks import Lock
from backend.services.audit import Actor, write_leaf
from backend.services.commands import LOOK_AGAIN_SECONDS, ask_wipe
from backend.services.inbox import tell_account, tell_person
from backend.services.key_changes import confirm_doors, restrict_door, unit_alias
from backend.services.key_lists import enqueue_key_list

REASONS = ("broken", "stolen", "moved", "sold")
OPERATOR = Actor("operator")


@dataclass(frozen=True)
class LockLife:
    """Where a lock stands: `state` is in_use, retiring or retired; `closed_seq` the last event of a closed chain."""

    id: str
    serial: str
    state: str
    is_online: bool
    closed_seq: int | None


def get_life(world: World, *, lock: str) -> LockLife:
    """Where a lock stands, by serial or id. Raises Refused lock.unknown."""
    with reading() as session:
        return _life(find_lock(session, lock))


def retire_lock(world: World, *, lock: str, reason: str | None = None, at_once: bool = False) -> LockLife:
    """Take a lock out of use; the same again asks an online lock once more to wipe itself and changes nothing else.

    `at_once` closes it without its own word. Raises Refused lock.unknown, and lock.occupied (HR-12) while somebody
    lives behind it: nobody is locked out by the operator.
    """
    with transaction() as session:
        row = find_lock(session, lock, changing=True)
        if row.retiring_at is None and row.retired_at is None:
            if _is_occupied(session, row):
                raise Refused("lock.occupied", "lock")
            unit_id, landlord_id = row.unit_id, row.claimed_by
            _begin(world, session, row, reason)
            if unit_id is not None and landlord_id is not None:
                unit = unit_alias(session, unit_id)
                tell_person(world, session, landlord_id, "lock_retired", once=row.id, unit=unit, serial=row.serial,
                            unit_id=unit_id)  # fmt: skip
        elif row.retired_at is None:
            ask_wipe(world, session, row)
        if at_once and row.retired_at is None:
            _close(world, session, row, proven=False)
        return _life(row)


def replace_lock(world: World, *, old: str, new: str, reason: str | None = None, at_once: bool = False) -> LockLife:
    """Put the lock `new` in the place of `old`: unit, landlord, epoch and every living key go over, and holders and
    landlord are told; `old` is retired. The same again changes nothing more. Answers where `old` stands.

    Raises Refused lock.unknown, lock.unclaimed, lock.gone (`old` is going otherwise), lock.not_free (`new` is not).
    """
    with transaction() as session:
        ids = sorted({find_lock(session, old, "old").id, find_lock(session, new, "new").id})
        held = {row_id: find_lock(session, row_id, changing=True) for row_id in ids}  # in one order, whoever asks
        former, heir = (held[find_lock(session, name).id] for name in (old, new))
        if former.replaced_by is None:
            _check_replacement(former, heir)
            _hand_over(world, session, former, heir, reason)
        elif former.replaced_by != heir.id:
            raise Refused("lock.gone", "old")
        elif former.retired_at is None:
            ask_wipe(world, session, former)
        if at_once and former.retired_at is None:
            _close(world, session, former, proven=False)
        return _life(former)


def acknowledge_alarm(world: World, *, lock: str) -> str:
    """An operator has looked after a lock's alarm: it is taken down, with a leaf; answers which it was.

    Raises Refused lock.unknown, lock.no_alarm.
    """
    with transaction() as session:
        row = find_lock(session, lock, changing=True)
        alarm = row.alarm
        if alarm is None:
            raise Refused("lock.no_alarm", "lock")
        row.alarm = None
        _note(world, session, "lock_alarm_acknowledged", row, decision=alarm)
        return alarm


def wait_until_retired(world: World, *, lock: str, seconds: float) -> LockLife:
    """Wait until a retiring lock has said its last word, `seconds` at most, and answer where it stands then."""
    wait_for_lock(world, lambda: get_life(world, lock=lock).state != "retiring", seconds)
    return get_life(world, lock=lock)


def wait_for_lock(world: World, has_come: Callable[[], bool], seconds: float) -> None:
    """Wait until what a lock was asked for has come, `seconds` at most; woken by its answers to commands."""
    until = time.monotonic() + seconds
    listener = world.wake_up.listen("command")
    try:
        while not has_come() and (left := until - time.monotonic()) > 0:
            listener.wait(min(left, LOOK_AGAIN_SECONDS))
    finally:
        listener.close()


def give_lock_back(world: World, session: Session, lock: Lock, actor: Actor) -> None:
    """A lock belongs to no unit any more, inside the present write unit: no key opens it, and its code claims it anew.

    It keeps its epoch's order: what a phone still holds of before is dead as soon as the lock has the empty list.
    """
    keys = _living_keys(session, lock)
    lock.unit_id, lock.claimed_by, lock.claimed_at = None, None, None
    lock.epoch += 1
    version = enqueue_key_list(world, session, lock.id)
    for key in keys:
        restrict_door(world, session, key, session.get_one(KeyDoor, (key.id, lock.id)), version)
    write_leaf(world, session, actor, "lock_given_back", object_kind="lock", object_id=lock.id)


def close_if_wiped(world: World, session: Session, lock: Lock) -> None:
    """Close a retiring lock, inside the present write unit, if its signed log says that it has wiped itself.

    A reset of before, told late, does not count: it answers our command, or bears a time after it was asked for.
    """
    if lock.retiring_at is None or lock.retired_at is not None:
        return
    wiped = session.scalar(
        select(LockEvent.seq)
        .where(
            LockEvent.lock_id == lock.id,
            LockEvent.kind == "factory_reset",
            LockEvent.seq <= lock.checked_seq,
            LockEvent.received_at >= lock.retiring_at,
            or_(LockEvent.command_id.is_not(None), LockEvent.at >= lock.retiring_at - CLOCK_BOUND),
        )
        .limit(1)
    )
    if wiped is not None:
        _close(world, session, lock, proven=True)


def find_lock(session: Session, name: str, field: str = "lock", *, changing: bool = False) -> Lock:
    """A lock by its serial or id. Raises Refused lock.unknown."""
    statement = select(Lock).where(or_(Lock.serial == name, Lock.id == name)).order_by(Lock.id).limit(1)
    if changing:  # read anew as it is held, whatever this unit has seen of it before
        statement = statement.with_for_update().execution_options(populate_existing=True)
    lock = session.scalar(statement)
    if lock is None:
        raise Refused("lock.unknown", field)
    return lock


def _is_occupied(session: Session, lock: Lock) -> bool:
    living = select(Key.id).where(
        Key.unit_id == lock.unit_id, Key.kind == "occupant", Key.state.in_(LIVE)
    )
    return lock.unit_id is not None and session.scalar(living.limit(1)) is not None


def _check_replacement(former: Lock, heir: Lock) -> None:
    if former.retiring_at is not None or former.retired_at is not None:
        raise Refused("lock.gone", "old")
    if former.unit_id is None:
        raise Refused("lock.unclaimed", "old")
    if heir is former or heir.unit_id is not None or heir.retiring_at is not None or heir.retired_at is not None:
        raise Refused("lock.not_free", "new")


def _hand_over(world: World, session: Session, former: Lock, heir: Lock, reason: str | None) -> None:
    """Everything of the old lock goes over to the new one; the old one begins to go."""
    unit_id, epoch = former.unit_id, former.epoch
    assert unit_id is not None  # checked before
    keys = _living_keys(session, former)
    heir.epoch = max(epoch, heir.epoch)
    _begin(world, session, former, reason)
    former.replaced_by = heir.id
    session.flush()  # one lock in use per unit
    heir.unit_id, heir.claimed_by, heir.claimed_at = unit_id, former.claimed_by, world.clock.now()
    moving = [key for key in keys if key.epoch == epoch]  # those of earlier epochs are dead
    doors = [KeyDoor(key_id=key.id, lock_id=heir.id) for key in moving]
    for key in moving:  # one-time codes are counted anew: the new lock has another secret and has seen none
        key.epoch, key.version, key.code_counter = heir.epoch, key.version + 1, 0
    session.add_all(doors)
    session.flush()
    version = enqueue_key_list(world, session, heir.id)
    for door in doors:
        door.desired_version = version
    _note(world, session, "lock_replaced", former, fields=[heir.id], decision=reason)
    _tell_all(world, session, keys, former, heir, unit_id)


def _living_keys(session: Session, lock: Lock) -> list[Key]:
    return list(
        session.scalars(
            select(Key)
            .join(KeyDoor, KeyDoor.key_id == Key.id)
            .where(KeyDoor.lock_id == lock.id, Key.state.in_(LIVE))
            .order_by(Key.id)
        )
    )


def _tell_all(world: World, session: Session, keys: list[Key], former: Lock, heir: Lock, unit_id: str) -> None:
    told = {"unit": unit_alias(session, unit_id), "serial": heir.serial, "unit_id": unit_id}
    for key in keys:
        if key.holder_account_id is not None:
            once = f"{former.id}:{key.id}"
            tell_account(world, session, key.holder_account_id, "lock_replaced", once=once, **told)
    if former.claimed_by is not None:
        tell_person(world, session, former.claimed_by, "lock_replaced_landlord", once=former.id, **told)


def _begin(world: World, session: Session, lock: Lock, reason: str | None) -> None:
    """A lock begins to go: out of its unit, an empty list at a higher epoch, told to wipe itself when online."""
    keys = _living_keys(session, lock)
    lock.retiring_at, lock.retire_reason, lock.unit_id = world.clock.now(), reason, None
    lock.epoch += 1
    version = enqueue_key_list(world, session, lock.id)
    for key in keys:
        restrict_door(world, session, key, session.get_one(KeyDoor, (key.id, lock.id)), version)
    ask_wipe(world, session, lock)
    _note(world, session, "lock_retiring", lock, decision=reason)


def _close(world: World, session: Session, lock: Lock, *, proven: bool) -> None:
    """The last of a lock: nothing is taken from it any more.

    With its own signed word its doors are confirmed shut. Without, they count as open for as long as a phone may hold
    a credential or a code for it, as was noted when it began to go.
    """
    now = world.clock.now()
    lock.retired_at, lock.closed_seq, lock.presence = now, lock.stored_seq, "offline"
    if proven:
        confirm_doors(world, session, lock.id, lock.list_version)
        living = select(Key.id).where(Key.state.in_(LIVE))
        session.execute(delete(KeyDoor).where(KeyDoor.lock_id == lock.id, KeyDoor.key_id.in_(living)))
    _note(world, session, "lock_retired", lock, decision="wiped" if proven else "at_once")


def _note(world: World, session: Session, action: str, lock: Lock, **more: object) -> None:
    write_leaf(world, session, OPERATOR, action, object_kind="lock", object_id=lock.id, **more)  # type: ignore[arg-type]


def _life(lock: Lock) -> LockLife:
    state = "retired" if lock.retired_at else "retiring" if lock.retiring_at else "in_use"
    return LockLife(lock.id, lock.serial, state, lock.presence == "online", lock.closed_seq)
