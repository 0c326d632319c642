"""A visitor's own page and the invitations of a phone: what the screens say, and the same through the API."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from tests.mobile_api.page_phones import PagePhone
from tests.mobile_api.phones import ApiPhone
from tests.services import stories
from tests.services.stories import TENANT_PHONE, VISITOR_PHONE
from tests.services.test_visits import let_in, open_door

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)

Make = Callable[..., Any]


def test_open_invitations_are_listed_to_the_phone_and_each_leads_to_its_page(
    phone: Callable[..., ApiPhone], browser: Callable[..., PagePhone], make: Make, clock: Any
) -> None:
    story = make(stories.make_invited)
    (found,) = phone(TENANT_PHONE).get("/invitations").json
    assert found["token"] == story.link_token and found["face"]["landlord_alias"] == "沈*"
    clock.move(timedelta(minutes=2))  # until another code may be asked for
    page = browser(TENANT_PHONE).get("/t/")
    assert "等您接受的邀请" in page.text and f"/i/{story.link_token}" in page.reader.links


def test_a_used_up_key_looks_used_up(browser: Callable[..., PagePhone], make: Make) -> None:
    story = make(stories.make_active)
    _guest, key_id = make(let_in, story, 1)
    visitor = browser(VISITOR_PHONE)
    assert ("button", "disabled", "") not in visitor.get(f"/t/visits/{key_id}").reader.attributes
    make(open_door, story, key_id, 1)
    page = visitor.get(f"/t/visits/{key_id}")
    assert "次数已用完" in page.text and "联系发钥匙的人" in page.text
    assert ("button", "disabled", "") in page.reader.attributes and "门锁密码" not in page.text
    assert "次数已用完" in visitor.get("/t/").text
    assert "次数已用完" in browser(TENANT_PHONE).get(f"/t/homes/{story.registration_id}/visitors/{key_id}").text


def test_a_visitors_key_past_its_last_day_says_so_and_whom_to_ask(
    browser: Callable[..., PagePhone], make: Make, clock: Any
) -> None:
    story = make(stories.make_active)
    _guest, key_id = make(let_in, story, 1)
    clock.move(timedelta(days=2))
    page = browser(VISITOR_PHONE).get(f"/t/visits/{key_id}")
    assert "钥匙已过期" in page.text and "联系发钥匙的人" in page.text
    assert ("button", "disabled", "") in page.reader.attributes
