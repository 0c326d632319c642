"""Front page, sign-in, language, elder mode, receipt check, errors."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from backend.wire.jwk import keys_from_jwks, make_private_key, thumbprint
from backend.wire.receipts import Receipt, make_receipt_number, qr_text, sign_receipt, verify_receipt
from backend.wire.tokens import claims_unverified, sign
from tests.mobile_api.page_phones import ORIGIN, Page, PagePhone

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)

Browser = Callable[..., PagePhone]
PHONE = "+8619900007701"


def test_the_front_page_has_two_doors_and_says_what_anju_never_does(browser: Browser) -> None:
    page = browser().get("/")
    assert page.status == 200
    assert {"/l/", "/t/"} <= set(page.reader.links)
    assert "安居从不做的事" in page.text


def test_a_page_runs_no_inline_script_and_carries_no_style(browser: Browser) -> None:
    page = browser().get("/")
    policy = page.headers["Content-Security-Policy"]
    assert "unsafe" not in policy and "script-src 'self'" in policy
    assert not [tag for tag, name, _value in page.reader.attributes if name == "style" or name.startswith("on")]
    assert all("src" in name or tag != "script" or name == "type" for tag, name, _value in page.reader.attributes)


def test_a_person_signs_in_with_the_code_of_the_message_and_comes_to_the_wished_page(browser: Browser) -> None:
    phone = browser()
    page = phone.press(phone.get("/l/"), "获取验证码", phone=PHONE)
    assert "199******01" in page.text
    page = phone.press(page, "登录", code=phone.code(PHONE))
    assert (page.status, page.path) == (200, "/l/")


def test_a_code_stands_in_no_page_and_no_address(browser: Browser) -> None:
    phone = browser()
    page = phone.press(phone.get("/sign-in"), "获取验证码", phone=PHONE)
    code = phone.code(PHONE)
    wrong = phone.press(page, "登录", code="000000" if code != "000000" else "111111")
    assert "验证码不对，还可以试 4 次" in wrong.text and wrong.status == 422
    assert code not in page.html + wrong.html + wrong.path
    assert wrong.form("登录").values["code"] == ""


def test_five_wrong_codes_kill_a_code(browser: Browser) -> None:
    phone = browser()
    page = phone.press(phone.get("/sign-in"), "获取验证码", phone=PHONE)
    code = phone.code(PHONE)
    for _ in range(5):
        page = phone.press(page, "登录", code="000000" if code != "000000" else "111111")
    assert page.status == 429 and "验证码错了五次" in page.text
    assert phone.press(page, "登录", code=code).status == 429


def test_a_second_code_has_to_wait_and_the_page_counts_down(browser: Browser) -> None:
    phone = browser()
    page = phone.press(phone.get("/sign-in"), "获取验证码", phone=PHONE)
    assert ("button", "data-countdown", "60") in page.reader.attributes
    again = phone.press(page, "重新发送")
    assert again.path == "/sign-in/code" and again.status == 200
    assert again.form("重新发送")


def test_a_wrong_phone_is_said_on_top_and_at_the_field_in_the_same_words_and_stays_typed(browser: Browser) -> None:
    phone = browser()
    page = phone.press(phone.get("/sign-in"), "获取验证码", phone="12")
    assert page.status == 422
    assert page.text.count("手机号不正确。请输入 11 位手机号。") == 2
    assert "#phone" in page.reader.links and "phone-fault" in page.reader.ids
    assert page.form("获取验证码").values["phone"] == "12"


def test_nobody_is_sent_to_a_foreign_place_after_signing_in(browser: Browser) -> None:
    phone = browser()
    for trap in ("//evil.example", "https://evil.example", "/\\evil.example"):
        page = phone.get(f"/sign-in?next={trap}")
        assert page.form("获取验证码").values["next"] == "/"


def test_the_language_stays_on_the_page_and_survives_the_sign_in(browser: Browser) -> None:
    phone = browser()
    page = phone.press(phone.get("/sign-in?next=/l/"), "English")
    assert page.path == "/sign-in" and "Sign in with your phone" in page.text
    page = phone.press(page, "Get a code", phone=PHONE)
    page = phone.press(page, "Sign in", code=phone.code(PHONE))
    assert page.path == "/l/" and "My rooms" in page.text


def test_until_somebody_chooses_the_browsers_wish_decides(browser: Browser) -> None:
    phone = browser()
    phone.client.delete_cookie("anju-lang")

    def asks(wish: str) -> str:
        return Page(phone.client.get("/sign-in", headers={"Accept-Language": wish}, base_url=ORIGIN)).text

    assert "Sign in with your phone" in asks("en-US,en;q=0.9")
    for wish in ("zh-CN,zh;q=0.9,en;q=0.8", "fr-FR", ""):
        assert "手机号登录" in asks(wish) and "Sign in with your phone" not in asks(wish)
    phone.client.set_cookie("anju-lang", "zh")
    assert "手机号登录" in asks("en-US")


def test_a_new_account_speaks_the_language_it_was_made_in(browser: Browser) -> None:
    phone = browser()
    phone.client.delete_cookie("anju-lang")
    phone.client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en-US"
    page = phone.press(phone.get("/sign-in?next=/l/"), "Get a code", phone=PHONE)
    page = phone.press(page, "Sign in", code=phone.code(PHONE))
    assert page.path == "/l/" and "My rooms" in page.text


def test_elder_mode_is_kept_by_the_device_and_the_account(browser: Browser, clock: Any) -> None:
    phone = browser(PHONE)
    page = phone.press(phone.get("/me/"), "大字")
    assert "elder" in page.reader.classes and page.path == "/me/"
    fresh = browser()
    fresh.client.delete_cookie("anju-lang")
    clock.move(timedelta(minutes=2))
    fresh.sign_in(PHONE)
    assert "elder" in fresh.get("/me/").reader.classes


def test_elder_mode_chosen_before_the_sign_in_stays_and_goes_to_the_account(browser: Browser, clock: Any) -> None:
    phone = browser()
    phone.client.delete_cookie("anju-lang")
    page = phone.press(phone.get("/sign-in?next=/t/"), "大字")
    page = phone.press(page, "获取验证码", phone=PHONE)
    page = phone.press(page, "登录", code=phone.code(PHONE))
    assert page.path == "/t/" and "elder" in page.reader.classes
    clock.move(timedelta(minutes=2))
    other = browser()  # a language was chosen on it, elder mode never
    other.sign_in(PHONE)
    assert "elder" in other.get("/me/").reader.classes
    clock.move(timedelta(minutes=2))
    plain = browser()
    plain.press(plain.press(plain.get("/"), "大字"), "标准字")
    plain.sign_in(PHONE)
    assert "elder" not in plain.get("/me/").reader.classes, "chosen here"


def test_a_form_without_the_pages_token_changes_nothing(browser: Browser) -> None:
    phone = browser(PHONE)
    answer = phone.client.post("/sign-out", base_url=ORIGIN)
    assert answer.status_code == 422 and "页面已过期" in answer.get_data(as_text=True)
    assert phone.get("/me/").status == 200


def test_signing_out_ends_the_session_and_clears_what_the_browser_kept(browser: Browser) -> None:
    phone = browser(PHONE)
    page = phone.get("/me/")
    form = page.form("退出登录")
    answer = phone.client.post(form.action, data=form.values, base_url=ORIGIN)
    assert answer.headers["Clear-Site-Data"] == '"cache"'
    assert phone.get("/me/").path == "/sign-in"


def test_an_ended_sign_in_of_another_device_is_out(browser: Browser, clock: Any) -> None:
    mine, other = browser(PHONE), browser()
    clock.move(timedelta(minutes=2))
    other.sign_in(PHONE)
    page = mine.get("/me/sign-ins")
    assert page.html.count('action="/me/sign-ins/') == 1
    mine.press(page, "结束")
    assert other.get("/me/").path == "/sign-in" and mine.get("/me/").status == 200


def body_of(page: Page) -> dict[str, str]:
    return {name: value for tag, name, value in page.reader.attributes if tag == "body"}


def test_a_page_tells_the_browser_whose_it_is_and_when_a_sign_in_was_ended_from_elsewhere(
    browser: Browser, clock: Any, world: Any
) -> None:
    mine, other = browser(PHONE), browser()
    clock.move(timedelta(minutes=2))
    other.sign_in(PHONE)
    owner = body_of(mine.get("/me/"))["data-owner"]
    assert owner == body_of(other.get("/t/"))["data-owner"] and PHONE[-4:] not in owner
    assert body_of(browser("+8619900007702").get("/me/"))["data-owner"] != owner
    mine.press(mine.get("/me/sign-ins"), "结束")
    for path in ("/me/", "/", "/nowhere"):
        assert body_of(other.get(path)).get("data-sign-in") == "ended"
    asked = other.client.get("/me/access", base_url=ORIGIN, headers={"X-Anju-Live": "1"})
    assert (asked.status_code, asked.json) == (401, {"code": "unauthenticated", "ended": True})
    clock.move(world.house.page_session_idle + timedelta(minutes=1))
    idle = body_of(mine.get("/me/"))
    assert "data-owner" not in idle and "data-sign-in" not in idle, "who was only away for long loses nothing"


@pytest.mark.parametrize(("path", "status"), [("/nowhere", 404), ("/i/unknown", 404), ("/i/", 404)])
def test_an_error_is_a_friendly_page_with_a_way_on(browser: Browser, path: str, status: int) -> None:
    page = browser().get(path)
    assert page.status == status
    assert page.headers["Content-Type"].startswith("text/html") and "/" in page.reader.links


def test_a_page_opened_by_nobody_leads_to_the_sign_in_and_one_that_asks_by_itself_hears_no(browser: Browser) -> None:
    nobody = browser()
    page = nobody.get("/l/units/x?a=1")
    assert (page.status, page.path) == (200, "/sign-in")
    assert page.form("获取验证码").values["next"] == "/l/units/x?a=1"
    asked = nobody.client.get("/l/leases/x", base_url=ORIGIN, headers={"X-Anju-Live": "1"})
    assert (asked.status_code, asked.json) == (401, {"code": "unauthenticated"})


def test_personal_pages_are_never_stored(browser: Browser) -> None:
    assert browser(PHONE).get("/me/").headers["Cache-Control"] == "no-store"


def make_receipt(world: Any) -> str:
    now = datetime(2026, 11, 23, 1, tzinfo=UTC)
    number = make_receipt_number("330522003", now.date(), 7)
    receipt = Receipt(number, "01936f0c-7a10-7cc3-8d21-5f2b6a4c9e01", 1, "UPSERT", "TENANT", "0" * 64, now, now)
    return sign_receipt(receipt, world.registry._key, world.registry._kid)


def test_anyone_can_check_a_receipt_and_sees_no_name(browser: Browser, world: Any) -> None:
    phone = browser()
    page = phone.press(phone.get("/r/"), "查验", text=qr_text(make_receipt(world)))
    assert "凭证是真的" in page.text and "R-330522003-20261123-000007" in page.html
    assert "它不能证明的事" in page.text and "凭证是真的" not in phone.get("/r/").text


def test_a_changed_receipt_is_not_genuine(browser: Browser, world: Any) -> None:
    phone = browser()
    head, body, mark = make_receipt(world).split(".")
    page = phone.press(phone.get("/r/"), "查验", text=f"RR1:{head}.{body[:-2]}AA.{mark}")
    assert "凭证被改动过" in page.text and "凭证是真的" not in page.text


def test_another_kind_of_token_and_an_unknown_key_each_have_their_own_sentence(browser: Browser, world: Any) -> None:
    phone, key, kid = browser(), world.registry._key, world.registry._kid
    check = sign("lockchk", {"iss": "x", "iat": 1, "seq": 1, "head": "h", "boot": "b"}, key, kid)
    assert "这是另一种文件" in phone.press(phone.get("/r/"), "查验", text=check).text
    other = make_private_key()
    claims = claims_unverified(make_receipt(world))
    forged = sign("receipt", claims, other, thumbprint(other.public_key()))
    assert "不是用登记机关公布的密钥签的" in phone.press(phone.get("/r/"), "查验", text=forged).text
    empty = sign("receipt", {**claims, "leg": "POLICE"}, key, kid)
    assert "内容不是登记凭证的内容" in phone.press(phone.get("/r/"), "查验", text=empty).text


def test_the_published_keys_are_those_that_receipts_verify_with(browser: Browser, world: Any) -> None:
    answer = browser().client.get("/r/keys.json")
    assert verify_receipt(make_receipt(world), keys_from_jwks(answer.json)).record_version == 1
    (jwk,) = answer.json["keys"]
    assert jwk["fingerprint"] == thumbprint(keys_from_jwks(answer.json)[jwk["kid"]]) and "d" not in jwk
    assert jwk["fingerprint"] in browser().get("/r/").html


def test_a_text_without_a_receipt_says_so(browser: Browser) -> None:
    phone = browser()
    assert "这段文字里没有凭证" in phone.press(phone.get("/r/"), "查验", text="hello").text
    assert phone.press(phone.get("/r/"), "查验", text="").text.count("此项必填。请填写。") == 2
