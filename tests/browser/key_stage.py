"""A stage for the pages of keys: the mobile app on a thread, a tenant's browser, a simulated lock in the air.

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

from backend.db import transaction
from backend.models.locks import Lock as LockRow
from backend.services.messages import send_due_messages
from backend.wire.jwk import jwk_of
from device_sim.lock import Lock
from tests.browser.bluetooth import Air
from tests.browser.conftest import Phone
from tests.mobile_api.conftest import make, mobile
from tests.mobile_api.near_stories import lock_of, make_active
from tests.mobile_api.page_phones import PagePhone
from tests.services import stories
from tests.services.stories import TENANT_PHONE, Story

__all__ = ["Holder", "Server", "Stand", "air", "make", "mobile", "server", "stand"]

OWN = "09:09:09:09:09:01"
PAGES_KEPT = """async () => !!navigator.serviceWorker.controller
  && !!(await caches.match('/t/offline', { cacheName: 'anju-offline' }))"""


def whole(app: Any) -> Any:
    """Answers in one piece: no file stays open when a browser goes away in the middle of it."""

    def serve(environ: Any, start_response: Any) -> list[bytes]:
        body = app(environ, start_response)
        try:
            return [b"".join(body)]
        finally:
            body.close()

    return serve


class Server:
    """A door's app on a port of its own, or on one found before."""

    def __init__(self, app: Flask, port: int = 0) -> None:
        self._server = make_server("127.0.0.1", port, whole(app), threaded=True)
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

    def enter(self, number: str = TENANT_PHONE) -> None:
        """Be signed in, as the code of the message does it, without the three pages of it."""
        client = PagePhone(self._app, self._world)
        client.sign_in(number)
        (cookie,) = [each for each in client.client._cookies.values() if each.key.endswith("anju-m")]
        self.context.add_cookies(
            [{"name": cookie.key, "value": cookie.value, "url": self.base, "secure": True, "httpOnly": True}]
        )

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


class Stand:
    """A tenant with an active key on the own phone, before a lock that has never been online."""

    def __init__(self, phone: Holder, story: Story, lock: Lock, air: Air, server: Server) -> None:
        self.phone, self.story, self.lock, self.air, self.server = phone, story, lock, air, server
        self.home = f"/t/homes/{story.registration_id}/key"

    def stop_server(self) -> None:
        """From here on the browser rightly complains about the network."""
        self.phone.complaints.require_none()
        self.server.stop()
        self.phone.complaints.allow_no_network()


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
    phone.enter()
    phone.page.goto(f"/i/{story.link_token}")
    phone.tap("接受邀请")
    phone.sees("已接受邀请")
    story.tenant = make(stories.make_account, TENANT_PHONE)
    make(make_active, story)
    make(give_keypad, story)
    lock = lock_of(world, story)
    air.put(OWN, lock)
    air.chosen = OWN
    air.serve(phone.page)
    yield Stand(phone, story, lock, air, server)
    phone.context.close()
    phone.complaints.require_none()


def give_keypad(world: Any, story: Story) -> None:
    """The lock at the door has a keypad, and so an agreement with the platform."""
    with transaction() as session:
        own = jwk_of(story.identity.agreement_key.public_key())
        session.get_one(LockRow, story.identity.lock_id).agreement_key = own
