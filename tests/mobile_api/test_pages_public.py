"""The public page: for anybody, in both languages, the same for everybody, cached until midnight, nobody in it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from backend.gateways.clock import FixedClock
from backend.services.disclosures import open_unit
from tests.services import staff, stories
from tests.services.test_statistics import births, settle

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)


def test_it_shows_places_and_looks_without_signing_in(
    mobile: Any, make: Callable[..., Any], world: Any, clock: FixedClock
) -> None:
    story = make(stories.make_active)
    make(settle, story.unit_id, births(1980, 6))
    session_id = make(staff.make_session, purpose="visit")
    make(open_unit, session_id=session_id, unit_id=story.unit_id)
    clock.move(timedelta(days=10))
    text = mobile.test_client().get("/public/zh").text
    assert "陈塘村" in text and "上门走访" in text and "<td>8</td>" in text and "<td>7</td>" in text
    assert "周来福" not in text and stories.TENANT_NUMBER not in text
    assert "Visit" in mobile.test_client().get("/public/en").text


def test_the_page_without_a_language_leads_to_the_callers_own(mobile: Any) -> None:
    client = mobile.test_client()
    assert client.get("/public/").headers["Location"] == "/public/zh"
    client.set_cookie("anju-lang", "en")
    assert client.get("/public/").headers["Location"] == "/public/en"
    assert client.get("/public/fr").status_code == 404


def test_it_is_cached_until_midnight_and_known_again_by_its_tag(mobile: Any, clock: FixedClock) -> None:
    first, other = mobile.test_client().get("/public/zh"), mobile.test_client().get("/public/zh")
    assert first.headers["Cache-Control"] == "public, max-age=50399"  # from ten o'clock to the day's last moment
    assert first.headers["ETag"] == other.headers["ETag"] and first.data == other.data
    assert "Set-Cookie" not in first.headers and "csrf" not in first.text
    again = mobile.test_client().get("/public/zh", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert mobile.test_client().get("/public/en").headers["ETag"] != first.headers["ETag"]


def test_the_database_is_asked_once_a_day(mobile: Any, make: Callable[..., Any], clock: FixedClock) -> None:
    before = mobile.test_client().get("/public/zh").data
    make(stories.make_dwelling)
    assert mobile.test_client().get("/public/zh").data == before
    clock.move(timedelta(days=1))
    assert "陈塘村" in mobile.test_client().get("/public/zh").text
