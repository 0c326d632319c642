"""A lock's flash: what survives a reboot. One SQLite file for the whole fleet, one row per lock and part."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any, NamedTuple, Protocol


class Stored(NamedTuple):
    """One event as flash keeps it: its exact text and the chain hash after it."""

    seq: int
    text: str
    hash: bytes


class Flash(Protocol):
    """Keeps the state and the events of one lock; what was written is there after a crash."""

    def load(self) -> dict[str, Any] | None:
        """The state last saved, or None on a wiped flash."""
        ...

    def save(self, state: dict[str, Any]) -> None:
        """Replace the state, at once and whole."""
        ...

    def load_events(self) -> list[Stored]:
        """All events not yet forgotten, in order."""
        ...

    def put_event(self, event: Stored) -> None:
        """Add an event, or replace the one of the same sequence."""
        ...

    def forget_events(self, up_to: int) -> None:
        """Delete the events up to and with this sequence."""
        ...

    def wipe(self) -> None:
        """Fault: forget everything."""
        ...


class MemoryFlash:
    """Flash in memory: survives the lock object, not the process. State is copied, as real flash would."""

    def __init__(self) -> None:
        self._state: str | None = None
        self._events: dict[int, Stored] = {}

    def load(self) -> dict[str, Any] | None:
        return None if self._state is None else json.loads(self._state)

    def save(self, state: dict[str, Any]) -> None:
        self._state = json.dumps(state)

    def load_events(self) -> list[Stored]:
        return [self._events[seq] for seq in sorted(self._events)]

    def put_event(self, event: Stored) -> None:
        self._events[event.seq] = event

    def forget_events(self, up_to: int) -> None:
        self._events = {seq: event for seq, event in self._events.items() if seq > up_to}

    def wipe(self) -> None:
        self._state, self._events = None, {}


class FlashFile:
    """The fleet's flash chips in one SQLite file; `of(lock_id)` is one lock's chip."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Made in one thread and used in another, the fleet's; never in two at once.
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        path.chmod(0o600)
        # NORMAL: a killed process loses nothing; a killed machine may lose the last moments, as a real lock may not.
        self._db.executescript(
            """
            PRAGMA journal_mode = WAL;
            PRAGMA synchronous = NORMAL;
            CREATE TABLE IF NOT EXISTS states (lock_id TEXT PRIMARY KEY, state TEXT NOT NULL) WITHOUT ROWID;
            CREATE TABLE IF NOT EXISTS events (
                lock_id TEXT NOT NULL, seq INTEGER NOT NULL, text TEXT NOT NULL, hash BLOB NOT NULL,
                PRIMARY KEY (lock_id, seq)
            ) WITHOUT ROWID;
            """
        )

    def of(self, lock_id: str) -> Flash:
        """The chip of one lock."""
        return _Chip(self._db, lock_id)

    def close(self) -> None:
        """Close the file."""
        self._db.close()


class _Chip:
    def __init__(self, db: sqlite3.Connection, lock_id: str) -> None:
        self._db = db
        self._lock_id = lock_id

    def load(self) -> dict[str, Any] | None:
        row = self._db.execute("SELECT state FROM states WHERE lock_id = ?", (self._lock_id,)).fetchone()
        return None if row is None else json.loads(row[0])

    def save(self, state: dict[str, Any]) -> None:
        text = json.dumps(state, separators=(",", ":"))
        self._db.execute("INSERT OR REPLACE INTO states (lock_id, state) VALUES (?, ?)", (self._lock_id, text))

    def load_events(self) -> list[Stored]:
        rows = self._db.execute(
            "SELECT seq, text, hash FROM events WHERE lock_id = ? ORDER BY seq", (self._lock_id,)
        )
        return [Stored(*row) for row in rows]

    def put_event(self, event: Stored) -> None:
        self._db.execute(
            "INSERT OR REPLACE INTO events (lock_id, seq, text, hash) VALUES (?, ?, ?, ?)", (self._lock_id, *event)
        )

    def forget_events(self, up_to: int) -> None:
        self._db.execute("DELETE FROM events WHERE lock_id = ? AND seq <= ?", (self._lock_id, up_to))

    def wipe(self) -> None:
        for table in ("states", "events"):
            self._db.execute(f"DELETE FROM {table} WHERE lock_id = ?", (self._lock_id,))
