"""Rows of an address base: what each column may hold, and what the rows of one file must not say against each other."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from backend.domain.divisions import county_names
from backend.domain.refusals import Refusal, Refused
from backend.domain.spaces import SPACE_NAMES, SpaceStandard, find_space_faults

DATUMS = ("CGCS2000", "WGS84", "GCJ02")
COLUMNS: dict[str, tuple[str, ...]] = {
    "address_code": ("地址编码", "标准地址编码", "Address code"),
    "division": ("区划代码", "村社区代码", "行政区划代码", "Division", "Division code"),
    "division_version": ("区划版本", "Division version"),
    "province": ("省", "省份", "Province"),
    "city": ("市", "地市", "City"),
    "county": ("县", "区县", "县区", "County"),
    "street": ("乡镇街道", "街道", "乡镇", "Street", "Town"),
    "village": ("村", "村社区", "社区", "Village", "Community"),
    "road": ("道路", "路", "街路巷", "Road"),
    "door_no": ("门牌号", "门牌", "Door number", "Door no"),
    "building": ("楼栋", "幢", "Building"),
    "known_rental": ("出租房", "是否出租", "Known rental", "Rental"),
    "longitude": ("经度", "Longitude", "lon", "lng"),
    "latitude": ("纬度", "Latitude", "lat"),
    "datum": ("坐标系", "Datum"),
    "outline": ("轮廓", "Outline"),
    "unit": ("房间", "单元", "房号", "Unit", "Room"),
    "space_kind": ("空间种类", "房间种类", "Space kind"),
    "usable_area_m2": ("使用面积", "面积", "Usable area", "Area"),
    "capacity": ("可住人数", "核定人数", "Capacity"),
}
REQUIRED = ("division", "street", "village", "road", "door_no")
_LENGTHS = {"road": 60, "door_no": 30, "building": 60, "street": 60, "village": 60, "division_version": 40}
_YES, _NO = ("是", "有", "y", "yes", "true", "1", "√"), ("否", "无", "n", "no", "false", "0", "×", "x")
_DATUM_SPELLINGS = {
    "国家2000": "CGCS2000",
    "火星": "GCJ02",
    "GCJ-02": "GCJ02",
    "WGS-84": "WGS84",
    "CGCS-2000": "CGCS2000",
}
_CODE = re.compile(r"[0-9A-Za-z-]{1,40}")
_CHINA = ((73.0, 136.0), (3.0, 54.0))
Place = tuple[str, str, str, str]  # division, road, door number, building
Outline = tuple[tuple[float, float], ...]
_CORNERS = (4, 200)  # of an outline, the closing one included: a triangle at least, a building at most


@dataclass(frozen=True)
class RoomRow:
    """A unit as the base lists it."""

    label: str
    space_kind: str
    usable_area_m2: float
    capacity: int


@dataclass(frozen=True)
class AddressRow:
    """One row that may be applied: a dwelling, and a unit of it where one is listed.

    `known_rental` is None where the file does not say; `point` is (longitude, latitude, datum) or None;
    `outline` a closed ring of (longitude, latitude) in the same datum, or None.
    """

    code: str | None
    place: Place
    division_version: str
    names: tuple[str, str, str, str, str]  # province, city, county, street, village
    known_rental: bool | None
    point: tuple[float, float, str] | None
    outline: Outline | None
    room: RoomRow | None

    @property
    def identity(self) -> tuple[str, ...]:
        """What the base knows the dwelling by: its code, else its address."""
        return (self.code,) if self.code else self.place


@dataclass
class CheckedFile:
    """The rows of a file after they were read against each other.

    `rows` may be applied, `faults` say why the others may not. `first` names the first row of each dwelling.
    `codes`, `places` and `places_without_code` are what the file speaks of, faulty rows included as far as they can be
    read; `unreadable` tells that a faulty row does not even say which dwelling it is about.
    """

    rows: dict[int, AddressRow] = field(default_factory=dict)
    faults: dict[int, list[Refusal]] = field(default_factory=dict)
    first: dict[tuple[str, ...], int] = field(default_factory=dict)
    codes: set[str] = field(default_factory=set)
    places: set[Place] = field(default_factory=set)
    places_without_code: set[Place] = field(default_factory=set)
    unreadable: bool = False

    def speaks_of(self, code: str | None, place: Place) -> bool:
        """Whether the file names a dwelling of the base: by its code, else by its address."""
        if code is None:
            return place in self.places
        return code in self.codes or place in self.places_without_code

    def note(self, cells: Mapping[str, str]) -> None:
        """Take down which dwelling a row is about, whatever its faults."""
        code = cells.get("address_code")
        whole = all(cells.get(column) for column in ("division", "road", "door_no"))
        if code:
            self.codes.add(code)
        if whole:
            self.places.add(place_of(cells))
        if whole and not code:
            self.places_without_code.add(place_of(cells))
        self.unreadable |= not code and not whole


def read_address(
    cells: Mapping[str, str], *, division_version: str, datum: str | None, standard: SpaceStandard
) -> AddressRow:
    """One row by its columns; `datum` stands in where the row names none. Raises Refused with all faults."""
    faults: list[Refusal] = [Refusal("input.missing", column) for column in REQUIRED if not cells.get(column)]
    for column, most in _LENGTHS.items():
        if len(cells.get(column, "")) > most:
            faults.append(Refusal("input.length", column, {"least": 1, "most": most}))
    code = cells.get("address_code") or None
    if code is not None and not _CODE.fullmatch(code):
        faults.append(Refusal("address.code", "address_code"))
    division = cells.get("division", "")
    if division and not is_division(division):
        faults.append(Refusal("address.division", "division"))
    point = _read_point(cells, datum, faults)
    outline = _read_outline(cells.get("outline", ""), faults)
    room = _read_room(cells, standard, faults)
    rental = _read_yes_no(cells, "known_rental", faults)
    if faults:
        raise Refused.of(faults)
    above = county_names()[division[:6]]
    names = [cells.get(column) or known for column, known in zip(("province", "city", "county"), above, strict=True)]
    version = cells.get("division_version") or division_version
    place = place_of(cells)
    return AddressRow(
        code, place, version, (names[0], names[1], names[2], cells["street"], cells["village"]), rental, point,
        outline, room,
    )  # fmt: skip


def is_division(code: str) -> bool:
    """Whether this is a village's or community's code: 12 digits, not all of the last six nought, in a known county."""
    return re.fullmatch(r"\d{12}", code) is not None and code[6:] != "000000" and code[:6] in county_names()


def place_of(cells: Mapping[str, str]) -> Place:
    """The address as a key: widths made equal, blanks gone, a bare number made a door number."""
    road, door, building = (_narrow(cells.get(column, "")) for column in ("road", "door_no", "building"))
    if re.fullmatch(r"\d+(-\d+)*", door):
        door += "号"
    return cells.get("division", ""), road, door, building


def _narrow(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).split())


def check_file(rows: Iterable[tuple[int, AddressRow | list[Refusal], Mapping[str, str]]]) -> CheckedFile:
    """Read the rows of a file against each other: (number, the row or its faults, its cells).

    The same dwelling may stand in several rows, one for each unit; nothing may stand there twice, and rows about one
    dwelling agree in everything else. A faulty row is not measured against.
    """
    checked = CheckedFile()
    at_place: dict[Place, int] = {}
    rooms: dict[tuple[tuple[str, ...], str], int] = {}
    for number, row, cells in rows:
        checked.note(cells)
        if not isinstance(row, AddressRow):
            checked.faults[number] = row
            continue
        label = row.room.label if row.room else ""
        earlier = (checked.first.get(row.identity), at_place.get(row.place))
        against = next((n for n in earlier if n is not None and _differs(checked.rows[n], row)), None)
        twice = rooms.get((row.identity, label))
        if against is not None:
            checked.faults[number] = [Refusal("address.contradiction", "address_code", {"row": against})]
        elif twice is not None:
            checked.faults[number] = [Refusal("address.duplicate", "unit" if label else "door_no", {"row": twice})]
        else:
            checked.rows[number] = row
            checked.first.setdefault(row.identity, number)
            at_place.setdefault(row.place, number)
            rooms[row.identity, label] = number
    return checked


def _differs(one: AddressRow, other: AddressRow) -> bool:
    return (one.code, one.place, one.division_version, one.names, one.known_rental, one.point, one.outline) != (
        other.code, other.place, other.division_version, other.names, other.known_rental, other.point, other.outline,
    )  # fmt: skip


def _read_point(cells: Mapping[str, str], datum: str | None, faults: list[Refusal]) -> tuple[float, float, str] | None:
    texts = [cells.get(column) for column in ("longitude", "latitude")]
    if not any(texts):
        return None
    numbers = [_number(text or "") for text in texts]
    for column, number, (least, most) in zip(("longitude", "latitude"), numbers, _CHINA, strict=True):
        if number is None or not least <= number <= most:
            faults.append(Refusal("address.coordinates", column))
    named = cells.get("datum") or datum or ""
    named = _DATUM_SPELLINGS.get(named.upper(), named.upper())
    if named not in DATUMS:
        faults.append(Refusal("address.datum", "datum", allowed=DATUMS))
    longitude, latitude = numbers
    return None if longitude is None or latitude is None else (round(longitude, 7), round(latitude, 7), named)


def _read_outline(text: str, faults: list[Refusal]) -> Outline | None:
    """A ring as GeoJSON writes it: `[[119.95, 31.02], …]`, its last corner the first one again."""
    if not text:
        return None
    try:
        ring = tuple((round(float(east), 7), round(float(north), 7)) for east, north in json.loads(text))
    except (ValueError, TypeError, OverflowError, RecursionError):
        ring = ()
    (west, east), (south, north) = _CHINA
    inside = all(west <= corner[0] <= east and south <= corner[1] <= north for corner in ring)
    if not _CORNERS[0] <= len(ring) <= _CORNERS[1] or ring[0] != ring[-1] or not inside:
        faults.append(Refusal("address.outline", "outline"))
        return None
    return ring


def _read_room(cells: Mapping[str, str], standard: SpaceStandard, faults: list[Refusal]) -> RoomRow | None:
    label = cells.get("unit", "")
    if not label:
        return None
    if len(label) > 30:
        faults.append(Refusal("input.length", "unit", {"least": 1, "most": 30}))
    kinds = {zh: code for code, (zh, _) in SPACE_NAMES.items()} | {en: code for code, (_, en) in SPACE_NAMES.items()}
    said = cells.get("space_kind", "")
    kind = kinds.get(said, said)
    area, capacity = _number(cells.get("usable_area_m2", "")), _number(cells.get("capacity", ""))
    missing = False
    for column, number in (("usable_area_m2", area), ("capacity", capacity)):
        if number is None or column == "capacity" and number != int(number):
            faults.append(Refusal("address.number" if cells.get(column) else "input.missing", column))
            missing = True
    if not said:
        faults.append(Refusal("input.missing", "space_kind"))
        missing = True
    if missing or area is None or capacity is None:
        return None
    faults.extend(find_space_faults(kind, area, int(capacity), standard))
    return RoomRow(label, kind, area, int(capacity))


def _read_yes_no(cells: Mapping[str, str], column: str, faults: list[Refusal]) -> bool | None:
    said = cells.get(column, "").lower()
    if not said:
        return None
    if said not in _YES + _NO:
        faults.append(Refusal("address.yes_no", column))
    return said in _YES


def _number(text: str) -> float | None:
    """A plain decimal number in whatever width; no exponent, no sign but minus."""
    narrow = unicodedata.normalize("NFKC", text).removesuffix("m2").removesuffix("人").strip()
    return float(narrow) if re.fullmatch(r"-?\d{1,9}(\.\d{1,12})?", narrow) else None
