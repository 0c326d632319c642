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


def test_each_role_starts_where_it_works(browser: Browser) -> None:
    starts = {role: browser(role).get("/").headers["Location"] for role in ("officer", "reviewer", "auditor")}
    assert starts == {"officer": "/ledger", "reviewer": "/ledger", "auditor": "/audit"}


def test_a_page_is_locked_after_ten_idle_minutes(browser: Browser, clock: Any) -> None:
    client = browser("officer", purpose="visit")
    assert 'data-idle-seconds="605"' in client.get("/ledger").text
    clock.move(timedelta(minutes=11))
    assert client.get("/ledger").status_code == 401


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
