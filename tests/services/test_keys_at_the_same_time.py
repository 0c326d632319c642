"""Two write units about one key at the same time: the second acts upon what the first has made of it.

On PostgreSQL alone: SQLite has one writer at a time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from backend.db import db, transaction
from backend.domain.refusals import Refused
from backend.gateways.world import World
from backend.models.keys import Key, KeyDoor
from backend.services.audit import Actor
from backend.services.identity_states import settle_identity
from backend.services.key_changes import begin_revocation, change_key, lock_of
from backend.services.key_lists import enqueue_key_list
from backend.services.keys import fetch_credential, revoke_key, suspend_key
from backend.services.persons import my_identity
from backend.services.registrations import declare
from tests.services import stories

pytestmark = pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)


def meanwhile(core: Flask, work: Callable[[], Any]) -> list[Any]:
    """Do a use case in another thread, to its end; answers what it answered."""
    answers: list[Any] = []

    def run() -> None:
        with core.app_context():
            answers.append(work())
            db.session.remove()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return answers


def test_a_key_that_is_revoked_while_somebody_resumes_it_stays_revoked(core: Flask, world: World) -> None:
    story = stories.make_active(world)
    suspend_key(world, account_id=story.tenant, key_id=story.key_id)
    with pytest.raises(Refused, match="transition"), transaction() as session:
        key = session.get_one(Key, story.key_id)
        assert key.state == "suspended"
        meanwhile(core, lambda: revoke_key(world, account_id=story.tenant, key_id=story.key_id))
        change_key(world, session, key, "resume", Actor("resident"))
    assert stories.key_row(story.key_id).state == "revoking"


def test_the_exposure_counts_a_credential_that_was_fetched_a_moment_before(core: Flask, world: World) -> None:
    story = stories.make_active(world)
    with transaction() as session:
        key = session.get_one(Key, story.key_id)
        assert key.credential_ends_at is None
        (fetched,) = meanwhile(
            core, lambda: fetch_credential(world, account_id=story.tenant, key_id=story.key_id)
        )
        begin_revocation(world, session, key, Actor("resident"), "holder_request")
    door = db.session.get_one(KeyDoor, (story.key_id, story.identity.lock_id))
    assert door.exposure_until is not None and door.exposure_until > fetched.expires_at


def test_a_key_that_two_end_at_the_same_time_has_ended_once(core: Flask, world: World) -> None:
    story = stories.make_active(world)
    with transaction() as session:
        key = session.get_one(Key, story.key_id)
        assert key.state == "active"
        meanwhile(core, lambda: revoke_key(world, account_id=story.tenant, key_id=story.key_id))
        begin_revocation(world, session, key, Actor("system"), "over")
    assert stories.key_row(story.key_id).revoke_ground == "holder_request"


def test_two_changes_of_a_locks_list_have_two_versions(core: Flask, world: World) -> None:
    story = stories.make_let_unit(world)

    def change() -> int:
        with transaction() as session:
            return enqueue_key_list(world, session, story.identity.lock_id)

    with transaction() as session:
        assert lock_of(session, story.unit_id) is not None
        (first,) = meanwhile(core, change)
        assert enqueue_key_list(world, session, story.identity.lock_id) == first + 1


def test_a_key_becomes_active_though_declaration_and_identity_come_at_the_same_time(core: Flask, world: World) -> None:
    story = stories.make_identified(world)
    identity = my_identity(world, account_id=story.tenant)
    assert identity is not None

    def declares() -> None:
        with core.app_context():
            declare(world, account_id=story.tenant, registration_id=story.registration_id,
                    move_in_on=world.clock.today(), hukou_division="341822")  # fmt: skip
            db.session.remove()

    declaring = threading.Thread(target=declares)
    with transaction() as session:
        settle_identity(world, session, identity.person_id, "verified", method="window")
        declaring.start()
        wait_until_somebody_waits(session)
    declaring.join()
    assert stories.key_row(story.key_id).state == "active"


def wait_until_somebody_waits(session: Session) -> None:
    """Until another connection of this database waits for what ours holds."""
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    while session.scalar(waiting) == 0:
        session.execute(text("SELECT pg_stat_clear_snapshot(), pg_sleep(0.01)"))
