"""The bridge as its own process on a real broker, with simulated locks around it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable
from functools import partial
from pathlib import Path

from sqlalchemy import func, select

from backend.broker import BRIDGE_USER
from backend.config import Settings, bridge_password_file
from backend.db import db
from backend.gateways.world import World
from backend.health import ask_health
from backend.models.lock_events import LockAnomaly, LockEvent
from backend.models.locks import Lock
from backend.ports import free_ports
from backend.services import commands
from device_sim import touches
from device_sim.fleet import Fleet
from tests.mosquitto import TestBroker
from tests.services.stories import Story

TOP = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 90.0  # only a failure costs as much; a sleeping process may hold rows for ten seconds at a time
DIES_BEFORE_ACKNOWLEDGING = """
import os, signal, sys
from backend.mqtt import __main__ as bridge
from backend.mqtt.link import BrokerLink
acknowledge = BrokerLink.acknowledge
def die_or_acknowledge(self, delivery):
    if delivery.topic.endswith(sys.argv[1]):
        os.kill(os.getpid(), signal.SIGKILL)
    acknowledge(self, delivery)
BrokerLink.acknowledge = die_or_acknowledge
sys.exit(bridge.main())
"""


def until(condition: Callable[[], bool]) -> None:
    """Wait until `condition` holds; fails after 90 s."""
    pause = threading.Event()
    for _ in range(int(PATIENCE_SECONDS / 0.05)):
        if condition():
            return
        pause.wait(0.05)
    raise AssertionError("it never came to hold")


class BridgeProcess:
    """`python -m backend.mqtt` for an installation; with `die_on` it is killed between commit and acknowledgement."""

    def __init__(self, settings: Settings, broker: TestBroker, log: Path, name: str = BRIDGE_USER) -> None:
        settings.keys_folder.mkdir(parents=True, exist_ok=True)
        bridge_password_file(settings.keys_folder, name).write_text(broker.bridges[name])
        self._health = free_ports(1)[0]
        self._environment = {
            **os.environ,
            "ANJU_DEMO": "1",
            "ANJU_VAR": str(settings.var),
            "ANJU_DATABASE_URL": settings.database_url,
            "ANJU_BROKER_PORT": str(broker.port),
            "ANJU_BRIDGE_NAME": name,
            "ANJU_BRIDGE_HEALTH_PORT": str(self._health),
        }
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *, die_on: str | None = None) -> None:
        """Start it; `die_on` is the end of the topic whose message kills it."""
        command = ["-m", "backend.mqtt"] if die_on is None else ["-c", DIES_BEFORE_ACKNOWLEDGING, die_on]
        with open(self._log, "ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, *command], cwd=TOP, env=self._environment, stdout=log, stderr=log
            )

    def await_health(self) -> None:
        """Wait until it says that it is well."""
        until(lambda: ask_health(f"http://127.0.0.1:{self._health}/healthz") is None)

    def pause(self) -> None:
        """Stop it where it stands, as a machine that sleeps would; `wake` lets it go on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def wake(self) -> None:
        """Let a paused one go on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def counts(self) -> dict[str, int]:
        """What it has counted, as an operator reads it."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self._health}/counts", timeout=10) as answer:
            return dict(json.load(answer))

    def await_death(self) -> int:
        """Wait until it has ended; answers its status."""
        assert self._process is not None
        return self._process.wait(PATIENCE_SECONDS)

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def end(self) -> int:
        """Ask it to end; answers its status."""
        assert self._process is not None
        self._process.terminate()
        return self._process.wait(PATIENCE_SECONDS)

    def log(self) -> str:
        """What it wrote."""
        return self._log.read_text()


def presence(lock_id: str) -> str:
    """What we believe of a lock's presence."""
    db.session.rollback()
    return db.session.get_one(Lock, lock_id).presence


def confirmed(lock_id: str) -> bool:
    """Whether a lock is online and holds the desired list."""
    db.session.rollback()
    lock = db.session.get_one(Lock, lock_id)
    return lock.presence == "online" and lock.reported_list_version == lock.list_version


def unlock(world: World, story: Story, once: str) -> str:
    """Ask, and wait as a phone does; answers the last state."""
    until(partial(confirmed, story.identity.lock_id))
    asked = commands.request_unlock(world, account_id=story.tenant, key_id=story.key_id, idempotency_key=once)
    for _ in range(10):
        view = commands.wait_for_command(world, account_id=story.tenant, command_id=asked.id, seconds=3)
        if view.state not in ("queued", "sent", "accepted"):
            return view.state
    return view.state


def everything_is_stored(fleet: Fleet) -> bool:
    """Whether every lock has been told that its whole log is stored."""
    return fleet.call(lambda: all(len(link.lock.log) == 0 for link in fleet.links.values()))


def check_that_nothing_is_lost_or_doubled(fleet: Fleet) -> None:
    """Every lock's log is stored as it is, each event once, and nothing was found wrong."""
    for lock_id in fleet.links:
        until(partial(_is_stored_as_told, fleet, lock_id))  # a lock may be writing an event just now
    assert db.session.scalars(select(LockAnomaly.reason)).all() == []


def _is_stored_as_told(fleet: Fleet, lock_id: str) -> bool:
    log = fleet.links[lock_id].lock.log
    seq, head = fleet.call(lambda: (log.seq, log.head))
    db.session.rollback()
    stored = select(func.count(), func.max(LockEvent.seq)).where(LockEvent.lock_id == lock_id)
    record = db.session.get_one(Lock, lock_id)
    return (*db.session.execute(stored).one(), record.stored_head) == (seq, seq, head)


def shake(fleet: Fleet, times: int) -> None:
    """Every lock writes events."""
    for number in range(times):
        state = ("open", "closed")[number % 2]
        for link in fleet.links.values():
            fleet.call(partial(touches.move_door, link.lock, state))
