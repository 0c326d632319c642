"""A thousand simulated locks in one process, and what they cost the bridge beside it."""

from __future__ import annotations

import time

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
    """Start 1,000 locks against a running bridge: time until all are connected, memory when all are known."""
    stage.say("a thousand locks: making them")
    identities = [identity.public_part() for identity in make_identities(LOCKS, SEED)]
    stage.broker.add_hashes({each["lock_id"]: each["mqtt_password_hash"] for each in identities})
    with Place(stage, "postgresql") as place, place.core() as app:
        import_locks(world_of(app), identities)
        place.start_bridge()
        stage.say("a thousand locks: connecting")
        begun = time.monotonic()
        place.start_locks(LOCKS, SEED)
        connected = time.monotonic() - begun
        place.until(_all_known, "the bridge to know all locks", pause=0.2)
        known = time.monotonic() - begun
        fleet, bridge = place.megabytes("locks"), place.megabytes("bridge")
    return [
        _row("1,000 locks in one process, all connected", connected, "s", CONNECTED_SECONDS),
        Row("the same, keys confirmed and stored by the bridge", known, "s"),
        _row("1,000 locks in one process, memory", fleet, "MB", FLEET_MEGABYTES),
        Row("the bridge beside them, memory", bridge, "MB"),
    ]


def _row(name: str, value: float, unit: str, ceiling: float) -> Row:
    goal, ok = at_most(ceiling, value)
    return Row(name, value, unit, goal=f"{goal} {unit}", ok=ok)


def _all_known() -> bool:
    db.session.rollback()
    confirmed = select(func.count()).where(Lock.presence == "online", Lock.reported_list_version == Lock.list_version)
    return bool(db.session.scalar(confirmed) == LOCKS)
