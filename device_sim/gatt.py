"""The lock's near link as Bluetooth has it: one GATT service with two characteristics. Pure: no Bluetooth stack here.

A phone writes the chunks of its message to one characteristic and then reads the answer's chunks from the other, until
the last (its top bit is set). Reading is asked for, not notified: notifications cannot be counted on in every browser.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from backend.wire import near_messages
from backend.wire.near_messages import GATT_READ, GATT_WRITE, ChunkJoiner, MessageRejected
from device_sim.lock import Lock
from device_sim.near_visit import NearVisit


def _nothing(_lock: Lock) -> None:
    """Nobody wants to know."""


class GattService:
    """One connected phone at one lock; a new connection is a new service. `after` hears of every message answered."""

    def __init__(self, lock: Lock, after: Callable[[Lock], None] = _nothing) -> None:
        self._lock = lock
        self._after = after
        self._joiner = ChunkJoiner()
        self._answer: deque[bytes] = deque()
        self._visit = NearVisit(lock)

    def write(self, characteristic: str, chunk: bytes) -> None:
        """Take one chunk; after a message's last one the answer lies ready.

        Raises MessageRejected for what is no message of ours: the write fails, and the phone begins anew.
        """
        if characteristic != GATT_WRITE or len(chunk) > near_messages.CHUNK_BYTES:
            raise MessageRejected("too_large" if characteristic == GATT_WRITE else "not_writable")
        self._answer.clear()
        try:
            message = self._joiner.add(chunk)
            if message is not None:
                self._answer.extend(near_messages.split_into_chunks(self._say(message)))
        except MessageRejected:
            self._joiner, self._visit = ChunkJoiner(), NearVisit(self._lock)
            raise

    def read(self, characteristic: str) -> bytes:
        """The next chunk of the answer; empty when nothing is left. Raises MessageRejected."""
        if characteristic != GATT_READ:
            raise MessageRejected("not_readable")
        return self._answer.popleft() if self._answer else b""

    def _say(self, message: bytes) -> bytes:
        try:
            return self._visit.answer(message)
        finally:
            self._after(self._lock)
