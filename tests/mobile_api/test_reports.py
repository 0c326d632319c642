"""Reports and help through the API, each answer held against the document; and the same on the pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from backend.services.registrations import check_out
from backend.services.reports import file_report
from tests.mobile_api.page_phones import PagePhone
from tests.mobile_api.phones import ApiPhone
from tests.services import stories
from tests.services.reporting_cases import WIRES, answer, make_crew
from tests.services.stories import LANDLORD_PHONE, TENANT_PHONE

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)

Make = Callable[..., Any]
Phones = Callable[..., ApiPhone]


def test_the_api_reports_shows_rates_and_reopens(phone: Phones, make: Make) -> None:
    make(stories.make_active)
    tenant = phone(TENANT_PHONE)
    assert tenant.get("/report-places").json == [{"unit_no": "U-TEST0101", "unit_alias": "陈塘路1号 101室"}]
    made = tenant.post("/reports", WIRES, key="once-and-again")
    again = tenant.post("/reports", WIRES, key="once-and-again")
    assert made.status_code == 201, made.json
    assert made.json["id"] == again.json["id"]
    assert (made.json["office_en"], made.json["state"]) == ("Housing office", "routed")
    make(lambda world: answer(world, make_crew(world), made.json["reference"]))
    (line,) = tenant.get("/reports").json
    assert line["state"] == "answered" and line["answered_at"]
    path = f"/reports/{line['id']}"
    assert tenant.get(path).json["answer"] == "已请电工更换线路并加装线管。"
    reopened = tenant.post(path + "/reopening", {"words": "雨天又跳闸。"})
    assert (reopened.status_code, reopened.json["state"]) == (200, "routed")
    refused = tenant.put(path + "/rating", {"stars": 5})
    assert (refused.status_code, refused.json["code"]) == (409, "transition")
    make(lambda world: answer(world, make_crew(world, "later"), made.json["reference"]))
    rated = tenant.put(path + "/rating", {"stars": 2, "reason": "slow"})
    assert (rated.json["state"], rated.json["stars"]) == ("rated", 2)


def test_the_api_lists_reports_by_pages(phone: Phones, make: Make) -> None:
    make(stories.make_active)
    tenant = phone(TENANT_PHONE)
    for number in range(3):
        tenant.post("/reports", {**WIRES, "words": f"第 {number} 个插座"})
    first = tenant.get("/reports?limit=2")
    following = first.headers["Link"].partition("before=")[2].partition("&")[0]
    rest = tenant.get(f"/reports?limit=2&before={following}")
    assert (len(first.json), len(rest.json), "Link" in rest.headers) == (2, 1, False)


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"facts": ["battery"]}, "report.facts", "facts"),
        ({"words": "电话 13900001234"}, "report.number", "words"),
        ({"unit_no": "U-NOWHERE"}, "report.unit", "unit_no"),
    ],
)
def test_the_api_refuses_with_the_field(
    phone: Phones, make: Make, changes: dict[str, Any], code: str, field: str
) -> None:
    make(stories.make_active)
    refused = phone(TENANT_PHONE).post("/reports", {**WIRES, **changes})
    assert refused.status_code in (404, 422) and (refused.json["code"], refused.json["field"]) == (code, field)


def test_the_api_asks_for_help_and_keeps_whom_to_tell(phone: Phones, make: Make) -> None:
    story = make(stories.make_active)
    tenant = phone(TENANT_PHONE)
    assert tenant.get("/me/help-contact").status_code == 404
    chosen = tenant.put("/me/help-contact", {"phone": "19900009555"}).json
    assert chosen["phone_masked"] == "199******55" and TENANT_PHONE[-4:] in chosen["text"]
    assert tenant.put("/me/help-contact", {"phone": TENANT_PHONE}).json["code"] == "help.own_phone"
    path = f"/registrations/{story.registration_id}/help-requests"
    made = tenant.post(path, key="one-double-tap")
    assert (made.status_code, made.json["sent"]["state"]) == (201, "waiting")
    assert tenant.post(path, key="one-double-tap").json["id"] == made.json["id"]
    assert tenant.delete("/me/help-contact").status_code == 204
    assert phone(LANDLORD_PHONE).post(path).status_code == 404


def test_a_landlord_is_not_asked_about_landlords_and_another_phone_finds_no_report(
    browser: Callable[..., PagePhone], make: Make
) -> None:
    story = make(stories.make_active)
    landlord = browser(LANDLORD_PHONE)
    assert "房东不配合登记" not in landlord.get("/l/reports/new").text
    tenant = browser(TENANT_PHONE)
    made = make(_report, story)
    assert "电线裸露或老化" in tenant.get(f"/t/reports/{made.id}").text
    assert landlord.get(f"/l/reports/{made.id}").status == 404


def test_who_has_moved_out_can_still_ask_about_the_data(
    browser: Callable[..., PagePhone], make: Make, world: Any
) -> None:
    story = make(stories.make_active)
    make(check_out, account_id=story.tenant, registration_id=story.registration_id,
         moved_out_on=world.clock.today(), reason="lease_end")  # fmt: skip
    tenant = browser(TENANT_PHONE)
    room = ("input", "value", "U-TEST0101")
    assert room in tenant.get("/t/reports/new?kind=data_question").reader.attributes
    assert room not in tenant.get("/t/reports/new?kind=lock_trouble").reader.attributes


def _report(world: Any, story: stories.Story) -> Any:
    return file_report(world, account_id=story.tenant, **WIRES)
