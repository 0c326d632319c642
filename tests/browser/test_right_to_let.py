"""The right to let in real browsers: a tenant is told that nobody has seen it, staff sees it, all three read it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.browser.landlord_stage import Desk, desk
from tests.browser.staff_desks import StaffDesk, console_app, console_server, staff_desk
from tests.browser.tenant_stage import Make, TenantPhone, make, mobile, server, tenant
from tests.browser.test_loop import look_both
from tests.browser.test_visits import look_all, walker_of
from tests.services import stories

__all__ = ["console_app", "console_server", "desk", "make", "mobile", "server", "staff_desk", "tenant"]

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)]

Sit, Sits = Callable[..., StaffDesk], Callable[..., Desk]


def test_the_tenant_is_cautioned_until_the_window_has_seen_it_and_the_landlord_reads_that(
    tenant: TenantPhone, desk: Sits, staff_desk: Sit, make: Make
) -> None:
    story = make(stories.make_invited)
    tenant.open(f"/i/{story.link_token}")
    tenant.sees("付款前请先核实")
    look_both(tenant, "invitation-unseen")
    landlord = desk()
    landlord.open(f"/l/units/{story.unit_id}", "带上证明原件到窗口即可")
    look_both(landlord, "unit-unseen")

    clerk = staff_desk("window_clerk", "clerk", purpose="help_request")
    clerk.open(f"/units/{story.unit_id}", "尚未核看")
    look_all(clerk, "unit-unseen", is_phone=False)
    clerk.press("原件已核看（在窗口）")
    clerk.page.get_by_text("已核看", exact=True).wait_for()
    look_all(clerk, "unit-seen", is_phone=False)

    landlord.page.locator("#right").get_by_text("已核看").wait_for()  # the open page has followed by itself
    look_both(landlord, "unit-seen")
    tenant.open(f"/i/{story.link_token}")
    tenant.sees("工作人员已核看")
    assert "付款前请先核实" not in tenant.says()
    look_both(tenant, "invitation-seen")

    clerk.press("记错了，撤销")
    clerk.page.get_by_text("尚未核看").wait_for()
    landlord.page.locator("#right").get_by_text("尚未核看").wait_for()


def test_what_nobody_has_seen_is_listed_planned_and_seen_at_the_door(
    tenant: TenantPhone, staff_desk: Sit, make: Make
) -> None:
    story = make(stories.make_active)
    tenant.enter()
    tenant.open(f"/t/homes/{story.registration_id}")
    tenant.sees("付款前请先核实")
    look_both(tenant, "home-unseen")
    officer = staff_desk("officer", "planner")
    officer.open("/discrepancies?kind=right_unseen", "101室", "HR-9")
    look_all(officer, "list", is_phone=False)

    walker = walker_of(staff_desk)
    officer.page.locator("tr").get_by_role("link", name="安排走访").click()
    officer.page.locator("select[name=assignee_id]").select_option(index=1)
    officer.page.locator("input[name=due_on]").fill("2026-11-23")
    look_all(officer, "plan", is_phone=False)
    walker.open(f"/g/units/{story.unit_id}", "出租权尚未核看")
    walker.page.locator("main button").filter(has_text="走访").first.click()
    walker.page.get_by_text("不留复印件").first.wait_for()
    look_all(walker, "visit")
    walker.press("看谁登记在这里，核看出租权")
    look_all(walker, "door-unseen")
    walker.press("原件已核看（走访时）")
    walker.page.get_by_text("已核看", exact=True).wait_for()
    look_all(walker, "door-seen")
    tenant.page.get_by_text("房东的出租权：工作人员已核看").wait_for()  # the open page has followed by itself
    look_both(tenant, "home-seen")
    officer.open("/discrepancies?kind=right_unseen", "没有这类差异")
