"""The database's front door: the session and the one way to write.

Flask-SQLAlchemy is the session's glue and nothing more; models know nothing of it. A process that is not a web door
opens an app context per unit of work (see backend.bootstrap), so that no read is stale and no transaction idles.
"""

from __future__ import annotations

import select
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

import psycopg
from flask import Flask, current_app
from flask_sqlalchemy import SQLAlchemy
from psycopg import sql
from sqlalchemy import Connection, Engine, event, insert
from sqlalchemy.exc import DisconnectionError, IntegrityError, OperationalError
from sqlalchemy.orm import Session

from backend.models.base import Base

db = SQLAlchemy(model_class=Base, disable_autonaming=True, session_options={"expire_on_commit": False})

TRUSTED_SECONDS = 5.0  # a connection used a moment ago is not asked whether it lives

_IDLE_SINCE = "anju_idle_since"
_AFTER_COMMIT = "anju_after_commit"
_INSIDE = "anju_inside"
_AT_ONCE = "one statement"
_DIRECT = "anju_direct_connections"
LONGEST_IDLE_MS = 10_000  # a write unit waits for nobody outside, so that this is long


def init_db(app: Flask, url: str) -> None:
    """Bind the database at `url` to `app`; SQLite is set up for several processes (WAL, IMMEDIATE writes)."""
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    options: dict[str, Any] = {"hide_parameters": True}  # an exception's text must not carry a person's values
    if url.startswith("postgresql"):
        # A process that is put to sleep inside a write unit must not hold its rows against the one that takes over.
        options["connect_args"] = {"options": f"-c idle_in_transaction_session_timeout={LONGEST_IDLE_MS}"}
    app.config.setdefault("SQLALCHEMY_ENGINE_OPTIONS", options)
    db.init_app(app)
    with app.app_context():
        if db.engine.dialect.name == "sqlite":
            prepare_sqlite(db.engine)
        else:
            distrust_idle_connections(db.engine)
            app.extensions[_DIRECT] = _DirectConnections(db.engine)


def prepare_sqlite(engine: Engine) -> None:
    """Make SQLite safe under several writers.

    In the driver's default mode updates are lost silently, and a plain BEGIN that turns into a write fails at once
    with "locked"; write units therefore begin IMMEDIATE and wait their turn.
    """

    @event.listens_for(engine, "connect")
    def _on_connect(raw: sqlite3.Connection, _record: object) -> None:
        raw.isolation_level = None
        for pragma in (
            "journal_mode = WAL",
            "synchronous = NORMAL",
            "busy_timeout = 15000",
            "foreign_keys = ON",
        ):
            raw.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _on_begin(connection: Connection) -> None:
        write = connection.get_execution_options().get("anju_write", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def distrust_idle_connections(engine: Engine) -> None:
    """Replace a pooled connection whose server has gone away, without a question to the server at each use.

    A server that ended has closed its side, which is seen on the socket at once; what a network swallowed in silence is
    found by a question after a pause.
    """

    @event.listens_for(engine, "checkin")
    def _on_checkin(_raw: object, record: Any) -> None:
        record.info[_IDLE_SINCE] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def _on_checkout(raw: Any, record: Any, _proxy: object) -> None:
        idle_since = record.info.get(_IDLE_SINCE)
        if idle_since is None:  # made just now
            return
        try:
            silent = not select.select([raw], [], [], 0)[0]
            if not silent or time.monotonic() - idle_since > TRUSTED_SECONDS:
                engine.dialect.do_ping(raw)
        except (psycopg.Error, OSError, ValueError):
            raise DisconnectionError from None  # the pool makes another and asks again


@contextmanager
def transaction() -> Iterator[Session]:
    """Open one write unit: commits at the end, rolls everything back on any error.

    A unit inside a unit raises RuntimeError: a use case is one transaction and calls no other use case.
    Callables given to `after_commit` run once the commit is durable, and never when it failed.
    """
    session: Session = db.session()
    if session.info.get(_INSIDE):
        raise RuntimeError("a use case must not be called from another use case's transaction")
    if session.in_transaction():
        session.rollback()  # a read before the write unit would pin an old snapshot
    session.info[_INSIDE] = True
    session.info[_AFTER_COMMIT] = []
    try:
        session.connection(execution_options={"anju_write": True})
        yield session
        session.commit()
    except BaseException:
        session.rollback()
        raise
    finally:
        session.info[_INSIDE] = False
        afterwards: list[Callable[[], None]] = session.info.pop(_AFTER_COMMIT, [])
    for call in afterwards:
        call()


def after_commit(session: Session, call: Callable[[], None]) -> None:
    """Ask for `call` to be run once the present write unit has committed."""
    calls: list[Callable[[], None]] = session.info[_AFTER_COMMIT]
    if call not in calls:
        calls.append(call)


def insert_together(
    session: Session, kind: type[Base], columns: Sequence[str], rows: Sequence[tuple[Any, ...]]
) -> None:
    """Insert many rows of `kind` inside the present write unit, as plain values in the order of `columns`.

    On PostgreSQL by COPY, which takes a quarter of the time of one statement over the same rows.
    """
    connection = session.connection()
    if connection.dialect.name != "postgresql":
        connection.execute(insert(kind), [dict(zip(columns, row, strict=True)) for row in rows])
        return
    statement = _copy_statement(kind.__tablename__, tuple(columns))
    raw: Any = connection.connection.driver_connection
    try:
        with raw.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)
    except psycopg.OperationalError as error:  # told as every other loss of the database is
        raise OperationalError("COPY", None, error, hide_parameters=True) from None


@cache
def _copy_statement(table: str, columns: tuple[str, ...]) -> str:
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    return sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), names).as_string()


@contextmanager
def reading() -> Iterator[Session]:
    """Open a read that ends at once, so that nothing idles in a transaction while a caller waits or calls out."""
    session: Session = db.session()
    if not session.in_transaction() and session.get_bind().dialect.name == "postgresql":
        # At READ COMMITTED each statement sees its own moment anyway; this saves BEGIN and ROLLBACK their way there.
        session.connection(execution_options={"isolation_level": "AUTOCOMMIT"})
    try:
        yield session
    finally:
        session.rollback()


def can_act_at_once() -> bool:
    """Whether the database takes a whole write unit as one statement (`at_once`): PostgreSQL does."""
    return db.engine.dialect.name == "postgresql"


def at_once(statement: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Run one statement of PostgreSQL's that is a whole read or a whole write unit, and answer its rows.

    One way there and back, without BEGIN and COMMIT: for what somebody waits for at a door. It is durable on return.
    Raises IntegrityError and OperationalError like every other unit, RuntimeError inside another one.
    """
    if db.session.registry.has():
        session: Session = db.session()
        if session.info.get(_INSIDE):
            raise RuntimeError("a use case must not be called from another use case's transaction")
        session.rollback()
        session.expire_all()  # what it holds may be what changes now
    direct: _DirectConnections = current_app.extensions[_DIRECT]
    with direct.lend() as raw:
        return raw.execute(statement, values, prepare=True).fetchall()


class _DirectConnections:
    """Connections beside the pool that stay in autocommit: the pool's own care costs as much as a short statement."""

    def __init__(self, engine: Engine) -> None:
        self._conninfo = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._idle: list[tuple[psycopg.Connection, float]] = []
        event.listen(engine, "engine_disposed", lambda _engine: self.close())

    @contextmanager
    def lend(self) -> Iterator[psycopg.Connection]:
        """Lend a living connection; what the driver raises is told as SQLAlchemy tells it."""
        raw: psycopg.Connection | None = None
        try:
            raw = self._take()
            yield raw
        except psycopg.IntegrityError as error:
            raise IntegrityError(_AT_ONCE, None, error, hide_parameters=True) from None
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            raise OperationalError(_AT_ONCE, None, error, hide_parameters=True) from None
        finally:
            if raw is not None and not raw.closed:
                self._idle.append((raw, time.monotonic()))

    def close(self) -> None:
        """Close what is idle."""
        while self._idle:
            self._idle.pop()[0].close()

    def _take(self) -> psycopg.Connection:
        while True:
            try:
                raw, idle_since = self._idle.pop()
            except IndexError:
                return psycopg.connect(self._conninfo, autocommit=True)
            if _is_silent(raw) and (time.monotonic() - idle_since <= TRUSTED_SECONDS or _answers(raw)):
                return raw
            raw.close()


def _is_silent(raw: Any) -> bool:
    """Whether an idle connection has nothing to say: a server that ended has closed its side."""
    try:
        return not select.select([raw], [], [], 0)[0]
    except (psycopg.Error, OSError, ValueError):
        return False


def _answers(raw: psycopg.Connection) -> bool:
    try:
        raw.execute("SELECT 1")
    except psycopg.Error:
        return False
    return True
