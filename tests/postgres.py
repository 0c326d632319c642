"""A throwaway PostgreSQL for one test session: in a temporary folder, reached by a Unix socket, gone at the end."""

from __future__ import annotations

import ctypes
import glob
import itertools
import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import psycopg

OLDEST = 15
MISSING = (
    f"PostgreSQL {OLDEST} or newer is missing: the tests run on SQLite and on PostgreSQL. `./anju test` installs it "
    "where it may; by hand: apt-get install postgresql"
)
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


class PostgresMissing(Exception):
    """No server binaries were found; the message says what to type."""


def find_binaries() -> Path:
    """The folder with initdb and postgres of the newest server on this machine; raises PostgresMissing."""
    found = {}
    for path in glob.glob("/usr/lib/postgresql/*/bin/initdb") + [shutil.which("initdb") or ""]:
        if path:
            said = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout
            if version := re.search(r"(\d+)", said):
                found[int(version[1])] = Path(path).parent
    if not found or max(found) < OLDEST:
        raise PostgresMissing(MISSING)
    return found[max(found)]


class ThrowawayPostgres:
    """A server of our own. PostgreSQL refuses to run as root, so root lends it the user `postgres`."""

    def __init__(self, **options: str) -> None:
        """`options` are settings of the server beside, or instead of, those for a short and fast life."""
        self._numbers = itertools.count(1)
        self._options = options
        self._folder = Path(tempfile.mkdtemp(prefix="anju-pg-", dir="/tmp"))  # a socket's path may have 107 bytes
        self.user = "postgres"
        self._as: dict[str, Any] = {}
        if os.geteuid() == 0:
            account = pwd.getpwnam("postgres")
            os.chown(self._folder, account.pw_uid, account.pw_gid)
            self._as = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
        self._binaries = find_binaries()
        self._initialise(self._binaries)
        self._server = self._start(self._binaries)

    def restart(self) -> None:
        """Let the server crash and come up again: every session is lost, what was committed is not."""
        self._server.send_signal(signal.SIGQUIT)
        self._server.wait(10)
        self._server = self._start(self._binaries)

    def _initialise(self, binaries: Path) -> None:
        data = self._folder / "data"
        initdb = [binaries / "initdb", "-D", data, "-U", self.user, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"]
        made = subprocess.run(
            [*initdb, "--no-sync"], capture_output=True, text=True, check=False, cwd=self._folder, **self._as
        )
        if made.returncode != 0:
            raise RuntimeError(f"initdb failed: {made.stderr[-500:]}")

    def _start(self, binaries: Path) -> subprocess.Popen[bytes]:
        data, log = self._folder / "data", self._folder / "log"
        options = {
            "listen_addresses": "",
            "unix_socket_directories": str(self._folder),
            "fsync": "off",  # the data is gone with the session
            "synchronous_commit": "off",
            "full_page_writes": "off",
            "max_connections": "60",
            "shared_buffers": "64MB",
            "log_error_verbosity": "terse",
            **self._options,
        }
        command = [str(binaries / "postgres"), "-D", str(data)]
        command += [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        with open(log, "wb") as words:
            server = subprocess.Popen(
                command, stdout=words, stderr=words, cwd=self._folder, preexec_fn=_end_with_parent, **self._as
            )
        for _ in range(600):
            if server.poll() is not None:
                raise RuntimeError(f"PostgreSQL ended while starting: {log.read_text()[-500:]}")
            try:
                psycopg.connect(self._conninfo("postgres"), connect_timeout=2).close()
                return server
            except psycopg.OperationalError:
                _pause(server)
        raise RuntimeError(f"PostgreSQL did not start: {log.read_text()[-500:]}")

    def _conninfo(self, name: str) -> str:
        return f"host={self._folder} user={self.user} dbname={name}"

    def url(self, name: str) -> str:
        """SQLAlchemy's address of a database."""
        return f"postgresql+psycopg://{self.user}@/{name}?host={self._folder}"

    def execute(self, statement: str) -> None:
        """Run one statement on the server, outside a transaction."""
        with psycopg.connect(self._conninfo("postgres"), autocommit=True) as connection:
            connection.execute(statement.encode())

    def create(self, template: str | None = None) -> str:
        """Make a database, empty or as a copy of `template`; returns its name."""
        name = f"anju_{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name}" + (f" TEMPLATE {template}" if template else ""))
        return name

    def drop(self, name: str) -> None:
        """Delete a database and end whoever is still connected."""
        self.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def close(self) -> None:
        """End the server at once and delete its folder."""
        self._server.send_signal(signal.SIGQUIT)
        try:
            self._server.wait(10)
        except subprocess.TimeoutExpired:
            self._server.kill()
            self._server.wait()
        shutil.rmtree(self._folder, ignore_errors=True)


def _end_with_parent() -> None:
    if _LIBC is not None:  # a killed test run leaves no server behind
        _LIBC.prctl(1, signal.SIGQUIT)


def _pause(server: subprocess.Popen[bytes]) -> None:
    try:
        server.wait(0.05)
    except subprocess.TimeoutExpired:
        return
