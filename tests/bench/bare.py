"""The same work without Anju, what its figures are measured against; own processes, `python -m tests.bench.bare NAME`.

`bare_app()` is Flask on gunicorn: insert a row, publish, wait for the echo, update the row, answer. `echo` answers each
command, as a lock would. `receiver` takes the locks' event messages into a table of the same columns and indexes.
"""

from __future__ import annotations

import json
import os
import queue
import socket
import sqlite3
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import psycopg
from flask import Flask, jsonify
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from backend.domain.ids import new_id

COMMANDS, ANSWERS, STORED = "bare/cmd", "bare/res", "bare/stored"
EVENTS = {"receiver": "bare/evt", "copier": "bare/copy"}
MOST_ROWS, LINGER_SECONDS = 1_000, 0.010
EVENT_COLUMNS = {
    "lock_id": "varchar",
    "seq": "bigint",
    "at": "timestamptz",
    "kind": "varchar",
    "key_id": "uuid",
    "command_id": "uuid",
    "text": "text",
    "hash": "bytea",
    "late": "boolean",
    "received_at": "timestamptz",
}
INSERT_EVENTS = "INSERT INTO bare_events ({}) SELECT * FROM unnest({}) ON CONFLICT DO NOTHING".format(
    ", ".join(EVENT_COLUMNS), ", ".join(f"%s::{kind}[]" for kind in EVENT_COLUMNS.values())
)
COPY_EVENTS = f"COPY bare_copied ({', '.join(EVENT_COLUMNS)}) FROM STDIN"
NO_HASH = bytes(32)


def mqtt_client(user: str, port: int | None = None, **more: Any) -> paho.Client:
    """A connected client of this run's broker (at `port`, else as the environment says); the caller starts its loop."""
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id=user, protocol=MQTTProtocolVersion.MQTTv311, **more)
    client.username_pw_set(user, user)
    client.max_inflight_messages_set(1_000)
    client.on_socket_open = lambda _client, _data, sock: sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    client.connect("127.0.0.1", port or int(os.environ["ANJU_BROKER_PORT"]))
    return client


def connect(url: str) -> Any:
    """A connection of the bare driver, one commit per statement, set up as Anju sets up its own."""
    if url.startswith("postgresql"):
        return psycopg.connect(url.replace("postgresql+psycopg://", "postgresql://"), autocommit=True)
    connection = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None, check_same_thread=False)
    for pragma in ("journal_mode = WAL", "synchronous = NORMAL", "busy_timeout = 15000"):
        connection.execute(f"PRAGMA {pragma}")
    return connection


def make_tables(url: str) -> None:
    """The two tables, beside Anju's own in the same database."""
    postgres = url.startswith("postgresql")
    stamp = "timestamptz" if postgres else "timestamp"
    with closing(connect(url)) as connection:
        connection.execute(
            "CREATE TABLE bare_commands "
            f"(id varchar PRIMARY KEY, state varchar, created_at {stamp}, answered_at {stamp})"
        )
        if postgres:
            columns = ", ".join(f"{name} {kind}" for name, kind in EVENT_COLUMNS.items())
            for table in ("bare_events", "bare_copied"):
                connection.execute(f"CREATE TABLE {table} ({columns}, PRIMARY KEY (lock_id, seq))")
                connection.execute(f"CREATE INDEX ON {table} (key_id, at)")


def bare_app() -> Flask:
    """One endpoint: POST /unlock answers when the echo has."""
    app = Flask("bare")
    waiting: dict[str, threading.Event] = {}
    mine = threading.local()
    url = os.environ["ANJU_DATABASE_URL"]
    mark = "%s" if url.startswith("postgresql") else "?"

    def on_message(_client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        answered = waiting.get(json.loads(message.payload)["id"])
        if answered is not None:
            answered.set()

    client = mqtt_client("bare-app")
    client.on_message = on_message
    client.subscribe(ANSWERS, qos=1)
    client.loop_start()

    @app.get("/healthz")
    def healthz() -> Any:
        return jsonify(status="ok")

    @app.post("/unlock")
    def unlock() -> Any:
        if not hasattr(mine, "connection"):
            mine.connection = connect(url)
        command_id = new_id()
        waiting[command_id] = answered = threading.Event()
        mine.connection.execute(
            f"INSERT INTO bare_commands (id, state, created_at) VALUES ({mark}, 'queued', {mark})",
            (command_id, datetime.now(UTC).isoformat()),
        )
        client.publish(COMMANDS, json.dumps({"id": command_id}), qos=1)
        state = "executed" if answered.wait(3) else "unknown"
        del waiting[command_id]
        mine.connection.execute(
            f"UPDATE bare_commands SET state = {mark}, answered_at = {mark} WHERE id = {mark}",
            (state, datetime.now(UTC).isoformat(), command_id),
        )
        return jsonify(id=command_id, state=state)

    return app


def echo(user: str = "bare-echo", heard: str = COMMANDS, said: str = ANSWERS) -> None:
    """Answer every message with itself, as fast as paho can."""
    client = mqtt_client(user)
    client.on_message = lambda client, _data, message: client.publish(said, message.payload, qos=1)
    _subscribe(client, heard)
    client.loop_forever()


def receive(program: str, insert: Callable[[Any, list[list[Any]]], None]) -> None:
    """Take event messages: up to 1,000 rows or 10 ms together, one statement, one commit, then the acknowledgements."""
    inbox: queue.SimpleQueue[tuple[int, str, bytes]] = queue.SimpleQueue()
    client = mqtt_client(f"bare-{program}", manual_ack=True)
    client.on_message = lambda _client, _data, got: inbox.put((got.mid, got.topic, bytes(got.payload)))
    _subscribe(client, f"{EVENTS[program]}/+")
    client.loop_start()
    connection = connect(os.environ["ANJU_DATABASE_URL"])
    while True:
        taken, columns, until = [], [[] for _ in EVENT_COLUMNS], 0.0
        while len(columns[0]) < MOST_ROWS:
            try:
                mid, topic, payload = inbox.get(timeout=max(0.0, until - time.monotonic()) if taken else None)
            except queue.Empty:
                break
            until = until or time.monotonic() + LINGER_SECONDS
            taken.append(mid)
            _add_rows(columns, topic.rpartition("/")[2], payload)
        insert(connection, columns)
        for mid in taken:
            client.ack(mid, 1)
        client.publish(STORED, str(len(columns[0])), qos=1)


def _insert(connection: Any, columns: list[list[Any]]) -> None:
    connection.execute(INSERT_EVENTS, columns)


def _copy(connection: Any, columns: list[list[Any]]) -> None:
    """Faster, and of no use to a receiver in earnest: it fails on a message that comes a second time."""
    with connection.cursor().copy(COPY_EVENTS) as copy:
        for row in zip(*columns, strict=True):
            copy.write_row(row)


def ready_file(folder: Path, program: str) -> Path:
    """The file that tells that a program has its subscription."""
    return folder / f"{program}.ready"


def _subscribe(client: paho.Client, topic: str) -> None:
    client.on_subscribe = lambda *_: ready_file(Path(os.environ["ANJU_VAR"]), sys.argv[1]).touch()
    client.subscribe(topic, qos=1)


def _add_rows(columns: list[list[Any]], lock_id: str, payload: bytes) -> None:
    message = json.loads(payload)
    now = datetime.now(UTC)
    for text in message["events"]:
        event = json.loads(text)
        row = (
            lock_id,
            event["seq"],
            datetime.fromtimestamp(event["at"], UTC),
            event["kind"],
            event.get("key"),
            event.get("command"),
            text,
            NO_HASH,
            message["late"],
            now,
        )
        for column, value in zip(columns, row, strict=True):
            column.append(value)


PROGRAMS: dict[str, Callable[[], None]] = {
    "echo": echo,
    "pong": lambda: echo("bare-pong", "bare/ping", "bare/pong"),
    "receiver": lambda: receive("receiver", _insert),
    "copier": lambda: receive("copier", _copy),
}

if __name__ == "__main__":
    PROGRAMS[sys.argv[1]]()
