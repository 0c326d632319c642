"""What was typed stays: when large text or the language is switched, and when the sign-in ends before it is sent."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import expect

from backend.gateways.clock import FixedClock
from backend.services import sign_ins
from tests.browser.key_stage import Holder, make, mobile, server
from tests.services import stories
from tests.services.stories import LANDLORD_PHONE, TENANT_PHONE

__all__ = ["make", "mobile", "server"]

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)]


@pytest.fixture
def holder(chromium: Any, mobile: Any, server: Any, world: Any) -> Iterator[Holder]:
    phone = Holder(chromium, server.base, mobile, world)
    yield phone
    phone.context.close()
    phone.complaints.require_none()


def test_both_switches_lose_nothing_of_a_later_step(holder: Holder, make: Any) -> None:
    story = make(stories.make_active)
    holder.enter(LANDLORD_PHONE)
    page = holder.page
    first = f"/l/units/{story.unit_id}/lease?joint={story.lease_id}"
    page.goto(first)
    holder.fill(alias="合租人小李")
    holder.tap("下一步")
    holder.fill(tenant_name="王小明")
    page.get_by_role("button", name="大字").click()
    expect(page.locator("html")).to_have_class("elder")
    expect(page.locator("[name=tenant_name]")).to_have_value("王小明")
    page.get_by_role("button", name="标准字").wait_for()
    page.get_by_role("button", name="English").click()
    page.get_by_text("back in its place").wait_for()
    expect(page.locator("html")).to_have_class("elder")
    expect(page.locator("[name=tenant_name]")).to_have_value("王小明")
    expect(page.locator("[name=step]")).to_have_value("2")
    expect(page.locator("[name=joint]")).to_have_value(story.lease_id)
    expect(page.locator("[name=alias]")).to_have_value("合租人小李")
    expect(page).to_have_url(f"{holder.base}{first}")  # the page is at its own address
    holder.look("switched")
    page.get_by_role("button", name="中文").click()
    page.get_by_text("已放回原处").wait_for()
    expect(page.locator("[name=tenant_name]")).to_have_value("王小明")
    page.get_by_role("button", name="标准字").click()
    expect(page.locator("html")).not_to_have_class("elder")
    page.get_by_role("button", name="大字").wait_for()


def test_a_form_that_nobody_has_begun_just_changes_its_language(holder: Holder, make: Any) -> None:
    make(stories.make_active)
    holder.enter(TENANT_PHONE)
    holder.page.goto("/t/help-contact")
    holder.page.get_by_role("button", name="English").click()
    expect(holder.page.locator("html")).to_have_attribute("lang", "en")
    assert holder.page.url == f"{holder.base}/t/help-contact"
    expect(holder.page.locator(".back-in-place")).to_have_count(0)


def test_a_declaration_sent_after_the_sign_in_was_ended_is_back_after_the_next_one(
    holder: Holder, make: Any, clock: FixedClock
) -> None:
    story = make(stories.make_identified)
    holder.enter(TENANT_PHONE)
    page = holder.page
    page.goto(f"/t/homes/{story.registration_id}/declare")
    holder.fill(province="34")
    page.locator("#hukou_division option[value='341882']").wait_for(state="attached")
    holder.fill(hukou_division="341882")
    make(end_sign_ins, story.tenant)
    clock.move(timedelta(minutes=2))
    holder.complaints.allow(401)
    holder.tap("提交申报")
    holder.sees("刚才填写的内容还没有提交")
    holder.look("ended")
    holder.fill(phone=TENANT_PHONE[3:])
    holder.tap("获取验证码")
    holder.sees("输入验证码")
    holder.fill(code=holder.code(TENANT_PHONE[3:]))
    holder.tap("登录")
    holder.look("signed-in")
    holder.tap("接着填写")
    holder.sees("已放回原处")
    expect(page.locator("#hukou_division")).to_have_value("341882")
    expect(page.locator("#province")).to_have_value("34")
    expect(page.locator(".back-in-place")).to_be_focused()
    holder.look("back-in-place")
    holder.tap("提交申报")
    holder.sees("已申报")


def end_sign_ins(world: Any, account_id: str) -> None:
    for row in sign_ins.list_sessions(world, account_id=account_id):
        sign_ins.sign_out(world, account_id=account_id, session_id=row.id)
