"""The stand-in offices beside Anju in one process: real apps, real signatures, a wire that needs no port."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
from flask import Flask

from backend.db import db
from backend.gateways.office_client import HttpOfficeClient
from backend.gateways.world import World
from backend.offices.app import create_offices_app
from backend.seeding_offices import seed_agreements, stand_in_receivers
from backend.subscribers.app import create_subscribers_app
from backend.subscribers.faults import Faults
from backend.subscribers.reporting import Reporter
from backend.subscribers.settings import SubscriberSettings
from backend.subscribers.store import Store
from backend.wire.jwk import keys_to_jwks
from tests.services import sharing


@dataclass
class StandIns:
    """Anju's world with a line to the stand-ins, and the stand-ins."""

    world: World
    app: Flask
    waits: list[float]

    @property
    def store(self) -> Store:
        """What they hold."""
        found: Store = self.app.extensions["subscriber_store"]
        return found

    @property
    def faults(self) -> Faults:
        """Their switches."""
        found: Faults = self.app.extensions["subscriber_faults"]
        return found

    @property
    def reporter(self) -> Reporter:
        """Their way back."""
        found: Reporter = self.app.extensions["subscriber_reporter"]
        return found


@contextmanager
def stand_ins(settings: Any, world: World, folder: Path) -> Iterator[StandIns]:
    """Seeded agreements, the door, and the stand-ins with their lines to each other."""
    (folder / "platform.jwks.json").write_text(json.dumps(keys_to_jwks(world.tokens.public_keys())))
    seed_agreements(world, folder, sharing.make_supervisors(world), sharing.AREA, stand_in_receivers(8008))
    door = create_offices_app(settings, world)
    waits: list[float] = []
    app = create_subscribers_app(
        SubscriberSettings(folder, folder / "offices", folder / "platform.jwks.json", "http://door", switches=True),
        clock=world.clock.now,
        sleep=waits.append,
        transport=httpx.WSGITransport(app=door),
    )
    line = HttpOfficeClient(world.tokens, now=world.clock.now, transport=httpx.WSGITransport(app=app))
    yield StandIns(replace(world, offices=line), app, waits)
    with door.app_context():
        db.engine.dispose()
