"""The loops: steps at their pace, one failing step stops nothing, a hanging loop shows."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask

from backend.worker.loops import SILENT_TOO_LONG_SECONDS, Loop, Step


class Ear:
    """A listener that ends the loop when it is asked to wait."""

    def __init__(self) -> None:
        self.on_wait: Callable[[], None] = lambda: None
        self.is_closed = False

    def wait(self, seconds: float) -> bool:
        """Nothing came."""
        self.on_wait()
        return False

    def close(self) -> None:
        """Closed."""
        self.is_closed = True


class Hands:
    """A clock moved by hand."""

    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


def test_a_step_runs_at_its_pace() -> None:
    clock, done = Hands(), []
    loop = Loop("test", Flask("test"), Ear(), [Step("slow", 10, lambda: done.append(1))], monotonic=clock)
    for seconds in (0, 9, 1, 5, 5):
        clock.at += seconds
        loop.run_once()
    assert len(done) == 3


def test_work_that_may_have_left_more_is_done_again_at_once() -> None:
    left = [3, 2, 0]
    loop = Loop("test", Flask("test"), Ear(), [Step("drain", 0, lambda: left.pop(0), wakes_again=True)])
    assert [loop.run_once() for _ in range(3)] == [True, True, False]


def test_a_failing_step_stops_neither_the_others_nor_the_next_time(
    capsys: pytest.CaptureFixture[str], product_log: Callable[..., None]
) -> None:
    product_log("worker")
    done = []

    def fail() -> None:
        done.append("failed")
        raise ValueError("号码 330522199001010001")

    loop = Loop("test", Flask("test"), Ear(), [Step("bad", 0, fail), Step("good", 0, lambda: done.append("good"))])
    loop.run_once()
    loop.run_once()
    assert done == ["failed", "good"] * 2
    said = "".join(capsys.readouterr())
    assert "ValueError" in said
    assert "330522199001010001" not in said


def test_a_loop_ends_when_told_and_says_when_it_is_not_well() -> None:
    clock, ear = Hands(), Ear()
    loop = Loop("test", Flask("test"), ear, [], monotonic=clock)
    assert loop.fault() == "the test loop has ended"
    loop.start()
    assert loop.fault() is None
    loop.stop()
    assert ear.is_closed
    assert loop.fault() == "the test loop has ended"


def test_a_loop_that_hangs_in_a_step_shows() -> None:
    clock, reached, release = Hands(), [], []

    def hang() -> None:
        clock.at += SILENT_TOO_LONG_SECONDS + 1
        reached.append(loop.fault())
        release.append(True)

    loop = Loop("test", Flask("test"), Ear(), [Step("hang", 1e9, hang)], monotonic=clock)
    loop.start()
    loop.stop()
    assert reached in ([], ["the test loop hangs"])
