"""Requests in memory: begun, confirmed or refused by the person, redeemed once, gone after minutes."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from backend.wire.network_identity import FRESH_SECONDS, LIFE_SECONDS, NetworkRequest, RequestBegun

UNKNOWN_NAME = "不符测试"  # a name that never belongs to its number, so that the path can be tried
MOST = 10_000  # a minute of a county's rush; beyond it the oldest is dropped, and its person starts again


class RequestRefused(Exception):
    """The request or its ticket cannot be used: `reason` is stale, repeated or unknown."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass
class Waiting:
    """One request: whether name and number fit, what the person said (None: nothing yet), the ticket's hash."""

    request_id: str
    fits: bool
    return_to: str
    expires_at: datetime
    confirmed: bool | None = None
    ticket_hash: bytes | None = None
    redeemed: bool = False


class Requests:
    """All requests of the last minutes."""

    def __init__(self, public_url: str, clock: Callable[[], datetime]) -> None:
        self._public_url, self._clock = public_url, clock
        self._lock = threading.Lock()
        self._by_page: dict[bytes, Waiting] = {}

    def begin(self, request: NetworkRequest) -> RequestBegun:
        """Compare, keep the answer alone, and give the page. Raises RequestRefused stale, repeated."""
        now = self._clock()
        if abs((now - request.sent_at).total_seconds()) > FRESH_SECONDS:
            raise RequestRefused("stale")
        page = secrets.token_urlsafe(24)
        with self._lock:
            self._forget(now)
            if any(row.request_id == request.request_id for row in self._by_page.values()):
                raise RequestRefused("repeated")
            waiting = Waiting(
                request.request_id,
                fits=request.name != UNKNOWN_NAME,
                return_to=request.return_to,
                expires_at=now + timedelta(seconds=LIFE_SECONDS),
            )
            self._by_page[_hash(page)] = waiting
        return RequestBegun(f"{self._public_url}/confirm/{page}", waiting.expires_at)

    def find(self, page: str) -> Waiting | None:
        """The request behind a page's address."""
        with self._lock:
            self._forget(self._clock())
            return self._by_page.get(_hash(page))

    def answer(self, page: str, confirmed: bool) -> str | None:
        """Take the person's answer, once; answers the ticket, or None when there is nothing to answer any more."""
        with self._lock:
            waiting = self._by_page.get(_hash(page))
            if waiting is None or waiting.ticket_hash is not None:
                return None
            ticket = secrets.token_urlsafe(24)
            waiting.confirmed = confirmed if self._clock() < waiting.expires_at else None
            waiting.ticket_hash = _hash(ticket)
            return ticket

    def redeem(self, request_id: str, ticket: str) -> str:
        """Turn a ticket into its result, once. Raises RequestRefused unknown, repeated."""
        with self._lock:
            waiting = next((row for row in self._by_page.values() if row.ticket_hash == _hash(ticket)), None)
            if waiting is None or waiting.request_id != request_id:
                raise RequestRefused("unknown")
            if waiting.redeemed:
                raise RequestRefused("repeated")
            waiting.redeemed = True
            if waiting.confirmed is None or self._clock() >= waiting.expires_at:
                return "expired"
            return "verified" if waiting.confirmed and waiting.fits else "refused"

    def count(self) -> int:
        """How many are in memory."""
        return len(self._by_page)

    def _forget(self, now: datetime) -> None:
        kept = {page: row for page, row in self._by_page.items() if now < row.expires_at + timedelta(minutes=1)}
        while len(kept) >= MOST:
            del kept[next(iter(kept))]
        self._by_page = kept


def _hash(text: str) -> bytes:
    return sha256(text.encode()).digest()
