"""A registry of the test's own: real app, real database in the test's folder, a clock that is moved, no thread."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.registry.stage import Stage, prepare_template


@pytest.fixture(scope="session")
def registry_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A prepared registry folder, to be copied."""
    return prepare_template(tmp_path_factory.mktemp("registry-template"))


@pytest.fixture
def stage(registry_template: Path, tmp_path: Path) -> Iterator[Stage]:
    """A registry with one sender; nothing is judged before `stage.judge()`."""
    shutil.copytree(registry_template, tmp_path / "var")
    with Stage(tmp_path / "var") as made:
        yield made


@pytest.fixture
def later(stage: Stage) -> timedelta:
    """A little while."""
    return timedelta(seconds=1)
