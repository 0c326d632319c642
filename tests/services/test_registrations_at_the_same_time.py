"""Two write units about one registration at the same time: no two versions of it are the same.

On PostgreSQL alone: SQLite has one writer at a time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from backend.db import db, transaction
from backend.domain.refusals import Refused
from backend.gateways.world import World
from backend.models.outbox import OutboxRow
from backend.models.registrations import Registration, RegistrationChange
from backend.services.amendments import amend
from backend.services.leases import end_lease, extend_lease
from backend.services.registration_changes import hold_registration
from backend.services.registrations import answer_still_here, check_out
from backend.services.voids import request_void
from tests.services import stories
from tests.services.stories import Story
from tests.services.test_keys_at_the_same_time import wait_until_somebody_waits

pytestmark = pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)


def leave(world: World, story: Story) -> None:
    check_out(world, account_id=story.tenant, registration_id=story.registration_id, moved_out_on=world.clock.today(),
              reason="left_county")  # fmt: skip


def extend(world: World, story: Story) -> None:
    later = world.clock.today() + timedelta(days=800)
    extend_lease(world, account_id=story.landlord, lease_id=story.lease_id, ends_on=later)


def change(world: World, story: Story) -> None:
    amend(world, account_id=story.tenant, registration_id=story.registration_id, move_in_on=world.clock.today(),
          reason="204")  # fmt: skip


def ask_void(world: World, story: Story) -> None:
    request_void(world, account_id=story.tenant, registration_id=story.registration_id, reason="duplicate")


def say_left(world: World, story: Story) -> None:
    end_lease(world, account_id=story.landlord, lease_id=story.lease_id, ended_on=world.clock.today())


def contradict(world: World, story: Story) -> None:
    answer_still_here(world, account_id=story.tenant, registration_id=story.registration_id)


ACTS: dict[str, Callable[[World, Story], None]] = {
    "check out": leave, "extend": extend, "amend": change, "ask to void": ask_void, "say left": say_left,
    "contradict": contradict,
}  # fmt: skip


def versions(story: Story) -> tuple[list[int], list[tuple[str, int]]]:
    """The versions of the history, and leg and version of what lies in the registry's outbox."""
    db.session.rollback()
    changes = db.session.scalars(
        select(RegistrationChange.version).where(RegistrationChange.registration_id == story.registration_id)
    )
    rows = db.session.scalars(select(OutboxRow).where(OutboxRow.destination == "registry"))
    return sorted(changes), sorted((row.payload["leg"], row.payload["version"]) for row in rows)


@pytest.mark.parametrize("act", ["check out", "extend", "say left", "contradict", "amend", "ask to void"])
def test_an_act_waits_for_another_about_the_same_registration_and_makes_a_later_version(
    core: Flask, world: World, act: str
) -> None:
    story = stories.make_active(world)
    if act == "contradict":
        say_left(world, story)

    def run() -> None:
        with core.app_context():
            ACTS[act](world, story)
            db.session.remove()

    acting = threading.Thread(target=run)
    with transaction() as session:  # an amendment, up to its commit
        registration = session.get_one(Registration, story.registration_id)
        hold_registration(session, registration)
        registration.version += 1
        taken = registration.version
        session.flush()
        acting.start()
        wait_until_somebody_waits(session)
    acting.join()
    assert taken not in versions(story)[0], "the other one was waited for"
    history, told = versions(story)
    assert len(history) == len(set(history)) and len(told) == len(set(told))


@pytest.mark.parametrize("second", ["extend", "amend"])
def test_leaving_while_another_act_runs_ends_with_one_check_out_as_the_last_version(
    core: Flask, world: World, second: str
) -> None:
    story = stories.make_active(world)
    outcomes: list[Any] = []

    def run() -> None:
        with core.app_context():
            try:
                outcomes.append(ACTS[second](world, story))
            except Refused as refused:
                outcomes.append(refused.refusal.code)
            db.session.remove()

    acting = threading.Thread(target=run)
    with transaction() as session:
        hold_registration(session, session.get_one(Registration, story.registration_id))
        acting.start()
        wait_until_somebody_waits(session)
    acting.join()
    leave(world, story)
    history, told = versions(story)
    assert outcomes == [None] and len(history) == len(set(history)) and len(told) == len(set(told))
    assert db.session.get_one(Registration, story.registration_id, populate_existing=True).version == max(history)
