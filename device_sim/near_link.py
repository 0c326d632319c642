"""The near link's local stand-in for Bluetooth: one TCP port on 127.0.0.1 for the whole fleet.

Frame: two bytes of length (big-endian), then one chunk as it would be one GATT write. The first message names the lock
the phone stands before; then come M1 to M5, or Leave and Fetch with their answers, as often as the phone likes.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
from collections.abc import Callable

from backend.wire import near_messages
from backend.wire.near_messages import ChunkJoiner, MessageRejected
from device_sim.lock import Lock
from device_sim.near_visit import NearVisit

HOST = "127.0.0.1"
MOST_PHONES = 200
LONGEST_BACKLOG = 1_000_000  # bytes of answers a phone may leave unread


def frame(message: bytes) -> bytes:
    """A message as the frames of its chunks."""
    chunks = near_messages.split_into_chunks(message)
    return b"".join(len(chunk).to_bytes(2, "big") + chunk for chunk in chunks)


class FrameReader:
    """Turns received bytes into messages."""

    def __init__(self) -> None:
        self._raw = b""
        self._joiner = ChunkJoiner()

    def feed(self, raw: bytes) -> list[bytes]:
        """Take bytes; answer the messages they complete. Raises MessageRejected."""
        self._raw += raw
        messages: list[bytes] = []
        while len(self._raw) >= 2:
            length = int.from_bytes(self._raw[:2], "big")
            if length > near_messages.CHUNK_BYTES:
                raise MessageRejected("too_large")
            if len(self._raw) < 2 + length:
                break
            message = self._joiner.add(self._raw[2 : 2 + length])
            self._raw = self._raw[2 + length :]
            if message is not None:
                messages.append(message)
        return messages


class NearServer:
    """Listens for phones and brings them to their locks. `find` gives the lock of an id, or None."""

    def __init__(
        self,
        port: int,
        selector: selectors.BaseSelector,
        find: Callable[[str], Lock | None],
        after: Callable[[Lock], None],
    ) -> None:
        self._selector = selector
        self._find = find
        self._after = after
        self._visits: set[_Visit] = set()
        self._socket = socket.create_server((HOST, port), backlog=64)
        self._socket.setblocking(False)
        selector.register(self._socket, selectors.EVENT_READ, self)

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self._socket.getsockname()[1])

    def on_ready(self, _events: int) -> None:
        """A phone connects."""
        with contextlib.suppress(BlockingIOError, ConnectionError):
            phone, _ = self._socket.accept()
            if len(self._visits) >= MOST_PHONES:
                phone.close()
                return
            phone.setblocking(False)
            phone.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            visit = _Visit(phone, self)
            self._visits.add(visit)
            self._selector.register(phone, selectors.EVENT_READ, visit)

    def watch(self, visit: _Visit, writing: bool) -> None:
        """Wait for a visit's socket."""
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if writing else 0)
        self._selector.modify(visit.phone, events, visit)

    def end(self, visit: _Visit) -> None:
        """The phone has gone."""
        if visit in self._visits:
            self._visits.discard(visit)
            self._selector.unregister(visit.phone)
            visit.phone.close()

    def answer(self, visit: _Visit, message: bytes) -> bytes | None:
        """Let the lock answer one message; the first one only chooses the lock. Raises MessageRejected."""
        if visit.at is None:
            lock = self._find(near_messages.decode_dial(message).lock)
            if lock is None:
                raise MessageRejected("no_such_lock")
            visit.at = NearVisit(lock)
            return None
        try:
            return visit.at.answer(message)
        finally:
            self._after(visit.at.lock)

    def close(self) -> None:
        """Stop listening and send every phone away."""
        for visit in list(self._visits):
            self.end(visit)
        self._selector.unregister(self._socket)
        self._socket.close()


class _Visit:
    """One phone at one lock."""

    def __init__(self, phone: socket.socket, server: NearServer) -> None:
        self.phone = phone
        self.at: NearVisit | None = None
        self._server = server
        self._reader = FrameReader()
        self._unsent = b""

    def on_ready(self, events: int) -> None:
        """Bytes have come, or can go."""
        try:
            if events & selectors.EVENT_READ:
                self._read()
            if self._unsent:
                self._unsent = self._unsent[self.phone.send(self._unsent) :]
            self._server.watch(self, bool(self._unsent))
        except BlockingIOError:
            self._server.watch(self, bool(self._unsent))
        except (MessageRejected, ConnectionError):
            self._server.end(self)

    def _read(self) -> None:
        raw = self.phone.recv(65_536)
        if not raw:
            raise ConnectionResetError
        for message in self._reader.feed(raw):
            answer = self._server.answer(self, message)
            if answer is not None:
                self._unsent += frame(answer)
        if len(self._unsent) > LONGEST_BACKLOG:
            raise MessageRejected("too_large")


