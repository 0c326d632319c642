"""Numbers on pages: for areas on offer alone, and nothing withheld that the others give away."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from flask.testing import FlaskClient

from backend.console import figures
from backend.queries.identity_figures import IdentityFigures
from tests.services import staff, stories

HERE = {"base_url": "https://localhost"}


@pytest.mark.parametrize(
    "division", ["3305220039", "33052200390", "330522003", "330522003999", "330522003²", "330522003x"]
)
def test_a_part_of_an_area_that_is_not_on_offer_has_no_sheet(
    make: Callable[..., Any], browser: Callable[..., FlaskClient], division: str
) -> None:
    make(stories.make_active)
    client = browser("officer")
    for page in ("/statistics", "/statistics/ages.csv"):
        assert client.get(page, query_string={"division": division}, **HERE).status_code == 404
    assert client.get(f"/statistics?division={staff.STREET}900", **HERE).status_code == 200
    assert client.get("/statistics?division=330522001900", **HERE).status_code == 403


@pytest.mark.parametrize(
    ("counts", "shown"),
    [
        ((30, 12, 9, {"face": 9, "window": 3}), ("30", "*", "*", "9", "9")),
        ((12, 9, 3, {"face": 9, "window": 0}), ("*", "9", "0", "*", "0")),
    ],
)
def test_the_figures_of_the_identity_step_do_not_subtract_back(
    browser: Callable[..., FlaskClient], monkeypatch: pytest.MonkeyPatch, counts: Any, shown: tuple[str, ...]
) -> None:
    began, unaided, helped, by_way = counts
    made = IdentityFigures(30, began, unaided, helped, by_way, 0, None, 0, 0)
    monkeypatch.setattr(figures, "get_identity_figures", lambda *_: made)
    page = browser("supervisor").get("/figures", **HERE).get_data(as_text=True)
    cells = re.findall(r'<td class="number">(.*?)</td>', page)
    assert tuple(unescape(re.sub(r"<.*?>", "", cell)) for cell in cells) == shown
