"""The launcher: help without setup, one sentence for what is missing, and a list that agrees with the commands."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

TOP = Path(__file__).resolve().parents[2]


def load() -> ModuleType:
    """The launcher as a module; it has no .py at its end, being a command."""
    loader = SourceFileLoader("anju_launcher", str(TOP / "anju"))
    spec = spec_from_loader("anju_launcher", loader)
    assert spec
    module = module_from_spec(spec)
    before = sys.dont_write_bytecode
    sys.dont_write_bytecode = True
    try:
        loader.exec_module(module)
    finally:
        sys.dont_write_bytecode = before
    return module


launcher: Any = load()


def run(*arguments: str, top: Path = TOP, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the launcher with this Python."""
    return subprocess.run(
        [sys.executable, str(top / "anju"), *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A fresh clone in miniature: the launcher and a list with one requirement that no machine has."""
    shutil.copy(TOP / "anju", tmp_path / "anju")
    (tmp_path / "requirements.txt").write_text("a-package-of-nobody==9.9\n")
    (tmp_path / "vendor" / "dlib").mkdir(parents=True)
    return tmp_path


@pytest.mark.parametrize("words", [(), ("help",), ("--help",), ("-h",)])
def test_help_needs_no_setup(copy: Path, words: tuple[str, ...]) -> None:
    done = run(*words, top=copy)
    assert done.returncode == 0
    assert "./anju demo" in done.stdout and "./anju journey" in done.stdout
    assert not (copy / ".venv").exists()


def test_an_unknown_command_lists_what_exists(copy: Path) -> None:
    done = run("dmeo", top=copy)
    assert done.returncode == 2
    assert "'dmeo'" in done.stderr and "./anju demo" in done.stderr
    assert not (copy / ".venv").exists()


def test_no_network_is_one_sentence_and_the_noise_goes_to_the_log(copy: Path) -> None:
    nowhere = {"PIP_CONFIG_FILE": os.devnull, "PIP_FIND_LINKS": "", "PIP_EXTRA_INDEX_URL": ""}
    done = run("status", top=copy, PIP_INDEX_URL="http://127.0.0.1:9/simple", PIP_RETRIES="0", **nowhere)
    assert done.returncode == 1
    assert "package index cannot be reached" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert "a-package-of-nobody" in (copy / "var" / "log" / "setup.log").read_text()
    assert not list((copy / ".venv").glob("*.stamp")), "a failed installation is tried again the next time"


@pytest.mark.parametrize(
    ("log", "sentence"),
    [
        ("OSError: [Errno 28] No space left on device", "The disk is full"),
        ("ERROR: No matching distribution found for dlib-bin==20.0.1", "has no dlib-bin==20.0.1 for this machine"),
        ("WARNING: Retrying after connection broken by 'NewConnectionError'", "cannot be reached"),
        ("error: something else", "could not be installed; the reason stands at the end of"),
    ],
)
def test_the_end_of_pips_log_becomes_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, log: str, sentence: str
) -> None:
    (tmp_path / "setup.log").write_text(
        f"\n$ pip install of last week\nNo space left on device\n\n$ pip install\n{log}\n"
    )
    monkeypatch.setattr(launcher, "LOG", str(tmp_path / "setup.log"))
    assert sentence in launcher.why_pip_failed()


def test_who_may_not_install_programs_gets_the_line_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(shutil, "which", lambda name, path=None: "/usr/bin/apt-get" if name == "apt-get" else None)
    with pytest.raises(launcher.Stop, match="sudo apt-get install -y --no-install-recommends mosquitto"):
        launcher.ensure_mosquitto()
    monkeypatch.delenv("ANJU_PRINT_FONT", raising=False)
    with pytest.raises(launcher.Stop, match="fonts-wqy-microhei"):
        launcher.ensure_font(needed=True)
    launcher.ensure_font(needed=False)  # a demo starts without it; only its PDFs are missing


def test_the_stamp_changes_with_the_list(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launcher, "TOP", str(copy))
    before = launcher.wanted_stamp("requirements.txt")
    assert launcher.wanted_stamp("requirements.txt") == before
    (copy / "requirements.txt").write_text("another==1\n")
    assert launcher.wanted_stamp("requirements.txt") != before


def test_progress_counts_what_pip_fetches(capsys: pytest.CaptureFixture[str]) -> None:
    progress = launcher.Progress(40)
    for number in range(40):
        progress(f"Collecting thing-{number}==1.0")
    progress("Installing collected packages: thing")
    progress("Successfully installed thing")
    assert capsys.readouterr().out.split("\n") == [
        "  20 of 40 fetched (thing-19)",
        "  40 of 40 fetched (thing-39)",
        "  all fetched, unpacking",
        "  installed",
        "",
    ]


def test_every_noun_of_the_help_is_a_command_and_the_other_way_round() -> None:
    import argparse

    from backend.cli import make_parser

    def choices(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
        actions = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
        return dict(actions[0].choices) if actions else {}

    known = {noun: set(choices(parser)) for noun, parser in choices(make_parser()).items() if choices(parser)}
    assert {noun: set(verbs) for noun, (verbs, _) in launcher.NOUNS.items()} == known


def test_every_bare_command_is_a_module() -> None:
    for module in set(launcher.MODULES.values()):
        assert (TOP / (module.replace(".", "/") + ".py")).exists(), module
