"""The ledger's pages over HTTP: levels, filters, parts with a tag, the map's shapes, and how little they ask."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event

from backend.db import db, transaction
from backend.models.dwellings import Dwelling
from tests.bench.figures import percentile
from tests.services import staff, stories
from tests.services.villages import VILLAGE, make_village

Browser = Callable[..., Any]
Make = Callable[..., Any]
PART = {"X-Anju-Part": "1"}
LIVE = {**PART, "X-Anju-Live": "1"}


@contextmanager
def statements(app: Flask) -> Iterator[list[str]]:
    """What is asked of the database meanwhile."""
    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        asked.append(statement)

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(engine, "before_cursor_execute", note)


def rows_of(text: str) -> list[str]:
    """The addresses of the rows of a page, in their order."""
    return re.findall(r"<a data-row [^>]*>([^<]+)</a>", text)


def test_an_area_of_several_villages_is_opened_level_by_level(browser: Browser, make: Make) -> None:
    story = make(stories.make_active)
    homes = make(make_village, 3, 9)
    client = browser("supervisor")
    villages = client.get("/ledger").text
    assert rows_of(villages) == ["陈塘村", "样本村"] and "100.0%" in villages
    assert rows_of(client.get(f"/ledger?division={VILLAGE}").text) == [f"样本村样本1路{n}号" for n in (1, 2, 3)]
    both = client.get(f"/ledger?dwelling={story.dwelling_id}").text
    assert len(rows_of(both)) == 4 and both.count("data-unit") == 2
    late = client.get(f"/ledger?division={VILLAGE}&dwelling={homes[0]}").text
    assert late.count("data-unit") == 9 and "逾期未登记" in late
    assert rows_of(client.get("/ledger?state=overdue").text) == [f"样本村样本1路{n}号" for n in (1, 2, 3)]


def test_the_only_dwelling_found_by_its_address_is_opened(browser: Browser, make: Make) -> None:
    make(make_village, 12, 2)
    client = browser("officer")
    assert client.get("/ledger?text=样本1路3号").text.count("data-unit") == 2
    assert client.get("/ledger?text=样本1路").text.count("data-unit") == 0, "of several none is meant"


@pytest.mark.parametrize(
    ("query", "found"),
    [("road=样本2路", 3), ("road=样本1路&text=5号", 5), ("building=3幢", 1), ("building=3幢&state=not_enrolled", 0),
     ("state=not_enrolled", 5), ("text=样本 3幢", 1), ("road=没有", 0), ("text=样本1路2号", 1),
     ("text=样本村样本1路2号", 1), ("text=样本1路2", 11)],
)  # fmt: skip
def test_road_building_state_and_words_narrow_the_rows(
    browser: Browser, make: Make, query: str, found: int
) -> None:
    homes = make(make_village, 53, 2)

    def name_a_building(_world: Any) -> None:
        with transaction() as session:
            session.get_one(Dwelling, homes[2]).building = "3幢"

    make(name_a_building)
    assert len(rows_of(browser("officer").get(f"/ledger?{query}").text)) == found


def test_a_foreign_village_is_refused_on_board_and_map(browser: Browser) -> None:
    client = browser("officer")
    for path in ("/ledger", "/ledger/map", "/ledger/shapes"):
        assert client.get(f"{path}?division=330523001001").status_code == 403, path


def test_the_parts_are_sent_again_only_when_something_has_changed(browser: Browser, make: Make, clock: Any) -> None:
    from datetime import timedelta

    make(stories.make_claimed)
    client = browser("officer")
    first = client.get("/ledger", headers=LIVE)
    parts = re.findall(r'<div data-part="(\w+)"', first.text)
    assert "<html" not in first.text and parts == ["tiles", "rows", "opened"]
    tag = {"If-None-Match": first.headers["ETag"]}
    clock.move(timedelta(minutes=3))
    same = client.get("/ledger", headers={**LIVE, **tag})
    assert (same.status_code, same.data) == (304, b"") and same.headers["X-Anju-As-Of"] == "2026-11-23 10:03:00"
    assert client.get("/ledger?state=registered", headers={**LIVE, **tag}).status_code == 200
    client.set_cookie("anju-lang", "en")
    assert client.get("/ledger", headers={**LIVE, **tag}).status_code == 200
    client.set_cookie("anju-lang", "zh")
    clock.move(timedelta(days=4))  # nothing was written, yet a day has passed
    assert client.get("/ledger", headers={**LIVE, **tag}).status_code in (401, 200)
    late = browser("supervisor").get("/ledger", headers={**LIVE, **tag})
    assert late.status_code == 200 and "逾期未登记 1" in re.sub(r"<[^>]+>|\s+", " ", late.text).replace("  ", " ")


def test_what_a_page_asks_by_itself_keeps_nobody_signed_in(browser: Browser, clock: Any) -> None:
    from datetime import timedelta

    client = browser("officer")
    for _ in range(3):
        clock.move(timedelta(minutes=4))
        status = client.get("/ledger", headers=LIVE).status_code
    assert status == 401
    watched = browser("supervisor")
    for _ in range(3):
        clock.move(timedelta(minutes=4))
        status = watched.get("/ledger", headers=PART).status_code
    assert status == 200


def test_the_shapes_are_geojson_in_the_coordinates_of_the_base(browser: Browser, make: Make) -> None:
    homes = make(make_village, 12, 2)
    client = browser("officer")
    answer = client.get(f"/ledger/shapes?division={VILLAGE}", headers=LIVE)
    assert answer.mimetype == "application/geo+json" and answer.json["type"] == "FeatureCollection"
    features = {feature["id"]: feature for feature in answer.json["features"]}
    assert set(features) == set(homes)
    house = features[homes[0]]
    assert house["geometry"]["type"] == "Polygon" and house["properties"]["datum"] == "CGCS2000"
    assert house["properties"]["point"] == [119.94, 31.01] and house["properties"]["state"] == "registered"
    assert features[homes[9]]["properties"]["state"] == "not_enrolled"
    told = {"id", "address", "door", "state", "state_word", "point", "datum", "units", "href"}
    assert set(house["properties"]) == told
    same = client.get(f"/ledger/shapes?division={VILLAGE}", headers={**LIVE, "If-None-Match": answer.headers["ETag"]})
    assert same.status_code == 304
    page = client.get(f"/ledger/map?division={VILLAGE}").text
    assert page.count("data-id=") == 12 and "坐标系 CGCS2000" in page


def test_a_dwelling_without_coordinates_is_on_the_list_and_says_so(browser: Browser, make: Make) -> None:
    make(stories.make_dwelling)
    client = browser("officer")
    page = client.get("/ledger/map").text
    assert "没有坐标" in page and "0 栋有坐标，1 栋没有" in page
    assert client.get("/ledger/shapes").json["features"] == []


PAGES = ("/ledger", f"/ledger?division={VILLAGE}", "/ledger?state=overdue", f"/ledger/map?division={VILLAGE}",
         f"/ledger/shapes?division={VILLAGE}")  # fmt: skip


def test_a_page_asks_as_much_of_a_village_of_five_hundred_as_of_one_of_five(
    console: Flask, browser: Browser, make: Make
) -> None:
    """500 houses with 20,000 units; the times are told, not judged: a busy machine is slow, not wrong."""
    make(stories.make_active)
    make(make_village, 5, 4)
    client = browser("supervisor")
    few = [count(console, client, path) for path in PAGES]
    homes = make(make_village, 500, 40, division="330522003902", name="大村")
    large = [path.replace(VILLAGE, "330522003902") for path in PAGES]
    assert [count(console, client, path) for path in large] == few
    for path in (*large, f"/ledger?division=330522003902&dwelling={homes[3]}"):
        took, worked = [], []
        for _ in range(20):
            begun, used = time.perf_counter(), time.process_time()
            assert client.get(path).status_code == 200
            took.append((time.perf_counter() - begun) * 1000)
            worked.append((time.process_time() - used) * 1000)
        print(f"{path[:48]:48}  p50 {percentile(took, 50):4.0f} ms  p95 {percentile(took, 95):4.0f} ms"
              f"  processor p50 {percentile(worked, 50):4.0f} ms  p95 {percentile(worked, 95):4.0f} ms")


def count(console: Flask, client: Any, path: str) -> int:
    """How many statements a page costs."""
    client.get(path)  # the session's own upkeep is done with the first
    with statements(console) as asked:
        assert client.get(path).status_code == 200
    return len(asked)


def test_an_auditor_and_nobody_else_of_the_staff_is_kept_from_the_ledger(browser: Browser, make: Make) -> None:
    story = make(stories.make_active)
    opened = {"officer": 200, "supervisor": 200, "window_clerk": 200, "grid_worker": 200, "reviewer": 403}
    for role, status in opened.items():
        client = browser(role, purpose="help_request" if role != "reviewer" else "review")
        assert client.get("/ledger").status_code == client.get("/ledger/map").status_code == 200, role
        page = client.get(f"/units/{story.unit_id}")
        assert page.status_code == status, role
        number = f"/registrations/{story.registration_id}/number"
        assert (number in page.text) == (role in ("officer", "supervisor", "window_clerk")), role
    auditor = browser("auditor")
    for path in ("/ledger", "/ledger/map", "/ledger/shapes", f"/units/{story.unit_id}"):
        assert auditor.get(path).status_code == 403, path


def test_a_unit_shows_deadlines_by_rule_lease_receipts_and_transitions_and_no_door_events(
    browser: Browser, make: Make
) -> None:
    story = make(stories.make_active)
    text = browser("officer", purpose="visit").get(f"/units/{story.unit_id}").text
    words = " ".join(re.sub(r"<[^>]+>", " ", text).split())
    for said in ("周来福", "HK-15", "ZJ-9-1", "租期 2026-11-23 至 2027-11-23", "登记凭证", "租客申报", "房东报告",
                 "状态截至", "本页不含开门记录"):  # fmt: skip
        assert said in words, said
    assert stories.TENANT_NUMBER not in text and staff.PASSWORD not in text
    assert not re.search(r"door\.(opened|closed|forced)|电量|battery|unlock", text)
