"""The worker's tests play against the real registry, in this process, judged when the worker waits."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.registry.stage import Stage, prepare_template
from tests.worker.telling import Telling


@pytest.fixture(scope="session")
def registry_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A prepared registry folder, to be copied."""
    return prepare_template(tmp_path_factory.mktemp("registry-template"))


@pytest.fixture
def stage(registry_template: Path, tmp_path: Path) -> Iterator[Stage]:
    """The real registry."""
    shutil.copytree(registry_template, tmp_path / "registry-var")
    with Stage(tmp_path / "registry-var") as made:
        yield made


@pytest.fixture
def telling(core: Any, world: Any, clock: Any, stage: Stage) -> Telling:
    """A worker that tells this registry."""
    return Telling(world, clock, stage)
