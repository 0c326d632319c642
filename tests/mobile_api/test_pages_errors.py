"""A8: the pages for what went wrong are friendly in both languages and lead on; they tell nothing of the inside."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from unittest.mock import Mock

import pytest

from backend.domain.refusals import Refused
from backend.services import invitations, tenancies
from tests.mobile_api.page_phones import CHINESE, Page, PagePhone
from tests.services import stories
from tests.services.stories import LANDLORD_PHONE, TENANT_PHONE

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
Make = Callable[..., Any]
Browser = Callable[..., PagePhone]


def check(page: Page, status: int, language: str, way_on: str) -> None:
    assert page.status == status and page.headers["Content-Type"].startswith("text/html")
    assert page.html.count("<h1") == 1 and way_on in page.reader.links and "/" in page.reader.links
    assert page.headers["X-Request-Id"] in page.html, "what to tell the one who helps"
    assert bool(CHINESE.search(page.text.replace("中文", ""))) == (language == "zh")
    assert not {"Traceback", "werkzeug", "Exception", "sqlalchemy"} & set(page.html.split())


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a8_errors_are_friendly_pages_with_a_way_home(
    browser: Browser, make: Make, language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    story = make(stories.make_invited)
    make(invitations.cancel_invitation, account_id=story.landlord, lease_id=story.lease_id)
    landlord, tenant = browser(LANDLORD_PHONE, language), browser(TENANT_PHONE, language)
    check(browser(None, language).get("/nowhere"), 404, language, "/")
    check(browser(None, language).get(f"/i/{story.link_token}"), 410, language, "/")
    landlord.get("/l/")
    check(landlord.get("/l/units/of-another"), 404, language, "/l/")
    for failure, status in ((Refused("forbidden"), 403), (RuntimeError("周来福 341822199506010006"), 500)):
        monkeypatch.setattr(tenancies, "my_tenancies", Mock(side_effect=failure))
        broken = tenant.get("/t/")
        check(broken, status, language, "/t/")
    assert "341822" not in broken.html and "周来福" not in broken.html


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a8_the_offline_page_says_what_still_works_and_names_nobody(browser: Browser, language: str) -> None:
    page = browser(None, language).get("/t/offline")
    assert page.status == 200 and page.html.count("<h1") == 1
    assert bool(CHINESE.search(page.text.replace("中文", ""))) == (language == "zh")
