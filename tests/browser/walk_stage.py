"""The walker's stage: the mobile app on a thread of this process, with the whole cast in its database."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.browser.cast import Cast


@dataclass
class Stage:
    """The app, where it answers, and who uses it."""

    app: Any
    base: str
    cast: Cast


@pytest.fixture(scope="session")
def stage(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """One for all tests of a run: nobody moves its clock, and nobody changes a member of the cast."""
    from backend.config import Settings
    from backend.db import db
    from backend.gateways.clock import FixedClock
    from mobile_api.app import create_mobile_app
    from tests.browser.key_stage import Server
    from tests.conftest import NOW
    from tests.worlds import make_fake_world

    folder = tmp_path_factory.mktemp("walk")
    shutil.copyfile(migrated_sqlite, folder / "anju.db")
    settings = Settings.from_environment(
        {"ANJU_DEMO": "1", "ANJU_VAR": str(folder), "ANJU_DATABASE_URL": f"sqlite:///{folder / 'anju.db'}"}
    )
    world = make_fake_world(settings, FixedClock(NOW))
    app = create_mobile_app(settings, world)
    with app.app_context():
        cast = Cast(world)
        db.session.remove()
    server, requests = Server(app), logging.getLogger("werkzeug")
    requests.setLevel(logging.WARNING)
    yield Stage(app, server.base, cast)
    server.stop()
    requests.setLevel(logging.NOTSET)
    with app.app_context():
        db.engine.dispose()
