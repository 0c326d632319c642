"""T1 to T4 and T8 of the screens: from the link over notice and consent to the identity and the task list."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from backend.domain.notices import NOTICES
from backend.seeding import sample_number
from backend.services.identity_reviews import ask_a_person
from tests.browser.tenant_stage import Make, TenantPhone, make, mobile, server, tenant
from tests.services import stories
from tests.services.stories import TENANT_NUMBER, TENANT_PHONE

__all__ = ["make", "mobile", "server", "tenant"]

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)]

WORDS_A_MINUTE = 500  # an ordinary reader of Chinese, in characters


def test_t1_the_link_shows_aliases_and_dates_before_login_and_refuses_the_wrong_phone_kindly(
    tenant: TenantPhone, make: Make
) -> None:
    story = make(stories.make_invited)
    tenant.open(f"/i/{story.link_token}")
    tenant.look("t1-invitation")
    said = tenant.says()
    assert "沈*" in said and "陈塘路1号 101室" in said and "2026年11月23日" in said
    whole = tenant.page.content()
    assert not [secret for secret in ("沈安一", "周来福", TENANT_NUMBER, TENANT_PHONE[3:]) if secret in whole]
    tenant.enter("+8619900009999")
    tenant.page.reload()
    tenant.sees("这个邀请只发给")
    tenant.look("t1-wrong-phone")
    assert tenant.page.get_by_role("button", name="接受邀请").count() == 0
    tenant.tap("退出登录")
    tenant.page.wait_for_url("**/")
    tenant.open(f"/i/{story.link_token}")
    tenant.sees("登录并继续")


def test_t1_who_has_lost_the_link_finds_the_invitation_after_login(tenant: TenantPhone, make: Make) -> None:
    make(stories.make_invited)
    tenant.enter()
    tenant.open("/t/")
    tenant.look("t1-pending")
    tenant.tap("打开并接受")
    tenant.tap("接受邀请")
    tenant.sees("已接受邀请")
    tenant.open("/t/")
    tenant.sees("去办理")  # nothing else is pending: straight to the home


def test_t2_the_notice_is_read_in_a_minute_nothing_is_ticked_version_and_time_are_kept(
    tenant: TenantPhone, make: Make
) -> None:
    story = make(stories.make_claimed)
    tenant.enter()
    tenant.open(f"/t/homes/{story.registration_id}/notice")
    tenant.look("t2-notice")
    assert len(tenant.says()) <= WORDS_A_MINUTE
    assert tenant.page.locator("main details").count() >= 6
    assert tenant.page.locator("main :checked").count() == 0
    tenant.tap("我已阅读")
    tenant.open("/me/consents")
    tenant.sees(NOTICES["registration_notice"].version)
    assert "2026年11月23日 10:00" in tenant.says()


def test_t3_the_face_consent_is_a_page_of_its_own_and_no_leads_to_equal_ways(tenant: TenantPhone, make: Make) -> None:
    story = make(stories.make_identified)
    tenant.enter()
    tenant.open(f"/t/homes/{story.registration_id}/face")
    tenant.look("t3-consent")
    answers = tenant.page.locator("main form button")
    assert answers.count() == 2 and tenant.page.locator("main :checked").count() == 0
    yes, no = (answers.nth(number).bounding_box() for number in (0, 1))
    assert yes and no and (yes["width"], yes["height"]) == (no["width"], no["height"])
    tenant.tap("不同意")
    tenant.sees("各种方式与人脸核验效力相同")
    tenant.look("t3-other-ways")
    assert all(way in tenant.says() for way in ("到窗口当面核验", "预约视频核验", "请房东当面见证"))
    tenant.tap("选这种")
    tenant.sees("事项编号")


def test_t4_type_first_the_check_digit_a_large_x_and_a_masked_number(tenant: TenantPhone, make: Make) -> None:
    numbers = (sample_number("341822", date(year, 1, 1)) for year in range(1960, 2000))
    number = next(each for each in numbers if each.endswith("X"))
    story = make(stories.make_claimed, tenant_id_number=number)
    tenant.enter()
    page = f"/t/homes/{story.registration_id}/identity"
    tenant.open(page)
    assert tenant.page.locator("#id_type").is_checked(), "the usual document stands chosen"
    assert tenant.page.locator("#id_number").is_visible() and not tenant.page.locator("#birth_on").is_visible()
    tenant.fill(id_type="111", name="周来福", id_number=f"{number[:-1]}1")
    tenant.look("t4-identity")
    tenant.tap("核对并继续")
    tenant.page.locator("#id_number-fault").wait_for()
    tenant.look("t4-check-digit")
    assert tenant.page.locator(".summary").evaluate("place => place === document.activeElement")
    assert tenant.page.locator("#id_number").input_value() == f"{number[:-1]}1", "what was typed is kept"
    tenant.fill(id_number=number.lower())
    tenant.tap("核对并继续")
    tenant.sees("人脸核验单独同意书")
    tenant.open(page)
    assert number not in tenant.page.content() and "341*" in tenant.says()
    tenant.complaints.allow(422)  # the refusal itself


def test_t8_the_task_list_shows_done_next_and_the_reference_of_what_a_person_does(
    tenant: TenantPhone, make: Make, clock: Any
) -> None:
    story = make(stories.make_identified)
    make(ask_a_person, account_id=story.tenant, way="window")
    tenant.enter()
    tenant.open("/t/")
    tenant.look("t8-tasks")
    states = tenant.page.locator(".task").evaluate_all("tasks => tasks.map((task) => task.className.split('task-')[1])")
    assert states == ["done", "done", "person", "next", "later"]
    assert "AJ-" in tenant.page.locator(".task-person").inner_text()
    assert tenant.page.locator(".task-next").get_by_text("去办理").count() == 1
    clock.set(clock.now().replace(day=30))  # the third day after moving in is over
    tenant.enter()
    tenant.page.reload()
    tenant.sees("申报已过期限")
    tenant.sees("钥匙不受影响")
    tenant.look("t8-overdue")
