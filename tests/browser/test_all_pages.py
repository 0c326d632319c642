"""A4 to A7 by hand: the language switch, faults of a form, the sign-in, everything by keyboard and said aloud."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import expect

from backend.gateways.clock import FixedClock
from tests.browser.conftest import Phone
from tests.browser.key_stage import Holder, Server, server
from tests.browser.walk_stage import Stage
from tests.browser.walker import Walker
from tests.mobile_api.conftest import mobile

__all__ = ["mobile", "server"]

pytestmark = pytest.mark.browser
on_sqlite = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
NUMBER = "19900008123"
# Where the keyboard is, and whether one can see it there.
FOCUSED = """() => { const at = document.activeElement; const shown = getComputedStyle(at.closest('.choice') ?? at);
  return [at.tagName === 'BODY' ? '' : (at.dataset.spot ?? '?'),
          shown.outlineStyle !== 'none' || shown.boxShadow !== 'none']; }"""
# Numbers everything that can be used; of the radios of one name only one is on the keyboard's way.
SPOTS = """() => { const names = new Set(); let n = 0;
  for (const each of document.querySelectorAll('a[href], button, input, select, textarea, summary')) {
    if (!each.checkVisibility() || each.disabled || each.type === 'hidden' || each.tabIndex < 0) continue;
    if (each.type === 'radio') { each.dataset.spot = each.name; if (names.has(each.name)) continue;
                                 names.add(each.name); n += 1; continue; }
    each.dataset.spot = String(n); n += 1; }
  return [...new Set([...document.querySelectorAll('[data-spot]')].map((each) => each.dataset.spot))]; }"""


@pytest.fixture
def signed_in(chromium: Any, stage: Stage) -> Iterator[Any]:
    """Browsers of members of the cast, by name."""
    made: list[Phone] = []

    def hand_out(name: str) -> Phone:
        phone = Phone(chromium, stage.base, name)
        phone.context.add_cookies([Walker(chromium, stage.app, stage.base, stage.cast).cookie(stage.cast[name])])
        made.append(phone)
        return phone

    yield hand_out
    for phone in made:
        phone.context.close()


@pytest.fixture
def holder(chromium: Any, mobile: Any, server: Server, world: Any) -> Iterator[Holder]:
    """A browser of somebody who has never been here, on a server whose clock the test moves."""
    phone = Holder(chromium, server.base, mobile, world)
    yield phone
    phone.context.close()


@on_sqlite
def test_a4_the_language_switch_keeps_the_page_and_survives_the_sign_in(holder: Holder) -> None:
    page = holder.page
    page.goto("/sign-in?next=/me/consents")
    page.get_by_role("button", name="English").click()
    page.get_by_role("heading", name="Sign in").wait_for()
    assert page.url.endswith("/sign-in?next=/me/consents")
    holder.fill(phone=NUMBER)
    page.locator("main button[type=submit]").first.click()
    page.wait_for_url("**/sign-in/code")
    holder.fill(code=holder.code(NUMBER))
    page.locator("main button[type=submit]").first.click()
    page.wait_for_url("**/me/consents")
    assert page.locator("html").get_attribute("lang") == "en"
    page.get_by_role("button", name="中文").click()
    page.locator("html[lang=zh-CN]").wait_for(state="attached")
    assert page.url.endswith("/me/consents")


def test_a5_faults_are_said_on_top_and_at_the_field_and_twice_is_once(signed_in: Any, stage: Stage) -> None:
    phone = signed_in("many")
    page, dwelling = phone.page, stage.cast["few"].dwelling
    page.goto(f"/l/dwellings/{dwelling}/add")
    phone.fill(label="阁楼边的小屋", capacity="2")
    page.locator("main form[method=post] button[type=submit]").first.click()
    summary = page.locator(".summary")
    expect(summary).to_be_focused()  # by the page's module
    assert page.locator("[name=label]").input_value() == "阁楼边的小屋", "what was typed is kept"
    faults = page.locator(".fault").all_inner_texts()
    said = summary.inner_text()
    assert len(faults) >= 3 and all(fault.strip() in said for fault in faults)
    link = summary.locator("a[href='#usable_area_m2']")
    link.click()
    expect(page.locator("[name=usable_area_m2]")).to_be_focused()
    described = page.locator("#usable_area_m2").get_attribute("aria-describedby") or ""
    assert "usable_area_m2-fault" in described.split()

    phone.fill(usable_area_m2="14", space_kind="bedroom", right_kind="owner", evidence="不动产权证书")
    page.locator("main form[method=post] button[type=submit]").first.dblclick()
    page.wait_for_url("**/l/units/**")
    page.goto(f"/l/dwellings/{dwelling}")
    assert page.locator("main").inner_text().count("阁楼边的小屋") == 1


@on_sqlite
def test_a6_a_code_has_its_time_its_tries_and_its_end(holder: Holder, clock: FixedClock, world: Any) -> None:
    page = holder.page
    page.goto("/sign-in?next=/me/")
    holder.fill(phone=NUMBER)
    holder.tap("获取验证码")
    page.wait_for_url("**/sign-in/code")
    again = page.locator("[data-countdown]")
    assert again.is_disabled() and re.search(r"\d+ 秒", again.inner_text())
    code = holder.code(NUMBER)
    assert code not in page.content() and code not in page.url
    wrong = "111111" if code != "111111" else "222222"
    for _ in range(5):
        holder.fill(code=wrong)
        holder.tap("登录")
        assert wrong not in page.locator("main").inner_text() and wrong not in page.url
    holder.sees("验证码错了五次")
    holder.fill(code=code)
    holder.tap("登录")
    holder.sees("验证码错了五次")

    clock.move(timedelta(seconds=61))
    page.goto("/sign-in/code")
    again = page.locator("[data-countdown]")
    assert again.is_enabled(), "after 60 seconds another code can be asked for"
    again.click()
    page.wait_for_load_state()
    with holder._app.app_context():
        fresh = holder.code(NUMBER)
    newest = [message.text for message in world.sms.messages() if message.phone.endswith(NUMBER)]
    assert len(newest) == 2
    fresh = next(found for text in newest if (found := re.findall(r"\d{6}", text)[0]) != code)
    holder.fill(code=fresh)
    holder.tap("登录")
    page.wait_for_url("**/me/")
    page.evaluate("async () => { const kept = await caches.open('anju-offline');"
                  " await kept.put('/kept', new Response('mine')); }")  # fmt: skip
    holder.tap("退出登录")
    page.wait_for_url(f"{holder.base}/")
    page.wait_for_load_state()
    assert page.evaluate("async () => (await caches.keys()).length") == 0
    page.goto("/me/")
    assert "/sign-in" in page.url


@on_sqlite
def test_a6_a_sign_in_that_is_not_used_ends(holder: Holder, clock: FixedClock, world: Any) -> None:
    holder.page.goto("/sign-in?next=/me/")
    holder.sign_in(NUMBER)
    holder.page.wait_for_url("**/me/")
    clock.move(world.house.page_session_idle + timedelta(minutes=1))
    holder.page.goto("/me/")
    assert "/sign-in" in holder.page.url


@pytest.mark.parametrize(
    ("who", "path"),
    [
        ("few", "/l/units/{unit}/lease"),
        ("registered", "/t/homes/{home}/key"),
        ("identified", "/t/homes/{home}/ways/window"),
        ("many", "/l/leases/{lease}"),
    ],
)
def test_a7_the_keyboard_reaches_everything_and_is_seen(signed_in: Any, stage: Stage, who: str, path: str) -> None:
    phone, person = signed_in(who), stage.cast[who]
    lease = person.lease or stage.cast["registered"].lease
    phone.page.goto(path.format(unit=person.unit, home=person.home, lease=lease))
    spots = set(phone.page.evaluate(SPOTS))
    reached, unseen = set(), set()
    days = phone.page.locator("input[type=date]:visible").count()
    for _ in range(len(spots) + 8 + 4 * days):  # a date takes one for each of its parts
        phone.page.keyboard.press("Tab")
        spot, seen = phone.page.evaluate(FOCUSED)
        reached.add(spot)
        if spot and not seen:
            unseen.add(spot)
    assert (spots - reached, unseen) == (set(), set()), phone.page.evaluate(
        "(all) => all.map((spot) => document.querySelector(`[data-spot='${spot}']`)?.outerHTML.slice(0, 120))",
        sorted((spots - reached) | unseen),
    )


def test_a7_the_key_is_turned_by_keyboard_and_the_result_is_announced(signed_in: Any, stage: Stage) -> None:
    phone, person = signed_in("registered"), stage.cast["registered"]
    page = phone.page
    page.goto(f"/t/homes/{person.home}/key")
    word = page.locator("[data-key-word]")
    assert word.get_attribute("aria-live") == "assertive" and word.get_attribute("role") == "status"
    before = word.inner_text()
    page.locator(".key-button").focus()
    page.keyboard.press("Enter")
    word.filter(has_not_text=before).wait_for()
    assert "门" in word.inner_text() or "发送" in word.inner_text()
