"""Two write units about one key at the same time: the second acts upon what the first has made of it.

On PostgreSQL alone: SQLite has one writer at a time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from backend.db import db, transaction
from backend.domain.refusals import Refused
from backend.gateways.world import World
from backend.models.keys import Key, KeyDoor
from backend.services.audit import Actor
from backend.services.key_changes import begin_revocation, change_key
from backend.services.keys import fetch_credential, revoke_key, suspend_key
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
