"""What all tests share: both databases, a migrated template of each, a world of fakes, a real broker.

A test that touches the database takes `database_url` or `core` and runs on SQLite and on PostgreSQL; each gets a
database of its own, copied from a template that was migrated once per test process.
"""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zlib import crc32

import hypothesis
import pytest
import structlog

from tests.compiled_statements import share_compiled_statements
from tests.mosquitto import TestBroker
from tests.postgres import PostgresMissing, ThrowawayPostgres

TOP = Path(__file__).resolve().parents[1]
# A busy machine is slow, not wrong: no example fails for the time it took.
hypothesis.settings.register_profile("anju", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("anju")
share_compiled_statements()
NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)  # a Monday, 10:00 in China


@pytest.fixture(scope="session")
def postgres() -> Iterator[ThrowawayPostgres]:
    """A PostgreSQL server for this test process; a missing one is a failure with the line to type."""
    try:
        server = ThrowawayPostgres()
    except PostgresMissing as missing:
        pytest.fail(str(missing), pytrace=False)
    yield server
    server.close()


def migrate(url: str, var: Path) -> None:
    """Bring a database to the newest revision by the command that an installation uses."""
    environment = {**os.environ, "ANJU_DEMO": "1", "ANJU_VAR": str(var), "ANJU_DATABASE_URL": url}
    command = [sys.executable, "-m", "backend.cli", "upgrade-database"]
    done = subprocess.run(command, cwd=TOP, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.fail(f"{url.split(':')[0]} could not be migrated: {(done.stdout + done.stderr)[-2000:]}", pytrace=False)


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file at the newest revision, to be copied."""
    folder = tmp_path_factory.mktemp("template")
    path = folder / "anju.db"
    migrate(f"sqlite:///{path}", folder)
    return path


@pytest.fixture(scope="session")
def migrated_postgres(postgres: ThrowawayPostgres, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of a PostgreSQL database at the newest revision, to be copied."""
    name = postgres.create()
    migrate(postgres.url(name), tmp_path_factory.mktemp("template-postgres"))
    return name


@pytest.fixture(params=["sqlite", "postgresql"])
def database_kind(request: pytest.FixtureRequest) -> str:
    """The databases a test runs on; `@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)` narrows."""
    return str(request.param)


@pytest.fixture
def database_url(database_kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty, migrated database for this test alone."""
    if database_kind == "sqlite":
        template: Path = request.getfixturevalue("migrated_sqlite")
        path = tmp_path / "anju.db"
        shutil.copyfile(template, path)
        yield f"sqlite:///{path}"
        return
    server: ThrowawayPostgres = request.getfixturevalue("postgres")
    name = server.create(request.getfixturevalue("migrated_postgres"))
    yield server.url(name)
    server.drop(name)


@pytest.fixture
def empty_database_url(database_kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database without any table, for tests of migrations."""
    if database_kind == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    server: ThrowawayPostgres = request.getfixturevalue("postgres")
    name = server.create()
    yield server.url(name)
    server.drop(name)


@pytest.fixture
def clock() -> Any:
    """A clock that stands at NOW until the test moves it."""
    from backend.gateways.clock import FixedClock

    return FixedClock(NOW)


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Any:
    """Settings of an installation in the test's own folder."""
    from backend.config import Settings

    environment = {"ANJU_DEMO": "1", "ANJU_VAR": str(tmp_path / "var"), "ANJU_DATABASE_URL": database_url}
    return Settings.from_environment(environment)


@pytest.fixture
def world(settings: Any, clock: Any) -> Any:
    """A world of fakes that behave: fixed time, real keys in the test's folder, nothing that leaves the process."""
    from tests.worlds import make_fake_world

    return make_fake_world(settings, clock)


@pytest.fixture
def core(settings: Any, world: Any) -> Iterator[Any]:
    """A Flask app without routes, its context open: services and queries run in it. `world_of(core)` is its world."""
    from backend.bootstrap import core_app
    from backend.db import db

    app = core_app(settings, world)
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def product_log() -> Iterator[Callable[..., None]]:
    """`product_log("worker")`: from here on this test logs as the product does; afterwards all is as it was."""
    from backend.bootstrap import set_up_logging

    root, before = logging.getLogger(), structlog.get_config()
    handlers, level = list(root.handlers), root.level
    with structlog.contextvars.bound_contextvars(process=None):
        yield set_up_logging
    structlog.configure(**before)
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestBroker]:
    """A real Mosquitto with the product's configuration; each lock gets its account by `broker.add_lock`."""
    server = TestBroker(tmp_path_factory.mktemp("broker"))
    yield server
    server.close()


# What takes longest comes first: a run of several processes hands out whole files, and ends when the last one does.
FIRST = ("tests/browser/test_walk", "tests/journeys/", "tests/operation/test_demo", "tests/browser/", "tests/locks/",
         "tests/gateways/test_face", "tests/mqtt/", "tests/console/")  # fmt: skip
# On both databases every day: what is about the databases themselves, and about who comes first.
ALWAYS_ON_BOTH = ("tests/models/", "tests/registry/test_order", "tests/services/test_keys_at_the_same_time",
                  "tests/services/test_bridge_shards", "tests/services/test_outbox", "tests/services/test_event_months",
                  "tests/worker/test_reconciliation")  # fmt: skip


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Every day a test that could run on both databases runs on one, half of them on each; a release runs it on both.

    Which one is told by the test's name, so that it stays the same from day to day. What is FIRST comes first.
    """
    items.sort(key=_turn_of)
    if config.option.markexpr != "not release":  # what is named by hand runs on both
        return
    kinds: dict[str, set[str]] = {}
    for item in items:
        kinds.setdefault(_plain_name(item), set()).add(_kind_of(item))
    kept, left = [], []
    for item in items:
        name = _plain_name(item)
        chosen = ("sqlite", "postgresql")[crc32(name.encode()) % 2]
        both = {"sqlite", "postgresql"} <= kinds[name] and not name.startswith(ALWAYS_ON_BOTH)
        (left if both and _kind_of(item) not in ("", chosen) else kept).append(item)
    config.hook.pytest_deselected(items=left)
    items[:] = kept


def _turn_of(item: pytest.Item) -> int:
    return next((turn for turn, start in enumerate(FIRST) if item.nodeid.startswith(start)), len(FIRST))


def _kind_of(item: pytest.Item) -> str:
    call = getattr(item, "callspec", None)
    return str(call.params.get("database_kind", "")) if call is not None else ""


def _plain_name(item: pytest.Item) -> str:
    return item.nodeid.replace("[sqlite", "[").replace("[postgresql", "[").replace("-sqlite", "-").replace(
        "-postgresql", "-")  # fmt: skip
