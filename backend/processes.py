"""The process table: what an installation consists of, how each part is started, asked for its health and stopped.

Only command lines and addresses; no process is imported. `./anju demo` runs the whole table; an installation that
runs each part as a service of its own reads the same rows.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from backend.broker import bridge_names, find_mosquitto
from backend.child import Process
from backend.config import Settings
from backend.ports import is_port_free

TOP = Path(__file__).resolve().parent.parent
DEMO_LOCKS = 20
DEMO_OFFLINE = 2  # the last ones: doors that only the phone's near link reaches
DEMO_SEED = 7

# setting of a port -> who uses it; in the order in which a person meets them
PORTS = {
    "mobile_port": "mobile web",
    "console_port": "console web",
    "registry_port": "residence registry",
    "sim_port": "simulated locks",
    "bridge_health_port": "MQTT bridge's health check",
    "worker_health_port": "worker's health check",
    "netid_port": "network identity",
    "offices_port": "offices web",
    "subscribers_port": "other offices",
    "broker_port": "MQTT broker",
    "sim_near_port": "near link of the simulated locks",
}
SIM_NEAR_PORT = 8013  # the simulator's own setting, unknown to the core


def python(module: str, *arguments: str) -> tuple[str, ...]:
    """The command line of one of our modules."""
    return (sys.executable, "-m", module, *arguments)


def demo_environment(ports: Mapping[str, int] | None = None) -> dict[str, str]:
    """The environment of every process of the demo: what is set, and the demo's defaults for the rest.

    `ports` are those to use instead of the ones that are set, by the setting's name (`mobile_port`).
    """
    environment = dict(os.environ)
    environment["ANJU_DEMO"] = "1"
    environment["ANJU_VAR"] = str(Path(environment.get("ANJU_VAR") or TOP / "var").resolve())
    for name, port in (ports or {}).items():
        environment[f"ANJU_{name.upper()}"] = str(port)
    settings = Settings.from_environment(environment)
    for name, port in ports_of(settings, environment).items():
        environment[f"ANJU_{name.upper()}"] = str(port)
    for role, port in _addressed(settings):
        if ports or not environment.get(f"ANJU_{role}_URL"):
            environment[f"ANJU_{role}_URL"] = f"http://127.0.0.1:{port}"
    environment["PYTHONUNBUFFERED"] = "1"
    return environment


def _addressed(settings: Settings) -> tuple[tuple[str, int], ...]:
    """The processes that others find by an address of their own setting."""
    return (
        ("REGISTRY", settings.registry_port),
        ("MOBILE", settings.mobile_port),
        ("NETID", settings.netid_port),
    )


def ports_of(settings: Settings, environment: Mapping[str, str]) -> dict[str, int]:
    """The ports that the demo listens on, by the setting's name."""
    known = {name: getattr(settings, name) for name in PORTS if hasattr(settings, name)}
    return {**known, "sim_near_port": int(environment.get("ANJU_SIM_NEAR_PORT") or SIM_NEAR_PORT)}


def process_table(settings: Settings) -> list[Process]:
    """The demo's processes, ten with one bridge, in the order of their starting."""
    local = "http://127.0.0.1"
    mobile, console = f"{local}:{settings.mobile_port}", f"{local}:{settings.console_port}"
    mosquitto = (find_mosquitto() or "mosquitto", "-c", str(settings.var / "broker" / "mosquitto.conf"))
    offline = ("--offline", str(DEMO_OFFLINE))
    locks = python("device_sim", "--locks", str(DEMO_LOCKS), "--seed", str(DEMO_SEED), *offline)
    return [
        Process(
            "broker", "MQTT broker", mosquitto, f"tcp://127.0.0.1:{settings.broker_port}",
            settings.broker_port, "broker_port", wave=4,
        ),
        Process(
            "mobile", "mobile web", web("mobile_api.app:create_mobile_app()", settings.mobile_port),
            f"{mobile}/healthz", settings.mobile_port, "mobile_port", wave=1, page=f"{mobile}/",
        ),
        Process(
            "console", "console web", web("backend.app:create_console_app()", settings.console_port),
            f"{console}/healthz", settings.console_port, "console_port", wave=1, page=f"{console}/",
        ),
        Process(
            "registry", "residence registry",
            web("backend.registry.app:create_registry_app()", settings.registry_port),
            f"{local}:{settings.registry_port}/healthz", settings.registry_port, "registry_port", wave=3,
            page=f"{local}:{settings.registry_port}/",
        ),
        Process(
            "netid", "network identity", web("backend.netid.app:create_netid_app()", settings.netid_port),
            f"{local}:{settings.netid_port}/healthz", settings.netid_port, "netid_port", wave=3,
            page=f"{local}:{settings.netid_port}/",
        ),
        Process(
            "offices", "offices web", web("backend.offices.app:create_offices_app()", settings.offices_port),
            f"{local}:{settings.offices_port}/healthz", settings.offices_port, "offices_port", wave=3,
        ),
        Process(
            "subscribers", "other offices",
            web("backend.subscribers.app:create_subscribers_app()", settings.subscribers_port),
            f"{local}:{settings.subscribers_port}/healthz", settings.subscribers_port, "subscribers_port", wave=3,
            page=f"{local}:{settings.subscribers_port}/",
        ),
        *bridges(settings),
        Process(
            "worker", "worker", python("backend.worker"), f"{local}:{settings.worker_health_port}/healthz",
            settings.worker_health_port, "worker_health_port", wave=2,
        ),
        Process(
            "locks", "simulated locks", locks, f"{local}:{settings.sim_port}/healthz",
            settings.sim_port, "sim_port", wave=3, after=("broker",),
        ),
    ]  # fmt: skip


def bridges(settings: Settings) -> list[Process]:
    """As many bridges as are set; the health of each after the first is on the next port that nobody has."""
    rows, port = [], settings.bridge_health_port
    taken = {getattr(settings, name) for name in PORTS if hasattr(settings, name)} | {SIM_NEAR_PORT}
    for number, name in enumerate(bridge_names(settings.bridges), 1):
        own = () if number == 1 else (("ANJU_BRIDGE_HEALTH_PORT", str(port)),)
        rows.append(
            Process(
                "bridge" if number == 1 else f"bridge-{number}",
                "MQTT bridge" if number == 1 else f"MQTT bridge {number}",
                python("backend.mqtt"), f"http://127.0.0.1:{port}/healthz", port, "bridge_health_port", wave=2,
                after=("broker",), environment=(("ANJU_BRIDGE_NAME", name), *own),
            )
        )  # fmt: skip
        taken.add(port)
        while port in taken or not is_port_free(port):
            port += 1
    return rows


def web(application: str, port: int, *, workers: int = 1) -> tuple[str, ...]:
    """The command line of a web door: gunicorn with threads, on this machine's own address only.

    One worker holds some 100 MB, and the mobile door's face workers come on top: the demo stays with one.
    """
    return python(
        "gunicorn",
        f"--bind=127.0.0.1:{port}",
        "--worker-class=gthread",
        f"--workers={workers}",
        "--threads=8",  # some of them wait for the result of a command for up to 3 s
        "--graceful-timeout=5",
        "--timeout=60",
        "--no-control-socket",
        application,
    )  # fmt: skip
