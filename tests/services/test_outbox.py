"""The outbox: order per aggregate, leases, fences, wake-ups after the commit."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from backend.db import reading, transaction
from backend.gateways.clock import FixedClock
from backend.models.outbox import OutboxRow
from backend.services import outbox

LEASE = timedelta(seconds=30)
pytestmark = pytest.mark.usefixtures("core")


def put(world: Any, *aggregates: str) -> None:
    with transaction() as session:
        for number, aggregate in enumerate(aggregates):
            outbox.put(world, session, "lock", aggregate, "command", {"n": number})


def claim(world: Any, limit: int = 10) -> list[outbox.OutboxItem]:
    return outbox.claim(world, "lock", limit=limit, lease=LEASE)


def test_one_row_of_an_aggregate_is_claimed_at_a_time_and_in_order(world: Any) -> None:
    put(world, "a", "a", "b")
    first = claim(world)
    assert [(item.aggregate_id, item.payload["n"]) for item in first] == [("a", 0), ("b", 2)]
    assert claim(world) == []
    assert outbox.finish(world, first)
    assert [(item.aggregate_id, item.payload["n"]) for item in claim(world)] == [("a", 1)]


def test_a_lease_that_ran_out_is_claimed_again_and_the_late_sender_cannot_finish(
    world: Any, clock: FixedClock
) -> None:
    put(world, "a")
    [late] = claim(world)
    clock.move(LEASE + timedelta(seconds=1))
    [fresh] = claim(world)
    assert (fresh.id, fresh.attempts) == (late.id, 2)
    assert not outbox.finish(world, [late])
    assert outbox.finish(world, [fresh])


def test_a_row_given_back_waits_and_holds_back_its_aggregate_alone(world: Any, clock: FixedClock) -> None:
    put(world, "a", "a", "b")
    a, b = claim(world)
    outbox.retry(world, a, after=timedelta(minutes=1), error="busy")
    outbox.finish(world, [b])
    assert claim(world) == []
    clock.move(timedelta(minutes=1))
    assert [item.payload["n"] for item in claim(world)] == [0]


def test_a_parked_row_lets_the_rows_behind_it_go(world: Any) -> None:
    put(world, "a", "a")
    [first] = claim(world)
    outbox.park(world, first, error="a person must mend it")
    assert [item.payload["n"] for item in claim(world)] == [1]


def test_senders_are_woken_once_and_only_when_the_unit_has_committed(world: Any) -> None:
    with pytest.raises(ZeroDivisionError), transaction() as session:
        outbox.put(world, session, "lock", "a", "command", {})
        raise ZeroDivisionError
    assert world.wake_up.woken == []
    assert claim(world) == []
    put(world, "a", "b", "c")
    assert world.wake_up.woken == ["lock"]


def test_a_use_case_inside_another_is_refused(world: Any) -> None:
    with pytest.raises(RuntimeError, match="another use case"), transaction():
        put(world, "a")


def test_what_was_told_long_ago_is_forgotten_but_for_the_newest_row(world: Any, clock: FixedClock) -> None:
    for aggregate in ("a", "b", "c"):
        with transaction() as session:
            outbox.put(world, session, "sms", aggregate, "text", {})
    done = outbox.claim(world, "sms", limit=3, lease=timedelta(seconds=30))
    outbox.finish(world, [done[0], done[2]])
    clock.move(timedelta(days=31))
    with transaction() as session:
        assert outbox.forget_done(session, world.clock.now() - timedelta(days=30)) == 1
    with reading() as session:
        assert session.scalars(select(OutboxRow.aggregate_id).order_by(OutboxRow.id)).all() == ["b", "c"]
