"""Turning pages by the Link header: every item once, the last page has no link, a foreign cursor is refused."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from backend.db import db
from backend.domain.refusals import Refused
from backend.services.inbox import tell_account
from mobile_api.api.paging import page_by_moment, read_moment
from tests.mobile_api.phones import ApiPhone
from tests.mobile_api.test_visitor_keys import VISIT
from tests.services import stories
from tests.services.stories import LANDLORD_PHONE, TENANT_PHONE

NOON = datetime(2026, 11, 23, 4, tzinfo=UTC)


def turn_all(phone: ApiPhone, path: str) -> list[Any]:
    """Every item, page by page, as the Link header leads."""
    found: list[Any] = []
    for _ in range(20):
        answer = phone.get(path)
        assert answer.status_code == 200, answer.json
        found += answer.json
        link = re.fullmatch(r'</api/v1([^>]+)>; rel="next"', answer.headers.get("Link", ""))
        if link is None:
            return found
        path = link[1]
    raise AssertionError("the pages have no end")


def test_the_inbox_is_read_page_by_page_though_all_came_at_one_moment(
    phone: Callable[..., ApiPhone], make: Callable[..., Any]
) -> None:
    story = make(stories.make_active)

    def tell(world: Any) -> None:
        for number in range(7):
            tell_account(world, db.session, story.tenant, "still_here", once=f"page-{number}", unit="201")
        db.session.commit()

    make(tell)
    tenant = phone(TENANT_PHONE)
    whole = tenant.get("/me/notices?limit=200").json
    assert len(whole) >= 7
    assert turn_all(tenant, "/me/notices?limit=3") == whole
    assert "Link" not in tenant.get(f"/me/notices?limit={len(whole)}").headers, "nobody asks in vain"
    foreign = phone(LANDLORD_PHONE).get(f"/me/notices?before={whole[0]['id']}")
    assert (foreign.status_code, foreign.json["field"]) == (404, "before")
    assert tenant.get("/me/notices?before=nothing").status_code == 404


def test_the_visitors_keys_of_a_unit_are_read_page_by_page(
    phone: Callable[..., ApiPhone], make: Callable[..., Any]
) -> None:
    story = make(stories.make_active)
    tenant, path = phone(TENANT_PHONE), f"/units/{story.unit_id}/visitor-keys"
    for number in range(3):
        assert tenant.post(path, VISIT, key=f"visitor-{number}").status_code == 201
    whole = tenant.get(path).json
    assert len(whole) == 3 and turn_all(tenant, f"{path}?limit=1") == whole
    assert tenant.get(f"{path}?before={story.key_id}").status_code == 404, "no visitor's key"


@pytest.mark.parametrize("limit", [1, 2, 3, 5])
def test_openings_of_the_same_second_are_all_seen_once(limit: int) -> None:
    moments = [NOON + timedelta(seconds=s) for s in (9, 9, 9, 7, 4, 4, 4, 4, 1)]
    rows = [SimpleNamespace(at=at, number=number) for number, at in enumerate(moments)]
    seen: list[int] = []
    before: str | None = None
    for _ in range(len(rows) + 1):
        until, skip = read_moment(before)
        standing = [row for row in rows if until is None or row.at <= until][skip:]
        page = page_by_moment(standing[: limit + 1], limit, before)
        seen += [row.number for row in page.items]
        before = page.following
        if before is None:
            break
    assert seen == list(range(len(rows)))


@pytest.mark.parametrize("cursor", ["yesterday", "2026-11-23T04:00:00", "2026-11-23T04:00:00+00:00", "~1", "2026~x"])
def test_a_cursor_nobody_gave_is_refused(cursor: str) -> None:
    with pytest.raises(Refused) as refused:
        read_moment(cursor)
    assert refused.value.refusals[0].field == "before"


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_a_door_list_without_openings_has_one_empty_page(
    phone: Callable[..., ApiPhone], make: Callable[..., Any]
) -> None:
    story = make(stories.make_active)
    tenant = phone(TENANT_PHONE)
    answer = tenant.get(f"/keys/{story.key_id}/door-events?limit=5")
    assert (answer.status_code, answer.json) == (200, []) and "Link" not in answer.headers
    wrong = tenant.get(f"/keys/{story.key_id}/door-events?before=yesterday")
    assert wrong.json["code"] == "input.malformed"
