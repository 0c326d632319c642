"""The console's pages: sign-in, purpose, ledger, unit, full number, cases, search, sync, audit, errors."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from backend.db import transaction
from backend.domain.ids import new_id
from backend.models.audit import AuditLeaf
from backend.models.registrations import Registration
from backend.models.units import Unit
from backend.services import outbox
from backend.services.audit_sealing import seal_leaves, sign_checkpoint
from backend.services.identity_reviews import ask_a_person
from backend.services.leases import end_lease
from backend.services.registrations import answer_still_here
from backend.services.registry_upkeep import note_contact
from tests.services import staff, stories

Browser = Callable[..., Any]
Make = Callable[..., Any]


def flat(answer: Any) -> str:
    """The page's words without markup, spaces folded."""
    return " ".join(re.sub(r"<[^>]+>", " ", answer.text).split())


def test_a_unit_asks_for_the_purpose_first_and_opens_right_after(browser: Browser, make: Make) -> None:
    story = make(stories.make_active)
    client = browser("officer")
    gate = client.get(f"/units/{story.unit_id}")
    assert gate.status_code == 403 and f'value="/units/{story.unit_id}"' in gate.text and "周来福" not in gate.text
    fault = client.post("/task", data={"purpose": "case", "case_number": "", "next": f"/units/{story.unit_id}"})
    assert fault.status_code == 422 and "这个用途需要案件编号" in fault.text
    begun = client.post("/task", data={"purpose": "visit", "next": f"/units/{story.unit_id}"})
    page = client.get(begun.headers["Location"])
    assert page.status_code == 200 and "周来福" in page.text and "上门走访" in page.text
    assert stories.TENANT_NUMBER not in page.text and page.headers["Cache-Control"] == "no-store"
    client.post("/task/end")
    assert client.get(f"/units/{story.unit_id}").status_code == 403


def test_the_board_counts_states_coverage_and_residents(browser: Browser, make: Make) -> None:
    story = make(stories.make_active)
    make(stories.make_dwelling, 2, 3)
    words = flat(browser("officer").get(f"/ledger?dwelling={story.dwelling_id}"))
    assert "入册率（按栋） 100.0% 已知出租 1 栋，入册 1 栋；地址库共 2 栋" in words
    assert "已登记 1 个单元 · 在住 1 人" in words and "未入册 4 个单元" in words
    assert "101室 已登记 在住 1 / 可住 2 人" in words and "102室 未入册" in words


@pytest.mark.parametrize(("query", "there"), [
    ("?text=2号", ["2号"]), ("?state=registered", ["1号"]), ("?text=没有的路", []), ("?state=disputed", []),
])  # fmt: skip
def test_the_board_is_filtered(browser: Browser, make: Make, query: str, there: list[str]) -> None:
    make(stories.make_active)
    make(stories.make_dwelling, 2, 1)
    text = browser("officer").get(f"/ledger{query}").text
    assert re.findall(r">陈塘村陈塘路(\d号)</a>", text) == there
    assert ("没有符合条件的房屋" in text) == (not there)


def state_of_first_unit(client: Any, story: stories.Story) -> str:
    """The word on the first unit's plate."""
    return flat(client.get(f"/ledger?dwelling={story.dwelling_id}")).split("101室 ")[1].split()[0]


def test_the_board_shows_a_late_unit(browser: Browser, make: Make, clock: Any) -> None:
    story = make(stories.make_claimed)
    assert state_of_first_unit(browser("officer"), story) == "无在住登记"
    clock.move(timedelta(days=4))
    assert state_of_first_unit(browser("supervisor"), story) == "逾期未登记"


def test_the_board_shows_an_overfull_unit(browser: Browser, make: Make) -> None:
    def crowd(world: Any) -> stories.Story:
        story = stories.make_active(world)
        with transaction() as session:
            first = session.get_one(Registration, story.registration_id)
            for _ in range(session.get_one(Unit, story.unit_id).capacity):
                session.add(Registration(id=new_id(), unit_id=story.unit_id, move_in_on=first.move_in_on,
                                         tenant_leg="declared", declared_at=first.declared_at,
                                         created_at=first.created_at, updated_at=first.updated_at))  # fmt: skip
        return story

    assert state_of_first_unit(browser("officer"), make(crowd)) == "超员"


def test_the_board_shows_a_disputed_unit_until_a_person_has_decided(browser: Browser, make: Make, clock: Any) -> None:
    def disagree(world: Any) -> stories.Story:
        story = stories.make_active(world)
        clock.move(timedelta(days=1))
        end_lease(world, account_id=story.landlord, lease_id=story.lease_id, ended_on=world.clock.today())
        answer_still_here(world, account_id=story.tenant, registration_id=story.registration_id)
        return story

    story = make(disagree)
    client = browser("officer", purpose="visit")
    assert state_of_first_unit(client, story) == "有争议"
    [reference] = re.findall(r"/cases/(AJ-[\d-]+)/claim", client.get("/cases").text)
    client.post(f"/cases/{reference}/claim")
    client.post(f"/cases/{reference}/decision", data={"decision": "still_living", "reason": "seen_on_site"})
    assert state_of_first_unit(client, story) == "已登记"


def test_a_full_number_is_the_second_act(browser: Browser, make: Make) -> None:
    story = make(stories.make_active)
    client = browser("officer", purpose="visit")
    path = f"/registrations/{story.registration_id}/number"
    asked = client.get(path)
    assert "周来福" not in asked.text and 'type="password"' in asked.text
    wrong = client.post(path, data={"password": "wrong"})
    assert wrong.status_code == 422 and "密码不对" in wrong.text
    assert stories.TENANT_NUMBER in client.post(path, data={"password": staff.PASSWORD}).text
    assert stories.TENANT_NUMBER not in client.get(path).text


def test_a_purpose_without_full_numbers_offers_none_and_asks_for_no_password(browser: Browser, make: Make) -> None:
    story = make(stories.make_active)
    client = browser("officer", purpose="address_check")
    client.post("/language", data={"to": "en"})
    page = client.get(f"/units/{story.unit_id}").text
    assert f"/registrations/{story.registration_id}/number" not in page
    assert "Address check" in page and "does not allow full numbers" in page and "/task?next=" in page
    answer = client.get(f"/registrations/{story.registration_id}/number")
    assert answer.status_code == 403 and 'action="/registrations/' not in answer.text
    purposes = re.search(r"Fitting purposes: (.*?)</p>", answer.text)
    assert purposes is not None and "、" not in purposes[1] and purposes[1].count(", ") == 3


def test_a_unit_leads_to_a_case_only_who_may_open_it(browser: Browser, make: Make) -> None:
    story = make(stories.make_declared)
    make(ask_a_person, account_id=story.tenant, way="window")
    page = browser("officer", purpose="visit").get(f"/units/{story.unit_id}").text
    assert "由核验员办理" in page and "/cases/AJ-" not in page
    assert "/cases/AJ-" in browser("supervisor", purpose="visit").get(f"/units/{story.unit_id}").text


def test_a_reviewer_takes_and_decides_a_review(browser: Browser, make: Make) -> None:
    story = make(stories.make_declared)
    reference = make(ask_a_person, account_id=story.tenant, way="window").reference
    client = browser("reviewer", purpose="review")
    assert reference in client.get("/cases").text
    page = client.get(f"/cases/{reference}")
    assert page.status_code == 200 and "周来福" in page.text and "申请到窗口核验" in page.text
    client.post(f"/cases/{reference}/claim")
    fault = client.post(f"/cases/{reference}/decision", data={"decision": "confirmed", "reason": "same_person"})
    assert fault.status_code == 422 and "此项必填" in fault.text
    form = {"decision": "confirmed", "reason": "same_person", "method": "window"}
    assert client.post(f"/cases/{reference}/decision", data=form).status_code == 302
    assert "身份确认" in client.get(f"/cases/{reference}").text
    assert reference in client.get("/cases?scope=done").text and reference not in client.get("/cases").text


def test_a_case_somebody_else_took_says_so(browser: Browser, make: Make) -> None:
    story = make(stories.make_declared)
    reference = make(ask_a_person, account_id=story.tenant, way="window").reference
    browser("reviewer", purpose="review").post(f"/cases/{reference}/claim")
    clerk = browser("window_clerk", purpose="review")
    assert "由同事处理中" in clerk.get(f"/cases/{reference}").text
    assert clerk.post(f"/cases/{reference}/claim").status_code == 409


def test_a_number_is_searched_in_the_body_and_shown_masked(browser: Browser, make: Make) -> None:
    make(stories.make_active)
    client = browser("officer", purpose="help_request")
    page = client.post("/search", data={"text": stories.TENANT_NUMBER})
    assert "周**" in page.text and "陈塘路1号" in page.text
    assert stories.TENANT_NUMBER not in page.text
    nobody = client.post("/search", data={"text": "13900000000"})
    assert "本辖区没有这个号码的登记" in nobody.text
    assert client.post("/search", data={"text": "周来福"}).status_code == 422


def test_deadlines_name_rule_and_days_but_nobody(browser: Browser, make: Make, clock: Any) -> None:
    make(stories.make_claimed, report_now=False)
    clock.move(timedelta(days=10))
    words = flat(browser("officer").get("/deadlines"))
    assert "HK-15" in words and "ZJ-9-1" in words and "7 天" in words


def test_the_sync_page_says_what_waits_and_that_nothing_was_heard(browser: Browser, make: Make) -> None:
    make(stories.make_declared)
    words = flat(browser("officer").get("/sync"))
    assert "还没有联系过登记机关" in words and "等待报送 2" in words
    assert "等待报送" in flat(browser("supervisor").get("/sync/live", headers={"X-Anju-Live": "1"}))


def test_a_silent_registry_turns_the_page_red_and_reassures_about_keys(browser: Browser, make: Make) -> None:
    make(note_contact, "connection refused")
    words = flat(browser("officer").get("/sync/live"))
    assert "联系不上登记机关" in words and "申报和钥匙不受影响" in words
    make(note_contact, None)
    assert "与登记机关连通正常" in flat(browser("supervisor").get("/sync/live"))


def test_a_parked_row_is_sent_again_from_its_own_area_alone(browser: Browser, make: Make) -> None:
    def park(world: Any) -> int:
        stories.make_declared(world)
        [item] = outbox.claim(world, "registry", limit=1, lease=timedelta(minutes=1))
        outbox.park(world, item, error="OPERATOR: 1102 schema")
        return item.id

    row = make(park)
    client = browser("supervisor")
    assert "1102 schema" in client.get("/sync").text
    assert browser("officer").post(f"/sync/{row}/retry").status_code == 403
    assert browser("supervisor", area=staff.OTHER_STREET).post(f"/sync/{row}/retry").status_code == 403
    assert client.post(f"/sync/{row}/retry").status_code == 302
    assert "没有搁置的报送" in client.get("/sync").text
    assert client.post(f"/sync/{row}/retry").status_code == 404


def test_the_audit_page_checks_the_log_and_shows_no_person(browser: Browser, make: Make) -> None:
    story = make(stories.make_active)
    browser("officer", purpose="visit").get(f"/units/{story.unit_id}")
    make(seal_leaves)
    make(sign_checkpoint)
    client = browser("auditor")
    assert client.get("/audit?on=9999-12-31").status_code == 200
    page = client.get("/audit?action=unit_opened")
    assert "查看单元" in page.text and "周来福" not in page.text
    assert "全部相符" in client.post("/audit/check", follow_redirects=True).text


def test_a_changed_leaf_is_found(browser: Browser, make: Make) -> None:
    def falsify(world: Any) -> None:
        seal_leaves(world)
        with transaction() as session:
            session.query(AuditLeaf).filter_by(seq=1).update({"action": "nothing"})

    make(stories.make_active)
    make(falsify)
    assert "发现 1 处不符" in browser("auditor").post("/audit/check", follow_redirects=True).text


def test_the_language_is_switched_in_place(browser: Browser) -> None:
    client = browser("officer")
    answer = client.post("/language", data={"to": "en", "next": "/cases?scope=mine"})
    assert answer.headers["Location"] == "/cases?scope=mine"
    assert "Dwelling ledger" in client.get("/ledger").text


@pytest.mark.parametrize(("path", "status", "word"), [
    ("/nowhere", 404, "没有找到"), ("/cases/AJ-1", 404, "没有找到"), ("/audit", 403, "没有做这件事的权限"),
    ("/ledger?state=odd", 404, "没有找到"), ("/units/not-a-uuid", 404, "没有找到"),
])  # fmt: skip
def test_an_error_page_is_friendly_and_gives_a_way_back(browser: Browser, path: str, status: int, word: str) -> None:
    answer = browser("officer", purpose="visit").get(path)
    assert answer.status_code == status and word in answer.text and "回到首页" in answer.text
    assert answer.headers["X-Request-Id"] in answer.text


def test_every_answer_carries_the_strict_headers(browser: Browser) -> None:
    headers = browser("officer").get("/ledger").headers
    assert (
        "script-src 'self'" in headers["Content-Security-Policy"] and "unsafe" not in headers["Content-Security-Policy"]
    )
    assert headers["X-Content-Type-Options"] == "nosniff" and headers["Referrer-Policy"] == "no-referrer"


def test_door_sheets_are_printed_for_a_dwelling_of_the_area_and_name_nobody(browser: Browser, make: Make) -> None:
    story = make(stories.make_active)
    text = browser("officer").get(f"/door-sheets?dwelling={story.dwelling_id}").text
    assert text.count('class="door-sheet"') == 2 and text.count("<svg ") > 2 and "陈塘村陈塘路1号 101室" in text
    assert "周来福" not in text and "沈安一" not in text
