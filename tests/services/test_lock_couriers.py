"""Events that a phone brings: who may, what is stored of it, what a bad courier can do, what is never written down."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from backend.db import db, transaction
from backend.domain.refusals import Refused
from backend.gateways.clock import FixedClock
from backend.gateways.world import World
from backend.models.audit import AuditLeaf
from backend.models.commands import Command
from backend.models.lock_events import LockAnomaly, LockCheckpoint, LockEvent
from backend.models.locks import Lock as LockRow
from backend.services.access_records import my_door_events
from backend.services.commands import get_command, request_unlock
from backend.services.keys import revoke_key, suspend_key
from backend.services.lock_couriers import TakenReport, take_report
from backend.services.lock_reports import record_birth
from backend.wire import tokens
from device_sim import touches
from device_sim.clock import LockClock
from device_sim.errands import Errand
from device_sim.flash import MemoryFlash
from device_sim.identities import make_identity
from device_sim.lock import Lock
from tests.mobile_api.near_stories import lock_of
from tests.services import stories
from tests.services.reports import make_birth
from tests.services.stories import Story

pytestmark = pytest.mark.usefixtures("core")


@pytest.fixture
def story(core: Any, world: World) -> Story:
    return stories.make_active(world)


@pytest.fixture
def lock(world: World, story: Story) -> Lock:
    return lock_of(world, story)


def collect(lock: Lock) -> list[str]:
    """What a phone is given after an opening."""
    errand, items = Errand(lock), []
    while True:
        given = errand.next()
        if given.item is not None:
            items.append(given.item)
        if not given.more:
            return items


def bring(world: World, story: Story, items: list[str], **changes: Any) -> TakenReport:
    named = {"account_id": story.tenant, "key_id": story.key_id, "lock_id": story.identity.lock_id, **changes}
    return take_report(world, items=items, **named)


def open_door(lock: Lock, story: Story, **more: Any) -> None:
    lock.move_bolt("unlock", key=story.key_id, command=None, via="near", **more)


def stored() -> list[tuple[int, bool]]:
    db.session.rollback()
    rows = db.session.execute(select(LockEvent.seq, LockEvent.late).order_by(LockEvent.seq))
    return [(row.seq, row.late) for row in rows]


def anomalies() -> list[tuple[str, str, int]]:
    db.session.rollback()
    rows = db.session.scalars(select(LockAnomaly).order_by(LockAnomaly.reason))
    return [(row.kind, row.reason, row.seen) for row in rows]


def changed(item: str) -> str:
    return item[:40] + ("A" if item[40] != "A" else "B") + item[41:]


def test_what_is_brought_is_stored_once_marked_late_and_the_lock_forgets_it_by_the_answer(
    world: World, story: Story, lock: Lock
) -> None:
    open_door(lock, story)
    items = collect(lock)
    taken = bring(world, story, items)
    assert stored() == [(1, True)] and taken.refused == ()
    claims = tokens.verify("lockack", taken.ack, world.tokens.public_keys(), audience=story.identity.lock_id)
    assert (claims["seq"], claims["iat"]) == (1, int(world.clock.now().timestamp()))
    assert bring(world, story, [*items, *items]).refused == ()
    assert stored() == [(1, True)]
    assert db.session.scalar(select(func.count()).select_from(LockCheckpoint)) == 1
    lock.take_acknowledgement(taken.ack)
    assert len(lock.log) == 0 and collect(lock) == []
    assert [event.late for event in my_door_events(world, account_id=story.tenant, key_id=story.key_id)] == [True]


def test_items_in_any_order_are_all_taken(world: World, story: Story, lock: Lock) -> None:
    touches.fill_log(lock, 200)
    items = collect(lock)
    assert len(items) > 2
    bring(world, story, items[::-1])
    assert [seq for seq, _ in stored()] == list(range(1, lock.log.seq + 1))


def test_what_lies_beyond_a_gap_waits_in_the_lock(world: World, story: Story, lock: Lock) -> None:
    touches.fill_log(lock, 200)
    items = collect(lock)
    lock.take_acknowledgement(bring(world, story, items[1:]).ack)
    assert stored() == [] and lock.log.acked_seq == 0
    lock.take_acknowledgement(bring(world, story, collect(lock)).ack)
    assert len(stored()) == lock.log.seq and len(lock.log) == 0


def test_an_altered_item_is_refused_at_its_place_and_counted_and_the_rest_is_taken(
    world: World, story: Story, lock: Lock
) -> None:
    touches.fill_log(lock, 100)
    items = collect(lock)
    taken = bring(world, story, [changed(items[0]), *items, "no item"])
    assert [(each.code, each.field) for each in taken.refused] == [
        ("courier.item", "items/0"),
        ("courier.item", f"items/{len(items) + 1}"),
    ]
    assert len(stored()) == lock.log.seq
    assert anomalies() == [("courier", "bad_seal", 1), ("courier", "not_sealed", 1)]
    assert stories.lock_row(story.identity.lock_id).alarm is None, "no courier raises a lock's alarm"


def test_when_no_item_is_good_all_are_refused_and_nothing_is_stored(world: World, story: Story, lock: Lock) -> None:
    open_door(lock, story)
    host = world.clock.now().timestamp
    other = Lock(make_identity(7, 2), MemoryFlash(), LockClock(host), {}, pad=world.key_ring.keypad_public_jwk())
    touches.open_mechanically(other)
    with pytest.raises(Refused, match=r"^courier.item$") as refused:
        bring(world, story, [*collect(other), changed(collect(lock)[0])])
    assert [each.field for each in refused.value.refusals] == ["items/0", "items/1"]
    assert stored() == [] and anomalies() == [("courier", "bad_seal", 1)]


def test_a_lock_without_an_agreement_has_sealed_nothing(world: World, story: Story, lock: Lock) -> None:
    open_door(lock, story)
    items = collect(lock)
    stories.take_keypad(story.identity.lock_id)
    with pytest.raises(Refused, match=r"^courier.item$"):
        bring(world, story, items)


def test_nobody_brings_anything_with_anothers_key_or_for_another_door(world: World, story: Story, lock: Lock) -> None:
    open_door(lock, story)
    items = collect(lock)
    for wrong in ({"account_id": story.landlord}, {"lock_id": story.unit_id}, {"key_id": story.unit_id}):
        with pytest.raises(Refused, match=r"^not_found$"):
            bring(world, story, items, **wrong)
    assert stored() == []


def test_a_key_that_sleeps_or_has_ended_still_brings_what_it_collected_for_thirty_days(
    world: World, story: Story, lock: Lock, clock: FixedClock
) -> None:
    open_door(lock, story)
    items = collect(lock)
    suspend_key(world, account_id=story.tenant, key_id=story.key_id)
    assert bring(world, story, items).refused == ()
    revoke_key(world, account_id=story.tenant, key_id=story.key_id)
    clock.move(timedelta(days=29, hours=23))
    assert bring(world, story, items).refused == ()
    clock.move(timedelta(hours=1))
    with pytest.raises(Refused, match=r"^key.not_active$"):
        bring(world, story, items)


def test_one_to_eight_items_at_a_time_and_not_without_end(world: World, story: Story, lock: Lock) -> None:
    open_door(lock, story)
    (item,) = collect(lock)
    for items in ([], [item] * 9):
        with pytest.raises(Refused, match=r"^input.wrong_type$"):
            bring(world, story, items)
    for _ in range(18):
        bring(world, story, [item])
    with pytest.raises(Refused, match=r"^rate$") as refused:
        bring(world, story, [item])
    assert refused.value.refusal.params["seconds"] == 60


def test_nothing_is_written_of_who_came_home_when(world: World, story: Story, lock: Lock, clock: FixedClock) -> None:
    record_birth(world, story.identity.lock_id, make_birth(story.identity.lock_id))
    before, leaves = health(story), db.session.scalar(select(func.count()).select_from(AuditLeaf))
    clock.move(timedelta(hours=5))
    open_door(lock, story)
    bring(world, story, collect(lock))
    assert health(story) == before
    assert db.session.scalar(select(func.count()).select_from(AuditLeaf)) == leaves


def health(story: Story) -> dict[str, Any]:
    """All that is known of the lock, but its chain."""
    row = stories.lock_row(story.identity.lock_id)
    chain = ("stored_seq", "stored_head", "checked_seq")
    return {column.name: getattr(row, column.name) for column in LockRow.__table__.columns if column.name not in chain}


def test_an_unknown_command_is_resolved_by_the_event_that_a_phone_brings(
    world: World, story: Story, lock: Lock
) -> None:
    record_birth(world, story.identity.lock_id, make_birth(story.identity.lock_id))
    asked = request_unlock(world, account_id=story.tenant, key_id=story.key_id, idempotency_key="tap-0001")
    with transaction() as session:
        session.get_one(Command, asked.id).state = "unknown"
    lock.move_bolt("unlock", key=story.key_id, command=asked.id, via="mqtt")
    bring(world, story, collect(lock))
    assert get_command(world, account_id=story.tenant, command_id=asked.id).state == "executed"


def test_a_copied_lock_is_noticed_by_what_phones_bring_of_it(world: World, story: Story, lock: Lock) -> None:
    open_door(lock, story)
    copy = lock.clone()
    open_door(lock, story)
    open_door(copy, story, reason="outage_grace")
    bring(world, story, collect(lock))
    bring(world, story, collect(copy))
    assert stories.lock_row(story.identity.lock_id).alarm == "clone_or_tamper"
    assert [seq for seq, _ in stored()] == [1, 2]
