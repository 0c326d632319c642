"""Role WakeUp: tells another process that a commit left work. It may be lost; a sweep each second covers that."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import tempfile
import threading
import time
from hashlib import sha256
from pathlib import Path
from typing import Protocol
from uuid import uuid4

import psycopg

EAR_SECONDS = 1.0  # so often an ear looks whether it has been closed
EAR_PAUSE_SECONDS = 0.5  # before it connects again


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

    def name_in_database(self, channel: str) -> str | None:
        """The name by which a statement may wake `channel` itself, at its commit; None where `notify` must do it."""
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

    def name_in_database(self, channel: str) -> str | None:
        return None

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
    """LISTEN / NOTIFY, for processes on several machines; one connection a process and channel, however many listen."""

    def __init__(self, url: str) -> None:
        self._url = url.replace("postgresql+psycopg://", "postgresql://")
        self._connection: psycopg.Connection | None = None
        self._ears: dict[str, _PostgresEar] = {}
        self._guard = threading.Lock()

    def notify(self, channel: str) -> None:
        for _ in range(2):
            try:
                if self._connection is None or self._connection.closed:
                    self._connection = psycopg.connect(self._url, autocommit=True)
                self._connection.execute("SELECT pg_notify(%s, '')", (f"anju_{channel}",))
                return
            except psycopg.Error:
                self._connection = None

    def name_in_database(self, channel: str) -> str | None:
        return f"anju_{channel}"

    def close(self) -> None:
        """Stop notifying and listening; a process that ends need not."""
        if self._connection is not None:
            self._connection.close()
        with self._guard:
            for ear in self._ears.values():
                ear.close()
            self._ears.clear()

    def listen(self, channel: str) -> Listener:
        with self._guard:
            ear = self._ears.get(channel)
            if ear is None or ear.is_closed:
                ear = self._ears[channel] = _PostgresEar(self._url, f"anju_{channel}")
        return _PostgresListener(ear)


class _PostgresEar:
    """Hears one channel for all listeners of this process, in a thread of its own.

    A lost connection is made again; what was told meanwhile is lost, so everyone is woken then.
    """

    def __init__(self, url: str, channel: str) -> None:
        self.is_closed = False
        self._url = url
        self._channel = channel
        self._bells: frozenset[threading.Event] = frozenset()
        self._guard = threading.Lock()
        self._connection = self._connect()
        threading.Thread(target=self._run, name=f"wake-up {channel}", daemon=True).start()

    def add(self, bell: threading.Event) -> None:
        """Ring this bell from now on."""
        with self._guard:
            self._bells |= {bell}

    def remove(self, bell: threading.Event) -> None:
        """Ring it no more."""
        with self._guard:
            self._bells -= {bell}

    def close(self) -> None:
        """Hear nothing more; the thread ends within a moment."""
        self.is_closed = True

    def _run(self) -> None:
        while not self.is_closed:
            try:
                for _ in self._connection.notifies(timeout=EAR_SECONDS):
                    self._ring()
            except psycopg.Error:
                time.sleep(EAR_PAUSE_SECONDS)
                with contextlib.suppress(psycopg.Error):
                    self._connection.close()
                    self._connection = self._connect()
                self._ring()
        self._connection.close()

    def _connect(self) -> psycopg.Connection:
        connection = psycopg.connect(self._url, autocommit=True)
        connection.execute(f'LISTEN "{self._channel}"')
        return connection

    def _ring(self) -> None:
        for bell in self._bells:
            bell.set()


class _PostgresListener:
    def __init__(self, ear: _PostgresEar) -> None:
        self._ear = ear
        self._bell = threading.Event()
        ear.add(self._bell)

    def wait(self, seconds: float) -> bool:
        woken = self._bell.wait(seconds)
        self._bell.clear()
        return woken

    def close(self) -> None:
        self._ear.remove(self._bell)
