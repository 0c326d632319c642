"""Staff at the console in a real browser: ways in, locked screen, purpose first, second act, caps, other areas."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyotp
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect
from sqlalchemy import select

from backend.app import create_console_app
from backend.config import Settings
from backend.db import db
from backend.gateways.clock import FixedClock
from backend.models.audit import AuditLeaf
from tests.browser.complaints import Complaints
from tests.browser.key_stage import Server
from tests.browser.walker import AXE
from tests.conftest import NOW
from tests.services import reporting_cases, staff, stories
from tests.worlds import make_fake_world

pytestmark = pytest.mark.browser
# Labels, headings and buttons in Chinese: the switch to the other language and names of people are meant to be.
CHINESE_LABELS = """() => [...document.querySelectorAll('h1, h2, th, label .label, .hint, button, nav .places a')]
  .map((each) => each.textContent.trim()).filter((text) => /[\\u4e00-\\u9fff]/.test(text))
  .filter((text) => !['中文', '测试'].includes(text))"""


@dataclass
class Desk:
    """The console on a port of its own, the world behind it, and a unit with a registered tenant."""

    base: str
    world: Any
    app: Any
    staff: dict[str, staff.Staff]
    story: stories.Story

    @property
    def unit(self) -> str:
        """The unit's id."""
        return self.story.unit_id

    def run(self, factory: Callable[..., Any], *args: Any, **named: Any) -> Any:
        """Run a factory or a service in a context of its own."""
        with self.app.app_context():
            try:
                return factory(self.world, *args, **named)
            finally:
                db.session.remove()

    def leaves(self, action: str) -> list[Any]:
        """The audit's leaves of an action, in their order."""
        with self.app.app_context():
            return list(db.session.scalars(select(AuditLeaf).where(AuditLeaf.action == action).order_by(AuditLeaf.id)))


@pytest.fixture
def desk(migrated_sqlite: Path, tmp_path: Path) -> Iterator[Desk]:
    """A console whose clock the test moves."""
    shutil.copyfile(migrated_sqlite, tmp_path / "anju.db")
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = found.getsockname()[1]
    base = f"http://localhost:{port}"
    settings = Settings.from_environment(
        {"ANJU_DEMO": "1", "ANJU_VAR": str(tmp_path / "var"), "ANJU_DATABASE_URL": f"sqlite:///{tmp_path / 'anju.db'}",
         "ANJU_CONSOLE_URL": base}
    )  # fmt: skip
    world = make_fake_world(settings, FixedClock(NOW))
    app = create_console_app(settings, world)
    with app.app_context():
        made = {login: staff.make_officer(world, role, area, login) for login, role, area in (
            ("chief", "supervisor", staff.STREET), ("second", "supervisor", staff.STREET),
            ("wang", "officer", staff.STREET), ("li", "officer", staff.OTHER_STREET),
            ("auditor", "auditor", staff.STREET))}  # fmt: skip
        story = stories.make_active(world)
        db.session.remove()
    server = Server(app, port)
    yield Desk(base, world, app, made, story)
    server.stop()
    with app.app_context():
        db.engine.dispose()


class Screen:
    """One officer's browser at 1366×768; notes console errors and requests to foreign hosts."""

    def __init__(self, browser: Any, desk: Desk) -> None:
        self.desk = desk
        self.context = browser.new_context(
            viewport={"width": 1366, "height": 768}, locale="zh-CN", base_url=desk.base
        )
        self.page = self.context.new_page()
        self.page.set_default_timeout(20_000)
        self.complaints = Complaints(self.page, desk.base)
        self.complaints.allow(401, 403, 404, 422, 429)  # a refusal is an answer here

    def add_authenticator(self) -> None:
        """A device that makes and keeps passkeys, and whose owner is there and shows a finger."""
        devices = self.context.new_cdp_session(self.page)
        devices.send("WebAuthn.enable")
        devices.send("WebAuthn.addVirtualAuthenticator", {"options": {
            "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
            "isUserVerified": True, "automaticPresenceSimulation": True}})  # fmt: skip

    def go(self, path: str) -> None:
        self.page.goto(path)

    def press(self, words: str) -> None:
        """Press what is called so, in the middle of the page."""
        self.page.locator("#content, dialog[open]").get_by_role("button", name=words, exact=True).first.click()

    def fill(self, **answers: str) -> None:
        for name, value in answers.items():
            self.page.locator(f'#content [name="{name}"]:visible').first.fill(value)

    def sees(self, words: str) -> None:
        self.page.get_by_text(words).first.wait_for(state="visible")

    def sign_in(self, login: str) -> None:
        """By password and one-time code, to the page that was asked for."""
        who = self.desk.staff[login]
        self.fill(login=login, password=staff.PASSWORD, code=who.code(self.desk.world))
        self.press("登录")
        self.page.locator(".rail").wait_for()
        self.page.wait_for_load_state()  # its scripts run by now

    def choose(self, purpose: str) -> None:
        """On the page of purposes."""
        self.page.locator(f'[name="purpose"][value="{purpose}"]').check()
        self.press("开始任务")
        self.page.locator(".strip-on").wait_for()

    def look(self, name: str) -> None:
        """Nothing hangs over the edge, accessibility finds nothing; a picture in both languages when one is kept."""
        self.page.wait_for_load_state()
        wide = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{name} scrolls sideways by {wide} px"
        found = Axe().run(self.page, options=AXE).response["violations"]
        assert not found, [(each["id"], [node["html"][:120] for node in each["nodes"]]) for each in found]
        if "ANJU_GALLERY" in os.environ:
            self.page.screenshot(path=f"{os.environ['ANJU_GALLERY']}/console-{name}.png", full_page=True)


@pytest.fixture
def screens(chromium: Any, desk: Desk) -> Iterator[Callable[[], Screen]]:
    """Browsers; at the end none of them may have had trouble."""
    made: list[Screen] = []

    def hand_out() -> Screen:
        made.append(Screen(chromium, desk))
        return made[-1]

    yield hand_out
    for screen in made:
        screen.context.close()
        screen.complaints.require_none()


def make_account(chief: Screen, login: str) -> str:
    """A supervisor makes an account; answers the code that is shown once."""
    chief.go("/staff/new")
    chief.fill(login=login, display_name="窗口丁", office="太湖派出所", password=staff.PASSWORD)
    chief.page.locator('[name="role"]').select_option("window_clerk")
    chief.press("申请建立")
    chief.sees("只显示这一次")
    chief.look("staff-settled")
    return str(chief.page.locator(".figure-big").inner_text())


def test_a_new_officer_makes_a_passkey_and_signs_in_by_it_alone(screens: Callable[[], Screen], desk: Desk) -> None:
    chief, new = screens(), screens()
    chief.go("/staff")
    chief.sign_in("chief")
    chief.look("staff")
    code = make_account(chief, "ding")
    new.add_authenticator()
    new.go("/first")
    new.fill(login="ding", first_code=code)
    new.look("first")
    new.press("下一步")
    new.sees("通行密钥（推荐）")
    new.look("first-ways")
    new.press("登记通行密钥")
    new.sees("登录方式已设好。")
    new.look("own")
    new.page.get_by_role("button", name="退出", exact=True).click()
    new.sees("用通行密钥登录")
    new.look("sign-in")
    new.press("用通行密钥登录")
    new.page.locator(".rail").wait_for()
    assert [leaf.decision for leaf in desk.leaves("officer_sign_in")][-1] == "allowed"


def test_a_new_officer_sets_password_and_authenticator_and_signs_in_with_both(
    screens: Callable[[], Screen], desk: Desk
) -> None:
    chief, new = screens(), screens()
    chief.go("/staff/new")
    chief.sign_in("chief")
    code = make_account(chief, "ding")
    new.go("/first")
    new.fill(login="ding", first_code=code)
    new.press("下一步")
    secret = new.page.locator(".enrol-secret").inner_text()
    assert new.page.locator(".enrol-qr svg").is_visible()
    words = "six plain words in a row"
    new.fill(code=pyotp.TOTP(secret).at(desk.world.clock.now()), password=words, again="other words")
    new.press("完成并登录")
    new.sees("两次输入的密码不一样。")
    new.fill(code=pyotp.TOTP(secret).at(desk.world.clock.now()), password=words, again=words)
    new.press("完成并登录")
    new.sees("登录方式已设好。")
    new.page.get_by_role("button", name="退出", exact=True).click()
    desk.world.clock.move(timedelta(seconds=30))
    new.fill(login="ding", password=words, code=pyotp.TOTP(secret).at(desk.world.clock.now()))
    new.press("登录")
    new.page.locator(".rail").wait_for()


def test_c14_the_screen_locks_when_nobody_is_there_and_opens_with_what_was_typed(
    screens: Callable[[], Screen], desk: Desk
) -> None:
    screen = screens()
    page = screen.page
    page.clock.install()
    screen.go("/search")
    screen.sign_in("wang")
    screen.choose("help_request")
    screen.fill(text="33052219900101")
    desk.world.clock.move(timedelta(minutes=10, seconds=5))
    page.clock.fast_forward("10:05")
    dialog = page.locator("dialog#lock[open]")
    dialog.wait_for()
    assert not page.locator("#content").is_visible() and not page.locator(".rail").is_visible()
    page.keyboard.press("Escape")
    assert dialog.is_visible() and not page.locator(".lock-soon").is_visible()
    screen.look("lock")
    dialog.locator("[name=password]").fill("wrong password")
    screen.press("解锁")
    screen.sees("密码不对。")
    dialog.locator("[name=password]").fill(staff.PASSWORD)
    screen.press("解锁")
    dialog.wait_for(state="hidden")
    assert page.url.endswith("/search") and page.locator("[name=text]").input_value() == "33052219900101"
    assert page.locator(".strip-on").is_visible(), "the task goes on"
    assert [leaf.decision for leaf in desk.leaves("screen_opened")] == ["refused", "allowed"]


def stop_clock(page: Any) -> None:
    """Let the page's time go on where a test says so alone, however slow the machine is."""
    page.clock.pause_at(page.evaluate("Date.now()") / 1000 + 60)  # ahead: no time already gone can be paused at


def test_c14_a_screen_about_to_lock_says_so_and_a_key_is_enough_to_go_on(
    screens: Callable[[], Screen], desk: Desk
) -> None:
    screen = screens()
    page = screen.page
    page.clock.install()
    screen.go("/deadlines")
    screen.sign_in("wang")
    soon = page.locator(".lock-soon")
    stop_clock(page)
    page.keyboard.press("Shift")  # from this moment on nobody is there
    desk.world.clock.move(timedelta(minutes=8, seconds=55))
    page.clock.fast_forward("08:55")
    assert not soon.is_visible()
    page.clock.fast_forward("00:07")
    soon.wait_for()
    page.clock.resume()  # the look needs the page's time; the warning stays for most of a minute
    screen.look("lock-soon")
    with page.expect_response("**/screen/stay") as answer:
        page.keyboard.press("Shift")
    assert answer.value.status == 204
    soon.wait_for(state="hidden")
    stop_clock(page)
    page.keyboard.press("Shift")
    desk.world.clock.move(timedelta(minutes=9, seconds=30))
    page.clock.fast_forward("09:30")
    soon.wait_for()
    assert not page.locator("dialog#lock[open]").count(), "the time begins anew"
    page.clock.fast_forward("00:32")
    page.locator("dialog#lock[open]").wait_for()


def test_c14_a_long_answer_sent_to_a_locked_screen_is_submitted_after_unlocking(
    screens: Callable[[], Screen], desk: Desk
) -> None:
    words = "已到现场查看：线路老化，已请电工更换并加装线管，十二月二日复查。"
    reference = desk.run(lambda world: reporting_cases.open_report(world, desk.story).reference)
    screen = screens()
    page = screen.page
    empty = {"body": "", "content_type": "text/javascript"}
    page.route("**/static/lock.js*", lambda route: route.fulfill(**empty))  # as without scripts: the server alone locks
    screen.go(f"/cases/{reference}")
    screen.sign_in("wang")
    screen.choose("visit")
    screen.press("领取")
    page.locator("[name=outcome]").select_option("handled:repaired")
    screen.fill(answer_text=words)
    desk.world.clock.move(timedelta(minutes=12))
    screen.press("提交复核")
    screen.sees("屏幕已锁定")
    assert words not in page.content()
    screen.look("locked-kept")
    screen.fill(password=staff.PASSWORD)
    screen.press("解锁")
    back = page.locator(".back-in-place")
    expect(back).to_be_focused()
    expect(page.locator("[name=answer_text]")).to_have_value(words)
    expect(page.locator("[name=outcome]")).to_have_value("handled:repaired")
    screen.sees(reference)
    screen.look("resume")
    screen.press("提交复核")
    screen.sees("已处理")
    assert desk.run(lambda world: reporting_cases.case_of(reference).state) == "handled"


def test_a_screen_locked_by_hand_stays_locked_over_a_reload_and_on_other_pages_and_a_passkey_opens_it(
    screens: Callable[[], Screen]
) -> None:
    screen = screens()
    screen.add_authenticator()
    screen.go("/me")
    screen.sign_in("wang")
    screen.fill(password=staff.PASSWORD)
    screen.press("验证后登记新的一把")
    screen.press("登记通行密钥")
    screen.sees("通行密钥已登记。")
    other = screen.context.new_page()
    other.goto("/deadlines")
    screen.page.get_by_role("button", name="锁屏").click()
    screen.page.locator("dialog#lock[open]").wait_for()
    other.locator("dialog#lock[open]").wait_for()
    screen.page.reload()
    screen.sees("屏幕已锁定")
    screen.look("locked")
    screen.press("用通行密钥解锁")
    screen.page.locator(".rail").wait_for()
    assert "/me" in screen.page.url


def test_the_purpose_stands_on_every_page_with_its_time_and_ends_by_itself(
    screens: Callable[[], Screen], desk: Desk
) -> None:
    screen = screens()
    page = screen.page
    page.clock.install()
    screen.go(f"/units/{desk.unit}")
    screen.sign_in("wang")
    assert "周来福" not in page.content(), "a purpose comes first"
    screen.choose("address_check")
    screen.sees("周来福")
    for path in ("/ledger", "/deadlines", "/me", f"/units/{desk.unit}"):
        screen.go(path)
        strip = page.locator(".strip-on")
        assert "地址核查" in strip.inner_text() and "还剩 60 分钟" in strip.inner_text()
    screen.look("purpose")
    for left in (51, 42, 33, 24, 15, 6):
        desk.world.clock.move(timedelta(minutes=9))
        page.clock.fast_forward("09:00")
        page.get_by_text(f"还剩 {left} 分钟").wait_for()
        with page.expect_response("**/screen/stay"):
            page.keyboard.press("Shift")  # somebody is there
    desk.world.clock.move(timedelta(minutes=7))
    page.clock.fast_forward("07:00")
    screen.sees("您这次查看是为了什么？")
    assert "周来福" not in page.content()
    assert [(leaf.purpose, leaf.decision) for leaf in desk.leaves("task_ended")] == [("address_check", "time")]


def test_c14_a_full_number_takes_the_password_again_and_is_a_record_of_its_own(
    screens: Callable[[], Screen], desk: Desk
) -> None:
    screen = screens()
    screen.go(f"/units/{desk.unit}")
    screen.sign_in("wang")
    screen.choose("visit")
    assert stories.TENANT_NUMBER not in screen.page.content()
    screen.page.get_by_role("link", name="完整号码").first.click()
    screen.fill(password="wrong password")
    screen.press("显示号码")
    screen.sees("密码不对。")
    assert stories.TENANT_NUMBER not in screen.page.content()
    screen.fill(password=staff.PASSWORD)
    screen.press("显示号码")
    screen.sees(stories.TENANT_NUMBER)
    [shown] = desk.leaves("number_shown")
    assert (shown.purpose, "id_number" in shown.fields) == ("visit", True)


def test_c14_the_days_cap_stops_an_officer_and_the_supervisor_reads_it_on_the_start_page(
    screens: Callable[[], Screen], desk: Desk
) -> None:
    officer, chief = screens(), screens()
    desk.world.house.person_reads_by_role["officer"] = 1  # the unit's page names two: tenant and landlord
    officer.go(f"/units/{desk.unit}")
    officer.sign_in("wang")
    officer.choose("visit")
    officer.sees("今天查看个人信息的次数已达上限（1）。")
    chief.go("/")
    chief.sign_in("chief")
    chief.sees("今天查看个人信息达到上限（1 人）")
    chief.look("start")
    chief.page.get_by_role("link", name="看访问审计").click()
    chief.sees("达到每日上限")
    assert desk.staff["wang"].badge in chief.page.locator("table").first.inner_text()
    chief.go("/")
    chief.press("知道了")
    chief.page.wait_for_url("**/ledger")
    assert not chief.page.locator(".told").count()


def test_c4_another_area_is_refused_and_stands_in_the_audit(screens: Callable[[], Screen], desk: Desk) -> None:
    stranger, auditor = screens(), screens()
    stranger.go(f"/units/{desk.unit}")
    stranger.sign_in("li")
    with stranger.page.expect_response(lambda answer: "/units/" in answer.url) as answered:
        stranger.choose("visit")
    assert answered.value.status == 403
    stranger.sees("不在您的辖区。")
    assert "周来福" not in stranger.page.content()
    auditor.go("/audit?action=refused")
    auditor.sign_in("auditor")
    row = auditor.page.locator("tbody tr").first.inner_text()
    assert desk.staff["li"].badge in row and "不在辖区" in row and "上门走访" in row


def test_a_powerful_account_takes_two_supervisors(screens: Callable[[], Screen]) -> None:
    chief, second = screens(), screens()
    chief.go("/staff/new")
    chief.sign_in("chief")
    chief.fill(login="deputy", display_name="副所长", office="太湖派出所", password=staff.PASSWORD)
    chief.page.locator('[name="role"]').select_option("supervisor")
    chief.press("申请建立")
    chief.sees("已提出，等另一位负责人批准")
    second.go("/")
    second.sign_in("second")
    second.sees("1 项账号申请等您批准。")
    second.page.get_by_role("link", name="去看申请").click()
    second.page.locator('#content [name="password"]').first.wait_for()
    second.look("staff-waiting")
    second.fill(password=staff.PASSWORD)
    second.press("批准")
    second.sees("首次登录码")
    chief.go("/staff")
    chief.page.get_by_role("link", name="deputy").click()
    chief.sees("等第一次登录")
    chief.look("staff-member")


def test_a4_the_pages_of_accounts_fit_in_english_too(screens: Callable[[], Screen], desk: Desk) -> None:
    chief = screens()
    chief.context.add_cookies([{"name": "anju-lang", "value": "en", "url": desk.base}])
    chief.go("/me")
    chief.fill(login="chief", password=staff.PASSWORD, code=desk.staff["chief"].code(desk.world))
    chief.press("Sign in")
    chief.sees("My sign-ins")
    for path in ("/me", "/staff", "/staff/new", f"/staff/{desk.staff['wang'].id}", "/task", "/first"):
        chief.go(path)
        chief.look(f"en{path.replace('/', '-')[:12]}")
        own = chief.page.evaluate(CHINESE_LABELS)
        assert own == [], f"{path}: {own}"
