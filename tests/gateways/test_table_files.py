"""Tables that people bring: what is read, and what is refused with what sentence."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import date, datetime
from typing import Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.domain.refusals import Refused
from backend.gateways.table_files import Limits, read_table

NAMES = {
    "road": ("道路", "Road"),
    "door_no": ("门牌号", "Door number"),
    "starts_on": ("开始日期", "Starts on"),
    "number": ("证件号码", "Document number"),
}
GEO_NAMES = {**NAMES, "longitude": ("经度",), "latitude": ("纬度",), "datum": ("坐标系",)}
HEADER = "道路,门牌号,开始日期\n"


def rows_of(content: bytes, **wishes: Any) -> list[dict[str, str]]:
    return [row.cells for row in read_table("a.csv", content, NAMES, dates=("starts_on",), **wishes).rows]


def workbook(rows: list[list[Any]], *, hidden_first: bool = False) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    if hidden_first:
        sheet.sheet_state = "hidden"
        sheet = book.create_sheet("数据")
    for row in rows:
        sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def refusal_of(content: bytes, name: str = "a.csv", **wishes: Any) -> str:
    with pytest.raises(Refused) as caught:
        read_table(name, content, NAMES, **wishes)
    assert caught.value.refusal.field == "file"
    assert "…" not in caught.value.refusal.sentence("zh") + caught.value.refusal.remedy("en")
    return caught.value.refusal.code


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_csv_is_read_in_the_encodings_offices_use(encoding: str) -> None:
    content = (HEADER + "陈塘路,12号,2026/1/5\n").encode(encoding)
    assert rows_of(content) == [{"road": "陈塘路", "door_no": "12号", "starts_on": "2026-01-05"}]


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_csv_is_read_with_the_separator_it_has(mark: str) -> None:
    content = (HEADER + '"陈塘\n路",12号,2026年1月5日\n').replace(",", mark).encode()
    assert rows_of(content) == [{"road": "陈塘 路", "door_no": "12号", "starts_on": "2026-01-05"}]


def test_a_title_may_stand_above_the_names_and_blank_rows_between() -> None:
    table = read_table("a.csv", ("地址库 2026\n\n道路*,备注,Door number\n\n甲路,密,1号\n,,\n".encode()), NAMES)
    assert [(row.number, row.cells) for row in table.rows] == [(5, {"road": "甲路", "door_no": "1号"})]
    assert table.columns == ("road", "door_no") and table.unknown == ("备注",)


def test_a_row_with_a_cell_too_many_is_faulty_and_the_others_are_not() -> None:
    table = read_table("a.csv", (HEADER + "甲路,1号,2026-01-05,多\n乙路,2号,\n").encode(), NAMES)
    assert [row.fault for row in table.rows] == [(None, "table.ragged"), None]


def test_a_workbook_gives_text_days_and_values_of_formulas() -> None:
    content = workbook(
        [["道路", "门牌号", "开始日期", "证件号码"],
         ["甲路", 12, date(2026, 1, 5), "330522199001010001"],
         ["乙路", 3.5, datetime(2026, 2, 1), 330522199001010001],  # noqa: DTZ001 - a sheet has no zone
         ["丙路", "#N/A", "2026年2月3日", True]], hidden_first=True,
    )  # fmt: skip
    rows = read_table("a.xlsx", content, NAMES, dates=("starts_on",)).rows
    assert rows[0].cells == {
        "road": "甲路", "door_no": "12", "starts_on": "2026-01-05", "number": "330522199001010001"
    }  # fmt: skip
    assert rows[1].fault == ("number", "table.long_number") and "number" not in rows[1].cells
    assert rows[2].fault == ("door_no", "table.error_cell")
    assert rows[2].cells["starts_on"] == "2026-02-03"


def test_a_formula_counts_by_its_value_and_never_by_its_text() -> None:
    content = workbook([["道路", "门牌号"], ["甲路", "=1+1"]])
    cached = _rewrite(content, "xl/worksheets/sheet1.xml", b"<v />", b"<v>2</v>", b"<v></v>")
    assert [row.cells for row in read_table("a.xlsx", cached, NAMES).rows] == [{"road": "甲路", "door_no": "2"}]


def _rewrite(content: bytes, part: str, new_of: bytes, new: bytes, also: bytes = b"\0") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w") as made:
        for entry in old.infolist():
            data = old.read(entry)
            if entry.filename == part:
                assert new_of in data or also in data
                data = data.replace(new_of, new).replace(also, new)
            made.writestr(entry.filename, data)
    return out.getvalue()


def test_an_entity_bomb_is_refused_before_it_unpacks() -> None:
    bomb = b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><worksheet '
    content = _rewrite(workbook([["道路"], ["甲路"]]), "xl/worksheets/sheet1.xml", b"<worksheet ", bomb)
    assert refusal_of(content, "a.xlsx") == "table.broken"


def test_an_archive_that_unpacks_to_too_much_is_refused_unopened() -> None:
    small = Limits(unpacked=1000)
    assert refusal_of(workbook([["道路"], ["甲路"]]), "a.xlsx", limits=small) == "table.too_large"


def test_too_many_rows_or_bytes_are_refused() -> None:
    two = Limits(rows=2)
    assert refusal_of((HEADER + "甲路,1号,\n" * 3).encode(), limits=two) == "table.too_large"
    assert refusal_of(workbook([["道路"], *[["甲路"]] * 3]), "a.xlsx", limits=two) == "table.too_large"
    assert refusal_of(HEADER.encode(), limits=Limits(bytes=10)) == "table.too_large"
    features = [{"type": "Feature", "properties": {}}] * 3
    content = json.dumps({"type": "FeatureCollection", "features": features}).encode()
    assert refusal_of(content, limits=two) == "table.too_large"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "table.no_header"),
        (b"a,b\n1,2\n", "table.no_header"),
        (HEADER.encode(), "table.empty"),
        ("道路,Road\n甲,乙\n".encode(), "table.double_column"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "table.kind"),
        (bytes.fromhex("d0cf11e0a1b11ae1") + b"xls", "table.old_excel"),
        (b"PK\x03\x04 not an archive", "table.broken"),
        ((HEADER + '"甲路,1号\n').encode(), "table.broken"),
        (HEADER.encode("gb18030") + b"\xff\xff,\n", "table.encoding"),
        (b"\xef\xbb\xbf" + HEADER.encode() + b"\xff\n", "table.encoding"),
        (b'{"type": "Feature"}', "table.broken"),
        (b'{"type": "FeatureCollection", "features": [', "table.broken"),
        (b'{"a":' + b"[" * 100_000, "table.broken"),
        (b'{"type": "FeatureCollection", "features": [7]}', "table.broken"),
        (b'{"type": "FeatureCollection", "features": [{"properties": {"road": {}}}]}', "table.broken"),
    ],
)  # fmt: skip
def test_a_file_of_no_use_is_refused_with_one_reason(content: bytes, code: str) -> None:
    assert refusal_of(content) == code


def test_a_zip_that_is_no_workbook_is_refused() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("readme.txt", "hello")
    assert refusal_of(out.getvalue(), "a.zip") == "table.kind"


def test_a_missing_column_is_named() -> None:
    with pytest.raises(Refused) as caught:
        read_table("a.csv", "道路\n甲路\n".encode(), NAMES, required=("road", "door_no"))
    assert "门牌号" in caught.value.refusal.sentence("zh")
    assert caught.value.refusal.allowed == ("门牌号", "Door number")


def test_features_become_rows_with_their_point_and_datum() -> None:
    feature = {
        "type": "Feature",
        "properties": {"道路": "甲路", "door_no": 12.0, "户主": "不读", "number": None},
        "geometry": {"type": "Point", "coordinates": [119.95, 31.02, 5]},
    }
    document: dict[str, Any] = {"type": "FeatureCollection", "features": [feature]}
    table = read_table("a.geojson", json.dumps(document).encode(), GEO_NAMES)
    assert table.rows[0].cells == {
        "road": "甲路", "door_no": "12", "longitude": "119.95", "latitude": "31.02", "datum": "WGS84"
    }  # fmt: skip
    assert table.unknown == ("户主",)
    document["crs"] = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::4490"}}
    assert read_table("a.geojson", json.dumps(document).encode(), GEO_NAMES).rows[0].cells["datum"] == "CGCS2000"


def test_an_outline_is_kept_with_the_middle_of_its_extent() -> None:
    ring = [[119.95, 31.02], [119.9504, 31.02], [119.9504, 31.0202], [119.95, 31.02]]
    document: dict[str, Any] = {"type": "FeatureCollection", "features": [
        {"type": "Feature", "properties": {"道路": "甲路"}, "geometry": {"type": "Polygon", "coordinates": [ring]}},
    ]}  # fmt: skip
    cells = read_table("a.geojson", json.dumps(document).encode(), GEO_NAMES).rows[0].cells
    assert (cells["longitude"], cells["latitude"], json.loads(cells["outline"])) == ("119.9502", "31.0201", ring)
    for odd in ([], [[]], [["119", "31"]], [[[119.95]]], [[[True, False]]]):
        document["features"][0]["geometry"]["coordinates"] = odd
        with pytest.raises(Refused, match=r"table\.broken"):
            read_table("a.geojson", json.dumps(document).encode(), GEO_NAMES)


@given(st.binary(max_size=400))
def test_whatever_the_bytes_there_is_a_table_or_one_refusal(content: bytes) -> None:
    for prefix in (b"", HEADER.encode(), b"PK\x03\x04", b'{"type":'):
        try:
            read_table("a", prefix + content, NAMES)
        except Refused as refused:
            assert len(refused.refusals) == 1
