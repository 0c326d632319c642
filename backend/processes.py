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
from backend.lan import addresses_of, door_options, lan_environment, scheme_of, site_options
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
LAN_PORTS = {"lan_page_port": "page for phones on the network"}  # with --lan alone
SIM_NEAR_PORT = 8013  # the simulator's own setting, unknown to the core


def python(module: str, *arguments: str) -> tuple[str, ...]:
    """The command line of one of our modules."""
    return (sys.executable, "-m", module, *arguments)


def demo_environment(ports: Mapping[str, int] | None = None, *, lan: str = "") -> dict[str, str]:
    """The environment of every process of the demo: what is set, and the demo's defaults for the rest.

    `ports` are those to use instead of the ones that are set, by the setting's name (`mobile_port`);
    `lan` is this machine's address on the network when phones there shall reach it.
    """
    environment = dict(os.environ)
    environment["ANJU_DEMO"] = "1"
    environment["ANJU_VAR"] = str(Path(environment.get("ANJU_VAR") or TOP / "var").resolve())
    for name, port in (ports or {}).items():
        environment[f"ANJU_{name.upper()}"] = str(port)
    if lan:
        environment["ANJU_LAN_ADDRESS"] = lan
    settings = Settings.from_environment(environment)
    for name, port in ports_of(settings, environment).items():
        environment[f"ANJU_{name.upper()}"] = str(port)
    for role, port in _addressed(settings):
        if ports or not environment.get(f"ANJU_{role}_URL"):
            environment[f"ANJU_{role}_URL"] = f"http://127.0.0.1:{port}"
    if settings.lan_address:
        environment |= lan_environment(settings)
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
    names = (*PORTS, *(LAN_PORTS if settings.lan_address else ()))
    known = {name: getattr(settings, name) for name in names if hasattr(settings, name)}
    return {**known, "sim_near_port": int(environment.get("ANJU_SIM_NEAR_PORT") or SIM_NEAR_PORT)}


def process_table(settings: Settings) -> list[Process]:
    """The demo's processes, ten with one bridge, in the order of their starting."""
    local = "http://127.0.0.1"
    door = f"{scheme_of(settings)}://127.0.0.1"
    mobile, console = f"{door}:{settings.mobile_port}", f"{door}:{settings.console_port}"
    mosquitto = (find_mosquitto() or "mosquitto", "-c", str(settings.var / "broker" / "mosquitto.conf"))
    offline = ("--offline", str(DEMO_OFFLINE))
    locks = python("device_sim", "--locks", str(DEMO_LOCKS), "--seed", str(DEMO_SEED), *offline)
    return [
        Process(
            "broker", "MQTT broker", mosquitto, f"tcp://127.0.0.1:{settings.broker_port}",
            settings.broker_port, "broker_port", wave=4,
        ),
        Process(
            "mobile", "mobile web", phone_web("mobile_api.app:create_mobile_app()", settings.mobile_port, settings),
            f"{mobile}/healthz", settings.mobile_port, "mobile_port", wave=1, page=f"{mobile}/",
        ),
        Process(
            "console", "console web", phone_web("backend.app:create_console_app()", settings.console_port, settings),
            f"{console}/healthz", settings.console_port, "console_port", wave=1, page=f"{console}/",
        ),
        Process(
            "registry", "residence registry",
            web("backend.registry.app:create_registry_app()", settings.registry_port),
            f"{local}:{settings.registry_port}/healthz", settings.registry_port, "registry_port", wave=3,
            page=f"{local}:{settings.registry_port}/",
        ),
        Process(
            "netid", "network identity",
            phone_web("backend.netid.app:create_netid_app()", settings.netid_port, settings),
            f"{door}:{settings.netid_port}/healthz", settings.netid_port, "netid_port", wave=3,
            page=f"{door}:{settings.netid_port}/",
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
        *lan_page(settings),
    ]  # fmt: skip


def lan_page(settings: Settings) -> list[Process]:
    """With --lan, the page from which phones take the certificate authority."""
    if not settings.lan_address:
        return []
    port = settings.lan_page_port
    return [
        Process(
            "lan", "page for phones", python("backend.lan_site", "serve", *site_options(settings)),
            f"http://127.0.0.1:{port}/healthz", port, "lan_page_port", wave=1,
            page=f"http://{settings.lan_address}:{port}/",
        )
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


def phone_web(application: str, port: int, settings: Settings) -> tuple[str, ...]:
    """The command line of a door that phones open: with --lan also on the network's address, and by TLS."""
    return web(application, port, addresses=addresses_of(settings), more=door_options(settings))


def web(
    application: str, port: int, *, workers: int = 1, addresses: tuple[str, ...] = ("127.0.0.1",),
    more: tuple[str, ...] = (),
) -> tuple[str, ...]:  # fmt: skip
    """The command line of a web door: gunicorn with threads, unless told otherwise on this machine's own address only.

    One worker holds some 100 MB, and the mobile door's face workers come on top: the demo stays with one.
    """
    return python(
        "gunicorn",
        *(f"--bind={address}:{port}" for address in addresses),
        *more,
        "--worker-class=gthread",
        f"--workers={workers}",
        "--threads=8",  # some of them wait for the result of a command for up to 3 s
        "--graceful-timeout=5",
        "--timeout=60",
        "--no-control-socket",
        application,
    )  # fmt: skip
