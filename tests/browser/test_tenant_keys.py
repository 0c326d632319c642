"""T9, T10, T13 and T14 of the screens: the key's button, its states in words, moving out.

T11 and T12 are in test_bluetooth.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from backend.db import transaction
from backend.models.locks import Lock
from backend.services.keys import resume_key, revoke_key, suspend_key
from backend.services.leases import end_lease
from backend.worker.registry_loop import process_once
from tests.browser.tenant_stage import NOTE_BUTTON, Make, TenantPhone, make, mobile, server, tenant
from tests.services import stories

__all__ = ["make", "mobile", "server", "tenant"]

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)]


def be_online(world: Any, lock_id: str) -> None:
    with transaction() as session:
        lock = session.get_one(Lock, lock_id)
        lock.presence, lock.last_seen_at = "online", world.clock.now()


def before_the_button(phone: TenantPhone, make: Make) -> list[Any]:
    """An active key, its page open; answers the commands that have left it, each waiting for its answer."""
    story = make(stories.make_active)
    make(be_online, story.identity.lock_id)
    phone.enter()
    held: list[Any] = []
    phone.page.route("**/unlock", lambda route: held.append(route))
    phone.page.add_init_script(NOTE_BUTTON)
    phone.page.clock.install()
    phone.open(f"/t/homes/{story.registration_id}/key")
    return held


def state_of(phone: TenantPhone) -> tuple[str | None, str]:
    button = phone.page.locator(".key-button")
    return button.get_attribute("data-state"), button.inner_text()


def test_t9_the_button_answers_before_the_command_leaves_and_says_honestly_when_the_lock_is_late(
    tenant: TenantPhone, make: Make
) -> None:
    held = before_the_button(tenant, make)
    tenant.look("t9-ready")
    assert all(words in tenant.says() for words in ("可用", "门锁 在线", "有效期", "2026年11月23日"))
    assert tenant.page.locator(".key-button").count() == 1
    tenant.page.locator(".key-button").click()
    assert tenant.page.evaluate("window.told") == ["sending"], "the person saw it before anything was sent"
    assert state_of(tenant) == ("sending", "请稍等")
    tenant.page.clock.run_for(3000)
    tenant.is_told("仍在等待门锁回应")
    tenant.look("t9-late")
    held[0].fulfill(json={"id": "0", "state": "executed", "words": "门已打开", "settled": True})
    tenant.is_told("门已打开")
    assert state_of(tenant) == ("opened", "已打开")
    tenant.look("t9-opened")
    tenant.page.clock.run_for(5000)
    assert state_of(tenant) == ("ready", "开门")


def test_t10_a_double_tap_sends_one_command(tenant: TenantPhone, make: Make) -> None:
    held = before_the_button(tenant, make)
    tenant.page.locator(".key-button").dblclick()
    tenant.page.locator(".key-button").click()
    held[0].fulfill(json={"id": "0", "state": "executed", "words": "门已打开", "settled": True})
    tenant.is_told("门已打开")
    assert tenant.page.evaluate("window.told") == ["sending"] and len(held) == 1


def test_t13_each_state_of_a_key_says_why_and_whom_to_ask(
    tenant: TenantPhone, make: Make, clock: Any, world: Any
) -> None:
    begins = world.clock.today() + timedelta(days=1)
    story = make(stories.make_active, starts_on=begins, ends_on=begins + timedelta(days=2))
    page = f"/t/homes/{story.registration_id}/key"

    def expect(name: str, why: str, contact: str, *, opens: bool = False) -> None:
        tenant.open(page)
        tenant.sees(why)
        assert contact in tenant.page.locator("[data-contact]").inner_text()
        assert tenant.page.locator(".key-button").is_enabled() is opens
        tenant.look(f"t13-{name}")

    tenant.enter()
    expect("early", "钥匙从 2026年11月24日 起可用", "请房东 沈* 改租约的开始日期")
    clock.move(timedelta(days=4))
    tenant.enter()
    expect("lease-over", "租期已于 2026年11月26日 到期", "没有退房，钥匙仍然可用", opens=True)
    make(suspend_key, account_id=story.tenant, key_id=story.key_id)
    expect("suspended", "是您自己暂停的", "请联系房东 沈*")
    make(resume_key, account_id=story.tenant, key_id=story.key_id)
    make(end_lease, account_id=story.landlord, lease_id=story.lease_id, ended_on=world.clock.today())
    make(revoke_key, account_id=story.tenant, key_id=story.key_id)
    expect("revoked", "是您自己申请的", "带证件到派出所、村流动人口窗口")


def test_t14_moving_out_takes_two_steps_with_a_summary_and_ends_with_a_receipt(tenant: TenantPhone, make: Make) -> None:
    story = make(stories.make_active)
    tenant.enter()
    tenant.open("/t/")
    tenant.tap("我要搬走")
    tenant.look("t14-when")
    tenant.fill(reason="left_county")
    tenant.tap("下一步")
    tenant.sees("第 2 步，共 2 步")
    said = tenant.says()
    assert all(words in said for words in ("2026年11月23日", "离开本县", "钥匙失效", "房东得到通知", "不能撤销"))
    tenant.look("t14-check")
    tenant.tap("确认搬走")
    tenant.sees("已办理退房")
    tenant.look("t14-done")
    for _ in range(4):
        make(process_once, sleep=lambda seconds: None)
    tenant.open(f"/t/homes/{story.registration_id}")
    tenant.tap("看离开登记凭证")
    tenant.sees("签名已验证")
    tenant.look("t14-receipt")
    assert "离开日期" in tenant.says()


def test_t14_who_still_lives_there_answers_the_landlords_word(tenant: TenantPhone, make: Make, world: Any) -> None:
    story = make(stories.make_active)
    make(end_lease, account_id=story.landlord, lease_id=story.lease_id, ended_on=world.clock.today())
    tenant.enter()
    tenant.open("/t/")
    tenant.sees("房东说您已经搬走了")
    tenant.look("t14-says-left")
    tenant.tap("我还住在这里")
    tenant.tap("确认：我还住在这里")
    tenant.sees("有争议")
    tenant.sees("钥匙保持有效")
    assert "AJ-" in tenant.says()
