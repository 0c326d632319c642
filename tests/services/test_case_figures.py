"""The loop in numbers: by office and by area, as staff would count the cases themselves."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from backend.gateways.clock import FixedClock
from backend.queries.case_figures import get_loop_figures
from tests.services import stories
from tests.services.reporting_cases import ROAD, act, make_crew, open_report

pytestmark = pytest.mark.usefixtures("core")


def test_open_by_step_time_share_on_time_and_rating_where_there_are_enough(world: Any, clock: FixedClock) -> None:
    story, crew = stories.make_active(world), make_crew(world)
    cases = [open_report(world, story) for _ in range(13)]
    clock.move(timedelta(minutes=6))
    for number, case in enumerate(cases):
        for step in ROAD["rated" if number < 6 else "assigned" if number < 11 else "routed"]:
            act(world, crew, story, case, step)
    figures = get_loop_figures(world.clock.now(), "330522")
    [office] = figures.offices
    assert (office.code, office.opened, office.closed, office.rated) == ("housing_office", 13, 6, 6)
    assert office.open == {"routed": 2, "assigned": 5, "handled": 0}
    assert (office.median_hours, office.on_time, office.mean_stars) == (0.1, 100, 4.0)
    [area] = figures.areas
    assert (area.code, area.name) == ("330522003", ("太湖街道", "太湖街道"))
    assert get_loop_figures(world.clock.now(), "330522003").areas[0].name == ("陈塘村", "陈塘村")


def test_few_cases_are_told_as_exactly_as_many(world: Any) -> None:
    story, crew = stories.make_active(world), make_crew(world)
    for number in range(4):
        case = open_report(world, story)
        for step in ROAD["rated" if number < 3 else "routed"]:
            act(world, crew, story, case, step)
    figures = get_loop_figures(world.clock.now(), "33")
    whole = figures.whole
    assert (whole.opened, whole.closed, whole.on_time, whole.rated, whole.mean_stars) == (4, 3, 100, 3, 4.0)
    assert whole.open == {step: sum(row.open[step] for row in figures.offices) for step in whole.open}
    assert whole.open["routed"] == 1


def test_another_area_sees_nothing_of_it(world: Any) -> None:
    story = stories.make_active(world)
    open_report(world, story)
    figures = get_loop_figures(world.clock.now(), "330522001")
    assert figures.offices == figures.areas == () and figures.whole.opened == 0


def test_what_is_past_its_day_counts_as_late(world: Any, clock: FixedClock) -> None:
    story = stories.make_active(world)
    for _ in range(5):
        open_report(world, story)
    clock.move(timedelta(days=10))
    assert get_loop_figures(world.clock.now(), "330522").whole.late == 5
