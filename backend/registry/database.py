"""The registry's database: one engine per process, write units that begin IMMEDIATE, migrations of its own."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.pool import QueuePool

from backend.registry.settings import RegistrySettings

MIGRATIONS = Path(__file__).with_name("migrations")
WRITERS_LOCK = 5_205_221  # PostgreSQL's advisory lock of the write units; the number is ours alone in this database


class WrongRevision(Exception):
    """The database is not at the revision this code was written for."""


class Database:
    """The door to the registry's tables."""

    def __init__(self, url: str) -> None:
        self.engine = create_engine(url, poolclass=QueuePool, pool_size=4, max_overflow=12)
        if self.engine.dialect.name == "sqlite":
            _prepare_sqlite(self.engine)

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One write unit: everything or nothing, and nobody else writes meanwhile, in no process and on no database.

        Running numbers without a gap, one filing per key and the order per record all rest on this.
        """
        with self.engine.connect().execution_options(registry_write=True) as connection, connection.begin():
            if self.engine.dialect.name == "postgresql":  # SQLite's BEGIN IMMEDIATE does the same
                connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": WRITERS_LOCK})
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One consistent look: what others commit meanwhile does not show in it."""
        with self.engine.connect() as connection:
            if self.engine.dialect.name == "postgresql":
                connection = connection.execution_options(isolation_level="REPEATABLE READ")
            with connection.begin():
                yield connection

    def check_revision(self) -> None:
        """Raise WrongRevision unless the database has exactly the newest revision."""
        with self.reading() as connection:
            held = MigrationContext.configure(connection).get_current_revision()
        wanted = ScriptDirectory(str(MIGRATIONS)).get_current_head()
        if held != wanted:
            raise WrongRevision(
                f"The registry's database is at revision {held}, this code needs {wanted}: "
                "run `python -m backend.registry upgrade-database`."
            )


def upgrade_database(settings: RegistrySettings) -> None:
    """Make the folder (mode 0700) and bring the database to the newest revision."""
    settings.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.chmod(settings.folder, 0o700)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    database = Database(settings.url)
    with database.writing() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    database.engine.dispose()


def _prepare_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def _on_connect(raw: sqlite3.Connection, _record: object) -> None:
        raw.isolation_level = None  # the driver's own BEGIN would lose updates silently
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "busy_timeout = 15000", "foreign_keys = ON"):
            raw.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _on_begin(connection: Connection) -> None:
        write = connection.get_execution_options().get("registry_write", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
