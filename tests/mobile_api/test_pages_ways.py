"""The tenant's other ways as pages: times, video link, network identity, guardian, mismatch; camera only by consent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask

from backend.bootstrap import WORLD
from backend.gateways.identity_authority import UNMATCHED_NAME, FakeAuthority
from backend.seeding import sample_number
from backend.services.appointment_days import list_day, set_video_link
from backend.services.persons import enter_identity
from tests.mobile_api.page_phones import CHINESE, ORIGIN, Page, PagePhone
from tests.services import staff, stories
from tests.services.stories import TENANT_NUMBER, TENANT_PHONE

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
Browser = Callable[..., PagePhone]
Make = Callable[..., Any]
LINK = "https://meeting.example/j/1"


def home_of(story: Any) -> str:
    return f"/t/homes/{story.registration_id}"


def times_of(page: Page) -> list[str]:
    """The values of the times on offer."""
    values = [value for tag, name, value in page.reader.attributes if tag == "input" and name == "value"]
    return [value for value in values if value.endswith("+00:00")]


def test_a_time_is_chosen_moved_and_given_back(browser: Browser, make: Make) -> None:
    story = make(stories.make_identified)
    phone = browser(TENANT_PHONE)
    page = phone.get(f"{home_of(story)}/ways/window")
    assert "checked" not in [name for _tag, name, _value in page.reader.attributes], "nothing is chosen beforehand"
    unchosen = phone.press(page, "就约这个时间")
    assert unchosen.status == 422 and "还没有选。请选一项。" in unchosen.text
    booked = phone.press(page, "就约这个时间", starts_at=times_of(page)[0])
    assert booked.path == f"{home_of(story)}/ways" and "已约好" in booked.text
    assert "2026年11月23日 11:00" in booked.text and "AJ-20261123-0001" in booked.html
    moving = phone.get(f"{home_of(story)}/ways/live_video")
    assert "选了新时间" in moving.text
    moved = phone.press(moving, "就约这个时间", starts_at=times_of(moving)[-1])
    assert "工作人员会在这里放上视频链接" in moved.text
    gone = phone.press(moved, "取消预约")
    assert "预约已取消" in gone.text and "AJ-20261123-0001" in gone.html
    assert phone.get(f"{home_of(story)}/ways/crystal_ball").status == 404


def test_a_forged_time_is_refused_on_the_form(browser: Browser, make: Make) -> None:
    story = make(stories.make_identified)
    phone = browser(TENANT_PHONE)
    page = phone.get(f"{home_of(story)}/ways/window")
    for forged in ("tomorrow", "2026-11-24T01:07:00+00:00", "2026-11-24T09:00:00"):
        answer = phone.press(page, "就约这个时间", starts_at=forged)
        assert answer.status == 422 and "这个时间不能预约" in answer.text


def test_the_video_link_is_shown_once_staff_have_set_it(browser: Browser, make: Make, world: Any) -> None:
    story = make(stories.make_identified)
    phone = browser(TENANT_PHONE)
    page = phone.get(f"{home_of(story)}/ways/live_video")
    phone.press(page, "就约这个时间", starts_at=times_of(page)[0])
    clerk = make(staff.make_session, "window_clerk", purpose="review")
    [line] = make(list_day, session_id=clerk, day=world.clock.today())
    make(set_video_link, session_id=clerk, reference=line.reference, link=LINK)
    page = phone.get(f"{home_of(story)}/ways")
    assert LINK in page.reader.links and "不录像" in page.text
    assert LINK not in phone.get("/me/messages").html


def go_to_service(phone: PagePhone, story: Any, world: Any, result: str) -> str:
    """Begin, answer at the service, and give the address of the way back."""
    leaving = phone.press(phone.get(f"{home_of(story)}/ways"), "选这种：国家网络身份认证")
    [there] = [link for link in leaving.reader.links if link.startswith("https://netid.example/")]
    request_id = there.rsplit("/", 1)[1]
    asked = world.network_identity.requests[request_id]
    back = urlsplit(asked.return_to)
    return f"{back.path}?{back.query}&ticket={world.network_identity.confirm(request_id, result)}"


def test_the_network_identity_leads_away_and_back_to_the_task_list(browser: Browser, make: Make, world: Any) -> None:
    story = make(stories.make_declared)
    phone = browser(TENANT_PHONE)
    back = go_to_service(phone, story, world, "verified")
    page = phone.get(back)
    assert page.path == home_of(story) and "身份已核验" in page.text
    assert phone.get(back).status == 409, "a return is good once"
    assert "您的身份已经核验" in phone.get(f"{home_of(story)}/ways").text


@pytest.mark.parametrize(("result", "words"), [("refused", "没有确认"), ("expired", "超时")])
def test_refusing_there_comes_back_to_the_other_ways(
    browser: Browser, make: Make, world: Any, result: str, words: str
) -> None:
    story = make(stories.make_declared)
    phone = browser(TENANT_PHONE)
    page = phone.get(go_to_service(phone, story, world, result))
    assert page.path == f"{home_of(story)}/ways" and words in page.text and "到窗口当面核验" in page.text


def test_an_outage_of_the_network_identity_says_so_and_where_to_go(browser: Browser, make: Make, world: Any) -> None:
    story = make(stories.make_declared)
    phone = browser(TENANT_PHONE)
    page = phone.get(f"{home_of(story)}/ways")
    world.network_identity.available = False
    answer = phone.press(page, "选这种：国家网络身份认证")
    assert answer.status == 503 and "暂时没有回应" in answer.text and "选其他方式" in answer.text
    stranger = browser("+8619900009555")
    assert stranger.get("/t/network-identity/01a20000-0000-7000-8000-000000000001?state=s&ticket=t").status == 409


def test_where_none_is_configured_the_way_is_not_on_the_page(browser: Browser, make: Make, mobile: Flask) -> None:
    story = make(stories.make_identified)
    mobile.extensions[WORLD] = replace(mobile.extensions[WORLD], network_identity=None)
    page = browser(TENANT_PHONE).get(f"{home_of(story)}/ways")
    assert "国家网络身份认证" not in page.text and "预约视频核验" in page.text


def test_a_tenant_under_sixteen_is_led_to_the_guardian_everywhere(browser: Browser, make: Make, world: Any) -> None:
    story = make(stories.make_claimed)
    make(stories.read_notice, story.tenant)
    number = sample_number("341822", world.clock.today().replace(year=2014))
    phone = browser(TENANT_PHONE)
    page = phone.press(phone.get(f"{home_of(story)}/identity"), "核对并继续", id_type="111", id_number=number,
                       name="周小福")  # fmt: skip
    assert page.path == f"{home_of(story)}/guardian" and "我的孩子" in page.text and "窗口" in page.text
    assert phone.get(f"{home_of(story)}/declare").path == f"{home_of(story)}/guardian"
    assert f"{home_of(story)}/guardian" in phone.get(home_of(story)).reader.links
    assert f"{home_of(story)}/guardian" in phone.get(f"{home_of(story)}/ways").reader.links
    assert "face_check.js" not in phone.get(f"{home_of(story)}/face/check").html


def test_a_guardian_enters_a_child_consents_and_takes_it_back(browser: Browser, make: Make, world: Any) -> None:
    make(stories.make_active)
    number = sample_number("341822", world.clock.today().replace(year=2015))
    phone = browser(TENANT_PHONE)
    page = phone.get("/me/children")
    entry = {"id_type": "111", "id_number": number, "name": "周小福", "relation": "father"}
    unticked = phone.press(page, "添加", **entry)
    assert unticked.status == 422 and "监护人同意" in unticked.text and number in unticked.html
    entered = phone.press(page, "添加", **entry, consent="yes")
    assert "已添加" in entered.text and number not in entered.html and "周小福" in entered.html
    assert "已撤回" in phone.press(entered, "撤回同意").text
    unknown = browser("+8619900009555").get("/me/children")
    assert "请先核验您自己的身份" in unknown.text and "添加一个孩子" not in unknown.text


def test_a_mismatch_offers_correcting_and_the_window(browser: Browser, make: Make) -> None:
    story = make(stories.make_claimed)
    make(stories.read_notice, story.tenant)
    phone = browser(TENANT_PHONE)
    entry = {"id_type": "111", "id_number": TENANT_NUMBER, "name": UNMATCHED_NAME}
    refused = phone.press(phone.get(f"{home_of(story)}/identity"), "核对并继续", **entry)
    assert refused.status == 422 and "3002" in refused.text
    kept = phone.press(refused, "没填错，保留并到窗口办", **entry)
    assert kept.path == f"{home_of(story)}/ways"
    again = phone.get(f"{home_of(story)}/identity")
    assert "对不上（3002）" in again.text and f"{home_of(story)}/ways" in again.reader.links
    mended = phone.press(again, "核对并继续", **{**entry, "name": "周来福"})
    assert mended.path == f"{home_of(story)}/face"
    assert "核对并继续" not in phone.get(f"{home_of(story)}/identity").text


def test_an_authority_that_is_away_is_said_and_does_not_hold_up(browser: Browser, make: Make, mobile: Flask) -> None:
    story = make(stories.make_claimed)
    make(stories.read_notice, story.tenant)
    mobile.extensions[WORLD] = replace(mobile.extensions[WORLD], authority=FakeAuthority(available=False))
    phone = browser(TENANT_PHONE)
    entry = {"id_type": "111", "id_number": TENANT_NUMBER.lower(), "name": "周来福"}
    assert phone.press(phone.get(f"{home_of(story)}/identity"), "核对并继续", **entry).path.endswith("/face")
    page = phone.get(f"{home_of(story)}/identity")
    assert "核对部门暂时没有回应" in page.text and "更正姓名或号码" in page.text
    correcting = phone.get(f"{home_of(story)}/identity?correct=1")
    assert "会替换" in correcting.text and TENANT_NUMBER not in correcting.html


def test_no_camera_script_loads_before_the_consent_nor_after_it_is_withdrawn(browser: Browser, make: Make) -> None:
    story = make(stories.make_identified)
    phone = browser(TENANT_PHONE)
    home = home_of(story)
    scripts = ("face_check.js", "camera.js", "getUserMedia")
    for path in (home, f"{home}/identity", f"{home}/face", f"{home}/face/check", f"{home}/ways"):
        assert not any(script in phone.get(path).html for script in scripts), path
    phone.press(phone.get(f"{home}/face"), "同意，用人脸核验")
    checking = phone.get(f"{home}/face/check")
    assert "face_check.js" in checking.html
    phone.press(phone.get("/me/consents/face_check/withdraw"), "撤回")
    page = phone.get(f"{home}/face/check")
    assert page.path == f"{home}/face" and not any(script in page.html for script in scripts)
    csrf = {"csrf_token": checking.form("English").values["csrf_token"]}
    refused = phone.client.post("/t/face/challenge", data={**csrf, "document_sha256": "0" * 64}, base_url=ORIGIN,
                                headers={"Accept": "application/json"})  # fmt: skip
    assert (refused.status_code, refused.json["code"]) == (409, "consent.missing")  # type: ignore[index]
    assert "国家网络身份认证" in phone.get(f"{home}/ways").text


def test_a_rule_is_told_in_the_language_of_each_reader_not_of_the_first(browser: Browser, make: Make) -> None:
    story = make(stories.make_identified)
    assert "自愿使用" in browser(TENANT_PHONE).get(f"{home_of(story)}/ways").text
    make(stories.verify_at_window, story.landlord)
    chinese, english = browser(stories.LANDLORD_PHONE), browser("+8619900009555", "en")
    assert "未满 16 周岁由监护人申报" in chinese.get("/me/children").text
    assert "the guardian declares" in english.get("/me/children").text


def test_nothing_is_left_untranslated_on_the_other_ways(browser: Browser, make: Make, world: Any) -> None:
    story = make(stories.make_identified)
    phone = browser(TENANT_PHONE, "en")
    home = home_of(story)
    page = phone.get(f"{home}/ways/live_video")
    phone.press(page, "Take this time", starts_at=times_of(page)[0])
    leaving = phone.press(phone.get(f"{home}/ways"), "National network identity")
    child = make(stories.make_account, "+8619900009555")
    make(enter_identity, account_id=child, id_type="111", name="周小福",
         id_number=sample_number("341822", world.clock.today().replace(year=2014)))  # fmt: skip
    pages = [leaving, *(phone.get(path) for path in (f"{home}/ways", f"{home}/ways/window", f"{home}/guardian",
             f"{home}/identity?correct=1", "/me/children", "/me/messages"))]  # fmt: skip
    make(stories.verify_at_window, story.tenant)
    pages += [phone.get("/me/children"), phone.get(f"{home}/ways")]
    for shown in pages:
        assert shown.status == 200
        assert not [word for word in shown.reader.words if CHINESE.search(word)], shown.path


def test_a_consent_for_a_child_that_was_taken_back_is_given_again_and_the_child_declared(
    browser: Browser, make: Make
) -> None:
    story = make(stories.make_active)
    child = make(stories.make_child, story.tenant)
    phone = browser(TENANT_PHONE)
    gone = phone.press(phone.get("/me/children"), "撤回同意")
    assert "已撤回" in gone.text
    declare = f"/t/homes/{story.registration_id}/household/children/{child}"
    answers = {"province": "34", "hukou_division": "341802"}
    refused = phone.press(phone.get(declare), "确认无误", **answers)
    assert (refused.status, "在“我的孩子”里重新同意后再申报" in refused.text) == (409, True), refused.text
    again = phone.press(gone, "重新同意")
    assert again.path == "/me/children" and "已重新同意" in again.text and "已撤回" not in again.text
    done = phone.press(phone.get(declare), "确认无误", **answers)
    assert done.path == f"/t/homes/{story.registration_id}/household" and "已申报" in done.text
