"""One process under the supervisor: its start, its words, its health, its end."""

from __future__ import annotations

import collections
import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backend.health import ask_health
from backend.log_files import LogFile, summary_of_warning

ASK_EACH_SECONDS = 0.2  # while starting
ASK_STEADY_SECONDS = 5.0  # once well
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


@dataclass(frozen=True)
class Process:
    """One row of the process table.

    `health` is an http URL that answers 200 when well, or tcp://host:port; `after` names processes that must be well
    before this one is started; `wave` orders the stopping, the lowest first; `page` is what a person opens;
    `environment` is what this one has beside what all have.
    """

    name: str
    title: str
    command: tuple[str, ...]
    health: str
    port: int
    port_setting: str
    wave: int
    after: tuple[str, ...] = ()
    page: str = ""
    environment: tuple[tuple[str, str], ...] = ()


class Child:
    """A row of the process table, and the process that presently runs for it."""

    def __init__(
        self,
        process: Process,
        *,
        var: Path,
        environment: Mapping[str, str],
        folder: Path,
        say: Callable[[str], None],
    ) -> None:
        self.process = process
        self.failures = 0
        self.restarts = -1  # the first start is none
        self.healthy = False
        self._reason = "it was not started"  # why it is not well, as its health check last said
        self._environment = {**environment, **dict(process.environment)}
        self._folder = folder
        self._say = say
        self._log = LogFile(var / "log", process.name)
        self._tail: collections.deque[str] = collections.deque(maxlen=12)
        self._popen: subprocess.Popen[bytes] | None = None
        self._status: int | None = None  # of the last end; below zero: the signal
        self._began = 0.0
        self._ended: float | None = None
        self._due = 0.0  # monotonic
        self._asking = threading.Event()

    # -- start and end ------------------------------------------------------------------------------------------------

    def is_due(self) -> bool:
        """Whether it should be started now."""
        return self._popen is None and time.monotonic() >= self._due

    def start(self) -> None:
        """Start it in a process group of its own, tied to the supervisor's life."""
        parent = os.getpid()

        def tie_to_parent() -> None:
            # When the supervisor is killed the kernel asks the child to end: nobody is left behind on the ports.
            if _LIBC is not None:
                _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
            if os.getppid() != parent:
                os._exit(1)

        self._tail.clear()
        self._began, self._ended, self._status = time.time(), None, None
        self.restarts += 1
        try:
            self._popen = subprocess.Popen(
                self.process.command,
                cwd=self._folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=tie_to_parent,  # prctl only: it allocates and locks nothing
            )
        except OSError as error:
            self._say(f"{self.process.title} cannot be started: {error}")
            self._ended = self._began
            self.failures += 1
            self.start_again_in(5.0)
            return
        threading.Thread(target=self._listen, args=(self._popen,), daemon=True).start()
        threading.Thread(target=self._ask_health, args=(self._popen,), daemon=True).start()

    def reap(self) -> bool:
        """Whether the process has just been found ended; what it left in its group is killed."""
        if self._popen is None or self._popen.poll() is None:
            return False
        self._ended, self._status = time.time(), self._popen.returncode
        self.healthy = False
        self._kill_group()
        self._popen = None
        return True

    def start_again_in(self, seconds: float) -> None:
        """Let `is_due` hold again after a pause."""
        self._due = time.monotonic() + seconds

    def is_alive(self) -> bool:
        """Whether its process lives."""
        return self._popen is not None and self._popen.poll() is None

    def ask_to_end(self) -> None:
        """Ask the process to finish what it does and end."""
        self.healthy = False
        if self._popen is not None and self.is_alive():
            self._popen.terminate()

    def kill(self) -> None:
        """End the process and everything in its group."""
        if self._popen is not None:
            self._kill_group()
            self._popen.wait()
        self._asking.set()
        self._log.close()

    def _kill_group(self) -> None:
        if self._popen is not None:
            try:
                os.killpg(self._popen.pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):  # nobody left; on macOS a zombie's group
                pass

    # -- what is known of it ------------------------------------------------------------------------------------------

    def lived_seconds(self) -> float:
        """How long it ran, or has been running."""
        return (self._ended or time.time()) - self._began

    def ending(self) -> str:
        """How it ended, in words."""
        if self._status is None:
            return "not started"
        if self._status < 0:
            return f"killed by {signal.Signals(-self._status).name}"
        return f"exit status {self._status}"

    def trouble(self) -> str:
        """Why it is not well."""
        return self._reason if self.is_alive() else self.ending()

    @property
    def log_path(self) -> Path:
        """The file with its words."""
        return self._log.path

    def last_words(self, lines: int = 1) -> str:
        """The last lines it wrote; of one alone, the last that is its own and not the web server's account of it."""
        if lines == 1:
            own = [line for line in self._tail if not line.startswith("[20")]
            return (own or list(self._tail) or ["none"])[-1]
        return "\n".join(list(self._tail)[-lines:]) or "none"

    def state(self) -> dict[str, Any]:
        """What `./anju status` shows of it."""
        return {
            "name": self.process.name,
            "title": self.process.title,
            "pid": self._popen.pid if self._popen and self.is_alive() else None,
            "started_at": self._began,
            "restarts": max(self.restarts, 0),
            "health": self.process.health,
            "page": self.process.page,
            "log": str(self._log.path),
        }

    # -- threads ------------------------------------------------------------------------------------------------------

    def _listen(self, popen: subprocess.Popen[bytes]) -> None:
        assert popen.stdout is not None
        for raw in popen.stdout:
            line = raw.decode("utf-8", "replace").rstrip()
            self._tail.append(line[:500])
            self._log.write(line)
            warning = summary_of_warning(line)
            if warning:
                self._say(f"[{self.process.name}] {warning}")
        popen.stdout.close()

    def _ask_health(self, popen: subprocess.Popen[bytes]) -> None:
        """Ask until it is well, then now and then; a change is one line."""
        missed = 0
        while popen.poll() is None and not self._asking.wait(ASK_STEADY_SECONDS if self.healthy else ASK_EACH_SECONDS):
            reason = ask_health(self.process.health)
            if popen.poll() is not None:
                return
            self._reason = reason or ""
            if reason is None:
                if missed >= 2:
                    self._say(f"{self.process.title} is well again.")
                self.healthy, missed = True, 0
            elif self.healthy or missed:
                missed += 1
                if missed == 2:  # once may be a busy moment
                    self.healthy = False
                    self._say(f"{self.process.title} does not answer its health check: {reason}")
