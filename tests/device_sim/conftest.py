"""A fleet on a real broker, in a thread of the test."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.broker import BRIDGE_USER
from device_sim.control import Control
from device_sim.fleet import Fleet
from device_sim.identities import Identity, make_identities
from device_sim.settings import SimSettings
from tests.device_sim.makers import Platform
from tests.device_sim.stations import Station
from tests.mosquitto import TestBroker

SEED = 7


@pytest.fixture
def identities() -> list[Identity]:
    return make_identities(3, SEED)


@pytest.fixture
def platform() -> Platform:
    return Platform()


@pytest.fixture
def fleet(broker: TestBroker, tmp_path: Path, identities: list[Identity], platform: Platform) -> Iterator[Fleet]:
    """Three locks, the last one offline; it runs until the test ends."""
    broker.add_hashes({each.lock_id: each.public_part()["mqtt_password_hash"] for each in identities})
    settings = SimSettings(
        var=tmp_path, sim_port=0, sim_near_port=0, broker_host=broker.host, broker_port=broker.port
    )
    fleet = Fleet(settings, identities, platform.trust, pad=platform.pad, seed=SEED, offline=1)
    thread = threading.Thread(target=fleet.run)
    thread.start()
    yield fleet
    fleet.stop()
    thread.join(10)
    assert not thread.is_alive()


@pytest.fixture
def control(fleet: Fleet) -> Iterator[Control]:
    control = Control(fleet, 0)
    thread = threading.Thread(target=control.serve)
    thread.start()
    yield control
    control.close()
    thread.join(10)


@pytest.fixture
def station(broker: TestBroker) -> Iterator[Station]:
    """The platform's side of the broker: hears everything, may send down."""
    station = Station(broker, BRIDGE_USER, broker.password)
    yield station
    station.close()
