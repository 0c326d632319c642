"""A consistent copy of one database while it is in use, and the way back: SQLite and PostgreSQL."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

_SIDE_FILES = ("", "-wal", "-shm")
_DROP_TABLES = """
DO $$ DECLARE each regclass; BEGIN
    FOR each IN SELECT oid FROM pg_class
        WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
    LOOP EXECUTE format('DROP TABLE %s CASCADE', each); END LOOP;
END $$
"""


class CopyFailed(Exception):
    """A database could not be copied or put back; the message holds the tool's last words."""


@dataclass(frozen=True)
class Database:
    """One database: the name its copies bear, and its SQLAlchemy address."""

    name: str
    url: str

    @property
    def path(self) -> Path | None:
        """The file of a SQLite database; None for PostgreSQL."""
        return Path(self.url.removeprefix("sqlite:///")) if self.url.startswith("sqlite:///") else None

    def exists(self) -> bool:
        """Whether there is something to copy; a server is taken at its word."""
        return self.path is None or self.path.exists()

    def file_in(self, folder: Path) -> Path:
        """Where its copy lies in a folder."""
        return folder / f"{self.name}.{'db' if self.path else 'pgdump'}"


def copy_database(database: Database, folder: Path) -> str:
    """Copy `database` into `folder` as of one moment; returns the file's name. Raises CopyFailed."""
    target = database.file_in(folder)
    if database.path:
        _copy_sqlite(database.path, target)
    else:
        _run_tool(database, ["pg_dump", "--format=custom", "--no-owner", f"--file={target}"])
    os.chmod(target, 0o600)
    return target.name


def put_database(database: Database, source: Path, aside: Path) -> None:
    """Replace `database` by the copy `source`; the present state goes into the folder `aside`. Raises CopyFailed."""
    if database.path is None:
        copy_database(database, aside)
        _replace_tables(database, source, aside / "restore.sql")
        return
    database.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = database.path.with_name(database.path.name + ".new")
    shutil.copyfile(source, fresh)
    os.chmod(fresh, 0o600)
    for suffix in _SIDE_FILES:  # an old log beside a new database would be played into it
        old = database.path.with_name(database.path.name + suffix)
        if old.exists():
            os.replace(old, aside / old.name)
    os.replace(fresh, database.path)


def _replace_tables(database: Database, source: Path, script: Path) -> None:
    """Drop every table and put the copy's in their place, in one transaction.

    `pg_restore --clean` cannot do it: it drops a partition's key before the table that the key is inherited from.
    """
    try:
        _run_tool(database, ["pg_restore", "--no-owner", f"--file={script}", str(source)])
        once = ["--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1"]
        _run_tool(database, ["psql", *once, f"--command={_DROP_TABLES}", f"--file={script}"])
    finally:
        script.unlink(missing_ok=True)


def _copy_sqlite(path: Path, target: Path) -> None:
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as source:
            with closing(sqlite3.connect(target)) as copy:
                source.backup(copy)
                (found,) = copy.execute("PRAGMA integrity_check").fetchone()
    except sqlite3.Error as error:
        raise CopyFailed(f"{path} could not be copied: {error}") from None
    if found != "ok":
        raise CopyFailed(f"the copy of {path} is damaged: {found}")


def _run_tool(database: Database, command: Sequence[str]) -> None:
    """Run pg_dump, pg_restore or psql on `database`; the password is in the environment, not on the command line."""
    if not shutil.which(command[0]):
        raise CopyFailed(f"{command[0]} is missing: apt-get install postgresql-client")
    address = urlsplit(database.url.replace("postgresql+psycopg", "postgresql"))
    query = dict(pair.split("=", 1) for pair in address.query.split("&") if "=" in pair)
    environment = dict(os.environ)
    for name, value in (
        ("PGHOST", query.get("host") or address.hostname),
        ("PGPORT", query.get("port") or (str(address.port) if address.port else None)),
        ("PGUSER", query.get("user") or address.username),
        ("PGPASSWORD", query.get("password") or address.password),
        ("PGDATABASE", address.path.lstrip("/")),
    ):
        if value:
            environment[name] = unquote(value)
    done = subprocess.run(list(command), env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise CopyFailed(f"{command[0]} failed: {done.stderr.strip()[-400:]}")
