"""Asks a process whether it is well, over the address it answers on."""

from __future__ import annotations

import http.client
import json
import socket
from urllib.parse import urlsplit

ANSWER_SECONDS = 2.0


def ask_health(address: str) -> str | None:
    """None when the process at `address` is well, else the reason in a few words.

    `address` is an http URL, well when it answers 200, or tcp://host:port, well when it takes a connection.
    """
    parts = urlsplit(address)
    host, port = parts.hostname or "127.0.0.1", parts.port or 80
    try:
        if parts.scheme == "tcp":
            socket.create_connection((host, port), timeout=ANSWER_SECONDS).close()
            return None
        connection = http.client.HTTPConnection(host, port, timeout=ANSWER_SECONDS)
        try:
            connection.request("GET", parts.path or "/", headers={"Connection": "close"})
            answer = connection.getresponse()
            return None if answer.status == 200 else _reason(answer.status, answer.read(4096))
        finally:
            connection.close()
    except ConnectionRefusedError:
        return "nothing listens on its port yet"
    except (OSError, http.client.HTTPException) as error:
        return f"no answer ({error or type(error).__name__})"


def _reason(status: int, body: bytes) -> str:
    try:
        said = json.loads(body).get("reason")
    except (ValueError, AttributeError):
        said = None
    return str(said or f"it answers {status}")
