"""`./anju demo`: prepares an installation with a sample village and runs all its processes until Ctrl-C."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from backend.config import Settings, SettingsError
from backend.lan import DEFAULT_ROUTE, addresses_of, choose_address, lan_environment, scheme_of, site_options
from backend.ports import is_port_free, who_listens
from backend.preparation import PreparationFailed, prepare, reset
from backend.processes import LAN_PORTS, PORTS, TOP, demo_environment, ports_of, process_table, python
from backend.status import all_well, print_table
from backend.supervisor import START_SECONDS, AlreadyRunning, Supervisor, is_running, read_state

EXIT_WELL, EXIT_FAILED, EXIT_USAGE = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    options = parser().parse_args(arguments)
    os.umask(0o077)
    try:
        environment = demo_environment(lan=choose_address(options.lan) if options.lan else "")
        settings = Settings.from_environment(environment)
        if is_running(settings.var):
            return about_running(settings.var, options)
        if options.reset and not ask_and_reset(settings.var, yes=options.yes):
            return EXIT_FAILED
        taken = taken_ports(ports_of(settings, environment), settings)
        if taken:
            print("\n".join(taken), file=sys.stderr)
            return EXIT_FAILED
        return run(settings, environment, check=options.check)
    except (SettingsError, PreparationFailed) as refusal:
        print(refusal, file=sys.stderr)
    except AlreadyRunning:
        print("Another ./anju demo is just starting on the same folder.", file=sys.stderr)
    except KeyboardInterrupt:
        return 130
    return EXIT_FAILED


def parser() -> argparse.ArgumentParser:
    """The command's arguments."""
    made = argparse.ArgumentParser(prog="./anju demo", description=__doc__)
    made.add_argument("--check", action="store_true", help="start, wait until every process is well, stop; 0 when well")
    made.add_argument(
        "--lan", nargs="?", const=DEFAULT_ROUTE, default="", metavar="ADDRESS",
        help="let phones on this network in, by https with a certificate authority made here; ADDRESS is one of "
        "this machine's, by default that of the default route",
    )  # fmt: skip
    made.add_argument("--reset", action="store_true", help="start over: delete everything the demo has stored")
    made.add_argument("--yes", action="store_true", help="with --reset: do not ask")
    return made


def run(settings: Settings, environment: Mapping[str, str], *, check: bool) -> int:
    """Prepare, start, and watch until asked to stop; with `check` only until all is well."""
    began = time.monotonic()
    table = process_table(settings)
    with Supervisor(table, var=settings.var, environment=environment, folder=TOP, say=say) as supervisor:
        supervisor.ports = ports_of(settings, environment)
        if settings.lan_address:
            supervisor.addresses = lan_environment(settings) | {"ANJU_LAN_ADDRESS": settings.lan_address}
        prepare(settings, environment, say)
        supervisor.heed_signals()
        say(f"Starting {len(table)} processes …")
        sign_ins = None if check else SignIns(environment)
        if supervisor.wait_ready():
            say(f"All {len(table)} processes are well, {time.monotonic() - began:.1f} s after the command.")
        elif supervisor.asked_to_stop():
            say("Stopping …")
            return EXIT_FAILED
        else:
            tell_who_failed(supervisor)
        if sign_ins is None:
            return EXIT_WELL if supervisor.is_ready() else EXIT_FAILED
        print_welcome(settings, sign_ins.read())
        if settings.lan_address:
            print_for_phones(settings, environment)
        supervisor.run()
        say("Stopping …")
    return EXIT_WELL


def tell_who_failed(supervisor: Supervisor) -> None:
    """Say which processes are not well, why, and the end of their logs."""
    for child in supervisor.children:
        if not child.healthy:
            supervisor.say(f"{child.process.title} is not well: {child.trouble()}")
            supervisor.say("    " + child.last_words(lines=8).replace("\n", "\n    "))
            supervisor.say(f"    the whole log: {child.log_path}")


def about_running(var: Path, options: argparse.Namespace) -> int:
    """The demo runs already: say so, or check that one."""
    if options.reset:
        print("The demo is running: stop it (Ctrl-C there) before --reset.", file=sys.stderr)
        return EXIT_FAILED
    end = time.monotonic() + (START_SECONDS if options.check else 0)
    while not all_well(read_state(var)) and time.monotonic() < end:
        time.sleep(0.3)
    state = read_state(var) or {}
    pid = state.get("pid")
    print(f"The demo runs already, as process {pid}; Ctrl-C there, or `kill {pid}`, stops it.")
    well = print_table(state)
    return EXIT_WELL if options.check and well else EXIT_FAILED


def ask_and_reset(var: Path, *, yes: bool) -> bool:
    """Delete the installation's folder after asking; False when the answer is no or nobody can be asked."""
    if not var.exists():
        return True
    lost = (
        f"--reset deletes {var}: all registrations, leases and keys of the demo, its key ring, the locks' memories, "
        "and the logs."
    )
    if not yes:
        if not sys.stdin.isatty():
            print(f"{lost} Say --yes as well to do that without being asked.", file=sys.stderr)
            return False
        if input(f"{lost}\nType yes to go on: ").strip().lower() not in ("yes", "y"):
            return False
    if not looks_like_ours(var):
        print(f"{var} does not look like a folder made by Anju; nothing was deleted.", file=sys.stderr)
        return False
    reset(var)
    return True


def looks_like_ours(var: Path) -> bool:
    """A guard before deleting: the folder is empty or has the parts that only an installation has."""
    return not any(var.iterdir()) or ((var / "log").is_dir() and var != TOP and var != Path.home())


def taken_ports(ports: Mapping[str, int], settings: Settings) -> list[str]:
    """One sentence for each port that another program holds."""
    sentences, titles = [], PORTS | LAN_PORTS
    for name, port in ports.items():
        if not all(is_port_free(port, address) for address in addresses_of(settings)):
            who = who_listens(port)
            by = f"in use by {who}" if who else "in use or not allowed"
            sentences.append(
                f"Port {port} ({titles[name]}) is {by}: free it, or choose another with ANJU_{name.upper()}=…"
            )
    return sentences


class SignIns:
    """Who can sign in to the sample village; asked for while the processes start."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._asked = subprocess.Popen(
            python("backend.cli", "demo-sign-ins", "--json"),
            cwd=TOP, env=dict(environment), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
        )  # fmt: skip

    def read(self) -> list[dict[str, str]]:
        """The sign-ins, or an empty list when they could not be read."""
        try:
            answer = json.loads(self._asked.communicate(timeout=30)[0])
        except (ValueError, subprocess.TimeoutExpired):
            self._asked.kill()
            return []
        return list(answer)


def print_welcome(settings: Settings, sign_ins: Sequence[Mapping[str, str]]) -> None:
    """Addresses and sign-ins of the sample village."""
    door = f"{scheme_of(settings)}://{settings.lan_address or '127.0.0.1'}"
    mobile, console = f"{door}:{settings.mobile_port}", f"{door}:{settings.console_port}"
    print(f"""
Anju 安居 · sample village 太湖街道陈塘村 (made-up people, sample codes)

  landlords and tenants   {mobile}/
  precinct staff          {console}/
  residence registry      http://127.0.0.1:{settings.registry_port}/   (stand-in of the provincial one)
  network identity        {door}:{settings.netid_port}/   (stand-in of the national one)
  phone codes, stickers   {mobile}/demo/messages
  one-time codes of staff {console}/demo/codes
""")
    rows = [(entry["door"], entry["sign_in"], entry.get("password", ""), entry["who"]) for entry in sign_ins]
    for door, sign_in, password, who in rows:
        print(f"  {door:<9} {sign_in:<12} {password:<{max(len(row[2]) for row in rows)}}  {who}")
    print(f"\n  log: {settings.var / 'log' / 'anju.log'}    stop: Ctrl-C\n", flush=True)


def print_for_phones(settings: Settings, environment: Mapping[str, str]) -> None:
    """The QR codes and the fingerprint, the risk of --lan, and how to take it back."""
    command = python("backend.lan_site", "words", *site_options(settings))
    subprocess.run(command, cwd=TOP, env=dict(environment), stdin=subprocess.DEVNULL, check=False)


def say(line: str) -> None:
    """One line to the console, at once."""
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
