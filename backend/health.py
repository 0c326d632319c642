"""Asks a process whether it is well, over the address it answers on."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
from urllib.parse import urlsplit

ANSWER_SECONDS = 2.0


def ask_health(address: str) -> str | None:
    """None when the process at `address` is well, else the reason in a few words.

    `address` is an http(s) URL, well when it answers 200, or tcp://host:port, well when it takes a connection.
    """
    parts = urlsplit(address)
    host, port = parts.hostname or "127.0.0.1", parts.port or 80
    try:
        if parts.scheme == "tcp":
            socket.create_connection((host, port), timeout=ANSWER_SECONDS).close()
            return None
        connection = _connection(parts.scheme, host, port)
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


def ask_counts(address: str) -> dict[str, int] | None:
    """The numbers that the process with this health address tells at /counts; None when it tells none."""
    parts = urlsplit(address)
    connection = _connection(parts.scheme, parts.hostname or "127.0.0.1", parts.port or 80)
    try:
        connection.request("GET", "/counts", headers={"Connection": "close"})
        answer = connection.getresponse()
        told = json.loads(answer.read(65_536)) if answer.status == 200 else None
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        connection.close()
    return told if isinstance(told, dict) else None


def _connection(scheme: str, host: str, port: int) -> http.client.HTTPConnection:
    if scheme != "https":
        return http.client.HTTPConnection(host, port, timeout=ANSWER_SECONDS)
    # A process of this machine is asked whether it is up; nothing secret is said, so nobody's certificate is checked.
    context = ssl._create_unverified_context()
    return http.client.HTTPSConnection(host, port, timeout=ANSWER_SECONDS, context=context)


def _reason(status: int, body: bytes) -> str:
    try:
        said = json.loads(body).get("reason")
    except (ValueError, AttributeError):
        said = None
    return str(said or f"it answers {status}")
