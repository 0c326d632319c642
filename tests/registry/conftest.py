"""A registry of the test's own: real app, real database in the test's folder, a clock that is moved, no thread.

A module that writes runs on both databases: `pytest.mark.parametrize("registry_kind", BOTH, indirect=True)`.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.registry.stage import Stage, prepare_template


@pytest.fixture(scope="session")
def registry_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A prepared registry folder, to be copied."""
    return prepare_template(tmp_path_factory.mktemp("registry-template"))


@pytest.fixture(scope="session")
def registry_postgres(postgres: Any, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of a PostgreSQL database prepared for the registry, to be copied."""
    name: str = postgres.create()
    prepare_template(tmp_path_factory.mktemp("registry-postgres"), postgres.url(name))
    return name


@pytest.fixture
def registry_kind(request: pytest.FixtureRequest) -> str:
    """Which database the registry is on."""
    return str(getattr(request, "param", "sqlite"))


@pytest.fixture
def registry_url(registry_kind: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of the registry's database; empty for SQLite in its folder."""
    if registry_kind == "sqlite":
        yield ""
        return
    server = request.getfixturevalue("postgres")
    name = server.create(request.getfixturevalue("registry_postgres"))
    yield server.url(name)
    server.drop(name)


@pytest.fixture
def stage(registry_template: Path, registry_url: str, tmp_path: Path) -> Iterator[Stage]:
    """A registry with one sender; nothing is judged before `stage.judge()`."""
    shutil.copytree(registry_template, tmp_path / "var")
    with Stage(tmp_path / "var", registry_url) as made:
        yield made


@pytest.fixture
def later(stage: Stage) -> timedelta:
    """A little while."""
    return timedelta(seconds=1)
