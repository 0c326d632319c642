"""The national network identity as we speak with it: a request, a page for the person, and a bare result.

A request carries what must be compared and comes back as the address of the service's own page; the person returns
with a ticket; the ticket is turned, server to server, into one of three words. No number, name, picture or attribute
ever comes back (NID-R). Every call is signed over method, path, request id and body (see `signing_input`).
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from backend.wire.registry_messages import canonical_json, read_time, write_time

SIGNATURE_HEADER = "X-Body-Signature"
REQUEST_HEADER = "X-Request-Id"
RESULTS = ("verified", "refused", "expired")
LIFE_SECONDS = 300  # at most: from the request to the end of its ticket
FRESH_SECONDS = 60  # a signed request older than this is not taken: nothing is compared beyond the minute
LARGEST_BODY_BYTES = 8_192

_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_TICKET = re.compile(r"[0-9A-Za-z_-]{20,120}")
_ID_TYPE = re.compile(r"\d{3}")


class NetworkMessageRefused(Exception):
    """A body is not a message of this contract; `field` says where."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


@dataclass(frozen=True, slots=True)
class NetworkRequest:
    """What is asked: do the person who confirms and this name and number belong together?

    `return_to` is the platform's page, to which the service adds `ticket`.
    """

    request_id: str
    id_type: str
    id_number: str
    name: str
    return_to: str
    sent_at: datetime

    def to_bytes(self) -> bytes:
        """The body as it is signed and sent."""
        return canonical_json(
            {
                "request_id": self.request_id,
                "id_type": self.id_type,
                "id_number": self.id_number,
                "name": self.name,
                "return_to": self.return_to,
                "sent_at": write_time(self.sent_at),
            }
        )


@dataclass(frozen=True, slots=True)
class RequestBegun:
    """Where the person confirms, and until when."""

    page: str
    expires_at: datetime

    def to_bytes(self) -> bytes:
        """The answer's body."""
        return canonical_json({"page": self.page, "expires_at": write_time(self.expires_at)})


@dataclass(frozen=True, slots=True)
class TicketShown:
    """A person's ticket, brought back by the platform that asked."""

    request_id: str
    ticket: str

    def to_bytes(self) -> bytes:
        """The body as it is signed and sent."""
        return canonical_json({"request_id": self.request_id, "ticket": self.ticket})


def decode_request(body: bytes) -> NetworkRequest:
    """Read a request strictly. Raises NetworkMessageRefused."""
    found = _members(body, "request_id", "id_type", "id_number", "name", "return_to", "sent_at")
    _require(_ID.fullmatch(found["request_id"]) is not None, "request_id")
    _require(_ID_TYPE.fullmatch(found["id_type"]) is not None, "id_type")
    _require(1 <= len(found["id_number"]) <= 40, "id_number")
    _require(1 <= len(found["name"]) <= 80, "name")
    _require(is_page(found["return_to"]), "return_to")
    try:
        sent_at = read_time(found["sent_at"])
    except ValueError:
        raise NetworkMessageRefused("sent_at") from None
    return NetworkRequest(
        found["request_id"], found["id_type"], found["id_number"], found["name"], found["return_to"], sent_at
    )


def decode_begun(body: bytes) -> RequestBegun:
    """Read where the person confirms. Raises NetworkMessageRefused."""
    found = _members(body, "page", "expires_at")
    _require(is_page(found["page"]), "page")
    try:
        return RequestBegun(found["page"], read_time(found["expires_at"]))
    except ValueError:
        raise NetworkMessageRefused("expires_at") from None


def decode_ticket(body: bytes) -> TicketShown:
    """Read a ticket. Raises NetworkMessageRefused."""
    found = _members(body, "request_id", "ticket")
    _require(_ID.fullmatch(found["request_id"]) is not None, "request_id")
    _require(_TICKET.fullmatch(found["ticket"]) is not None, "ticket")
    return TicketShown(found["request_id"], found["ticket"])


def decode_result(body: bytes) -> str:
    """Read a result: one of RESULTS. Raises NetworkMessageRefused, also when anything stands beside it."""
    result = _members(body, "result")["result"]
    _require(result in RESULTS, "result")
    return result


def is_page(address: str) -> bool:
    """Whether an address may be opened by a person's browser: http or https with a host."""
    try:
        parts = urlsplit(address)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and len(address) <= 500
    except ValueError:
        return False


def _members(body: bytes, *names: str) -> dict[str, str]:
    try:
        found: Any = json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError):
        raise NetworkMessageRefused("") from None
    _require(isinstance(found, dict) and set(found) == set(names), "")
    for name in names:
        _require(isinstance(found[name], str), name)
    return dict(found)


def _require(holds: bool, field: str) -> None:
    if not holds:
        raise NetworkMessageRefused(field)
