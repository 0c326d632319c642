"""The household over the API and as pages: add, declare a child, correct, leave, object; the landlord counts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

from backend.domain.notices import NOTICES
from backend.seeding import sample_number
from backend.services.guardians import enter_child
from backend.services.persons import enter_identity
from backend.services.registrations import check_out
from tests.mobile_api.page_phones import CHINESE, PagePhone
from tests.mobile_api.phones import ApiPhone
from tests.services import stories
from tests.services.stories import LANDLORD_PHONE, TENANT_PHONE
from tests.services.test_households import WIFE, WIFE_PHONE, add
from tests.services.test_representations import SON_PHONE, make_son

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
Phones = Callable[..., ApiPhone]
Browser = Callable[..., PagePhone]
Make = Callable[..., Any]
PERSON = {
    "name": "郑小芳", "id_type": "111", "id_number": WIFE, "hukou_division": "441900", "move_in_on": "2026-11-23",
}  # fmt: skip


def test_the_household_over_the_api(phone: Phones, make: Make) -> None:
    story = make(stories.make_active)
    child_id = make(stories.make_child, story.tenant)
    tenant, path = phone(TENANT_PHONE), f"/registrations/{story.registration_id}"
    entry = {**PERSON, "relation": "spouse", "told": True}
    first = tenant.post(f"{path}/household", entry, key="member-1")
    assert first.status_code == 201 and tenant.post(f"{path}/household", entry, key="member-1").json == first.json
    body = {"child_id": child_id, "move_in_on": "2026-11-23", "hukou_division": "441900"}
    child = tenant.post(f"{path}/children", body)
    assert child.status_code == 201 and child.json["declared_by"] == "guardian"
    home = tenant.get(f"{path}/household").json
    assert (home["living"], home["over_capacity"], len(home["members"])) == (3, True, 2) and WIFE not in str(home)
    landlord = phone(LANDLORD_PHONE)
    assert landlord.get(f"/leases/{story.lease_id}").json["residents"] == 3
    mine = f"/me/declared-for/{first.json['registration_id']}"
    assert tenant.put(mine, {"move_in_on": "2026-11-20"}).json["registration"]["move_in_on"] == "2026-11-20"
    assert landlord.put(mine, {"move_in_on": "2026-11-20"}).status_code == 404
    assert tenant.delete(mine).status_code == 204
    left = {"moved_out_on": "2026-11-23", "reason": "lease_end", "leaving_too": [child.json["registration_id"]]}
    assert tenant.post(f"{path}/check-out", left).json["residence"] == "moved_out"
    assert [one["state"] for one in tenant.get("/me/declared-for").json] == ["moved_out"]


def test_a_faulty_entry_is_said_at_its_fields(phone: Phones, make: Make) -> None:
    story = make(stories.make_declared)
    entry = {**PERSON, "relation": "other", "representation": "ill", "told": False, "hukou_division": None}
    answer = phone(TENANT_PHONE).post(f"/registrations/{story.registration_id}/household", entry)
    said = [fault["code"] for fault in answer.json["errors"]]
    assert answer.status_code == 422 and said == ["household.kin", "household.told", "input.missing"]


def test_a_relative_is_represented_over_the_api(phone: Phones, make: Make) -> None:
    story = make(stories.make_invited)
    make(make_son)
    body = {
        **PERSON, "name": "周来福", "id_number": stories.TENANT_NUMBER, "told": True, "kinship": "parent",
        "representation": "elderly", "unit_number": "u-test0101",
    }  # fmt: skip
    son = phone(SON_PHONE)
    made = son.post("/me/declared-for", body)
    assert (made.status_code, made.json["representation"], made.json["relation"]) == (201, "elderly", None)
    out = {"moved_out_on": "2026-11-23", "reason": "lease_end"}
    refused = son.post(f"/me/declared-for/{story.registration_id}/check-out", out)
    assert (refused.status_code, refused.json["code"]) == (409, "household.lease")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_tenant_adds_and_leaves_with_whom_they_tick(browser: Browser, make: Make, language: str) -> None:
    story = make(stories.make_active)
    make(stories.make_child, story.tenant)
    phone, home = browser(TENANT_PHONE), f"/t/homes/{story.registration_id}"
    page = phone.get(f"{home}/household/add")
    empty = phone.press(page, "提交", id_type="111")
    assert empty.status == 422 and "请先把告知书的内容告诉本人" not in empty.text and "此项必填" in empty.text
    untold = phone.press(page, "提交", **PERSON, relation="spouse")
    assert untold.status == 422 and "请先把告知书的内容告诉本人" in untold.text
    added = phone.press(page, "提交", **PERSON, relation="spouse", told="yes")
    assert added.path == f"{home}/household" and "已申报" in added.text and WIFE not in added.html
    child_path = next(link for link in added.reader.links if "/children/" in link)
    declared = phone.press(phone.get(child_path), "提交", hukou_division="441900")
    assert "超过可住人数" in declared.text
    member_path = next(link for link in declared.reader.links if "/declared-for/" in link)
    amended = phone.press(phone.get(f"{member_path}/amend"), "提交更正", move_in_on="2026-11-20")
    assert amended.path == member_path and "更正已提交" in amended.text
    leaving = phone.get(f"{home}/move-out")
    [box, _child] = [value for _tag, name, value in leaving.reader.attributes if value.startswith("leaves-")]
    assert not leaving.form("下一步").values.get(box)
    phone.client.set_cookie("anju-lang", language)
    for path in (f"{home}/household", f"{home}/household/add", member_path, f"{member_path}/amend", home,
                 f"{member_path}/check-out", "/t/represent", f"{home}/move-out"):  # fmt: skip
        shown = phone.get(path)
        assert shown.status == 200 and (language == "zh" or not CHINESE.search(shown.text)), path
    phone.client.set_cookie("anju-lang", "zh")
    checking = phone.press(leaving, "下一步", reason="lease_end", **{box: "yes"})
    assert "一起离开" in checking.text and "留下，登记不变" in checking.text
    assert "已办理退房" in phone.press(checking, "确认搬走").text
    assert "已离开" in phone.get(member_path).text


def test_who_was_entered_sees_their_own_and_objects(browser: Browser, make: Make) -> None:
    story = make(stories.make_declared)
    member = make(add, story)
    wife = make(stories.make_account, WIFE_PHONE)
    make(enter_identity, account_id=wife, id_type="111", id_number=WIFE, name="郑小芳")
    phone, home = browser(WIFE_PHONE), f"/t/homes/{member.registration_id}"
    assert phone.get(home).status == 404
    make(stories.verify_at_window, wife)
    page = phone.get(home)
    assert "去开门" not in page.text
    assert "已收到您的异议" in phone.press(page, "提出异议").text
    assert phone.press(page, "提出异议").status == 409
    assert phone.get(f"{home}/household").status == 200
    shown = browser(TENANT_PHONE).get(f"/t/homes/{story.registration_id}/household")
    assert "本人用自己的手机管理" in shown.text and "本人有异议" in shown.text


def test_a_guardian_elsewhere_finds_the_lease_of_a_child_that_rents_by_itself(browser: Browser, make: Make) -> None:
    number = sample_number("341822", date(2011, 3, 4))
    story = make(stories.make_claimed, tenant_id_number=number, tenant_name="周小福")
    make(enter_identity, account_id=story.tenant, id_type="111", id_number=number, name="周小福")
    parent = make(make_son)
    make(enter_child, account_id=parent, name="周小福", id_type="111", id_number=number, relation="father",
         notice_version=NOTICES["registration_notice"].version)  # fmt: skip
    phone = browser(SON_PHONE)
    path = next(link for link in phone.get("/t/represent").reader.links if "/children/" in link)
    declared = phone.press(phone.get(path), "提交", hukou_division="441900")
    assert declared.path == f"/t/declared-for/{story.registration_id}" and "监护人" in declared.text
    assert phone.get(path).status == 404


def test_who_has_moved_out_is_not_told_who_lives_there_now(
    phone: Phones, browser: Browser, make: Make, clock: Any
) -> None:
    story = make(stories.make_active)
    make(add, story)
    path = f"/registrations/{story.registration_id}/household"
    tenant = phone(TENANT_PHONE)
    assert tenant.get(path).json["living"] == 2
    make(check_out, account_id=story.tenant, registration_id=story.registration_id,
         moved_out_on=date(2026, 11, 23), reason="lease_end", leaving_too=())  # fmt: skip
    shown = tenant.get(path).json
    assert (shown["living"], shown["members"], shown["children"], shown["over_capacity"]) == (None, [], [], False)
    clock.move(timedelta(minutes=2))
    page = browser(TENANT_PHONE).get(f"/t/homes/{story.registration_id}/household")
    assert "您现在不住在这里" in page.text and "已申报" not in page.text and "郑小芳" not in page.html
    assert not [link for link in page.reader.links if "/household/" in link]


def test_a_voided_home_asks_for_no_declaration(browser: Browser, make: Make) -> None:
    story = make(stories.make_identified)
    phone, home = browser(TENANT_PHONE), f"/t/homes/{story.registration_id}"
    assert "请在此前申报" in phone.get(home).text
    phone.press(phone.get(f"{home}/withdraw"), "确认撤回")
    assert "请在此前申报" not in phone.get(home).text
