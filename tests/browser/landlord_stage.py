"""A stage for the landlord's pages: the mobile app on a thread, the world in the test's hand, a signed-in browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask

from tests.browser.conftest import Phone
from tests.browser.key_stage import Holder, Server, make, mobile, server
from tests.mobile_api.page_phones import PagePhone
from tests.services.stories import LANDLORD_PHONE

__all__ = ["Desk", "desk", "make", "mobile", "server"]


class Desk(Holder):
    """A landlord's phone; a colleague of the same world can be had with `beside`."""

    def __init__(self, browser: Any, base: str, app: Any, world: Any) -> None:
        super().__init__(browser, base, app, world)
        self.name = "landlord"
        self.complaints.allow(403, 409, 422)  # of a refused form
        self._browser = browser
        self._others: list[Phone] = []

    def come_in(self, number: str) -> None:
        """Be signed in, as the test client was by the code: the pages of signing in have tests of their own."""
        client = PagePhone(self._app, self._world)
        client.sign_in(number)
        cookies = [each for each in client.client._cookies.values() if each.value]
        self.context.add_cookies([{"name": each.key, "value": each.value, "url": self.base} for each in cookies])

    def beside(self, name: str, number: str | None = None) -> Desk:
        """Another phone in the same world."""
        other = Desk(self._browser, self.base, self._app, self._world)
        other.name = name
        self._others.append(other)
        if number is not None:
            other.come_in(number)
        return other

    def open(self, path: str, *words: str) -> None:
        """Go there and wait for these words."""
        self.page.goto(path)
        for each in words:
            self.sees(each)

    def words(self) -> str:
        """Everything the page says."""
        return str(self.page.locator("main").inner_text())

    def leave(self) -> None:
        """Close all phones; none may have had trouble."""
        phones = (self, *self._others)
        for each in phones:
            each.context.close()
            each.complaints.require_none()


@pytest.fixture
def desk(chromium: Any, mobile: Flask, server: Server, world: Any) -> Iterator[Callable[..., Desk]]:
    """`desk()` is the stories' landlord, signed in; made once the story is."""
    made: list[Desk] = []

    def sit_down(number: str = LANDLORD_PHONE) -> Desk:
        made.append(Desk(chromium, server.base, mobile, world))
        made[-1].come_in(number)
        return made[-1]

    yield sit_down
    for each in made:
        each.leave()
