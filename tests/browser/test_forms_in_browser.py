"""A5 where a browser is needed: the focus after an error, the links into the fields, and a form on its way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Phone
from tests.browser.console_stage import Desk, Office, desks, office
from tests.services import stories
from tests.services.case_stories import open_review

__all__ = ["desks", "office"]

pytestmark = pytest.mark.browser
Desks = Callable[..., Desk]


@pytest.fixture
def phone(chromium: Any, office: Office) -> Iterator[Phone]:
    """A phone at the mobile app."""
    made = Phone(chromium, office.mobile_base, "phone")
    yield made
    made.complaints.require_none()
    made.context.close()


# Presses the form's button twice and Enter once, and tells what the page says before the answer comes.
PRESS = """(name) => {
  const form = document.querySelector(name), button = form.querySelector('button:not([type=button])'), stopped = [];
  addEventListener('submit', (sending) => stopped.push(sending.defaultPrevented));
  button.focus();
  button.click();
  const said = [button.textContent, document.querySelector('[role=status][data-sending]').textContent];
  const marked = [button.ariaDisabled, form.ariaBusy, document.activeElement === button];
  button.click();
  form.requestSubmit();
  return { said, marked, stopped };
}"""


def require_busy(page: Any, form: str, words: str) -> None:
    """Send a form: its button says so at once and aloud, keeps the focus, and a second press sends nothing."""
    sent: list[str] = []
    page.on("request", lambda asked: sent.extend([asked.url] if asked.method == "POST" else []))
    with page.expect_navigation():
        found = page.evaluate(PRESS, form)
    assert found == {"said": [words, words], "marked": ["true", "true", True], "stopped": [False, True, True]}
    assert len(sent) == 1


def test_a5_after_an_error_the_summary_has_the_focus_and_its_links_lead_into_the_fields(desks: Desks) -> None:
    desk = desks("supervisor")
    desk.come_as("supervisor")
    desk.page.goto("/staff/new")
    desk.page.locator("[name=display_name]").fill("沈安一")
    desk.page.get_by_role("button", name="申请建立").click()
    summary = desk.page.locator(".summary")
    expect(summary).to_be_focused()
    expect(desk.page.locator("[name=display_name]")).to_have_value("沈安一")
    desk.look("form-refused")
    summary.get_by_role("link").first.press("Enter")
    expect(desk.page.locator("[aria-invalid=true]").first).to_be_focused()
    desk.require_accessible()
    desk.complaints.allow(422)


def test_a5_a_group_of_choices_is_led_to_like_any_field(desks: Desks, office: Office) -> None:
    office.make(stories.make_active)
    desk = desks("officer", "en")
    desk.come_as("officer")
    desk.page.goto("/task")
    desk.page.evaluate("document.querySelector('main form').noValidate = true")
    desk.page.get_by_role("button", name="Begin").click()
    expect(desk.page.locator(".summary")).to_be_focused()
    desk.page.locator(".summary").get_by_role("link").first.click()
    expect(desk.page.locator("[name=purpose]").first).to_be_focused()
    desk.look("choice-refused")
    assert "address_check" not in desk.page.locator("main").inner_text(), "no codes to choose from"
    desk.require_accessible()
    desk.complaints.allow(422)


def test_a_form_on_its_way_says_so_and_is_sent_once_at_the_desk(desks: Desks) -> None:
    desk = desks("supervisor")
    desk.come_as("supervisor")
    desk.page.goto("/audit")
    require_busy(desk.page, "main form[method=post]", "正在核对…")
    desk.page.goto("/me")
    require_busy(desk.page, "main form[action$='/verify']", "正在提交，请稍候…")
    expect(desk.page.locator(".summary")).to_be_focused()
    desk.complaints.allow(422)


def test_a_form_with_a_field_named_method_is_sent_once_too(desks: Desks, office: Office) -> None:
    reference = office.make(open_review)
    desk = desks("reviewer")
    desk.come_as("reviewer", purpose="review")
    desk.page.goto("/reviews")
    desk.page.locator("tr", has_text=reference).get_by_role("button", name="领取").click()
    desk.sees("作出决定")
    form = desk.page.locator("form:has([name=method])").first
    form.locator("[name=method]").first.check()
    require_busy(desk.page, "form:has([name=method])", "正在提交，请稍候…")
    desk.sees("已处理")


def test_a_form_on_its_way_says_so_before_the_console_and_on_the_round(desks: Desks) -> None:
    gate = desks("gate", "en")
    gate.page.goto("/sign-in")
    require_busy(gate.page, "main form[action='/sign-in']", "Sending, one moment…")
    gate.complaints.allow(401, 422)
    walker = desks("walker")
    walker.come_as("grid_worker")
    walker.page.set_viewport_size({"width": 390, "height": 844})
    walker.page.goto("/g/offline")
    require_busy(walker.page, ".bar form:has([name=to])", "正在提交，请稍候…")


def test_a_form_on_its_way_says_so_and_is_sent_once_in_the_mobile_app(phone: Phone) -> None:
    phone.page.goto("/sign-in")
    phone.page.locator("[name=phone]").fill("19900007700")
    require_busy(phone.page, "main form[method=post]", "正在提交，请稍候…")
    phone.page.locator("[name=code]").wait_for()
