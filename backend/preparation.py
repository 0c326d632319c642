"""Makes ready what the demo's processes need before they start: folders, databases, locks, sample village, broker.

Each step is safe to repeat. A fingerprint of the code and the settings tells whether anything has to be done at all,
so that a second start goes straight to the processes; they refuse a database of another revision by themselves.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from backend.broker import bridge_names, write_configuration
from backend.config import Settings, bridge_password_file
from backend.lan import site_options
from backend.processes import DEMO_LOCKS, DEMO_SEED, TOP, python
from backend.supervisor import run_step

FOLDERS = ("keys", "registry", "broker", "sim", "demo", "run", "log")
_CODE = ("backend", "device_sim")


class PreparationFailed(Exception):
    """A step before the start did not work; the message says which and how it ended."""


def prepare(settings: Settings, environment: Mapping[str, str], say: Callable[[str], None]) -> None:
    """Bring the folder `settings.var` to where processes can start; raises PreparationFailed with a sentence."""
    make_folders(settings.var)
    if settings.lan_address:  # first of all: every command that knows the network identity loads the authority
        make_certificates(settings, environment, say)
    stamp = settings.var / "run" / "prepared"
    wanted = fingerprint(settings, environment)
    if not (stamp.exists() and stamp.read_text() == wanted and _in_place(settings)):
        stamp.unlink(missing_ok=True)
        known = (settings.var / "sim" / "manifest.json").exists()
        say("The code or a setting changed: looking over the databases …" if known else "Making the sample village …")
        locks = ["--locks", str(DEMO_LOCKS), "--seed", str(DEMO_SEED), "--out", str(settings.var / "sim")]
        _run_together([python("device_sim", "manifest", *locks)], environment, settings)
        village = python("backend.cli", "prepare-demo")
        _run_together([village, python("backend.registry", "upgrade-database")], environment, settings)
        stamp.write_text(fingerprint(settings, environment))
    bridges = bridge_names(settings.bridges)
    write_configuration(settings.var / "broker", settings.broker_port, bridges=bridges)


def make_certificates(settings: Settings, environment: Mapping[str, str], say: Callable[[str], None]) -> None:
    """Make or renew what https on the network needs, and tell what was made; raises PreparationFailed."""
    command = python("backend.lan_site", "certificates", *site_options(settings))
    log = settings.var / "log" / "preparation.log"
    status, words = run_step(command, environment=environment, folder=TOP, log=log)
    if status != 0:
        raise PreparationFailed(f"The certificates for the network could not be made:\n{words}")
    if words:
        say(words)


def make_folders(var: Path) -> None:
    """Make the folders of an installation, closed to everybody else; raises PreparationFailed when that is refused."""
    try:
        for folder in (var, *(var / name for name in FOLDERS)):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.chmod(var, 0o700)
        os.chmod(var / "keys", 0o700)
    except OSError as error:
        raise PreparationFailed(
            f"The folder {var} cannot be used ({error.strerror}); choose another with ANJU_VAR."
        ) from None


def fingerprint(settings: Settings, environment: Mapping[str, str]) -> str:
    """A hash over what preparation depends on: our code, which databases are meant, how many bridges."""
    digest = hashlib.sha256()
    for path in sorted(path for room in _CODE for path in (TOP / room).rglob("*") if "__pycache__" not in path.parts):
        facts = path.stat()
        if path.is_file():
            digest.update(f"{path.relative_to(TOP)} {facts.st_size} {facts.st_mtime_ns}\n".encode())
    for name in ("ANJU_DATABASE_URL", "ANJU_REGISTRY_DATABASE_URL", "ANJU_VAR", "ANJU_BRIDGES"):
        digest.update(f"{name}={environment.get(name, '')}\n".encode())
    return digest.hexdigest()


def reset(var: Path) -> None:
    """Delete everything an installation made."""
    shutil.rmtree(var)


def _in_place(settings: Settings) -> bool:
    var = settings.var
    needed = [
        var / "sim" / "manifest.json",
        var / "broker" / "passwords",
        *(bridge_password_file(settings.keys_folder, name) for name in bridge_names(settings.bridges)),
    ]
    if settings.database_url.startswith("sqlite:///"):
        needed.append(Path(settings.database_url.removeprefix("sqlite:///")))
    return all(path.exists() for path in needed)


def _run_together(commands: Sequence[Sequence[str]], environment: Mapping[str, str], settings: Settings) -> None:
    """Run steps that do not need each other at the same time."""
    log = settings.var / "log" / "preparation.log"

    def run(command: Sequence[str]) -> tuple[Sequence[str], int, str]:
        return (command, *run_step(command, environment=environment, folder=TOP, log=log))

    with ThreadPoolExecutor(len(commands)) as pool:
        for command, status, words in pool.map(run, commands):
            if status != 0:
                raise PreparationFailed(
                    f"`{' '.join(command[1:])}` ended with exit status {status}. Its last words:\n{words}\n"
                    f"The whole log: {log}"
                )
