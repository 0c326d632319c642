"""The demo's command: what it says before, beside and instead of starting; and one real start of everything."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from backend import demo
from backend.config import Settings
from backend.ports import free_ports
from backend.preparation import PreparationFailed, make_folders
from backend.processes import PORTS, demo_environment, ports_of, process_table
from backend.supervisor import Supervisor

TOP = Path(__file__).resolve().parents[2]


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Mapping[str, str]:
    """An installation's environment in the test's folder, on free ports."""
    for name in [name for name in os.environ if name.startswith("ANJU_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("ANJU_VAR", str(tmp_path / "var"))
    monkeypatch.setenv("ANJU_DEMO", "1")
    for name, port in zip(PORTS, free_ports(len(PORTS)), strict=True):
        monkeypatch.setenv(f"ANJU_{name.upper()}", str(port))
    return demo_environment()


def test_a_taken_port_is_one_sentence_with_holder_and_setting(
    environment: Mapping[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", int(environment["ANJU_CONSOLE_PORT"]))) as server:
        assert demo.main([]) == 1
        (line,) = capsys.readouterr().err.splitlines()
        assert f"Port {server.getsockname()[1]} (console web) is in use by" in line
        assert f"process {os.getpid()}" in line or sys.platform != "linux"
        assert "ANJU_CONSOLE_PORT" in line


def test_the_addresses_follow_the_ports(environment: Mapping[str, str]) -> None:
    assert environment["ANJU_REGISTRY_URL"] == f"http://127.0.0.1:{environment['ANJU_REGISTRY_PORT']}"
    assert environment["ANJU_MOBILE_URL"] == f"http://127.0.0.1:{environment['ANJU_MOBILE_PORT']}"
    settings = Settings.from_environment(environment)
    assert ports_of(settings, environment) == {name: int(environment[f"ANJU_{name.upper()}"]) for name in PORTS}


def test_every_process_has_a_health_check_a_port_and_an_end(environment: Mapping[str, str]) -> None:
    table = process_table(Settings.from_environment(environment))
    names = {"broker", "mobile", "console", "registry", "netid", "offices", "subscribers", "bridge", "worker", "locks"}
    assert {row.name for row in table} == names
    assert len({row.port for row in table}) == len(table)
    assert all(row.port_setting in PORTS and str(row.port) in row.health for row in table)
    waves = {row.name: row.wave for row in table}
    assert waves["mobile"] < waves["bridge"] < waves["broker"]
    assert waves["broker"] == max(waves.values())


def test_two_bridges_are_two_processes_with_names_and_ports_of_their_own(environment: Mapping[str, str]) -> None:
    settings = Settings.from_environment({**environment, "ANJU_BRIDGES": "2"})
    rows = [row for row in process_table(settings) if row.name.startswith("bridge")]
    assert [row.name for row in rows] == ["bridge", "bridge-2"]
    assert [dict(row.environment)["ANJU_BRIDGE_NAME"] for row in rows] == ["anju-bridge-1", "anju-bridge-2"]
    second = rows[1]
    assert dict(second.environment)["ANJU_BRIDGE_HEALTH_PORT"] == str(second.port)
    others = {int(environment[f"ANJU_{name.upper()}"]) for name in PORTS}
    assert second.port not in others and str(second.port) in second.health


def test_a_demo_with_two_bridges_starts_and_makes_what_the_second_needs(environment: Mapping[str, str]) -> None:
    command = [sys.executable, "-m", "backend.demo", "--check"]
    wanted = {**environment, "ANJU_BRIDGES": "2"}
    done = subprocess.run(command, cwd=TOP, env=wanted, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "All 11 processes are well" in done.stdout
    assert (Path(environment["ANJU_VAR"]) / "keys" / "bridge-mqtt-password-2").exists()


def test_reset_is_not_done_unasked(environment: Mapping[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    var = Path(environment["ANJU_VAR"])
    make_folders(var)
    (var / "anju.db").write_text("registrations")
    assert not demo.ask_and_reset(var, yes=False)  # nobody can be asked here: standard input is no terminal
    assert (var / "anju.db").exists()
    assert "all registrations" in capsys.readouterr().err
    assert demo.ask_and_reset(var, yes=True)
    assert not var.exists()


def test_reset_deletes_only_what_looks_like_an_installation(
    environment: Mapping[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    var = Path(environment["ANJU_VAR"])
    var.mkdir()
    (var / "thesis.tex").write_text("years of work")
    assert not demo.ask_and_reset(var, yes=True)
    assert (var / "thesis.tex").exists()


def test_a_second_demo_says_that_one_runs(environment: Mapping[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    var = Path(environment["ANJU_VAR"])
    with Supervisor([], var=var, environment={}, folder=TOP, say=print):
        assert demo.main([]) == 1
        assert "The demo runs already" in capsys.readouterr().out
        assert demo.main(["--reset", "--yes"]) == 1
        assert "stop it" in capsys.readouterr().err
        assert var.exists()


def test_a_folder_that_cannot_be_used_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(PreparationFailed, match="choose another with ANJU_VAR"):
        make_folders(tmp_path / "file" / "var")


def test_an_installations_folders_are_closed_to_others(tmp_path: Path) -> None:
    make_folders(tmp_path / "var")
    assert all(path.stat().st_mode & 0o077 == 0 for path in (tmp_path / "var", tmp_path / "var" / "keys"))


def test_a_fresh_demo_starts_everything_checks_it_and_stops(environment: Mapping[str, str]) -> None:
    command = [sys.executable, "-m", "backend.demo", "--check"]
    first = subprocess.run(command, cwd=TOP, env=dict(environment), capture_output=True, text=True, check=False)
    assert first.returncode == 0, first.stdout + first.stderr
    assert "All 10 processes are well" in first.stdout
    second = subprocess.run(command, cwd=TOP, env=dict(environment), capture_output=True, text=True, check=False)
    assert second.returncode == 0, second.stdout + second.stderr
    assert "sample village" not in second.stdout, "a second start prepares nothing"
