"""A stage for the console: the same world behind both doors, desks of staff at 1366 × 768."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask

from backend.app import create_console_app
from backend.db import db
from backend.services.officer_sessions import begin_task
from backend.services.officers import sign_in_officer
from tests.browser.conftest import Phone
from tests.browser.cookies import session_cookie
from tests.browser.key_stage import Server
from tests.services import staff

__all__ = ["StaffDesk", "console_app", "console_server", "staff_desk"]


class StaffDesk(Phone):
    """A member of staff before a desktop browser, signed in with a purpose."""

    def __init__(self, browser: Any, base: str, app: Flask, name: str) -> None:
        super().__init__(browser, base, name, 1366)
        self.page.set_viewport_size({"width": 1366, "height": 768})
        self._app = app

    def come_in(self, signed: Any) -> None:
        """Carry the cookie that the sign-in gives."""
        self.context.add_cookies([session_cookie(self._app, self.base, signed.session_id, signed.secret)])

    def open(self, path: str, *words: str) -> None:
        """Go there and wait for these words."""
        self.page.goto(path)
        for each in words:
            self.page.get_by_text(each).first.wait_for()

    def words(self) -> str:
        """Everything the page says."""
        return " ".join(self.page.locator("body").inner_text().split())

    def press(self, words: str) -> None:
        """Press the button or link with these words, and be where it leads."""
        self.page.locator("main, #content").locator("button:visible, a:visible").filter(has_text=words).first.click()
        self.page.wait_for_load_state()


@pytest.fixture
def console_app(settings: Any, world: Any) -> Iterator[Flask]:
    """The console over the test's own database, as plain http on this machine needs it."""
    app = create_console_app(replace(settings, cookie_secure=False), world)
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def console_server(console_app: Flask) -> Iterator[Server]:
    """The console on a port of its own."""
    running = Server(console_app)
    yield running
    running.stop()


@pytest.fixture
def staff_desk(
    chromium: Any, console_app: Flask, console_server: Server, world: Any
) -> Iterator[Callable[..., StaffDesk]]:
    """`staff_desk("officer", "anna")` is signed in with the purpose of a visit; nobody may have had trouble."""
    made: list[StaffDesk] = []

    def sit_down(role: str, login: str, purpose: str = "visit", case_number: str | None = None) -> StaffDesk:
        with console_app.app_context():
            who = staff.make_officer(world, role, login=login)
            signed = sign_in_officer(world, login=login, password=staff.PASSWORD, code=who.code(world))
            begin_task(world, session_id=signed.session_id, purpose=purpose, case_number=case_number)
            db.session.remove()
        made.append(StaffDesk(chromium, console_server.base, console_app, login))
        made[-1].come_in(signed)
        return made[-1]

    yield sit_down
    for each in made:
        each.context.close()
        each.complaints.require_none()
