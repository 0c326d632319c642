"""What follows an unlocking: the bolt closes by itself, nobody came in, the door stands open too long."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from device_sim.lock import Lock

AUTO_LOCK_SECONDS = 5  # both until the platform configures others
AJAR_SECONDS = 120
NEVER = float("inf")


class Doorway:
    """The timers around one door; they run by the counter, so that no wrong clock leaves a door open."""

    def __init__(self, lock: Lock) -> None:
        self._lock = lock
        self._lock_at = NEVER
        self._ajar_at = NEVER
        self._was_opened = False

    def on_unlocked(self) -> None:
        """The bolt is back: it will close by itself."""
        config = self._lock.config
        self._lock_at = self._lock.clock.ticks() + (config.auto_lock_s if config else AUTO_LOCK_SECONDS)
        self._was_opened = self._lock.body.door != "closed"

    def on_locked(self) -> None:
        """The bolt is out."""
        self._lock_at = NEVER

    def on_door(self, door: str) -> None:
        """The door was moved: `open`, `closed` or `ajar`."""
        config = self._lock.config
        self._was_opened |= door != "closed"
        patience = config.ajar_s if config else AJAR_SECONDS
        self._ajar_at = self._lock.clock.ticks() + patience if door == "open" else NEVER

    def due_at(self) -> float:
        """When `tick` has something to do, by the counter."""
        return min(self._lock_at, self._ajar_at)

    def tick(self, now: float) -> None:
        """Close the bolt in its time, saying whether nobody opened the door; tell of a door left open."""
        lock = self._lock
        if now >= self._lock_at:
            self._lock_at = NEVER
            if lock.body.bolt == "unlocked":
                if not self._was_opened:
                    lock.record("lock.unlock_timeout", via="timer")
                lock.move_bolt("lock", key=None, command=None, via="timer")
        if now >= self._ajar_at:
            self._ajar_at = NEVER
            lock.body.door = "ajar"
            lock.record("door.ajar")
