"""A whole demo as processes of its own: free ports, a folder of its own, the journey played against it."""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backend.ports import free_ports
from backend.processes import PORTS

TOP = Path(__file__).resolve().parents[2]
READY = "processes are well"
START_SECONDS, JOURNEY_SECONDS = 240, 420  # generous: two cores may be shared with other tests


@dataclass(frozen=True)
class Played:
    """How a journey ended: exit status, its JSON document, what it told on the way."""

    status: int
    told: dict[str, Any]
    lines: list[str]


class Village:
    """The demo's nine processes under their supervisor."""

    def __init__(self, var: Path, database_url: str = "") -> None:
        self.var = var
        ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
        self.ports = ports
        self.environment = {
            **os.environ,
            "ANJU_DEMO": "1",
            "ANJU_VAR": str(var),
            "ANJU_DATABASE_URL": database_url,
            "ANJU_REGISTRY_URL": f"http://127.0.0.1:{ports['registry_port']}",
            "ANJU_NETID_URL": f"http://127.0.0.1:{ports['netid_port']}",
            "ANJU_MOBILE_URL": f"http://127.0.0.1:{ports['mobile_port']}",
            **{f"ANJU_{name.upper()}": str(port) for name, port in ports.items()},
        }
        self._log = (var.parent / "demo.log").open("wb")
        self._demo = self._run("backend.demo", stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self._await_ready()

    def play(self, *words: str, on_line: Callable[[str], None] = lambda _line: None) -> Played:
        """Play the journey; `on_line` hears each line it tells."""
        journey = self._run("device_sim.journey", *self._addresses(), "--json", *words, stderr=subprocess.PIPE,
                            stdout=subprocess.PIPE)  # fmt: skip
        assert journey.stderr is not None and journey.stdout is not None
        with journey:
            lines = []
            try:
                for raw in journey.stderr:
                    lines.append(raw.decode().rstrip())
                    on_line(lines[-1])
                told = json.loads(journey.stdout.read() or b"{}")
                return Played(journey.wait(JOURNEY_SECONDS), told, lines)
            finally:
                journey.kill()

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run an operator's command."""
        line = [sys.executable, "-m", "backend.cli", *words]
        return subprocess.run(line, cwd=TOP, env=self.environment, capture_output=True, text=True, check=False)

    def kill(self, name: str) -> None:
        """SIGKILL one of our own processes; the supervisor starts it again."""
        state = json.loads((self.var / "run" / "supervisor.json").read_text())
        pid = next(process["pid"] for process in state["processes"] if process["name"] == name)
        if pid is not None:
            os.kill(pid, signal.SIGKILL)

    def count(self, database: str, statement: str, values: Mapping[str, str]) -> int:
        """Count rows in one of the SQLite files, read-only."""
        connection = sqlite3.connect(f"file:{self.var / database}?mode=ro", uri=True)
        try:
            return int(connection.execute(statement, values).fetchone()[0])
        finally:
            connection.close()

    def close(self) -> None:
        """Stop as Ctrl-C does, and wait."""
        self._demo.send_signal(signal.SIGINT)
        try:
            self._demo.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self._demo.kill()
            self._demo.wait()
        self._drained.join(10)  # it alone reads the pipe; `communicate` beside it would close it under its hands

    def _addresses(self) -> list[str]:
        web = [f"--{name}=http://127.0.0.1:{self.ports[f'{name}_port']}" for name in WEB]
        return [*web, f"--broker=127.0.0.1:{self.ports['broker_port']}"]

    def _run(self, module: str, *words: str, **streams: Any) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", module, *words], cwd=TOP, env=self.environment, start_new_session=True, **streams
        )

    def _await_ready(self) -> None:
        assert self._demo.stdout is not None
        until, said = time.monotonic() + START_SECONDS, b""
        while READY.encode() not in said:
            ready, _, _ = select.select([self._demo.stdout], [], [], 1)
            chunk = os.read(self._demo.stdout.fileno(), 65_536) if ready else b""
            said += chunk
            if (ready and not chunk) or time.monotonic() > until:
                self._demo.kill()
                raise AssertionError(f"the demo did not start:\n{said.decode()[-3000:]}")
        self._drain()

    def _drain(self) -> None:
        """Let the rest of what the demo says go to a file, so that its pipe never fills."""
        assert self._demo.stdout is not None
        pipe = self._demo.stdout

        def copy() -> None:
            with pipe, self._log:  # both are this thread's own from here on
                shutil.copyfileobj(pipe, self._log)

        self._drained = threading.Thread(target=copy, daemon=True)
        self._drained.start()


WEB = ("mobile", "console", "registry", "sim")
