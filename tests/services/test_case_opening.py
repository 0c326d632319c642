"""Of several who find that a case is missing one alone opens it."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from backend.db import db, transaction
from backend.gateways.world import World
from backend.models.cases import Case
from backend.services.case_opening import open_case, open_once
from tests.services.test_keys_at_the_same_time import meanwhile


def make(world: World, session: Session) -> Case:
    return open_case(world, session, kind="help_request", area="330522003900", opened_by="rule", evidence={"of": "one"})


def find(session: Session) -> Case | None:
    return session.scalar(select(Case).where(Case.kind == "help_request", Case.decided_at.is_(None)))


def open_it(world: World) -> str:
    with transaction() as session:
        return open_once(session, lambda: find(session), lambda: make(world, session)).id


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)  # SQLite lets one write unit in at a time
def test_who_was_held_up_between_looking_and_opening_finds_what_another_opened(core: Flask, world: World) -> None:
    theirs: list[Any] = []
    with transaction() as session:

        def find_late() -> Case | None:
            found = find(session)
            if not theirs:
                theirs.extend(meanwhile(core, lambda: open_it(world)))
            return found

        mine = open_once(session, find_late, lambda: make(world, session)).id
    assert theirs == [mine] == [open_it(world)]
    assert db.session.scalar(select(func.count()).select_from(Case)) == 1
