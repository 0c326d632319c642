"""A8: what went wrong is told on a friendly page in both languages, at the desk and on the round, and leads on."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from unittest.mock import Mock

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from backend.queries import case_lists, visit_lists
from tests.html_trees import read_tree
from tests.services import staff, stories

CHINESE = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]")
Browser = Callable[..., FlaskClient]
NUMBER = "01a22bb6-6ea5-7599-8696-b3c20f3dad8e"
INSIDE = "RuntimeError 周来福 341822199506010006"


def judge(answer: TestResponse, status: int, language: str, way_on: str) -> None:
    """One head line, what to do, a way on, the number of the call; in one language and nothing of the inside."""
    assert answer.status_code == status and answer.mimetype == "text/html", answer.request.path
    page = read_tree(answer.text)
    [place] = page.find_all("main")
    [head] = place.find_all("h1")
    remedies = [each for each in place.find_all("p") if each.words]
    assert head.words and remedies and head.words != remedies[0].words, place.words
    assert way_on in [each.get("href") for each in place.find_all("a")], place.words
    assert answer.headers["X-Request-Id"] in place.words, "what to tell whoever helps"
    assert bool(CHINESE.search(place.words)) == (language == "zh"), place.words
    assert page.find_all("html")[0].get("lang") == {"zh": "zh-CN", "en": "en"}[language]
    assert not set(INSIDE.split()) & set(re.split(r"\W+", answer.text)) and "Traceback" not in answer.text


def come(browser: Browser, language: str, *args: Any, **named: Any) -> FlaskClient:
    """A browser in a language."""
    client = browser(*args, **named)
    client.set_cookie("anju-lang", language)
    return client


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a8_errors_at_the_desk_are_friendly_pages_with_a_way_on(
    browser: Browser, make: Callable[..., Any], language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    story = make(stories.make_active)
    officer = come(browser, language, "officer", purpose="visit")
    far = come(browser, language, "officer", area=staff.OTHER_STREET, purpose="visit")
    judge(come(browser, language).get("/nowhere"), 404, language, "/sign-in")
    judge(officer.get("/nowhere"), 404, language, "/")
    judge(officer.get(f"/units/{NUMBER}"), 404, language, "/")
    judge(officer.get("/staff"), 403, language, "/")
    judge(far.get(f"/units/{story.unit_id}"), 403, language, "/")
    judge(officer.get("/sign-out"), 405, language, "/")
    monkeypatch.setattr(case_lists, "list_cases", Mock(side_effect=RuntimeError(INSIDE)))
    judge(officer.get("/cases"), 500, language, "/")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a8_errors_on_the_round_stay_on_the_phones_page_and_lead_back_to_the_round(
    browser: Browser, make: Callable[..., Any], language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    story = make(stories.make_active)
    walker = come(browser, language, "grid_worker")
    far = come(browser, language, "grid_worker", area=staff.OTHER_STREET)
    for answer, status in (
        (walker.get("/g/nowhere"), 404),
        (walker.get("/g/door?number=U-NONE"), 404),
        (far.get(f"/g/units/{story.unit_id}"), 403),
    ):
        judge(answer, status, language, "/g/")
        assert "data-worker" in answer.text, "the phone's page, not the desk's"
    judge(come(browser, language, "supervisor").get("/g/"), 403, language, "/")
    monkeypatch.setattr(visit_lists, "list_round", Mock(side_effect=RuntimeError(INSIDE)))
    judge(walker.get("/g/"), 500, language, "/g/")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a8_the_offline_page_of_the_round_says_what_was_not_sent_and_what_still_works(
    browser: Browser, make: Callable[..., Any], language: str
) -> None:
    make(stories.make_active)
    answer = come(browser, language, "grid_worker").get("/g/offline")
    [place] = read_tree(answer.text).find_all("main")
    assert answer.status_code == 200 and len(place.find_all("h1")) == 1
    assert [each.get("href") for each in place.find_all("a")] == ["/g/"]
    assert bool(CHINESE.search(place.words)) == (language == "zh")
    assert "周" not in place.words and "陈塘" not in place.words
