"""T21, T22 and the console's part of the loop, each in a real browser: report, route, handle, check, answer, rate."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from backend.services.messages import send_due_messages
from tests.browser.landlord_stage import Desk, desk
from tests.browser.staff_desks import StaffDesk, console_app, console_server, staff_desk
from tests.browser.tenant_stage import Make, TenantPhone, make, mobile, server, tenant
from tests.services import reporting_cases, stories
from tests.services.stories import TENANT_PHONE

__all__ = ["console_app", "console_server", "desk", "make", "mobile", "server", "staff_desk", "tenant"]

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)]

Sit = Callable[..., StaffDesk]
FRIEND = "19900009555"


def send_all(world: Any) -> None:
    while send_due_messages(world):
        pass


def messages_to(world: Any, number: str) -> list[str]:
    return [message.text for message in world.sms.messages() if message.phone.endswith(number)]


def look_both(phone: Any, name: str) -> None:
    """The page in English and back, at its own width and the narrowest."""
    for language in ("en", "zh"):
        phone.set_mode(language, False)
        phone.page.reload()
        phone.look(f"{name}-{language}")
    if not isinstance(phone, StaffDesk):
        phone.page.set_viewport_size({"width": 320, "height": 844})
        phone.look(f"{name}-320")
        phone.page.set_viewport_size({"width": 390, "height": 844})


def test_t21_a_report_goes_round_the_whole_loop(
    tenant: TenantPhone, staff_desk: Sit, make: Make, world: Any
) -> None:
    story = make(stories.make_active)
    tenant.enter()
    tenant.open(f"/t/homes/{story.registration_id}")
    tenant.tap("反映一个问题")
    look_both(tenant, "kinds")
    tenant.tap("房屋不安全")
    tenant.page.get_by_label("电线裸露或老化").check()
    tenant.page.get_by_label("希望打电话联系我").check()
    tenant.page.locator("[name=words]").fill("厨房插座旁边的电线露在外面，雨天会跳闸。")
    tenant.look("new-report")
    tenant.tap("提交")
    tenant.sees("已提交")
    reference = re.search(r"AJ-\d{8}-\d{4}", tenant.says())
    assert reference is not None and "住房管理部门" in tenant.says()
    tenant.page.go_back()
    tenant.page.locator("main form[method=post] button[type=submit]").click()
    tenant.sees("已提交")
    assert reference[0] in tenant.says(), "sent twice, one case"
    report = tenant.page.url.split("?")[0]
    look_both(tenant, "report-waiting")

    officer = staff_desk("officer", "handler")
    officer.open("/cases", reference[0])
    look_both(officer, "cases")
    officer.open(f"/cases/{reference[0]}", "电线裸露或老化")
    assert TENANT_PHONE not in officer.words() and "周来福" not in officer.words()
    officer.press("领取")
    officer.page.get_by_text(TENANT_PHONE).first.wait_for()
    look_both(officer, "case-taken")
    officer.page.locator("select[name=outcome]").select_option("handled:repaired")
    officer.page.locator("[name=answer_text]").fill("已联系 13900001234 的电工。")
    officer.press("提交复核")
    officer.page.get_by_text("请不要写电话、证件等号码").first.wait_for()
    officer.look("case-refused")
    officer.complaints.allow(422)
    officer.page.locator("[name=answer_text]").fill("已请电工更换线路并加装线管。")
    officer.press("提交复核")
    officer.page.get_by_text("等待负责人复核").first.wait_for()
    tenant.open(report)
    assert "加装线管" not in tenant.says() and "处理中" in tenant.says()

    checker = staff_desk("supervisor", "checker")
    checker.open("/cases?scope=check", reference[0])
    checker.open(f"/cases/{reference[0]}", "通过并答复")
    look_both(checker, "case-check")
    checker.press("通过并答复")
    checker.page.get_by_text("已答复").first.wait_for()
    make(send_all)
    assert any(reference[0] in text for text in messages_to(world, TENANT_PHONE[3:]))

    tenant.open("/me/messages")
    tenant.sees("您反映的事项已有答复")
    look_both(tenant, "told")
    tenant.open(report)
    tenant.sees("已请电工更换线路并加装线管。")
    look_both(tenant, "report-answered")
    tenant.page.get_by_label("很满意", exact=True).check()
    tenant.page.locator("[name=reason]").select_option("solved")
    tenant.tap("评价并办结")
    tenant.sees("这件事已办结")
    tenant.look("report-rated")
    tenant.open("/t/reports")
    tenant.sees("已办结")
    look_both(tenant, "reports")
    checker.open(f"/cases/{reference[0]}", "评价 5 / 5")
    look_both(checker, "case-rated")
    checker.open("/loop", "办理成效")
    look_both(checker, "loop")
    tenant.open("/me/access")
    tenant.sees("手机号")


def test_t21_an_answer_that_solves_nothing_is_reopened_once(tenant: TenantPhone, make: Make, world: Any) -> None:
    def stage(world: Any) -> tuple[Any, Any]:
        story, report = reporting_cases.make_report(world)
        reporting_cases.answer(world, reporting_cases.make_crew(world), report.reference)
        return story, report

    _, report = make(stage)
    tenant.enter()
    tenant.open(f"/t/reports/{report.id}")
    tenant.tap("没有解决，请重新办理")
    tenant.page.locator("[name=words]").fill("请打 13900001234")
    tenant.touch(tenant.page.locator("details button"))
    tenant.sees("请不要写电话、证件等号码")
    assert tenant.page.evaluate("document.activeElement.matches('.summary')")
    tenant.complaints.allow(422)
    tenant.look("reopen-refused")
    tenant.page.locator("[name=words]").fill("雨天又跳闸。")
    tenant.touch(tenant.page.locator("details button"))
    tenant.sees("已重新办理")
    assert "没有解决，请重新办理" not in tenant.says()


def test_t21_the_landlord_and_whoever_scans_the_door_report_too(desk: Callable[..., Desk], make: Make) -> None:
    story = make(stories.make_active)
    landlord = desk()
    landlord.open(f"/l/units/{story.unit_id}")
    landlord.tap("反映一个问题")
    assert "房东不配合登记" not in landlord.words()
    landlord.tap("门锁有故障")
    landlord.page.get_by_label("锁体损坏或松动").check()
    landlord.look("landlord-report")
    landlord.tap("提交")
    landlord.sees("村（社区）便民服务点")
    passer = landlord.beside("passer", "+8619900009666")
    passer.open("/u/U-TEST0101", "反映这里的问题")
    passer.tap("反映这里的问题")
    words = passer.words()
    assert "房屋不安全" in words and "门锁有故障" not in words
    passer.tap("房屋不安全")
    passer.look("door-report")


def test_t22_help_goes_to_the_chosen_person_and_before_everything_else(
    tenant: TenantPhone, staff_desk: Sit, make: Make, world: Any
) -> None:
    story = make(stories.make_active)
    tenant.enter()
    tenant.open("/t/help-contact")
    tenant.fill(phone=FRIEND)
    look_both(tenant, "help-contact-empty")
    tenant.fill(phone=FRIEND)
    tenant.tap("保存")
    tenant.sees("已保存")
    look_both(tenant, "help-contact")
    tenant.open(f"/t/homes/{story.registration_id}/key")
    tenant.tap("求助")
    tenant.page.locator("dialog[open]").wait_for()
    tenant.page.get_by_text("秒后发出").wait_for()
    tenant.look("help-counting")
    tenant.page.locator("[data-help-cancel]").click()
    tenant.page.locator("dialog:not([open])").wait_for(state="attached")
    make(send_all)
    assert messages_to(world, FRIEND) == [], "taken back in time"

    tenant.tap("求助")
    tenant.page.locator("[data-help-send]").click()  # at once
    tenant.sees("求助已发出")
    make(send_all)
    [text] = messages_to(world, FRIEND)
    assert TENANT_PHONE[-4:] in text and "110" in text and "陈塘" not in text and "周来福" not in text
    tenant.page.reload()
    tenant.sees("短信已发出")
    assert f"{FRIEND[:3]}******{FRIEND[-2:]}" in tenant.says() and "紧急情况请打 110" in tenant.says()
    look_both(tenant, "help-sent")

    officer = staff_desk("officer", "on-duty", "help_request")
    officer.open("/cases", "最优先")
    first = officer.page.locator("tbody tr").first.inner_text()
    assert "求助" in first
    officer.look("cases-with-help")


def test_t22_the_countdown_sends_by_itself_and_without_a_network_it_says_so(
    tenant: TenantPhone, make: Make, world: Any
) -> None:
    story = make(stories.make_active)
    tenant.enter()
    tenant.open(f"/t/homes/{story.registration_id}/key")
    tenant.context.set_offline(True)
    tenant.tap("求助")
    tenant.page.get_by_text("没有网络，没有发出").wait_for()
    tenant.look("help-offline")
    tenant.page.locator("dialog").press("Escape")
    tenant.context.set_offline(False)
    tenant.complaints.allow_no_network()
    tenant.tap("求助")
    tenant.sees("求助已发出", seconds=15)
    assert "您没有选人，没有发短信" in tenant.says()
    make(send_all)
    assert json.dumps([message.text for message in world.sms.messages()]).find("求助") == -1


def test_the_loops_figures_are_those_of_the_case_list(staff_desk: Sit, make: Make, world: Any, clock: Any) -> None:
    def stage(world: Any) -> None:
        story = stories.make_active(world)
        crew = reporting_cases.make_crew(world)
        for number in range(14):
            case = reporting_cases.open_report(world, story)
            for step in reporting_cases.ROAD["rated" if number < 7 else "assigned" if number < 12 else "routed"]:
                reporting_cases.act(world, crew, story, case, step)

    make(stage)
    clock.move(timedelta(minutes=5))
    supervisor = staff_desk("supervisor", "looks-on")
    supervisor.open("/loop", "按部门")
    row = supervisor.page.locator("tbody tr").first.locator("td").all_inner_texts()
    assert row[:3] == ["14", "2", "5"], "opened, waiting, taken: as many as the case list has"
    look_both(supervisor, "loop-filled")
