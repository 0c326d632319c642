"""The inbox's pages: each message opens what it is about, many are one line, silence is chosen where it is lawful."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask, session

from backend.db import transaction
from backend.domain.notice_kinds import KINDS
from backend.services.duties import keep_duties
from backend.services.inbox import NoticeView, tell_account
from backend.worker.registry_loop import process_once
from mobile_api.pages.duties import OPENS, notice_page
from tests.mobile_api.page_phones import ORIGIN, PagePhone
from tests.mobile_api.phones import ApiPhone
from tests.services import stories
from tests.services.stories import LANDLORD_PHONE, TENANT_PHONE
from tests.services.test_reminder_messages import MANY, many_leases

AT = datetime(2026, 11, 23, tzinfo=UTC)
Browser, Make = Callable[..., PagePhone], Callable[..., Any]
pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)


NOT_IN_THIS_STORY = ("household", "receipt")  # nobody lives along, and the registry has not answered


@pytest.mark.parametrize(("hat", "number"), [("tenant", TENANT_PHONE), ("landlord", LANDLORD_PHONE)])
def test_every_message_opens_a_page_that_is_there(
    hat: str, number: str, browser: Browser, make: Make, mobile: Flask
) -> None:
    story = make(stories.make_active)
    ids = {"registration_id": story.registration_id, "lease_id": story.lease_id, "unit_id": story.unit_id}
    own = {"tenant": ("registration_id",), "landlord": ("lease_id", "unit_id")}[hat]
    phone = browser(number)
    opened = set()
    for kind, row in KINDS.items():
        named = {name: ids[name] for name in own}
        for params in ({}, named, {**named, "side": hat}):
            view = NoticeView("", kind, row.topic, row.opens, None, params, AT, None, "", "", "", "")
            with mobile.test_request_context():
                session["hat"] = hat
                page = notice_page(view)
            status = phone.client.get(page, base_url=ORIGIN).status_code
            assert status in (200, 302, 303) or (params and row.opens in NOT_IN_THIS_STORY), (kind, page, status)
            opened.add(row.opens)
    assert set(OPENS) | {"home_or_lease", "visitors"} == opened


def test_opening_a_message_marks_it_as_read_and_leads_there(browser: Browser, make: Make) -> None:
    story = make(stories.make_claimed)
    phone = browser(LANDLORD_PHONE)
    page = phone.get("/me/messages")
    assert "1 条未读" in page.text
    there = phone.press(page, "去看看")
    assert there.path == f"/l/leases/{story.lease_id}"
    assert "未读" not in phone.get("/me/messages").text


def test_the_count_of_unread_ones_is_on_both_home_pages_beyond_a_page_of_them(browser: Browser, make: Make) -> None:
    story = make(stories.make_active)
    kinds = sorted(KINDS)

    def fill(world: Any) -> None:
        with transaction() as session_:
            for number in range(70):
                tell_account(world, session_, story.tenant, kinds[number % len(kinds)], once=f"n{number}", unit="1-1")

    make(fill)
    phone = browser(TENANT_PHONE)
    for path in ("/t/", "/t/key"):
        assert '<span class="count" data-say>71<' in phone.get(path).html
    page = phone.get("/me/messages")
    assert "71 条未读" in page.text and page.text.count("去看看") == 50
    phone.press(page, "全部标为已读")
    assert 'class="count"' not in phone.get("/t/").html


def test_a_landlord_of_many_reads_one_line_and_one_duty_and_can_see_all(
    browser: Browser, make: Make, clock: Any
) -> None:
    make(many_leases)
    clock.set(datetime(2026, 11, 25, 2, 0, tzinfo=UTC))
    make(keep_duties)
    phone = browser(LANDLORD_PHONE)
    page = phone.get("/me/messages")
    assert page.text.count("请报告租客") == 1 and f"{MANY + 1} 间房" in page.text
    assert f"{MANY + 1} 条" in page.text and "/l/todos" in page.reader.links
    [every] = [link for link in page.reader.links if "/report_due/" in link]
    assert phone.get(every).text.count("去看看") == MANY + 1
    done = phone.press(page, "知道了")
    assert f"{MANY + 1} 条" in done.text and "1 条未读" in done.text
    assert phone.get("/me/messages/report_due/nonsense").status == 404
    assert phone.get("/me/messages/report_due/2026-11-20").status == 404
    assert browser(TENANT_PHONE).get(every).status == 404


def test_a_refusal_of_both_legs_is_said_once_with_field_remedy_and_who_mends_it(
    browser: Browser, make: Make, world: Any
) -> None:
    story = make(stories.make_active)
    world.registry.refused[story.registration_id] = ("1102", "/payload/hukou_division")
    for _ in range(4):
        make(process_once, sleep=lambda seconds: None)
    phone = browser(TENANT_PHONE)
    for path in (f"/t/homes/{story.registration_id}/amend", f"/t/homes/{story.registration_id}"):
        page = phone.get(path)
        assert page.text.count("原因在我们的系统") == 1 and "报文" not in page.html
        assert "户籍地" in page.text and "您不用做什么" in page.text and "平台工作人员" in page.text


def test_what_is_convenient_is_silenced_and_duties_are_no_choice(browser: Browser, make: Make) -> None:
    make(stories.make_invited)
    phone = browser(LANDLORD_PHONE)
    page = phone.get("/me/notifications")
    form = page.form("保存")
    assert set(form.values) == {"csrf_token", "told"} and "法定期限" in page.text
    assert not [value for _tag, name, value in page.reader.attributes if name == "value" and value == "duties"]
    kept = phone.press(page, "保存", told="leases")
    assert "已保存" in kept.text and kept.html.count(" checked") == 1
    sent = phone.client.post("/me/notifications", base_url=ORIGIN, data={"csrf_token": form.values["csrf_token"]})
    assert sent.status_code == 303
    assert " checked" not in phone.get("/me/notifications").html


def test_the_api_has_inbox_topics_and_marking(phone: Callable[..., ApiPhone], make: Make) -> None:
    make(stories.make_active)
    own = phone(TENANT_PHONE)
    inbox = own.get("/me/inbox").json
    assert inbox["unread"] == 1 and inbox["lines"][0]["notice"]["opens"] == "key"
    assert own.put("/me/notices/read", {}).json == {"read": 1}
    topics = own.get("/me/notifications").json
    assert {topic["code"] for topic in topics if not topic["may_be_silenced"]} == {"duties", "decisions", "keys"}
    assert own.put("/me/notifications", {"topics": ["duties"]}).json["code"] == "notices.duty"
    told = own.put("/me/notifications", {"topics": ["permits"]}).json
    assert [topic["code"] for topic in told if topic["silenced"]] == ["permits"]
