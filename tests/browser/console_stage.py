"""A stage for the console: it and the mobile app on threads over one database, and desktops of staff at 1366 x 768."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask

from backend.db import db
from backend.services.officer_sessions import begin_task
from backend.services.officers import sign_in_officer
from tests.browser.conftest import Phone
from tests.browser.cookies import session_cookie
from tests.browser.key_stage import Server
from tests.browser.walker import AXE
from tests.services import staff

__all__ = ["Desk", "Office", "office"]

SIZE = {"width": 1366, "height": 768}


class Office:
    """Both doors over one database; `make` runs a factory or a service in a context of its own."""

    def __init__(self, console: Flask, mobile: Flask, world: Any) -> None:
        self.console, self.mobile, self.world = console, mobile, world
        self._signed_in: dict[tuple[str, str | None], dict[str, str]] = {}
        self._servers = Server(console), Server(mobile)
        self.console_base, self.mobile_base = (server.base for server in self._servers)

    def make(self, factory: Callable[..., Any], *args: Any, **named: Any) -> Any:
        """Run `factory(world, ...)`."""
        with self.console.app_context():
            try:
                return factory(self.world, *args, **named)
            finally:
                db.session.remove()

    def sign_in(self, role: str, area: str = staff.STREET, purpose: str | None = None) -> dict[str, str]:
        """The session cookie of a new officer who has signed in."""

        def signed(world: Any) -> Any:
            login = f"{role.replace('_', '-')}-{area}-{purpose or 'none'}".replace("_", "-")
            who = staff.make_officer(world, role, area, login)
            session = sign_in_officer(world, login=who.login, password=staff.PASSWORD, code=who.code(world))
            if purpose is not None:
                number = "A330522-77" if purpose == "case" else None
                begin_task(world, session_id=session.session_id, purpose=purpose, case_number=number)
            return session

        made = self.make(signed)
        return session_cookie(self.console, self.console_base, made.session_id, made.secret)

    def sign_in_once(self, role: str, purpose: str | None) -> dict[str, str]:
        """The same, of one officer for each role and purpose."""
        if (role, purpose) not in self._signed_in:
            self._signed_in[role, purpose] = self.sign_in(role, purpose=purpose)
        return self._signed_in[role, purpose]

    def stop(self) -> None:
        """Both doors away."""
        for server in self._servers:
            server.stop()


class Desk(Phone):
    """A desktop's browser with the console; the same eyes as a phone's for errors, foreign requests and sizes."""

    def __init__(self, browser: Any, office: Office, name: str, language: str = "zh") -> None:
        super().__init__(browser, office.console_base, name, width=SIZE["width"])
        self.page.set_viewport_size(SIZE)
        self.office = office
        self.set_mode(language, elder=False)

    def come_as(self, role: str, area: str = staff.STREET, purpose: str | None = None) -> None:
        """Sign in without the form."""
        self.context.add_cookies([self.office.sign_in(role, area, purpose)])

    def require_accessible(self) -> None:
        """Axe finds nothing on the page, seen from its top: what lies under the strip is no small target."""
        self.page.evaluate("scrollTo(0, 0)")
        found = Axe().run(self.page, options=AXE).response["violations"]
        told = [f"{one['id']}: {[node['html'][:120] for node in one['nodes'][:3]]}" for one in found]
        assert not told, told

    @property
    def focused(self) -> str:
        """The words of what has the focus."""
        return str(self.page.evaluate("document.activeElement.textContent.trim().replace(/\\s+/g, ' ')"))


@pytest.fixture
def office(migrated_sqlite: Path, tmp_path: Path, chromium: Any) -> Iterator[Office]:
    """An office of its own for each test."""
    from backend.app import create_console_app
    from backend.config import Settings
    from backend.gateways.clock import FixedClock
    from mobile_api.app import create_mobile_app
    from tests.conftest import NOW
    from tests.worlds import make_fake_world

    shutil.copyfile(migrated_sqlite, tmp_path / "anju.db")
    settings = Settings.from_environment(
        {"ANJU_DEMO": "1", "ANJU_VAR": str(tmp_path), "ANJU_DATABASE_URL": f"sqlite:///{tmp_path / 'anju.db'}"}
    )
    world = make_fake_world(settings, FixedClock(NOW))
    requests = logging.getLogger("werkzeug")
    requests.setLevel(logging.WARNING)
    console = create_console_app(replace(settings, cookie_secure=False), world)
    mobile = create_mobile_app(settings, world)
    made = Office(console, mobile, world)
    yield made
    made.stop()
    requests.setLevel(logging.NOTSET)
    for app in (console, mobile):
        with app.app_context():
            db.engine.dispose()


@pytest.fixture
def desks(chromium: Any, office: Office) -> Iterator[Callable[..., Desk]]:
    """Desktops by name; at the end none of them may have had trouble."""
    made: list[Desk] = []

    def hand_out(name: str, language: str = "zh") -> Desk:
        made.append(Desk(chromium, office, name, language))
        return made[-1]

    yield hand_out
    for desk in made:
        desk.context.close()
        desk.complaints.require_none()
