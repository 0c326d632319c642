"""A lock's event log: sequenced, hash-chained, kept until the platform says it has stored it."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace
from typing import Any

from backend.wire.jwk import base64url
from backend.wire.lock_messages import (
    MOST_EVENTS,
    EventHole,
    EventText,
    first_hash,
    next_hash,
    read_event,
    write_event,
)
from device_sim.flash import Flash, Stored

CAPACITY = 5_000
# What a full buffer gives up first. Access, tamper and safety events are never given up.
EXPENDABLE = frozenset({"door.opened", "door.closed", "lock.locked", "time.adjusted", "keys.changed", "clock.lost"})


class EventLog:
    """The chain of one lock. `seq` and `head` are its newest end, `acked_seq` what the platform has stored."""

    def __init__(self, lock_id: str, flash: Flash, capacity: int = CAPACITY) -> None:
        self._flash = flash
        self._capacity = capacity
        self._kept: OrderedDict[int, Stored] = OrderedDict()
        self.acked_seq, self.acked_head = 0, first_hash(lock_id)
        self._overflown = False
        self._searched = 0  # no expendable event is left up to this sequence
        self._holes = 0
        self._tidied = 0  # flash holds no event up to this sequence

    @property
    def seq(self) -> int:
        """Sequence of the newest event, 0 before the first."""
        return next(reversed(self._kept)) if self._kept else self.acked_seq

    @property
    def head(self) -> bytes:
        """Chain hash after the newest event."""
        return self._kept[self.seq].hash if self._kept else self.acked_head

    def restore(self, acked_seq: int, acked_head: bytes) -> None:
        """Come back after a reboot with what flash remembers."""
        self.acked_seq, self.acked_head = acked_seq, acked_head
        self._kept = OrderedDict((event.seq, event) for event in self._flash.load_events() if event.seq > acked_seq)
        self._searched, self._holes = acked_seq, sum(map(_is_hole, self._kept.values()))

    def write(self, event: EventText) -> Stored:
        """Add an event at the end; its `seq` is set here. It is in flash when this returns."""
        if len(self._kept) - self._holes >= self._capacity:
            self._make_room(event)
        return self._put(write_event(replace(event, seq=self.seq + 1)))

    def acknowledge(self, seq: int, head: str) -> bool:
        """Forget what the platform has stored; False when its chain is not ours, then nothing is forgotten.

        Flash forgets with `tidy`, after it remembers the new beginning: a loss of power between leaves a whole chain.
        """
        if seq <= self.acked_seq:
            return seq < self.acked_seq or head == base64url(self.acked_head)
        stored = self._kept.get(seq)
        if stored is None or base64url(stored.hash) != head:
            return False
        self.acked_seq, self.acked_head = seq, stored.hash
        while self._kept and next(iter(self._kept)) <= seq:
            self._kept.popitem(last=False)
        self._overflown, self._holes = False, sum(map(_is_hole, self._kept.values())) if self._holes else 0
        return True

    def tidy(self) -> None:
        """Take out of flash what is acknowledged; the new beginning must be saved before."""
        if self._tidied < self.acked_seq:
            self._flash.forget_events(self.acked_seq)
            self._tidied = self.acked_seq

    def rebase(self, seq: int, head: bytes) -> None:
        """After a wiped flash: continue the platform's chain with the events written since, none of them sent yet."""
        events = [read_event(stored.text) for stored in self._kept.values() if not _is_hole(stored)]
        self._flash.forget_events(self.seq)
        self._kept.clear()
        self.acked_seq, self.acked_head, self._searched, self._holes = seq, head, seq, 0
        for event in events:
            self._put(write_event(replace(event, seq=self.seq + 1)))

    def batch(self, first: int, last: int) -> tuple[str, tuple[str, ...]]:
        """The chain hash before `first` and the texts from `first` to `last`, 64 at most."""
        before = self.acked_head if first == self.acked_seq + 1 else self._kept[first - 1].hash
        last = min(last, first + MOST_EVENTS - 1, self.seq)
        return base64url(before), tuple(self._kept[seq].text for seq in range(first, last + 1))

    def hash_at(self, seq: int) -> bytes:
        """Chain hash after event `seq`, which must be the acknowledged end or still kept."""
        return self.acked_head if seq == self.acked_seq else self._kept[seq].hash

    def kept(self) -> list[Stored]:
        """The events not yet acknowledged, oldest first."""
        return list(self._kept.values())

    def __len__(self) -> int:
        return len(self._kept)

    def _put(self, text: str) -> Stored:
        stored = Stored(self.seq + 1, text, next_hash(self.head, text))
        self._flash.put_event(stored)
        self._kept[stored.seq] = stored
        return stored

    def _make_room(self, cause: EventText) -> None:
        """Give up the oldest expendable event's text; its hash stays, so that the chain still verifies."""
        for seq in range(max(self._searched, self.acked_seq) + 1, self.seq + 1):
            self._searched = seq
            stored = self._kept[seq]
            event = read_event(stored.text)
            if isinstance(event, EventText) and event.kind in EXPENDABLE:
                hole = Stored(seq, write_event(EventHole(seq, base64url(stored.hash))), stored.hash)
                self._flash.put_event(hole)
                self._kept[seq] = hole
                self._holes += 1
                break
        if not self._overflown:
            self._overflown = True
            fields: dict[str, Any] = {"kind": "log.overflow", "key": None, "command": None, "via": None, "reason": None}
            self._put(write_event(replace(cause, seq=self.seq + 1, **fields)))


def _is_hole(stored: Stored) -> bool:
    return isinstance(read_event(stored.text), EventHole)
