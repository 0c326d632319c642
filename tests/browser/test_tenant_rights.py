"""T17 to T20 of the screens: who has seen my data, my rights within three taps, the receipt, my own door entries."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from backend.services.access_records import my_access_records
from backend.services.cases import claim_case, decide_case
from backend.services.erasures import get_erasure
from backend.services.housekeeping import HOURLY, keep_house
from backend.services.office_names import name_office
from backend.worker.registry_loop import process_once
from tests.browser.cast import came_home
from tests.browser.conftest import Phone
from tests.browser.key_stage import Server
from tests.browser.qr_reading import read_qr
from tests.browser.staff_desks import StaffDesk, console_app, console_server, staff_desk
from tests.browser.tenant_stage import Make, TenantPhone, make, mobile, server, tenant
from tests.browser.test_receipt_check import KEPT
from tests.browser.walker import CHINESE
from tests.mobile_api.conftest import browser
from tests.printing.pdf_words import PdfReader
from tests.services import staff, stories
from tests.services.stories import LANDLORD_PHONE, TENANT_NUMBER, Story

__all__ = ["browser", "console_app", "console_server", "make", "mobile", "server", "staff_desk", "tenant"]

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)]

MASKED = TENANT_NUMBER[:3] + "*" * 13 + TENANT_NUMBER[-2:]
CASE = "A330522-77"
Sit = Callable[..., StaffDesk]
IN_PRINT = """() => ['.receipt', '.receipt .qr svg', '.top', '.tabs', '.screen-only', '.foot'].map(
  (css) => [...document.querySelectorAll(css)].some((each) => each.checkVisibility()))"""


def settle(world: Any) -> None:
    while process_once(world, sleep=lambda _: None):
        pass


def make_registered(world: Any) -> Story:
    """A tenant with an active key, registered, whose receipt has come."""
    story = stories.make_active(world)
    stories.read_notice(world, story.tenant, "face_check")
    settle(world)
    return story


def answer(world: Any, reference: str) -> None:
    """The data protection officer's answer."""
    session_id = staff.make_session(world, "supervisor", purpose="help_request")
    claim_case(world, session_id=session_id, reference=reference)
    decide_case(world, session_id=session_id, reference=reference, decision="handled", reason="explained")


def test_t17_a_look_at_the_console_is_on_the_open_page_within_five_seconds_and_can_be_asked_about(
    tenant: TenantPhone, staff_desk: Sit, make: Make, world: Any
) -> None:
    story = make(make_registered)
    tenant.enter()
    tenant.open("/me/access")
    tenant.page.evaluate("window.same = 'the page was not loaded anew'")
    assert "A330522-77" not in tenant.says()
    officer = staff_desk("officer", "looks", "case", CASE)
    officer.page.goto(f"/units/{story.unit_id}")
    officer.page.locator("main").get_by_text("周来福").first.wait_for()
    tenant.sees(CASE, seconds=5)
    assert tenant.page.evaluate("window.same")
    newest = " ".join(tenant.page.locator(".item").first.inner_text().split())
    look = make(my_access_records, account_id=story.tenant).items[0]
    who = ("太湖派出所", "民警", look.badge)
    for words in ("2026年11月23日", *who, "查看单元的在住登记", "证件号码（遮盖）", "案件办理", CASE):
        assert words in newest, words
    tenant.look("t17-looks")
    tenant.page.locator(".item").first.get_by_text("问问为什么").click()
    tenant.sees("由个人信息保护负责人答复")
    tenant.tap("提问")
    tenant.sees("请看一下这里")
    assert tenant.page.evaluate("document.activeElement.matches('.summary')")
    tenant.look("t17-ask")
    tenant.fill(question="too_much")
    tenant.page.locator("main button[type=submit]").click()
    tenant.sees("问题已交给个人信息保护负责人")
    asked = make(my_access_records, account_id=story.tenant).items[0].question
    assert asked is not None and asked.code == "too_much" and asked.reference in tenant.says()
    make(answer, asked.reference)
    tenant.sees("已解释清楚", seconds=5)
    tenant.look("t17-answered")
    tenant.complaints.allow(422)  # the question not chosen


def test_t17_in_english_office_role_act_and_purpose_are_english(
    tenant: TenantPhone, staff_desk: Sit, make: Make
) -> None:
    story = make(make_registered)
    make(name_office, zh="太湖派出所", en="Taihu police station")
    officer = staff_desk("window_clerk", "counter", "help_request")
    officer.page.goto(f"/units/{story.unit_id}")
    tenant.enter()
    tenant.set_mode("en", False)
    tenant.open("/me/access")
    newest = " ".join(tenant.page.locator(".item").first.inner_text().split())
    for words in ("Opened the registrations of a unit", "Taihu police station", "Window clerk", "Request for help"):
        assert words in newest, words
    assert not CHINESE.search(tenant.says())


def test_t17_older_looks_stand_on_further_pages_and_anothers_look_is_nowhere(
    tenant: TenantPhone, make: Make, world: Any
) -> None:
    story = make(make_registered)
    look = make(my_access_records, account_id=story.tenant).items[0]
    other = make(stories.make_occupant, story, joint_with=story.lease_id)
    tenant.enter(stories.CO_TENANT_PHONE)
    answered = tenant.page.goto(f"/me/access/{look.id}/ask")
    assert answered is not None and answered.status == 404
    assert make(my_access_records, account_id=other.account).items == ()
    tenant.complaints.allow(404)


def begin(phone: TenantPhone, tenancy: Story) -> None:
    """At the home page, with no tap made."""
    phone.open("/t/")
    phone.sees("我的数据")
    phone.begin_count()


def download(phone: TenantPhone, words: str) -> bytes:
    with phone.page.expect_download() as coming:
        phone.tap(words)
    path = coming.value.path()
    assert path is not None
    return bytes(path.read_bytes())


def test_t18_all_my_data_comes_along_within_three_taps_to_read_and_for_computers(
    tenant: TenantPhone, make: Make
) -> None:
    story = make(make_registered)
    tenant.enter()
    begin(tenant, story)
    tenant.tap("带走、更正")
    tenant.look("t18-rights")
    held = json.loads(download(tenant, "下载 JSON"))
    assert tenant.hands.taps <= 3
    assert held["identity"]["name"] == "周来福" and held["identity"]["id_number_masked"] == MASKED
    assert TENANT_NUMBER not in json.dumps(held)
    assert held["tenancies"][0]["registration"]["receipt_no"] and held["accesses"]
    begin(tenant, story)
    tenant.tap("带走、更正")
    paper = download(tenant, "下载 PDF")
    assert tenant.hands.taps <= 3 and paper.startswith(b"%PDF-")
    words = "".join(line.text for line in PdfReader(paper).lines())
    for said in ("周来福", MASKED, held["tenancies"][0]["registration"]["receipt_no"], "居民身份证", "PIPL-45"):
        assert said in words, said
    assert TENANT_NUMBER not in words


def test_t18_a_consent_is_withdrawn_within_three_taps_says_what_follows_and_is_given_again(
    tenant: TenantPhone, make: Make
) -> None:
    story = make(stories.make_declared)
    make(stories.read_notice, story.tenant, "face_check")
    tenant.enter()
    begin(tenant, story)
    tenant.tap("带走、更正")
    tenant.tap("撤回：人脸核验单独同意书")
    said = tenant.says()
    follows = ("不再对您做人脸核验", "没有照片要删除", "到窗口当面核验", "请房东当面见证")
    for words in (*follows, "FACE-6", "FACE-8", "FACE-10", "PIPL-15"):
        assert words in said, words
    tenant.look("t18-withdraw")
    tenant.page.locator("main button[type=submit]").click()
    tenant.hands.taps += 1
    tenant.sees("已撤回，马上生效")
    assert tenant.hands.taps <= 3
    tenant.open(f"/t/homes/{story.registration_id}/face/check")
    assert "consent" in tenant.page.url or "face" in tenant.page.url
    assert not tenant.page.locator("[data-part=document]:visible").count(), "no camera without the consent"
    tenant.open("/me/consents")
    tenant.look("t18-withdrawn")
    tenant.tap("恢复同意")
    tenant.sees("已恢复同意")
    begin(tenant, story)
    tenant.tap("带走、更正")
    tenant.sees("撤回：人脸核验单独同意书")


def test_t18_a_correction_is_three_taps_from_home(tenant: TenantPhone, make: Make, world: Any) -> None:
    story = make(make_registered)
    tenant.enter()
    begin(tenant, story)
    tenant.tap("带走、更正")
    tenant.tap("更正居住登记")
    assert tenant.hands.taps <= 3 and tenant.page.url.endswith(f"/t/homes/{story.registration_id}/amend")
    tenant.look("t18-correct")
    tenant.fill(planned_end_on=str(world.clock.today() + timedelta(days=200)))
    tenant.page.locator("main form[method=post] button[type=submit]").last.click()
    tenant.sees("更正已提交")


def test_t18_deletion_says_what_the_law_keeps_and_until_when_is_asked_once_and_taken_back(
    tenant: TenantPhone, make: Make, world: Any
) -> None:
    story = make(make_registered)
    tenant.enter()
    begin(tenant, story)
    tenant.tap("带走、更正")
    tenant.tap("删除我的数据")
    said = tenant.says()
    kept = ("您正住着的住处的居住登记", "陈塘路1号 101室", "HK-15")
    for words in (*kept, "凭证存根", "2029年11月22日", "门锁事件", "2026年12月23日", "PIPL-47"):
        assert words in said, words
    tenant.look("t18-delete")
    tenant.tap("申请删除")
    assert tenant.hands.taps <= 3
    tenant.sees("您已申请删除")
    assert make(get_erasure, account_id=story.tenant).asked_at == world.clock.now()
    tenant.look("t18-delete-asked")
    tenant.tap("撤回申请")
    tenant.sees("申请已撤回，一切照旧")
    assert make(get_erasure, account_id=story.tenant).asked_at is None


def test_t18_after_the_move_out_the_day_of_the_deletion_is_said_and_then_nobody_can_sign_in_there(
    tenant: TenantPhone, make: Make, world: Any, clock: Any
) -> None:
    from backend.services.registrations import check_out

    story = make(make_registered)
    make(check_out, account_id=story.tenant, registration_id=story.registration_id, moved_out_on=world.clock.today(),
         reason="lease_end")  # fmt: skip
    make(settle)
    tenant.enter()
    tenant.open("/me/delete")
    tenant.sees("现在申请，2026年12月23日")
    tenant.sees("姓名和证件号码")
    tenant.tap("申请删除")
    tenant.sees("2026年12月23日 10:00 删除")
    tenant.look("t18-delete-dated")
    for _ in range(3):  # the sign-in is used now and then, so that it is the deletion that ends it
        clock.move(timedelta(days=10))
        tenant.open("/me/")
        tenant.sees("周来福")
    clock.move(timedelta(minutes=1))
    make(keep_house)
    tenant.open("/me/")
    tenant.page.wait_for_url("**/sign-in**")


def test_t19_the_receipt_prints_alone_on_one_page_and_its_code_verifies_with_the_server_stopped(
    tenant: TenantPhone, chromium: Any, make: Make, server: Server
) -> None:
    story = make(make_registered)
    tenant.enter()
    tenant.open(f"/t/homes/{story.registration_id}/receipt")
    tenant.sees("签名已验证")
    tenant.look("t19-receipt")
    code = read_qr(tenant.page.locator(".qr"))
    number = tenant.page.locator(".receipt .number").first.inner_text()
    tenant.page.emulate_media(media="print")
    receipt, qr, *rest = tenant.page.evaluate(IN_PRINT)
    assert receipt and qr and not any(rest), "the receipt and its code alone"
    printed = tenant.page.pdf(format="A4")
    assert printed.count(b"/Type /Page\n") + printed.count(b"/Type /Page ") == 1
    tenant.page.emulate_media(media="screen")
    paper = download(tenant, "下载 PDF")
    assert number in "".join(line.text for line in PdfReader(paper).lines())
    stranger = Phone(chromium, server.base, "stranger", 320)
    stranger.page.goto("/r/")
    stranger.wait_until(KEPT)
    server.stop()
    stranger.page.goto("about:blank")
    stranger.page.goto("/r/#" + code.partition("#")[2])  # its address is the house's own, here the test's
    stranger.sees("凭证是真的")
    stranger.sees(number)
    assert "周来福" not in stranger.page.locator("main").inner_text()
    stranger.context.close()


def test_t20_own_door_entries_of_thirty_days_are_the_tenants_alone(
    tenant: TenantPhone, staff_desk: Sit, make: Make, clock: Any, browser: Any
) -> None:
    story = make(make_registered)
    other = make(stories.make_occupant, story, joint_with=story.lease_id)
    clock.move(timedelta(days=40))
    openings = ((story.key_id, 31), (story.key_id, 29), (story.key_id, 0.1), (other.key_id, 2))
    for seq, (key, days) in enumerate(openings, 1):
        make(came_home, story.identity.lock_id, key, days, seq)
    make(keep_house, HOURLY)
    tenant.enter()
    tenant.open(f"/t/homes/{story.registration_id}")
    tenant.tap("我的开门记录")
    tenant.sees("只有您看得到")
    assert tenant.page.locator(".timeline li").count() == 2, "not the one of 31 days ago, not the flatmate's"
    assert tenant.page.locator("main h2").count() == 2, "by day"
    tenant.look("t20-doors")
    landlord = browser(LANDLORD_PHONE)
    for home in (story, other):
        assert landlord.get(f"/t/homes/{home.registration_id}/doors").status == 404
    lock = landlord.get(f"/l/units/{story.unit_id}/lock")
    assert lock.status == 200 and not [word for word in ("开锁", "门打开", "开门记录") if word in lock.text]
    officer = staff_desk("officer", "looks", "case", CASE)
    officer.page.goto(f"/units/{story.unit_id}")
    said = officer.page.locator("body").inner_text()
    assert "周来福" in said and "本页不含开门记录" in said
    assert not [word for word in ("开锁", "门打开", "用了机械钥匙") if word in said]


def test_t20_many_entries_have_pages(tenant: TenantPhone, make: Make) -> None:
    story = make(make_registered)
    for seq in range(1, 66):
        make(came_home, story.identity.lock_id, story.key_id, seq / 24, seq)
    tenant.enter()
    tenant.open(f"/t/homes/{story.registration_id}/doors")
    assert tenant.page.locator(".timeline li").count() == 60
    tenant.tap("看更早的")
    assert tenant.page.locator(".timeline li").count() == 5


