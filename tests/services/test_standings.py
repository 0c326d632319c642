"""The ledger's copy of each unit's numbers equals what it is counted from, whatever was written and however it went."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text

from backend.db import db, transaction
from backend.domain.ids import new_id
from backend.domain.ledger import UNIT_STATES
from backend.models.dwellings import Dwelling
from backend.models.registrations import Headcount, Registration
from backend.models.standings import UnitStanding
from backend.models.units import Unit
from backend.queries.unit_states import counted_units, state_of, unit_states
from backend.services.standings import WATCHED, settle_units
from tests.services import stories

BACKEND = Path(__file__).resolve().parents[2] / "backend"
AREA = "330522"


def require_in_step(days: tuple[int, ...] = (0,), today: Any = None) -> None:
    """Every standing is what counting anew finds, and is judged alike on each of the days."""
    db.session.rollback()
    names = [column.name for column in UnitStanding.__table__.columns]
    truth = {row.unit_id: tuple(row) for row in db.session.execute(counted_units())}
    kept = {
        row.unit_id: tuple(getattr(row, name) for name in names) for row in db.session.scalars(select(UnitStanding))
    }
    assert kept == truth
    for ahead in days if today else ():
        day = today + timedelta(days=ahead)
        states = unit_states(AREA, day)
        counted = db.session.execute(select(states.c.unit_id, states.c.state)).all()
        judged = db.session.execute(select(UnitStanding.unit_id, state_of(UnitStanding, day))).all()
        assert sorted(map(tuple, judged)) == sorted(map(tuple, counted))


def test_a_tenancy_from_the_claim_to_its_end_keeps_the_standing(core: Any, world: Any, clock: Any) -> None:
    story = stories.make_active(world)
    require_in_step((0, 5), clock.today())
    standing = db.session.get_one(UnitStanding, story.unit_id)
    assert (standing.enrolled, standing.registered, standing.due_on) == (True, 1, None)


STEPS = ("arrives", "declares", "leaves", "voided", "disputed", "settled", "moves", "let", "grows", "visit", "retired")


@pytest.mark.parametrize("database_kind", ["sqlite", "postgresql"], indirect=True)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(tale=[("arrives", 0, True), ("declares", 0, True), ("moves", 0, True), ("retired", 0, True)])
@example(tale=[("arrives", 0, True), ("declares", 0, True), ("visit", 2, True), ("disputed", 0, False)])
@given(tale=st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 2), st.booleans()), min_size=1, max_size=14))
def test_whatever_is_written_the_copy_equals_the_truth(
    core: Any, world: Any, clock: Any, tale: list[tuple[str, int, bool]]
) -> None:
    home, rooms = stories.make_dwelling(world, door=int(new_id()[-8:], 16), units=0)
    with transaction() as session:
        for n in range(3):
            room = Unit(id=new_id(), dwelling_id=home, public_number=new_id()[-12:], label=f"{n}室",
                        space_kind="bedroom", usable_area_m2=12, capacity=2, created_at=clock.now())  # fmt: skip
            session.add(room)
            rooms.append(room.id)
    for step, place, kept in tale:
        clock.move(timedelta(hours=7))
        try:
            with transaction() as session:
                take(session, clock, step, home, rooms, place)
                if not kept:
                    raise LookupError("undone")
        except LookupError:
            pass
    require_in_step((0, 1, 4), clock.today())


def take(session: Any, clock: Any, step: str, home: str, rooms: list[str], place: int) -> None:
    """One step of a tale, written as a use case would write it."""
    unit_id, now = rooms[place], clock.now()
    someone = session.scalar(
        select(Registration).where(Registration.unit_id == unit_id, Registration.residence == "living").limit(1)
    )
    if step == "arrives":
        session.add(Registration(id=new_id(), unit_id=unit_id, move_in_on=clock.today(), created_at=now, updated_at=now,
                                 tenant_due_on=clock.today() + timedelta(days=place)))  # fmt: skip
    elif step == "let":
        session.get_one(Unit, unit_id).label = f"{new_id()[-6:]}室"
    elif step == "grows":
        session.get_one(Unit, unit_id).capacity += 1
    elif step == "visit":
        session.add(Headcount(id=new_id(), unit_id=unit_id, people=place, at=now))
    elif step == "retired":
        dwelling = session.get_one(Dwelling, home)
        dwelling.retired_on = None if dwelling.retired_on else clock.today()
    elif someone is not None:
        someone.updated_at = now
        if step == "declares":
            someone.tenant_leg, someone.declared_at = "declared", now
        elif step == "leaves":
            someone.residence, someone.moved_out_on = "moved_out", clock.today()
        elif step == "voided":
            someone.residence = "voided"
        elif step == "moves":
            someone.unit_id = rooms[(place + 1) % 3]
        else:
            someone.disputed = step == "disputed"


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
def test_two_at_the_same_time_in_one_unit_are_both_counted(core: Flask, world: Any, clock: Any) -> None:
    """The second has written and counts while the first, which has counted, is not committed yet."""
    _, [unit_id] = stories.make_dwelling(world, units=1)
    first_has_counted, failures = threading.Event(), list[BaseException]()

    def move_in(session: Any) -> None:
        now = clock.now()
        session.add(Registration(id=new_id(), unit_id=unit_id, move_in_on=clock.today(), tenant_leg="declared",
                                 declared_at=now, created_at=now, updated_at=now))  # fmt: skip
        session.flush()

    def be_second() -> None:
        try:
            with core.app_context():
                assert first_has_counted.wait(20)
                with transaction() as session:
                    move_in(session)
                db.session.remove()
        except BaseException as error:
            failures.append(error)

    second = threading.Thread(target=be_second)
    second.start()
    with transaction() as session:
        move_in(session)
        settle_units(session, [unit_id])
        first_has_counted.set()
        while second.is_alive() and not session.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")):
            second.join(0.02)
    second.join(30)
    assert not failures and not second.is_alive()
    require_in_step()
    assert db.session.get_one(UnitStanding, unit_id).registered == 2


def test_no_statement_over_many_rows_writes_past_the_standings() -> None:
    """Such a statement goes past the session's objects; those we have write nothing that is counted."""
    names = {kind.__name__: columns for kind, columns in WATCHED.items()}
    many: Callable[[str], Any] = re.compile(rf"\b(?:update|insert|delete)\(\s*({'|'.join(names)})\b").finditer
    for path in BACKEND.rglob("*.py"):
        code = path.read_text(encoding="utf-8")
        for found in many(code):
            assert found[0].startswith("update"), path
            statement = code[found.start() : found.start() + 400].split("\n\n")[0]
            for column in names[found[1]]:
                assert f"{column}=" not in statement.split(".values(")[-1], (path.name, column)


def test_every_state_can_be_judged_from_a_standing() -> None:
    said = str(state_of(UnitStanding, stories.date(2026, 11, 23)).compile(compile_kwargs={"literal_binds": True}))
    assert all(f"'{state}'" in said for state in UNIT_STATES)
