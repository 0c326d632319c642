"""The sync as staff of an area see it: parked rows by address, of their own area alone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from backend.queries.sync_health import find_parked_division, get_sync_page
from backend.services import outbox
from tests.services import staff, stories

pytestmark = pytest.mark.usefixtures("core")


def park_one(world: Any) -> stories.Story:
    story = stories.make_declared(world)
    [item] = outbox.claim(world, "registry", limit=1, lease=timedelta(minutes=1))
    outbox.park(world, item, error="TENANT: 3002 name and number do not match")
    return story


def test_a_parked_row_shows_its_unit_its_error_and_who_mends_it(world: Any) -> None:
    story = park_one(world)
    page = get_sync_page(staff.STREET, world.clock.now())
    [parked] = page.parked
    assert (parked.unit_id, parked.label) == (story.unit_id, "101室")
    assert parked.row.owner == "TENANT" and "3002" in parked.row.error
    assert page.health.backlog == 1


def test_another_area_sees_the_health_and_none_of_the_rows(world: Any) -> None:
    park_one(world)
    page = get_sync_page(staff.OTHER_STREET, world.clock.now())
    assert page.parked == () and page.health.backlog == 1


def test_a_parked_row_has_a_place_and_an_unknown_one_has_none(world: Any) -> None:
    park_one(world)
    [parked] = get_sync_page(staff.STREET, world.clock.now()).parked
    assert find_parked_division(parked.row.outbox_id, world.clock.now()) == "330522003900"
    assert find_parked_division(parked.row.outbox_id + 1000, world.clock.now()) is None
