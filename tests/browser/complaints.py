"""What a browser complains of: errors on its console, errors of scripts, requests to a foreign host.

The browser tells of an error when it gets round to it, so that a refused form's 422 may be heard only on the next page.
Therefore a test says which complaints are right (`allow`), at any time, and what is left is asked at its end; nobody
clears a list in the hope that everything has been said.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

# of a page's own requests, and of a service worker that looks for its next version
NO_NETWORK = r"net::ERR_|unknown error occurred when fetching the script"


class Complaints:
    """Hears one page from its first moment; of a resource that failed, the address is in the words."""

    def __init__(self, page: Any, base: str) -> None:
        self._said: list[str] = []
        self._allowed: list[re.Pattern[str]] = []
        host = urlsplit(base).netloc
        page.on("console", lambda said: said.type == "error" and self._said.append(_words(said)))
        page.on("pageerror", lambda error: self._said.append(str(error)))
        page.on(
            "request", lambda asked: urlsplit(asked.url).netloc in (host, "") or self._said.append(f"to {asked.url}")
        )

    def allow(self, *statuses: int, at: str = "") -> None:
        """Answers with these statuses are right here, at this address or (none given) at any."""
        for status in statuses:
            self._allowed.append(re.compile(rf"status of {status} .*{re.escape(f' at {at}') if at else ''}$"))

    def allow_no_network(self) -> None:
        """This test takes the network away: what could not be reached is no trouble."""
        self._allowed.append(re.compile(NO_NETWORK))

    @property
    def left(self) -> list[str]:
        """Everything that nobody has called right so far, in the order in which it was said."""
        return [said for said in self._said if not any(allowed.search(said) for allowed in self._allowed)]

    def require_none(self) -> None:
        """Fail with what is left, word by word."""
        left = self.left
        assert not left, "\n".join(left)

    def take(self) -> list[str]:
        """The same, each told once."""
        left = self.left
        self._said.clear()
        return left


def _words(said: Any) -> str:
    place = said.location.get("url", "") if said.text.startswith("Failed to load resource") else ""
    return f"{said.text} at {place}" if place else str(said.text)
