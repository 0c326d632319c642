"""The window desk as a clerk works it: a tenant without a phone, from the document to the printed receipt."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import expect

from backend.worker.registry_loop import process_once
from tests.browser.console_stage import Desk, Office, desks, office
from tests.printing.pdf_words import PdfReader
from tests.services import staff, stories
from tests.worker.test_window_walk import let_a_room

__all__ = ["desks", "office"]

pytestmark = pytest.mark.browser
MOST_CLICKS = 20


def lease_without_phone(world: Any) -> None:
    """A room with a lock whose landlord has recorded, at the window too, a lease for somebody who has no phone."""
    let_a_room(world, staff.make_session(world, "window_clerk", purpose="help_request"))


class Clerk:
    """A desk, and how often the clerk clicks; what is typed is typed."""

    def __init__(self, desk: Desk) -> None:
        self.desk, self.page, self.clicks = desk, desk.page, 0

    def click(self, words: str) -> None:
        """One click on the button or link of these words in the page's content."""
        self.page.locator("#content a:visible, #content button:visible").filter(has_text=words).first.click()
        self.page.wait_for_load_state()
        self.clicks += 1

    def tick(self, name: str, value: str | None = None) -> None:
        """One click on a choice."""
        chosen = f'[name="{name}"]' + (f'[value="{value}"]' if value else "")
        self.page.locator(f"#content {chosen}").first.check()
        self.clicks += 1

    def type(self, **answers: str) -> None:
        """Fill fields by name, going on by the tab key."""
        for name, text in answers.items():
            self.page.locator(f'#content [name="{name}"]').first.fill(text)

    def do(self, act: str, button: str = "", **answers: str) -> None:
        """Open an act, answer its form, and send it by its button, which bears the act's name or words of its own."""
        self.click(act)
        for name, answer in answers.items():
            field = self.page.locator(f'#content [name="{name}"]').first
            kind = field.evaluate("each => each.type")
            if kind == "radio":
                self.tick(name, answer)
            elif kind == "select-one":
                field.select_option(answer)
            else:
                field.fill(answer)
        self.click(button or act)

    def require(self, words: str) -> None:
        """The page says so, and axe has nothing against it."""
        self.page.locator("#content").get_by_text(words).first.wait_for()
        self.desk.require_accessible()


def test_a_tenant_without_a_phone_leaves_with_receipt_codes_and_key(
    office: Office, desks: Callable[..., Desk], capsys: pytest.CaptureFixture[str]
) -> None:
    office.make(lease_without_phone)
    desk = desks("counter")
    desk.come_as("window_clerk", staff.STREET, "help_request")
    clerk = Clerk(desk)
    desk.page.goto("/window")

    clerk.require("开始接待")
    clerk.type(name="周来福", id_number=stories.TENANT_NUMBER)
    clerk.tick("document_seen")
    clerk.click("开始接待")
    clerk.require("还没有告知")
    assert stories.TENANT_NUMBER not in desk.page.content(), "masked from here on"
    file = desk.page.url

    clerk.do("告知书和同意", "记下本人的答复", given="yes")
    clerk.require("已告知并同意")
    clerk.do("接受租约")
    clerk.do("申报居住登记", "提交申报", province="34", hukou_division="341882")
    clerk.require("已办理")
    clerk.do("打印门锁密码", password=staff.PASSWORD)
    clerk.require("门锁密码")
    desk.page.goto(file)
    clerk.do("发给机械钥匙")
    clerk.require("已办理")

    office.make(process_once, sleep=lambda _: None)
    desk.page.reload()
    receipt = desk.page.locator("#content a").filter(has_text="打印登记凭证")
    answer = desk.context.request.get(f"{office.console_base}{receipt.get_attribute('href')}")
    words = " ".join(line.text for line in PdfReader(answer.body()).lines())
    assert "周来福" in words and stories.TENANT_NUMBER not in words
    clerk.clicks += 1
    clerk.click("结束接待")
    assert "周来福" not in desk.context.request.get(file).text(), "an ended visit shows nobody"
    with capsys.disabled():
        print(f"\nwindow desk: {clerk.clicks} clicks from the document to the printed receipt")
    assert clerk.clicks <= MOST_CLICKS


def test_a_county_chosen_before_the_screen_was_locked_is_chosen_when_the_form_is_back(
    office: Office, desks: Callable[..., Desk]
) -> None:
    office.make(lease_without_phone)
    desk = desks("counter")
    desk.come_as("window_clerk", staff.STREET, "help_request")
    clerk = Clerk(desk)
    desk.page.goto("/window")
    clerk.type(name="周来福", id_number=stories.TENANT_NUMBER)
    clerk.tick("document_seen")
    clerk.click("开始接待")
    clerk.do("告知书和同意", "记下本人的答复", given="yes")
    clerk.do("接受租约")
    clerk.click("申报居住登记")
    county = desk.page.locator("[name=hukou_division]")
    desk.page.locator("[name=province]").select_option("34")
    county.select_option("341882")
    office.world.clock.move(timedelta(minutes=11))
    clerk.click("提交申报")
    desk.page.locator("[name=password]").fill(staff.PASSWORD)
    desk.page.locator("form:has([name=password]) button").first.click()
    desk.sees("已放回原处")
    expect(county).to_have_value("341882")
    assert "341882" not in desk.page.locator("main").inner_text(), "it has found its place"
    desk.complaints.allow(401)  # a locked screen shows nothing
    clerk.click("提交申报")
    clerk.require("已办理")
