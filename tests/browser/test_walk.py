"""Every page of the phones, walked in four modes: A1 to A4. One mode a page on every day, the others at a release."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.cast import Cast
from tests.browser.key_stage import Server
from tests.browser.walk_pages import NO_PAGES, VISITS
from tests.browser.walker import Walk, Walker

pytestmark = pytest.mark.browser
TURNS = [0, *(pytest.param(turn, marks=pytest.mark.release) for turn in (1, 2, 3))]


@pytest.fixture(scope="session")
def stage(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, str, Cast]]:
    """The mobile app on a port, with the whole cast in its database: app, address, cast."""
    from backend.config import Settings
    from backend.db import db
    from backend.gateways.clock import FixedClock
    from mobile_api.app import create_mobile_app
    from tests.conftest import NOW
    from tests.worlds import make_fake_world

    folder = tmp_path_factory.mktemp("walk")
    shutil.copyfile(migrated_sqlite, folder / "anju.db")
    settings = Settings.from_environment(
        {"ANJU_DEMO": "1", "ANJU_VAR": str(folder), "ANJU_DATABASE_URL": f"sqlite:///{folder / 'anju.db'}"}
    )
    world = make_fake_world(settings, FixedClock(NOW))
    app = create_mobile_app(settings, world)
    with app.app_context():
        cast = Cast(world)
        db.session.remove()
    server = Server(app)
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    yield app, server.base, cast
    server.stop()
    logging.getLogger("werkzeug").setLevel(logging.NOTSET)
    with app.app_context():
        db.engine.dispose()


@pytest.fixture(scope="session")
def walked(chromium: Any, stage: tuple[Any, str, Cast]) -> Callable[[int], Walk]:
    """The walk of a turn; asked again it is the same one."""
    app, base, cast = stage
    walker, done = Walker(chromium, app, base, cast), dict[int, Walk]()

    def walk(turn: int) -> Walk:
        if turn not in done:
            done[turn] = walker.walk(VISITS, turn)
        return done[turn]

    return walk


def told(troubles: list[str]) -> str:
    return "\n" + "\n".join(troubles)


def test_the_walker_knows_every_page(stage: tuple[Any, str, Cast]) -> None:
    app, _base, _cast = stage
    pages = {rule.endpoint for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ())}
    pages = {page for page in pages if not page.startswith(("api", "docs"))}
    known = {visit.endpoint for visit in VISITS} - {"error"}
    assert not pages - known - set(NO_PAGES), "a page without a row in walk_pages.py"
    names = [visit.name for visit in VISITS]
    assert len(set(names)) == len(names)
    assert not set(NO_PAGES) - pages


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
