"""What the stand-in offices hold: one SQLite file of their own, each delivery in one transaction.

An event is known by office, source and id; a second one of the same name changes nothing. What an office knows of a
subject is what its latest event said, so nothing has to be taken back when a delivery comes twice.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from backend.wire.cloud_events import CloudEvent, encode_event
from backend.wire.registry_messages import write_time

_TABLES = """
CREATE TABLE IF NOT EXISTS events (
    position INTEGER PRIMARY KEY AUTOINCREMENT, office TEXT NOT NULL, source TEXT NOT NULL, id TEXT NOT NULL,
    type TEXT NOT NULL, subject TEXT NOT NULL, at TEXT NOT NULL, data TEXT NOT NULL, received_at TEXT NOT NULL,
    UNIQUE (office, source, id));
CREATE TABLE IF NOT EXISTS held (
    office TEXT NOT NULL, subject TEXT NOT NULL, type TEXT NOT NULL, at TEXT NOT NULL, data TEXT NOT NULL,
    PRIMARY KEY (office, subject));
CREATE TABLE IF NOT EXISTS reports (
    number INTEGER PRIMARY KEY AUTOINCREMENT, office TEXT NOT NULL, id TEXT NOT NULL UNIQUE, type TEXT NOT NULL,
    about TEXT NOT NULL, data TEXT NOT NULL, made_at TEXT NOT NULL, body TEXT, change TEXT, state TEXT NOT NULL,
    UNIQUE (office, type, about));
CREATE TABLE IF NOT EXISTS agreements (office TEXT PRIMARY KEY, content TEXT NOT NULL);
"""


@dataclass(frozen=True)
class Report:
    """A change that an office reports: `state` is waiting, refused, or what the door last said of it."""

    office: str
    id: str
    type: str
    about: str
    data: dict[str, str]
    made_at: str
    body: bytes | None
    change: str | None
    state: str


class Store:
    """The file. Every method is one transaction; several threads and processes may use it."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._path = path
        with self._open() as connection:
            connection.executescript(_TABLES)

    def take(self, office: str, events: Sequence[CloudEvent], now: datetime) -> list[CloudEvent]:
        """Keep what is new of a delivery, in its order, all of it or nothing; answers what was new."""
        fresh = []
        with self._write() as connection:
            for event in events:
                data = json.dumps(dict(event.data), ensure_ascii=False)
                added = connection.execute(
                    "INSERT OR IGNORE INTO events (office, source, id, type, subject, at, data, received_at) "
                    "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    (office, event.source, event.id, event.type, event.subject, write_time(event.time), data,
                     write_time(now)),
                )  # fmt: skip
                if added.rowcount:
                    connection.execute(
                        "INSERT INTO held (office, subject, type, at, data) VALUES (?, ?, ?, ?, ?) ON CONFLICT "
                        "(office, subject) DO UPDATE SET type = excluded.type, at = excluded.at, data = excluded.data",
                        (office, event.subject, event.type, write_time(event.time), data),
                    )
                    fresh.append(event)
        return fresh

    def events(self, office: str) -> list[dict[str, Any]]:
        """Every event an office has taken, in the order of its coming."""
        return self._rows("SELECT * FROM events WHERE office = ? ORDER BY position", office)

    def held(self, office: str, limit: int = 50) -> list[dict[str, Any]]:
        """What an office holds of each subject, the latest first."""
        return self._rows("SELECT * FROM held WHERE office = ? ORDER BY at DESC, subject LIMIT ?", office, limit)

    def find_held(self, office: str, subject: str) -> dict[str, Any] | None:
        """What an office holds of one subject."""
        found = self._rows("SELECT * FROM held WHERE office = ? AND subject = ?", office, subject)
        return found[0] if found else None

    def add_report(
        self, office: str, report_id: str, kind: str, about: str, data: dict[str, str], now: datetime
    ) -> bool:
        """Note a change to report; one per kind and `about`: False when it was noted before."""
        with self._write() as connection:
            added = connection.execute(
                "INSERT OR IGNORE INTO reports (office, id, type, about, data, made_at, state) "
                "VALUES (?, ?, ?, ?, ?, ?, 'waiting')",
                (office, report_id, kind, about, json.dumps(data, ensure_ascii=False), write_time(now)),
            )
            return added.rowcount == 1

    def reports(self, *, waiting: bool = False, office: str | None = None, limit: int = 50) -> list[Report]:
        """Reports: those not taken yet, oldest first, or the newest of an office."""
        if waiting:
            rows = self._rows("SELECT * FROM reports WHERE state = 'waiting' ORDER BY number LIMIT ?", limit)
        else:
            rows = self._rows("SELECT * FROM reports WHERE office = ? ORDER BY number DESC LIMIT ?", office, limit)
        return [_report(row) for row in rows]

    def keep_body(self, report_id: str, event: CloudEvent) -> bytes:
        """The bytes of a report: made the first time it is sent and the same ever after, as its id demands."""
        body = encode_event(event)
        with self._write() as connection:
            connection.execute("UPDATE reports SET body = ? WHERE id = ? AND body IS NULL", (body.decode(), report_id))
            kept = connection.execute("SELECT body FROM reports WHERE id = ?", (report_id,)).fetchone()
        return str(kept["body"]).encode()

    def settle(self, report_id: str, state: str, change: str | None) -> None:
        """Note what the door has said of a report."""
        with self._write() as connection:
            connection.execute(
                "UPDATE reports SET state = ?, change = coalesce(?, change) WHERE id = ?", (state, change, report_id)
            )

    def keep_agreement(self, office: str, content: dict[str, Any]) -> None:
        """Remember the agreement as the door has shown it."""
        with self._write() as connection:
            connection.execute(
                "INSERT INTO agreements (office, content) VALUES (?, ?) ON CONFLICT (office) DO UPDATE SET "
                "content = excluded.content", (office, json.dumps(content, ensure_ascii=False)),
            )  # fmt: skip

    def agreement(self, office: str) -> dict[str, Any] | None:
        """The agreement as it was last shown."""
        found = self._rows("SELECT content FROM agreements WHERE office = ?", office)
        content: dict[str, Any] | None = json.loads(found[0]["content"]) if found else None
        return content

    def _rows(self, statement: str, *values: object) -> list[dict[str, Any]]:
        with self._open() as connection:
            return [dict(row) for row in connection.execute(statement, values)]

    @contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        with self._open() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        connection = sqlite3.connect(self._path, timeout=10, isolation_level=None)
        connection.row_factory = sqlite3.Row
        try:
            yield connection
        finally:
            connection.close()


def _report(row: dict[str, Any]) -> Report:
    body = row["body"]
    return Report(
        row["office"], row["id"], row["type"], row["about"], json.loads(row["data"]), row["made_at"],
        body.encode() if body else None, row["change"], row["state"],
    )  # fmt: skip
