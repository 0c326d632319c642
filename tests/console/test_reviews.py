"""The review queue, the day's appointments and the figures as pages."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from backend.db import db
from backend.models.audit import AuditLeaf
from backend.services.appointments import choose_slot, my_appointment, offered_slots
from backend.services.housekeeping import keep_house
from backend.services.identity_reviews import ask_a_person
from tests.services import stories

Browser = Callable[..., Any]
Make = Callable[..., Any]
LINK = "https://meeting.example/j/1"


def flat(answer: Any) -> str:
    """The page's words without markup, spaces folded."""
    return " ".join(re.sub(r"<[^>]+>", " ", answer.text).split())


def book(world: Any, story: stories.Story, way: str = "window") -> Any:
    slots = offered_slots(world, account_id=story.tenant)
    return choose_slot(world, account_id=story.tenant, way=way, starts_at=slots[0].starts_at)


def test_the_queue_says_due_late_way_and_time_without_a_name(browser: Browser, make: Make, clock: Any) -> None:
    story = make(stories.make_declared)
    client = browser("reviewer")
    assert "没有待复核的身份" in client.get("/reviews").text
    made = make(book, story, "live_video")
    words = flat(client.get("/reviews"))
    assert made.case_reference in words and "还有 3 天" in words
    assert "视频" in words and "11-23 11:00" in words and "已约时间，待发链接" in words and "周来福" not in words
    clock.move(timedelta(hours=73))
    make(keep_house)
    late = browser("supervisor")
    words = flat(late.get("/reviews?when=late"))
    assert "超时 1 小时" in words and "已超时（1）" in words
    assert made.case_reference in flat(late.get("/reviews?when=escalated"))


@pytest.mark.parametrize(("query", "there"), [
    ("", True), ("?way=window", True), ("?way=live_video", False), ("?when=today", True), ("?when=late", False),
    ("?when=mine", False), ("?way=window&when=today", True),
])  # fmt: skip
def test_the_queue_is_filtered(browser: Browser, make: Make, query: str, there: bool) -> None:
    story = make(stories.make_declared)
    reference = make(book, story).case_reference
    text = browser("window_clerk").get(f"/reviews{query}").text
    assert (reference in text) == there and ("没有待复核的身份" in text) == (not there)


def test_a_filter_that_is_none_is_not_found_and_each_reading_is_written_down(
    browser: Browser, make: Make, console: Flask
) -> None:
    make(stories.make_declared)
    client = browser("reviewer")
    assert client.get("/reviews?way=telepathy").status_code == 404
    client.get("/reviews?when=late")
    with console.app_context():
        leaf = db.session.scalars(select(AuditLeaf).where(AuditLeaf.action == "reviews_listed")).one()
        assert (leaf.object_id, leaf.decision, leaf.subject_id) == ("330522003", "late", None)
    auditor = browser("auditor")
    assert "查看身份复核队列" in auditor.get("/audit").text


def test_the_days_list_leads_to_the_case_where_link_and_decision_stand_together(
    browser: Browser, make: Make, world: Any
) -> None:
    story = make(stories.make_declared)
    made = make(book, story, "live_video")
    blank = browser("window_clerk").get("/appointments")
    assert blank.status_code == 403 and "周*" not in blank.text
    client = browser("reviewer", purpose="review")
    words = flat(client.get("/appointments"))
    assert "11:00–11:30 周** 视频 还没有链接" in words and "周来福" not in words
    assert "这一天没有预约" in client.get("/appointments?on=2026-11-24").text
    assert "11:00–11:30 周**" in flat(client.get("/appointments?on=9999-12-31")), "no day anybody means: today"
    path = f"/cases/{made.case_reference}"
    wrong = client.post(f"{path}/link", data={"link": "http://meeting.example"})
    assert wrong.status_code == 422 and "视频链接应以 https:// 开头" in wrong.text
    assert "http://meeting.example" in wrong.text, "what was typed is still there"
    client.post(f"{path}/link", data={"link": LINK})
    assert LINK in client.get(path).text and make(my_appointment, account_id=story.tenant).video_link == LINK
    client.post(f"{path}/claim")
    taken = browser("supervisor", purpose="review").post(f"{path}/claim")
    assert taken.status_code == 409 and "已由" in taken.text
    client.post(f"{path}/decision", data={"decision": "confirmed", "reason": "same_person", "method": "live_video"})
    shown = flat(client.get(path))
    assert "身份确认" in shown and "已赴约" in shown


def test_a_time_nobody_came_to_is_marked_without_a_decision(browser: Browser, make: Make, clock: Any) -> None:
    story = make(stories.make_declared)
    made = make(book, story)
    clock.move(timedelta(hours=2))
    client = browser("window_clerk", purpose="review")
    assert "时间已过，请记是否赴约" in client.get("/appointments").text
    client.post(f"/cases/{made.case_reference}/appointment", data={"action": "miss"})
    assert "未赴约" in flat(client.get(f"/cases/{made.case_reference}"))
    assert make(my_appointment, account_id=story.tenant).state == "missed"
    assert client.post(f"/cases/{made.case_reference}/appointment", data={"action": "?"}).status_code == 422


def test_the_figures_are_numbers_and_small_ones_are_not_shown(browser: Browser, make: Make) -> None:
    story = make(stories.make_identified)
    make(ask_a_person, account_id=story.tenant, way="window")
    words = flat(browser("supervisor").get("/figures"))
    assert "开始核验的租客 *" in words and "自选窗口 *" in words and "待复核 / 已超时 1 / 0" in words
    assert "自助完成率 —" in words and "周来福" not in words
    assert browser("reviewer").get("/figures").status_code == 403
