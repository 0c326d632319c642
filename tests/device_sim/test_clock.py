"""The lock's clock: honest about how far it may be trusted, and never backwards by itself."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_sim.clock import LockClock
from tests.device_sim.makers import DAY, START, Host


@pytest.mark.parametrize(
    "days, uncertainty, quality",
    [
        (0, 2, "ok"),
        (3, 27, "ok"),
        (4, 36, "drifting"),
        (30, 261, "drifting"),
        (35, 304, "unknown"),
        (90, 779, "unknown"),
    ],
)
def test_uncertainty_grows_with_100_ppm_and_is_not_capped(days: int, uncertainty: int, quality: str) -> None:
    host = Host()
    clock = LockClock(host)
    clock.sync(START)
    host.at += days * DAY
    assert (clock.uncertainty(), clock.quality()) == (uncertainty, quality)


def test_a_clock_that_was_never_set_is_worth_nothing() -> None:
    assert LockClock(Host()).quality() == "unknown"


def test_power_loss_stops_the_clock_and_only_the_platforms_time_makes_it_good_again() -> None:
    host = Host()
    clock = LockClock(host)
    clock.sync(START)
    host.at += 3_600
    assert clock.now() == START + 3_600
    clock.lose_power()
    host.at += 10
    assert (clock.now(), clock.quality()) == (START + 3_610, "unknown")
    assert clock.sync(int(host.at)) == 0
    assert clock.quality() == "ok"


def test_the_platforms_signed_time_alone_may_set_it_back() -> None:
    clock = LockClock(Host(), skew=500)
    assert clock.now() == START + 500
    clock.jump(-1_000)
    assert clock.now() == START + 500
    assert clock.sync(START) == -500
    assert clock.now() == START


@given(st.lists(st.tuples(st.floats(0, 1e6), st.floats(-1e6, 1e6)), max_size=30), st.floats(-500, 500))
def test_it_never_runs_backwards_whatever_happens_to_it(steps: list[tuple[float, float]], ppm: float) -> None:
    host = Host()
    clock = LockClock(host, ppm=ppm)
    before = clock.now()
    for wait, jump in steps:
        host.at += wait
        clock.jump(jump)
        assert clock.now() >= before
        before = clock.now()
