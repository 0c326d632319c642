"""The supervisor, with tiny children of its own: start, health, restart, order of the end, nobody left behind."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from backend.bootstrap import serve_health
from backend.child import Process
from backend.ports import free_ports, is_port_free
from backend.status import all_well, print_log_check, print_table
from backend.supervisor import AlreadyRunning, Supervisor, is_running, read_state

TOP = Path(__file__).resolve().parents[2]
SERVER = """
import http.server, os, signal, sys
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response({status}); self.end_headers()
        self.wfile.write(b'{{"reason": "the well is dry"}}')
    def log_message(self, *words): pass
def end(*_):
    with open({order!r}, "a") as file: file.write({name!r} + " ")
    os._exit(0)
signal.signal(signal.SIGTERM, end)
print('{{"level": "warning", "event": "up", "name": "{name}"}}', flush=True)
http.server.HTTPServer(("127.0.0.1", {port}), Answer).serve_forever()
"""

Make = Callable[..., Process]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Makes a row whose process answers its health check; `code` is another program, `status` another answer."""

    def row(name: str, *, wave: int = 1, after: tuple[str, ...] = (), status: int = 200, code: str = "") -> Process:
        port = free_ports(1)[0]
        order = str(tmp_path / "order")
        program = textwrap.dedent(code) or SERVER.format(name=name, port=port, status=status, order=order)
        health = f"http://127.0.0.1:{port}/healthz"
        command = (sys.executable, "-S", "-c", program)
        return Process(name, f"the {name}", command, health, port, f"{name}_port", wave=wave, after=after)

    return row


@pytest.fixture
def lines() -> list[str]:
    """What the supervisor said to the console."""
    return []


@pytest.fixture
def supervise(tmp_path: Path, lines: list[str]) -> Iterator[Callable[..., Supervisor]]:
    """Makes a supervisor of rows on the test's folder; it is stopped at the end."""
    made: list[Supervisor] = []

    def start(*rows: Process) -> Supervisor:
        supervisor = Supervisor(rows, var=tmp_path, environment=os.environ, folder=tmp_path, say=lines.append)
        supervisor.__enter__()
        made.append(supervisor)
        return supervisor

    yield start
    for supervisor in made:
        supervisor.__exit__()


def test_all_are_started_and_found_well(make: Make, supervise: Callable[..., Supervisor], tmp_path: Path) -> None:
    supervisor = supervise(make("one"), make("two"))
    assert supervisor.wait_ready(20)
    state = read_state(tmp_path)
    assert state and state["pid"] == os.getpid()
    assert all_well(state)


def test_what_depends_on_another_is_started_when_that_is_well(
    make: Make, supervise: Callable[..., Supervisor], tmp_path: Path
) -> None:
    never = make("broker", status=503)
    supervisor = supervise(never, make("bridge", after=("broker",)))
    assert not supervisor.wait_ready(1.5)
    assert supervisor.children[0].trouble() == "the well is dry"
    assert not supervisor.children[1].is_alive()


def test_they_are_ended_wave_by_wave(make: Make, supervise: Callable[..., Supervisor], tmp_path: Path) -> None:
    supervisor = supervise(make("broker", wave=3), make("web", wave=1), make("worker", wave=2))
    assert supervisor.wait_ready(20)
    supervisor.stop()
    assert (tmp_path / "order").read_text() == "web worker broker "
    assert all(is_port_free(child.process.port) for child in supervisor.children)


def test_who_does_not_end_is_killed_with_all_it_started(
    make: Make, supervise: Callable[..., Supervisor], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend.supervisor.GRACE_SECONDS", 0.3)
    note = tmp_path / "grandchild"
    stubborn = f"""
        import os, signal, subprocess, time
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        child = subprocess.Popen(["sleep", "600"])
        open({str(note)!r} + ".new", "w").write(str(child.pid)); os.rename({str(note)!r} + ".new", {str(note)!r})
        time.sleep(600)
    """
    supervisor = supervise(make("stubborn", code=stubborn))
    assert supervisor.run(until=note.exists)
    supervisor.stop()
    assert not supervisor.children[0].is_alive()
    assert ends(int(note.read_text()))


def test_a_process_that_died_is_started_again_and_that_is_said(
    make: Make, supervise: Callable[..., Supervisor], lines: list[str]
) -> None:
    supervisor = supervise(make("worker"))
    assert supervisor.wait_ready(20)
    child = supervisor.children[0]
    os.kill(child.state()["pid"], signal.SIGKILL)
    assert supervisor.run(until=lambda: child.restarts == 1 and child.healthy)
    assert any("the worker ended (killed by SIGKILL)" in line and "starting it again" in line for line in lines)
    assert child.state()["restarts"] == 1


def test_a_process_that_keeps_ending_makes_the_start_fail_with_its_last_words(
    make: Make, supervise: Callable[..., Supervisor], lines: list[str], tmp_path: Path
) -> None:
    supervisor = supervise(make("broken", code="import sys; print('no key ring here'); sys.exit(3)"))
    assert not supervisor.wait_ready(30)
    assert supervisor.children[0].failures >= 2
    assert "exit status 3" in lines[0]
    assert "no key ring here" in (tmp_path / "log" / "broken.log").read_text()


def test_a_program_that_is_missing_is_said(make: Make, supervise: Callable[..., Supervisor], lines: list[str]) -> None:
    row = Process("x", "the x", ("/nowhere/program",), "tcp://127.0.0.1:9", 9, "x_port", wave=1)
    supervisor = supervise(row)
    supervisor.run(until=lambda: bool(lines))
    assert "the x cannot be started" in lines[0]


def test_warnings_reach_the_console_and_everything_the_log(
    make: Make, supervise: Callable[..., Supervisor], lines: list[str], tmp_path: Path
) -> None:
    supervisor = supervise(make("web"))
    assert supervisor.wait_ready(20)
    assert "[web] warning: up (name=web)" in lines
    assert '"event": "up"' in (tmp_path / "log" / "web.log").read_text()


def test_one_supervisor_per_folder(make: Make, supervise: Callable[..., Supervisor], tmp_path: Path) -> None:
    assert not is_running(tmp_path)
    supervise(make("one"))
    assert is_running(tmp_path)
    second = Supervisor([], var=tmp_path, environment={}, folder=tmp_path, say=print)
    with pytest.raises(AlreadyRunning):
        second.__enter__()


def test_a_state_file_left_by_a_killed_supervisor_is_not_believed(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "supervisor.json").write_text(json.dumps({"pid": 1, "processes": []}))
    (tmp_path / "run" / "supervisor.lock").touch()
    assert read_state(tmp_path) is None


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's parent-death signal is Linux's")
def test_nobody_is_left_behind_when_the_supervisor_is_killed(tmp_path: Path) -> None:
    program = f"""
        import os, sys
        from pathlib import Path
        from backend.child import Process
        from backend.supervisor import Supervisor
        row = Process("sleeper", "the sleeper", ("sleep", "600"), "tcp://127.0.0.1:9", 9, "x", wave=1)
        with Supervisor([row], var=Path({str(tmp_path)!r}), environment=os.environ, folder=".", say=print) as it:
            it.run(until=lambda: it.children[0].is_alive())
            print(it.children[0].state()["pid"], flush=True)
            it.run()
    """
    killed = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program)], cwd=TOP, stdout=subprocess.PIPE, text=True
    )
    assert killed.stdout
    with killed.stdout:
        sleeper = int(killed.stdout.readline())
        killed.kill()
        killed.wait()
    assert ends(sleeper), "the child outlived its supervisor"


def test_the_table_says_what_is_not_well(
    make: Make, supervise: Callable[..., Supervisor], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    supervisor = supervise(make("good"), make("bad", status=503))
    supervisor.run(until=lambda: supervisor.children[0].healthy and supervisor.children[1].trouble() != "not started")
    supervisor.wait_ready(1.0)
    state = read_state(tmp_path)
    assert state and not print_table(state)
    table = capsys.readouterr().out
    assert "the good" in table and "well" in table and "the well is dry" in table


HOUR = 3_600


@pytest.mark.parametrize(
    ("checked", "faults", "up", "fits", "words"),
    [
        (47 * HOUR, 0, HOUR, True, "7 leaves recomputed"),
        (49 * HOUR, 0, HOUR, False, "NOT CHECKED since"),
        (HOUR, 2, HOUR, False, "2 FAULTS found at"),
        (None, 0, HOUR, True, "no check has come to its end yet"),
        (None, 0, 49 * HOUR, False, "no check has come to its end yet"),
    ],
)
def test_the_status_says_whether_the_audit_log_fits(
    checked: int | None, faults: int, up: int, fits: bool, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    now = int(time.time())
    counts = {"audit_check_good_for": 172_800}
    if checked is not None:
        counts |= {"audit_checked_at": now - checked, "audit_leaves": 7, "audit_faults": faults}
    port = free_ports(1)[0]
    server = serve_health(port, lambda: None, lambda: counts)
    try:
        workers = [{"name": "worker", "health": f"http://127.0.0.1:{port}/healthz", "started_at": now - up}]
        assert print_log_check({"processes": workers}) is fits
    finally:
        server.shutdown()
        server.server_close()
    assert words in capsys.readouterr().out
    assert print_log_check({"processes": workers}), "a worker that is away is told by its own row"
    assert "does not answer" in capsys.readouterr().out


def ends(pid: int) -> bool:
    """Whether a process has ended, or does within 10 s: the kernel says so on the process's own handle."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([handle], [], [], 10)[0])
    finally:
        os.close(handle)
