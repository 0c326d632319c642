"""Where the bench runs: real processes around a throwaway PostgreSQL, a Mosquitto and a folder of their own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from types import TracebackType

from flask import Flask

from backend.bootstrap import core_app
from backend.broker import ACL, reload_broker
from backend.config import Settings
from backend.db import db
from backend.health import ask_health
from backend.ports import free_ports
from backend.processes import python, web
from tests.bench import bare
from tests.mosquitto import TestBroker
from tests.postgres import ThrowawayPostgres

TOP = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 60.0
BARE_USERS = ("bare-app", "bare-echo", "bare-receiver", "bare-copier", "bare-ping", "bare-pong", "bench-feeder")
# The programs without Anju speak on a tree of their own; the feeder speaks for all locks and hears what they are told.
_ACL_OF_BENCH = "\n".join(
    f"\nuser {user}\ntopic readwrite bare/#\ntopic write anju/v1/+/+/up/#\ntopic read anju/v1/+/+/dn/#\n"
    for user in BARE_USERS
)


class Stage:
    """What all measurements of one run share. A quick run takes fewer samples in as many rounds; `say` tells of it."""

    def __init__(self, *, quick: bool, say: Callable[[str], None]) -> None:
        self.quick = quick
        self.say = say
        self.rounds = 9
        self.folder = Path(tempfile.mkdtemp(prefix="anju-bench-"))

    def __enter__(self) -> Stage:
        return self

    def __exit__(self, *_: object) -> None:
        for name in ("postgres", "broker"):
            if name in vars(self):
                vars(self)[name].close()
        shutil.rmtree(self.folder, ignore_errors=True)

    @cached_property
    def postgres(self) -> ThrowawayPostgres:
        """The database server of this run."""
        return ThrowawayPostgres()

    @cached_property
    def broker(self) -> TestBroker:
        """The broker of this run, with accounts for the programs without Anju."""
        folder = self.folder / "broker"
        folder.mkdir()
        broker = TestBroker(folder)
        (folder / "acl").write_text(ACL + _ACL_OF_BENCH)
        reload_broker(folder)
        for user in BARE_USERS:
            broker.add_lock(user, user)
        return broker


class Place:
    """One installation on the stage: its database, its folder, its processes, which end with it."""

    def __init__(self, stage: Stage, kind: str) -> None:
        self.stage = stage
        self.folder = Path(tempfile.mkdtemp(prefix=f"{kind}-", dir=stage.folder))
        self.url = (
            stage.postgres.url(stage.postgres.create())
            if kind == "postgresql"
            else f"sqlite:///{self.folder / 'anju.db'}"
        )
        ports = free_ports(7)
        names = ("mobile_port", "bridge_health_port", "sim_port", "sim_near_port", "bare_port", "registry_port",
                 "worker_health_port")  # fmt: skip
        self.ports = dict(zip(names, ports, strict=True))
        self.environment = {
            **os.environ,
            "ANJU_DEMO": "1",
            "ANJU_VAR": str(self.folder),
            "ANJU_DATABASE_URL": self.url,
            "ANJU_BROKER_PORT": str(stage.broker.port),
            "ANJU_FACE_WORKERS": "0",
            **{f"ANJU_{name.upper()}": str(port) for name, port in self.ports.items()},
            "ANJU_REGISTRY_URL": f"http://127.0.0.1:{self.ports['registry_port']}",
        }
        self.settings = Settings.from_environment(self.environment)
        self.settings.keys_folder.mkdir(parents=True)
        (self.settings.keys_folder / "bridge-mqtt-password").write_text(stage.broker.password)
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._migrate()

    def __enter__(self) -> Place:
        return self

    def __exit__(self, kind: type[BaseException] | None, _error: object, _trace: TracebackType | None) -> None:
        for process in self._processes.values():
            process.terminate()
        for name, process in self._processes.items():
            with suppress(subprocess.TimeoutExpired):
                process.wait(10)
            process.kill()
            if kind is not None:
                print(f"-- {name}: {self.log(name)[-1500:]}", file=sys.stderr)

    def make_core(self) -> Flask:
        """The core without its context, for a measurement that goes from one place to another."""
        return core_app(self.settings)

    @contextmanager
    def core(self) -> Iterator[Flask]:
        """The core in this process, to prepare and to look: services run in it."""
        app = self.make_core()
        with app.app_context():
            yield app
            db.session.remove()
            db.engine.dispose()

    def start_mobile(self) -> None:
        """The mobile door, by the product's own command line."""
        port = self.ports["mobile_port"]
        self.start("mobile", web("mobile_api.app:create_mobile_app()", port), f"http://127.0.0.1:{port}/healthz")

    def start_bridge(self) -> None:
        """The MQTT bridge."""
        self.start("bridge", python("backend.mqtt"), f"http://127.0.0.1:{self.ports['bridge_health_port']}/healthz")

    def start_locks(self, count: int, seed: int = 7) -> None:
        """Simulated locks; returns when all are connected to the broker."""
        command = python("device_sim", "--locks", str(count), "--seed", str(seed))
        self.start("locks", command, f"http://127.0.0.1:{self.ports['sim_port']}/healthz")

    def start_registry(self) -> None:
        """The stand-in of the residence registry, with a database of its own."""
        port = self.ports["registry_port"]
        self._run(python("backend.registry", "upgrade-database"), "the registry could not be prepared")
        command = web("backend.registry.app:create_registry_app()", port)
        self.start("registry", command, f"http://127.0.0.1:{port}/healthz")

    def start_worker(self) -> None:
        """The worker."""
        self.start("worker", python("backend.worker"), f"http://127.0.0.1:{self.ports['worker_health_port']}/healthz")

    def start_bare(self, program: str) -> None:
        """One of the programs without Anju; returns when it has its subscription."""
        self.start(program, python("tests.bench.bare", program))
        self.until(bare.ready_file(self.folder, program).exists, f"{program} to subscribe")

    def start(self, name: str, command: tuple[str, ...], health: str | None = None) -> None:
        """Start a process and wait until it is well. Raises RuntimeError when it ends or does not come up."""
        with open(self.folder / f"{name}.log", "ab") as log:
            process = subprocess.Popen(command, cwd=TOP, env=self.environment, stdout=log, stderr=log)
        self._processes[name] = process
        if health is not None:
            self.until(lambda: ask_health(health) is None, f"{name} to be well")

    def until(self, condition: Callable[[], bool], what: str, pause: float = 0.05) -> None:
        """Wait until `condition` holds. Raises RuntimeError when it does not for a minute, or a process has ended."""
        end = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            for name, process in self._processes.items():
                if process.poll() is not None:
                    raise RuntimeError(f"{name} has ended: {self.log(name)[-1500:]}")
            if time.monotonic() > end:
                raise RuntimeError(f"waited in vain for {what}")
            time.sleep(pause)

    def megabytes(self, name: str) -> float:
        """Resident memory of a process and its descendants: a web server's work is done by its children."""
        return sum(_resident_kilobytes(pid) for pid in _descendants(self._processes[name].pid)) / 1024

    def log(self, name: str) -> str:
        """What a process has written."""
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def _migrate(self) -> None:
        self._run(python("backend.cli", "upgrade-database"), "the database could not be migrated")

    def _run(self, command: tuple[str, ...], failure: str) -> None:
        done = subprocess.run(command, cwd=TOP, env=self.environment, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{failure}: {(done.stdout + done.stderr)[-1500:]}")


def cpu_milliseconds() -> float:
    """Processor time that this process and all its living descendants have used: servers, doors, locks, client."""
    used = 0
    for pid in _descendants(os.getpid()):
        with suppress(OSError):  # ended meanwhile
            used += sum(int(word) for word in _stat_of(pid)[11:13])
    return used * 1_000 / os.sysconf("SC_CLK_TCK")


def _descendants(pid: int) -> set[int]:
    """A process, its children, their children and so on, as far as they live."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                parents[int(entry.name)] = int(_stat_of(int(entry.name))[1])
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def _stat_of(pid: int) -> list[str]:
    """What the kernel counts of a process, from its state on."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def _resident_kilobytes(pid: int) -> int:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return int(status.split("VmRSS:")[1].split()[0]) if "VmRSS:" in status else 0
