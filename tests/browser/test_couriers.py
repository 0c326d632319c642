"""The tenant's phone as the courier of a lock that is never online: behind an opening, and never in its way."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from backend.db import db
from backend.models.lock_events import LockEvent
from backend.wire.jwk import from_base64url
from device_sim import touches
from tests.browser.key_stage import Stand, air, make, mobile, server, stand

__all__ = ["air", "make", "mobile", "server", "stand"]

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)]

KEPT = "async () => (await (await import('/static/kept.js')).keptErrands())"
COLLECTED = f"async () => (await ({KEPT})()).some((errand) => errand.items.length > 0)"
BROUGHT = f"async () => (await ({KEPT})()).some((errand) => errand.items.length === 0 && errand.ack)"


def open_door(stand: Stand) -> None:
    stand.phone.page.locator("[data-near-open][data-result='opened']").evaluate_all(
        "buttons => buttons.forEach((button) => (button.dataset.result = ''))"
    )
    stand.phone.press_bluetooth()
    stand.phone.page.locator("[data-near-open][data-result='opened']").wait_for()


def stored(_world: Any) -> list[str]:
    return list(db.session.scalars(select(LockEvent.text).order_by(LockEvent.seq)))


def test_events_are_brought_behind_an_opening_and_the_lock_hears_of_it_with_the_next_one(
    stand: Stand, make: Any
) -> None:
    stand.phone.open_key(stand.home)
    open_door(stand)
    stand.phone.wait_until(BROUGHT)
    first = [event.text for event in stand.lock.log.kept()]
    assert make(stored) == first and len(first) == 1
    open_door(stand)
    assert stand.lock.log.acked_seq == 1
    assert not stand.lock.rejected


def test_what_is_collected_without_a_network_is_brought_when_it_returns_and_can_be_read_by_nobody(
    stand: Stand, make: Any
) -> None:
    stand.phone.open_key(stand.home)
    stand.phone.context.set_offline(True)
    open_door(stand)
    stand.phone.wait_until(COLLECTED)
    (errand,) = stand.phone.page.evaluate(KEPT)
    assert errand["lock"] == stand.lock.identity.lock_id and "ack" not in errand
    assert all(stand.story.key_id.encode() not in from_base64url(item) for item in errand["items"])
    assert make(stored) == []
    stand.phone.context.set_offline(False)
    stand.phone.wait_until(BROUGHT)
    assert make(stored) == [event.text for event in stand.lock.log.kept()]


def test_the_next_opening_does_not_wait_for_what_is_being_collected(stand: Stand) -> None:
    touches.fill_log(stand.lock, 500)
    stand.phone.open_key(stand.home)
    for _ in range(3):
        open_door(stand)
    stand.phone.wait_until(BROUGHT)
    open_door(stand)
    assert stand.lock.log.acked_seq >= 128, "two items of 64, once or more"


def test_signing_out_leaves_nothing_that_was_carried(stand: Stand) -> None:
    stand.phone.open_key(stand.home)
    stand.phone.context.set_offline(True)
    open_door(stand)
    stand.phone.wait_until(COLLECTED)
    stand.phone.page.evaluate("async () => { (await import('/static/kept.js')).keepErrand"
                              "({ lock: 'x', url: '/', items: [], ack: 'a.b.c' }) }")  # fmt: skip
    stand.phone.context.set_offline(False)
    stand.phone.page.goto("/me/")
    stand.phone.tap("退出登录")
    stand.phone.sees("我是房东")
    assert stand.phone.page.evaluate(KEPT) == []
