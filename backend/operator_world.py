"""What the operator's commands run in: the settings of this machine, and the installation's world with its database."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from backend.bootstrap import check_revision, core_app, world_of
from backend.config import Settings, SettingsError
from backend.db import db
from backend.gateways.world import World


def any_settings() -> Settings:
    """The settings, also where this machine could not run Anju: verifying a receipt needs only a folder."""
    try:
        return Settings.from_environment()
    except SettingsError:
        return Settings.from_environment({**os.environ, "ANJU_DEMO": "1"})


@contextmanager
def installation() -> Iterator[World]:
    """The installation's world with its database open."""
    app = core_app(any_settings())
    check_revision(app)
    with app.app_context():
        yield world_of(app)
        db.session.remove()
        db.engine.dispose()
