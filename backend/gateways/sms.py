"""Role SmsGateway: short messages to phones."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import httpx


class SmsFailed(Exception):
    """The gateway did not take the message; it is tried again later."""


class SmsGateway(Protocol):
    """Sends short messages."""

    def send(self, phone: str, text: str, reference: str) -> None:
        """Send `text` to `phone` (E.164). `reference` makes a repeated send recognisable. Raises SmsFailed."""
        ...


@dataclass(frozen=True)
class DemoMessage:
    """A message as the demo page shows it."""

    at: str
    phone: str
    text: str


class DemoSms:
    """Stand-in: keeps the last messages in a file that the demo's page shows. Refused outside the demo by Settings."""

    kept = 200

    def __init__(self, path: Path) -> None:
        self._path = path
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)

    def send(self, phone: str, text: str, reference: str) -> None:
        row = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "phone": phone, "text": text, "ref": reference}
        handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(handle, "a", encoding="utf-8") as file:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")

    def messages(self) -> list[DemoMessage]:
        """The last messages, newest first, each reference once."""
        if not self._path.exists():
            return []
        seen: dict[str, dict[str, Any]] = {}
        for line in self._path.read_text(encoding="utf-8").splitlines()[-self.kept :]:
            row = json.loads(line)
            seen[row["ref"]] = row
        return [DemoMessage(r["at"], r["phone"], r["text"]) for r in reversed(list(seen.values()))]


class HttpSms:
    """A real gateway: one JSON POST per message, bearer token, five seconds."""

    def __init__(self, url: str, token: str) -> None:
        self._url, self._token = url, token

    def send(self, phone: str, text: str, reference: str) -> None:
        message = {"to": phone, "text": text, "reference": reference}
        headers = {"Authorization": f"Bearer {self._token}"}
        try:
            httpx.post(self._url, json=message, headers=headers, timeout=5).raise_for_status()
        except httpx.HTTPStatusError as error:
            raise SmsFailed(f"gateway answered {error.response.status_code}") from None
        except httpx.HTTPError as error:
            raise SmsFailed(type(error).__name__) from None
