"""Taking a report down at the console: the purpose is asked before anything is typed, and nothing typed is lost."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from sqlalchemy import select

from backend.db import db, transaction
from backend.models.audit import AuditLeaf
from backend.models.cases import Case
from backend.models.dwellings import Dwelling
from tests.console.test_kept_forms import fields_of, filled_form, send_on
from tests.services import reporting_cases, stories

Browser = Callable[..., Any]
Make = Callable[..., Any]
ELSEWHERE = "330522001001"  # stands before the own street in every list
WORDS = "二楼走廊的电线露在外面，雨天跳闸。"


@pytest.fixture
def unit(make: Make) -> str:
    """A unit to report about."""
    return str(make(lambda world: stories.make_dwelling(world)[1][0]))


def hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]+)"', page)
    assert found, page
    return unescape(found[1])


def report(unit: str, **changes: Any) -> dict[str, Any]:
    return {"unit": unit, "kind": "unsafe_dwelling", "facts": "wires_bare", "source": "by_phone", "words": WORDS,
            **changes}  # fmt: skip


def cases_of(make: Make) -> list[Case]:
    return list(make(lambda world: db.session.scalars(select(Case)).all()))


def test_an_unfit_purpose_is_said_before_anything_is_typed_and_is_written_down(
    browser: Browser, make: Make, unit: str
) -> None:
    client = browser("officer", purpose="address_check")
    for path in ("/cases/new", f"/cases/new?unit={unit}&kind=unsafe_dwelling"):
        answer = client.get(path)
        assert answer.status_code == 403 and "更换用途" in answer.text and 'name="words"' not in answer.text
    leaves = make(lambda world: db.session.scalars(select(AuditLeaf.decision).where(AuditLeaf.action == "refused")))
    assert set(leaves) == {"purpose.unfit"}


def test_a_report_sent_under_a_purpose_that_no_longer_fits_waits_for_one_that_does(
    browser: Browser, make: Make, unit: str
) -> None:
    client = browser("officer", purpose="visit")
    once = hidden(client.get(f"/cases/new?unit={unit}&kind=unsafe_dwelling").text, "once")
    client.post("/task", data={"purpose": "address_check"})  # in another tab
    page = f"/cases/new?unit={unit}&kind=unsafe_dwelling"
    asked = client.post("/cases/new", data=report(unit, once=once, from_page=page))
    assert asked.status_code == 403 and "还没有提交" in asked.text and "上门走访" in asked.text
    assert WORDS not in asked.text and cases_of(make) == []
    resumed = send_on(client, "/task", purpose="visit", kept=hidden(asked.text, "kept"))
    form = filled_form(resumed.text)
    sent = fields_of(resumed.text)
    assert (sent["words"], sent["source"]) == (WORDS, "by_phone")
    client.post("/cases/new", data={**form.hidden, **sent})
    [case] = cases_of(make)
    assert (case.kind, case.unit_id, case.once) == ("unsafe_dwelling", unit, once), "the same form, sent once"


def test_a_form_sent_before_and_changed_since_says_so_and_can_be_sent_as_another(
    browser: Browser, make: Make, unit: str
) -> None:
    client = browser("officer", purpose="visit")
    once = hidden(client.get(f"/cases/new?unit={unit}&kind=unsafe_dwelling").text, "once")
    for _ in range(2):
        assert client.post("/cases/new", data=report(unit, once=once)).status_code == 302
    [first] = cases_of(make)
    changed = report(unit, once=once, contact="13900000007")
    refused = client.post("/cases/new", data=changed)
    assert refused.status_code == 409 and first.reference in refused.text and "13900000007" in refused.text
    assert WORDS in refused.text
    again = hidden(refused.text, "once")
    assert again != once
    assert client.post("/cases/new", data={**changed, "once": again}).status_code == 302
    assert len(cases_of(make)) == 2


def test_only_the_own_area_is_searched_however_many_match_elsewhere(browser: Browser, make: Make) -> None:
    def build(world: Any) -> None:
        away = [stories.make_dwelling(world, door=door)[0] for door in range(1, 12)]
        stories.make_dwelling(world, door=40)
        with transaction() as session:
            for home in away:
                session.get_one(Dwelling, home).division = ELSEWHERE

    make(build)
    client = browser("officer", purpose="visit")
    found = client.get("/cases/new?q=陈塘路")
    assert "陈塘路40号" in found.text and "没有找到这个地址" not in found.text


def test_a_clerk_who_decides_no_such_case_tells_and_reopens_it_by_its_reference(
    browser: Browser, make: Make, unit: str
) -> None:
    clerk = browser("window_clerk", purpose="help_request")
    clerk.post("/cases/new", data=report(unit))
    [case] = cases_of(make)
    page = f"/cases/caller?reference={case.reference}"
    assert "还没有办好" in clerk.get(page).text
    missing = clerk.get("/cases/caller?reference=AJ-20200101-0001")
    assert missing.status_code == 404 and 'id="field-reference"' in missing.text and "summary" in missing.text

    def handled(world: Any) -> None:
        crew = reporting_cases.make_crew(world)
        reporting_cases.answer(world, crew, case.reference)

    make(handled)
    assert "已请电工更换线路并加装线管。" in clerk.get(page).text
    told = clerk.post(f"/cases/{case.reference}/told", data={"caller": "yes"})
    assert (told.status_code, told.headers["Location"]) == (302, page)
    wrong = clerk.post(f"/cases/{case.reference}/reopening", data={"caller": "yes", "words": "打 13900000001"})
    assert wrong.status_code == 422 and 'href="#field-words"' in wrong.text and "打 13900000001" in wrong.text
    again = clerk.post(f"/cases/{case.reference}/reopening", data={"caller": "yes", "words": "雨天又跳闸。"})
    assert (again.status_code, again.headers["Location"]) == (302, page)
    assert [one.state for one in cases_of(make)] == ["routed"]
