"""Failures switched from the shell: the list names parameters, a mistake is answered with a sentence."""

from __future__ import annotations

import argparse

import pytest

from backend.fault_switches import add_fault_arguments, switch_fault
from backend.registry.faults import FAULTS
from tests.gateways.test_registry_client import serving
from tests.registry.stage import Stage


def fault(url: str, *words: str) -> int:
    parser = argparse.ArgumentParser()
    add_fault_arguments(parser)
    return switch_fault(url, "registry", parser.parse_args(words))


def test_failures_are_listed_switched_and_refused_in_words(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    with serving(stage) as url:
        assert fault(url) == 0
        listed = capsys.readouterr().out
        assert all(f"{name} " in listed for name in FAULTS) and "[place=1 code=30]" in listed and "times=N" in listed
        assert fault(url, "code_changed", "code=42", "times=2") == 0
        assert fault(url, "unknown_units", "units=U-1,U-2") == 0
        assert stage.registry.faults.all() == {
            "code_changed": {"place": 1, "code": "42", "times": 2},
            "unknown_units": {"units": ["U-1", "U-2"]},
        }
        capsys.readouterr()
        assert fault(url, "slow", "minutes=3") == 1
        assert "`slow` has no parameter 'minutes'. It has: seconds, times." in capsys.readouterr().err
        assert fault(url, "quake", "--off") == 1
        assert "Known: slow, http_502" in capsys.readouterr().err
        assert fault(url, "--off") == 0
        assert stage.registry.faults.all() == {}


def test_a_stand_in_without_switches_or_without_life_is_said_to_be_so(
    stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(stage) as url:
        pass
    assert fault(url) == 1
    assert "does not answer" in capsys.readouterr().err
