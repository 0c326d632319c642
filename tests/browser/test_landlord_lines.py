"""L1 to L11 of the acceptance list, each once in a real browser (L12: the test client)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from backend.db import transaction
from backend.models.lock_events import LockEvent
from backend.models.locks import Lock
from backend.services.key_changes import confirm_doors
from backend.services.registrations import check_out
from tests.browser.landlord_stage import Desk, desk, make, mobile, server
from tests.browser.qr_reading import read_qr
from tests.mobile_api.conftest import browser
from tests.mobile_api.page_phones import PagePhone
from tests.mobile_api.test_pages_landlord import end_on_paper
from tests.services import stories
from tests.services.stories import LANDLORD_PHONE, TENANT_NUMBER, TENANT_PHONE, Story
from tests.services.test_unit_board import take_over

__all__ = ["browser", "desk", "make", "mobile", "server"]

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)]

SitDown = Callable[..., Desk]


def change_lock(world: Any, story: Story, **values: Any) -> None:
    with transaction() as session:
        lock = session.get_one(Lock, story.identity.lock_id)
        for name, value in values.items():
            setattr(lock, name, value)


def report_list(world: Any, story: Story) -> None:
    """The lock is back and reports the newest key list."""
    with transaction() as session:
        lock = session.get_one(Lock, story.identity.lock_id)
        lock.presence, lock.last_seen_at = "online", world.clock.now()
        confirm_doors(world, session, lock.id, lock.list_version)


def test_l1_home_shows_units_with_their_states_and_to_dos(desk: SitDown, make: Any) -> None:
    story = make(stories.make_active)
    make(lambda _: take_over(story.landlord, story.dwelling_id))
    phone = desk()
    phone.open("/l/", "在租", "无在租")
    phone.tap("领取门锁")
    phone.sees("领取码")
    make(change_lock, story, presence="offline")
    phone.open("/l/", "锁离线", "门锁离线，请看一下")
    phone.look("home")


def test_l1_two_hundred_units_are_searched_filtered_and_paged_below_100_kb(desk: SitDown, make: Any) -> None:
    story = make(stories.make_active)
    dwelling, _ = make(stories.make_dwelling, 2, 199)
    make(lambda _: take_over(story.landlord, dwelling))
    phone = desk()
    answer = phone.page.goto("/l/")
    assert answer is not None and len(answer.body()) < 100_000
    phone.sees("200")
    phone.look("home-of-many")
    phone.tap("再看后面的")
    phone.sees("回到开头")
    phone.page.locator("[name=q]").fill("小周")
    phone.page.keyboard.press("Enter")
    phone.sees("找到 1 间")
    phone.page.goto("/l/")
    phone.page.locator(".chip").filter(has_text="无在租").click()
    phone.page.wait_for_load_state()
    assert phone.page.locator(".unit-head").count() == 20
    answer = phone.page.goto("/l/todos")
    assert answer is not None and len(answer.body()) < 100_000
    phone.look("todos")


def test_l2_a_unit_is_added_duplicates_are_pointed_out_and_kitchens_refused(desk: SitDown, make: Any) -> None:
    make(stories.make_landlord)
    make(stories.make_dwelling)
    phone = desk()
    phone.open("/l/dwellings?q=陈塘村 1号")
    phone.tap("陈塘路1号")
    phone.tap("新增")
    right = {"capacity": "1", "right_kind": "owner", "evidence": "产权证"}
    phone.fill(label="厨房", space_kind="kitchen", usable_area_m2="8", **right)
    phone.tap("新增并认领")
    phone.sees("HR-7")
    assert phone.page.evaluate("document.activeElement.matches('.summary')")
    phone.fill(label="101室", space_kind="bedroom", usable_area_m2="12")
    phone.tap("新增并认领")
    phone.sees("已有同名的房间")
    phone.fill(label="阁楼东")
    phone.tap("新增并认领")
    phone.sees("已认领")


def test_l3_a_lease_takes_three_steps_with_a_check_answers_page(desk: SitDown, make: Any, world: Any) -> None:
    story = make(stories.make_let_unit)
    phone = desk()
    phone.open(f"/l/units/{story.unit_id}/lease", "第 1 步，共 3 步")
    phone.fill(kind="room", ends_on=str(world.clock.today() + timedelta(days=365)), alias="东屋小周")
    phone.tap("下一步")
    phone.sees("第 2 步，共 3 步")
    phone.fill(tenant_name="周来福", tenant_id_number=TENANT_NUMBER, tenant_phone=TENANT_PHONE[3:])
    phone.tap("下一步")
    phone.sees("第 3 步，共 3 步")
    assert all(word in phone.words() for word in ("东屋小周", "周来福", TENANT_NUMBER, "2026年11月23日"))
    phone.look("check-answers")
    phone.tap("登记并邀请租客")
    phone.sees("让租客扫这个码")


def test_l4_share_shows_a_link_a_code_of_it_and_its_end_and_an_old_link_says_so(desk: SitDown, make: Any) -> None:
    story = make(stories.make_invited)
    phone = desk()
    phone.open(f"/l/leases/{story.lease_id}/share", "前有效")
    link = phone.page.locator("#link").inner_text()
    assert read_qr(phone.page.locator(".qr").first) == link
    phone.look("share")
    phone.tap("重新发送")
    phone.sees("前有效")
    fresh = phone.page.locator("#link").inner_text()
    assert fresh != link
    stranger = phone.beside("stranger")
    gone = PagePhone(phone._app, phone._world)
    assert gone.get(f"/i/{link.rsplit('/', 1)[1]}").status == 410
    stranger.open(f"/i/{fresh.rsplit('/', 1)[1]}", "房东邀请您领取钥匙")
    phone.tap("取消邀请")
    phone.sees("邀请已取消")
    said = gone.get(f"/i/{fresh.rsplit('/', 1)[1]}")
    assert said.status == 410 and "房东已取消这个邀请" in said.text


def test_l5_progress_comes_by_itself_and_nothing_personal_with_it(desk: SitDown, make: Any) -> None:
    story = make(stories.make_claimed)
    phone = desk()
    phone.open(f"/l/leases/{story.lease_id}", "租客已接受")
    assert phone.page.locator(".task-done").count() == 2
    make(stories.read_notice, story.tenant)
    make(stories.enter_identity, account_id=story.tenant, id_type="111", id_number=TENANT_NUMBER, name="周来福")
    make(stories.declare, account_id=story.tenant, registration_id=story.registration_id,
         move_in_on=phone._world.clock.today(), hukou_division="341822")  # fmt: skip
    make(stories.verify_at_window, story.tenant)
    phone.page.locator(".task-done").nth(3).wait_for()
    phone.sees("可用")
    for secret in (TENANT_NUMBER, TENANT_NUMBER[:6], "周来福", TENANT_PHONE[3:], "341822", "安徽"):
        assert secret not in phone.page.content()
    phone.look("progress")


def test_l6_a_key_ends_with_its_lease_and_is_no_lever(desk: SitDown, make: Any) -> None:
    story = make(stories.make_active)
    phone = desk()
    phone.open(f"/l/leases/{story.lease_id}")
    phone.tap("延长租约")
    phone.fill(ends_on="2026-12-01")
    phone.tap("延长")
    phone.sees("请看一下这里")
    phone.fill(ends_on="2028-02-01")
    phone.tap("延长")
    phone.sees("租约和钥匙都已延长")
    assert str(make(lambda _: stories.key_row(story.key_id).ends_on)) == "2028-02-01"
    phone.sees("房东不能暂停或停用他的钥匙（HR-12）")
    assert phone.page.get_by_text("停用钥匙", exact=True).count() == 0
    phone.look("no-lever")
    phone.open(f"/l/leases/{story.lease_id}/key/revoke", "不能停用住户的钥匙", "租客已搬走")
    assert phone.words().count("HR-12") == 1
    phone.look("refused")
    make(end_on_paper, story)
    for words, effect, said in (
        ("暂停钥匙", "离线的锁联网后生效", "钥匙已暂停"), ("恢复钥匙", "马上可以开门", "钥匙已恢复"),
        ("停用钥匙", "停用不能撤销", "待锁上线"),
    ):  # fmt: skip
        phone.open(f"/l/leases/{story.lease_id}")
        phone.tap(words)
        phone.sees(effect)
        phone.look(f"asks-{words}")
        phone.page.locator("main form button[type=submit]").first.click()
        phone.sees(said)


def test_l7_a_revocation_waits_for_an_offline_lock_and_is_done_when_it_is_back(desk: SitDown, make: Any) -> None:
    story = make(stories.make_active)
    make(report_list, story)
    make(change_lock, story, presence="offline")
    phone = desk()
    make(check_out, account_id=story.tenant, registration_id=story.registration_id,
         moved_out_on=phone._world.clock.today(), reason="lease_end")  # fmt: skip
    phone.open(f"/l/leases/{story.lease_id}", "待锁上线；最晚到")
    phone.look("revocation-waits")
    make(report_list, story)
    phone.sees("已送达门锁")
    assert "待锁上线" not in phone.words(), "without a reload"


def test_l8_the_lock_page_says_presence_battery_safety_and_firmware_and_marks_what_is_old(
    desk: SitDown, make: Any
) -> None:
    story = make(stories.make_let_unit)
    phone = desk()
    seen = {"last_seen_at": phone._world.clock.now(), "battery_percent": 17, "firmware": "2.4.1"}
    make(change_lock, story, presence="offline", door_state="ajar", **seen)
    phone.open(f"/l/units/{story.unit_id}/lock", "离线", "可能已经变了", "请尽快换电池", "没有关好", "2.4.1", "10:00")
    phone.look("lock-offline")
    make(change_lock, story, presence="online", door_state="closed")
    phone.page.locator(".state-good").filter(has_text="在线").wait_for()
    assert "可能已经变了" not in phone.words() and "没有关好" not in phone.words(), "without a reload"


def test_l9_the_timeline_holds_health_and_safety_and_no_comings_and_goings(desk: SitDown, make: Any) -> None:
    story = make(stories.make_active)
    make(put_events, story, "lock.unlocked", "battery.low", "door.opened", "door.closed", "door.forced")
    phone = desk()
    phone.open(f"/l/units/{story.unit_id}/lock", "门被强行打开", "电量低")
    assert phone.page.locator(".timeline li").count() == 2
    phone.look("lock-timeline")


def put_events(world: Any, story: Story, *kinds: str) -> None:
    now = world.clock.now()
    with transaction() as session:
        session.add_all(
            LockEvent(lock_id=story.identity.lock_id, seq=number, kind=kind, at=now, received_at=now, text="{}",
                      hash=b"h" * 32)
            for number, kind in enumerate(kinds, start=1)
        )  # fmt: skip


def test_l10_reminders_carry_day_and_rule_and_many_late_tenants_are_reminded_at_once(
    desk: SitDown, make: Any, clock: Any
) -> None:
    story = make(stories.make_claimed, report_now=False)
    clock.move(timedelta(days=6))
    phone = desk()
    phone.open("/l/todos", "报告租客", "ZJ-9-1", "2026年11月26日")
    phone.look("todos-of-one")
    phone.tap("报告租客")
    phone.tap("现在报告")
    phone.sees("已报告租客")
    phone.open("/l/todos")
    phone.tap("提醒 1 位逾期未申报的租客")
    phone.sees("陈塘路1号 101室")
    phone.tap("下一步")
    phone.sees("将提醒 1 位租客")
    phone.look("remind")
    phone.tap("发出提醒")
    phone.sees("已提醒 1 位租客")
    tenant = phone.beside("tenant", TENANT_PHONE)
    tenant.open("/me/messages", "房东提醒您申报", "2026年11月26日")
    tenant.look("reminded")
    assert story.tenant


def test_l11_a_lease_ends_the_tenant_is_told_and_the_next_one_follows_in_one_flow(desk: SitDown, make: Any) -> None:
    story = make(stories.make_active)
    phone = desk()
    phone.open(f"/l/leases/{story.lease_id}/end", "ZJ-9-2")
    phone.look("end")
    tenant = phone.beside("tenant", TENANT_PHONE)
    phone.tap("报告租客已离开")
    phone.sees("在他确认前钥匙不失效")
    tenant.open("/me/messages", "房东说您已搬走")
    make(check_out, account_id=story.tenant, registration_id=story.registration_id,
         moved_out_on=phone._world.clock.today(), reason="lease_end")  # fmt: skip
    phone.open(f"/l/leases/{story.lease_id}")
    phone.tap("登记下一位租客")
    phone.sees("交接：上一位是 小周")
    phone.look("handover")
    phone.fill(alias="东屋小吴")
    phone.tap("下一步")
    phone.fill(tenant_name="吴友", tenant_id_number=stories.CO_TENANT_NUMBER, tenant_phone="19900009102")
    phone.tap("下一步")
    phone.tap("登记并邀请租客")
    phone.sees("让租客扫这个码")
    assert make(lambda _: stories.key_row(story.key_id).state) in ("revoking", "revoked")


def test_l12_anothers_unit_and_lease_are_not_found(browser: Callable[..., PagePhone], make: Any) -> None:
    story = make(stories.make_active)
    make(stories.make_landlord, "+8619900009002", stories.sample_number("330522", stories.date(1970, 1, 2)))
    phone = browser("+8619900009002")
    for path in (f"units/{story.unit_id}", f"units/{story.unit_id}/lock",
                 f"leases/{story.lease_id}", f"leases/{story.lease_id}/share", f"leases/{story.lease_id}/end",
                 f"units/{story.unit_id}/lease?after={story.lease_id}"):  # fmt: skip
        assert phone.get(f"/l/{path}").status == 404, path
    assert browser(LANDLORD_PHONE).get(f"/l/units/{story.unit_id}").status == 200
