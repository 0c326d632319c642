"""Figures of the identity step: counted by queries, without persons."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from backend.gateways.clock import FixedClock
from backend.queries.identity_figures import get_identity_figures
from backend.services.cases import claim_case, decide_case
from backend.services.identity_reviews import ask_a_person, attest
from tests.services import staff, stories

TOP = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.usefixtures("core")


def test_nothing_yet_is_said_as_nothing(world: Any) -> None:
    figures = get_identity_figures(world.clock.now())
    assert (figures.began, figures.unaided_percent, figures.median_wait_minutes) == (0, None, None)


def test_a_tenant_counts_as_unfinished_then_as_having_chosen_a_way(world: Any) -> None:
    story = stories.make_identified(world)
    figures = get_identity_figures(world.clock.now())
    assert (figures.began, figures.unaided, figures.unfinished) == (1, 0, 1)
    ask_a_person(world, account_id=story.tenant, way="live_video")
    figures = get_identity_figures(world.clock.now())
    assert (figures.unaided_percent, figures.by_way["live_video"], figures.open_reviews) == (100, 1, 1)


def test_an_attestation_is_help(world: Any) -> None:
    story = stories.make_declared(world)
    attest(world, account_id=story.landlord, lease_id=story.lease_id, met_in_person=True, saw_document=True)
    figures = get_identity_figures(world.clock.now())
    assert (figures.unaided, figures.helped, figures.unfinished) == (0, 1, 0)


def test_the_wait_runs_from_opening_to_a_persons_decision_and_late_ones_are_counted(
    world: Any, clock: FixedClock
) -> None:
    story = stories.make_declared(world)
    reference = ask_a_person(world, account_id=story.tenant, way="window").reference
    clock.move(timedelta(hours=80))
    assert get_identity_figures(clock.now()).late_reviews == 1
    assert get_identity_figures(clock.now(), "330522001").open_reviews == 0
    session_id = staff.make_session(world, "reviewer", purpose="review")
    claim_case(world, session_id=session_id, reference=reference)
    decide_case(world, session_id=session_id, reference=reference, decision="confirmed", reason="same_person",
                method="window")  # fmt: skip
    figures = get_identity_figures(clock.now())
    assert (figures.decided, figures.median_wait_minutes, figures.open_reviews) == (1, 80 * 60, 0)
    clock.move(timedelta(days=31))
    assert get_identity_figures(clock.now()).decided == 0


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_the_command_prints_numbers_and_no_person(world: Any, settings: Any) -> None:
    story = stories.make_identified(world)
    ask_a_person(world, account_id=story.tenant, way="window")
    values = {"DEMO": "1", "VAR": str(settings.var), "DATABASE_URL": settings.database_url, "NETID_URL": ""}
    environment = {**os.environ, **{f"ANJU_{name}": value for name, value in values.items()}}

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "backend.cli", *words]
        return subprocess.run(command, cwd=TOP, env=environment, capture_output=True, text=True, check=False)

    assert json.loads(run("identity", "figures", "--json").stdout)["open_reviews"] == 1
    words = run("identity", "figures").stdout
    assert "median wait" in words and "周来福" not in words and stories.TENANT_NUMBER not in words
    assert "ANJU_NETID_URL" in run("netid", "fault").stderr
