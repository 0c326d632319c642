"""The address base, version by version, and the way of an import: again, interrupted, rehearsed, stopped."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from backend.db import db, reading, transaction
from backend.domain.addresses import COLUMNS, REQUIRED
from backend.domain.refusals import Refused
from backend.gateways.table_files import Table, TableRow, read_table
from backend.models.audit import AuditLeaf
from backend.models.dwellings import AddressVersion, Dwelling
from backend.models.imports import ImportRow, ImportRun
from backend.models.units import Unit
from backend.queries import ledger
from backend.queries.address_base import list_base, list_versions
from backend.queries.dwellings import search_dwellings
from backend.queries.imports import RunView, get_run, list_rows
from backend.services import addresses, imports
from backend.services.addresses import import_addresses
from backend.services.audit import Actor
from backend.services.imports import RowResult, cancel_run
from backend.services.units import add_unit, claim_unit
from tests.services import stories

OPERATOR = Actor("operator")
HEAD = "地址编码,区划代码,街道,村,道路,门牌号,出租房,房间,空间种类,使用面积,可住人数\n"


def line(code: str, door: int | str, room: str = "", *, area: int = 12, village: str = "330522003900") -> str:
    unit = f"{room},卧室,{area},2" if room else ",,,"
    return f"{code},{village},太湖街道,陈塘村,陈塘路,{door},是,{unit}\n"


def table_of(*lines: str) -> Table:
    return read_table("base.csv", (HEAD + "".join(lines)).encode(), COLUMNS, required=REQUIRED)


def take(world: Any, *lines: str, **wishes: Any) -> RunView:
    return import_addresses(world, table=table_of(*lines), actor=OPERATOR, **wishes)


def counts(run: RunView) -> dict[str, int]:
    return {name: count for name, count in run.counts.items() if count}


def base() -> list[tuple[Any, ...]]:
    """All that the base holds, without the times."""
    with reading() as session:
        homes = session.scalars(select(Dwelling).order_by(Dwelling.id)).all()
        units = session.scalars(select(Unit).order_by(Unit.id)).all()
        return [
            *((d.id, d.address_code, d.road, d.door_no, d.former_address, d.known_rental, d.seen_version, d.retired_on)
              for d in homes),
            *((u.id, u.dwelling_id, u.label, u.usable_area_m2, u.capacity, u.public_number) for u in units),
        ]  # fmt: skip


def test_a_file_becomes_a_version_and_the_same_file_again_changes_nothing(core: Any, world: Any) -> None:
    lines = (line("A1", 1, "101室"), line("A1", 1, "102室"), line("A2", 2), line("A3", 3, "101室", area=3))
    run = take(world, *lines)
    assert (run.state, run.done, counts(run)) == ("done", 4, {"new": 3, "failed": 1})
    failed = list_rows(run.id, outcomes=("failed",))[0]
    assert (failed.number, failed.errors[0].field, failed.errors[0].code) == (5, "capacity", "unit.capacity")
    before = base()
    again = take(world, *lines)
    assert counts(again) == {"same": 3, "failed": 1} and base() == before
    assert [version.number for version in list_versions()] == [1]
    assert [(row.address, row.units, row.version) for row in list_base("3305")] == [
        ("陈塘村陈塘路1号", 2, 1), ("陈塘村陈塘路2号", 0, 1),
    ]  # fmt: skip
    with reading() as session:
        leaves = session.scalars(select(AuditLeaf).where(AuditLeaf.action == "import.address")).all()
        assert [leaf.object_id for leaf in leaves] == [run.id, again.id]


def test_a_renumbered_dwelling_keeps_its_units_even_when_two_change_places(core: Any, world: Any) -> None:
    take(world, line("A1", 1, "101室"), line("A2", 2, "201室"))
    units = {row[0]: row[1] for row in base() if len(row) == 6}
    run = take(world, line("A1", 2, "101室"), line("A2", 1, "201室"))
    assert counts(run) == {"renumbered": 2}
    assert {row[0]: row[1] for row in base() if len(row) == 6} == units
    found = {row.address_code: (row.address, row.former_address, row.version) for row in list_base()}
    assert found == {"A1": ("陈塘村陈塘路2号", "陈塘村陈塘路1号", 2), "A2": ("陈塘村陈塘路1号", "陈塘村陈塘路2号", 2)}


def test_a_dwelling_that_is_gone_is_marked_and_one_that_is_lived_in_stays(core: Any, world: Any) -> None:
    story = stories.make_declared(world)  # at door 1, in a dwelling that came without a code
    first = take(world, line("A1", 1), line("A2", 2, "101室"), line("B1", 1, village="330522003901"))
    assert counts(first) == {"changed": 1, "new": 2}
    with reading() as session:
        homes = {home.address_code: home.id for home in session.scalars(select(Dwelling))}
    assert homes["A1"] == story.dwelling_id
    run = take(world, line("A3", 2))
    assert counts(run) == {"new": 1, "retired": 1, "kept": 1}, "A3 takes the door of A2; the other village is not in it"
    told = {row.object_id: (row.outcome, [fault.code for fault in row.errors]) for row in list_rows(run.id)}
    assert told[homes["A1"]] == ("kept", ["address.lived_in"]) and told[homes["A2"]] == ("retired", [])
    assert [row.address_code for row in list_base(retired=True)] == ["A2"]
    assert homes["A2"] not in {view.id for view in search_dwellings("陈塘路")}
    with pytest.raises(Refused, match=r"dwelling\.retired"):
        add_unit(world, account_id=story.landlord, dwelling_id=homes["A2"], label="1", space_kind="bedroom",
                 usable_area_m2=12, capacity=1, right_kind="owner", evidence="不动产权证书")  # fmt: skip
    blocked = take(world, line("A3", 2), line("A4", 1))
    assert counts(blocked) == {"same": 1, "failed": 1, "kept": 1}, "the house that stays keeps its door"
    back = take(world, line("A1", 1), line("A2", 5), line("A3", 2))
    assert counts(back) == {"same": 2, "renumbered": 1} and not list_base(retired=True)


def test_a_unit_that_a_landlord_has_enrolled_is_not_changed_and_that_is_said(core: Any, world: Any) -> None:
    take(world, line("A1", 1, "101室"), line("A1", 1, "102室"))
    with reading() as session:
        unit_id = session.scalar(select(Unit.id).where(Unit.label == "101室"))
    claim_unit(
        world,
        account_id=stories.make_landlord(world),
        unit_id=str(unit_id),
        right_kind="owner",
        evidence="不动产权证书",
    )
    run = take(world, line("A1", 1, "101室", area=20), line("A1", 1, "102室", area=20))
    assert counts(run) == {"changed": 1, "same": 1}
    assert [fault.code for fault in list_rows(run.id)[0].errors] == ["address.unit_claimed"]


def test_nothing_is_retired_while_a_row_cannot_be_read(core: Any, world: Any) -> None:
    take(world, line("A1", 1), line("A2", 2))
    assert counts(take(world, line("A1", 1), ",330522003900,太湖街道,陈塘村,,,,,,,\n")) == {"same": 1, "failed": 1}
    assert not list_base(retired=True)


def test_a_rehearsal_says_what_then_happens_and_writes_only_its_run(core: Any, world: Any) -> None:
    take(world, line("A1", 1, "101室"), line("A2", 2, "101室"), line("A9", 9))
    before = base()
    lines = (line("A1", 2, "101室"), line("A1", 2, "102室"), line("A2", 1, "101室", area=14), line("A3", 9, "1"),
             line("A3", 9, "1"), line("A4", 4), line("A3", 9, "2"))  # fmt: skip
    rehearsal = take(world, *lines, dry_run=True)
    assert base() == before and [version.number for version in list_versions()] == [1]
    real = take(world, *lines)
    assert rehearsal.counts == real.counts
    assert [(r.number, r.outcome) for r in list_rows(rehearsal.id)] == [
        (r.number, r.outcome) for r in list_rows(real.id)
    ]


class _Killed(BaseException):
    """Stands for the end of the process in the middle of a run."""


def test_a_killed_run_goes_on_where_it_stopped_and_its_progress_could_be_seen(
    core: Any, world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "ROWS_PER_UNIT", 2)
    lines = [line(f"A{n}", n, "101室") for n in range(1, 8)]
    take(world, line("A0", 99))
    seen: list[int] = []

    def kill(run: RunView) -> None:
        seen.append(get_run(run.id).done)
        if len(seen) == 2:
            raise _Killed

    with pytest.raises(_Killed):
        take(world, *lines, tell=kill)
    assert seen == [2, 4] and len(list_base(retired=False)) == 4
    applied: list[int] = []
    apply = addresses.AddressImporter.apply

    def spy(self: Any, world: Any, session: Any, run: Any, row: TableRow) -> RowResult:
        applied.append(row.number)
        return apply(self, world, session, run, row)

    monkeypatch.setattr(addresses.AddressImporter, "apply", spy)
    run = take(world, *lines)
    assert applied == [6, 7, 8]
    assert (run.state, run.done, counts(run)) == ("done", 7, {"new": 7, "retired": 1})
    with reading() as session:
        assert len(session.scalars(select(ImportRun)).all()) == 2
        assert session.get_one(AddressVersion, 2).run_id == run.id


def test_a_row_that_fails_leaves_nothing_of_itself_and_the_others_stay(
    core: Any, world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    take(world, line("A1", 1, "101室"))
    with reading() as session:
        taken = session.scalar(select(Unit.public_number))
    monkeypatch.setattr(addresses, "make_public_number", lambda: taken)  # the database refuses the second of it
    run = take(world, line("A1", 1), line("A2", 2, "201室"), line("A3", 3))
    assert counts(run) == {"same": 1, "failed": 1, "new": 1}
    assert [row.address_code for row in list_base()] == ["A1", "A3"]


def test_a_run_stops_when_it_is_cancelled_and_a_newer_file_takes_over(
    core: Any, world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "ROWS_PER_UNIT", 1)

    def stop(run: RunView) -> None:
        cancel_run(world, run_id=run.id)

    run = take(world, line("A1", 1), line("A2", 2), tell=stop)
    assert (run.state, run.done) == ("cancelled", 1)
    with pytest.raises(Refused, match=r"import\.finished"):
        cancel_run(world, run_id=run.id)

    def newer(_: RunView) -> None:
        assert take(world, line("A7", 7)).state == "done"

    assert take(world, line("A5", 5), line("A6", 6), tell=newer).state == "cancelled"


def test_version_numbers_only_grow(core: Any, world: Any) -> None:
    assert take(world, line("A1", 1), version=5).state == "done"
    with pytest.raises(Refused, match=r"address\.version"):
        take(world, line("A1", 2), version=5)
    with reading() as session:
        assert session.scalar(select(ImportRun.fault).where(ImportRun.state == "failed")) == "address.version"
    take(world, line("A1", 2))
    assert [version.number for version in list_versions()] == [6, 5]


def test_what_stood_in_a_cell_is_kept_nowhere_beside_the_base(core: Any, world: Any) -> None:
    run = take(world, line("秘密 1", 1, "张三的房间" * 8), line("A2", "二号" * 40))
    with reading() as session:
        rows = session.scalars(select(ImportRow).where(ImportRow.run_id == run.id)).all()
        kept = "".join(str(row.errors) for row in rows)
    assert len(rows) == 2 and "秘密" not in kept and "张三" not in kept and "二号" not in kept


@pytest.mark.parametrize("turned", [False, True])
def test_a_house_that_moves_away_is_not_taken_for_the_one_that_comes_without_a_code(
    core: Any, world: Any, turned: bool
) -> None:
    take(world, line("", 4))
    take(world, line("A1", 4, "101室"))  # the same house, now with a code
    take(world, line("A1", 4, "101室"), line("", 5))
    lines = [line("", 4), line("A1", 1, "101室"), line("", 5)]
    if turned:
        lines.reverse()
    rehearsal, first = take(world, *lines, dry_run=True), take(world, *lines)
    assert counts(rehearsal) == counts(first) == {"new": 1, "renumbered": 1, "same": 1}
    before = base()
    assert counts(take(world, *lines)) == {"same": 3} and base() == before


ROWS = st.lists(
    st.builds(
        line,
        st.sampled_from(["", "A1", "A2", "A3", "b ad"]),
        st.sampled_from([1, 2, 3, "", "4号"]),
        st.sampled_from(["", "101室", "102室"]),
        area=st.sampled_from([12, 20, 3]),
        village=st.sampled_from(["330522003900", "330522003901"]),
    ),
    min_size=1,
    max_size=6,
)


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(lines=ROWS)
def test_whatever_the_file_and_the_base_before_a_second_time_changes_nothing(
    core: Any, world: Any, lines: list[str]
) -> None:
    rehearsal = take(world, *lines, dry_run=True)
    first = take(world, *lines)
    assert rehearsal.counts == first.counts
    before = base()
    second = take(world, *lines)
    assert base() == before
    assert second.counts["failed"] == first.counts["failed"]
    assert not any(second.counts[name] for name in ("new", "changed", "renumbered", "retired"))
    with transaction() as session:  # no two dwellings in force share a door
        doors = session.execute(
            select(Dwelling.division, Dwelling.road, Dwelling.door_no).where(Dwelling.retired_on.is_(None))
        ).all()
    assert len(set(doors)) == len(doors)
    db.session.remove()


def test_a_geojson_base_brings_outlines_that_the_ledger_shows_with_their_datum(core: Any, world: Any) -> None:
    ring = [[119.95, 31.02], [119.9504, 31.02], [119.9504, 31.0202], [119.95, 31.02]]
    said = {"address_code": "G1", "division": "330522003900", "street": "太湖街道", "village": "陈塘村",
            "road": "陈塘路", "door_no": "7"}  # fmt: skip
    feature = {"type": "Feature", "properties": said, "geometry": {"type": "Polygon", "coordinates": [ring]}}

    def bring(*features: dict[str, Any]) -> Any:
        document = json.dumps({"type": "FeatureCollection", "features": features}).encode()
        table = read_table("base.geojson", document, COLUMNS, required=REQUIRED)
        assert set(counts(import_addresses(world, table=table, actor=OPERATOR))) <= {"new", "changed"}
        db.session.rollback()
        [row] = ledger.list_dwellings("330522003", world.clock.today())
        return row.place

    place = bring(feature)
    assert (place.longitude, place.latitude, place.datum) == (119.9502, 31.0201, "WGS84")
    assert place.outline == tuple(map(tuple, ring))
    again = bring({**feature, "geometry": {"type": "Point", "coordinates": [119.9503, 31.0201]}})
    assert (again.longitude, again.outline) == (119.9503, None)
