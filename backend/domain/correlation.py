"""The id of the request or message being handled, for audit leaves and problem answers."""

from __future__ import annotations

from contextvars import ContextVar

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
