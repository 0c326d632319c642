"""A stage for the tenant's pages: the mobile app on a thread, a phone that is signed in already, the world at hand.

Cheaper than a whole demo: no other process, time stands still, faces are answered as the test says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask

from tests.browser.key_stage import Holder, Server, make, mobile, server

__all__ = ["Make", "TenantPhone", "make", "mobile", "server", "tenant"]

Make = Callable[..., Any]
# Notes in `told` how the big button stood whenever a command left the page.
NOTE_BUTTON = """
window.told = [];
const send = window.fetch;
window.fetch = (url, ...more) => {
  if (String(url).endsWith('/unlock')) window.told.push(document.querySelector('.key-button').dataset.state);
  return send(url, ...more);
};
"""


class TenantPhone(Holder):
    """A phone before the tenant's pages."""

    def open(self, path: str) -> None:
        """Open a page and be there."""
        self.page.goto(path)

    def says(self) -> str:
        """All that is to be read on the page now."""
        return " ".join(self.page.locator("main").inner_text().split())


@pytest.fixture
def tenant(chromium: Any, mobile: Flask, server: Server, world: Any) -> Iterator[TenantPhone]:
    """A phone at 390 px, not signed in yet; at the end it may have had no trouble."""
    phone = TenantPhone(chromium, server.base, mobile, world)
    phone.name = "tenant"
    yield phone
    phone.context.close()
    phone.complaints.require_none()
