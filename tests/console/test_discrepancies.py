"""Discrepancies lead to a visit where the dwelling may be visited for them, and nowhere else."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from flask.testing import FlaskClient

from backend.db import transaction
from backend.models.leases import Lease
from backend.models.registrations import Registration
from tests.services import stories
from tests.services.test_statistics import births, settle

HERE = {"base_url": "https://localhost"}


def disagree(world: Any, story: stories.Story, days_late: int) -> None:
    """Neither reported nor checked out, `days_late` after both were due (negative: still in time)."""
    today = world.clock.today()
    with transaction() as session:
        row = session.get_one(Registration, story.registration_id)
        row.landlord_leg, row.landlord_due_on = "due", today - timedelta(days=days_late)
        lease = session.get_one(Lease, story.lease_id)
        lease.starts_on, lease.ends_on = today - timedelta(days=90), today - timedelta(days=max(1, days_late))


def links(client: FlaskClient, kind: str) -> list[str]:
    page = client.get(f"/discrepancies?kind={kind}", **HERE).get_data(as_text=True)
    assert "101室" in page, "the discrepancy is listed"
    return re.findall(r'/units/[0-9a-f-]+/visit\?ground=\w+', unescape(page))


@pytest.mark.parametrize("kind", ["unreported", "lease_over"])
def test_a_visit_is_offered_once_the_duty_is_late(
    make: Callable[..., Any], browser: Callable[..., FlaskClient], kind: str
) -> None:
    story = make(stories.make_active)
    client = browser("officer")
    make(disagree, story, -3)
    assert links(client, kind) == []
    make(disagree, story, 10)
    [link] = links(client, kind)
    assert "登记齐全" not in client.get(link, **HERE).get_data(as_text=True)


def test_a_unit_too_full_is_visited_for_it_though_somebody_there_is_late_as_well(
    make: Callable[..., Any], browser: Callable[..., FlaskClient], clock: Any
) -> None:
    story = make(stories.make_claimed)
    clock.move(timedelta(days=4))
    make(settle, story.unit_id, births(1990, 5))
    client = browser("officer")
    for kind in ("over_capacity", "undeclared"):
        [link] = links(client, kind)
        page = client.get(link, **HERE).get_data(as_text=True)
        assert f'value="{link.rpartition("=")[2]}" required checked' in page, kind
