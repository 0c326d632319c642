"""Every page of the phones, walked in four modes: A1 to A4. One mode a page on every day, the others at a release."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.walk_pages import NO_PAGES, VISITS
from tests.browser.walk_stage import Stage
from tests.browser.walker import Walk, Walker

pytestmark = pytest.mark.browser
TURNS = [0, *(pytest.param(turn, marks=pytest.mark.release) for turn in (1, 2, 3))]


@pytest.fixture(scope="session")
def walked(chromium: Any, stage: Stage) -> Callable[[int], Walk]:
    """The walk of a turn; asked again it is the same one."""
    walker, done = Walker(chromium, stage.app, stage.base, stage.cast), dict[int, Walk]()

    def walk(turn: int) -> Walk:
        if turn not in done:
            done[turn] = walker.walk(VISITS, turn)
        return done[turn]

    return walk


def told(troubles: list[str]) -> str:
    return "\n" + "\n".join(troubles)


def test_the_walker_knows_every_page(stage: Stage) -> None:
    rules = [rule for rule in stage.app.url_map.iter_rules() if not rule.rule.startswith("/api/")]
    pages = {rule.endpoint for rule in rules if "GET" in (rule.methods or ())}
    known = {visit.endpoint for visit in VISITS} - {"error"}
    assert pages - known - set(NO_PAGES) == set(), "a page without a row in walk_pages.py"
    names = [visit.name for visit in VISITS]
    assert len(set(names)) == len(names)
    assert set(NO_PAGES) - pages == set(), "a row of NO_PAGES without its address"


@pytest.mark.parametrize("turn", TURNS)
def test_a1_axe_finds_nothing_on_any_page(walked: Callable[[int], Walk], turn: int) -> None:
    troubles = walked(turn).troubles["A1"]
    assert not troubles, told(troubles)


@pytest.mark.parametrize("turn", TURNS)
def test_a2_no_page_makes_the_browser_complain_or_asks_a_foreign_host(walked: Callable[[int], Walk], turn: int) -> None:
    troubles = walked(turn).troubles["A2"]
    assert not troubles, told(troubles)


@pytest.mark.parametrize("turn", TURNS)
def test_a3_controls_are_large_and_nothing_hangs_over(walked: Callable[[int], Walk], turn: int) -> None:
    troubles = walked(turn).troubles["A3"]
    assert not troubles, told(troubles)


@pytest.mark.parametrize("turn", TURNS)
def test_a4_nothing_is_left_untranslated(walked: Callable[[int], Walk], turn: int) -> None:
    troubles = walked(turn).troubles["A4"]
    assert not troubles, told(troubles)
