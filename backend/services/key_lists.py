"""Key lists: what each lock should hold, signed, sent, and compared with what it reports.

The list is always computed from the keys as they stand; the lock's `list_version` names that state and rises with
every change of it. Whoever changes a key calls `enqueue_key_list` in the same write unit.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any, Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.db import reading
from backend.domain.calendars import start_of
from backend.domain.keys import CODE_KINDS
from backend.domain.visitors import WeeklyWindow, ends_at
from backend.gateways.world import World
from backend.models.keys import Key, KeyDelegate, KeyDoor
from backend.models.locks import Lock
from backend.services import outbox
from backend.wire.lock_documents import PLATFORM, KeyEntry, KeyList, Revocation, Window, claims_of

MOST_REVOKED = 512  # of the present epoch; those of earlier ones died with it


def enqueue_key_list(world: World, session: Session, lock_id: str) -> int:
    """Raise a lock's list version inside the present write unit and intend to send it; answers the version."""
    session.flush()
    # Read anew as it is held: this unit may have seen it before another raised the version.
    lock = session.get_one(Lock, lock_id, populate_existing=True, with_for_update=True)
    lock.list_version += 1
    session.flush()
    _intend(world, session, lock)
    return lock.list_version


def republish_key_list(world: World, session: Session, lock: Lock) -> None:
    """Intend to send the present list again, inside the present write unit: the lock reports another."""
    if lock.list_version > 0:
        _intend(world, session, lock)


def sign_key_list(world: World, *, lock_id: str, version: int) -> str | None:
    """Sign the present list of a lock as `keylist+jwt`; None when a newer version than `version` is on its way."""
    with reading() as session:
        lock = session.get_one(Lock, lock_id)
        if lock.list_version != version:
            return None
        document = key_list(world, session, lock)
    return world.tokens.sign("keylist", claims_of(document))


def sign_revocation(world: World, session: Session, lock: Lock) -> str:
    """Sign the lock's revoked keys as `revocation+jwt`, for a phone to carry."""
    document = Revocation(
        iss=PLATFORM,
        aud=lock.id,
        iat=int(world.clock.now().timestamp()),
        ver=max(1, lock.list_version),
        occ=lock.epoch,
        rev=_revoked(session, lock),
    )
    return world.tokens.sign("revocation", claims_of(document))


def key_list(world: World, session: Session, lock: Lock) -> KeyList:
    """The desired list of a lock as it stands; nothing but a change that raised the version changes it."""
    keys = session.scalars(
        select(Key)
        .join(KeyDoor, KeyDoor.key_id == Key.id)
        .where(KeyDoor.lock_id == lock.id, Key.state == "active", Key.epoch == lock.epoch)
        .order_by(Key.id)
    )
    return KeyList(
        iss=PLATFORM,
        aud=lock.id,
        iat=int(world.clock.now().timestamp()),
        ver=lock.list_version,
        occ=lock.epoch,
        keys=tuple(_entry(key) for key in keys),
        rev=_revoked(session, lock),
    )


def _intend(world: World, session: Session, lock: Lock) -> None:
    outbox.put(world, session, "lock", lock.id, "key_list", {"lock_id": lock.id, "version": lock.list_version})


def key_begins(key: Key) -> datetime:
    """The first moment at which a key opens: its first day, and never before it was made."""
    return max(start_of(key.starts_on), key.created_at - timedelta(minutes=1))


class KeyTimes(Protocol):
    """What decides when a key may open: a key's row, or its columns alone."""

    @property
    def state(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def starts_on(self) -> date: ...
    @property
    def ends_on(self) -> date | None: ...
    @property
    def created_at(self) -> datetime: ...
    @property
    def emergency(self) -> str | None: ...
    @property
    def sched(self) -> list[Any] | None: ...


def key_ends(key: KeyTimes) -> datetime | None:
    """When a key ends by itself. An occupant's never: the planned end of a lease ends no key (HR-12)."""
    if key.kind == "occupant":
        return None
    assert key.ends_on is not None  # a visitor's key has its last day
    return ends_at(key.created_at, key.ends_on, key.emergency)


def windows_of(key: KeyTimes) -> tuple[WeeklyWindow, ...]:
    """The weekly windows of a key; none means always."""
    return tuple(WeeklyWindow(**window) for window in key.sched or ())


def lock_windows(key: Key) -> tuple[Window, ...] | None:
    """The same as a lock reads them."""
    return tuple(Window(each.days, each.start, each.end) for each in windows_of(key)) or None


def _entry(key: Key) -> KeyEntry:
    """One key as a list holds it."""
    ends = key_ends(key)
    return KeyEntry(
        id=key.id,
        nbf=int(key_begins(key).timestamp()),
        rights=tuple(key.rights),
        exp=None if ends is None else int(ends.timestamp()),
        jkt=key.phone_thumbprint,
        sched=lock_windows(key),
        tvr=True if key.tvr else None,
        uses=key.uses,
        pad=CODE_KINDS[key.kind],
    )


def _revoked(session: Session, lock: Lock) -> tuple[str, ...]:
    """Keys of the present epoch that must not open, suspended ones among them, newest first; and delegates taken back.

    A delegate stays here past its own end, as long as its epoch lives: a list changes with a change of keys, never by
    the passing of time, or what a lock reports would differ from what is desired.
    """
    delegates = session.scalars(
        select(KeyDelegate.id)
        .where(KeyDelegate.lock_id == lock.id, KeyDelegate.epoch >= lock.epoch, KeyDelegate.revoked_at.is_not(None))
        .order_by(KeyDelegate.id.desc())
        .limit(MOST_REVOKED // 4)
    ).all()
    ids = session.scalars(
        select(Key.id)
        .join(KeyDoor, KeyDoor.key_id == Key.id)
        .where(
            KeyDoor.lock_id == lock.id,
            Key.epoch == lock.epoch,
            Key.state.in_(("suspended", "revoking", "revoked")),
        )
        .order_by(Key.id.desc())
        .limit(MOST_REVOKED - len(delegates))
    )
    return (*ids, *delegates)
