"""Which bridge serves which locks: shards owned by a lease, so that a second bridge takes over when the first dies.

Every bridge renews each second. Its fair share is all shards divided by the living bridges, rounded up: what is over it
is given up, what is free or expired is taken. `fence` rises with each new owner; who writes what depends on order
checks it after the lock's row is held (`check_fence`), so that a bridge that was paused cannot write late.

Leases are judged by the clocks of the bridges' machines; a bridge stops a second before its lease ends, so clocks may
differ by that much.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, delete, func, select
from sqlalchemy.orm import Session

from backend.db import transaction
from backend.gateways.world import World
from backend.models.bridges import Bridge, BridgeShard
from backend.wire.topics import SHARDS

LEASE = timedelta(seconds=5)


class NameInUse(Exception):
    """Another process has taken over under this bridge's name."""


class NotOwner(Exception):
    """The shard has another owner by now; what was to be written is old."""


@dataclass(frozen=True)
class Fence:
    """A bridge's claim to a shard, to be checked where something is written."""

    owner: str
    shard: int
    number: int


def renew_shards(world: World, name: str, held: Mapping[int, int], *, starts: bool = False) -> dict[int, int]:
    """Renew, give up and take shards for the bridge `name`; answers what it owns now, shard → fence.

    `held` is what it owned by its own knowledge. With `starts` it takes what stands under its name with new fences: an
    earlier process left it, or an answer of ours was lost.
    Raises NameInUse when a later process of its name has done so.
    """
    now = world.clock.now()
    with transaction() as session:
        _note_alive(session, name, now)
        living = session.scalar(select(func.count()).select_from(Bridge).where(Bridge.seen_at > now - LEASE)) or 1
        share = -(-SHARDS // living)
        rows = session.scalars(select(BridgeShard).order_by(BridgeShard.shard).with_for_update()).all()
        own = [row for row in rows if row.owner == name]
        if not starts and any(held.get(row.shard) != row.fence for row in own):
            raise NameInUse(name)
        kept, over = own[:share], own[share:]
        free = [row for row in rows if row.owner != name and (row.lease_until is None or row.lease_until <= now)]
        taken = free[: share - len(kept)]
        for row in over:
            row.owner = row.lease_until = None
        for row in (*kept, *taken) if starts else taken:
            row.owner, row.fence = name, row.fence + 1
        for row in (*kept, *taken):
            row.lease_until = now + LEASE
        return {row.shard: row.fence for row in (*kept, *taken)}


def leave_shards(world: World, name: str, held: Mapping[int, int]) -> None:
    """The bridge ends: its shards are free at once, and it no longer counts as living."""
    with transaction() as session:
        rows = session.scalars(
            select(BridgeShard).where(BridgeShard.owner == name).order_by(BridgeShard.shard).with_for_update()
        )
        for row in rows.all():
            if held.get(row.shard) == row.fence:
                row.owner = row.lease_until = None
        session.execute(delete(Bridge).where(Bridge.name == name))


def check_fence(session: Session, fence: Fence | None) -> None:
    """Make sure, inside the present write unit and holding the lock's row, that the shard is still the bridge's own.

    None is a writer that owns everything (a test, a measurement). Raises NotOwner.
    """
    if fence is None:
        return
    current = session.scalar(
        select(BridgeShard.fence).where(BridgeShard.shard == fence.shard, BridgeShard.owner == fence.owner)
    )
    if current != fence.number:
        raise NotOwner(fence.shard)


def _note_alive(session: Session, name: str, now: datetime) -> None:
    bridge = session.scalar(_NAMED, {"name": name})
    if bridge is None:
        session.add(Bridge(name=name, seen_at=now))
    else:
        bridge.seen_at = now
    session.flush()


# Made once: every bridge asks each second.
_NAMED = select(Bridge).where(Bridge.name == bindparam("name")).with_for_update()
