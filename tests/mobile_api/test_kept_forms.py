"""What was typed outlives an ended sign-in and a change of the language, for its own account and for nobody else."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from backend.services import sign_ins
from tests.html_trees import read_tree
from tests.mobile_api.page_phones import ORIGIN, Page, PagePhone
from tests.services import stories
from tests.services.stories import LANDLORD_PHONE, TENANT_NUMBER, TENANT_PHONE, Story

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)

Browser = Callable[..., PagePhone]
Make = Callable[..., Any]
NAME = "周来福"


def end_sign_ins(world: Any, account_id: str) -> None:
    for row in sign_ins.list_sessions(world, account_id=account_id):
        sign_ins.sign_out(world, account_id=account_id, session_id=row.id)


def joint_step_two(phone: PagePhone, story: Story) -> Page:
    """The second step of a co-tenant's lease, with the tenant's fields still to be filled."""
    page = phone.get(f"/l/units/{story.unit_id}/lease?joint={story.lease_id}")
    return phone.press(page, "下一步", alias="合租人小李")


def sign_in_here(phone: PagePhone, page: Page, number: str) -> Page:
    """Go through the sign-in that this page asks for, redirects of forms included."""
    page = phone.press(page, "获取验证码", phone=number)
    assert "输入验证码" in page.text, page.text
    return phone.press(page, "登录", code=phone.code(number))


@pytest.mark.parametrize("is_idle", [True, False])
def test_a_form_sent_after_the_sign_in_was_over_waits_through_the_next_one(
    browser: Browser, make: Make, clock: Any, world: Any, is_idle: bool
) -> None:
    story = make(stories.make_identified)
    phone = browser(TENANT_PHONE)
    page = phone.get(f"/t/homes/{story.registration_id}/declare")
    if is_idle:
        clock.move(world.house.page_session_idle + timedelta(minutes=1))
    else:
        make(end_sign_ins, story.tenant)
        clock.move(timedelta(minutes=2))
    again = phone.press(page, "提交申报", province="34", hukou_division="341822")
    assert again.status == 401 and "刚才填写的内容还没有提交" in again.text
    kept = again.form("获取验证码").values["kept"]
    assert "341822" not in again.html and b"341822" not in urlsafe_b64decode(kept)
    signed = sign_in_here(phone, again, TENANT_PHONE)
    assert signed.status == 200 and "刚才填写的内容还没有提交" in signed.text
    filled = phone.press(signed, "接着填写")
    assert filled.status == 200 and "已放回原处" in filled.text
    assert filled.form("提交申报").action == page.form("提交申报").action
    assert 'value="341822"' in filled.html or 'data-kept="341822"' in filled.html
    assert filled.form("提交申报").values["province"] == "34"


def test_nobody_else_hears_of_a_kept_form(browser: Browser, make: Make, clock: Any) -> None:
    story = make(stories.make_identified)
    phone = browser(TENANT_PHONE)
    page = phone.get(f"/t/homes/{story.registration_id}/declare")
    make(end_sign_ins, story.tenant)
    again = phone.press(page, "提交申报", province="34", hukou_division="341822")
    kept = again.form("获取验证码").values["kept"]
    other = sign_in_here(phone, again, "+8619900007702")
    assert other.status == 404, "the page of the other account's form"
    assert "接着填写" not in other.html and "341822" not in other.html
    stranger = browser("+8619900007703")
    token = stranger.get("/me/").form("退出登录").values["csrf_token"]
    for what in (kept, kept[:-8] + "AAAAAAA=", "no base64!"):
        sent = {"csrf_token": token, "kept": what}
        answer = stranger.client.post("/form", data=sent, base_url=ORIGIN)
        assert answer.status_code == 410 and "341822" not in answer.text
    nobody = browser()
    token = nobody.get("/sign-in").form("获取验证码").values["csrf_token"]
    assert nobody.client.post("/form", data={"csrf_token": token, "kept": kept}, base_url=ORIGIN).status_code == 401


def test_a_later_step_comes_back_as_that_step_and_can_be_sent(browser: Browser, make: Make, clock: Any) -> None:
    story = make(stories.make_active)
    phone = browser(LANDLORD_PHONE)
    page = joint_step_two(phone, story)
    make(end_sign_ins, story.landlord)
    clock.move(timedelta(minutes=2))
    again = phone.press(page, "下一步", tenant_name=NAME, tenant_id_number=TENANT_NUMBER, tenant_phone="19900009102")
    assert again.status == 401 and NAME not in again.html
    filled = phone.press(sign_in_here(phone, again, LANDLORD_PHONE), "接着填写")
    form = filled.form("下一步")
    assert (form.values["step"], form.values["joint"], form.values["alias"]) == ("2", story.lease_id, "合租人小李")
    assert (form.values["tenant_name"], form.values["tenant_phone"]) == (NAME, "19900009102")
    assert "核对后发出邀请" in phone.press(filled, "下一步").text


def test_the_language_of_the_sign_in_may_be_changed_while_a_form_waits(
    browser: Browser, make: Make, clock: Any
) -> None:
    story = make(stories.make_identified)
    phone = browser(TENANT_PHONE)
    page = phone.get(f"/t/homes/{story.registration_id}/declare")
    make(end_sign_ins, story.tenant)
    again = phone.press(page, "提交申报", province="34", hukou_division="341822")
    english = phone.press(phone.press(again, "大字"), "English")
    assert "has not been sent" in english.text and "elder" in english.reader.classes
    assert english.form("Get a code").values["kept"] == again.form("获取验证码").values["kept"]
    assert english.form("Get a code").values["next"] == f"/t/homes/{story.registration_id}/declare"
    clock.move(timedelta(minutes=2))
    code = phone.press(english, "Get a code", phone=TENANT_PHONE)
    assert code.path == "/sign-in/code", code.text
    assert phone.press(code, "中文").form("登录").values["kept"]


def test_what_cannot_be_kept_is_said_to_be_lost_and_a_button_is_nothing_written(browser: Browser, make: Make) -> None:
    story = make(stories.make_identified)
    phone = browser(TENANT_PHONE)
    page = phone.get(f"/t/homes/{story.registration_id}/declare")
    token = page.form("提交申报").values["csrf_token"]
    make(end_sign_ins, story.tenant)
    lost = phone.press(page, "提交申报", hukou_division="x" * 100_000)
    assert lost.status == 401 and "也没有保留" in lost.text
    read = Page(phone.client.post("/me/messages/read", data={"csrf_token": token}, base_url=ORIGIN))
    assert read.status == 401 and "没有保留" not in read.text and "kept" not in read.form("获取验证码").values
    assert read.form("获取验证码").values["next"] == "/me/messages"
    foreign = Page(phone.client.post(page.path, data={"csrf_token": "x", "hukou_division": "1"}, base_url=ORIGIN))
    assert "kept" not in foreign.form("获取验证码").values, "no form of this browser's"
    pictures = {"csrf_token": token, "challenge_id": "1", "nonce": "2", "at_ms": "3"}
    face = phone.client.post(f"/t/homes/{story.registration_id}/face/check", data=pictures, base_url=ORIGIN)
    assert face.status_code == 401 and 'name="kept"' not in face.text and "data-title" not in face.text


def test_the_language_carries_a_begun_form_to_its_own_page(browser: Browser, make: Make) -> None:
    story = make(stories.make_active)
    phone = browser(LANDLORD_PHONE)
    page = joint_step_two(phone, story)
    form = page.form("下一步")
    fields = [*form.values.items(), ("tenant_name", NAME), ("code", "123456"), ("phone_jwk", "{}")]
    fields = [(name, value) for name, value in fields if (name, value) != ("tenant_name", "")]
    english = phone.press(page, "English", path=form.action, filled=json.dumps(fields))
    assert english.path == "/form" and "123456" not in english.html
    shown = english.form("Next")
    assert (shown.values["step"], shown.values["joint"], shown.values["tenant_name"]) == ("2", story.lease_id, NAME)
    [note] = read_tree(english.html).find_all(class_="back-in-place")
    assert note.get("data-page") == f"/l/units/{story.unit_id}/lease?joint={story.lease_id}"
    for filled in ("", "[1]", "{", "7"):
        assert phone.press(page, "中文" if "中文" in page.html else "English", filled=filled).status == 422


def test_a_switch_on_an_answer_leads_to_the_page_of_the_form(browser: Browser, make: Make) -> None:
    story = make(stories.make_active)
    landlord, tenant = browser(LANDLORD_PHONE), browser(TENANT_PHONE)
    joint = landlord.press(joint_step_two(landlord, story), "大字")
    assert "加一位合租人" in joint.text and joint.form("下一步").values["joint"] == story.lease_id
    home = f"/t/homes/{story.registration_id}"
    asked = tenant.press(tenant.get(f"{home}/phone"), "请工作人员确认")
    assert asked.path == f"{home}/phone/ask"
    switched = tenant.press(asked, "大字")
    assert (switched.status, switched.path) == (200, f"{home}/phone")
    token = switched.form("标准字").values["csrf_token"]
    refused = Page(tenant.client.post(f"{home}/unlock", data={"csrf_token": token}, base_url=ORIGIN))
    assert refused.form("English").values["next"] in (f"{home}/key", home)
    invited = Page(
        landlord.client.post(
            f"/l/leases/{story.lease_id}/invite", base_url=ORIGIN,
            data={"csrf_token": landlord.get("/me/").form("退出登录").values["csrf_token"]},
        )
    )  # fmt: skip
    assert invited.status == 409
    inviting = landlord.press(invited, "English")
    assert (inviting.status, inviting.path) == (200, f"/l/leases/{story.lease_id}/invite"), "a page of its own"


def test_an_address_that_only_takes_forms_says_so_without_speaking_of_documents(browser: Browser, make: Make) -> None:
    story = make(stories.make_active)
    page = browser(TENANT_PHONE).get(f"/t/homes/{story.registration_id}/unlock")
    assert page.status == 405 and "这个地址不能直接打开" in page.text and "接口文档" not in page.text
