"""The log: what reaches the console, and where the rest goes."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend import log_files
from backend.log_files import LogFile, summary_of_warning


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ('{"level": "info", "event": "started"}', None),
        ('{"level": "warning", "event": "parked", "rows": 3}', "warning: parked (rows=3)"),
        ('{"level": "error", "event": "down", "exception": "Traceback ...", "process": "worker"}', "error: down"),
        ("[2026-11-23 10:00:00 +0000] [17] [INFO] Booting worker", None),
        ("[2026-11-23 10:00:00] [17] [ERROR] Worker failed", "[2026-11-23 10:00:00] [17] [ERROR] Worker failed"),
        ("2026-11-23T10:00:00: Error: Address already in use", "2026-11-23T10:00:00: Error: Address already in use"),
        ("2026-11-23T10:00:00: Warning: Mosquitto should not be run as root/administrator.", None),
        ("Traceback (most recent call last):", "Traceback (most recent call last):"),
        ('{"not json', None),
        ("[1, 2]", None),
        ("", None),
    ],
)  # fmt: skip
def test_only_warnings_reach_the_console(line: str, shown: str | None) -> None:
    assert summary_of_warning(line) == shown


def test_a_very_long_warning_is_cut() -> None:
    assert len(summary_of_warning("[ERROR] " + "x" * 9999) or "") == 300


def test_a_line_goes_to_the_processs_file_and_to_the_one_with_everything(tmp_path: Path) -> None:
    one, two = LogFile(tmp_path, "mobile"), LogFile(tmp_path, "worker")
    one.write("hello")
    two.write("there")
    one.write("again")
    for each in (one, two):
        each.close()
    assert (tmp_path / "mobile.log").read_text() == "hello\nagain\n"
    assert (tmp_path / "anju.log").read_text() == "mobile   | hello\nworker   | there\nmobile   | again\n"


def test_a_full_file_becomes_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_files, "BYTES_AT_MOST", 20)
    log = LogFile(tmp_path, "worker")
    for number in range(10):
        log.write(f"line number {number}")
    log.close()
    assert (tmp_path / "worker.log.1").exists()
    assert (tmp_path / "worker.log").stat().st_size < 60
