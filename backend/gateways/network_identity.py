"""Role NetworkIdentity: the national network identity, which says whether, and nothing else (NID-R).

`HttpNetworkIdentity` speaks the contract of backend.wire.network_identity to a county's connector, or to the demo's
stand-in; mutual TLS comes from its settings. Where none is configured, the way is not offered.
"""

from __future__ import annotations

import ssl
from datetime import timedelta
from typing import Protocol

import httpx

from backend.gateways.registry_client import BodySigner
from backend.wire.network_identity import (
    REQUEST_HEADER,
    SIGNATURE_HEADER,
    NetworkMessageRefused,
    NetworkRequest,
    RequestBegun,
    TicketShown,
    decode_begun,
    decode_result,
)
from backend.wire.registry_messages import signing_input


class NetworkIdentityUnavailable(Exception):
    """No usable answer; `reason` is connect, timeout, unreadable or http_5xx, safe to log."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NetworkTicketRefused(Exception):
    """The service does not know this ticket for this request, or it has been redeemed before."""


class NetworkIdentity(Protocol):
    """Lets a person confirm elsewhere, and says how it ended."""

    def begin(self, request: NetworkRequest) -> RequestBegun:
        """Ask for the page on which the person confirms. Raises NetworkIdentityUnavailable."""
        ...

    def redeem(self, request_id: str, ticket: str) -> str:
        """Turn a ticket into 'verified', 'refused' or 'expired', once.

        Raises NetworkIdentityUnavailable and NetworkTicketRefused.
        """
        ...


class HttpNetworkIdentity:
    """The service over HTTP(S): every call signed, five seconds each."""

    def __init__(
        self,
        url: str,
        signer: BodySigner,
        *,
        client_cert: str = "",
        client_key: str = "",
        ca: str = "",
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        trust: ssl.SSLContext | bool = False  # nothing to verify over http, which only the demo speaks
        if url.startswith("https://"):
            trust = ssl.create_default_context(cafile=ca or None)
            if client_cert:
                trust.load_cert_chain(client_cert, client_key or None)
        self._url, self._signer = url.rstrip("/"), signer
        self._client = httpx.Client(transport=transport, verify=trust, timeout=5, trust_env=False)

    def begin(self, request: NetworkRequest) -> RequestBegun:
        answer = self._call("/v1/requests", request.request_id, request.to_bytes())
        try:
            return decode_begun(answer)
        except NetworkMessageRefused:
            raise NetworkIdentityUnavailable("unreadable") from None

    def redeem(self, request_id: str, ticket: str) -> str:
        answer = self._call("/v1/tickets", request_id, TicketShown(request_id, ticket).to_bytes())
        try:
            return decode_result(answer)
        except NetworkMessageRefused:
            raise NetworkIdentityUnavailable("unreadable") from None

    def _call(self, target: str, request_id: str, body: bytes) -> bytes:
        headers = {
            SIGNATURE_HEADER: self._signer.sign_body(signing_input("POST", target, request_id, body)),
            REQUEST_HEADER: request_id,
            "Content-Type": "application/json",
        }
        try:
            answer = self._client.post(self._url + target, content=body, headers=headers)
        except httpx.TimeoutException:
            raise NetworkIdentityUnavailable("timeout") from None
        except httpx.HTTPError:
            raise NetworkIdentityUnavailable("connect") from None
        if answer.status_code in (404, 409, 410):
            raise NetworkTicketRefused
        if answer.status_code >= 300:
            raise NetworkIdentityUnavailable(f"http_{answer.status_code}")
        return answer.content


class FakeNetworkIdentity:
    """Answers what a test says; `confirm` is the person at the service's page and gives the ticket."""

    def __init__(self) -> None:
        self.available = True
        self.requests: dict[str, NetworkRequest] = {}
        self._tickets: dict[str, tuple[str, str]] = {}

    def begin(self, request: NetworkRequest) -> RequestBegun:
        if not self.available:
            raise NetworkIdentityUnavailable("switched off")
        self.requests[request.request_id] = request
        return RequestBegun(
            f"https://netid.example/confirm/{request.request_id}", request.sent_at + timedelta(minutes=5)
        )

    def confirm(self, request_id: str, result: str = "verified") -> str:
        """The person confirms, refuses, or lets it run out; answers the ticket they come back with."""
        ticket = f"ticket-{len(self._tickets):016d}"
        self._tickets[ticket] = (request_id, result)
        return ticket

    def redeem(self, request_id: str, ticket: str) -> str:
        if not self.available:
            raise NetworkIdentityUnavailable("switched off")
        known, result = self._tickets.get(ticket, ("", ""))
        if known != request_id:
            raise NetworkTicketRefused
        del self._tickets[ticket]
        return result
