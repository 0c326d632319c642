"""Key lists: what each lock should hold, signed, sent, and compared with what it reports.

The list is always computed from the keys as they stand; the lock's `list_version` names that state and rises with
every change of it. Whoever changes a key calls `enqueue_key_list` in the same write unit.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.db import reading
from backend.domain.calendars import start_of
from backend.gateways.world import World
from backend.models.keys import Key, KeyDoor
from backend.models.locks import Lock
from backend.services import outbox
from backend.wire.lock_documents import PLATFORM, KeyEntry, KeyList, Revocation, claims_of

MOST_REVOKED = 512  # of the present epoch; those of earlier ones died with it


def enqueue_key_list(world: World, session: Session, lock_id: str) -> int:
    """Raise a lock's list version inside the present write unit and intend to send it; answers the version."""
    lock = session.get_one(Lock, lock_id, with_for_update=True)
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


def _entry(key: Key) -> KeyEntry:
    """One key. An occupant's has no end here: the planned end of a lease ends no key (HR-12)."""
    ends = None
    if key.kind != "occupant" and key.ends_on is not None:
        ends = int(start_of(key.ends_on + timedelta(days=1)).timestamp())
    begins = max(start_of(key.starts_on), key.created_at - timedelta(minutes=1))
    return KeyEntry(
        id=key.id,
        nbf=int(begins.timestamp()),
        rights=tuple(key.rights),
        exp=ends,
        jkt=key.phone_thumbprint,
    )


def _revoked(session: Session, lock: Lock) -> tuple[str, ...]:
    """Keys of the present epoch that must not open, suspended ones among them, newest first."""
    ids = session.scalars(
        select(Key.id)
        .join(KeyDoor, KeyDoor.key_id == Key.id)
        .where(
            KeyDoor.lock_id == lock.id,
            Key.epoch == lock.epoch,
            Key.state.in_(("suspended", "revoking", "revoked")),
        )
        .order_by(Key.id.desc())
        .limit(MOST_REVOKED)
    )
    return tuple(ids)
