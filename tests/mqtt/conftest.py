"""The village in real time: a real broker, a fleet of simulated locks, wake-ups that wake.

A file whose tests play in real time says so by making `world` the `live_world` and `story` the `live_story`.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from backend.config import Settings
from backend.gateways.clock import SystemClock
from backend.gateways.wake_up import PostgresWakeUp, SocketWakeUp
from backend.gateways.world import World
from backend.services.lock_manifests import import_locks
from device_sim.fleet import Fleet
from device_sim.identities import make_identity
from device_sim.settings import SimSettings
from tests.mosquitto import TestBroker
from tests.services.stories import Story, make_active
from tests.worlds import make_fake_world

LOCKS = 3


@pytest.fixture
def live_world(settings: Settings, clock: Any) -> Iterator[World]:
    """The test's world in real time, with real wake-ups."""
    postgres = settings.database_url.startswith("postgresql")
    wake_up = PostgresWakeUp(settings.database_url) if postgres else SocketWakeUp(settings.var)
    yield replace(make_fake_world(settings, clock), clock=SystemClock(), wake_up=wake_up)
    wake_up.close()


@pytest.fixture
def live_story(core: Any, live_world: World) -> Story:
    """A tenant with an active key to lock 1; locks 2 and 3 are of the manifest."""
    story = make_active(live_world)
    import_locks(live_world, [make_identity(7, number).public_part() for number in range(2, LOCKS + 1)])
    return story


@pytest.fixture
def fleet(live_story: Story, live_world: World, broker: TestBroker, tmp_path: Path) -> Iterator[Fleet]:
    """The three locks, simulated, on the real broker."""
    identities = [make_identity(7, number) for number in range(1, LOCKS + 1)]
    broker.add_hashes({each.lock_id: each.public_part()["mqtt_password_hash"] for each in identities})
    broker.restart(wipe=True)  # nothing retained from another test
    settings = SimSettings(var=tmp_path, sim_near_port=0, broker_host=broker.host, broker_port=broker.port)
    fleet = Fleet(settings, identities, live_world.tokens.public_keys())
    thread = threading.Thread(target=fleet.run)
    thread.start()
    yield fleet
    fleet.stop()
    thread.join(10)
