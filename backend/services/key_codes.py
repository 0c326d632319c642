"""Keypad codes of a key: shown to its holder, or printed at a window, and never stored, logged or sent to the lock.

The window's own use case stands in `officer_keys`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.db import transaction
from backend.domain.calendars import day_of, start_of
from backend.domain.keys import CLOCK_BOUND, CODE_KINDS, code_days, last_once, once_counter
from backend.domain.refusals import Refused
from backend.gateways.world import World
from backend.models.keys import Key, KeyDoor
from backend.models.locks import Lock
from backend.services.audit import Actor, write_leaf
from backend.services.key_lists import key_begins, key_ends
from backend.services.keys import credential_life_of, held_key, require_active
from backend.wire import keypad

MOST_ONCE = 3  # at a time: one press must not spend the day's keypad.MOST_ONCE_A_DAY


@dataclass(frozen=True)
class DayCode:
    """The code of one day, good from midnight to midnight in China."""

    day: date
    code: str


@dataclass(frozen=True)
class KeyCodes:
    """What to type at one door, eight digits each; kept on the phone, they are good until `until` without a network.

    `days` and `once` (each good a single time, on the day `once_on`) are an occupant's, `period` is a visitor's, for
    the key's whole life.
    """

    key_id: str
    lock_id: str
    days: tuple[DayCode, ...]
    once: tuple[str, ...]
    once_on: date | None
    period: str | None
    until: datetime


def fetch_codes(world: World, *, account_id: str, key_id: str, once: int = 0) -> KeyCodes:
    """The codes of one's own active key, and the next `once` (3 at most) one-time codes of today of an occupant's.

    For an occupant's active key always, as `fetch_credential`. Raises Refused not_found, key.not_active, key.over,
    unit.no_lock, lock.no_keypad, lock.codes_spent, input.not_one_of.
    """
    with transaction() as session:
        key = held_key(session, account_id, key_id)
        return give_out_codes(world, session, key, once, Actor("resident", account_id), "codes_fetched")


def give_out_codes(world: World, session: Session, key: Key, once: int, actor: Actor, action: str) -> KeyCodes:
    """The codes of a key the caller holds for change, with their leaf, inside the present write unit.

    Raises Refused key.not_active, key.over, unit.no_lock, lock.no_keypad, input.not_one_of.
    """
    now = world.clock.now()
    require_active(key, now)
    if once and ("once" not in CODE_KINDS[key.kind] or not 0 < once <= MOST_ONCE):
        raise Refused("input.not_one_of", "once", allowed=tuple(str(n) for n in range(MOST_ONCE + 1)))
    lock = _keypad_lock(session, key)
    secret = world.key_ring.keypad_secret(lock.agreement_key or {}, lock.id)
    is_occupant = key.kind == "occupant"
    codes = _occupants_codes(world, key, lock.id, secret) if is_occupant else _visitors_code(key, lock.id, secret)
    singles, once_on = _next_once(key, now, secret, once) if once else ((), None)
    # How long what was given out here can open counts towards the exposure, exactly as a credential's end does.
    ends = key_ends(key) or credential_life_of(world, key, now).expires_at
    key.credential_ends_at = max(key.credential_ends_at or ends, ends)
    write_leaf(world, session, actor, action, subject_id=key.holder_id, object_kind="key", object_id=key.id)
    return replace(codes, once=singles, once_on=once_on)


def _next_once(key: Key, now: datetime, secret: bytes, count: int) -> tuple[tuple[str, ...], date]:
    """The next `count` one-time codes and their day: today, or the key's first; none is ever given out twice."""
    day, given = last_once(key.code_counter)
    present = max(key.starts_on, day_of(now))
    if day < present:
        day, given = present, 0
    if given + count > keypad.MOST_ONCE_A_DAY:
        raise Refused("lock.codes_spent", most=keypad.MOST_ONCE_A_DAY)
    key.code_counter = once_counter(day, given + count)
    _first, end = keypad.day_of(int(start_of(day).timestamp()))
    numbers = range(given + 1, given + count + 1)
    return tuple(keypad.once_code(secret, key.id, key.epoch, number, end) for number in numbers), day


def _keypad_lock(session: Session, key: Key) -> Lock:
    locks = session.scalars(
        select(Lock)
        .join(KeyDoor, KeyDoor.lock_id == Lock.id)
        .where(KeyDoor.key_id == key.id, Lock.retiring_at.is_(None), Lock.retired_at.is_(None))
        .order_by(Lock.id)
    ).all()
    if not locks:
        raise Refused("unit.no_lock")
    for lock in locks:
        if lock.agreement_key is not None:
            return lock
    raise Refused("lock.no_keypad")


def _occupants_codes(world: World, key: Key, lock_id: str, secret: bytes) -> KeyCodes:
    now = world.clock.now()
    ends = credential_life_of(world, key, now).expires_at + world.house.outage_grace
    days, end = [], int(now.timestamp())
    for day in code_days(key.starts_on, now, ends, CLOCK_BOUND):
        first, end = keypad.day_of(int(start_of(day).timestamp()))
        days.append(DayCode(day, keypad.day_code(secret, key.id, key.epoch, first, end)))
    return KeyCodes(key.id, lock_id, tuple(days), (), None, None, datetime.fromtimestamp(end, now.tzinfo))


def _visitors_code(key: Key, lock_id: str, secret: bytes) -> KeyCodes:
    begins, ends = key_begins(key), key_ends(key)
    assert ends is not None  # a visitor's key has an end
    period = (int(begins.timestamp()), int(ends.timestamp()))
    return KeyCodes(key.id, lock_id, (), (), None, keypad.period_code(secret, key.id, key.epoch, *period), ends)
