"""Starts the processes of an installation, watches them, starts again what died, stops everything in order.

It knows processes by their command lines only (backend/processes.py lists them) and imports none of them; it needs
the standard library alone, so that it is up in a blink and cannot fail for the reasons its children fail. One
supervisor per var/ folder: it holds a lock file as long as it lives, and tells its state in var/run/supervisor.json.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

from backend.child import Child, Process

START_SECONDS = 60  # a process that has not answered by then did not start
GRACE_SECONDS = 8  # to end by itself when asked; an HTTP request in flight gets its answer within this
STEADY_SECONDS = 30  # a process that lived this long may be started again at once
LONGEST_PAUSE = 30.0
HOPELESS = 2  # ends within a start; once may be a race, twice is a fault


class AlreadyRunning(Exception):
    """Another supervisor holds this var/ folder."""


class Supervisor:
    """Runs a process table until asked to stop."""

    def __init__(
        self,
        table: Sequence[Process],
        *,
        var: Path,
        environment: Mapping[str, str],
        folder: Path,
        say: Callable[[str], None],
    ) -> None:
        """`folder` is where commands run (the repository's top); `say` receives the lines a person should read."""
        self.var = var
        self.say = say
        self.children = [
            Child(row, var=var, environment=environment, folder=folder, say=self._pass_on) for row in table
        ]
        self.ports = {child.process.port_setting: child.process.port for child in self.children}  # told in the state
        self.addresses: dict[str, str] = {}  # settings a command beside the demo needs to reach it; told in the state
        self.started_at = time.time()
        self.stopping = False
        self._asked = 0
        self._lock: IO[str] | None = None
        self._written = ""

    # -- life ---------------------------------------------------------------------------------------------------------

    def __enter__(self) -> Supervisor:
        """Take the lock of the var/ folder; raises AlreadyRunning when another supervisor has it."""
        run = self.var / "run"
        run.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = (run / "supervisor.lock").open("a+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            raise AlreadyRunning(f"another supervisor holds {self.var}") from None
        self._lock = lock
        return self

    def heed_signals(self) -> None:
        """From now on Ctrl-C, TERM and HUP ask for an orderly end instead of breaking off."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)

    def __exit__(self, *_: object) -> None:
        self.stop()
        (self.var / "run" / "supervisor.json").unlink(missing_ok=True)
        if self._lock:
            self._lock.close()

    def run(self, until: Callable[[], bool] = lambda: False) -> bool:
        """Start what is not running and watch, until `until()` holds (True) or a signal asks to stop (False)."""
        while not self._asked:
            if until():
                return True
            self._start_due()
            for child in self.children:
                if child.reap():
                    self._plan_restart(child)
            self._write_state()
            time.sleep(0.1)
        return False

    def wait_ready(self, seconds: float = START_SECONDS) -> bool:
        """Run until every process is well; False when time is up, a process keeps ending, or a signal came."""
        end = time.monotonic() + seconds

        def settled() -> bool:
            return (
                self.is_ready() or time.monotonic() > end or any(child.failures >= HOPELESS for child in self.children)
            )

        self.run(until=settled)
        return self.is_ready()

    def is_ready(self) -> bool:
        """Whether every process answers its health check."""
        return all(child.healthy for child in self.children)

    def asked_to_stop(self) -> bool:
        """Whether a signal has come."""
        return self._asked > 0

    def stop(self) -> None:
        """End all processes, wave by wave; who does not end within the grace is killed, a second signal kills all."""
        self.stopping = True
        for wave in sorted({child.process.wave for child in self.children}):
            members = [child for child in self.children if child.process.wave == wave]
            for child in members:
                child.ask_to_end()
            end = time.monotonic() + GRACE_SECONDS
            while any(child.is_alive() for child in members) and time.monotonic() < end and self._asked < 2:
                time.sleep(0.05)
            for child in members:
                if child.is_alive():
                    self.say(f"{child.process.title} did not end within {GRACE_SECONDS} s and was killed.")
                child.kill()
        self._write_state()

    # -- steps --------------------------------------------------------------------------------------------------------

    def _start_due(self) -> None:
        well = {child.process.name for child in self.children if child.healthy}
        for child in self.children:
            if child.is_due() and well.issuperset(child.process.after):
                child.start()

    def _plan_restart(self, child: Child) -> None:
        lived = child.lived_seconds()
        child.failures = 1 if lived >= STEADY_SECONDS else child.failures + 1
        pause = 0.0 if lived >= STEADY_SECONDS else min(0.5 * 2 ** (child.failures - 1), LONGEST_PAUSE)
        child.start_again_in(pause)
        self.say(
            f"{child.process.title} ended ({child.ending()}) after {lived:.0f} s; "
            f"starting it again{f' in {pause:g} s' if pause else ''}. Its last words: {child.last_words()}"
        )

    def _on_signal(self, number: int, _frame: object) -> None:
        self._asked += 1

    def _pass_on(self, line: str) -> None:
        if not self.stopping:  # what processes say while they are being ended is in the log
            self.say(line)

    def _write_state(self) -> None:
        state = {
            "pid": os.getpid(),
            "started_at": self.started_at,
            "ports": self.ports,
            "addresses": self.addresses,
            "processes": [child.state() for child in self.children],
        }
        text = json.dumps(state, indent=1)
        if text == self._written:
            return
        self._written = text
        path = self.var / "run" / "supervisor.json"
        fresh = path.with_suffix(".new")
        fresh.write_text(text)
        os.replace(fresh, path)


def read_state(var: Path) -> dict[str, object] | None:
    """The state of the supervisor that runs on this var/ folder, or None when none runs."""
    if not is_running(var):
        return None
    try:
        state: dict[str, object] = json.loads((var / "run" / "supervisor.json").read_text())
    except (FileNotFoundError, ValueError):
        return {"pid": None, "started_at": time.time(), "ports": {}, "processes": []}
    return state


def is_running(var: Path) -> bool:
    """Whether a supervisor lives on this var/ folder: it holds the lock, whatever an old state file says."""
    path = var / "run" / "supervisor.lock"
    if not path.exists():
        return False
    with path.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def run_step(command: Sequence[str], *, environment: Mapping[str, str], folder: Path, log: Path) -> tuple[int, str]:
    """Run a preparing command to its end, its words appended to `log`; returns exit status and last lines."""
    done = subprocess.run(
        command,
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    words = done.stdout + done.stderr
    log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with log.open("a", encoding="utf-8") as file:
        file.write(f"$ {' '.join(command)}\n{words}")
    return done.returncode, "\n".join(words.strip().splitlines()[-6:])
