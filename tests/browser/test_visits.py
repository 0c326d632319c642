"""C8 in real browsers: a visit is planned, walked by phone, noted without a network, sent once, checked and closed."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from sqlalchemy import func, select

from backend.db import db
from backend.models.audit import AuditLeaf
from backend.models.cases import Case
from backend.models.registrations import Headcount, Registration
from tests.browser.camera import film
from tests.browser.qr_reading import read_qr
from tests.browser.staff_desks import StaffDesk, console_app, console_server, staff_desk
from tests.browser.tenant_stage import Make, make, mobile, server
from tests.services import stories

__all__ = ["console_app", "console_server", "make", "mobile", "server", "staff_desk"]

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)]

Sit = Callable[..., StaffDesk]
# What a phone's own reader of QR codes would say of the picture; this browser has none.
READER = "text => { window.BarcodeDetector = class { async detect() { return [{ rawValue: text }]; } }; }"
OWN_NAMES = r"陈塘\S*|\d+室|太湖派出所|[\u4e00-\u9fff]+(条例|法)\S*"  # names of places and laws are not translated
TAGS = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]


def walker_of(staff_desk: Sit, login: str = "walker") -> StaffDesk:
    """A grid worker with a phone of 390 px."""
    phone = staff_desk("grid_worker", login)
    phone.page.set_viewport_size({"width": 390, "height": 844})
    return phone


def look_all(phone: StaffDesk, name: str, *, is_phone: bool = True) -> None:
    """Both languages; of a phone the narrowest too; axe finds nothing."""
    for language in ("en", "zh"):
        phone.set_mode(language, False)
        phone.page.reload()
        phone.look(f"{name}-{language}")
        if language == "en":
            said = re.sub(OWN_NAMES, "", phone.page.locator("main").inner_text())
            for names in phone.page.locator("main [lang=zh-CN]").all_inner_texts():
                said = said.replace(names, "")  # names of places are said in Chinese, and marked as such
            assert not re.search(r"[\u4e00-\u9fff]{4,}", said), name
    found = Axe().run(phone.page, options={"runOnly": {"type": "tag", "values": TAGS}})
    assert not found.response["violations"], json.dumps(found.response["violations"], ensure_ascii=False)[:900]
    if is_phone:
        phone.page.set_viewport_size({"width": 320, "height": 844})
        phone.look(f"{name}-320")
        phone.page.set_viewport_size({"width": 390, "height": 844})


def count(world: Any, what: Any) -> int:
    """How many rows, now."""
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(what)) or 0


def choose(desk: StaffDesk, words: str) -> None:
    """Choose the visitor whose line has these words."""
    field = desk.page.locator("select[name=assignee_id]")
    field.select_option(field.locator("option").filter(has_text=words).get_attribute("value"))


def assign(desk: StaffDesk, unit_id: str, words: str = "网格员") -> None:
    """Plan a visit today, on the first of the grounds, by the grid worker or by whoever has these words."""
    desk.open(f"/units/{unit_id}/visit", "安排走访")
    desk.page.locator("input[name=ground]").first.check()
    choose(desk, words)
    desk.press("安排走访")
    desk.page.get_by_text("今天").first.wait_for()


def test_c8_a_visit_is_assigned_walked_noted_offline_synced_once_and_checked(
    staff_desk: Sit, make: Make, world: Any, chromium: Any
) -> None:
    homes = [make(stories.make_dwelling, door, 1) for door in (10, 2)]
    phone = walker_of(staff_desk)
    officer = staff_desk("officer", "planner")
    for _, rooms in homes:
        assign(officer, rooms[0])
    look_all(officer, "round", is_phone=False)
    assert officer.page.locator("tbody tr").first.inner_text().find("路2号") > 0, "2号 is walked before 10号"
    officer.open(f"/door-sheets?dwelling={homes[1][0]}", "扫码看这是哪个单元")
    code = read_qr(officer.page.locator(".door-sheet").first, scale=4)  # as segno draws it

    picture = io.BytesIO()
    Image.new("RGB", (640, 480), "white").save(picture, "JPEG")
    film(chromium.film, [picture.getvalue()])
    phone.page.add_init_script(f"({READER})({json.dumps(code)})")
    phone.open("/g/", "今天的走访", "路2号")
    look_all(phone, "home")
    phone.page.get_by_text("今天的走访已存在手机里").wait_for()
    phone.page.locator("[data-scan]").click()
    phone.page.wait_for_url("**/g/visits/*")
    phone.page.get_by_text("先出示证件，读给对方听").wait_for()
    assert "浙江省流动人口居住登记条例 第9条" in phone.words() and "太湖派出所" in phone.words()
    look_all(phone, "visit")

    visit = phone.page.url
    phone.context.set_offline(True)
    phone.page.goto("/g/")
    phone.page.get_by_text("现在没有网络").wait_for()
    phone.page.locator("#number").fill("u-test0201")
    phone.page.get_by_role("button", name="打开", exact=True).click()
    phone.page.wait_for_url(visit)
    phone.page.get_by_text("现在没有网络，不能当场登记").wait_for()
    phone.page.get_by_label("已记下人数").check()
    phone.page.locator("[name=adults]").fill("2")
    phone.page.locator("[name=children]").fill("1")
    phone.look("visit-offline")
    phone.page.get_by_role("button", name="记下").click()
    phone.page.get_by_text("已记在这部手机里").wait_for()
    phone.page.get_by_text("下一户").click()
    phone.page.get_by_text("还在这部手机里的走访结果").wait_for()
    phone.look("home-offline")
    assert make(count, Headcount) == 0
    phone.complaints.allow_no_network()

    phone.context.set_offline(False)
    phone.page.get_by_text("已记下，并已送达").wait_for()
    assert make(count, Headcount) == 1
    phone.page.goto("/g/")
    phone.page.get_by_text("路10号").wait_for()
    assert "路2号" not in phone.words() and make(count, Headcount) == 1

    reference = make(lambda world: db.session.scalars(select(Case.reference).where(Case.state == "handled")).one())
    checker = staff_desk("supervisor", "checker")
    checker.open(f"/cases/{reference}", "成年人 2，未满 16 周岁 1")
    look_all(checker, "case", is_phone=False)
    checker.press("复核通过")
    checker.page.get_by_text("已复核").first.wait_for()
    checker.open("/visits?scope=done", "已记下人数")
    look_all(checker, "done", is_phone=False)
    state = select(Case.state).where(Case.reference == reference)
    assert make(lambda world: db.session.scalars(state).one()) == "checked"


def test_c8_a_note_that_comes_too_late_is_told_plainly_and_stays_until_it_was_read(
    staff_desk: Sit, make: Make, world: Any
) -> None:
    _, rooms = make(stories.make_dwelling, 1, 1)
    phone, other = walker_of(staff_desk), walker_of(staff_desk, "other")
    officer = staff_desk("officer", "planner")
    assign(officer, rooms[0], phone_badge(phone))
    phone.open("/g/", "路1号")
    phone.page.locator(".stop").click()
    phone.page.get_by_text("先出示证件").wait_for()
    phone.context.set_offline(True)
    phone.page.get_by_label("空置，没有人住").check()
    assert phone.page.locator("[data-count]").is_hidden()
    phone.page.get_by_role("button", name="记下").click()
    phone.page.get_by_text("已记在这部手机里").wait_for()
    officer.open("/visits", "路1号")
    officer.page.get_by_role("link", name="路1号").first.click()
    choose(officer, phone_badge(other))
    officer.look("replan")
    officer.press("保存")
    phone.complaints.allow_no_network()
    phone.context.set_offline(False)
    phone.page.goto("/g/")
    phone.page.get_by_text("这次走访已改派给别人").wait_for()
    phone.look("conflict")
    assert make(count, Headcount) == 0
    phone.page.get_by_text("知道了，从手机里删去").click()
    phone.page.locator("[data-waiting]").wait_for(state="hidden")
    phone.complaints.allow(409)
    other.open("/g/", "路1号")


def test_a_note_waits_for_whoever_wrote_it_while_a_colleague_uses_the_same_phone(
    staff_desk: Sit, make: Make, world: Any
) -> None:
    _, rooms = make(stories.make_dwelling, 1, 1)
    phone, colleague = walker_of(staff_desk), walker_of(staff_desk, "colleague")
    officer, badge = staff_desk("officer", "planner"), phone_badge(colleague)
    assign(officer, rooms[0], phone_badge(phone))
    phone.open("/g/", "路1号")
    own = phone.context.cookies()
    phone.page.locator(".stop").click()
    phone.page.get_by_text("先出示证件").wait_for()
    phone.context.set_offline(True)
    phone.page.get_by_label("空置，没有人住").check()
    phone.page.get_by_role("button", name="记下").click()
    phone.page.get_by_text("已记在这部手机里").wait_for()
    phone.context.clear_cookies()
    phone.context.add_cookies(colleague.context.cookies())
    phone.complaints.allow_no_network()
    phone.context.set_offline(False)
    open_round_of(phone, badge)
    phone.page.get_by_text("登录后发送").first.wait_for()
    phone.page.locator("body[data-network=here]").wait_for()
    assert phone.page.get_by_text("知道了，从手机里删去").is_hidden() and make(count, Headcount) == 0
    phone.look("note-of-another")
    leave = phone.page.locator("header [data-leave] button")
    leave.click()
    phone.page.get_by_role("alert").filter(has_text="再点一次就退出").wait_for()
    phone.look("leave-with-notes")
    leave.click()
    phone.page.wait_for_url("**/sign-in*")
    phone.context.add_cookies(own)
    phone.open("/g/")
    phone.page.locator("[data-waiting]").wait_for(state="hidden")
    phone.wait_until("fetch('/g/').then(a => a.text()).then(t => !t.includes('路1号'))")
    assert make(count, Headcount) == 1
    assert phone.page.evaluate(KEPT).endswith("[]")


def open_round_of(phone: StaffDesk, badge: str) -> None:
    """The round as the server gives it to whoever bears the badge; one that is slow is answered by the page as kept."""
    for _ in range(5):
        phone.open("/g/")
        if badge in phone.page.locator("footer").inner_text():
            return
    raise AssertionError("only the kept page of somebody else was shown")


def phone_badge(phone: StaffDesk) -> str:
    """The pseudonym that stands at the foot of the phone's pages."""
    phone.open("/g/")
    return phone.page.locator("footer").inner_text().split("·")[1].strip()


def test_c8_a_tenant_registers_at_the_door_and_nothing_of_it_stays_on_the_phone(
    staff_desk: Sit, make: Make, world: Any
) -> None:
    story = make(stories.make_invited)
    phone, officer = walker_of(staff_desk), staff_desk("officer", "planner")
    assign(officer, story.unit_id)
    phone.open("/g/", "路1号")
    phone.page.locator(".stop").click()
    phone.press("核对证件，开始登记")
    look_all(phone, "register")
    phone.fill(name="周来福", id_number=stories.TENANT_NUMBER)
    phone.page.get_by_label("已出示我的证件").check()
    phone.press("开始登记")
    look_all(phone, "file-new")
    phone.press("告知书和同意")
    look_all(phone, "notice")
    phone.fill(given="yes")
    phone.press("记下本人的答复")
    phone.press("接受租约")
    phone.press("接受租约")
    phone.press("申报居住登记")
    look_all(phone, "declare")
    phone.fill(province="34", hukou_division="341882")
    phone.fill(move_in_on=world.clock.today().isoformat())
    phone.press("提交申报")
    phone.page.get_by_text("已办理：").wait_for()
    phone.press("关联本人手机")
    phone.fill(phone=stories.TENANT_PHONE[3:])
    phone.press("关联这个号码")
    phone.press("把凭证链接发到本人手机")
    phone.page.get_by_text("凭证链接已发到本人手机").wait_for()
    look_all(phone, "file-done")
    phone.press("办好了，回到走访")
    phone.press("看谁登记在这里")
    look_all(phone, "people")
    assert "周来福" in phone.words()
    phone.page.go_back()
    phone.page.get_by_label("当场办理了登记").check()
    phone.page.get_by_role("button", name="记下").click()
    phone.page.get_by_text("已记下，并已送达").wait_for()
    declared = make(lambda world: db.session.scalars(select(Registration.declared_by)).all())
    assert declared == ["window"]
    kept = phone.page.evaluate(KEPT)
    assert "/g/" in kept and "周来福" not in kept and stories.TENANT_NUMBER not in kept
    leaves = make(lambda world: set(db.session.scalars(select(AuditLeaf.action)).all()))
    assert {"served_at_door", "unit_opened", "visit_noted"} <= leaves


# All that this browser keeps: pages, notes, storage.
KEPT = """async () => {
  const texts = [JSON.stringify(localStorage), JSON.stringify(sessionStorage)];
  for (const name of await caches.keys()) {
    const cache = await caches.open(name);
    for (const asked of await cache.keys()) texts.push(asked.url, await (await cache.match(asked)).text());
  }
  const open = indexedDB.open("anju-round");
  await new Promise(done => (open.onsuccess = done));
  const all = open.result.transaction("notes").objectStore("notes").getAll();
  await new Promise(done => (all.onsuccess = done));
  return texts.concat(JSON.stringify(all.result)).join("\\n");
}"""


def test_a_module_kept_before_an_upgrade_is_renewed_with_the_pages_that_ask_for_it(
    staff_desk: Sit, make: Make
) -> None:
    make(stories.make_dwelling, 1, 1)
    phone = walker_of(staff_desk)
    phone.page.goto("/g/offline")
    phone.page.evaluate(PUT_OLD)
    phone.open("/g/", "今天没有走访")
    phone.wait_until(IS_RENEWED)
    answers = [phone.page.request.get(path) for path in ("/static/field_notes.js", "/static/field.js?v=1")]
    assert [answer.headers["cache-control"] for answer in answers] == ["no-cache", "public, max-age=3600"]
    assert phone.page.request.get("/assets/qr_camera.js").headers["cache-control"] == "no-cache"


PUT_OLD = """async () => (await caches.open('anju-round')).put('/static/field_notes.js', new Response('older'))"""
IS_RENEWED = """async () =>
  (await (await caches.match('/static/field_notes.js', { cacheName: 'anju-round' })).text()).includes('sendNotes')"""


def test_a8_without_a_network_the_round_says_what_cannot_be_opened_and_what_was_not_sent(
    staff_desk: Sit, make: Make
) -> None:
    _, rooms = make(stories.make_dwelling, 1, 1)
    phone = walker_of(staff_desk)
    phone.open("/g/", "今天没有走访")
    phone.wait_until("caches.match('/assets/qr_camera.js').then((last) => last !== undefined)")
    phone.wait_until("navigator.serviceWorker.ready.then(({ active }) => active.state === 'activated')")
    phone.page.goto(f"/g/units/{rooms[0]}")
    phone.page.get_by_role("button", name="开始走访").wait_for()
    phone.context.set_offline(True)
    phone.page.get_by_role("button", name="开始走访").click()
    phone.page.get_by_role("heading", name="现在没有网络，打不开这一页").wait_for()
    phone.page.get_by_text("它还没有送出").wait_for()
    phone.look("no-network")
    phone.page.goto(f"/g/units/{rooms[0]}")
    phone.page.get_by_role("heading", name="现在没有网络，打不开这一页").wait_for()
    phone.page.get_by_role("link", name="回到今天的走访").click()
    phone.page.get_by_role("heading", name="今天的走访").wait_for()
    phone.context.set_offline(False)
    phone.open("/g/", "今天没有走访")
    phone.complaints.allow_no_network()
