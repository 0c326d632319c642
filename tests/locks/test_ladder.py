"""Whoever lives there gets in: a short stretch of the month that `./anju bench locks` counts in full."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from tests.locks.ladders import Street


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_whoever_lives_there_gets_in_whatever_is_broken(core: Flask, clock: Any) -> None:
    month = Street(core, clock, households=4, seed=11).live(days=8)
    assert month.homecomings == 4 * 8 * 3
    assert sum(month.rungs.values()) == month.homecomings
    assert all(month.rungs[rung] for rung in ("online", "bluetooth", "code", "mechanical")), month.rungs
    assert month.share("online", "bluetooth", "code") > 80, month.rungs  # the rest is a dead phone or a dead battery
