"""Search, statistics, headcount and prints at the console in a real browser: C2, C9 and C13; the public page at 390."""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from backend.config import Settings
from backend.db import db
from backend.services.disclosures import open_unit
from mobile_api.app import create_mobile_app
from tests.browser.conftest import Phone
from tests.browser.key_stage import Server
from tests.browser.test_console_staff import Desk, Screen, desk, screens  # noqa: F401 - fixtures
from tests.browser.walker import AXE
from tests.services import staff, stories
from tests.services.test_statistics import births, settle

pytestmark = pytest.mark.browser


def come(screens: Callable[[], Screen], purpose: str | None, path: str) -> Screen:  # noqa: F811
    """An officer who has signed in, chosen a purpose and gone to a page."""
    screen = screens()
    screen.go("/task" if purpose else path)
    screen.sign_in("wang")
    if purpose:
        screen.choose(purpose)
        screen.go(path)
    return screen


def search(screen: Screen, by: str, text: str) -> None:
    """Fill the form and send it."""
    screen.page.locator(f'[name="by"][value="{by}"]').check()
    screen.fill(text=text)
    screen.press("查找")
    screen.page.locator("#results-title").wait_for(state="attached")


def test_c2_search_asks_for_a_purpose_then_shows_masked_pages_each_recorded(
    screens: Callable[[], Screen], desk: Desk  # noqa: F811
) -> None:  # fmt: skip
    desk.run(settle, desk.unit, births(1980, 24))
    screen = come(screens, None, "/search")
    screen.sees("请先选择用途")
    assert screen.page.locator('[name="text"]').count() == 0
    screen.choose("help_request")
    screen.go("/search")
    screen.look("search")
    search(screen, "number", stories.TENANT_NUMBER)
    rows = screen.page.locator("tbody tr")
    assert rows.count() == 1 and "周**" in rows.inner_text()
    assert stories.TENANT_NUMBER not in screen.page.content() and "周来福" not in screen.page.content()
    screen.look("search-number")
    search(screen, "name", "吴友")
    assert (rows.count(), len(desk.leaves("person_found"))) == (20, 21)
    screen.look("search-name")
    screen.press("下一页（每页 20 条）")
    screen.sees("已是最后一页")
    assert (rows.count(), len(desk.leaves("person_found"))) == (4, 25)
    search(screen, "address", "陈塘路1号101室")
    assert rows.count() == 20
    screen.page.locator('[name="by"][value="name"]').check()
    screen.fill(text="吴%")
    screen.press("查找")
    screen.sees("请输入完整的姓名。")
    screen.look("search-refused")
    assert {leaf.purpose for leaf in desk.leaves("person_found")} == {"help_request"}


def test_c2_the_full_number_is_a_second_act_with_a_leaf_of_its_own(
    screens: Callable[[], Screen], desk: Desk  # noqa: F811
) -> None:  # fmt: skip
    screen = come(screens, "help_request", "/search")
    search(screen, "name", "周来福")
    screen.page.locator("tbody a").first.click()
    screen.page.get_by_role("link", name=re.compile("完整号码")).first.click()
    assert not desk.leaves("number_shown")
    screen.fill(password="correct horse battery")
    screen.page.locator("#content form button").last.click()
    screen.page.get_by_text(stories.TENANT_NUMBER).first.wait_for()
    assert len(desk.leaves("number_shown")) == 1


def test_c9_each_chart_has_its_table_and_its_file_with_the_same_numbers(
    screens: Callable[[], Screen], desk: Desk  # noqa: F811
) -> None:  # fmt: skip
    desk.run(settle, desk.unit, births(1980, 12), hukou="341822")
    desk.run(settle, desk.unit, births(1985, 7), hukou="411522")
    desk.run(settle, desk.unit, births(1990, 3), hukou="522401")
    screen = come(screens, None, "/statistics")
    screen.look("statistics")
    for key in ("states", "timeliness", "methods", "reviews", "provinces", "ages"):
        card = screen.page.locator(f'section[aria-labelledby="sheet-{key}"]')
        assert card.locator("svg.chart").count() == 1 and card.locator("table").count() == 1, key
    card = screen.page.locator('section[aria-labelledby="sheet-provinces"]')
    shown = [row.split("\t") for row in card.locator("table").inner_text().splitlines()][1:]
    with screen.page.expect_download() as waiting:
        card.get_by_role("link").click()
    with open(waiting.value.path(), encoding="utf-8-sig", newline="") as file:
        filed = list(csv.reader(io.StringIO(file.read())))
    assert filed == [[cell.strip() for cell in row] for row in shown]
    assert filed[1:] == [["安徽省", "13"], ["河南省", "*"], ["贵州省", "*"], ["合计", "23"]]
    assert "吴友" not in screen.page.content()
    screen.go("/ledger")
    screen.page.context.add_cookies([{"name": "anju-lang", "value": "en", "url": desk.base}])
    screen.go("/statistics")
    screen.sees("Moved in and out by month")
    screen.look("statistics-en")


def test_a_buildings_headcount_is_one_tap_from_its_page_and_prints_without_names(
    screens: Callable[[], Screen], desk: Desk  # noqa: F811
) -> None:  # fmt: skip
    screen = come(screens, None, "/ledger")
    screen.page.get_by_role("link", name="陈塘村陈塘路1号").click()
    screen.press("紧急清点人数")
    screen.sees("登记在住")
    cells = screen.page.locator("tbody tr").first.inner_text().split("\t")
    assert [cell.strip() for cell in cells][:2] == ["101室", "1"]
    assert "周来福" not in screen.page.content()
    screen.look("headcount")
    [leaf] = desk.leaves("building_counted")
    assert (leaf.purpose, leaf.subject_id) == ("emergency", None)
    mark = printed_mark(screen)
    assert desk.staff["wang"].badge in mark and "紧急情况" in mark


def printed_mark(screen: Screen) -> str:
    """The watermark as the printer sees it; it must be visible there."""
    screen.page.emulate_media(media="print")
    mark = screen.page.locator(".watermark")
    assert mark.is_visible()
    words = mark.inner_text()
    screen.page.emulate_media(media="screen")
    return str(words)


def test_c13_what_is_printed_bears_who_when_and_why_and_no_page_offers_persons_as_a_file(
    screens: Callable[[], Screen], desk: Desk  # noqa: F811
) -> None:  # fmt: skip
    screen = come(screens, "visit", f"/units/{desk.unit}")
    mark = printed_mark(screen)
    assert desk.staff["wang"].badge in mark and "上门走访" in mark and "10:00" in mark
    assert not screen.page.locator(".watermark").is_visible()
    files = "a[download], a[href*='.csv'], a[href*='.json'], a[href*='.xls']"
    for path in (f"/units/{desk.unit}", "/ledger", "/cases", "/deadlines"):
        screen.go(path)
        assert screen.page.locator(files).count() == 0, path


@pytest.mark.parametrize("width", [390, 320])
def test_the_public_page_is_read_on_a_phone_by_anybody_in_both_languages(
    chromium: Any, desk: Desk, tmp_path: Path, width: int  # noqa: F811
) -> None:  # fmt: skip
    desk.run(settle, desk.unit, births(1980, 12))
    session_id = desk.run(staff.make_session, "grid_worker", purpose="visit")
    desk.run(open_unit, session_id=session_id, unit_id=desk.unit)
    desk.world.clock.move(timedelta(days=10))
    settings = Settings.from_environment(
        {"ANJU_DEMO": "1", "ANJU_VAR": str(tmp_path / "var"), "ANJU_DATABASE_URL": f"sqlite:///{tmp_path / 'anju.db'}",
         "ANJU_COOKIE_SECURE": "0"}
    )  # fmt: skip
    app = create_mobile_app(settings, desk.world)
    server = Server(app)
    phone = Phone(chromium, server.base, f"public-{width}", width)
    try:
        phone.page.goto(f"{server.base}/")
        phone.page.get_by_role("link", name="公开数据").click()
        phone.page.get_by_role("heading", name="公开数据").wait_for()
        look(phone, "zh")
        phone.page.get_by_role("link", name="English").click()
        phone.page.get_by_role("heading", name="How often staff looked at persons").wait_for()
        look(phone, "en")
        phone.complaints.require_none()
    finally:
        phone.context.close()
        server.stop()
        with app.app_context():
            db.engine.dispose()


def look(phone: Phone, name: str) -> None:
    """Nothing hangs over the edge, accessibility finds nothing; a picture when one is kept."""
    phone.page.wait_for_load_state()
    if "ANJU_GALLERY" in os.environ:
        phone.page.screenshot(path=f"{os.environ['ANJU_GALLERY']}/{phone.name}-{name}.png", full_page=True)
    wide = phone.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, f"{name} scrolls sideways by {wide} px"
    found = Axe().run(phone.page, options=AXE).response["violations"]
    assert not found, [(each["id"], [node["html"][:120] for node in each["nodes"]]) for each in found]
