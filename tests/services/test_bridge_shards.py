"""Shards owned by lease: shared fairly, taken over in time, and no word of an old owner is written."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from backend.db import db, transaction
from backend.gateways.clock import FixedClock
from backend.gateways.world import World
from backend.models.bridges import Bridge, BridgeShard
from backend.models.locks import Lock
from backend.services import lock_reports
from backend.services.bridge_shards import LEASE, Fence, NameInUse, NotOwner, check_fence, leave_shards, renew_shards
from backend.services.lock_manifests import import_locks
from backend.wire.lock_messages import Departure
from backend.wire.topics import SHARDS, shard_of
from device_sim.identities import make_identity
from tests.services.reports import SESSION, make_birth

pytestmark = pytest.mark.usefixtures("core")
ONE, TWO, THREE = "anju-bridge-1", "anju-bridge-2", "anju-bridge-3"


class Many:
    """Bridges that renew in turn, each with what it knows."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.held: dict[str, dict[int, int]] = {}

    def renew(self, *names: str) -> None:
        for name in names:
            self.held[name] = renew_shards(
                self.world, name, self.held.get(name, {}), starts=name not in self.held
            )

    def counts(self) -> dict[str, int]:
        return {name: len(held) for name, held in self.held.items()}


@pytest.fixture
def many(world: World) -> Many:
    return Many(world)


def owners() -> dict[int, str | None]:
    db.session.rollback()
    return {row.shard: row.owner for row in db.session.scalars(select(BridgeShard))}


def test_one_bridge_owns_everything(many: Many) -> None:
    many.renew(ONE)
    assert set(many.held[ONE]) == set(range(SHARDS)) and set(owners().values()) == {ONE}


@pytest.mark.parametrize(("names", "share"), [((ONE, TWO), [8, 8]), ((ONE, TWO, THREE), [6, 6, 4])])
def test_living_bridges_come_to_fair_shares(many: Many, names: tuple[str, ...], share: list[int]) -> None:
    for _ in range(4):
        many.renew(*names)
        shards = [shard for held in many.held.values() for shard in held]
        assert len(shards) == len(set(shards)), "never owned twice"
    assert sorted(many.counts().values(), reverse=True) == share
    before = {name: dict(held) for name, held in many.held.items()}
    many.renew(*names)
    assert many.held == before, "and then nothing moves any more"


def test_the_shards_of_a_bridge_that_fell_silent_are_taken_when_its_lease_has_ended(
    many: Many, clock: FixedClock
) -> None:
    many.renew(ONE, TWO, ONE, TWO)
    clock.move(LEASE - timedelta(milliseconds=1))
    many.renew(TWO)
    assert len(many.held[TWO]) == 8
    clock.move(timedelta(milliseconds=1))
    many.renew(TWO)
    assert len(many.held[TWO]) == SHARDS
    taken_over = set(many.held[ONE])
    many.renew(ONE)
    assert many.held[ONE] == {}, "back again it waits for its share"
    many.renew(TWO, ONE)
    assert len(many.held[ONE]) == 8
    assert all(many.held[ONE][shard] >= 3 for shard in set(many.held[ONE]) & taken_over), "with new fences"


def test_a_bridge_that_ends_in_good_order_leaves_at_once(many: Many, world: World) -> None:
    many.renew(ONE, TWO, ONE, TWO)
    leave_shards(world, ONE, many.held[ONE])
    many.renew(TWO)
    assert len(many.held[TWO]) == SHARDS
    assert db.session.scalars(select(Bridge.name)).all() == [TWO]


def test_a_bridge_started_again_takes_what_its_name_left_with_new_fences(many: Many) -> None:
    many.renew(ONE)
    old = many.held.pop(ONE)
    many.renew(ONE)
    assert many.held[ONE] == {shard: fence + 1 for shard, fence in old.items()}
    with pytest.raises(NameInUse):
        renew_shards(many.world, ONE, old)


def test_bridges_that_start_at_the_same_moment_share_without_overlap(core: Flask, world: World) -> None:
    start = threading.Barrier(3)
    held: dict[str, dict[int, int]] = {}

    def run(name: str) -> None:
        with core.app_context():
            start.wait(10)
            mine: dict[int, int] = {}
            for number in range(6):
                mine = renew_shards(world, name, mine, starts=number == 0)
            held[name] = mine
            db.session.remove()

    threads = [threading.Thread(target=run, args=(name,)) for name in (ONE, TWO, THREE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(held) == 3
    by_table = {name: {shard for shard, owner in owners().items() if owner == name} for name in held}
    assert by_table == {name: set(shards) for name, shards in held.items()}


def test_what_an_old_owner_says_late_is_not_written(many: Many, world: World, clock: FixedClock) -> None:
    """The birth that a paused bridge had in hand: meanwhile the lock was born again, and another bridge wrote that."""
    identity = make_identity(7, 1)
    import_locks(world, [identity.public_part()])
    lock_id, shard = identity.lock_id, shard_of(identity.lock_id)
    many.renew(ONE)
    old = Fence(ONE, shard, many.held[ONE][shard])
    assert lock_reports.record_birth(world, lock_id, make_birth(lock_id), fence=old)
    clock.move(LEASE)
    many.renew(TWO)
    new = Fence(TWO, shard, many.held[TWO][shard])
    again = make_birth(lock_id, boot="11111111", session="11111111-1")
    assert lock_reports.record_birth(world, lock_id, again, fence=new)
    for late in (make_birth(lock_id), Departure("offline", SESSION)):
        with pytest.raises(NotOwner):
            if isinstance(late, Departure):
                lock_reports.record_departure(world, lock_id, late, last_word=True, fence=old)
            else:
                lock_reports.record_birth(world, lock_id, late, fence=old)
    db.session.rollback()
    lock = db.session.get_one(Lock, lock_id)
    assert (lock.session_id, lock.presence) == ("11111111-1", "online")


def test_a_fence_of_nobody_is_no_fence(world: World, many: Many) -> None:
    many.renew(ONE)
    with transaction() as session:
        check_fence(session, None)
        check_fence(session, Fence(ONE, 3, many.held[ONE][3]))
        for wrong in (Fence(ONE, 3, -1), Fence(TWO, 3, many.held[ONE][3]), Fence(ONE, 3, many.held[ONE][3] + 1)):
            with pytest.raises(NotOwner):
                check_fence(session, wrong)


def test_only_rows_of_the_owned_shards_are_claimed(world: World, clock: FixedClock) -> None:
    from backend.services import lock_sending, outbox

    locks = [make_identity(7, number).lock_id for number in range(1, 40)]
    with transaction() as session:
        for lock_id in locks:
            outbox.put(world, session, "lock", lock_id, "key_list", {"lock_id": lock_id, "version": 1})
    mine = {0, 5, 9}
    claimed = lock_sending.claim(world, limit=100, shards=mine)
    assert {item.aggregate_id for item in claimed} == {lock_id for lock_id in locks if shard_of(lock_id) in mine}
    rest: Any = lock_sending.claim(world, limit=100)
    assert {item.aggregate_id for item in (*claimed, *rest)} == set(locks)
