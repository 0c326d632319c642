"""What was typed outlives a locked screen and a task that was over, readable by nobody in between."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from io import BytesIO
from typing import Any

import pytest
from flask import Flask

from backend.services.kept_forms import LARGEST_BYTES
from tests.html_trees import Element, read_tree
from tests.services import reporting_cases, staff
from tests.services.case_stories import open_review

Browser = Callable[..., Any]
Make = Callable[..., Any]
WORDS = "已到现场查看：线路老化，已请电工更换并加装线管，十二月二日复查。"


@pytest.fixture
def reference(make: Make) -> str:
    """A case that asks for an answer in words."""
    return str(make(lambda world: reporting_cases.make_report(world)[1].reference))


def kept_of(page: str) -> str:
    found = re.search(r'name="kept" value="([^"]+)"', page)
    assert found, page
    return unescape(found[1])


def filled_form(page: str) -> Element:
    """The one form that says that what was typed is back in its place."""
    found = [form for form in read_tree(page).find_all("form") if form.find_all(class_="back-in-place")]
    assert len(found) == 1, page
    return found[0]


def fields_of(page: str) -> dict[str, str]:
    """What the form on the page sends when it is pressed as it stands."""
    form = filled_form(page)
    return {each.get("name"): value for each in form.controls if (value := form.value_of(each.get("name"))) is not None}


def decide(client: Any, reference: str, words: str = WORDS) -> Any:
    form = {"outcome": "handled:repaired", "answer_text": words, "password": "not a password"}
    form["from_page"] = f"/cases/{reference}"
    return client.post(f"/cases/{reference}/decision", data=form)


def send_on(client: Any, path: str, **form: str) -> Any:
    """Send a form that is sent once more to where the answer points, as a browser does at 307."""
    answer = client.post(path, data=form)
    assert (answer.status_code, answer.headers["Location"]) == (307, "/screen/resume")
    return client.post("/screen/resume", data=form)


def state_of(make: Make, reference: str) -> str:
    return str(make(lambda world: reporting_cases.case_of(reference).state))


def test_a_long_answer_sent_to_a_locked_screen_waits_unread_until_it_is_open_again(
    browser: Browser, make: Make, clock: Any, reference: str
) -> None:
    client = browser("officer", purpose="visit")
    client.post(f"/cases/{reference}/claim")
    clock.move(timedelta(minutes=11))
    locked = decide(client, reference)
    assert locked.status_code == 401 and "还没有提交" in locked.text
    kept = kept_of(locked.text)
    assert WORDS not in locked.text and WORDS.encode() not in urlsafe_b64decode(kept)
    wrong = client.post("/screen/open", data={"password": "wrong", "next": "/", "kept": kept})
    assert wrong.status_code == 422 and kept_of(wrong.text) == kept and WORDS not in wrong.text
    opened = send_on(client, "/screen/open", password=staff.PASSWORD, kept=kept)
    assert opened.status_code == 200 and "data-idle-seconds" in opened.text
    assert filled_form(opened.text).value_of("answer_text") == WORDS
    assert "not a password" not in opened.text, "a password is asked again, never carried"
    assert filled_form(opened.text).get("action") == f"/cases/{reference}/decision"
    assert state_of(make, reference) == "assigned"
    sent = client.post(f"/cases/{reference}/decision", data=fields_of(opened.text))
    assert sent.status_code == 302 and state_of(make, reference) == "handled"
    assert WORDS in client.get(f"/cases/{reference}").text


def test_a_passkey_leads_to_the_same_words_and_another_sign_in_to_none(
    browser: Browser, make: Make, clock: Any, reference: str
) -> None:
    client = browser("officer", purpose="visit")
    clock.move(timedelta(minutes=11))
    kept = kept_of(decide(client, reference).text)
    assert client.post("/screen/resume", data={"kept": kept}).status_code == 401, "still locked"
    client.post("/screen/open", data={"password": staff.PASSWORD})
    assert WORDS in client.post("/screen/resume", data={"kept": kept}).text
    altered = urlsafe_b64encode(urlsafe_b64decode(kept)[:-1] + b"?").decode()
    for stranger, what in ((browser("supervisor"), kept), (client, altered), (client, "no base64!"), (client, "")):
        answer = stranger.post("/screen/resume", data={"kept": what})
        assert answer.status_code == 410 and WORDS not in answer.text


def test_an_answer_sent_after_its_task_was_over_waits_for_the_next_purpose(
    browser: Browser, make: Make, clock: Any, reference: str
) -> None:
    client = browser("officer", purpose="visit")
    client.post(f"/cases/{reference}/claim")
    for _ in range(60):
        clock.move(timedelta(minutes=9))
        assert client.post("/screen/stay").status_code == 204  # somebody types
        if 'class="strip"' in client.get("/ledger").text:
            break
    asked = decide(client, reference)
    assert asked.status_code == 403 and "还没有提交" in asked.text
    kept = kept_of(asked.text)
    missing = client.post("/task", data={"purpose": "case", "kept": kept})
    assert missing.status_code == 422 and kept_of(missing.text) == kept
    resumed = send_on(client, "/task", purpose="visit", kept=kept)
    assert WORDS in resumed.text and "strip-on" in resumed.text
    client.post(f"/cases/{reference}/decision", data=fields_of(resumed.text))
    assert state_of(make, reference) == "handled"


def test_a_short_answer_and_a_choice_are_seen_on_their_own_page_before_they_are_sent(
    browser: Browser, make: Make, clock: Any, reference: str
) -> None:
    client = browser("officer", purpose="visit")
    client.post(f"/cases/{reference}/claim")
    before = read_tree(client.get(f"/cases/{reference}").text)
    clock.move(timedelta(minutes=11))
    kept = kept_of(decide(client, reference, "已整改完毕 <b>&").text)
    opened = send_on(client, "/screen/open", password=staff.PASSWORD, kept=kept).text
    form, page = filled_form(opened), read_tree(opened)
    assert fields_of(opened) == {"outcome": "handled:repaired", "answer_text": "已整改完毕 <b>&"}
    assert page.find_all("title")[0].words == before.find_all("title")[0].words and reference in page.words
    [button] = form.find_all("button")
    assert button.words == "提交复核" and state_of(make, reference) == "assigned"


def test_of_several_forms_that_go_to_one_place_the_one_that_was_sent_is_filled(
    browser: Browser, make: Make, clock: Any
) -> None:
    reference = make(lambda world: open_review(world))
    client = browser("reviewer", purpose="review")
    client.post(f"/cases/{reference}/claim")
    forms = read_tree(client.get(f"/cases/{reference}").text).find_all("form", action=f"/cases/{reference}/decision")
    assert len(forms) > 1
    method = next(each.get("value") for each in forms[0].controls if each.get("name") == "method")
    for form in forms:
        reason = next(each for each in form.controls if each.get("name") == "reason").options[-1]
        sent = {**form.hidden, "reason": reason, "method": method}
        clock.move(timedelta(minutes=11))
        kept = kept_of(client.post(f"/cases/{reference}/decision", data=sent).text)
        opened = send_on(client, "/screen/open", password=staff.PASSWORD, kept=kept).text
        found = filled_form(opened)
        assert (found.hidden["decision"], found.value_of("reason")) == (form.hidden["decision"], reason)
        if any(each.get("name") == "method" for each in found.controls):
            assert found.value_of("method") == method
        else:
            assert method not in found.words, "a code is no words of anybody"
    assert state_of(make, reference) == "assigned"


def test_a_form_that_is_no_more_is_not_sent_and_its_words_are_shown(
    browser: Browser, make: Make, clock: Any, reference: str
) -> None:
    client = browser("officer", purpose="visit")
    client.post(f"/cases/{reference}/claim")
    clock.move(timedelta(minutes=11))
    kept = kept_of(decide(client, reference).text)
    client.post("/screen/open", data={"password": staff.PASSWORD})
    decide(client, reference, "另一份答复")
    assert state_of(make, reference) == "handled"
    page = read_tree(client.post("/screen/resume", data={"kept": kept}).text)
    assert [each.words for each in page.find_all("p", class_="quote")] == [WORDS]
    assert not [form for form in page.find_all("form") if "/cases/" in form.get("action")]


def test_a_form_that_cannot_be_kept_is_said_to_be_lost(
    browser: Browser, make: Make, clock: Any, reference: str
) -> None:
    client = browser("officer", purpose="visit")
    client.post(f"/cases/{reference}/claim")
    assert "没有保留" not in client.get("/task").text
    clock.move(timedelta(minutes=11))
    assert "没有保留" not in client.get("/ledger").text and "没有保留" not in decide(client, reference).text
    too_long = decide(client, reference, "x" * LARGEST_BYTES)
    assert too_long.status_code == 401 and "没有保留" in too_long.text
    with_file = {"file": (BytesIO(b"name"), "units.csv")}
    assert "没有保留" in client.post(f"/cases/{reference}/decision", data=with_file).text


def test_the_page_of_a_form_is_told_by_the_form_and_handed_on(browser: Browser, reference: str) -> None:
    client = browser("officer", purpose="visit")
    page = read_tree(client.get(f"/cases/{reference}?from=list").text)
    pages = {form.hidden["from_page"] for form in page.find_all("form") if form.get("method") == "post"}
    assert pages == {f"/cases/{reference}?from=list"}
    client.post(f"/cases/{reference}/claim")
    refused = client.post(f"/cases/{reference}/decision", data={"outcome": "", "from_page": f"/cases/{reference}"})
    assert refused.status_code == 422
    forms = read_tree(refused.text).find_all("form", action=f"/cases/{reference}/decision")
    assert forms[0].hidden["from_page"] == f"/cases/{reference}"
    away = client.post(f"/cases/{reference}/decision", data={"from_page": "https://elsewhere.example/"})
    assert "elsewhere" not in away.text


def test_what_is_no_form_of_ours_is_not_kept(console: Flask, browser: Browser, clock: Any, reference: str) -> None:
    client = browser("officer", purpose="visit")
    clock.move(timedelta(minutes=11))
    assert 'name="kept"' not in client.get("/ledger").text
    assert 'name="kept"' not in client.post(f"/cases/{reference}/claim", data={"csrf_token": "x"}).text
    assert 'name="kept"' not in decide(client, reference, "长" * LARGEST_BYTES).text
    assert 'name="kept"' not in client.post("/me/password", data={"text": WORDS}).text
    by_script = client.post(f"/cases/{reference}/decision", data={"answer_text": WORDS}, headers={"X-Anju-Script": "1"})
    assert by_script.json["code"] == "session.locked" and "kept" not in by_script.json
    console.config["WTF_CSRF_ENABLED"] = True
    assert 'name="kept"' not in decide(client, reference).text, "another site's form carries no token of this session"
