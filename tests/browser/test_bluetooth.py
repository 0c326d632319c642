"""The tenant's key page over Bluetooth: a real browser, a real page, a simulated lock; and the same with no server.

The server is the mobile app on a thread of this process, so that it can be stopped and the world be asked.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from werkzeug.serving import make_server

from backend.services.keys import suspend_key
from backend.services.messages import send_due_messages
from device_sim.identities import make_identity
from device_sim.lock import Lock
from tests.browser.bluetooth import Air
from tests.browser.conftest import Phone
from tests.device_sim.makers import Host, Platform, events, make_lock
from tests.mobile_api.conftest import make, mobile
from tests.mobile_api.near_stories import lock_of, make_active
from tests.services import stories
from tests.services.stories import TENANT_PHONE, Story

__all__ = ["make", "mobile"]

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)]

OWN, OTHER = "09:09:09:09:09:01", "09:09:09:09:09:02"

# A thief has read everything out of the browser that can be read, and put it into another one. The private key of the
# phone cannot be read; the thief's browser makes its own under the same name.
READ_KEPT = """async () => (await (await import('/static/kept.js')).keptHomes())"""
PUT_KEPT = """async (homes) => {
  const kept = await import('/static/kept.js');
  const { phoneKey } = await import('/static/phone_key.js');
  for (const home of homes) { await phoneKey(home.account); await kept.keepHome(home); }
}"""
PAGES_KEPT = "async () => !!navigator.serviceWorker.controller && !!(await caches.match('/static/near_link.js'))"


class Server:
    """The mobile app on a port of its own."""

    def __init__(self, app: Flask) -> None:
        self._server = make_server("127.0.0.1", 0, app, threaded=True)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        self.base = f"http://127.0.0.1:{self._server.server_port}"

    def stop(self) -> None:
        """No server any more; stopping twice is once."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()


class Holder(Phone):
    """A tenant's phone before the own door."""

    def __init__(self, browser: Any, base: str, app: Flask, world: Any) -> None:
        super().__init__(browser, base, "holder")
        self._app, self._world = app, world

    def code(self, number: str) -> str:
        """The code as the worker sends it."""
        with self._app.app_context():
            send_due_messages(self._world)
        text = next(message.text for message in self._world.sms.messages() if message.phone.endswith(number))
        found = re.search(r"\d{6}", text)
        assert found is not None
        return found[0]

    def press_bluetooth(self) -> None:
        """Press the button of the first home."""
        self.page.locator("[data-near-open]").first.click()

    def is_told(self, words: str) -> None:
        """Wait until the key's word holds these words."""
        self.page.locator("[data-key-word]").filter(has_text=words).first.wait_for()

    def open_key(self, home: str) -> None:
        """Open the key page and wait until everything for the time without a network is kept."""
        self.page.goto(home)
        self.page.locator("[data-near-until]:visible").wait_for()
        self.wait_until(PAGES_KEPT)

    def wait_until(self, question: str) -> None:
        """Ask the page again and again until it says yes; its policy lets nobody else do that inside it."""
        for _ in range(200):
            if self.page.evaluate(question):
                return
            self.page.wait_for_timeout(50)
        raise AssertionError(question)


class Stand:
    """A tenant with an active key on the own phone, before a lock that has never been online."""

    def __init__(self, phone: Holder, story: Story, lock: Lock, air: Air, server: Server) -> None:
        self.phone, self.story, self.lock, self.air, self.server = phone, story, lock, air, server
        self.home = f"/t/homes/{story.registration_id}/key"

    def stop_server(self) -> None:
        """From here on the browser rightly complains about the network."""
        assert not self.phone.troubles
        self.server.stop()
        self.phone.page.on("close", lambda _: self.phone.troubles.clear())


@pytest.fixture
def server(mobile: Flask) -> Iterator[Server]:
    running = Server(mobile)
    yield running
    running.stop()


@pytest.fixture
def air(chromium: Any) -> Iterator[Air]:
    heard = Air(chromium)
    yield heard
    heard.close()


@pytest.fixture
def stand(chromium: Any, mobile: Flask, server: Server, air: Air, make: Any, world: Any) -> Iterator[Stand]:
    story = make(stories.make_invited)
    phone = Holder(chromium, server.base, mobile, world)
    phone.page.goto(f"/i/{story.link_token}")
    phone.tap("登录并继续")
    phone.sign_in(TENANT_PHONE[3:])
    phone.tap("接受邀请")
    phone.sees("已接受邀请")
    story.tenant = make(stories.make_account, TENANT_PHONE)
    make(make_active, story)
    lock = lock_of(world, story)
    air.put(OWN, lock)
    air.chosen = OWN
    air.serve(phone.page)
    yield Stand(phone, story, lock, air, server)
    phone.context.close()
    assert not phone.troubles


def test_the_open_page_opens_the_door_over_bluetooth_after_the_server_has_stopped(stand: Stand) -> None:
    stand.phone.open_key(stand.home)
    stand.phone.look("key-with-bluetooth")
    stand.stop_server()
    stand.phone.press_bluetooth()
    stand.phone.is_told("门已打开")
    assert stand.lock.body.bolt == "unlocked"
    assert events(stand.lock) == [("lock.unlocked", stand.story.key_id, None)]


def test_with_the_server_stopped_the_key_page_opens_says_what_works_and_opens_the_door(stand: Stand) -> None:
    stand.phone.open_key(stand.home)
    stand.stop_server()
    stand.phone.page.goto(stand.home)
    stand.phone.sees("现在没有网络")
    stand.phone.sees("下面这些现在也能用")
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


def test_another_lock_is_noticed_before_the_key_is_shown(stand: Stand) -> None:
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


def test_a_closed_chooser_a_lock_out_of_reach_and_missing_bluetooth_are_explained(stand: Stand) -> None:
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
