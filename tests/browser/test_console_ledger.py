"""C1, C3 and C10 in a browser: the ledger board by mouse and by keys, what opening a unit leaves behind, the map."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import expect

from backend.db import transaction
from backend.models.registrations import Registration
from backend.services.audit_sealing import seal_leaves
from backend.services.sign_ins import open_session
from tests.browser.conftest import Phone
from tests.browser.console_stage import Desk, Office, desks, office
from tests.browser.cookies import session_cookie
from tests.services import stories
from tests.services.villages import VILLAGE, make_village

__all__ = ["desks", "office"]

pytestmark = pytest.mark.browser
Desks = Callable[..., Desk]
ROWS = "[data-row]"


def press(desk: Desk, *keys: str) -> None:
    for key in keys:
        desk.page.keyboard.press(key)


def is_said(desk: Desk, words: str) -> None:
    """Wait until the live region says this."""
    desk.page.locator("[data-announce]").filter(has_text=words).wait_for(state="attached")


def renew(desk: Desk) -> None:
    """Let the page's own clock run to the next time it asks."""
    desk.page.clock.run_for(16_000)


def test_c1_the_board_goes_from_village_to_building_to_unit_by_mouse(office: Office, desks: Desks) -> None:
    office.make(stories.make_active)
    office.make(make_village, 12, 9)
    desk = desks("board")
    desk.come_as("officer")
    desk.page.goto("/ledger")
    desk.sees("入册率")
    assert desk.page.locator(ROWS).all_inner_texts() == ["陈塘村", "样本村"]
    desk.require_accessible()
    desk.page.locator(ROWS, has_text="样本村").click()
    desk.sees("12 栋房屋")
    assert VILLAGE in desk.page.url and desk.page.locator("[data-unit]").count() == 0
    desk.page.locator(ROWS, has_text="样本1路3号").click()
    is_said(desk, "样本村样本1路3号 9 个单元")
    assert desk.page.locator("[data-unit]").count() == 9
    for word in ("已登记", "无在住登记", "逾期未登记", "可住 2 人", "状态截至"):
        desk.sees(word)
    desk.require_accessible()
    desk.look("board-opened")
    desk.page.go_back()
    desk.sees("选一栋房屋")
    desk.page.go_back()
    desk.page.locator(ROWS, has_text="陈塘村").wait_for()


def test_c1_the_board_is_walked_by_keys_alone_and_keeps_the_focus(office: Office, desks: Desks) -> None:
    office.make(stories.make_active)
    office.make(make_village, 12, 4)
    desk = desks("keys", "en")
    desk.come_as("officer")
    desk.page.goto("/ledger")
    press(desk, "ArrowDown", "ArrowDown")
    assert desk.focused == "样本村"
    press(desk, "Enter")
    desk.sees("Dwellings: 12")
    desk.wait_until("document.activeElement.textContent.includes('样本1路1号')")
    press(desk, "ArrowDown", "ArrowDown", "Enter")
    is_said(desk, "样本村样本1路3号 Units: 4")
    assert desk.focused == "样本村样本1路3号"
    press(desk, "ArrowRight", "ArrowDown")
    assert desk.focused.startswith("102室")
    press(desk, "ArrowLeft")
    assert desk.focused == "样本村样本1路3号"
    press(desk, "End")
    assert desk.focused == "样本村样本1路12号"
    press(desk, "/")
    desk.page.keyboard.type("11号")
    press(desk, "Enter")
    is_said(desk, "Dwellings: 1")
    assert desk.page.locator(ROWS).all_inner_texts() == ["样本村样本1路11号"]
    assert desk.page.evaluate("document.activeElement.name") == "text", "typing goes on where it was"
    press(desk, "Escape")
    assert desk.focused == "样本村样本1路11号"
    desk.require_accessible()


def test_c1_the_board_renews_itself_without_losing_focus_or_what_is_typed(office: Office, desks: Desks) -> None:
    story = office.make(stories.make_active)
    office.make(make_village, 3, 2)
    desk = desks("live")
    desk.come_as("officer")
    desk.page.clock.install()
    desk.page.goto(f"/ledger?division=330522003900&dwelling={story.dwelling_id}")
    desk.page.locator('[name="text"]').fill("半句话")
    desk.page.locator("[data-unit]").first.focus()
    statuses: list[int] = []
    desk.page.on("response", lambda answer: "/ledger?" in answer.url and statuses.append(answer.status))
    with desk.page.expect_response("**/ledger?*"):
        renew(desk)
    with desk.page.expect_response("**/ledger?*"):
        renew(desk)
    assert statuses[-1] == 304, "nothing has changed"

    def dispute(_world: Any) -> None:
        office.world.clock.move(timedelta(minutes=1))
        with transaction() as session:
            registration = session.get_one(Registration, story.registration_id)
            registration.disputed, registration.updated_at = True, office.world.clock.now()

    office.make(dispute)
    with desk.page.expect_response("**/ledger?*"):
        renew(desk)
    desk.page.locator("[data-unit]", has_text="有争议").wait_for()
    is_said(desk, "台账已更新")
    assert desk.focused.startswith("101室") and desk.page.locator('[name="text"]').input_value() == "半句话"
    assert desk.page.locator("[data-as-of]").inner_text() == "2026-11-23 10:01:00"
    assert desk.page.locator('[data-go="tile-disputed"] b').inner_text() == "1"


def test_c1_a_server_that_is_away_is_said_and_the_time_stands_still(office: Office, desks: Desks) -> None:
    office.make(make_village, 3, 2)
    desk = desks("away")
    desk.come_as("officer")
    desk.page.clock.install()
    desk.page.goto("/ledger")
    desk.page.route("**/ledger*", lambda route: route.abort())
    renew(desk)
    desk.sees("连不上服务器")
    desk.page.unroute("**/ledger*")
    renew(desk)
    desk.page.locator("[data-stale]").wait_for(state="hidden")
    desk.complaints.allow_no_network()


def test_c1_the_board_serves_without_a_script_too(office: Office, desks: Desks, chromium: Any) -> None:
    office.make(stories.make_active)
    office.make(make_village, 3, 9)
    desk = desks("plain")
    cookie = office.sign_in("officer")
    context = chromium.new_context(java_script_enabled=False, locale="zh-CN", base_url=office.console_base)
    context.add_cookies([cookie])
    page = context.new_page()
    page.goto("/ledger")
    page.get_by_role("link", name="样本村").click()
    page.get_by_role("link", name="样本村样本1路2号").click()
    expect(page.locator("[data-unit]")).to_have_count(9)
    page.locator('select[name="state"]').select_option("overdue")
    page.get_by_role("button", name="筛选").click()
    expect(page.locator(ROWS)).to_have_count(3)
    context.close()
    desk.complaints.require_none()


def test_c3_opening_a_unit_needs_a_purpose_and_shows_on_the_tenants_own_page(
    office: Office, desks: Desks, chromium: Any
) -> None:
    story = office.make(stories.make_active)
    desk = desks("open")
    desk.come_as("officer")
    desk.page.goto(f"/ledger?dwelling={story.dwelling_id}")
    desk.page.locator("[data-unit]", has_text="101室").click()
    desk.sees("选择用途")
    assert "周来福" not in desk.page.content()
    desk.complaints.allow(403)
    desk.page.locator('[name="purpose"][value="address_check"]').check()
    desk.page.locator("main form button").first.click()
    desk.sees("周来福")
    content = desk.page.content()
    assert stories.TENANT_NUMBER not in content and "HK-15" in content
    desk.require_accessible()
    desk.look("unit")
    office.make(seal_leaves)
    phone = Phone(chromium, office.mobile_base, "tenant")
    phone.context.add_cookies([resident_cookie(office, story)])
    phone.page.goto("/me/access")
    phone.sees("查看单元的在住登记")
    phone.sees("地址核查")
    phone.sees("太湖派出所")
    phone.complaints.require_none()
    phone.context.close()


def resident_cookie(office: Office, story: stories.Story) -> dict[str, str]:
    """The tenant's cookie on the phone."""

    def signed(world: Any) -> Any:
        with transaction() as session:
            return open_session(world, session, story.tenant, "page", "test")

    made = office.make(signed)
    return session_cookie(office.mobile, office.mobile_base, made.session_id, made.secret)


def test_c10_a_map_of_five_hundred_buildings_is_drawn_and_goes_with_its_list(office: Office, desks: Desks) -> None:
    office.make(make_village, 500, 4)
    desk = desks("map")
    desk.come_as("officer")
    desk.page.goto("/ledger")
    begun = time.perf_counter()
    desk.page.goto(f"/ledger/map?division={VILLAGE}")
    desk.page.locator('[data-map-page][data-drawn="500"]').wait_for()
    print(f"500 buildings with outlines: {time.perf_counter() - begun:.2f} s from the click to the last mark")
    assert desk.page.locator(".map-mark").count() == desk.page.locator("path.outline").count() == 500
    assert desk.page.locator(ROWS).count() == 500
    shapes = desk.page.evaluate(SHAPES_BY_STATE)
    assert set(shapes) == {"registered", "overdue", "not_enrolled"} and len(set(shapes.values())) == 3
    row = desk.page.locator(ROWS, has_text="样本2路8号")
    row.click()
    is_said(desk, "样本村样本2路8号 4 个单元")
    assert chosen_mark(desk).startswith("样本村样本2路8号") and row.get_attribute("aria-current") == "true"
    desk.page.locator('.map-mark[title^="样本村样本3路5号"] .mark').click()
    is_said(desk, "样本村样本3路5号 4 个单元")
    assert chosen_mark(desk).startswith("样本村样本3路5号")
    assert "样本村样本3路5号" in desk.page.locator('[data-row][aria-current="true"]').inner_text()
    desk.require_accessible()
    desk.look("map")


SHAPES_BY_STATE = """() => Object.fromEntries([...document.querySelectorAll('[data-row]')].map((row) =>
  [row.querySelector('[data-mark-of]').dataset.markOf, row.querySelector('path').getAttribute('d')]))"""


def chosen_mark(desk: Desk) -> str:
    return desk.page.locator(".map-mark.is-chosen").get_attribute("title") or ""


def test_c10_the_list_beside_the_map_is_the_way_by_keyboard_and_both_renew_themselves(
    office: Office, desks: Desks
) -> None:
    homes = office.make(make_village, 12, 4)
    desk = desks("map-keys", "en")
    desk.come_as("supervisor")
    desk.page.clock.install()
    desk.page.goto("/ledger/map")
    desk.page.locator('[data-drawn="12"]').wait_for(state="attached")
    press(desk, "ArrowDown", "ArrowDown", "Enter")
    is_said(desk, "样本村样本1路2号 Units: 4")
    assert chosen_mark(desk).startswith("样本村样本1路2号") and "Datum CGCS2000" in desk.page.content()
    press(desk, "ArrowRight")
    assert desk.focused.startswith("101室")
    desk.require_accessible()
    desk.look("map-en")

    def dispute(_world: Any) -> None:
        with transaction() as session:
            for row in session.query(Registration).all():
                row.disputed = True

    office.make(dispute)
    renew(desk)
    desk.page.locator(f'[data-id="{homes[0]}"] [data-word]', has_text="Disputed").wait_for()
    desk.page.locator('.map-mark[title*="样本1路1号 · Disputed"]').wait_for()
