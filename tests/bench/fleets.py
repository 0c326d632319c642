"""A thousand simulated locks in one process, and what they cost the bridge beside it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import func, select

from backend.bootstrap import world_of
from backend.db import db
from backend.models.locks import Lock
from backend.services.lock_manifests import import_locks
from device_sim.identities import make_identities
from tests.bench.figures import Row, at_most
from tests.bench.stage import Place, Stage

LOCKS = 1_000
SEED = 13
CONNECTED_SECONDS, FLEET_MEGABYTES = 20.0, 250.0


def measure_thousand(stage: Stage) -> list[Row]:
    """Start 1,000 locks against a running bridge: time until all are connected, and memory then."""
    with _village(stage) as place:
        connected = _connect(place)
        return [
            _row("1,000 locks in one process, all connected", connected, "s", CONNECTED_SECONDS),
            _row("1,000 locks in one process, memory", place.megabytes("locks"), "MB", FLEET_MEGABYTES),
        ]


def measure_bridge(stage: Stage) -> list[Row]:
    """The same until the bridge has stored every birth and every lock has confirmed its keys; for information."""
    with _village(stage) as place, place.core():
        begun = time.monotonic()
        _connect(place)
        place.until(_all_known, "the bridge to know all locks", pause=0.5)
        return [
            Row("1,000 locks born, keys confirmed and stored", time.monotonic() - begun, "s"),
            Row("the bridge beside 1,000 locks, memory", place.megabytes("bridge"), "MB"),
        ]


@contextmanager
def _village(stage: Stage) -> Iterator[Place]:
    stage.say("a thousand locks: making them")
    identities = [identity.public_part() for identity in make_identities(LOCKS, SEED)]
    stage.broker.add_hashes({each["lock_id"]: each["mqtt_password_hash"] for each in identities})
    with Place(stage, "postgresql") as place:
        with place.core() as app:
            import_locks(world_of(app), identities)
        place.start_bridge()
        yield place


def _connect(place: Place) -> float:
    place.stage.say("a thousand locks: connecting")
    begun = time.monotonic()
    place.start_locks(LOCKS, SEED)
    return time.monotonic() - begun


def _row(name: str, value: float, unit: str, ceiling: float) -> Row:
    goal, ok = at_most(ceiling, value)
    return Row(name, value, unit, goal=f"{goal} {unit}", ok=ok)


def _all_known() -> bool:
    db.session.rollback()
    confirmed = select(func.count()).where(Lock.presence == "online", Lock.reported_list_version == Lock.list_version)
    return bool(db.session.scalar(confirmed) == LOCKS)
