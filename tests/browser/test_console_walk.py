"""A1 to A4 and A7 for every page of the console, each opened as a role that may, in both languages, on a desk's screen.

Which pages there are is read from the routes, who may open them from the policy. `ANJU_GALLERY=folder` keeps pictures.
"""

from __future__ import annotations

import os
import re
from collections import defaultdict
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest
from axe_playwright_python.sync_playwright import Axe

from backend.domain.officers import ROLES
from tests.browser.console_stage import Desk, Office, office
from tests.browser.keyboard import NOTE, find_troubles
from tests.browser.walker import AUDIT, AXE, CHINESE
from tests.console.test_route_matrix import CELLS, arguments_of, is_entitled, make_things, purposes_of, rule_of

__all__ = ["office"]

pytestmark = pytest.mark.browser
LANGUAGES = ("zh", "en")
# What the stage itself has put in: names of people and offices, and an address, which no page translates.
DATA = re.compile(
    "测试|太湖派出所|所长|三 ·|周来福|沈安一|周\\*+|陈塘村|陈塘路1号|10[12]室|安徽省|（2026）浙0522执123号"
)
TWICE_AS_LARGE = {"width": 683, "height": 384}
# Addresses whose answer is no page of its own: files, parts of pages, and what leads elsewhere.
NO_PAGES = {"static", "shared.asset", "front.health", "front.start", "field.worker", "field.manifest"}


Sitting = tuple[str, str | None]


def find_pages(office: Office) -> dict[Sitting, dict[str, str]]:
    """(role, purpose) → the endpoints with their paths that such a sitting opens; each page once."""
    things, arguments = office.make(make_things), arguments_of(office.console)
    found: dict[Sitting, dict[str, str]] = defaultdict(dict)
    for endpoint, method in CELLS:
        if method != "GET" or endpoint in NO_PAGES:
            continue
        rule = rule_of((endpoint, method))
        role = next(role for role in ROLES if is_entitled(role, rule))
        named = {**things, "reference": things[f"case of {role}"]}
        path = arguments[endpoint][0].format(**named)
        for purpose in purposes_of(role) or (None,):
            answer = _ask(office, role, purpose, path)
            if answer.status_code == 200 and answer.mimetype == "text/html" and "<html" in answer.text:
                found[role, purpose][endpoint] = path
                break
    return found


def _ask(office: Office, role: str, purpose: str | None, path: str) -> Any:
    client = office.console.test_client()
    cookie = office.sign_in_once(role, purpose)
    client.set_cookie(cookie["name"], cookie["value"], domain="localhost")
    with office.console.app_context():
        return client.get(path)


@pytest.mark.parametrize("turn", [0, pytest.param(1, marks=pytest.mark.release)])
def test_a1_to_a4_and_a7_every_page_of_the_console(chromium: Any, office: Office, turn: int) -> None:
    sittings = find_pages(office)
    assert sum(map(len, sittings.values())) > 25, sittings
    troubles: dict[str, list[str]] = defaultdict(list)
    for language in LANGUAGES:
        for (role, purpose), pages in sittings.items():
            # a browser of its own for each: what a page still asks for renews the cookie of whoever opened it
            desk = Desk(chromium, office, f"walk-{role}-{purpose}-{language}", language)
            desk.context.add_init_script(NOTE)
            desk.context.add_cookies([office.sign_in_once(role, purpose)])
            for endpoint, path in pages.items():
                if LANGUAGES[(crc32(endpoint.encode()) + turn) % 2] == language:
                    answer = desk.page.goto(path)
                    if answer is None or answer.status != 200:
                        troubles["A2"].append(f"{endpoint} {language}: {answer and answer.status}")
                    _judge(desk, f"{endpoint} {language}", language, troubles)
            desk.context.close()
    said = [f"{line} {trouble}" for line, found in troubles.items() for trouble in found]
    assert not said, "\n".join(said)


def _judge(desk: Desk, label: str, language: str, troubles: dict[str, list[str]]) -> None:
    troubles["A7"] += [f"{label}: {each}" for each in find_troubles(desk.page)]
    said = desk.page.evaluate(AUDIT, [False, language])
    troubles["A2"] += [f"{label}: {each}" for each in desk.complaints.take()]
    troubles["A3"] += [f"{label}: too small: {each}" for each in said["small"]]
    if said["heads"] != 1 or said["ids"]:
        troubles["A1"].append(f"{label}: {said['heads']} h1, {said['ids']} ids twice")
    if language == "en":
        troubles["A4"] += [f"{label}: not English: {each[:80]}" for each in said["words"]
                            if CHINESE.search(DATA.sub("", each))]  # fmt: skip
    found = Axe().run(desk.page, options=AXE).response["violations"]
    troubles["A1"] += [f"{label}: {one['id']}: {[node['html'][:100] for node in one['nodes'][:3]]}" for one in found]
    if folder := os.environ.get("ANJU_GALLERY"):
        place = Path(folder) / "console"
        place.mkdir(parents=True, exist_ok=True)
        desk.page.screenshot(path=place / f"{label.replace(' ', '-')}.png", full_page=True)
    for size in (None, TWICE_AS_LARGE):
        if size is not None:
            desk.page.set_viewport_size(size)
        wide = desk.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        if wide > 0:
            troubles["A3"].append(f"{label}: scrolls sideways by {wide} px {'at 200 %' if size else ''}")
    desk.page.set_viewport_size({"width": 1366, "height": 768})
