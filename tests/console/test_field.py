"""The round over HTTP: what a door of nobody's unit says, what its visit begins from, and the end of the day."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from backend.services.housekeeping import OFTEN, keep_house
from backend.services.registrations import declare
from tests.services import stories
from tests.services.test_moved_homes import move

Browser = Callable[..., Any]
Make = Callable[..., Any]


def test_registering_where_no_landlord_is_known_promises_no_landlord_and_is_what_the_visit_begins_from(
    browser: Browser, make: Make, clock: Any
) -> None:
    _, (unit_id, _) = make(stories.make_dwelling)
    clock.move(timedelta(days=3))
    client = browser("grid_worker", purpose="visit")
    visit = client.post(f"/g/units/{unit_id}", data={"ground": "not_enrolled"}).headers["Location"]
    assert 'value="registered" data-counts="maybe" required checked' not in client.get(visit).text
    sent = {"document_seen": "yes", "name": "周来福", "id_type": "111", "id_number": stories.TENANT_NUMBER}
    desk = client.post(f"{visit}/register", data=sent).headers["Location"]
    client.post(f"{desk}/acts/answer_consent", data={"given": "yes"})
    form = f"{desk}/acts/declare_without_lease"
    page = client.get(f"{form}?unit_id={unit_id}").text
    assert "没有房东会收到通知" in page and "会请房东补录" not in page and "居住依据" in page
    told = {"unit_id": unit_id, "basis": "oral", "move_in_on": clock.today().isoformat(), "hukou_division": "341882"}
    assert client.post(form, data=told).status_code == 302
    file = client.get(desk).text
    assert "房东会被请来补录" not in file and "看是否已受理" in file
    back = client.get(visit).text
    assert 'value="registered" data-counts="maybe" required checked' in back
    assert "住户已登记，登记有效" in back
    officer = browser("officer", purpose="visit")
    assert f"状态截至 {clock.now():%m-%d}" in officer.get(f"/units/{unit_id}").text, "not the day of the address base"
    assert "今天的走访都办完了" not in client.get("/g/").text
    client.post(visit, data={"note_id": "01a22c13-999f-7665-93c0-59e894746b3f", "outcome": "registered"})
    home = client.get("/g/").text
    assert "今天的走访都办完了" in home and "今天没有走访" not in home
    assert "今天没有走访" in browser("grid_worker").get("/g/").text, "a colleague who had none"


def test_a_visit_whose_ground_has_gone_is_said_not_to_be_needed_and_still_takes_a_note(
    browser: Browser, make: Make, clock: Any
) -> None:
    story = make(stories.make_identified)
    clock.move(timedelta(days=4))
    client = browser("grid_worker", purpose="visit")
    visit = client.post(f"/g/units/{story.unit_id}", data={"ground": "overdue"}).headers["Location"]
    make(declare, account_id=story.tenant, registration_id=story.registration_id, hukou_division="341822",
         move_in_on=clock.today() - timedelta(days=4))  # fmt: skip
    make(keep_house, OFTEN)
    home = client.get("/g/").text
    assert "不必再去" in home and "事由已经没有了" in home and "今天没有走访" in home
    page = client.get(visit).text
    assert "事由已经没有了。不必再去。" in page and "正在门口的，仍请记下结果" in page
    assert "核对证件，开始登记" not in page
    sent = {"note_id": "01a22c13-999f-7665-93c0-59e894746b3f", "outcome": "met"}
    assert client.post(visit, data=sent).status_code == 302
    assert "不必再去" not in client.get("/g/").text


def test_a_visit_withdrawn_with_its_house_says_so_to_whoever_was_to_make_it(
    browser: Browser, make: Make, clock: Any
) -> None:
    story = make(stories.make_identified)
    clock.move(timedelta(days=4))
    client = browser("grid_worker", purpose="visit")
    visit = client.post(f"/g/units/{story.unit_id}", data={"ground": "overdue"}).headers["Location"]
    make(move, story)
    page = client.get(visit)
    assert page.status_code == 200 and "房屋划归别的辖区。不必再去。" in page.text and "data-note" not in page.text
