"""The demo's sample village: made once, through the use cases, with figures worth looking at."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from backend.db import db, transaction
from backend.domain.case_reports import REPORTS
from backend.domain.spaces import ASSUMED_STANDARD
from backend.models.cases import Case, CaseStep
from backend.models.officers import Officer
from backend.models.outbox import OutboxRow
from backend.models.units import UnitClaim
from backend.models.visits import Visit
from backend.queries.case_figures import get_loop_figures
from backend.queries.discrepancies import list_discrepancies
from backend.queries.openness import get_open_figures
from backend.queries.visit_lists import list_round
from backend.seeding import AREA, NEXT_VILLAGE, VILLAGE, seed_demo
from backend.seeding_loop import MATTERS
from device_sim.identities import make_identities, write_manifest

pytestmark = [pytest.mark.usefixtures("core"), pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)]


@pytest.fixture
def village(core: Any, world: Any, settings: Any) -> Path:
    """The sample village, made."""
    write_manifest(make_identities(20, 7), settings.var / "sim")
    assert seed_demo(world, settings.var)
    return Path(settings.var)


def test_the_loops_page_and_the_public_page_show_real_figures(village: Path, world: Any) -> None:
    figures = get_loop_figures(world.clock.now(), AREA)
    assert {row.code for row in figures.areas} == {VILLAGE, NEXT_VILLAGE}
    offices = {"housing_office", "police_station", "village_office", "data_office"}
    assert {row.code for row in figures.offices} == offices
    whole = figures.whole
    assert whole.closed >= 20 and whole.rated >= 10 and whole.opened > whole.closed
    assert whole.median_hours is not None and whole.mean_stars is not None and 3 < whole.mean_stars < 5
    assert whole.on_time is not None and 50 < whole.on_time < 100, "some came late, as they do"
    for row in figures.offices:
        assert row.closed >= 5, f"{row.code}: too few to say anything by"
    told = {loop.kind: loop for loop in get_open_figures(world.clock.today()).loops}
    assert set(REPORTS) <= set(told)
    assert sum(told[kind].closed is not None for kind in REPORTS) >= 3


def test_each_matter_went_through_the_loop_on_the_days_of_its_story(village: Path, world: Any) -> None:
    cases = db.session.scalars(select(Case).where(Case.kind.in_(REPORTS))).all()
    assert len(cases) == len(MATTERS)
    states = Counter(case.state for case in cases)
    assert states == Counter(matter.ends for matter in MATTERS)
    now = world.clock.now()
    for case in cases:
        steps = db.session.scalars(select(CaseStep.at).where(CaseStep.case_id == case.id).order_by(CaseStep.version))
        days = list(steps)
        assert days == sorted(days) and days[-1] <= now
        assert case.checked_by is None or case.checked_by != case.decided_by
    assert db.session.scalar(select(func.count()).where(Visit.state == "done")) == sum(m.visited for m in MATTERS)
    assert sum(case.reopened_at is not None for case in cases) == 1
    late = select(func.count()).where(OutboxRow.kind == "report_answered", OutboxRow.done_at.is_(None))
    assert db.session.scalar(late) == 0, "nobody is told today of an answer of months ago"


def test_the_grid_worker_has_a_round_to_walk_today(village: Path, world: Any) -> None:
    grid = db.session.scalars(select(Officer).where(Officer.login == "grid")).one()
    lines = list_round(grid.area, grid.id, world.clock.today())
    assert {line.ground for line in lines} == {"overdue", "no_one_registered"} and len(lines) == 2


def test_the_right_to_let_was_seen_of_most_units_and_of_two_that_are_let_it_was_not(village: Path, world: Any) -> None:
    claims = db.session.scalars(select(UnitClaim)).all()
    assert Counter(claim.seen_kind for claim in claims) == {"at_window": len(claims) - 2, None: 2}
    today = world.clock.today()
    lines = list_discrepancies(AREA, today, ASSUMED_STANDARD, "right_unseen")
    assert {line.unit_id for line in lines} == {claim.unit_id for claim in claims if claim.seen_at is None}


def test_a_run_that_was_killed_between_the_matters_goes_on_from_where_it_was(
    village: Path, world: Any, settings: Any
) -> None:
    """The last account marks the village as made; without it everything is walked through once more."""
    count = select(func.count()).select_from(CaseStep)
    before = db.session.scalar(count)
    assert not seed_demo(world, settings.var), "made already"
    with transaction() as session:
        session.scalars(select(Officer).where(Officer.login == "reviewer")).one().login = "somebody"
    assert seed_demo(world, settings.var)
    db.session.rollback()
    assert db.session.scalar(count) == before
