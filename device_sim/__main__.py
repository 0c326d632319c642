"""Run simulated locks, or write the manifest of a simulated factory.

    python -m device_sim --locks 20 --seed 7 [--offline 2]
    python -m device_sim manifest --locks 20 --seed 7 --out DIR
"""

from __future__ import annotations

import argparse
import json
import logging
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from backend.wire.jwk import jwk_of, keys_from_jwks, public_key_from_jwk
from device_sim.control import Control
from device_sim.fleet import Fleet
from device_sim.identities import make_identities, write_manifest
from device_sim.settings import SimSettings, SimSettingsError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; answers the exit status."""
    options = _parse(arguments)
    identities = make_identities(options.locks, options.seed)
    if options.command == "manifest":
        write_manifest(identities, options.out)
        return 0
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s", stream=sys.stderr)
    try:
        settings = SimSettings.from_environment()
        trust = keys_from_jwks(json.loads(settings.trust_file.read_text()))
        pad = _read_pad(settings.pad_file)
        fleet = Fleet(settings, identities, trust, pad=pad, seed=options.seed, offline=options.offline)
        control = Control(fleet, settings.sim_port)
    except SimSettingsError as error:
        return _fail(str(error))
    except (OSError, ValueError) as error:
        return _fail(f"the simulated locks cannot start: {error}")
    return _run(fleet, control)


def _run(fleet: Fleet, control: Control) -> int:
    def end(_number: int, _frame: Any) -> None:
        fleet.stop()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    server = threading.Thread(target=control.serve, name="control", daemon=True)
    server.start()
    logging.getLogger("anju.sim").info(
        "%d simulated locks; control on port %d, near link on port %d", len(fleet.links), control.port, fleet.near.port
    )
    fleet.run()
    control.close()
    return 0


def _read_pad(file: Path) -> dict[str, str] | None:
    """The platform's public key of the keypads; None when it has none yet: then a configuration will bring it."""
    try:
        return jwk_of(public_key_from_jwk(json.loads(file.read_text())))
    except FileNotFoundError:
        return None


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m device_sim", description="Simulated locks.")
    parser.add_argument("command", nargs="?", choices=("run", "manifest"), default="run")
    parser.add_argument("--locks", type=int, default=20, help="how many (default 20)")
    parser.add_argument("--seed", type=int, default=7, help="which village (default 7)")
    parser.add_argument("--offline", type=int, default=0, help="how many of the last ones have no network")
    parser.add_argument("--out", type=Path, help="folder for the manifest")
    options = parser.parse_args(arguments)
    if options.locks < 1 or not 0 <= options.offline <= options.locks or options.seed < 0:
        parser.error("--locks must be 1 or more, --offline at most as many, --seed 0 or more")
    if options.command == "manifest" and options.out is None:
        parser.error("manifest needs --out DIR")
    return options


def _fail(sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
