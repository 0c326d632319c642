"""`./anju journey`: plays the main journey against the running demo, or against one that is started for it.

The journey itself is device_sim/journey.py, a program that knows addresses only. A demo started here uses the same
var/ folder as `./anju demo`, so that the receipt at the end can be verified afterwards; it ends with the journey.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from backend.config import Settings, SettingsError
from backend.demo import tell_who_failed
from backend.lan import scheme_of
from backend.ports import free_ports, is_port_free
from backend.preparation import PreparationFailed, prepare
from backend.processes import TOP, demo_environment, ports_of, process_table, python
from backend.supervisor import AlreadyRunning, Supervisor, read_state

EXIT_FAILED = 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the journey's exit status, or 1 when the demo did not start."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    os.umask(0o077)
    try:
        environment = demo_environment()
        settings = Settings.from_environment(environment)
        state = read_state(settings.var)
        if state is not None:
            return play(words, environment_of(state))
        if {"--help", "-h"} & set(words):
            return play(words, environment)
        return start_and_play(words, settings)
    except (SettingsError, PreparationFailed) as refusal:
        tell(str(refusal))
    except AlreadyRunning:
        tell("Another ./anju command is just starting the demo on the same folder.")
    except KeyboardInterrupt:
        return 130
    return EXIT_FAILED


def start_and_play(words: Sequence[str], settings: Settings) -> int:
    """Start a demo quietly, on the usual ports or on free ones, play, and stop it."""
    taken = [name for name, port in ports_of(settings, demo_environment()).items() if not is_port_free(port)]
    environment = demo_environment(dict(zip(taken, free_ports(len(taken)), strict=True)))
    settings = Settings.from_environment(environment)
    table = process_table(settings)
    tell("No demo is running: starting one for this journey.")
    with Supervisor(table, var=settings.var, environment=environment, folder=TOP, say=tell) as supervisor:
        supervisor.ports = ports_of(settings, environment)
        prepare(settings, environment, tell)
        tell(f"Starting {len(table)} processes …")
        if not supervisor.wait_ready():
            tell_who_failed(supervisor)
            return EXIT_FAILED
        player = subprocess.Popen(journey_command(words, environment), cwd=TOP, env=environment)
        try:
            supervisor.run(until=lambda: player.poll() is not None)
        finally:
            player.terminate()
        return player.wait()


def play(words: Sequence[str], environment: Mapping[str, str]) -> int:
    """Play against what runs at the addresses of `environment`."""
    return subprocess.run(journey_command(words, environment), cwd=TOP, env=dict(environment), check=False).returncode


def journey_command(words: Sequence[str], environment: Mapping[str, str]) -> tuple[str, ...]:
    """The journey's command line with all addresses; what the person typed comes last and wins."""
    settings = Settings.from_environment(environment)
    local = "http://127.0.0.1"
    door = f"{scheme_of(settings)}://127.0.0.1"
    addresses = [
        f"--mobile={door}:{settings.mobile_port}",
        f"--console={door}:{settings.console_port}",
        f"--registry={local}:{settings.registry_port}",
        f"--sim={local}:{settings.sim_port}",
        f"--broker={settings.broker_host}:{settings.broker_port}",
    ]
    return python("device_sim.journey", *addresses, *words)


def environment_of(state: Mapping[str, Any]) -> dict[str, str]:
    """The environment in which a running demo is reached, from its state; with --lan its authority is trusted."""
    lan = str(state.get("addresses", {}).get("ANJU_LAN_ADDRESS", ""))
    environment = demo_environment({name: int(port) for name, port in state["ports"].items()}, lan=lan)
    if lan:
        environment["SSL_CERT_FILE"] = environment["ANJU_NETID_CA"]
    return environment


def tell(line: str) -> None:
    """One line of progress; on standard error, since --json writes to standard output."""
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
