"""The console over a world of fakes, and browsers of staff that come to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from backend.app import create_console_app
from backend.db import db
from backend.services.officer_sessions import begin_task
from backend.services.officers import sign_in_officer
from tests.services import staff


@pytest.fixture
def database_kind() -> str:
    """HTTP alone is looked at here; what touches the database is tested on both in tests/services."""
    return "sqlite"


@pytest.fixture
def console(settings: Any, world: Any) -> Iterator[Flask]:
    """The whole console on the test's own database."""
    app = create_console_app(replace(settings, cookie_secure=True), world)
    app.config["PREFERRED_URL_SCHEME"] = "https"  # its cookie is for https alone
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def make(console: Flask, world: Any) -> Callable[..., Any]:
    """Run a factory or a service in a context of its own: `make(stories.make_active)`."""

    def run(factory: Callable[..., Any], *args: Any, **named: Any) -> Any:
        with console.app_context():
            try:
                return factory(world, *args, **named)
            finally:
                db.session.remove()

    return run


@pytest.fixture
def browser(console: Flask, make: Callable[..., Any]) -> Callable[..., FlaskClient]:
    """A browser: `browser("reviewer", purpose="review")` is signed in, `browser()` is nobody's. No CSRF token asked."""
    console.config["WTF_CSRF_ENABLED"] = False

    def come(
        role: str | None = None, area: str = staff.STREET, purpose: str | None = None, case_number: str | None = None
    ) -> FlaskClient:
        client = console.test_client()
        if role is None:
            return client
        signed = make(_signed_in, role, area, purpose, case_number)
        with client.session_transaction(base_url="https://localhost") as cookie:
            cookie.update(sid=signed.session_id, secret=signed.secret)
        return client

    return come


def _signed_in(world: Any, role: str, area: str, purpose: str | None, case_number: str | None) -> Any:
    login = f"{role.replace('_', '-')}-{area}-{purpose or 'none'}".replace("_", "-")
    who = staff.make_officer(world, role, area, login)
    signed = sign_in_officer(world, login=who.login, password=staff.PASSWORD, code=who.code(world))
    if purpose is not None:
        begin_task(world, session_id=signed.session_id, purpose=purpose, case_number=case_number)
    return signed
