"""Whole numbers and times that no browser sends by itself: a fault at the field, never an error of ours."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest

from backend.services.identity_checks import LEAST_FRAMES
from tests.mobile_api.page_phones import ORIGIN, PagePhone
from tests.services import stories
from tests.services.stories import LANDLORD_PHONE, TENANT_PHONE, VISITOR_PHONE

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
Make = Callable[..., Any]
Browser = Callable[..., PagePhone]
LONG = "9" * 5000
VISIT = {"purpose": "cleaning", "phone": VISITOR_PHONE, "starts_on": "2026-11-23", "ends_on": "2026-11-23",
         "uses": "", "day1": "yes", "begins": "08:00", "ends": "09:00"}  # fmt: skip


@pytest.mark.parametrize(
    "field, typed",
    [("begins", "²:30"), ("begins", "08:3²"), ("ends", "１２:30"), ("begins", f"{LONG}:00"), ("uses", LONG),
     ("uses", "9" * 25), ("uses", "²")],
)  # fmt: skip
def test_a_visitors_hours_and_uses_are_ascii_digits_of_a_sane_length(
    browser: Browser, make: Make, field: str, typed: str
) -> None:
    story = make(stories.make_active)
    phone = browser(TENANT_PHONE)
    page = phone.get(f"/t/homes/{story.registration_id}/visitors/new")
    answer = phone.press(page, "发出", **{**VISIT, field: typed})
    assert answer.status == 422 and f"{field}-fault" in answer.reader.ids


@pytest.mark.parametrize("typed", [LONG, "9" * 25, "²"])
def test_a_rooms_capacity_is_a_number_that_can_be_kept(browser: Browser, make: Make, typed: str) -> None:
    make(stories.make_landlord)
    dwelling_id, _rooms = make(stories.make_dwelling)
    phone = browser(LANDLORD_PHONE)
    page = phone.press(phone.get(f"/l/dwellings/{dwelling_id}/add"), "新增并认领", label="202", space_kind="bedroom",
                       usable_area_m2="20", capacity=typed, right_kind="owner", evidence="产权证")  # fmt: skip
    assert page.status == 422 and "capacity-fault" in page.reader.ids


@pytest.mark.parametrize("typed", [LONG, "9" * 25])
def test_a_version_that_no_page_ever_showed_is_a_fault(browser: Browser, make: Make, typed: str) -> None:
    story = make(stories.make_active)
    phone = browser(TENANT_PHONE)
    page = phone.press(phone.get(f"/t/homes/{story.registration_id}/amend"), "提交更正", version=typed)
    assert page.status == 422


@pytest.mark.parametrize("at", ["²", LONG])
def test_the_moments_of_a_burst_are_ascii_digits(browser: Browser, make: Make, at: str) -> None:
    story = make(stories.make_identified)
    make(stories.read_notice, story.tenant, "face_check")
    phone = browser(TENANT_PHONE)
    token = phone.get("/me/").reader.forms[0].values["csrf_token"]
    frames = [(BytesIO(b"x"), f"{n}.jpg") for n in range(LEAST_FRAMES)]
    sent = {"csrf_token": token, "document": (BytesIO(b"x"), "d.jpg"), "frames": frames, "at_ms": [at] * LEAST_FRAMES}
    answer = phone.client.post(f"/t/homes/{story.registration_id}/face/check", data=sent, base_url=ORIGIN)
    assert answer.status_code == 422 and "这次没有核验" in answer.get_data(as_text=True)
