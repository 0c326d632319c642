"""L4, side by side without network: two phones, a lock, no server; later the platform takes the key in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from backend.services.persons import enter_identity
from backend.wire.jwk import jwk_of, make_private_key
from device_sim.lock import Lock
from tests.browser.key_stage import OWN, Air, Holder, Server, air, make, mobile, server
from tests.browser.qr_reading import read_qr
from tests.device_sim.makers import events
from tests.mobile_api.near_stories import lock_of
from tests.services import stories
from tests.services.stories import LANDLORD_PHONE, TENANT_NUMBER, TENANT_PHONE, Story

__all__ = ["air", "make", "mobile", "server"]

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)]

IS_KEPT = "async () => !!navigator.serviceWorker.controller && !!(await caches.match('/static/qr_code.js'))"


class Pair:
    """Landlord and tenant before a door; the tenant is known to the platform and has not taken the invitation yet."""

    def __init__(self, landlord: Holder, tenant: Holder, story: Story, lock: Lock, server: Server) -> None:
        self.landlord, self.tenant, self.story, self.lock, self.server = landlord, tenant, story, lock, server

    def prepare(self) -> None:
        """While there is a network: both phones fetch what they need and keep their pages."""
        self.landlord.page.goto(f"/sign-in?next=/l/leases/{self.story.lease_id}/share")
        self.landlord.sign_in(LANDLORD_PHONE[3:])
        self.landlord.tap("准备当面发钥匙")
        self.landlord.sees("没有网络也能发这把钥匙")
        self.landlord.look("share")
        self.landlord.page.locator("[data-go]").click()
        self.landlord.sees("租客的手机")
        self.landlord.wait_until(IS_KEPT)
        self.tenant.page.goto("/sign-in?next=/t/receive")
        self.tenant.sign_in(TENANT_PHONE[3:])
        self.tenant.sees("给房东扫这个码")
        self.tenant.wait_until(IS_KEPT)
        self.tenant.look("receive")

    def lose_network(self) -> None:
        """From here on the browsers rightly complain about the network."""
        for phone in (self.landlord, self.tenant):
            phone.complaints.require_none()
            phone.context.set_offline(True)

    def scan(self, scanning: Holder, place: Any) -> None:
        """A phone's camera reads the other's code and opens the link that stands in it."""
        link = read_qr(place)
        assert link.startswith(self.server.base)
        scanning.page.goto("about:blank")
        scanning.page.goto(link)


@pytest.fixture
def pair(chromium: Any, mobile: Any, server: Server, air: Air, make: Any, world: Any) -> Iterator[Pair]:
    story = make(stories.make_invited)
    story.tenant = make(stories.make_account, TENANT_PHONE)
    make(stories.read_notice, story.tenant)
    make(enter_identity, account_id=story.tenant, id_type="111", id_number=TENANT_NUMBER, name="周来福")
    make(stories.verify_at_window, story.tenant)
    lock = lock_of(world, story)
    air.put(OWN, lock)
    air.chosen = OWN
    phones = []
    for name in ("landlord", "tenant"):
        phone = Holder(chromium, server.base, mobile, world)
        phone.name = f"side-{name}"
        phone.page.clock.set_fixed_time(world.clock.now())
        air.serve(phone.page)
        phones.append(phone)
    yield Pair(phones[0], phones[1], story, lock, server)
    for phone in phones:
        phone.context.close()


def test_l4_side_by_side_without_network_a_qr_code_carries_the_key(pair: Pair, make: Any) -> None:
    landlord, tenant = pair.landlord, pair.tenant
    pair.prepare()
    pair.lose_network()

    pair.scan(landlord, tenant.page.locator("[data-own] [data-qr]"))
    landlord.sees("拿到了租客手机的公钥")
    assert landlord.page.locator("[data-digits]").inner_text() == tenant.page.locator("[data-digits]").inner_text()
    landlord.tap("发钥匙")
    landlord.sees("请租客扫这个码")
    landlord.sees("联网后，这部手机会自动告诉平台")
    landlord.look("issued")
    pair.scan(tenant, landlord.page.locator("[data-issued] [data-qr]"))
    tenant.sees("钥匙已收到")
    assert "#" not in tenant.page.url, "what opens a door does not stay in the address"
    tenant.look("received")
    tenant.press_bluetooth()
    tenant.is_told("门已打开")
    assert [kind for kind, _, _ in events(pair.lock)] == ["lock.unlocked"]
    assert make(_key_state, pair.story) == "invited", "the platform has heard nothing"

    tenant.context.set_offline(False)
    tenant.page.reload()
    tenant.sees("平台已知道这把钥匙")
    landlord.context.set_offline(False)
    landlord.page.reload()
    landlord.wait_until("async () => (await (await import('/static/kept.js')).keptIssues()).length === 0")
    assert make(_key_state, pair.story) == "claimed"


def test_l4_side_by_side_without_network_the_lock_carries_it_where_no_camera_can(pair: Pair) -> None:
    landlord, tenant = pair.landlord, pair.tenant
    pair.prepare()
    pair.lose_network()
    stranger = jwk_of(make_private_key().public_key())
    landlord.page.goto(f"/l/offline#k={stranger['x']}~{stranger['y']}")
    landlord.sees("拿到了租客手机的公钥")
    landlord.tap("发钥匙")
    landlord.sees("请租客扫这个码")
    pair.scan(tenant, landlord.page.locator("[data-issued] [data-qr]"))
    tenant.sees("不是发给这部手机的")
    landlord.page.goto("/l/offline")
    tenant.tap("不能扫码")
    tenant.tap("放到门锁里")
    tenant.sees("已放到门锁里")
    landlord.tap("不能扫码")
    landlord.page.locator("#box").fill(tenant.page.locator("[data-box]").inner_text())
    landlord.tap("从门锁取公钥")
    landlord.sees("核对码")
    landlord.tap("发钥匙")
    landlord.sees("已放到门锁里")
    tenant.tap("取钥匙")
    tenant.sees("钥匙已收到")
    tenant.press_bluetooth()
    tenant.is_told("门已打开")
    assert pair.lock.body.bolt == "unlocked"


def _key_state(world: Any, story: Story) -> str:
    return stories.key_row(story.key_id).state
