"""The console's ledger: what a precinct asks stays as quick when the installation around it grows a hundredfold.

Three installations of different size on one server hold the same precinct, a street of ten villages with some ten
thousand registrations, among as many others of its size as it takes. Each question is asked of all of them in turn, and
its time in the largest is measured against its own time in the smallest. The limit is therefore the same question, not
a program without Anju.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import Any

from flask import Flask
from sqlalchemy import text

from backend.bootstrap import world_of
from backend.db import db, transaction
from backend.queries import ledger, unit_facts
from backend.services.standings import settle_everything, settle_units
from tests.bench.figures import Row, at_most, compare, percentile
from tests.bench.stage import Place, Stage
from tests.services import stories

STREET = 10_000  # registrations in one precinct
SIZES, QUICK_SIZES = (1, 10, 100), (1, 5)  # precincts in an installation
ROUNDS_ASK, QUICK_ROUNDS_ASK = 15, 6  # times each question is asked in a round
GOAL = 3.0
VILLAGES, HOUSES, UNITS = 10, 40, 20  # of a precinct, a village, a house
STREETS_PER_COUNTY = 10
PRECINCT, VILLAGE = "330501001", "330501001004"
FILL = (
    # a precinct's number gives county and street, a house's number its village; ids follow from the numbers
    f"""INSERT INTO dwellings (id, division, division_version, province, city, county, street, village, road, door_no,
          building, known_rental, imported_at, longitude, latitude, datum)
        SELECT md5('house' || n)::uuid,
          '3305' || lpad((1 + p / {STREETS_PER_COUNTY})::text, 2, '0')
            || lpad((1 + p % {STREETS_PER_COUNTY})::text, 3, '0') || lpad((1 + v)::text, 3, '0'),
          'bench', '浙江省', '湖州市', '样本县', '样本街道' || p, '样本村' || v, '样本' || (1 + h / 10) || '路',
          (1 + h % 10) || '号', '', TRUE, :now, 119.9 + h * 0.0004, 31 + v * 0.004, 'CGCS2000'
        FROM generate_series(0, :precincts * {VILLAGES * HOUSES} - 1) AS n,
          LATERAL (SELECT n / {VILLAGES * HOUSES} AS p, n / {HOUSES} % {VILLAGES} AS v, n % {HOUSES} AS h) AS places""",
    f"""INSERT INTO units (id, dwelling_id, public_number, label, space_kind, usable_area_m2, capacity, landlord_id,
          version, created_at)
        SELECT md5('unit' || n)::uuid, md5('house' || n / {UNITS})::uuid, 'B-' || n, (101 + n % {UNITS}) || '室',
          'bedroom', 15, 2, CASE WHEN n / {UNITS} % 10 < 9 THEN CAST(:landlord AS uuid) END, 1, :now
        FROM generate_series(0, :precincts * {VILLAGES * HOUSES * UNITS} - 1) AS n""",
    # five people to four units; some have left, some are late, a few are disputed
    f"""INSERT INTO registrations (id, version, unit_id, place_type, move_in_on, landlord_leg, tenant_leg,
          tenant_due_on, declared_at, declared_by, scope, residence, moved_out_on, disputed, registry_state,
          registry_version, registry_errors, created_at, updated_at, duties_look_at)
        SELECT md5('registration' || n)::uuid, 1, md5('unit' || n * 4 / 5)::uuid, '30', :today - 40, 'reported',
          CASE WHEN n % 31 = 0 THEN 'invited' ELSE 'declared' END, :today - n % 60,
          CASE WHEN n % 31 = 0 THEN NULL ELSE :now END, CASE WHEN n % 31 = 0 THEN NULL ELSE 'self' END, 'in_scope',
          CASE WHEN n % 7 = 1 THEN 'moved_out' ELSE 'living' END, CASE WHEN n % 7 = 1 THEN :today - 3 END,
          n % 997 = 0, 'unsent', 0, '[]', :now, :now, NULL
        FROM generate_series(0, :precincts * {STREET} - 1) AS n""",
)


@dataclass(frozen=True)
class Question:
    """One thing that is asked, and whether it must stay as quick; what grows with the area asked about need not."""

    name: str
    ask: Callable[[date], Any]
    judged: bool = True


@dataclass
class Installation:
    """One installation of a size, open to be asked."""

    precincts: int
    app: Flask
    times: dict[str, list[float]] = field(default_factory=dict)


def measurements(quick: bool) -> Sequence[object]:
    """What a run measures; a quick one the same in smaller installations."""
    return (measure_growth,)


def measure_growth(stage: Stage) -> list[Row]:
    """Each question in installations of all sizes, round by round."""
    sizes = QUICK_SIZES if stage.quick else SIZES
    with ExitStack() as open_places:
        places = []
        for precincts in sizes:
            stage.say(f"console: making {precincts * STREET:,} registrations")
            app = open_places.enter_context(Place(stage, "postgresql")).make_core()
            with app.app_context():
                fill(app, precincts)
            places.append(Installation(precincts, app))
        questions = list_questions(places[0].app)
        for turn in range(stage.rounds):
            stage.say(f"console: round {turn + 1} of {stage.rounds}")
            for place in places[:: 1 if turn % 2 else -1]:
                ask_all(place, questions, QUICK_ROUNDS_ASK if stage.quick else ROUNDS_ASK)
        for place in places:
            with place.app.app_context():
                db.session.remove()
                db.engine.dispose()
    return [row for question in questions for row in tell(question, places)]


def fill(app: Flask, precincts: int) -> None:
    """Precincts of one size, made by the server itself; the standings are counted by the product's own statement."""
    world = world_of(app)
    stories.make_landlord(world)
    values = {"precincts": precincts, "now": world.clock.now(), "today": world.clock.today()}
    with transaction() as session:
        landlord = session.scalar(text("SELECT id FROM persons LIMIT 1"))
        session.execute(text("SET LOCAL session_replication_role = replica"))  # the numbers fit by themselves
        for statement in FILL:
            session.execute(text(statement), {**values, "landlord": landlord})
        settle_everything(session)
    with db.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("VACUUM ANALYZE"))


def list_questions(app: Flask) -> list[Question]:
    """What the board, its filters and an opened house ask; the house and the unit are in the middle of the precinct."""
    with app.app_context():
        house = ledger.list_dwellings(VILLAGE, world_of(app).clock.today())[7].id
        unit = ledger.list_units(VILLAGE, house, world_of(app).clock.today())[3].id
        db.session.remove()
    late, road = ledger.Wishes(state="overdue"), ledger.Wishes(division=VILLAGE, road="样本2路")
    return [
        Question("a precinct's board, by village", partial(ledger.get_board, PRECINCT)),
        Question("a village's board", partial(ledger.get_board, VILLAGE)),
        Question("a village's houses", lambda day: ledger.list_dwellings(PRECINCT, day, ledger.Wishes(VILLAGE))),
        Question("houses with somebody late", lambda day: ledger.list_dwellings(PRECINCT, day, late)),
        Question("houses of a road", lambda day: ledger.list_dwellings(PRECINCT, day, road)),
        Question(
            "houses by free words", lambda day: ledger.list_dwellings(PRECINCT, day, ledger.Wishes(text="样本3路 7号"))
        ),
        Question("a house's units", lambda day: ledger.list_units(PRECINCT, house, day)),
        Question("who lives in a unit", lambda _day: unit_facts.list_living(unit)),
        Question("a unit counted anew", lambda _day: recount(unit)),
        Question("a county's board", partial(ledger.get_board, PRECINCT[:6]), judged=False),
    ]


def recount(unit_id: str) -> None:
    """What each write to a registration adds: its unit's standing, in a write unit of its own here."""
    with transaction() as session:
        settle_units(session, [unit_id])


def ask_all(place: Installation, questions: Sequence[Question], times: int) -> None:
    """Ask each question so many times, the first without a watch; keep the median in milliseconds."""
    with place.app.app_context():
        today = world_of(place.app).clock.today()
        for question in questions:
            took = []
            for _ in range(times + 1):
                begun = time.perf_counter()
                question.ask(today)
                took.append((time.perf_counter() - begun) * 1_000)
                db.session.rollback()
            place.times.setdefault(question.name, []).append(percentile(took[1:], 50))
        db.session.remove()


def tell(question: Question, places: Sequence[Installation]) -> list[Row]:
    """The largest installation against the smallest, judged; those between for information."""
    smallest, *between, largest = places
    base = smallest.times[question.name]
    rows = [
        compare(f"{question.name}, {place.precincts * STREET:,}", "ms", place.times[question.name], base)
        for place in between
    ]
    judge = partial(at_most, GOAL) if question.judged else None
    name = f"{question.name}, {largest.precincts * STREET:,}"
    return [*rows, compare(name, "ms", largest.times[question.name], base, judge)]
