"""The whole journey by hand-like taps in a real browser, against a whole demo: processes, broker, locks, registry."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from backend.seeding import sample_number
from device_sim.faces import default_document, default_selfie, record_burst
from tests.browser.camera import film
from tests.browser.conftest import Phone
from tests.browser.hand_time import A_LANDLORD, A_LANDLORD_WHO_ADDS_THE_ROOM, A_TENANT, Goal

pytestmark = pytest.mark.browser

Phones = Callable[..., Phone]
Record = Callable[[str, object], None]

FREE_ROOM = "陈塘村 11号"  # a dwelling of the sample village whose rooms nobody has claimed
# The person says no to the camera the first time.
REFUSE_ONCE = """() => {
  const media = navigator.mediaDevices, real = media.getUserMedia.bind(media);
  media.getUserMedia = async () => {
    media.getUserMedia = real;
    throw new DOMException('', 'NotAllowedError');
  };
}"""


@pytest.fixture(scope="module")
def selfie() -> bytes:
    return default_selfie()


def judge(phone: Phone, journey: str, goal: Goal, record_property: Record) -> None:
    """Print what this journey asked of the hands, and hold it to the goal; how fast this machine is, is not judged."""
    hands = phone.hands
    record_property("Taps", f"{journey}: {hands.taps} of {goal.taps}")
    record_property("Hand time", f"{journey}: {hands.told(goal)}")
    assert hands.taps <= goal.taps
    assert hands.seconds <= goal.seconds


def add_a_room(landlord: Phone, room: str) -> None:
    """From the signed-in landlord to a claimed unit that the address base did not have."""
    landlord.fill(q="陈塘村 9号")
    landlord.tap("查找")
    landlord.look("search")
    landlord.touch(landlord.page.locator("main a.item").first)
    landlord.tap("列表里没有，新增房间")
    landlord.look("add-unit")
    landlord.fill(label=room, space_kind="bedroom", usable_area_m2="14", capacity="2", right_kind="owner",
                  evidence="不动产权证第0009号")  # fmt: skip
    landlord.tap("新增并认领")
    landlord.sees("已认领")


def pick_a_room(landlord: Phone) -> None:
    """The same with a unit that the address base has."""
    landlord.fill(q=FREE_ROOM)
    landlord.press_enter()
    landlord.sees("找到")
    landlord.touch(landlord.page.locator("main a.item").first)
    landlord.sees("选择房间")
    landlord.touch(landlord.page.locator("main a.item", has_text="可以认领").first)
    landlord.fill(right_kind="owner", evidence="不动产权证第0009号")
    landlord.look("claim-unit")
    landlord.touch(landlord.page.get_by_role("button", name="认领", exact=True))
    landlord.sees("已认领")


def claim_a_lock(landlord: Phone) -> None:
    """From the claimed unit to its lock's page."""
    stickers = landlord.context.new_page()
    stickers.goto("/demo/messages")
    code = stickers.locator("#locks b.number").first.inner_text()
    stickers.close()
    landlord.tap("领取门锁")
    landlord.look("claim-lock")
    landlord.fill(claim_code=code)
    landlord.touch(landlord.page.get_by_role("button", name="领取", exact=True))
    landlord.sees("健康与安全记录")
    landlord.page.get_by_text("在线", exact=True).or_(landlord.page.get_by_text("休眠")).first.wait_for()
    landlord.look("lock")


def become_landlord(landlord: Phone, number: str, id_number: str) -> None:
    landlord.page.goto("/")
    landlord.look("front")
    landlord.tap("我是房东")
    landlord.begin_count()  # from the sign-in
    landlord.sign_in(number)
    landlord.look("home-empty")
    landlord.tap("填写身份")
    landlord.fill(id_type="111", name="样小松", id_number=id_number)
    landlord.look("identity")
    landlord.tap("核对身份")
    landlord.sees("找到房子")


def let_the_room(landlord: Phone, tenant_phone: str, id_number: str) -> str:
    """From the unit to the share page; answers the link."""
    landlord.tap("登记租约，邀请租客")
    landlord.look("lease-1")
    assert landlord.page.locator("[name=kind]:checked").get_attribute("value") == "room", "as the unit is"
    landlord.fill(ends_on="2031-06-30", alias="东屋")
    landlord.tap("下一步")
    landlord.look("lease-2")
    landlord.fill(tenant_name="样小禾", tenant_id_number=id_number, tenant_phone=tenant_phone)
    landlord.tap("下一步")
    landlord.look("lease-3")
    landlord.tap("登记并邀请租客")
    landlord.sees("邀请短信")  # on its way, or sent
    landlord.look("share")
    return landlord.page.locator("#link").inner_text()


def accept(tenant: Phone, link: str, number: str, id_number: str) -> None:
    """From the link to the consent page."""
    tenant.page.goto(link)
    tenant.look("invitation")
    tenant.tap("登录并继续")
    tenant.sign_in(number)
    tenant.tap("接受邀请")
    tenant.sees("已接受邀请")
    tenant.look("tasks")
    tenant.tap("去办理")
    tenant.look("notice")
    tenant.tap("我已阅读")
    tenant.fill(id_type="111", name="样小禾", id_number=id_number.lower())
    tenant.look("identity")
    tenant.tap("核对并继续")
    tenant.sees("人脸核验单独同意书")
    tenant.look("consent")


def act_before_the_camera(tenant: Phone, film_path: Any, selfie: bytes) -> None:
    """Let the person before the fake camera do what the challenge asks."""

    def handle(route: Any) -> None:
        answer = route.fetch()
        film(film_path, [frame.jpeg for frame in record_burst(selfie, answer.json()["actions"])])
        route.fulfill(response=answer)

    tenant.page.route("**/t/face/challenge", handle)


def declare(tenant: Phone) -> None:
    tenant.sees("申报居住登记")
    tenant.tap("去办理")
    tenant.fill(province="36")
    tenant.page.locator('#hukou_division option[value="360702"]').wait_for(state="attached")
    tenant.fill(hukou_division="360702", reason="204")
    tenant.look("declare")
    tenant.tap("确认无误")
    tenant.sees("已申报")


def open_the_door(tenant: Phone) -> None:
    tenant.touch(tenant.page.locator(".tabs a", has_text="钥匙"))
    tenant.sees("已认得这把钥匙")
    tenant.look("key")
    sent: list[str] = []
    tenant.page.on("request", lambda asked: asked.method == "POST" and sent.append(asked.url))
    tenant.page.locator(".key-button").dblclick()
    assert tenant.page.locator(".key-button").get_attribute("data-state") != "ready", "feedback comes at once"
    tenant.sees("门已打开")
    tenant.look("opened")
    assert len(sent) == 1, "a double tap is one command"
    tenant.tap("我的开门记录")
    tenant.sees("开锁")
    tenant.look("door-events")


def test_t7_the_whole_journey_with_the_right_face_and_the_right_moves(
    phones: Phones, chromium: Any, selfie: bytes, record_property: Record
) -> None:
    landlord, tenant = phones("landlord"), phones("tenant")
    tenant_number = sample_number("360721", date(1993, 4, 9))
    become_landlord(landlord, "19900088101", sample_number("330502", date(1966, 7, 11)))
    add_a_room(landlord, "东屋")
    claim_a_lock(landlord)
    link = let_the_room(landlord, "19900088201", tenant_number)
    journey = "a landlord who adds the room, from the sign-in to the issued key"
    judge(landlord, journey, A_LANDLORD_WHO_ADDS_THE_ROOM, record_property)
    landlord.tap("看租约")
    accept(tenant, link, "19900088201", tenant_number)

    act_before_the_camera(tenant, chromium.film, selfie)
    tenant.tap("同意，用人脸核验")
    document = {"name": "photo.jpg", "mimeType": "image/jpeg", "buffer": default_document()}
    tenant.page.locator("#specimen-file").set_input_files(document)
    tenant.hands.photographs += 1
    tenant.hands.taps += 3  # the button, and in the phone's own camera the shutter and "use this picture"
    tenant.sees("照片可以用")
    tenant.look("document")
    tenant.tap("继续")
    tenant.page.evaluate(REFUSE_ONCE)
    tenant.tap("打开摄像头，开始")
    tenant.sees("没有摄像头的使用许可", seconds=60)
    tenant.look("camera-refused")
    tenant.tap("打开摄像头，开始")
    tenant.awaits(tenant.page.locator("[data-decision]"), seconds=90)
    tenant.look("outcome")
    assert tenant.page.locator("[data-decision]").get_attribute("data-decision") == "match"
    tenant.tap("继续")

    declare(tenant)
    judge(tenant, "a tenant, from the link to the active key", A_TENANT, record_property)
    landlord.sees("租客已申报")
    landlord.page.locator(".task-done").nth(3).wait_for()  # without a reload
    tenant.page.get_by_text("看登记凭证").wait_for(timeout=60_000)
    tenant.look("registered")
    tenant.tap("看登记凭证")
    tenant.sees("签名已验证")
    tenant.look("receipt")
    text = tenant.page.locator("#receipt-text").text_content()
    tenant.page.goto("/r/")
    tenant.fill(text=text or "")
    tenant.tap("查验")
    tenant.sees("凭证是真的")
    tenant.look("receipt-check")
    tenant.page.goto("/t/")
    open_the_door(tenant)

    tenant.page.goto("/me/access")
    tenant.sees("居住登记送往登记机关")
    tenant.look("access")
    landlord.tap("租客已搬走")
    landlord.tap("报告租客已离开")
    landlord.sees("正在等租客确认")
    tenant.page.goto("/t/")
    tenant.look("says-left")
    tenant.tap("我还住在这里")
    tenant.tap("确认：我还住在这里")
    tenant.sees("有争议")
    tenant.look("disputed")


@pytest.mark.release
def test_the_way_without_the_face_check(phones: Phones, record_property: Record) -> None:
    landlord, tenant = phones("landlord-2", 320), phones("tenant-2", 320)
    tenant_number = sample_number("360721", date(1994, 5, 9))
    become_landlord(landlord, "19900088102", sample_number("330502", date(1967, 8, 6)))
    pick_a_room(landlord)
    claim_a_lock(landlord)
    link = let_the_room(landlord, "19900088202", tenant_number)
    judge(landlord, "a landlord, from the sign-in to the issued key", A_LANDLORD, record_property)
    landlord.tap("看租约")
    accept(tenant, link, "19900088202", tenant_number)
    tenant.tap("不同意，选其他方式")
    tenant.sees("各种方式与人脸核验效力相同")
    tenant.look("other-ways")

    landlord.page.reload()
    landlord.tap("为租客见证")
    landlord.fill(met_in_person="yes", saw_document="yes", number_ends=tenant_number[-4:])
    landlord.look("attest")
    landlord.tap("确认见证")
    landlord.sees("已见证")
    tenant.page.reload()
    tenant.tap("继续办下一步")
    declare(tenant)
    open_the_door(tenant)

    landlord.page.reload()
    landlord.sees("房东不能暂停或停用他的钥匙（HR-12）")
    assert landlord.page.get_by_text("停用钥匙", exact=True).count() == 0
    landlord.page.goto(f"{landlord.page.url.partition('?')[0]}/key/revoke")
    landlord.sees("不能停用住户的钥匙")
    landlord.look("hr-12")

    tenant.page.goto("/t/")
    tenant.tap("我要搬走")
    tenant.fill(reason="left_county")
    tenant.look("move-out-1")
    tenant.tap("下一步")
    tenant.look("move-out-2")
    tenant.tap("确认搬走")
    tenant.sees("已办理退房")
    tenant.look("moved-out")
    assert re.search(r"/t/homes/", tenant.page.url)
