"""The bridge as its own process on a real broker, with simulated locks around it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from backend.config import Settings
from backend.health import ask_health
from backend.ports import free_ports
from tests.mosquitto import TestBroker

TOP = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 30.0
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
    """Wait until `condition` holds; fails after 30 s."""
    pause = threading.Event()
    for _ in range(int(PATIENCE_SECONDS / 0.05)):
        if condition():
            return
        pause.wait(0.05)
    raise AssertionError("it never came to hold")


class BridgeProcess:
    """`python -m backend.mqtt` for an installation; with `die_on` it is killed between commit and acknowledgement."""

    def __init__(self, settings: Settings, broker: TestBroker, log: Path) -> None:
        settings.keys_folder.mkdir(parents=True, exist_ok=True)
        (settings.keys_folder / "bridge-mqtt-password").write_text(broker.password)
        self._health = free_ports(1)[0]
        self._environment = {
            **os.environ,
            "ANJU_DEMO": "1",
            "ANJU_VAR": str(settings.var),
            "ANJU_DATABASE_URL": settings.database_url,
            "ANJU_BROKER_PORT": str(broker.port),
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
