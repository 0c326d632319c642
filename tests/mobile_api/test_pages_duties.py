"""Deadlines on the message page and in the API: due day, rule, and the page where it is done (L10)."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

from backend.domain.duties import DUTIES
from mobile_api.pages.duties import PAGES
from tests.mobile_api.page_phones import PagePhone
from tests.services import stories
from tests.services.stories import LANDLORD_PHONE, TENANT_PHONE

Browser = Callable[..., PagePhone]
Make = Callable[..., Any]


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_each_duty_leads_to_the_page_where_it_is_done(browser: Browser, make: Make, clock: Any) -> None:
    make(stories.make_claimed, report_now=False, ends_on=date(2026, 12, 1))
    clock.move(timedelta(days=14))
    for phone, rule, title in ((LANDLORD_PHONE, "ZJ-9-1", "报告租客"), (TENANT_PHONE, "HK-15", "申报居住登记")):
        visitor = browser(phone)
        page = visitor.get("/me/messages")
        assert rule in page.html and title in page.html and "晚了" in page.text and "不影响钥匙" in page.text
        links = re.findall(r'href="([^"]+)">去办理', page.html)
        assert links and {visitor.get(link).status for link in links} == {200}


def test_every_duty_of_a_person_has_a_page_and_no_other_has() -> None:
    owed = {
        (duty.code, side) for duty in DUTIES.values() for side in ("tenant", "landlord") if duty.owner in (side, "both")
    }
    assert set(PAGES) == owed
