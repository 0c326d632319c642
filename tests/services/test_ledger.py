"""The states of units on the ledger, their as-of times, coverage and pages; on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from backend.db import db, transaction
from backend.domain.ids import new_id
from backend.domain.spaces import SpaceStandard
from backend.models.dwellings import Dwelling
from backend.models.registrations import Headcount, Registration
from backend.models.units import Unit
from backend.queries import ledger
from backend.queries.ledger import UnitRow
from backend.services import door_sheets
from tests.services import stories

AREA = "330522003"


def unit_of(world: Any, story: stories.Story, **wishes: Any) -> UnitRow:
    db.session.rollback()
    rows = ledger.list_units(AREA, story.dwelling_id, world.clock.today(), **wishes)
    return next(row for row in rows if row.id == story.unit_id)


def count_people(world: Any, story: stories.Story, people: int) -> datetime:
    with transaction() as session:
        session.add(Headcount(id=new_id(), unit_id=story.unit_id, people=people, at=world.clock.now()))
    return world.clock.now()  # type: ignore[no-any-return]


def lives_along(world: Any, story: stories.Story) -> None:
    """A child of the tenant: a registration of its own, in the household and without a lease."""
    with transaction() as session:
        session.add(
            Registration(
                id=new_id(), unit_id=story.unit_id, household_of_id=story.registration_id, relation="child",
                move_in_on=world.clock.today(), tenant_leg="declared", declared_at=world.clock.now(),
                declared_by="guardian", created_at=world.clock.now(), updated_at=world.clock.now(),
            )
        )  # fmt: skip


def change_unit(story: stories.Story, **values: Any) -> None:
    with transaction() as session:
        session.execute(update(Unit).where(Unit.id == story.unit_id).values(**values))


def test_a_unit_goes_through_its_states_each_with_the_time_it_is_known_from(core: Any, world: Any, clock: Any) -> None:
    start = clock.now()
    story = stories.make_claimed(world)
    other = next(r for r in ledger.list_units(AREA, story.dwelling_id, clock.today()) if r.id != story.unit_id)
    assert (other.state, other.as_of) == ("not_enrolled", start)
    assert unit_of(world, story).state == "no_one_registered"
    clock.move(timedelta(days=5))
    late = unit_of(world, story)
    with transaction() as session:
        due_on = session.get_one(Registration, story.registration_id).tenant_due_on
    assert late.state == "overdue"
    assert late.as_of.astimezone(clock.now().tzinfo) < clock.now() and due_on is not None
    assert (late.as_of + timedelta(hours=8)).date() == due_on + timedelta(days=1)

    stories.read_notice(world, story.tenant)
    stories.enter_identity(
        world, account_id=story.tenant, id_type="111", id_number=stories.TENANT_NUMBER, name="周来福"
    )
    stories.declare(world, account_id=story.tenant, registration_id=story.registration_id, move_in_on=clock.today(),
                    hukou_division="341822")  # fmt: skip
    registered = unit_of(world, story)
    assert (registered.state, registered.registered, registered.as_of) == ("registered", 1, clock.now())
    with transaction() as session:
        session.get_one(Registration, story.registration_id).disputed = True
    assert unit_of(world, story).state == "disputed"


def test_children_and_those_who_live_along_count_for_capacity_and_area(core: Any, world: Any) -> None:
    story = stories.make_declared(world)
    lives_along(world, story)
    assert unit_of(world, story).state == "registered"  # two in a room for two, of 15 m²
    roomier = SpaceStandard(area_per_head_m2=8.0)  # the local standard asks for more
    assert unit_of(world, story, standard=roomier).state == "over_capacity"
    lives_along(world, story)
    assert (unit_of(world, story).state, unit_of(world, story).registered) == ("over_capacity", 3)
    assert unit_of(world, story, standard=SpaceStandard(persons_per_room=3)).state == "over_capacity"  # let for two
    change_unit(story, capacity=3, usable_area_m2=15.0)
    assert unit_of(world, story).state == "over_capacity"  # the local standard says two in a room
    assert unit_of(world, story, standard=SpaceStandard(persons_per_room=3)).state == "registered"
    change_unit(story, space_kind="whole_home")  # counts by its area alone
    assert unit_of(world, story).state == "registered"
    change_unit(story, usable_area_m2=14.0)
    assert unit_of(world, story).state == "over_capacity"


def test_one_person_is_never_too_many_for_the_area(core: Any, world: Any) -> None:
    story = stories.make_declared(world)
    change_unit(story, usable_area_m2=3.0)
    assert unit_of(world, story).state == "registered"


def test_a_headcount_differs_while_it_did_and_still_does(core: Any, world: Any, clock: Any) -> None:
    story = stories.make_declared(world)
    change_unit(story, capacity=9, usable_area_m2=90.0, space_kind="whole_home")
    clock.move(timedelta(days=1))
    seen_at = count_people(world, story, 3)
    differs = unit_of(world, story)
    assert (differs.state, differs.headcount, differs.as_of) == ("headcount_differs", 3, seen_at)
    clock.move(timedelta(days=1))
    lives_along(world, story)
    assert unit_of(world, story).state == "headcount_differs"
    lives_along(world, story)
    assert unit_of(world, story).state == "registered", "those who were found have registered"
    lives_along(world, story)
    assert unit_of(world, story).state == "headcount_differs", "found three, registered one then and four now"
    count_people(world, story, 4)
    clock.move(timedelta(days=1))
    lives_along(world, story)
    assert unit_of(world, story).state == "registered", "the count was right; somebody came after it"


def test_villages_are_counted_without_their_retired_dwellings(core: Any, world: Any, clock: Any) -> None:
    story = stories.make_declared(world)
    gone, _ = stories.make_dwelling(world, door=2)
    stories.make_dwelling(world, door=3)
    with transaction() as session:
        session.get_one(Dwelling, gone).retired_on = clock.today()
        session.execute(update(Dwelling).where(Dwelling.door_no == "3号").values(known_rental=True))
    board = ledger.get_board(AREA, clock.today())
    village = board.villages[0]
    assert (village.dwellings, village.rentals, village.enrolled, village.coverage) == (2, 2, 1, 50.0)
    assert (board.coverage, board.total.units, board.total.residents) == (50.0, 4, 1)
    assert village.counts.by_state["registered"] == 1 and village.counts.by_state["not_enrolled"] == 3
    assert village.counts.changed_at == board.changed_at == clock.now()
    assert [row.address[-2:] for row in ledger.list_dwellings(AREA, clock.today())] == ["1号", "3号"]
    assert ledger.get_board("330523", clock.today()).dwellings == 0
    found = ledger.find_dwelling(AREA, gone, clock.today())
    assert found is not None and found.retired_on == clock.today() and story.dwelling_id != gone


def test_the_dwellings_come_in_pages_that_miss_none_and_repeat_none(core: Any, world: Any, clock: Any) -> None:
    for door in (10, 2, 1, 12, 9):
        stories.make_dwelling(world, door=door, units=1)
    seen: list[str] = []
    after: str | None = None
    while page := ledger.list_dwellings(AREA, clock.today(), after=after, limit=2):
        seen += [row.address.removeprefix("陈塘村陈塘路") for row in page]
        after = page[-1].id
    assert seen == ["1号", "2号", "9号", "10号", "12号"]
    wishes = ledger.Wishes(state="not_enrolled", text="陈塘 1")
    assert len(ledger.list_dwellings(AREA, clock.today(), wishes)) == 3
    assert ledger.list_dwellings(AREA, clock.today(), ledger.Wishes(state="registered")) == ()
    assert ledger.list_roads(AREA) == ("陈塘路",) and ledger.list_roads("330523") == ()
    assert len(ledger.list_dwellings(AREA, clock.today(), ledger.Wishes(road="陈塘路", building=""))) == 5
    assert ledger.list_dwellings(AREA, clock.today(), ledger.Wishes(building="3幢")) == ()


def test_door_sheets_say_the_unit_and_nothing_of_a_person(core: Any, world: Any) -> None:
    story = stories.make_declared(world)
    world = replace(world, house=replace(world.house, mobile_url="https://anju.example"))
    sheets = door_sheets.list_door_sheets(world, area=AREA, dwelling_id=story.dwelling_id)
    assert [sheet.address_line for sheet in sheets] == ["陈塘村陈塘路1号 101室", "陈塘村陈塘路1号 102室"]
    assert sheets[0].url == f"https://anju.example/u/{sheets[0].public_number}"
    rest = door_sheets.list_door_sheets(world, area=AREA, after=sheets[0].unit_id)
    assert rest == sheets[1:]
    assert door_sheets.list_door_sheets(world, area="330523") == ()
    with pytest.raises(door_sheets.Refused, match=r"area\.foreign"):
        door_sheets.list_door_sheets(world, area=AREA, division="330523001001")
    own = door_sheets.list_own_door_sheets(world, account_id=story.landlord)
    assert [sheet.unit_id for sheet in own] == [story.unit_id]
    assert door_sheets.list_own_door_sheets(world, account_id=story.tenant) == ()
