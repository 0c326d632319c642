"""The round over HTTP: what a door of nobody's unit says, what its visit begins from, and the end of the day."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from tests.services import stories

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
