"""The tenant's key page over Bluetooth: a real browser, a real page, a simulated lock; and the same with no server."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from backend.gateways.clock import FixedClock
from backend.services import sign_ins
from backend.services.keys import suspend_key
from device_sim.identities import make_identity
from tests.browser.conftest import Phone
from tests.browser.key_stage import OWN, Stand, air, make, mobile, server, stand
from tests.device_sim.makers import Host, Platform, events, make_lock

__all__ = ["air", "make", "mobile", "server", "stand"]

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)]

OTHER = "09:09:09:09:09:02"

# A thief has read everything out of the browser that can be read, and put it into another one. The private key of the
# phone cannot be read; the thief's browser makes its own under the same name.
READ_KEPT = """async () => (await (await import('/static/kept.js')).keptHomes())"""
PUT_KEPT = """async (homes) => {
  const kept = await import('/static/kept.js');
  const { phoneKey } = await import('/static/phone_key.js');
  for (const home of homes) { await phoneKey(home.account); await kept.keepHome(home); }
}"""
# An older age of modules, in a cache of this name.
PUT_OLD = """async ([name, parts]) => {
  const cache = await caches.open(name);
  const type = { 'Content-Type': 'text/javascript' };
  for (const part of parts) await cache.put(part, new Response('export const older = 1;', { headers: type }));
}"""


def test_t11_the_open_page_opens_the_door_over_bluetooth_after_the_server_has_stopped(stand: Stand) -> None:
    stand.phone.open_key(stand.home)
    stand.phone.look("key-with-bluetooth")
    stand.stop_server()
    stand.phone.press_bluetooth()
    stand.phone.is_told("门已打开")
    assert stand.lock.body.bolt == "unlocked"
    assert events(stand.lock) == [("lock.unlocked", stand.story.key_id, None)]


def test_t11_with_the_server_stopped_the_key_page_opens_says_what_works_and_opens_the_door(stand: Stand) -> None:
    stand.phone.open_key(stand.home)
    stand.stop_server()
    stand.phone.page.goto(stand.home)
    stand.phone.sees("现在没有网络")
    stand.phone.sees("下面这些现在也能用")
    stand.phone.sees("今天的密码")
    stand.phone.look("offline")
    stand.phone.press_bluetooth()
    stand.phone.is_told("门已打开")
    assert stand.lock.body.bolt == "unlocked"


def test_copied_credential_never_opens(stand: Stand, chromium: Any) -> None:
    stand.phone.open_key(stand.home)
    copied = stand.phone.page.evaluate(READ_KEPT)
    assert copied[0]["doors"][0]["credential"]
    thief = Phone(chromium, stand.phone.base, "thief")
    thief.page.goto("/t/offline")
    stand.air.serve(thief.page)
    thief.page.evaluate(PUT_KEPT, copied)
    thief.page.reload()
    thief.page.locator("[data-near-open]").click()
    thief.page.locator("[data-key-word]").filter(has_text="门锁没有打开").wait_for()
    thief.context.close()
    assert stand.lock.body.bolt == "locked"
    assert [kind for kind, _, _ in events(stand.lock)] == ["access.denied"]


def test_t12_another_lock_is_noticed_before_the_key_is_shown(stand: Stand) -> None:
    stranger = make_lock(Platform(), Host(), identity=make_identity(7, 2))
    stand.air.put(OTHER, stranger)
    stand.air.chosen = OTHER
    stand.phone.open_key(stand.home)
    stand.phone.press_bluetooth()
    stand.phone.is_told("这是另一把门锁")
    assert events(stranger) == [] and not stranger.rejected
    stand.air.chosen = OWN
    stand.phone.press_bluetooth()
    stand.phone.is_told("门已打开")


def test_t12_a_closed_chooser_a_lock_out_of_reach_and_missing_bluetooth_are_explained(stand: Stand) -> None:
    stand.phone.open_key(stand.home)
    stand.air.chosen = None
    stand.phone.press_bluetooth()
    stand.phone.is_told("没有选门锁")
    stand.air.chosen = OWN
    stand.air.lose(OWN)
    stand.phone.press_bluetooth()
    stand.phone.is_told("没有连上门锁")
    stand.phone.page.reload()
    stand.phone.page.locator("[data-near-open]:visible").wait_for()
    stand.air.vanish()
    stand.phone.press_bluetooth()
    stand.phone.is_told("没有可用的蓝牙")


def test_the_phone_carries_the_time_to_a_lock_that_lost_it_and_says_so_when_it_cannot(stand: Stand) -> None:
    stand.phone.open_key(stand.home)
    stand.lock.clock.lose_power()
    stand.phone.press_bluetooth()
    stand.phone.is_told("门已打开")
    assert stand.lock.clock.quality() == "ok"
    stand.lock.clock.lose_power()
    stand.stop_server()
    stand.phone.press_bluetooth()
    stand.phone.is_told("门锁的时钟停了")


def test_signing_out_leaves_nothing_that_opens_the_door(stand: Stand) -> None:
    stand.phone.open_key(stand.home)
    stand.phone.page.goto("/me/")
    stand.phone.tap("退出登录")
    stand.phone.sees("我是房东")
    assert stand.phone.page.evaluate(READ_KEPT) == []
    assert stand.phone.page.evaluate("caches.has('anju-offline')") is False


def test_a_suspended_key_is_forgotten_with_the_next_look_at_its_page(stand: Stand, make: Any) -> None:
    stand.phone.open_key(stand.home)
    make(suspend_key, account_id=stand.story.tenant, key_id=stand.story.key_id)
    stand.phone.page.goto(stand.home)
    stand.phone.sees("钥匙已暂停")
    stand.phone.wait_until(f"async () => (await ({READ_KEPT})()).length === 0")
    assert stand.phone.page.locator("[data-near-open]:visible").count() == 0


def test_who_signs_in_next_finds_nothing_of_the_person_before(stand: Stand, clock: FixedClock, world: Any) -> None:
    stand.phone.open_key(stand.home)
    clock.move(world.house.page_session_idle + timedelta(minutes=1))
    page = stand.phone.page
    page.goto(stand.home)
    assert "/sign-in" in page.url
    assert len(page.evaluate(READ_KEPT)) == 1, "who was only away for long still gets in"
    stand.phone.enter("+8619900007701")
    page.goto("/me/")
    stand.phone.wait_until(f"async () => (await ({READ_KEPT})()).length === 0 && !(await caches.has('anju-offline'))")


def test_the_same_person_after_long_absence_still_gets_in_without_a_network(
    stand: Stand, clock: FixedClock, world: Any
) -> None:
    stand.phone.open_key(stand.home)
    clock.move(world.house.page_session_idle + timedelta(minutes=1))
    stand.phone.page.goto(stand.home)
    assert "/sign-in" in stand.phone.page.url
    stand.phone.enter()
    stand.phone.page.goto("/me/")
    stand.stop_server()
    stand.phone.page.goto("/t/")
    stand.phone.sees("今天的密码")


@pytest.mark.parametrize("is_open", [False, True])
def test_a_sign_in_ended_from_elsewhere_leaves_nothing_that_opens_the_door(
    stand: Stand, make: Any, is_open: bool
) -> None:
    stand.phone.open_key(stand.home)
    if not is_open:
        stand.phone.page.goto("/r/")
    make(end_sign_ins, stand.story.tenant)
    if is_open:
        stand.phone.complaints.allow(401)
        stand.phone.page.get_by_text("登录已结束").wait_for()
    else:
        stand.phone.page.goto(stand.home)
        assert "/sign-in" in stand.phone.page.url
    stand.phone.wait_until(f"async () => (await ({READ_KEPT})()).length === 0 && !(await caches.has('anju-offline'))")


def end_sign_ins(world: Any, account_id: str) -> None:
    """As "end" on the page of one's sign-ins does it from another phone."""
    for row in sign_ins.list_sessions(world, account_id=account_id):
        sign_ins.sign_out(world, account_id=account_id, session_id=row.id)


def test_a_module_kept_elsewhere_before_an_upgrade_does_not_stop_the_page_without_a_network(stand: Stand) -> None:
    page = stand.phone.page
    page.goto("/r/")
    for name in ("anju-aside", "anju-receipts", "anju-side"):
        page.evaluate(PUT_OLD, [name, ["/static/jws.js", "/static/kept.js", "/static/days.js"]])
    stand.phone.open_key(stand.home)
    stand.stop_server()
    page.goto(stand.home)
    stand.phone.sees("今天的密码")
    stand.phone.press_bluetooth()
    stand.phone.is_told("门已打开")
    parts = page.evaluate("async () => (await (await caches.open('anju-offline')).keys()).map(({ url }) => url)")
    assert {"/static/live.js", "/static/owner.js"} <= {part.removeprefix(stand.server.base) for part in parts}
    kept = page.evaluate("async () => (await (await caches.open('anju-offline')).match('/t/offline')).text()")
    assert "csrf_token" in kept and "data-owner" not in kept, "a kept page may outlive the sign-in"
