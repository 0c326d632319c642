"""How calls between Anju and another office are signed, in both directions alike.

Headers: X-Subscriber (under whose agreement), X-Request-Time (RFC 3339), X-Body-Signature (detached JWS, ES256, kid)
over `signing_input`, and for a delivery X-Delivery-Attempt (1, 2 …). Whoever receives refuses a time further off than
`CLOCKS_APART`, so that a recorded call is worth nothing afterwards.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from backend.wire.jwk import PublicKeys
from backend.wire.registry_messages import SIGNATURE_HEADER, read_time, write_time
from backend.wire.tokens import TokenRejected, verify_detached

__all__ = [
    "ATTEMPT_HEADER",
    "CLOCKS_APART",
    "SIGNATURE_HEADER",
    "SUBSCRIBER_HEADER",
    "TIME_HEADER",
    "reporter_of",
    "signing_input",
    "verify_call",
]

SUBSCRIBER_HEADER = "X-Subscriber"
TIME_HEADER = "X-Request-Time"
ATTEMPT_HEADER = "X-Delivery-Attempt"
CLOCKS_APART = timedelta(minutes=5)


def reporter_of(subscriber: str) -> str:
    """The `source` of what an office reports."""
    return f"urn:anju:office:{subscriber}"


def signing_input(subscriber: str, method: str, target: str, at: datetime, body: bytes) -> bytes:
    """The bytes a signature covers: whom the call belongs to, when it was made, the call and its body.

    `target` is path and query as sent.
    """
    return f"{subscriber}\n{method} {target}\n{write_time(at)}\n".encode() + body


def verify_call(
    *,
    subscriber: str,
    method: str,
    target: str,
    time_text: str,
    signature: str,
    body: bytes,
    keys: PublicKeys,
    now: datetime,
) -> str:
    """Check one call at `now` and answer the kid that signed it. Raises TokenRejected with the reason."""
    try:
        at = read_time(time_text)
    except ValueError:
        raise TokenRejected("malformed") from None
    if abs(at - now) > CLOCKS_APART:
        raise TokenRejected("expired")
    return verify_detached(signature, signing_input(subscriber, method, target, at, body), keys)
