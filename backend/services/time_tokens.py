"""The time, signed for one lock: a phone at the door carries it there when the lock's own clock has lost it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sqlalchemy import select

from backend.db import reading
from backend.domain.keys import STATE_NAMES
from backend.domain.refusals import Refused
from backend.gateways.world import World
from backend.models.keys import Key, KeyDoor
from backend.services.lock_sending import sign_time

_NONCE = re.compile(r"[A-Za-z0-9_-]{22}")  # 16 bytes in base64url, as M2 of the near link carries it


@dataclass(frozen=True)
class TimeToken:
    """The present time for a lock that is asking, good for seconds and for its nonce alone."""

    time: str


def fetch_time(world: World, *, account_id: str, key_id: str, lock_id: str, nonce: str) -> TimeToken:
    """Sign the time for the lock before which the holder stands; `nonce` is the one the lock has just said.

    Raises Refused key.not_active, input.malformed; another's key and a door it has not are not found.
    """
    with reading() as session:
        found = select(Key).join(KeyDoor, KeyDoor.key_id == Key.id)
        found = found.where(Key.id == key_id, Key.holder_account_id == account_id, KeyDoor.lock_id == lock_id)
        key = session.scalar(found)
        if key is None:
            raise Refused("not_found", "key_id")
        if key.state != "active":
            raise Refused("key.not_active", state=STATE_NAMES[key.state])
    if not _NONCE.fullmatch(nonce):
        raise Refused("input.malformed", "nonce")
    return TimeToken(sign_time(world, lock_id, nonce).token)
