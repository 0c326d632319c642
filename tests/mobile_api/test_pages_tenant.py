"""The tenant's pages: invitation, tasks, notice, identity, consent, check, declaration, key, receipt, moving out."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from datetime import date
from io import BytesIO
from typing import Any

import pytest

from backend.domain.faces import FACE_REASONS
from backend.domain.house_rules import DEMO_HANDLER
from backend.domain.notices import NOTICES
from backend.gateways.face_matcher import FaceBusy, FaceUnavailable, FakeFaceMatcher
from backend.services.identity_reviews import attest
from backend.services.leases import end_lease
from backend.wire.jwk import jwk_of, make_private_key
from backend.wire.receipts import find_receipt_in_file
from backend.worker.registry_loop import process_once
from tests.mobile_api.page_phones import ORIGIN, Page, PagePhone
from tests.printing.pdf_words import PdfReader
from tests.services import stories
from tests.services.stories import LANDLORD_PHONE, TENANT_NUMBER, TENANT_PHONE

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)

Browser = Callable[..., PagePhone]
Make = Callable[..., Any]
COUNTY = "341502"  # 六安市金安区


def home_of(story: Any) -> str:
    return f"/t/homes/{story.registration_id}"


def enter_identity(phone: PagePhone, home: str, number: str = TENANT_NUMBER) -> Page:
    return phone.press(phone.get(f"{home}/identity"), "核对并继续", id_type="111", id_number=number, name="周来福")


def let_faces_say(world: Any, decision: str, *reasons: str) -> None:
    """Tell the fake matcher anew what it answers."""
    assert isinstance(world.faces, FakeFaceMatcher)
    world.faces.__init__(FakeFaceMatcher.verdict(decision, *reasons))  # type: ignore[misc]


def check_face(phone: PagePhone, home: str, document: bytes = b"document", count: int = 36) -> Page:
    """What face_check.js sends: challenge for the document's hash, then document and frames with their times."""
    csrf = phone.get(f"{home}/face/check").form("English").values["csrf_token"]
    asked = {"csrf_token": csrf, "document_sha256": hashlib.sha256(document).hexdigest()}
    challenge = phone.client.post("/t/face/challenge", data=asked, base_url=ORIGIN,
                                  headers={"Accept": "application/json"}).json  # fmt: skip
    body = {
        "csrf_token": csrf,
        "challenge_id": challenge.get("id", ""),
        "nonce": challenge.get("nonce", ""),
        "document": (BytesIO(document), "document.jpg"),
        "frames": [(BytesIO(b"frame"), "frame.jpg") for _ in range(count)],
        "at_ms": [str(number * 250) for number in range(count)],
    }
    return Page(phone.client.post(f"{home}/face/check", data=body, base_url=ORIGIN))


def test_the_link_shows_aliases_and_dates_before_signing_in_and_nothing_personal(browser: Browser, make: Make) -> None:
    story = make(stories.make_invited)
    page = browser().get(f"/i/{story.link_token}")
    assert "沈*" in page.html and "陈塘路1号 101室" in page.html and "2026年11月23日" in page.text
    for secret in ("沈安一", "周来福", TENANT_NUMBER, TENANT_PHONE[3:]):
        assert secret not in page.html
    assert any(link.startswith("/sign-in?next=/i/") for link in page.reader.links)


def test_accepting_binds_the_phones_own_key_and_opens_the_task_list(browser: Browser, make: Make) -> None:
    story = make(stories.make_invited)
    phone = browser(TENANT_PHONE)
    jwk = json.dumps(jwk_of(make_private_key().public_key()))
    page = phone.press(phone.get(f"/i/{story.link_token}"), "接受邀请", phone_jwk=jwk)
    assert page.path == home_of(story) and "已接受邀请" in page.text and "去办理" in page.text
    assert browser().get(f"/i/{story.link_token}").status == 410


def test_the_wrong_phone_is_refused_kindly(browser: Browser, make: Make) -> None:
    story = make(stories.make_invited)
    phone = browser("+8619900009999")
    jwk = json.dumps(jwk_of(make_private_key().public_key()))
    link = f"/i/{story.link_token}"
    page = phone.get(link)
    assert "这个邀请只发给" in page.text and "接受邀请" not in page.text and "退出登录" in page.text
    token = page.form("退出登录").values["csrf_token"]
    for key, status in ((jwk, 403), ("not a key", 422)):
        sent = {"csrf_token": token, "phone_jwk": key}
        answer = Page(phone.client.post(link, data=sent, base_url=ORIGIN))
        assert answer.status == status and "接受邀请" not in answer.text
    assert "只有手机号" in browser().get(link).text


def test_what_has_no_end_says_so_in_words(browser: Browser, make: Make) -> None:
    story = make(stories.make_invited, ends_on=None)
    phone = browser(TENANT_PHONE)
    assert "2026年11月23日起，不定期" in phone.get(f"/i/{story.link_token}").text
    phone.client.set_cookie("anju-lang", "en")
    english = phone.get(f"/i/{story.link_token}").text.replace("\xa0", " ")
    assert "From 23 Nov 2026 on, open-ended" in english


def test_the_notice_is_read_in_layers_nothing_is_ticked_its_version_is_kept(browser: Browser, make: Make) -> None:
    story = make(stories.make_claimed)
    phone = browser(TENANT_PHONE)
    page = phone.get(f"{home_of(story)}/notice")
    assert page.html.count("<details") >= 6 and "checked" not in page.html
    assert DEMO_HANDLER.zh in page.text and DEMO_HANDLER.contact in page.text  # PIPL-17
    assert phone.press(page, "我已阅读").path == f"{home_of(story)}/identity"
    assert NOTICES["registration_notice"].version in phone.get("/me/consents").text


def test_a_small_x_becomes_large_and_the_number_is_masked_afterwards(browser: Browser, make: Make) -> None:
    numbers = (stories.sample_number("341822", date(year, 1, 1)) for year in range(1960, 2000))
    number = next(number for number in numbers if number.endswith("X"))
    story = make(stories.make_claimed, tenant_id_number=number)
    phone = browser(TENANT_PHONE)
    page = enter_identity(phone, home_of(story), number.lower())
    assert page.path == f"{home_of(story)}/face"
    again = phone.get(f"{home_of(story)}/identity")
    assert number not in again.html and "341*" in again.html


def test_declining_the_face_check_leads_to_equal_other_ways(browser: Browser, make: Make) -> None:
    story = make(stories.make_identified)
    phone = browser(TENANT_PHONE)
    page = phone.get(f"{home_of(story)}/face")
    assert "checked" not in page.html and "不是唯一方式" in page.text
    page = phone.press(page, "不同意")
    assert page.path == f"{home_of(story)}/ways"
    for way in ("到窗口当面核验", "预约视频核验", "请房东当面见证"):
        assert way in page.text
    asked = phone.press(page, "选这种")
    assert "AJ-" in asked.html and "已登记" in asked.text
    assert "选这种" not in asked.text, "one request is enough"


def test_the_camera_page_needs_the_consent_and_asks_for_nothing_by_itself(browser: Browser, make: Make) -> None:
    story = make(stories.make_identified)
    phone = browser(TENANT_PHONE)
    assert phone.get(f"{home_of(story)}/face/check").path == f"{home_of(story)}/face"
    page = phone.press(phone.get(f"{home_of(story)}/face"), "同意，用人脸核验")
    assert page.path == f"{home_of(story)}/face/check"
    assert ("button", "data-act", "start") in page.reader.attributes and "autoplay" not in page.html


def look_at_document(phone: PagePhone, home: str) -> Page:
    """What face_check.js sends as soon as a picture is chosen."""
    csrf = phone.get(f"{home}/face/check").form("").values["csrf_token"]
    body = {"csrf_token": csrf, "document": (BytesIO(b"document"), "document.jpg")}
    return Page(phone.client.post("/t/face/document", data=body, base_url=ORIGIN))


def test_what_is_wrong_with_the_document_is_told_at_its_picture(browser: Browser, make: Make, world: Any) -> None:
    story = make(stories.make_identified)
    make(stories.read_notice, story.tenant, "face_check")
    phone = browser(TENANT_PHONE)
    world.faces.faults = ("document_no_face", "document_dark")
    page = look_at_document(phone, home_of(story))
    assert page.status == 200
    for code in world.faces.faults:
        assert FACE_REASONS[code].zh in page.text and FACE_REASONS[code].tip_zh in page.text
    assert page.html.index('data-act="retake"') < page.html.index('data-act="to-live"')
    phone.client.set_cookie("anju-lang", "en")
    assert FACE_REASONS["document_dark"].tip_en in look_at_document(phone, home_of(story)).text
    world.faces.faults = ()
    usable = look_at_document(phone, home_of(story))
    assert "The picture can be used" in usable.text and 'data-act="retake"' not in usable.html


@pytest.mark.parametrize("trouble", [FaceBusy(7), FaceUnavailable("gone")])
def test_a_look_that_cannot_be_made_keeps_nobody_from_going_on(
    browser: Browser, make: Make, world: Any, trouble: Exception
) -> None:
    story = make(stories.make_identified)
    make(stories.read_notice, story.tenant, "face_check")
    phone = browser(TENANT_PHONE)
    csrf = phone.get(f"{home_of(story)}/face/check").form("English").values["csrf_token"]
    world.faces.error = trouble
    page = look_at_document(phone, home_of(story))
    assert page.status == 503 and "没有先看" in page.text and 'data-act="to-live"' in page.html
    for incomplete, words in (({"csrf_token": csrf}, "必填"), ({}, "页面已过期")):
        answer = Page(phone.client.post("/t/face/document", data=incomplete, base_url=ORIGIN))
        assert answer.status == 422 and words in answer.text


def test_a_document_whose_check_would_be_refused_is_not_looked_at(browser: Browser, make: Make, world: Any) -> None:
    story = make(stories.make_identified)
    make(stories.read_notice, story.tenant, "face_check")
    phone = browser(TENANT_PHONE)
    let_faces_say(world, "no_match")
    for _ in range(3):
        check_face(phone, home_of(story))
    page = look_at_document(phone, home_of(story))
    assert page.status == 409 and "已试三次" in page.text and "data-act" not in page.html
    assert world.faces.looked == 0


def test_a_match_verifies_and_shows_no_figure(browser: Browser, make: Make) -> None:
    story = make(stories.make_identified)
    make(stories.read_notice, story.tenant, "face_check")
    phone = browser(TENANT_PHONE)
    page = check_face(phone, home_of(story))
    assert page.status == 200 and "身份已核验" in page.text and "0.3" not in page.html
    assert phone.get(f"{home_of(story)}/face/check").path == home_of(story)


OUTCOMES = {"retake": "照片问题不计次数", "no_match": "还可以试 2 次", "review": "需要工作人员看一下"}


@pytest.mark.parametrize("decision", OUTCOMES)
def test_another_outcome_says_why_and_what_to_do(browser: Browser, make: Make, world: Any, decision: str) -> None:
    story = make(stories.make_identified)
    make(stories.read_notice, story.tenant, "face_check")
    reason = next(iter(FACE_REASONS))
    let_faces_say(world, decision, reason)
    page = check_face(browser(TENANT_PHONE), home_of(story))
    assert FACE_REASONS[reason].zh in page.text and FACE_REASONS[reason].tip_zh in page.text
    assert OUTCOMES[decision] in page.text and f"{home_of(story)}/ways" in page.reader.links
    if decision != "review":  # the reason is about the document: that picture is the one to take again, first
        assert page.html.index('data-act="new-document"') < page.html.index('data-act="again"')


def test_three_times_no_match_leads_to_a_person(browser: Browser, make: Make, world: Any) -> None:
    story = make(stories.make_identified)
    make(stories.read_notice, story.tenant, "face_check")
    let_faces_say(world, "no_match")
    phone = browser(TENANT_PHONE)
    pages = [check_face(phone, home_of(story)) for _ in range(3)]
    assert "AJ-" in pages[2].html and "再拍一次" not in pages[2].html
    assert "工作人员核验中" in phone.get(home_of(story)).text


def test_too_few_pictures_are_refused_in_words(browser: Browser, make: Make, world: Any) -> None:
    story = make(stories.make_identified)
    make(stories.read_notice, story.tenant, "face_check")
    page = check_face(browser(TENANT_PHONE), home_of(story), count=5)
    assert page.status == 422 and "这次没有核验" in page.text


def declare(phone: PagePhone, home: str, **answers: str) -> Page:
    page = phone.get(f"{home}/declare")
    return phone.press(page, "提交申报", **{"province": "34", "hukou_division": COUNTY, **answers})


def test_the_declaration_asks_for_the_county_without_javascript_too(browser: Browser, make: Make) -> None:
    story = make(stories.make_identified)
    phone = browser(TENANT_PHONE)
    page = declare(phone, home_of(story), hukou_division="", province="34")
    assert page.status == 422 and "hukou_division-fault" in page.reader.ids
    assert f'value="{COUNTY}"' in page.html and "六安市" in page.html
    done = phone.press(page, "提交申报", hukou_division=COUNTY)
    assert done.path == home_of(story) and "已申报" in done.text


def test_a_future_move_in_is_said_at_the_field(browser: Browser, make: Make) -> None:
    story = make(stories.make_identified)
    page = declare(browser(TENANT_PHONE), home_of(story), move_in_on="2027-05-01")
    assert page.status == 422 and "move_in_on-fault" in page.reader.ids
    assert page.form("提交申报").values["move_in_on"] == "2027-05-01"


def test_sending_the_declaration_twice_makes_one(browser: Browser, make: Make) -> None:
    story = make(stories.make_identified)
    phone = browser(TENANT_PHONE)
    page = phone.get(f"{home_of(story)}/declare")
    answers = {"province": "34", "hukou_division": COUNTY}
    assert [phone.press(page, "提交申报", **answers).path for _ in range(2)] == [home_of(story)] * 2


def test_a_declaration_is_corrected_from_the_page_and_faults_are_said(browser: Browser, make: Make) -> None:
    story = make(stories.make_active)
    phone = browser(TENANT_PHONE)
    page = phone.get(f"{home_of(story)}/amend")
    faulty = phone.press(page, "提交更正", move_in_on="2027-05-01")
    assert faulty.status == 422 and "move_in_on-fault" in faulty.reader.ids
    done = phone.press(page, "提交更正", reason="206")
    assert done.path == home_of(story) and "更正已提交" in done.text


def test_a_local_household_is_told_that_nothing_is_sent(browser: Browser, make: Make) -> None:
    story = make(stories.make_declared, "330522")
    page = browser(TENANT_PHONE).get(home_of(story))
    assert "依法不报送" in page.text and "ZJ-2" in page.text


def test_the_key_screen_has_one_big_button_and_says_its_state(browser: Browser, make: Make) -> None:
    story = make(stories.make_claimed)
    phone = browser(TENANT_PHONE)
    page = phone.get(f"{home_of(story)}/key")
    assert "办完任务清单" in page.text and ("button", "disabled", "") in page.reader.attributes
    assert page.reader.classes.count("key-button") == 1


def test_an_offline_lock_is_said_at_once_and_no_command_is_kept(browser: Browser, make: Make) -> None:
    story = make(stories.make_active)
    phone = browser(TENANT_PHONE)
    page = phone.get(f"{home_of(story)}/key")
    form = page.form("开门")
    answer = phone.client.post(form.action, data=form.values, base_url=ORIGIN, headers={"Accept": "application/json"})
    assert answer.status_code == 409 and answer.json["code"] == "lock_offline"
    assert "离线" in phone.press(page, "开门").text


def test_the_holder_may_suspend_and_resume_the_own_key(browser: Browser, make: Make) -> None:
    story = make(stories.make_active)
    phone = browser(TENANT_PHONE)
    page = phone.press(phone.get(f"{home_of(story)}/key/suspend"), "暂停钥匙")
    assert page.path == f"{home_of(story)}/key" and "钥匙已暂停" in page.text
    page = phone.press(phone.get(f"{home_of(story)}/key/resume"), "恢复钥匙")
    assert "可用" in page.text


def test_the_receipt_is_printable_and_its_text_verifies_on_the_public_page(
    browser: Browser, make: Make, world: Any
) -> None:
    story = make(stories.make_active)
    phone = browser(TENANT_PHONE)
    assert phone.get(f"{home_of(story)}/receipt").status == 404
    for _ in range(3):
        make(process_once, sleep=lambda seconds: None)
    page = phone.get(f"{home_of(story)}/receipt")
    assert page.status == 200 and "签名已验证" in page.text and "周来福" in page.html and TENANT_NUMBER not in page.html
    text = next(word for word in page.reader.words if "/r/#RR1:" in word)
    assert f"{home_of(story)}/receipt.pdf" in page.reader.links
    answer = phone.client.get(f"{home_of(story)}/receipt.pdf?lang=en", base_url=ORIGIN)
    assert answer.mimetype == "application/pdf" and answer.headers["Cache-Control"] == "no-store"
    assert find_receipt_in_file(answer.data) in text
    words = PdfReader(answer.data).text()
    assert "周来福" in words and "Receipt of residence registration" in words
    assert TENANT_NUMBER not in words and not re.search(r"\d{15}", words.replace("\n", ""))
    assert phone.get(f"{home_of(story)}/check-out-receipt.pdf").status == 404, "not moved out"
    stranger = browser()
    assert "凭证是真的" in stranger.press(stranger.get("/r/"), "查验", text=text).text


def test_still_here_keeps_the_key_and_calls_a_person(browser: Browser, make: Make, world: Any) -> None:
    story = make(stories.make_active)
    make(end_lease, account_id=story.landlord, lease_id=story.lease_id, ended_on=world.clock.today())
    phone = browser(TENANT_PHONE)
    assert "房东说您已经搬走了" in phone.get(home_of(story)).text
    page = phone.press(phone.get(f"{home_of(story)}/still-here"), "确认")
    assert "有争议" in page.text and "AJ-" in page.html
    assert "可用" in phone.get(f"{home_of(story)}/key").text
    assert "仍住在这里" in browser(LANDLORD_PHONE).get(f"/l/leases/{story.lease_id}").text


def test_moving_out_takes_two_steps_and_ends_the_key(browser: Browser, make: Make) -> None:
    story = make(stories.make_active)
    phone = browser(TENANT_PHONE)
    page = phone.press(phone.get(f"{home_of(story)}/move-out"), "下一步", reason="left_county")
    assert "第 2 步" in page.text and "离开本县" in page.text
    back = phone.press(page, "修改")
    assert back.form("下一步").values["reason"] == "left_county"
    done = phone.press(page, "确认搬走")
    assert done.path == home_of(story) and "已办理退房" in done.text and "已离开" in done.text
    assert "钥匙已停用" in phone.get(f"{home_of(story)}/key").text


def test_a_move_out_before_the_move_in_is_refused_at_the_field(browser: Browser, make: Make) -> None:
    story = make(stories.make_active)
    phone = browser(TENANT_PHONE)
    page = phone.get(f"{home_of(story)}/move-out")
    page = phone.press(page, "下一步", reason="left_county", moved_out_on="2020-01-01")
    assert page.status == 422 and "moved_out_on-fault" in page.reader.ids


def test_everything_about_oneself_is_within_reach(browser: Browser, make: Make) -> None:
    make(stories.make_active)
    phone = browser(TENANT_PHONE)
    assert {"/me/access", "/me/data", "/me/sign-ins"} <= set(phone.get("/me/").reader.links)
    within = {"/me/access", "/me/export", "/me/export.pdf", "/me/consents", "/me/delete"}
    assert within <= set(phone.get("/me/data").reader.links)
    assert "还没有人看过" in phone.get("/me/access").text
    export = phone.client.get("/me/export", base_url=ORIGIN)
    assert export.headers["Content-Disposition"].startswith("attachment") and TENANT_NUMBER not in export.text
    page = phone.press(phone.get("/me/consents/registration_notice/withdraw"), "撤回同意")
    assert page.path == "/me/consents" and "已撤回" in page.text


def test_messages_are_read_one_by_one(browser: Browser, make: Make) -> None:
    make(stories.make_active)
    phone = browser(TENANT_PHONE)
    page = phone.get("/me/messages")
    assert "钥匙已可用" in page.text and "未读" in page.text
    assert "未读" not in phone.press(page, "知道了").text


def test_an_attested_identity_says_on_the_home_that_its_review_is_still_to_come(browser: Browser, make: Make) -> None:
    story = make(stories.make_identified)
    phone = browser(TENANT_PHONE)
    declare(phone, home_of(story))
    make(attest, account_id=story.landlord, lease_id=story.lease_id, met_in_person=True, saw_document=True)
    page = phone.get(home_of(story))
    assert "去开门" in page.text and "身份待工作人员复核" in page.text and "2026年11月26日" in page.text
    assert "已经可用的钥匙不停用" in page.text
