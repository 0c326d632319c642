"""The landlord's pages: identity, units, lease in three steps, sharing, progress, attestation, end, key, lock."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

from backend.db import transaction
from backend.models.leases import Lease
from backend.models.registrations import Registration
from backend.services import landlord_reminders
from backend.services.identity_reviews import ask_a_person
from backend.services.keys import suspend_key
from tests.mobile_api.page_phones import ORIGIN, Page, PagePhone
from tests.services import stories
from tests.services.stories import LANDLORD_NUMBER, LANDLORD_PHONE, TENANT_NUMBER, TENANT_PHONE
from tests.services.test_mandates import make_managed
from tests.services.test_unit_board import make_late_beside

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)

Browser = Callable[..., PagePhone]
Make = Callable[..., Any]
TENANT = {"tenant_name": "周来福", "tenant_id_number": TENANT_NUMBER, "tenant_phone": TENANT_PHONE}
TERM = {"kind": "room", "starts_on": "2026-11-23", "ends_on": "2027-11-22", "alias": "东屋小周"}


def to_check_answers(phone: PagePhone, unit_id: str, **changes: str) -> Page:
    page = phone.press(phone.get(f"/l/units/{unit_id}/lease"), "下一步", **{**TERM, **changes})
    return phone.press(page, "下一步", **{**TENANT, **changes})


def test_an_end_in_a_year_nobody_means_is_refused_at_its_field(browser: Browser, make: Make) -> None:
    story = make(stories.make_let_unit)
    phone = browser(LANDLORD_PHONE)
    form = phone.get(f"/l/units/{story.unit_id}/lease")
    page = phone.press(form, "下一步", **{**TERM, "ends_on": "9999-12-31"})
    assert page.status == 422 and "年份应在 1900 至 2200 之间" in page.text
    assert phone.get("/me/messages").status == 200


def test_a_new_landlord_is_asked_who_they_are_before_anything_else(browser: Browser) -> None:
    phone = browser(LANDLORD_PHONE)
    assert "先告诉我们您是谁" in phone.get("/l/").text
    page = phone.press(phone.get("/l/identity"), "核对身份", id_type="111", id_number=LANDLORD_NUMBER, name="沈安一")
    assert page.path == "/l/dwellings"
    again = phone.get("/l/identity")
    assert LANDLORD_NUMBER not in again.html and "330*" in again.html


def test_the_usual_document_stands_chosen_and_faults_come_in_the_order_of_the_page(browser: Browser) -> None:
    phone = browser(LANDLORD_PHONE)
    page = phone.get("/l/identity")
    assert re.search(r'name="id_type" value="111"[^>]* checked', page.html)
    empty = phone.press(page, "核对身份", id_type="111")
    assert empty.status == 422 and empty.html.index('href="#name"') < empty.html.index('href="#id_number"')
    untyped = phone.press(page, "核对身份", id_type="")
    assert "证件种类：还没有选。请选一项。" in untyped.text


def test_a_wrong_check_digit_is_said_at_the_field(browser: Browser) -> None:
    phone = browser(LANDLORD_PHONE)
    wrong = LANDLORD_NUMBER[:-1] + ("1" if LANDLORD_NUMBER[-1] != "1" else "2")
    page = phone.press(phone.get("/l/identity"), "核对身份", id_type="111", id_number=wrong, name="沈安一")
    assert page.status == 422 and "id_number-fault" in page.reader.ids and "校验位不对" in page.text


def test_a_unit_is_found_in_the_base_and_claimed_then_its_lock(browser: Browser, make: Make, world: Any) -> None:
    make(stories.make_landlord)
    dwelling_id, rooms = make(stories.make_dwelling)
    identity = stories.make_identity(7, 3)
    make(stories.import_locks, [identity.public_part()])
    phone = browser(LANDLORD_PHONE)
    assert f"/l/dwellings/{dwelling_id}" in phone.get("/l/dwellings?q=陈塘村 1号").reader.links
    page = phone.get(f"/l/dwellings/{dwelling_id}/units/{rooms[0]}/claim")
    page = phone.press(page, "认领", right_kind="owner", evidence="不动产权证第0001号")
    assert page.path == f"/l/units/{rooms[0]}" and "已认领" in page.text
    wrong = phone.press(phone.get(f"/l/units/{rooms[0]}/lock/claim"), "领取", claim_code="NOPE")
    assert wrong.status == 422 and "没有这个领取码" in wrong.text
    page = phone.press(wrong, "领取", claim_code=identity.claim_code)
    assert page.path == f"/l/units/{rooms[0]}/lock" and identity.serial in page.html


def test_a_kitchen_is_refused_kindly_with_the_rule(browser: Browser, make: Make) -> None:
    make(stories.make_landlord)
    dwelling_id, _rooms = make(stories.make_dwelling)
    phone = browser(LANDLORD_PHONE)
    page = phone.press(phone.get(f"/l/dwellings/{dwelling_id}/add"), "新增并认领", label="厨房", space_kind="kitchen",
                       usable_area_m2="8", capacity="1", right_kind="owner", evidence="产权证")  # fmt: skip
    assert page.status == 422 and "不得出租居住" in page.text and "HR-7" in page.text
    assert page.form("新增并认领").values["label"] == "厨房"


def test_a_duplicate_room_is_pointed_out(browser: Browser, make: Make) -> None:
    make(stories.make_landlord)
    dwelling_id, _rooms = make(stories.make_dwelling)
    phone = browser(LANDLORD_PHONE)
    page = phone.press(phone.get(f"/l/dwellings/{dwelling_id}/add"), "新增并认领", label="101室", space_kind="bedroom",
                       usable_area_m2="12", capacity="1", right_kind="owner", evidence="产权证")  # fmt: skip
    assert page.status == 409 and "已有同名的房间" in page.text


def test_a_second_claim_on_a_unit_goes_to_a_person(browser: Browser, make: Make) -> None:
    story = make(stories.make_let_unit)
    make(stories.make_landlord, "+8619900009002", stories.sample_number("330522", date(1970, 1, 2)))
    phone = browser("+8619900009002")
    page = phone.get(f"/l/dwellings/{story.dwelling_id}/units/{story.unit_id}/claim")
    page = phone.press(page, "认领", right_kind="owner", evidence="产权证")
    assert page.path.startswith("/l/contested/AJ-") and "由工作人员核实" in page.text


def test_a_lease_takes_three_steps_and_ends_on_the_share_page(browser: Browser, make: Make) -> None:
    story = make(stories.make_let_unit)
    phone = browser(LANDLORD_PHONE)
    check = to_check_answers(phone, story.unit_id)
    assert "核对后发出邀请" in check.text and TENANT_NUMBER in check.html
    page = phone.press(check, "登记并邀请租客")
    assert page.path.endswith("/share") and "<title>邀请链接的二维码</title>" in page.html and "/i/" in page.text
    lease = phone.get(page.path.removesuffix("/share"))
    assert TENANT_NUMBER not in lease.html and "周来福" not in lease.html and TENANT_PHONE[3:] not in lease.html


def test_going_back_from_the_check_page_keeps_every_answer(browser: Browser, make: Make) -> None:
    story = make(stories.make_let_unit)
    phone = browser(LANDLORD_PHONE)
    check = to_check_answers(phone, story.unit_id)
    page = phone.press(check, "修改 租客")
    assert page.form("下一步").values["tenant_id_number"] == TENANT_NUMBER
    assert page.form("下一步").values["alias"] == TERM["alias"]


def test_a_fault_found_at_the_last_step_leads_back_to_its_step(browser: Browser, make: Make) -> None:
    story = make(stories.make_invited)
    phone = browser(LANDLORD_PHONE)
    page = phone.press(to_check_answers(phone, story.unit_id), "登记并邀请租客")
    assert page.status == 409 and "与已有租约" in page.text and "第 1 步" in page.text


def test_sending_a_lease_twice_makes_one_lease_and_one_invitation(browser: Browser, make: Make, world: Any) -> None:
    story = make(stories.make_let_unit)
    phone = browser(LANDLORD_PHONE)
    check = to_check_answers(phone, story.unit_id)
    first, second = phone.press(check, "登记并邀请租客"), phone.press(check, "登记并邀请租客")
    assert first.path == second.path
    link = next(word for word in first.reader.words if "/i/" in word)
    assert link in second.reader.words


def test_sending_again_ends_the_old_link_and_cancelling_ends_the_new_one(browser: Browser, make: Make) -> None:
    story = make(stories.make_invited)
    phone = browser(LANDLORD_PHONE)
    page = phone.press(phone.get(f"/l/leases/{story.lease_id}/share"), "重新发送")
    nobody = browser()
    assert nobody.get(f"/i/{story.link_token}").status == 410
    fresh = next(word for word in page.reader.words if "/i/" in word).rsplit("/", 1)[1]
    assert nobody.get(f"/i/{fresh}").status == 200
    phone.press(page, "取消邀请")
    gone = nobody.get(f"/i/{fresh}")
    assert gone.status == 410 and "房东已取消这个邀请" in gone.text


def test_the_landlord_sees_progress_and_nothing_personal(browser: Browser, make: Make) -> None:
    story = make(stories.make_active)
    page = browser(LANDLORD_PHONE).get(f"/l/leases/{story.lease_id}")
    assert page.html.count("task-done") == 4
    for secret in (TENANT_NUMBER, TENANT_NUMBER[:6], "周来福", TENANT_PHONE[3:]):
        assert secret not in page.html


def test_progress_is_asked_again_without_being_sent_again(browser: Browser, make: Make) -> None:
    story = make(stories.make_invited)
    phone = browser(LANDLORD_PHONE)
    first = phone.client.get(f"/l/leases/{story.lease_id}", base_url=ORIGIN)
    asked = {"If-None-Match": first.headers["ETag"], "X-Anju-Live": "1"}
    again = phone.client.get(f"/l/leases/{story.lease_id}", base_url=ORIGIN, headers=asked)
    assert (first.status_code, again.status_code) == (200, 304)


def test_attesting_needs_both_confirmations_and_lets_the_key_work(browser: Browser, make: Make) -> None:
    story = make(stories.make_declared)
    phone = browser(LANDLORD_PHONE)
    page = phone.get(f"/l/leases/{story.lease_id}/attest")
    half = phone.press(page, "确认见证", met_in_person="yes")
    assert half.status == 422 and {"saw_document-fault", "number_ends-fault"} <= set(half.reader.ids)
    assert "PSAL-68" in half.text and TENANT_NUMBER not in half.html
    other = phone.press(half, "确认见证", saw_document="yes", number_ends="0000")
    assert other.status == 422 and "末四位不一致" in other.text
    done = phone.press(other, "确认见证", number_ends=TENANT_NUMBER[-4:].lower())
    assert done.path == f"/l/leases/{story.lease_id}" and "已见证" in done.text and "可用" in done.text


def end_on_paper(world: Any, story: stories.Story) -> None:
    """The lease has ended by the tenant's check-out and the key still lives."""
    with transaction() as session:
        session.get_one(Lease, story.lease_id).state = "ended"


def post(phone: PagePhone, path: str, **data: str) -> Page:
    token = phone.get("/me/").reader.forms[0].values["csrf_token"]
    return Page(phone.client.post(path, data={"csrf_token": token, **data}, base_url=ORIGIN))


@pytest.mark.parametrize("made", [stories.make_claimed, stories.make_active])
def test_an_occupants_key_is_not_ended_without_a_ground(browser: Browser, make: Make, made: Any) -> None:
    story = make(made)
    phone = browser(LANDLORD_PHONE)
    lease = f"/l/leases/{story.lease_id}"
    page = phone.get(lease)
    assert "房东不能暂停或停用他的钥匙（HR-12）" in page.text and "租客已搬走" in page.text
    assert not [link for link in page.reader.links if "/key/" in link], "no button that cannot succeed"
    state = make(lambda _: stories.key_row(story.key_id).state)
    phone.client.set_cookie("anju-lang", "en")
    assert "cannot be ended without a check-out" in phone.get(f"{lease}/key/revoke").text
    phone.client.set_cookie("anju-lang", "zh")
    for action in ("revoke", "suspend"):
        shown = phone.get(f"{lease}/key/{action}")
        assert "不能停用住户的钥匙" in shown.text and "HR-12" in shown.text and f"{lease}/end" in shown.reader.links
        assert not [form for form in shown.reader.forms if action in form.action]
        refused = post(phone, f"{lease}/key/{action}", ground="check_out")
        assert refused.status == 403 and "HR-12" in refused.text and "不能停用住户的钥匙" in refused.text
    assert make(lambda _: stories.key_row(story.key_id).state) == state


def test_a_key_left_over_after_the_check_out_is_suspended_resumed_and_revoked(browser: Browser, make: Make) -> None:
    story = make(stories.make_active)
    make(end_on_paper, story)
    phone = browser(LANDLORD_PHONE)
    lease = f"/l/leases/{story.lease_id}"
    for action, button, said in (
        ("suspend", "暂停钥匙", "钥匙已暂停"),
        ("resume", "恢复钥匙", "钥匙已恢复"),
        ("revoke", "停用钥匙", "钥匙正在停用"),
    ):
        link = next(link for link in phone.get(lease).reader.links if link.endswith(f"/key/{action}"))
        done = phone.press(phone.get(link), button)
        assert done.path == lease and said in done.text
    assert make(lambda _: stories.key_row(story.key_id).state) == "revoking"


def test_what_the_tenant_suspended_the_landlord_is_not_asked_to_resume(browser: Browser, make: Make) -> None:
    story = make(stories.make_active)
    make(suspend_key, account_id=story.tenant, key_id=story.key_id)
    phone = browser(LANDLORD_PHONE)
    lease = f"/l/leases/{story.lease_id}"
    page = phone.get(lease)
    assert "只有本人可以恢复" in page.text and f"{lease}/key/resume" not in page.reader.links
    assert "只有本人可以恢复" in phone.get(f"{lease}/key/resume").text
    assert post(phone, f"{lease}/key/resume").status == 403


def test_a_lease_is_extended_and_never_shortened(browser: Browser, make: Make) -> None:
    story = make(stories.make_active)
    phone = browser(LANDLORD_PHONE)
    page = phone.get(f"/l/leases/{story.lease_id}/extend")
    refused = phone.press(page, "延长", ends_on="2026-12-01")
    assert refused.status == 409 and "HR-12" in refused.text
    assert "2028年11月22日" in phone.press(refused, "延长", ends_on="2028-11-22").text


def test_left_is_a_question_to_the_tenant_and_ends_no_key(browser: Browser, make: Make) -> None:
    story = make(stories.make_active)
    phone = browser(LANDLORD_PHONE)
    page = phone.press(phone.get(f"/l/leases/{story.lease_id}/end"), "报告租客已离开", ended_on="2026-11-23")
    assert "正在等租客确认" in page.text and "可用" in page.text


def test_a_landlord_who_has_not_reported_is_reminded_and_reports_with_one_tap(browser: Browser, make: Make) -> None:
    story = make(stories.make_invited, report_now=False)
    phone = browser(LANDLORD_PHONE)
    home = phone.get("/l/")
    assert "报告租客" in home.text and "ZJ-9-1" in home.text and f"/l/leases/{story.lease_id}" in home.reader.links
    page = phone.press(phone.get(f"/l/leases/{story.lease_id}"), "现在报告")
    assert "已报告租客" in page.text


def test_the_lock_page_tells_health_and_never_comings_and_goings(browser: Browser, make: Make) -> None:
    story = make(stories.make_active)
    page = browser(LANDLORD_PHONE).get(f"/l/units/{story.unit_id}/lock")
    assert "只有租客看得到" in page.text and "还没有联系过我们" in page.text and "一切正常" not in page.text
    assert "开锁" not in page.text


def test_a_unit_is_given_up_on_a_page_that_says_before_what_that_means(browser: Browser, make: Make) -> None:
    story = make(stories.make_let_unit)
    phone = browser(LANDLORD_PHONE)
    page = phone.get(f"/l/units/{story.unit_id}")
    assert f"/l/units/{story.unit_id}/release" in page.reader.links
    asked = phone.get(f"/l/units/{story.unit_id}/release")
    assert "须重新认领" in asked.text and "同时退还" in asked.text
    done = phone.press(asked, "退出房间")
    assert done.path == "/l/" and "房间已退出" in done.text
    assert phone.press(asked, "退出房间").path == "/l/", "pressed twice it is done once"
    assert phone.get(f"/l/units/{story.unit_id}").status == 404


def test_a_unit_somebody_lives_in_is_not_given_up_and_the_page_says_why(browser: Browser, make: Make) -> None:
    story = make(stories.make_active)
    phone = browser(LANDLORD_PHONE)
    path = f"/l/units/{story.unit_id}/release"
    assert path not in phone.get(f"/l/units/{story.unit_id}").reader.links
    refused = phone.press(phone.get(path), "退出房间")
    assert refused.status == 409 and "这间房还有有效的租约" in refused.text


def test_anothers_things_are_not_found(browser: Browser, make: Make) -> None:
    story = make(stories.make_active)
    make(stories.make_landlord, "+8619900009002", stories.sample_number("330522", date(1970, 1, 2)))
    phone = browser("+8619900009002")
    for path in (f"/l/units/{story.unit_id}", f"/l/units/{story.unit_id}/lock", f"/l/leases/{story.lease_id}",
                 f"/l/leases/{story.lease_id}/share",
                 f"/l/leases/{story.lease_id}/key/revoke", f"/t/homes/{story.registration_id}",
                 f"/t/homes/{story.registration_id}/key"):  # fmt: skip
        assert phone.get(path).status == 404, path


def test_a_review_reaches_the_landlords_to_dos(browser: Browser, make: Make, world: Any) -> None:
    story = make(stories.make_identified)
    make(stories.read_notice, story.tenant, "face_check")
    make(ask_a_person, account_id=story.tenant, way="window")
    assert f"/l/leases/{story.lease_id}/attest" in browser(LANDLORD_PHONE).get("/l/").reader.links


def test_an_overdue_end_of_a_lease_is_a_to_do(browser: Browser, make: Make, clock: Any) -> None:
    story = make(stories.make_active)
    clock.move(timedelta(days=370))
    page = browser(LANDLORD_PHONE).get("/l/")
    assert f"/l/leases/{story.lease_id}/end" in page.reader.links and "ZJ-9-2" in page.text


def test_a_co_tenant_joins_a_lease_with_its_dates_and_gets_an_own_invitation(browser: Browser, make: Make) -> None:
    story = make(stories.make_active, kind="whole")
    phone = browser(LANDLORD_PHONE)
    page = phone.get(f"/l/leases/{story.lease_id}")
    assert f"/l/units/{story.unit_id}/lease?joint={story.lease_id}" in page.reader.links
    page = phone.get(f"/l/units/{story.unit_id}/lease?joint={story.lease_id}")
    assert "合租人有自己的登记" in page.text
    page = phone.press(page, "下一步", alias="东屋小王")
    other = stories.sample_number("341822", date(1996, 7, 2))
    page = phone.press(page, "下一步", tenant_name="王平", tenant_id_number=other, tenant_phone="19900009333")
    page = phone.press(page, "登记并邀请租客")
    assert page.path.endswith("/share") and "正在把邀请短信发往" in page.text
    assert story.lease_id not in page.path
    assert "有人一起承租" in browser(TENANT_PHONE).get("/me/messages").text


def test_a_full_unit_takes_no_co_tenant_and_says_the_rule(browser: Browser, make: Make) -> None:
    story = make(stories.make_active, kind="whole")
    phone = browser(LANDLORD_PHONE)
    for number, (year, tail) in enumerate(((1996, "333"), (1997, "444"))):
        page = phone.get(f"/l/units/{story.unit_id}/lease?joint={story.lease_id}")
        page = phone.press(page, "下一步", alias=f"合租{number}")
        other = stories.sample_number("341822", date(year, 7, 2))
        page = phone.press(page, "下一步", tenant_name="王平", tenant_id_number=other, tenant_phone=f"19900009{tail}")
        page = phone.press(page, "登记并邀请租客")
    assert page.status == 409 and "最多住 2 人" in page.text and "HR-7" in page.text


def test_a_manager_renews_the_mandate_on_the_units_page_and_is_told_at_the_first_step_of_a_lease(
    browser: Browser, make: Make, clock: Any
) -> None:
    story = make(make_managed)
    phone = browser(LANDLORD_PHONE)
    unit = f"/l/units/{story.unit_id}"
    assert "您的委托到 2026年12月13日 为止" in phone.get(unit).text and "委托快到期" not in phone.get("/l/").text
    clock.move(timedelta(days=10))
    assert "委托快到期，请续签" in phone.get("/l/").text
    clock.move(timedelta(days=20))
    phone.sign_in(LANDLORD_PHONE)
    assert "委托已到期，请续签" in phone.get("/l/").text
    first = phone.get(f"{unit}/lease")
    assert first.status == 403 and "请房东续签委托" in first.text
    shown = phone.get(unit)
    assert "委托已到期" in shown.text and f"/l/leases/{story.lease_id}" not in shown.reader.links
    assert phone.get(f"/l/leases/{story.lease_id}").status == phone.get(f"{unit}/lock").status == 403
    form = phone.get(next(link for link in shown.reader.links if link.endswith("/claim")))
    again = phone.press(form, "续签", evidence="新委托书", mandate_ends_on="2027-12-01")
    assert again.path == unit and "已记下新的到期日" in again.text and "您的委托到 2027年12月1日 为止" in again.text
    assert f"/l/leases/{story.lease_id}" in again.reader.links


def test_a_mistyped_phone_is_mended_on_the_share_page_and_the_old_link_dies(browser: Browser, make: Make) -> None:
    story = make(stories.make_invited, tenant_phone="+8619900009999")
    tenant = browser(TENANT_PHONE)
    assert "号码抄错了，请房东改好再发一次" in tenant.get(f"/i/{story.link_token}").text
    phone = browser(LANDLORD_PHONE)
    share = phone.get(f"/l/leases/{story.lease_id}/share")
    form = phone.get(next(link for link in share.reader.links if link.endswith("/invite")))
    wrong = phone.press(form, "发送邀请", phone="1")
    assert wrong.status == 422 and "phone-fault" in wrong.reader.ids
    empty = phone.press(wrong, "发送邀请", phone="")
    assert empty.status == 422 and "phone-fault" in empty.reader.ids
    sent = phone.press(empty, "发送邀请", phone="19900009101")
    assert sent.path.endswith("/share") and "199******01" in sent.text
    assert tenant.get(f"/i/{story.link_token}").status == 410
    token = next(word for word in sent.text.split() if "/i/" in word).rsplit("/", 1)[1]
    assert "接受邀请" in tenant.get(f"/i/{token}").html


def test_a_mistyped_document_is_corrected_on_the_leases_page_and_nothing_of_it_is_shown(
    browser: Browser, make: Make
) -> None:
    story = make(stories.make_identified, tenant_id_number=stories.CO_TENANT_NUMBER)
    phone, lease = browser(LANDLORD_PHONE), f"/l/leases/{story.lease_id}"
    assert "租客填写的证件与您填写的不一致" in phone.get(lease).text
    form = phone.get(next(link for link in phone.get(lease).reader.links if link.endswith("/tenant")))
    assert stories.CO_TENANT_NUMBER not in form.html and "周来福" not in form.html
    wrong = phone.press(form, "更正", tenant_name="周来福", tenant_id_number="1")
    assert wrong.status == 422 and "tenant_id_number-fault" in wrong.reader.ids
    done = phone.press(wrong, "更正", tenant_id_number=TENANT_NUMBER)
    assert done.path == lease and "已更正租客信息" in done.text and "不一致" not in done.text
    assert TENANT_NUMBER not in done.html and "周来福" not in done.html
    assert "房东更正了租约里您的信息" in browser(TENANT_PHONE).get("/me/messages").text


def test_a_difference_after_the_report_has_gone_names_the_window(browser: Browser, make: Make) -> None:
    story = make(stories.make_declared, tenant_id_number=stories.CO_TENANT_NUMBER)
    phone, lease = browser(LANDLORD_PHONE), f"/l/leases/{story.lease_id}"
    page = phone.get(lease)
    assert "请租客带证件原件到窗口核验身份" in page.text and f"{lease}/tenant" not in page.reader.links
    assert "请租客带证件原件到窗口核验身份" in phone.get(f"{lease}/tenant").text


def come_back(world: Any, story: stories.Story) -> None:
    """The registry has returned the landlord's report for the name in it."""
    error = {"code": "3002", "pointer": "/payload/name", "owner": "LANDLORD", "leg": "LANDLORD"}
    with transaction() as session:
        session.get_one(Registration, story.registration_id).registry_errors = [error]


def test_a_report_that_came_back_says_so_and_how_to_mend_it(browser: Browser, make: Make) -> None:
    story = make(stories.make_declared)
    phone, lease = browser(LANDLORD_PHONE), f"/l/leases/{story.lease_id}"
    assert "登记机关退回" not in phone.get("/l/").text
    make(come_back, story)
    home = phone.get("/l/")
    assert "登记机关退回了您的报告，请更正" in home.text and lease in home.reader.links
    page = phone.get(lease)
    assert "姓名和证件号码对不上" in page.text and f"{lease}/tenant" in page.reader.links
    again = phone.press(page, "再报告一次")
    assert "已报告租客" in again.text and "登记机关退回" not in again.text
    make(come_back, story)
    form = phone.get(f"{lease}/tenant")
    done = phone.press(form, "更正", tenant_name="周来富", tenant_id_number=TENANT_NUMBER)
    assert "已更正租客信息" in done.text and "登记机关退回" not in done.text
    assert f"{lease}/tenant" not in done.reader.links, "it is on its way"


def test_a_start_is_moved_earlier_when_the_tenant_asks_for_it(browser: Browser, make: Make) -> None:
    story = make(stories.make_active, starts_on=date(2026, 12, 3))
    assert "改租约的开始日期" in browser(TENANT_PHONE).get(f"/t/homes/{story.registration_id}/key").text
    phone, lease = browser(LANDLORD_PHONE), f"/l/leases/{story.lease_id}"
    form = phone.get(next(link for link in phone.get(lease).reader.links if link.endswith("/start")))
    later = phone.press(form, "更改", starts_on="2026-12-04")
    assert later.status == 409 and "开始日期只能改早" in later.text
    done = phone.press(later, "更改", starts_on="2026-11-23")
    assert done.path == lease and "开始日期已更改" in done.text and "2026年11月23日" in done.text
    assert f"{lease}/start" not in done.reader.links


def test_a_report_that_was_unticked_stays_unticked_on_the_way_back_and_forth(browser: Browser, make: Make) -> None:
    story = make(stories.make_let_unit)
    phone = browser(LANDLORD_PHONE)
    check = to_check_answers(phone, story.unit_id)
    assert check.form("登记并邀请").values["report_now"] == "yes"
    check.form("登记并邀请").values.pop("report_now")
    back = phone.press(check, "修改 租期")
    again = phone.press(phone.press(back, "下一步"), "下一步")
    assert "report_now" not in again.form("登记并邀请").values
    ticked = phone.press(again, "修改 租客", report_now="yes")
    assert phone.press(ticked, "下一步").form("登记并邀请").values["report_now"] == "yes"
    done = phone.press(again, "登记并邀请")
    assert "现在报告" in phone.get(done.path.removesuffix("/share")).html


def test_choosing_nobody_to_remind_ticks_nobody_again(browser: Browser, make: Make, clock: Any) -> None:
    make(stories.make_claimed)
    clock.move(timedelta(days=5))
    phone = browser(LANDLORD_PHONE)
    page = phone.get("/l/reminders")
    assert "lease_ids" in page.form("下一步").values
    page.form("下一步").values.pop("lease_ids")
    empty = phone.press(page, "下一步")
    assert empty.status == 422 and "lease_ids" not in empty.form("下一步").values


def test_more_late_tenants_than_one_reminder_takes_are_counted(
    browser: Browser, make: Make, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    story = make(stories.make_claimed)
    make(make_late_beside, story)
    clock.move(timedelta(days=5))
    monkeypatch.setattr(landlord_reminders, "MOST_AT_ONCE", 1)
    phone = browser(LANDLORD_PHONE)
    assert "还有 1 位" in phone.get("/l/reminders").text
