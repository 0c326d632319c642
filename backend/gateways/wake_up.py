"""Role WakeUp: tells another process that a commit left work. It may be lost; a sweep each second covers that."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import tempfile
from hashlib import sha256
from pathlib import Path
from typing import Protocol
from uuid import uuid4

import psycopg


class Listener(Protocol):
    """One process's ear on one channel."""

    def wait(self, seconds: float) -> bool:
        """Wait until woken (True) or until `seconds` have passed (False)."""
        ...

    def close(self) -> None:
        """Stop listening."""
        ...


class WakeUp(Protocol):
    """Wakes the listeners of a channel ('lock', 'registry', 'sms', 'command')."""

    def notify(self, channel: str) -> None:
        """Wake all listeners of `channel`; never raises, never blocks."""
        ...

    def listen(self, channel: str) -> Listener:
        """Begin to listen on `channel`."""
        ...


class SocketWakeUp:
    """Unix datagram sockets in a private folder, for processes of one machine."""

    def __init__(self, var: Path) -> None:
        # A socket's path may have 107 bytes at most, so the folder is short and named after var.
        name = sha256(str(var.resolve()).encode()).hexdigest()[:12]
        self._folder = Path(tempfile.gettempdir()) / f"anju-{os.getuid()}-{name}"
        self._folder.mkdir(mode=0o700, exist_ok=True)
        if self._folder.stat().st_uid != os.getuid():
            raise PermissionError(f"{self._folder} belongs to another user")
        self._sender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._sender.setblocking(False)

    def notify(self, channel: str) -> None:
        for path in self._folder.glob(f"{channel}.*"):
            try:
                self._sender.sendto(b"1", str(path))
            except ConnectionRefusedError:
                path.unlink(missing_ok=True)  # its process died without closing
            except OSError:
                continue  # a full socket is awake already

    def close(self) -> None:
        """Stop notifying; a process that ends need not."""
        self._sender.close()

    def listen(self, channel: str) -> Listener:
        return _SocketListener(self._folder / f"{channel}.{uuid4().hex[:12]}")


class _SocketListener:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.bind(str(path))

    def wait(self, seconds: float) -> bool:
        ready, _, _ = select.select([self._socket], [], [], seconds)
        if not ready:
            return False
        with contextlib.suppress(BlockingIOError):
            while True:
                self._socket.recv(16)
        return True

    def close(self) -> None:
        self._socket.close()
        self._path.unlink(missing_ok=True)


class PostgresWakeUp:
    """LISTEN / NOTIFY, for processes on several machines."""

    def __init__(self, url: str) -> None:
        self._url = url.replace("postgresql+psycopg://", "postgresql://")
        self._connection: psycopg.Connection | None = None

    def notify(self, channel: str) -> None:
        for _ in range(2):
            try:
                if self._connection is None or self._connection.closed:
                    self._connection = psycopg.connect(self._url, autocommit=True)
                self._connection.execute("SELECT pg_notify(%s, '')", (f"anju_{channel}",))
                return
            except psycopg.Error:
                self._connection = None

    def close(self) -> None:
        """Stop notifying; a process that ends need not."""
        if self._connection is not None:
            self._connection.close()

    def listen(self, channel: str) -> Listener:
        return _PostgresListener(self._url, f"anju_{channel}")


class _PostgresListener:
    def __init__(self, url: str, channel: str) -> None:
        self._connection = psycopg.connect(url, autocommit=True)
        self._connection.execute(f'LISTEN "{channel}"')

    def wait(self, seconds: float) -> bool:
        return any(True for _ in self._connection.notifies(timeout=seconds, stop_after=1))

    def close(self) -> None:
        self._connection.close()
