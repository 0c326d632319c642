"""Staff come in and go: sign-in page, cookie, where a role starts, idle lock, the demo's codes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from backend.app import create_console_app
from tests.services import staff

Browser = Callable[..., Any]
Make = Callable[..., Any]


def test_an_officer_signs_in_and_comes_back_to_the_page_that_was_asked(
    browser: Browser, make: Make, world: Any
) -> None:
    who = make(staff.make_officer)
    client = browser()
    asked = client.get("/deadlines?owner=tenant")
    assert asked.status_code == 401 and 'value="/deadlines?owner=tenant"' in asked.text
    form = {"login": who.login, "password": staff.PASSWORD, "code": who.code(world), "next": "/deadlines?owner=tenant"}
    answer = client.post("/sign-in", data=form)
    assert answer.status_code == 302 and answer.headers["Location"] == "/deadlines?owner=tenant"
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-anju-c=")
    assert all(part in cookie for part in ("Secure", "HttpOnly", "SameSite=Strict", "Path=/"))


@pytest.mark.parametrize("elsewhere", ["https://example.org/", "//example.org", "/\\example.org", "javascript:1"])
def test_signing_in_never_leads_to_another_site(browser: Browser, make: Make, world: Any, elsewhere: str) -> None:
    who = make(staff.make_officer)
    form = {"login": who.login, "password": staff.PASSWORD, "code": who.code(world), "next": elsewhere}
    assert browser().post("/sign-in", data=form).headers["Location"] == "/"


def test_a_failed_sign_in_keeps_the_name_and_never_the_password(browser: Browser, make: Make) -> None:
    make(staff.make_officer, login="wang")
    answer = browser().post("/sign-in", data={"login": "wang", "password": "secret-secret-1", "code": "000000"})
    assert answer.status_code == 401 and 'value="wang"' in answer.text
    assert "secret-secret-1" not in answer.text and "000000" not in answer.text
    empty = browser().post("/sign-in", data={})
    assert empty.status_code == 422 and empty.text.count("此项必填") == 6  # summary and field, three times


def test_signing_out_forgets_everything(browser: Browser) -> None:
    client = browser("officer", purpose="visit")
    answer = client.post("/sign-out")
    assert answer.headers["Clear-Site-Data"] == '"cache", "storage"'
    assert client.get("/ledger").status_code == 401


def test_signing_out_keeps_notes_that_have_not_arrived_when_the_phone_says_that_there_are_some(
    browser: Browser,
) -> None:
    answer = browser("grid_worker", purpose="visit").post("/sign-out", data={"keep": "notes"})
    assert answer.headers["Clear-Site-Data"] == '"cache"' and answer.status_code == 302


def test_each_role_starts_where_it_works(browser: Browser) -> None:
    starts = {role: browser(role).get("/").headers["Location"] for role in ("officer", "reviewer", "auditor")}
    assert starts == {"officer": "/ledger", "reviewer": "/ledger", "auditor": "/audit"}


def test_a_page_left_alone_for_ten_minutes_is_locked_and_opens_where_it_was(browser: Browser, clock: Any) -> None:
    client = browser("officer", purpose="visit")
    assert 'data-idle-seconds="600"' in client.get("/ledger?state=overdue").text
    clock.move(timedelta(minutes=11))
    locked = client.get("/ledger?state=overdue")
    assert locked.status_code == 401 and 'value="/ledger?state=overdue"' in locked.text
    assert "上门走访" not in locked.text and "房屋台账" not in locked.text
    assert client.post("/screen/open", data={"password": "wrong", "next": "/ledger"}).status_code == 422
    opened = client.post("/screen/open", data={"password": staff.PASSWORD, "next": "/ledger?state=overdue"})
    assert opened.headers["Location"] == "/ledger?state=overdue"
    page = client.get("/ledger?state=overdue")
    assert page.status_code == 200 and "上门走访" in page.text


def test_whoever_types_without_asking_for_a_page_is_not_locked_out(browser: Browser, clock: Any) -> None:
    client = browser("officer")
    for _ in range(3):
        clock.move(timedelta(minutes=8))
        assert client.post("/screen/stay").status_code == 204
    assert client.get("/ledger").status_code == 200


def test_a_screen_locked_by_hand_shows_nothing_and_scripts_hear_so_in_words(browser: Browser) -> None:
    client = browser("officer")
    assert client.post("/screen/lock", data={"next": "/deadlines"}).headers["Location"] == "/deadlines"
    assert client.get("/deadlines").status_code == 401
    said = client.post("/screen/stay", headers={"X-Anju-Script": "1"})
    assert said.status_code == 401 and said.json["code"] == "session.locked" and said.json["sentence"]
    assert client.post("/sign-out").status_code == 302


def test_the_demos_codes_exist_in_the_demo_alone(
    console: Flask, browser: Browser, make: Make, settings: Any, world: Any
) -> None:
    make(staff.make_officer)
    assert browser().get("/demo/codes").status_code == 200
    real = create_console_app(
        replace(settings, cookie_secure=True), replace(world, house=replace(world.house, demo=False))
    )
    real.config["PREFERRED_URL_SCHEME"] = "https"
    client = real.test_client()
    assert client.get("/demo/codes").status_code == 404 and "/demo/codes" not in client.get("/sign-in").text
