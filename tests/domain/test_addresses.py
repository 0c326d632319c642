"""Rows of the address base, alone and against each other."""

from __future__ import annotations

from typing import Any

import pytest

from backend.domain.addresses import AddressRow, CheckedFile, check_file, place_of, read_address
from backend.domain.divisions import county_names
from backend.domain.refusals import Refusal, Refused
from backend.domain.spaces import SpaceStandard

CELLS = {
    "address_code": "3305220030001", "division": "330522003900", "street": "太湖街道", "village": "陈塘村",
    "road": "陈塘路", "door_no": "12号",
}  # fmt: skip
ROOM = {"unit": "101室", "space_kind": "卧室", "usable_area_m2": "12.5", "capacity": "2"}


def read(changes: dict[str, str], *, datum: str | None = None, per_head: float = 5.0) -> AddressRow:
    cells = {column: text for column, text in {**CELLS, **changes}.items() if text}
    return read_address(cells, division_version="2026", datum=datum, standard=SpaceStandard(area_per_head_m2=per_head))


def faults_of(changes: dict[str, str], **wishes: Any) -> list[tuple[str | None, str]]:
    with pytest.raises(Refused) as caught:
        read(changes, **wishes)
    return [(fault.field, fault.code) for fault in caught.value.refusals]


@pytest.mark.parametrize(
    ("changes", "faults"),
    [
        ({"road": "", "door_no": ""}, [("road", "input.missing"), ("door_no", "input.missing")]),
        ({"division": "33052200390"}, [("division", "address.division")]),
        ({"division": "330522000000"}, [("division", "address.division")]),
        ({"division": "999999003900"}, [("division", "address.division")]),
        ({"division": "３30522003900"}, [("division", "address.division")]),
        ({"address_code": "有空格 1"}, [("address_code", "address.code")]),
        ({"road": "长" * 61}, [("road", "input.length")]),
        ({"known_rental": "也许"}, [("known_rental", "address.yes_no")]),
        ({"longitude": "119.95", "latitude": "31.02"}, [("datum", "address.datum")]),
        ({"longitude": "119.95", "latitude": "31.02", "datum": "NAD27"}, [("datum", "address.datum")]),
        ({"longitude": "119.95", "datum": "WGS84"}, [("latitude", "address.coordinates")]),
        ({"longitude": "31.02", "latitude": "119.95", "datum": "WGS84"},
         [("longitude", "address.coordinates"), ("latitude", "address.coordinates")]),
        ({"longitude": "nan", "latitude": "1e1", "datum": "WGS84"},
         [("longitude", "address.coordinates"), ("latitude", "address.coordinates")]),
        ({"unit": "101室"},
         [("usable_area_m2", "input.missing"), ("capacity", "input.missing"), ("space_kind", "input.missing")]),
        ({**ROOM, "capacity": "1.5"}, [("capacity", "address.number")]),
        ({**ROOM, "usable_area_m2": "十二"}, [("usable_area_m2", "address.number")]),
        ({**ROOM, "space_kind": "厨房"}, [("space_kind", "unit.space")]),
        ({**ROOM, "space_kind": "地窖"}, [("space_kind", "input.not_one_of")]),
        ({**ROOM, "usable_area_m2": "9"}, [("capacity", "unit.capacity")]),
    ],
)  # fmt: skip
def test_all_faults_of_a_row_are_told_by_column(changes: dict[str, str], faults: list[tuple[str, str]]) -> None:
    assert faults_of(changes) == faults


def test_a_row_is_read_whole() -> None:
    row = read(
        {**ROOM, "door_no": "１２", "building": " 3 幢", "known_rental": "是", "longitude": "119.95",
         "latitude": "31.02", "datum": "国家2000", "space_kind": "Bedroom"}
    )  # fmt: skip
    assert row.place == ("330522003900", "陈塘路", "12号", "3幢")
    assert row.names == ("浙江省", "湖州市", "长兴县", "太湖街道", "陈塘村")
    assert row.point == (119.95, 31.02, "CGCS2000") and row.known_rental is True
    assert row.room is not None and (row.room.space_kind, row.room.capacity) == ("bedroom", 2)
    assert row.identity == ("3305220030001",) and read({"address_code": ""}).identity == row.place[:3] + ("",)


def test_the_local_standard_of_area_per_head_is_the_installations() -> None:
    assert faults_of(ROOM, per_head=8.0) == [("capacity", "unit.capacity")]
    assert read(ROOM, per_head=6.0).room is not None


def test_the_datum_of_the_file_stands_in_for_a_row_that_names_none() -> None:
    point = {"longitude": "119.95", "latitude": "31.02"}
    assert read(point, datum="GCJ02").point == (119.95, 31.02, "GCJ02")
    assert read({**point, "datum": "WGS84"}, datum="GCJ02").point == (119.95, 31.02, "WGS84")


RING = "[[119.95, 31.02], [119.9504, 31.02], [119.9504, 31.0202], [119.95, 31.02]]"


def test_an_outline_is_a_closed_ring_inside_china() -> None:
    where = {"longitude": "119.9502", "latitude": "31.0201", "datum": "CGCS2000"}
    found = read({**where, "outline": RING}).outline
    assert found is not None and len(found) == 4 and found[0] == found[-1] == (119.95, 31.02)
    open_ring, far = RING.replace("[119.95, 31.02]]", "[119.96, 31.02]]"), RING.replace("31.0202", "61.0")
    for odd in ("[]", "x", "[[1, 2]]", "[1, 2, 3, 4]", '{"a": 1}', "[[119.95]]", open_ring, far, "[" * 5000):
        with pytest.raises(Refused) as caught:
            read({**where, "outline": odd})
        assert caught.value.refusal.code == "address.outline", odd



@pytest.mark.parametrize(
    ("written", "kept"),
    [("12", "12号"), ("12-3", "12-3号"), ("甲12号", "甲12号"), (" 12 号 ", "12号"), ("１２号", "12号")],
)
def test_a_door_number_is_the_same_however_it_is_written(written: str, kept: str) -> None:
    assert place_of({**CELLS, "door_no": written})[2] == kept


def test_the_sample_villages_county_is_known_with_what_lies_above_it() -> None:
    assert county_names()["330522"] == ("浙江省", "湖州市", "长兴县")


def check(*rows: dict[str, str]) -> CheckedFile:
    def one(changes: dict[str, str]) -> AddressRow | list[Refusal]:
        try:
            return read(changes)
        except Refused as refused:
            return list(refused.refusals)

    return check_file(
        (number, one(changes), {k: v for k, v in {**CELLS, **changes}.items() if v})
        for number, changes in enumerate(rows, 2)
    )


def codes(checked: CheckedFile) -> dict[int, list[tuple[str, Any]]]:
    return {n: [(fault.code, fault.params.get("row")) for fault in faults] for n, faults in checked.faults.items()}


def test_a_dwelling_may_stand_in_several_rows_one_for_each_unit() -> None:
    checked = check(ROOM, {**ROOM, "unit": "102室"}, {"address_code": "X2", "door_no": "13"})
    assert codes(checked) == {} and set(checked.rows) == {2, 3, 4}
    assert checked.first == {("3305220030001",): 2, ("X2",): 4}


@pytest.mark.parametrize(
    ("second", "code"),
    [
        (ROOM, "address.duplicate"),
        ({**ROOM, "unit": "102室", "door_no": "13"}, "address.contradiction"),
        ({**ROOM, "unit": "102室", "known_rental": "是"}, "address.contradiction"),
        ({**ROOM, "unit": "102室", "address_code": "X2"}, "address.contradiction"),
        ({**ROOM, "unit": "102室", "address_code": ""}, "address.contradiction"),
    ],
)
def test_two_rows_must_not_say_the_same_or_the_opposite(second: dict[str, str], code: str) -> None:
    assert codes(check(ROOM, second)) == {3: [(code, 2)]}


def test_a_faulty_row_is_measured_by_nobody_but_still_names_its_dwelling() -> None:
    checked = check({**ROOM, "capacity": "viele"}, ROOM, {"address_code": "", "street": "", "door_no": "9"})
    assert set(checked.rows) == {3} and not checked.unreadable
    assert checked.speaks_of("3305220030001", ("330522003900", "别处", "1号", ""))
    assert checked.speaks_of(None, ("330522003900", "陈塘路", "9号", ""))
    assert checked.speaks_of("Z9", ("330522003900", "陈塘路", "9号", ""))
    assert not checked.speaks_of("Z9", ("330522003900", "陈塘路", "12号", ""))
    assert check({"address_code": "", "road": ""}).unreadable
