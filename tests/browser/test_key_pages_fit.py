"""The pages of keys in both languages and both modes on the smallest phone, and the path of a visitor's key."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.conftest import Phone
from tests.browser.key_stage import Holder, Stand, air, make, mobile, server, stand
from tests.browser.test_pages_fit import look_at
from tests.services.stories import LANDLORD_PHONE

__all__ = ["air", "make", "mobile", "server", "stand"]

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)]

VISITOR = "19900009555"


def sign_in(phone: Phone, number: str, onward: str) -> None:
    phone.page.goto(f"/sign-in?next={onward}")
    phone.sign_in(number)


def another(stand: Stand, chromium: Any, name: str) -> Holder:
    made = Holder(chromium, stand.server.base, stand.phone._app, stand.phone._world)
    made.name = name
    return made


@pytest.mark.release
def test_the_pages_of_keys_fit(stand: Stand, chromium: Any) -> None:
    phone, home = stand.phone, stand.home.removesuffix("/key")
    phone.page.set_viewport_size({"width": 320, "height": 844})
    own = [home + more for more in ("/key", "/codes", "/phone", "/visitors", "/visitors/new")]
    look_at(phone, [*own, "/t/offline", "/t/receive"])
    landlord = another(stand, chromium, "landlord")
    landlord.page.set_viewport_size({"width": 320, "height": 844})
    sign_in(landlord, LANDLORD_PHONE[3:], "/l/")
    unit = f"/l/units/{stand.story.unit_id}"
    joint = f"{unit}/lease?joint={stand.story.lease_id}"
    look_at(landlord, [f"{unit}/visitors", f"{unit}/visitors/new", f"{unit}/visitors/emergency", joint])
    landlord.context.close()
    landlord.complaints.require_none()


def test_a_visitors_key_from_the_landlord_through_the_occupants_word_to_the_door(stand: Stand, chromium: Any) -> None:
    landlord, visitor = another(stand, chromium, "landlord"), another(stand, chromium, "visitor")
    sign_in(landlord, LANDLORD_PHONE[3:], f"/l/units/{stand.story.unit_id}/visitors/new")
    landlord.fill(purpose="repair", phone=VISITOR)
    landlord.look("visitor-form")
    landlord.tap("发出")
    landlord.sees("等待住户同意")
    landlord.look("visitor-asked")
    link = landlord.page.locator("#link").inner_text()
    landlord.page.goto(f"/l/units/{stand.story.unit_id}/visitors")
    landlord.look("visitors")

    visitor.page.goto(link.replace(link.split("/i/")[0], stand.server.base))
    visitor.look("visitor-invitation")
    visitor.tap("登录并继续")
    visitor.sign_in(VISITOR)
    visitor.tap("接受邀请")
    visitor.sees("要等住户同意")
    visitor.look("visit-waiting")

    stand.phone.page.goto(stand.home)
    stand.phone.tap("临时钥匙")
    stand.phone.look("visitors-asked")
    stand.phone.tap("请您答复")
    stand.phone.look("consent-to-visitor")
    stand.phone.tap("同意")
    stand.phone.sees("住户已同意")
    stand.phone.look("consented")

    stand.air.serve(visitor.page)
    visitor.page.reload()
    visitor.sees("门锁密码")
    visitor.page.locator("[data-near-until]:visible").wait_for()
    visitor.look("visit")
    visitor.press_bluetooth()
    visitor.is_told("门已打开")
    assert stand.lock.body.bolt == "unlocked"
    for phone in (landlord, visitor):
        phone.context.close()
        phone.complaints.require_none()


def test_the_codes_and_the_new_phone_pages_are_looked_at(stand: Stand) -> None:
    stand.phone.page.goto(stand.home)
    stand.phone.tap("门锁密码")
    stand.phone.sees("今天的密码")
    stand.phone.look("codes")
    stand.phone.tap("给我一个一次性密码")
    stand.phone.sees("只能开一次门")
    stand.phone.look("once-code")
    stand.phone.page.goto(stand.home)
    stand.phone.tap("手机丢了或换手机")
    stand.phone.look("new-phone")
    stand.phone.tap("请工作人员确认")
    stand.phone.sees("事项编号")
    stand.phone.look("new-phone-asked")
