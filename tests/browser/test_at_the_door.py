"""The door, the window and the telephone in real browsers: registered without a lease, taken down, called, rated."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from sqlalchemy import select

from backend.db import db
from backend.models.cases import Case
from backend.models.registrations import Registration
from backend.services.reports import file_report
from tests.browser.landlord_stage import Desk, desk
from tests.browser.staff_desks import StaffDesk, console_app, console_server, staff_desk
from tests.browser.tenant_stage import Make, TenantPhone, make, mobile, server, tenant
from tests.browser.test_visits import TAGS, assign, look_all, walker_of
from tests.services import reporting_cases, stories
from tests.services.test_reports_at_window import make_counter

__all__ = ["console_app", "console_server", "desk", "make", "mobile", "server", "staff_desk", "tenant"]

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)]

Sit = Callable[..., StaffDesk]
CALLER = "13900000007"  # an invented number


def see_document(phone: StaffDesk, name: str = "周来福", number: str = stories.TENANT_NUMBER) -> None:
    """Enter whoever stands there, the original document in hand."""
    phone.fill(name=name, id_number=number)
    seen = phone.page.locator("[name=document_seen]")
    seen.check()
    phone.page.locator("main form button, #content form button").last.click()


def test_whoever_lives_there_is_registered_at_the_door_without_a_lease_and_the_landlord_is_asked(
    staff_desk: Sit, tenant: TenantPhone, desk: Callable[..., Desk], make: Make, world: Any
) -> None:
    story = make(stories.make_let_unit)
    phone, officer = walker_of(staff_desk), staff_desk("officer", "planner")
    assign(officer, story.unit_id)
    phone.open("/g/", "路1号")
    phone.page.locator(".stop").click()
    phone.press("核对证件，开始登记")
    see_document(phone)
    phone.page.get_by_role("heading", name="周来福").wait_for()
    phone.press("告知书和同意")
    phone.fill(given="yes")
    phone.press("记下本人的答复")
    phone.page.get_by_text("已告知并同意").wait_for()
    look_all(phone, "no-lease")
    phone.press("没有租约，当面申报")
    phone.page.get_by_text("登记照样有效").wait_for()
    phone.page.locator("form button").last.click()
    phone.page.locator("#fault-basis").wait_for()
    assert phone.page.locator(".summary a[href='#field-basis']").count() == 1
    phone.look("no-lease-faults")
    phone.complaints.allow(422)
    moved_in = (world.clock.today() - timedelta(days=20)).isoformat()
    phone.fill(province="34", hukou_division="341882")
    phone.fill(basis="oral", move_in_on=moved_in)
    phone.look("no-lease-form")
    phone.page.locator("form button").last.click()
    phone.page.get_by_text("已办理：").wait_for()
    look_all(phone, "no-lease-done")
    phone.press("关联本人手机")
    phone.fill(phone=stories.TENANT_PHONE[3:])
    phone.press("关联这个号码")
    phone.page.get_by_text("已关联手机").wait_for()
    row = make(lambda world: db.session.scalars(select(Registration)).one())
    assert (row.basis, row.declared_by, row.lease_id) == ("oral", "window", None)

    officer.open("/discrepancies?kind=unreported", "租客已申报，房东未报告", "101室")
    officer.look("unreported")

    tenant.enter()
    tenant.open(f"/t/homes/{row.id}")
    tenant.sees("口头约定，没有书面租约")
    look_plain(tenant, "home-without-lease")
    assert "沈*" in tenant.says() and "去开门" not in tenant.says()
    for page in ("amend", "household", "move-out"):
        tenant.open(f"/t/homes/{row.id}/{page}")
        tenant.page.locator("h1").wait_for()

    landlord = desk()
    landlord.open("/me/messages", "有人申报住在您的房屋，还没有租约")
    landlord.open(f"/l/units/{story.unit_id}", "有人申报住在这里，没有租约")
    assert "周来福" not in landlord.page.content()
    look_plain(landlord, "unit-without-lease")


def look_words(staff: StaffDesk, name: str) -> None:
    """A page with words that somebody wrote, which are not translated: both languages; axe finds nothing."""
    for language in ("en", "zh"):
        staff.set_mode(language, False)
        staff.page.reload()
        staff.look(f"{name}-{language}")
    found = Axe().run(staff.page, options={"runOnly": {"type": "tag", "values": TAGS}}).response["violations"]
    assert not found, json.dumps(found, ensure_ascii=False)[:900]


def look_plain(phone: Any, name: str) -> None:
    """The page in English and back, at its own width and the narrowest."""
    for language in ("en", "zh"):
        phone.set_mode(language, False)
        phone.page.reload()
        phone.page.locator("h1").wait_for()
        phone.look(f"{name}-{language}")
    phone.page.set_viewport_size({"width": 320, "height": 844})
    phone.look(f"{name}-320")
    phone.page.set_viewport_size({"width": 390, "height": 844})


def test_a_call_is_taken_down_handled_and_called_back(staff_desk: Sit, make: Make, world: Any) -> None:
    make(stories.make_dwelling, 1, 2)
    clerk = staff_desk("window_clerk", "clerk", "help_request")
    clerk.open("/cases", "待办事项")
    clerk.press("替人登记反映的问题")
    clerk.page.get_by_text("哪一处房屋").wait_for()
    clerk.fill(q="陈塘路 1号")
    clerk.page.locator("main form button, #content form button").first.click()
    clerk.page.get_by_role("link", name="101室").wait_for()
    look_words(clerk, "take-place")
    clerk.press("101室")
    clerk.page.get_by_text("哪一类问题").wait_for()
    look_words(clerk, "take-kind")
    clerk.press("房屋不安全")
    clerk.page.get_by_label("来电反映").check()
    clerk.page.locator("[name=contact]").fill("12")
    clerk.page.get_by_role("button", name="登记，交给承办部门").click()
    clerk.page.locator(".summary").wait_for()
    assert clerk.page.locator("#fault-facts").count() == clerk.page.locator("#fault-contact").count() == 1
    assert clerk.page.locator("[name=contact]").input_value() == "12", "what was typed stays"
    clerk.look("take-faults")
    clerk.complaints.allow(422)
    clerk.page.get_by_label("电线裸露或老化").check()
    clerk.page.locator("[name=contact]").fill(CALLER)
    clerk.page.locator("[name=words]").fill("厨房插座旁边的电线露在外面。")
    clerk.page.get_by_role("button", name="登记，交给承办部门").click()
    clerk.page.get_by_text("请把编号告诉对方").wait_for()
    look_words(clerk, "taken-down")
    assert CALLER not in clerk.page.content(), "the number is for whoever takes the case"
    reference = re.search(r"AJ-\d{8}-\d{4}", clerk.words())
    assert reference is not None

    officer = staff_desk("officer", "handler")
    officer.open(f"/cases/{reference[0]}", "电线裸露或老化", "来电反映")
    officer.press("领取")
    officer.page.get_by_text(f"+86{CALLER}").wait_for()
    look_words(officer, "taken-case")
    officer.page.locator("select[name=outcome]").select_option("handled:repaired")
    officer.page.locator("[name=answer_text]").fill("已更换线路。")
    officer.press("提交复核")
    officer.page.get_by_text("等待负责人复核").first.wait_for()
    checker = staff_desk("supervisor", "checker")
    checker.open(f"/cases/{reference[0]}", "复核")
    checker.page.locator("form[action$='/check'] button").click()
    checker.page.get_by_text("回电告知结果").wait_for()
    officer.open("/cases?scope=tell", "待回电（1）", reference[0])
    officer.look("to-call")
    officer.open(f"/cases/{reference[0]}", "回电告知结果")
    look_words(officer, "call-back")
    officer.press("已经告知")
    officer.page.get_by_text("反映的人说没有解决").wait_for()
    officer.page.locator("[name=words]").fill("雨天又跳闸。")
    look_words(officer, "told")
    officer.page.locator("[name=words]").fill("雨天又跳闸。")
    officer.press("重新办理")
    officer.page.get_by_text("待领取").first.wait_for()
    state = make(lambda world: db.session.scalars(select(Case.state).where(Case.reference == reference[0])).one())
    assert state == "routed"


def test_a_round_notes_what_is_wrong_with_the_house(staff_desk: Sit, make: Make, world: Any) -> None:
    _, rooms = make(stories.make_dwelling, 1, 1)
    phone, officer = walker_of(staff_desk), staff_desk("officer", "planner")
    assign(officer, rooms[0])
    phone.open("/g/", "路1号")
    phone.page.locator(".stop").click()
    phone.press("记下房屋问题")
    phone.page.get_by_role("heading", name="记下房屋问题").wait_for()
    look_all(phone, "note-kinds")
    phone.press("其他房屋问题")
    phone.page.get_by_label("楼道没有照明").check()
    phone.look("note-form")
    phone.page.get_by_role("button", name="登记，交给承办部门").click()
    phone.page.get_by_text("已交给承办部门").wait_for()
    case = make(lambda world: db.session.scalars(select(Case).where(Case.kind == "resident_report")).one())
    assert case.evidence == {"facts": ["no_light"], "source": "on_visit"} and case.unit_id == rooms[0]


def test_an_answer_is_read_and_rated_at_the_window(staff_desk: Sit, make: Make, world: Any) -> None:
    def answered(world: Any) -> str:
        counter = make_counter(world)
        made = file_report(world, account_id=counter.visit.account_id, desk=counter.desk, **reporting_cases.WIRES)
        reporting_cases.answer(world, reporting_cases.make_crew(world), made.reference)
        return made.reference

    reference = make(answered)
    clerk = staff_desk("window_clerk", "other-clerk", "help_request")
    clerk.open("/window", "开始接待")
    see_document(clerk)
    clerk.page.get_by_role("heading", name="反映的问题").wait_for()
    assert clerk.page.get_by_text(reference).count() == 0, "nothing is told before the person asks"
    clerk.press("凭编号办理")
    clerk.page.get_by_label("答复信上的编号").fill(reference)
    clerk.page.get_by_role("button", name="打开", exact=True).click()
    clerk.page.get_by_text("到了哪一步").click()
    look_words(clerk, "own-report")
    clerk.press("评价答复")
    clerk.page.locator("form .field").first.wait_for()
    clerk.fill(stars="4", reason="solved")
    clerk.page.locator("#content form button, main form button").last.click()
    clerk.page.get_by_text("已办理：").wait_for()
    clerk.look("file-rated")
    case = make(lambda world: db.session.scalars(select(Case).where(Case.reference == reference)).one())
    assert (case.state, case.stars, case.stars_reason) == ("rated", 4, "solved")
