"""The mobile app over a world of fakes, and phones that speak to it; every answer is held against the document."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask

from backend.db import db
from mobile_api.app import create_mobile_app
from tests.mobile_api.page_phones import PagePhone
from tests.mobile_api.phones import ApiPhone


@pytest.fixture
def mobile(settings: Any, world: Any) -> Iterator[Flask]:
    """The whole mobile app on the test's own database."""
    app = create_mobile_app(settings, world)
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def make(mobile: Flask, world: Any) -> Callable[..., Any]:
    """Run a factory of tests.services.stories, or a service, in a context of its own: `make(stories.make_active)`."""

    def run(factory: Callable[..., Any], *args: Any, **named: Any) -> Any:
        with mobile.app_context():
            try:
                return factory(world, *args, **named)
            finally:
                db.session.remove()

    return run


@pytest.fixture
def phone(mobile: Flask, world: Any) -> Callable[..., ApiPhone]:
    """Phones: `phone("+86…")` is signed in, `phone()` is nobody's."""

    def hand_out(number: str | None = None) -> ApiPhone:
        made = ApiPhone(mobile, world)
        if number is not None:
            made.sign_in(number)
        return made

    return hand_out


@pytest.fixture
def browser(mobile: Flask, world: Any) -> Callable[..., PagePhone]:
    """Browsers: `browser("+86…")` is signed in, `browser()` is nobody's; `language` is 'zh' or 'en'."""

    def hand_out(number: str | None = None, language: str = "zh") -> PagePhone:
        made = PagePhone(mobile, world)
        if number is not None:
            made.sign_in(number)
        made.client.set_cookie("anju-lang", language)
        return made

    return hand_out
