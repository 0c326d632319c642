"""Statistics of an area, the public figures, and the headcount of a building: counted on both databases, nameless."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from backend.db import db, transaction
from backend.domain.documents import Document
from backend.domain.ids import new_id
from backend.domain.refusals import Refused
from backend.gateways.clock import FixedClock
from backend.models.audit import AuditLeaf
from backend.models.cases import Case
from backend.models.dwellings import Dwelling
from backend.models.registrations import AgeCount, Registration
from backend.models.units import Unit
from backend.queries.openness import get_open_figures
from backend.queries.statistics import Sheet, find_sheet, list_places, list_sheets
from backend.seeding import sample_number
from backend.services.age_counts import count_ages
from backend.services.disclosures import open_unit
from backend.services.emergencies import count_building
from backend.services.persons import make_person
from tests.services import staff, stories

pytestmark = pytest.mark.usefixtures("core")
STREET = staff.STREET


def settle(
    world: Any, unit_id: str, births: Iterable[date], *, hukou: str = "341822", move_in_on: date | None = None,
    **facts: Any,
) -> list[str]:  # fmt: skip
    """People registered in a unit since `move_in_on`; `facts` are further columns of their registrations."""
    made = []
    with transaction() as session:
        for birth_on in births:
            document = Document("111", sample_number(hukou, birth_on), birth_on, "male")
            person = make_person(world, session, "吴友", document, birth_on, "male", hukou)
            values = {
                "tenant_leg": "declared", "declared_at": world.clock.now(), "created_at": world.clock.now(),
                "updated_at": world.clock.now(), **facts,
            }  # fmt: skip
            row = Registration(id=new_id(), unit_id=unit_id, person_id=person.id,
                               move_in_on=move_in_on or world.clock.today(), **values)  # fmt: skip
            session.add(row)
            made.append(row.id)
    return made


def births(year: int, count: int) -> list[date]:
    return [date(year, 1, 1) + timedelta(days=n) for n in range(count)]


def sheet(world: Any, key: str, area: str = STREET) -> Sheet:
    db.session.rollback()
    found = find_sheet(key, area, world.clock.today())
    assert found is not None
    return found


def test_moving_in_and_out_is_counted_by_village_and_month(world: Any) -> None:
    _, [unit, _] = stories.make_dwelling(world)
    this, last = world.clock.today().replace(day=1), (world.clock.today().replace(day=1) - timedelta(days=1))
    settle(world, unit, births(1980, 6), move_in_on=this)
    settle(world, unit, births(1981, 7), move_in_on=last, residence="moved_out", moved_out_on=this)
    moved_in, moved_out = sheet(world, "moved_in"), sheet(world, "moved_out")
    assert moved_in.rows == ("陈塘村",) and moved_in.columns[-1] == f"{this:%Y-%m}" and len(moved_in.columns) == 12
    assert (moved_in.cells[0][-2:], moved_in.total) == ((7, 6), 13)
    assert (moved_out.cells[0][-2:], moved_out.total) == ((0, 7), 7)
    assert sheet(world, "moved_in", staff.OTHER_STREET).total == 0
    county = sheet(world, "moved_in", "330522")
    assert (county.rows, county.total) == (("太湖街道",), 13)
    assert list_places("330522") == (("330522003900", "陈塘村"),)


def test_a_few_are_withheld_with_what_would_give_them_away(world: Any) -> None:
    _, [unit, _] = stories.make_dwelling(world)
    settle(world, unit, births(1980, 6), hukou="341822")
    settle(world, unit, births(1981, 3), hukou="411522")
    settle(world, unit, births(1982, 20), hukou="522401")
    provinces = sheet(world, "provinces")
    assert provinces.rows == ("52", "34", "41")
    assert (provinces.cells, provinces.column_totals) == (((20,), (None,), (None,)), (29,))


def village(world: Any, division: str, name: str) -> str:
    home = Dwelling(id=new_id(), division=division, division_version="t", province="浙江省", city="湖州市",
                    county="长兴县", street="太湖街道", village=name, road="路", door_no="1号",
                    imported_at=world.clock.now())  # fmt: skip
    unit = Unit(id=new_id(), dwelling_id=home.id, public_number=f"U-{division[-4:]}", label="1室", space_kind="bedroom",
                usable_area_m2=15, capacity=2, created_at=world.clock.now())  # fmt: skip
    with transaction() as session:
        session.add(home)
        session.flush()
        session.add(unit)
    return unit.id


def test_the_sheet_of_a_village_is_not_subtracted_from_that_of_its_street(world: Any) -> None:
    one, two = village(world, "330522003901", "甲村"), village(world, "330522003902", "乙村")
    for unit, hukou, born in ((one, "341822", births(1990, 20)), (one, "411522", births(2015, 10)),
                              (two, "341822", births(1991, 12)), (two, "411522", births(2014, 2)),
                              (two, "522401", births(1950, 9))):  # fmt: skip
        settle(world, unit, born, hukou=hukou)
    while count_ages(world):
        pass
    for key, label, true in (("ages", "0_15", (12, 10, 2)), ("provinces", "41", (12, 10, 2))):
        shown = []
        for area in (STREET, "330522003901", "330522003902"):
            found = sheet(world, key, area)
            shown.append(found.cells[found.rows.index(label)][0])
        assert shown[2] is None and None in shown[:2], (key, shown, true)
    names = {area: sheet(world, "states", area).rows for area in (STREET, "330522003901")}
    assert names == {STREET: ("甲村", "乙村"), "330522003901": ("甲村",)}


def test_the_order_of_withheld_provinces_says_nothing_of_them(world: Any) -> None:
    _, [unit, _] = stories.make_dwelling(world)
    settle(world, unit, births(1980, 1), hukou="341822")
    settle(world, unit, births(1981, 2), hukou="411522")
    settle(world, unit, births(1982, 20), hukou="522401")
    provinces = sheet(world, "provinces")
    assert (provinces.rows, provinces.cells) == (("52", "34", "41"), ((20,), (None,), (None,)))


def test_the_median_of_a_withheld_number_of_reviews_is_withheld(world: Any) -> None:
    """Shown, it would say that there were five at least, and with the total how many there were in the other month."""
    story = stories.make_active(world)
    now = world.clock.now()
    with transaction() as session:
        officer = staff_id(world, session)
        for n, decided_at in enumerate([now] * 5 + [now - timedelta(days=31)]):
            session.add(
                Case(id=new_id(), reference=f"AJ-20261101-{n:04d}", kind="identity_review", area=STREET + "900",
                     office="x", unit_id=story.unit_id, opened_by="rule", opened_at=decided_at - timedelta(hours=9),
                     decided_at=decided_at, decided_by=officer)  # fmt: skip
            )
    reviews = sheet(world, "reviews")
    assert reviews.cells[-2:] == ((None, None), (None, None)) and reviews.column_totals == (6, None)


def test_what_lies_in_a_dwelling_that_is_gone_is_shown_with_its_village(world: Any) -> None:
    """Its people stand in the sums: a part that is not shown could be taken from them."""
    _, [unit, _] = stories.make_dwelling(world)
    gone = village(world, "330522003901", "甲村")
    settle(world, unit, births(1980, 9))
    settle(world, gone, births(1981, 6), residence="moved_out", moved_out_on=world.clock.today())
    with transaction() as session:
        home = session.scalars(select(Dwelling).where(Dwelling.division == "330522003901")).one()
        home.retired_on = world.clock.today()
    moved_in = sheet(world, "moved_in")
    assert (moved_in.rows, moved_in.row_totals, moved_in.total) == (("陈塘村", "甲村"), (9, 6), 15)
    assert sheet(world, "states").rows == ("陈塘村",)


def test_registered_and_overdue_are_counted(world: Any, clock: FixedClock) -> None:
    _, [unit, _] = stories.make_dwelling(world)
    settle(world, unit, births(1980, 8))
    undeclared = {"tenant_leg": "invited", "declared_at": None, "tenant_due_on": world.clock.today()}
    settle(world, unit, births(1981, 5), **undeclared)
    assert sheet(world, "states").cells == ((8, 0),)
    clock.move(timedelta(days=1))
    assert sheet(world, "states").cells == ((8, 5),)


def test_in_time_is_until_midnight_in_china_on_the_day_it_is_due(world: Any, clock: FixedClock) -> None:
    _, [unit, _] = stories.make_dwelling(world)
    due = date(2026, 11, 10)
    last_minute, too_late = datetime(2026, 11, 10, 15, 59, tzinfo=UTC), datetime(2026, 11, 10, 16, 0, tzinfo=UTC)
    settle(world, unit, births(1980, 6), tenant_due_on=due, declared_at=last_minute)
    settle(world, unit, births(1981, 5), tenant_due_on=due, declared_at=too_late)
    settle(world, unit, births(1982, 7), tenant_due_on=due, tenant_leg="invited", declared_at=None)
    found = sheet(world, "timeliness")
    assert found.cells[found.rows.index("2026-11")] == (6, 12)


def test_methods_and_reviews_are_counted_and_a_median_of_few_is_withheld(world: Any) -> None:
    story = stories.make_active(world)
    assert sheet(world, "methods").column_totals == (None,)  # one person, at the window
    now = world.clock.now()
    with transaction() as session:
        officer = staff_id(world, session)
        for n in range(6):
            session.add(
                Case(id=new_id(), reference=f"AJ-20261101-{n:04d}", kind="identity_review", area=STREET, office="x",
                     unit_id=story.unit_id, opened_by="rule", opened_at=now - timedelta(hours=10 + n), decided_at=now,
                     decided_by=officer)  # fmt: skip
            )
    reviews = sheet(world, "reviews")
    assert (reviews.cells[-1], reviews.cells[-2]) == ((6, 12), (0, None))
    assert reviews.is_blank(len(reviews.rows) - 2, 1) and not reviews.is_blank(len(reviews.rows) - 1, 1)


def staff_id(world: Any, session: Any) -> str:
    from backend.models.officers import Officer

    officer = session.scalar(select(Officer.id).limit(1))
    if officer is None:
        officer = new_id()
        session.add(Officer(id=officer, login="x", badge="P-X", display_name="x", office="x", role="reviewer",
                            area=STREET, totp_sealed=b"", created_at=world.clock.now()))  # fmt: skip
        session.flush()
    return str(officer)


def test_ages_are_counted_village_by_village_once_a_day_and_follow_who_leaves(world: Any, clock: FixedClock) -> None:
    _, [unit, other] = stories.make_dwelling(world)
    made = settle(world, unit, [*births(1990, 6), *births(1950, 5)])
    twice = db.session.get_one(Registration, made[0]).person_id
    with transaction() as session:
        session.add(Registration(id=new_id(), unit_id=other, person_id=twice, move_in_on=world.clock.today(),
                                 tenant_leg="declared", declared_at=world.clock.now(), created_at=world.clock.now(),
                                 updated_at=world.clock.now()))  # fmt: skip
    assert [count_ages(world), count_ages(world)] == [1, 0]
    ages = sheet(world, "ages")
    assert dict(zip(ages.rows, ages.column("people"), strict=True)) == {
        "0_15": 0, "16_24": 0, "25_44": 6, "45_59": 0, "60_up": 5,
    }  # fmt: skip
    with transaction() as session:
        for row in session.scalars(select(Registration)):
            row.residence, row.moved_out_on = "moved_out", world.clock.today()
    clock.move(timedelta(days=1))
    assert [count_ages(world), count_ages(world)] == [1, 0]
    assert set(db.session.scalars(select(AgeCount.people))) == {0}


def test_no_sheet_holds_a_small_number_or_a_name(world: Any) -> None:
    stories.make_active(world)
    count_ages(world)
    for found in list_sheets(STREET, world.clock.today()).values():
        totals = (*(found.row_totals or ()), *(found.column_totals or ()), found.total)
        counts = [n for row in found.cells for n in row] + list(totals)
        assert all(n is None or n == 0 or n >= 5 for n in counts), found
        assert "周来福" not in repr(found)


def test_a_headcount_needs_no_purpose_names_nobody_and_is_written_down_as_an_emergency(world: Any) -> None:
    story = stories.make_active(world)
    session_id = staff.make_session(world)
    count = count_building(world, session_id=session_id, dwelling_id=story.dwelling_id)
    assert [(unit.label, unit.registered) for unit in count.units] == [("101室", 1), ("102室", 0)]
    assert count.people == 1 and "周来福" not in repr(count)
    db.session.rollback()
    [leaf] = db.session.scalars(select(AuditLeaf).where(AuditLeaf.action == "building_counted"))
    assert (leaf.purpose, leaf.object_id, leaf.subject_id, leaf.actor_badge) == (
        "emergency", story.dwelling_id, None, count.badge,
    )  # fmt: skip


@pytest.mark.parametrize(("area", "code"), [(staff.OTHER_STREET, "area.foreign"), (STREET, "not_found")])
def test_a_headcount_elsewhere_is_refused_and_written_down(world: Any, area: str, code: str) -> None:
    story = stories.make_active(world)
    session_id = staff.make_session(world, area=area)
    asked = story.dwelling_id if code == "area.foreign" else new_id()
    with pytest.raises(Refused) as caught:
        count_building(world, session_id=session_id, dwelling_id=asked)
    assert caught.value.refusal.code == code
    db.session.rollback()
    written = list(db.session.scalars(select(AuditLeaf.decision).where(AuditLeaf.action == "refused")))
    assert written == (["area.foreign"] if code == "area.foreign" else [])


def test_the_public_figures_count_looks_by_purpose_and_stand_still_within_a_month(
    world: Any, clock: FixedClock
) -> None:
    story = stories.make_active(world)
    settle(world, story.unit_id, births(1980, 9))
    session_id = staff.make_session(world, purpose="visit")
    wide = replace(world, house=replace(world.house, person_reads_per_day=100))
    open_unit(wide, session_id=session_id, unit_id=story.unit_id)
    count_building(world, session_id=session_id, dwelling_id=story.dwelling_id)
    before = get_open_figures(world.clock.today())
    assert (before.people, before.looks) == (0, ())  # of the months before this one
    clock.move(timedelta(days=31))
    db.session.rollback()
    after = get_open_figures(world.clock.today())
    assert [(place.name, place.people) for place in after.places] == [("陈塘村", 10)] and after.people == 10
    looks = {row.purpose: row.by_month[-1] for row in after.looks}
    assert looks == {"visit": 11, "emergency": 1}  # ten who live there, and who lets the unit
    settle(world, story.unit_id, births(1985, 9))
    db.session.rollback()
    assert get_open_figures(world.clock.today()) == after
