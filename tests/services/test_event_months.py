"""Months of door events: made ahead, dropped whole, and no chain ends with what is forgotten."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, inspect, select, text

from backend.db import db, transaction
from backend.gateways.clock import FixedClock
from backend.gateways.world import World
from backend.models.lock_events import LockAnomaly, LockCheckpoint, LockEvent
from backend.models.locks import Lock
from backend.services.event_months import Month, forget_door_events, list_months, make_months_ahead
from backend.services.housekeeping import keep_house
from backend.services.lock_logs import record_events
from backend.services.lock_manifests import import_locks
from backend.wire.jwk import base64url
from device_sim.identities import make_identity
from tests.services.reports import head_after, make_batch, make_texts

LOCK = make_identity(7, 1)
DOOR = ("door.opened", {})
POSTGRESQL = pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)


@pytest.fixture(autouse=True)
def lock(core: Flask, world: World) -> None:
    import_locks(world, [LOCK.public_part()])


def tables(session: Any) -> list[str]:
    return [month.table for month in list_months(session)]


def put_event(seq: int, at: datetime) -> None:
    with transaction() as session:
        session.add(
            LockEvent(lock_id=LOCK.lock_id, seq=seq, at=at, kind="door.opened", text="{}", hash=b"h" * 32,
                      received_at=at)  # fmt: skip
        )


def stored() -> list[int]:
    db.session.rollback()
    return list(db.session.scalars(select(LockEvent.seq).order_by(LockEvent.seq)))


def test_a_month_begins_and_ends_with_the_calendars_in_utc() -> None:
    december = Month.of(datetime(2026, 12, 31, 23, 59, tzinfo=UTC))
    assert (december.first, december.end) == (datetime(2026, 12, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))
    assert december.table == "lock_events_y2026m12"


@POSTGRESQL
def test_this_month_and_the_next_two_are_there_before_their_first_event(world: World, clock: FixedClock) -> None:
    clock.set(datetime(2027, 11, 30, tzinfo=UTC))
    with transaction() as session:
        assert make_months_ahead(world, session) == [f"lock_events_y{m}" for m in ("2027m11", "2027m12", "2028m01")]
    with transaction() as session:
        assert make_months_ahead(world, session) == []
        assert {"lock_events_y2027m11", "lock_events_y2028m01"} <= set(tables(session))


@POSTGRESQL
def test_what_no_month_was_made_for_is_caught_and_moved_into_its_month(world: World, clock: FixedClock) -> None:
    clock.set(datetime(2031, 5, 10, tzinfo=UTC))
    put_event(1, clock.now())
    count = text("SELECT count(*) FROM lock_events_rest")
    assert db.session.scalar(count) == 1
    keep_house(world)
    db.session.rollback()
    assert db.session.scalar(count) == 0
    assert db.session.scalar(text("SELECT count(*) FROM lock_events_y2031m05")) == 1
    assert stored() == [1]


@POSTGRESQL
def test_every_month_has_the_indexes_of_the_whole(world: World, clock: FixedClock) -> None:
    clock.set(datetime(2031, 5, 10, tzinfo=UTC))
    keep_house(world)
    for table in ("lock_events_y2031m05", "lock_events_rest"):
        columns = {tuple(each["column_names"]) for each in inspect(db.engine).get_indexes(table)}
        assert {("key_id", "at"), ("received_at",)} <= columns
        key = inspect(db.engine).get_pk_constraint(table)["constrained_columns"]
        assert key == ["lock_id", "seq", "received_at"]


@POSTGRESQL
def test_a_month_is_dropped_whole_when_all_of_it_is_past_its_time_and_not_a_day_before(
    world: World, clock: FixedClock
) -> None:
    november = "lock_events_y2026m11"
    put_event(1, datetime(2026, 11, 30, 23, 0, tzinfo=UTC))
    clock.set(datetime(2026, 12, 30, 23, 30, tzinfo=UTC))
    with transaction() as session:
        assert forget_door_events(world, session) == []
        assert november in tables(session)
    assert stored() == [], "the event's own time was over"
    clock.set(datetime(2026, 12, 31, tzinfo=UTC))
    with transaction() as session:
        assert forget_door_events(world, session) == [november]
        assert november not in tables(session)


def test_events_go_one_by_one_with_their_thirty_days(world: World, clock: FixedClock) -> None:
    begin = clock.now()
    for day in range(40):
        put_event(day + 1, begin + timedelta(days=day))
    clock.set(begin + timedelta(days=40))
    keep_house(world)
    assert stored() == list(range(11, 41))
    clock.move(timedelta(days=400))
    keep_house(world)
    assert stored() == []


def test_a_lock_continues_its_chain_after_everything_was_forgotten(world: World, clock: FixedClock) -> None:
    before = make_texts([DOOR] * 5)
    record_events(world, [(LOCK.lock_id, make_batch(LOCK, [DOOR] * 5, signed=True))])
    clock.move(timedelta(days=100))
    keep_house(world)
    assert stored() == []
    kept = db.session.get_one(Lock, LOCK.lock_id)
    assert (kept.stored_seq, kept.stored_head) == (5, head_after(LOCK.lock_id, before))
    assert db.session.scalars(select(LockCheckpoint.seq)).all() == [5], "its last signed word stays"
    ((_, answer),) = record_events(world, [(LOCK.lock_id, make_batch(LOCK, [DOOR], after=before, signed=True))])
    assert answer.seq == 6 and stored() == [6]
    ((_, again),) = record_events(world, [(LOCK.lock_id, make_batch(LOCK, [DOOR] * 5))])
    assert again == answer and stored() == [6], "a late copy of what was forgotten brings nothing back"
    assert db.session.scalars(select(LockAnomaly.reason)).all() == []


def test_two_writers_at_once_store_each_event_once(core: Flask, world: World) -> None:
    batches = [(LOCK.lock_id, make_batch(LOCK, [DOOR] * 20, after=make_texts([DOOR] * n))) for n in range(0, 200, 20)]
    start = threading.Barrier(2)
    answers: list[int] = []

    def write() -> None:
        with core.app_context():
            start.wait(10)
            for batch in batches:
                ((_, answer),) = record_events(world, [batch])
                answers.append(answer.seq)
            db.session.remove()

    writers = [threading.Thread(target=write) for _ in range(2)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    assert len(answers) == 20 and max(answers) == 200
    assert stored() == list(range(1, 201))
    assert base64url(db.session.get_one(Lock, LOCK.lock_id).stored_head or b"") == base64url(
        head_after(LOCK.lock_id, make_texts([DOOR] * 200))
    )
    assert db.session.scalar(select(func.count()).select_from(LockAnomaly)) == 0
