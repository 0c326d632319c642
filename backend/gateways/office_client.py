"""Role OfficeClient: hands changes to another office's address, signed; real and fake.

It decides nothing: what an answer means is the service's.
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol
from urllib.parse import urlsplit

import httpx

from backend.gateways.registry_client import BodySigner
from backend.wire.office_calls import (
    ATTEMPT_HEADER,
    SIGNATURE_HEADER,
    SUBSCRIBER_HEADER,
    TIME_HEADER,
    signing_input,
)
from backend.wire.registry_messages import write_time


@dataclass(frozen=True)
class Answer:
    """What came back: a status, or None with the reason why nothing did (connect, tls, timeout; safe to log)."""

    status: int | None
    reason: str = ""
    retry_after_seconds: float | None = None


class OfficeClient(Protocol):
    """Delivers to other offices."""

    def deliver(self, subscriber: str, url: str, content_type: str, body: bytes, attempt: int) -> Answer:
        """POST a body to an office's address; never raises for what happens on the way."""
        ...


class HttpOfficeClient:
    """Over HTTPS with the client certificate of the settings; follows no redirection, uses no proxy."""

    def __init__(
        self,
        signer: BodySigner,
        *,
        client_cert: str = "",
        client_key: str = "",
        ca: str = "",
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._signer, self._certificate, self._ca = signer, (client_cert, client_key), ca
        self._now, self._transport = now, transport
        self._making = threading.Lock()
        self._made: dict[bool, httpx.Client] = {}

    def deliver(self, subscriber: str, url: str, content_type: str, body: bytes, attempt: int) -> Answer:
        parts = urlsplit(url)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        at = self._now()
        headers = {
            "Content-Type": content_type,
            SUBSCRIBER_HEADER: subscriber,
            TIME_HEADER: write_time(at),
            ATTEMPT_HEADER: str(attempt),
            SIGNATURE_HEADER: self._signer.sign_body(signing_input(subscriber, "POST", target, at, body)),
        }
        try:
            answer = self._client(parts.scheme == "https").post(url, content=body, headers=headers)
        except httpx.TimeoutException:
            return Answer(None, "timeout")
        except httpx.HTTPError as error:
            return Answer(None, "tls" if "SSL" in str(error) or "TLS" in str(error) else "connect")
        return Answer(answer.status_code, f"http_{answer.status_code}", _retry_after(answer.headers))

    def _client(self, secure: bool) -> httpx.Client:
        with self._making:
            if secure not in self._made:
                self._made[secure] = httpx.Client(
                    transport=self._transport,
                    verify=self._trust() if secure else False,  # nothing to verify; a trust store takes time to load
                    timeout=httpx.Timeout(10.0, connect=3.0),
                    follow_redirects=False,  # the agreement names one address, and two people approved that one
                    trust_env=False,
                )
            return self._made[secure]

    def _trust(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=self._ca or None)
        certificate, key = self._certificate
        if certificate:
            context.load_cert_chain(certificate, key or None)
        return context


@dataclass
class FakeOfficeClient:
    """Takes everything, or answers what it was told to; remembers what came."""

    answers: list[Answer] = field(default_factory=list)
    came: list[tuple[str, str, str, bytes, int]] = field(default_factory=list)

    def deliver(self, subscriber: str, url: str, content_type: str, body: bytes, attempt: int) -> Answer:
        """Note it and give the next answer, 204 when none is left."""
        self.came.append((subscriber, url, content_type, body, attempt))
        return self.answers.pop(0) if self.answers else Answer(204)


def _retry_after(headers: httpx.Headers) -> float | None:
    text = headers.get("Retry-After", "")
    return float(text) if text.isascii() and text.isdigit() and len(text) < 9 else None
