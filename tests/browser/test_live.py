"""What happens elsewhere appears on an open page without a reload; a phone that slept catches up; nothing is lost."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from backend.db import transaction
from backend.models.commands import Command
from backend.services.commands import request_unlock
from backend.services.registrations import check_out
from backend.worker.registry_loop import process_once
from tests.browser.landlord_stage import Desk, desk, make, mobile, server
from tests.browser.test_landlord_lines import change_lock, report_list
from tests.mobile_api.test_live import accept, declare_all
from tests.services import stories
from tests.services.stories import TENANT_PHONE, Story
from tests.services.test_unit_board import take_over

__all__ = ["desk", "make", "mobile", "server"]

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)]

SitDown = Callable[..., Desk]
# Once hidden, a page is as in a pocket: the browser says so and the timers stand where the test puts them.
HIDE = """(hidden) => {
  Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
  document.dispatchEvent(new Event("visibilitychange"));
}"""
# How often the page has asked and has got and taken an answer.
COUNT = """
window.asked = window.answered = 0;
const ask = window.fetch;
window.fetch = async (...what) => {
  window.asked += 1;
  const answer = await ask(...what);
  window.answered += 1;
  return answer;
};
"""
ANSWERS = "window.answered"
LOADED = "window.loaded = true"  # gone after a reload


def second(phone: Desk, name: str) -> Desk:
    """A second phone of the same person, signed in as the first is."""
    other = phone.beside(name)
    other.context.add_cookies(phone.context.cookies())
    return other


def open_live(phone: Desk, path: str, *words: str) -> None:
    """Open a page and remember that it is this very one."""
    phone.open(path, *words)
    phone.page.evaluate(LOADED)


def follows(phone: Desk, *words: str) -> None:
    """These words come by themselves, and the live region has said something of it."""
    for each in words:
        phone.sees(each)
    assert phone.page.evaluate("window.loaded"), "the page was not loaded anew"


def said(phone: Desk) -> str:
    return str(phone.page.locator("[data-live-word]").inner_text())


def test_the_landlord_sees_each_step_of_the_tenant_and_of_the_lock(desk: SitDown, make: Any, world: Any) -> None:
    story = make(stories.make_invited)
    phone = desk()
    share = second(phone, "share")
    open_live(share, f"/l/leases/{story.lease_id}/share", "让租客扫这个码")
    open_live(phone, f"/l/leases/{story.lease_id}", "看邀请链接和二维码")
    done = phone.page.locator(".task-done")
    assert done.count() == 1
    make(accept, story)
    done.nth(1).wait_for()
    assert "租客已接受" in said(phone)
    assert phone.page.get_by_text("看邀请链接和二维码").count() == 0, "what can be done follows too"
    follows(share, "看租约")
    assert share.page.locator(".qr").count() == 0, "a used link is not shown any longer"
    make(declare_all, story)
    done.nth(2).wait_for()
    assert "租客已申报" in said(phone)
    make(stories.verify_at_window, story.tenant)
    follows(phone, "可用")
    assert "身份已核验" in said(phone)
    make(process_once, sleep=lambda seconds: None)
    done.nth(4).wait_for()
    assert "登记机关已受理" in said(phone)
    make(report_list, story)
    make(change_lock, story, presence="offline")
    make(check_out, account_id=story.tenant, registration_id=story.registration_id, moved_out_on=world.clock.today(),
         reason="lease_end")  # fmt: skip
    follows(phone, "待锁上线；最晚到")
    make(report_list, story)
    follows(phone, "已送达门锁")
    assert "已送达门锁" in said(phone)
    phone.look("live-lease")


def test_the_tenant_sees_identity_receipt_and_key_and_the_key_page_wakes_up(
    desk: SitDown, make: Any, world: Any
) -> None:
    story = make(stories.make_declared)
    phone = desk(TENANT_PHONE)
    key = second(phone, "key")
    open_live(phone, f"/t/homes/{story.registration_id}", "核验身份")
    open_live(key, f"/t/homes/{story.registration_id}/key", "办完任务清单")
    assert key.page.locator(".key-button").is_disabled()
    make(stories.verify_at_window, story.tenant)
    follows(phone, "登记办完了，钥匙可以用")
    follows(key, "可用")
    key.page.locator(".key-button:enabled").wait_for()
    make(process_once, sleep=lambda seconds: None)
    follows(phone, "看登记凭证")
    assert "已登记" in said(phone) or "已受理" in said(phone), said(phone)
    make(change_lock, story, presence="online")
    follows(key, "按一下，门锁几秒内回应。")
    phone.look("live-home")
    key.look("live-key")


def test_the_landlords_board_unit_and_lock_follow_the_lock(desk: SitDown, make: Any) -> None:
    story = make(stories.make_active)
    make(change_lock, story, presence="offline")
    phone = desk()
    lock, unit = (second(phone, name) for name in ("lock", "unit"))
    open_live(phone, "/l/", "门锁离线，请看一下")
    open_live(lock, f"/l/units/{story.unit_id}/lock", "离线")
    open_live(unit, f"/l/units/{story.unit_id}", "离线")
    make(change_lock, story, presence="online")
    for page in (lock, unit):
        page.page.locator(".state-good").filter(has_text="在线").first.wait_for()
        follows(page)
        assert "在线" in said(page)
    phone.page.get_by_text("门锁离线，请看一下").wait_for(state="detached")
    follows(phone)


def answer(world: Any, command_id: str, state: str) -> None:
    with transaction() as session:
        command = session.get_one(Command, command_id)
        command.state, command.answered_at = state, world.clock.now()


def test_a_command_that_was_not_settled_is_settled_on_the_page(desk: SitDown, make: Any, world: Any) -> None:
    story = make(stories.make_active)
    make(change_lock, story, presence="online", boot_id="boot-1")
    phone = desk(TENANT_PHONE)
    open_live(phone, f"/t/homes/{story.registration_id}/key", "按一下")
    form = phone.page.locator("[data-unlock]")
    sent = make(send_command, story)
    phone.page.evaluate("(id) => history.replaceState(null, '', `?command=${id}`)", sent)
    assert form.count() == 1
    make(answer, sent, "executed")
    phone.page.locator("[data-key-word]").filter(has_text="门已打开").wait_for()
    follows(phone)


def send_command(world: Any, story: Story) -> str:
    return request_unlock(world, account_id=story.tenant, key_id=story.key_id, idempotency_key="once").id


def test_a_phone_that_slept_for_an_hour_asks_nothing_meanwhile_and_catches_up_at_once(
    desk: SitDown, make: Any, clock: Any
) -> None:
    story = make(stories.make_claimed)
    phone = desk()
    phone.page.clock.install()
    open_live(phone, f"/l/leases/{story.lease_id}", "租客已接受")
    asked: list[str] = []
    phone.page.on("request", lambda request: asked.append(request.url))
    phone.page.evaluate(HIDE, True)
    clock.move(timedelta(hours=1))
    phone.page.clock.run_for(3_600_000)
    assert asked == [], "a page nobody looks at asks nothing"
    make(declare_all, story)
    make(stories.verify_at_window, story.tenant)
    phone.page.evaluate(HIDE, False)
    follows(phone, "可用")
    assert "租客已申报" in said(phone) and "身份已核验" in said(phone)
    with phone.page.expect_request(f"**/l/leases/{story.lease_id}"):
        phone.page.evaluate("dispatchEvent(new Event('online'))")


def test_the_pace_slows_down_while_nothing_moves_and_is_quick_again_when_somebody_is_there(
    desk: SitDown, make: Any
) -> None:
    story = make(stories.make_claimed)
    phone = desk()
    opened = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
    phone.page.clock.install(time=opened)
    phone.page.add_init_script(COUNT)
    open_live(phone, f"/l/leases/{story.lease_id}", "租客已接受")
    phone.page.clock.pause_at(opened + timedelta(minutes=5))  # from here on time goes as the test says
    phone.wait_until(f"{ANSWERS} === window.asked")
    waited = [gap(phone) for _ in range(14)]
    assert waited[0] <= 4500 and waited[-1] == 15_000 and waited == sorted(waited), waited
    phone.page.keyboard.press("Shift")
    gap(phone)
    assert gap(phone) <= 4500


def gap(phone: Desk) -> int:
    """How long the page waits until it asks again, by its own clock; the answer has come."""
    for waited in range(0, 20_000, 500):
        before = phone.page.evaluate(ANSWERS)
        phone.page.clock.run_for(500)
        if phone.page.evaluate("window.asked") > before:
            phone.wait_until(f"{ANSWERS} > {before}")
            return waited + 500
    raise AssertionError("the page asks no more")


def test_a_server_that_is_down_is_said_and_its_return_too(desk: SitDown, make: Any) -> None:
    story = make(stories.make_claimed)
    phone = desk()
    open_live(phone, f"/l/leases/{story.lease_id}", "租客已接受")
    phone.page.route("**/l/leases/*", lambda route: route.abort())
    note = phone.page.locator("[data-live-word]")
    note.filter(has_text="联系不上服务器").wait_for()
    assert note.evaluate("word => word.getBoundingClientRect().height") > 30, "to be seen, not only heard"
    phone.look("live-lost")
    make(declare_all, story)
    phone.page.unroute("**/l/leases/*")
    phone.page.evaluate("dispatchEvent(new Event('online'))")
    note.filter(has_text="租客已申报").wait_for()
    follows(phone)
    assert "联系不上" not in said(phone)
    phone.complaints.allow_no_network()


def test_focus_and_what_was_typed_and_chosen_outlive_a_renewal(desk: SitDown, make: Any) -> None:
    story = make(stories.make_claimed)
    phone = desk()
    open_live(phone, f"/l/leases/{story.lease_id}", "租客已接受")
    phone.page.get_by_text("延长租约").focus()
    phone.page.evaluate("document.activeElement.dataset.mine = 'yes'")
    make(declare_all, story)
    phone.page.locator(".task-done").nth(2).wait_for()
    assert phone.page.evaluate("document.activeElement.textContent") == "延长租约"
    board = second(phone, "board")
    dwelling, _ = make(stories.make_dwelling, 2, 8)
    make(lambda _: take_over(story.landlord, dwelling))
    open_live(board, "/l/", "在我的房间里找")
    board.page.locator("[name=q]").fill("201")
    make(change_lock, story, presence="offline")
    follows(board, "锁离线")
    assert board.page.locator("[name=q]").input_value() == "201"
    assert board.page.evaluate("document.activeElement.name") == "q"


def test_a_part_somebody_writes_in_waits_and_is_renewed_afterwards(desk: SitDown, make: Any) -> None:
    story = make(stories.make_claimed)
    phone = desk()
    open_live(phone, f"/l/leases/{story.lease_id}", "租客已接受")
    phone.page.evaluate("""() => {
      const field = document.createElement("input");
      document.querySelector("#progress").append(field);
      field.focus();
    }""")
    phone.page.keyboard.type("half wri")
    make(declare_all, story)
    with phone.page.expect_response(lambda got: got.status == 200 and "/l/leases/" in got.url):
        pass
    assert phone.page.locator("#progress input").input_value() == "half wri"
    assert phone.page.locator(".task-done").count() == 2
    phone.page.locator("#progress input").fill("")
    phone.page.locator("#progress input").blur()
    phone.page.locator(".task-done").nth(2).wait_for()
    follows(phone)


def test_a_page_whose_sign_in_has_ended_stands_still_and_says_so(desk: SitDown, make: Any, clock: Any) -> None:
    story = make(stories.make_claimed)
    phone = desk()
    open_live(phone, f"/l/leases/{story.lease_id}", "租客已接受")
    clock.move(timedelta(days=15))
    phone.page.locator("[data-live-word]").filter(has_text="登录已结束").wait_for()
    follows(phone)
    phone.look("live-ended")
    phone.page.get_by_text("重新打开").click()
    phone.sees("获取验证码")
    phone.complaints.allow(401)


def test_the_same_words_come_in_english_and_the_focus_of_elder_mode_has_room(desk: SitDown, make: Any) -> None:
    story = make(stories.make_claimed)
    phone = desk()
    phone.set_mode("en", True)
    phone.page.goto(f"/l/leases/{story.lease_id}")
    phone.page.evaluate(LOADED)
    make(declare_all, story)
    phone.page.locator("[data-live-word]").filter(has_text="Declared by the tenant").wait_for()
    assert phone.page.evaluate("window.loaded")
