"""The window's pages about an occupant's key: a sheet of codes, and the end of a key on a court's order."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from backend.services.keys import suspend_key
from tests.services import staff, stories

Browser = Callable[..., Any]
Make = Callable[..., Any]
TASK, ORDER = "A330522-77", "（2026）浙0522执123号"
CODE = re.compile(r"\b\d{4} \d{4}\b")


@pytest.fixture
def story(make: Make) -> stories.Story:
    def settle(world: Any) -> stories.Story:
        story = stories.make_active(world)
        stories.give_keypad(story.identity.lock_id)
        return story

    return make(settle)


def test_a_sheet_of_codes_is_the_second_act_and_shown_once(browser: Browser, story: stories.Story) -> None:
    client = browser("window_clerk", purpose="help_request")
    path = f"/registrations/{story.registration_id}/codes"
    assert path in client.get(f"/units/{story.unit_id}").text
    asked = client.get(path)
    assert not CODE.search(asked.text) and 'type="password"' in asked.text and "核对过证件" in asked.text
    wrong = client.post(path, data={"password": "wrong"})
    assert wrong.status_code == 422 and "密码不对" in wrong.text and not CODE.search(wrong.text)
    sheet = client.post(path, data={"password": staff.PASSWORD})
    assert sheet.status_code == 200 and sheet.headers["Cache-Control"] == "no-store"
    assert len(CODE.findall(sheet.text)) == 37 and "今天 2026-11-23" in sheet.text and "2026-12-29" in sheet.text
    assert "每个密码只在它那一天有效" in sheet.text
    assert not CODE.search(client.get(path).text), "a reload asks anew"


def test_the_sheet_bears_neither_name_nor_address_nor_a_picture_to_scan(browser: Browser, story: stories.Story) -> None:
    client = browser("officer", purpose="help_request")
    page = client.post(f"/registrations/{story.registration_id}/codes", data={"password": staff.PASSWORD}).text
    assert "周来福" not in page and stories.TENANT_NUMBER not in page
    [sheet] = re.findall(r'(?s)<section class="card sheet">.*?</section>', page)
    assert not re.search("陈塘|101室|<img|<canvas|<svg", sheet)


def test_no_log_line_holds_a_code(
    browser: Browser, story: stories.Story, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    client = browser("officer", purpose="help_request")
    page = client.post(f"/registrations/{story.registration_id}/codes", data={"password": staff.PASSWORD}).text
    codes = {found.replace(" ", "") for found in CODE.findall(page)}
    said = caplog.text + "".join(capfd.readouterr())
    assert len(codes) == 37 and not [code for code in codes if code in said or f"{code[:4]} {code[4:]}" in said]


def test_without_a_keypad_or_a_working_key_the_page_says_so(browser: Browser, make: Make, story: stories.Story) -> None:
    client = browser("officer", purpose="help_request")
    path = f"/registrations/{story.registration_id}/codes"
    make(lambda world: stories.take_keypad(story.identity.lock_id))
    bare = client.post(path, data={"password": staff.PASSWORD})
    assert bare.status_code == 409 and "这把锁没有密码键盘" in bare.text and path in bare.text
    make(lambda world: suspend_key(world, account_id=story.tenant, key_id=story.key_id))
    asleep = client.post(path)
    assert asleep.status_code == 409 and "现在不能开门（已暂停）" in asleep.text


@pytest.mark.parametrize(("role", "purpose", "codes", "order"), [
    ("officer", "help_request", True, False), ("window_clerk", "help_request", True, False),
    ("officer", "case", False, True), ("supervisor", "case", False, True), ("window_clerk", "case", False, False),
    ("officer", "visit", False, False), ("grid_worker", "help_request", False, False),
    ("supervisor", "help_request", False, False),
])  # fmt: skip
def test_the_units_page_offers_what_role_and_purpose_allow(
    browser: Browser, story: stories.Story, role: str, purpose: str, codes: bool, order: bool
) -> None:
    page = browser(role, purpose=purpose, case_number=TASK).get(f"/units/{story.unit_id}").text
    assert (f"{story.registration_id}/codes" in page, f"{story.registration_id}/court-order" in page) == (codes, order)


def test_a_courts_order_is_entered_with_its_number_and_the_password(browser: Browser, story: stories.Story) -> None:
    client = browser("officer", purpose="case", case_number=TASK)
    path = f"/registrations/{story.registration_id}/court-order"
    asked = client.get(path).text
    assert "HR-12" in asked and 'type="password"' in asked and "周来福" not in asked
    wrong = client.post(path, data={"case_number": ORDER, "password": "wrong"})
    assert wrong.status_code == 422 and ORDER in wrong.text and "密码不对" in wrong.text
    nameless = client.post(path, data={"case_number": "", "password": staff.PASSWORD})
    assert nameless.status_code == 422 and "请填写案件编号" in nameless.text
    done = client.post(path, data={"case_number": ORDER})
    assert done.status_code == 200 and ORDER in done.text and "居住登记不变" in done.text
    again = client.post(path, data={"case_number": ORDER})
    assert again.status_code == 409 and "现在没有电子钥匙" in again.text
    unit = client.get(f"/units/{story.unit_id}").text
    assert "周来福" in unit, "the registration stays"


def test_the_audit_page_tells_an_order_and_a_printing_in_words(browser: Browser, story: stories.Story) -> None:
    help_desk = browser("window_clerk", purpose="help_request")
    help_desk.post(f"/registrations/{story.registration_id}/codes", data={"password": staff.PASSWORD})
    client = browser("officer", purpose="case", case_number=TASK)
    form = {"case_number": ORDER, "password": staff.PASSWORD}
    client.post(f"/registrations/{story.registration_id}/court-order", data=form)
    page = browser("auditor").get("/audit").text
    assert "打印门锁密码" in page and "停用钥匙" in page and "法院裁定" in page and ORDER in page


def test_both_pages_are_english_for_who_reads_english(browser: Browser, story: stories.Story) -> None:
    for purpose, path in (("help_request", "codes"), ("case", "court-order")):
        client = browser("officer", purpose=purpose, case_number=TASK)
        client.set_cookie("anju-lang", "en")
        address = f"/registrations/{story.registration_id}/{path}"
        form = {"case_number": TASK, "password": staff.PASSWORD}
        for answer in (client.get(address), client.post(address, data=form)):
            page = re.sub(r"(?s)<head>.*?</head>", "", answer.text)
            for proper in ("中文", "陈塘村", "陈塘路", "号", "室", "测试", "太湖派出所", "（2026）浙0522执123"):
                page = page.replace(proper, "")
            assert answer.status_code == 200 and not re.findall(r"[\u4e00-\u9fff]+", page), path
