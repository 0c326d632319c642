"""Rows of tenancies as landlords and offices keep them: what each column may hold, read without the database.

A row names a unit (by its public number, or by address and room) and one person. Nothing here decides whether the unit
is there or whose it is; `spellings_of` says under which words an address can be found.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation

from backend.domain.calendars import CHINA, LATEST_YEAR, read_day
from backend.domain.documents import DOCUMENT_TYPES, RESIDENT_ID, Document, decide_document
from backend.domain.leases import KIND_NAMES
from backend.domain.persons import decide_name, decide_phone
from backend.domain.refusals import Refusal, Refused

UNIT_COLUMNS: dict[str, tuple[str, ...]] = {
    "unit_number": ("房间编号", "单元编号", "门牌二维码编号", "Unit number", "Public unit number"),
    "address": ("地址", "房屋地址", "详细地址", "Address"),
    "room": ("房间", "房号", "室号", "Room", "Room label"),
}
LEASE_COLUMNS: dict[str, tuple[str, ...]] = {
    **UNIT_COLUMNS,
    "tenant_name": ("租客姓名", "承租人姓名", "承租人", "租客", "姓名", "Tenant name", "Tenant", "Name"),
    "tenant_id_type": ("证件种类", "证件类型", "Document type", "ID type"),
    "tenant_id_number": ("证件号码", "证件号", "身份证号码", "身份证号", "Document number", "ID number"),
    "tenant_phone": ("手机号", "租客手机号", "手机", "联系电话", "电话", "Phone", "Mobile"),
    "kind": ("出租方式", "租赁方式", "Kind", "Kind of lease"),
    "starts_on": ("开始日期", "起租日期", "租期开始", "Start", "Start date", "From"),
    "ends_on": ("结束日期", "到期日期", "租期结束", "End", "End date", "To"),
    "moved_in_on": ("入住日期", "搬入日期", "Moved in on", "Moved in"),
    "rent": ("月租金", "租金", "Rent", "Monthly rent"),
    "deposit": ("押金", "Deposit"),
    "alias": ("租约名称", "Lease name"),
    "paper_declared_on": ("纸质申报日期", "原申报日期", "Declared on paper"),
    "paper_receipt_no": ("原回执号", "原系统回执号", "Old receipt number"),
}
LEASE_REQUIRED = ("tenant_name", "tenant_id_number", "tenant_phone", "kind", "starts_on")
LEASE_DATES = ("starts_on", "ends_on", "moved_in_on")
PAPER_COLUMNS: dict[str, tuple[str, ...]] = {
    **UNIT_COLUMNS,
    "name": ("姓名", "Name"),
    "id_type": ("证件种类", "证件类型", "Document type", "ID type"),
    "id_number": ("证件号码", "证件号", "身份证号码", "身份证号", "Document number", "ID number"),
    "birth_on": ("出生日期", "Date of birth", "Born on"),
    "hukou_division": ("户籍地代码", "户籍区划", "户籍代码", "Hukou division", "Household registration code"),
    "move_in_on": ("入住日期", "居住开始日期", "Moved in on", "Move in"),
    "declared_on": ("申报日期", "登记日期", "Declared on", "Registered on"),
    "evidence_no": ("登记表编号", "档案编号", "凭证编号", "Evidence number", "File number"),
}
PAPER_REQUIRED = ("name", "id_number", "move_in_on", "declared_on", "evidence_no")
PAPER_DATES = ("birth_on", "move_in_on", "declared_on")
OLDEST = date(1950, 1, 1)
# The hour of a paper form is not known: noon of its day, the middle of what it may have been.
NOON = time(12)

_OPEN_ENDED = ("不定期", "长期", "无固定期限", "openended", "open", "none")
_TYPE_SPELLINGS = {
    "身份证": RESIDENT_ID, "二代身份证": RESIDENT_ID, "idcard": RESIDENT_ID, "港澳居住证": "516", "台湾居住证": "511",
    "永久居留证": "553", "外国人永久居留证": "553",
}  # fmt: skip
_KIND_SPELLINGS = {"整套": "whole", "整户": "whole", "单间": "room", "分间": "room", "床": "bed"}
_EVIDENCE = re.compile(r"[0-9A-Za-z\u3400-\u9fff()（）〔〕\[\]/_-]{1,40}")
_LONG_NUMBER = re.compile(r"\d{11,}")  # a phone or document number does not belong into a number of a file
_MOST_MONEY = Decimal(10_000_000)


@dataclass(frozen=True)
class UnitWords:
    """How a row names its unit."""

    number: str | None
    place: str  # address and room without blanks


@dataclass(frozen=True)
class LeaseRow:
    """One tenancy that may be applied. `ends_on` None with `says_end` False: the row does not speak of an end.

    `notes` say what stood in the row and is not taken over.
    """

    unit: UnitWords
    kind: str
    starts_on: date
    ends_on: date | None
    says_end: bool
    moved_in_on: date
    alias: str
    tenant_name: str
    document: Document
    tenant_phone: str
    rent_cents: int | None
    deposit_cents: int | None
    notes: tuple[Refusal, ...] = ()


@dataclass(frozen=True)
class PaperRow:
    """One registration of an office's paper files that may be applied."""

    unit: UnitWords
    name: str
    id_type: str
    id_number: str
    birth_on: date | None
    hukou_division: str | None
    move_in_on: date
    declared_at: datetime
    evidence_no: str


class _Reader:
    """Reads cells and collects what is wrong with them."""

    def __init__(self, cells: Mapping[str, str]) -> None:
        self.cells = cells
        self.faults: list[Refusal] = []

    def needed(self, column: str) -> str:
        text = self.cells.get(column, "")
        if not text:
            self.faults.append(Refusal("input.missing", column))
        return text

    def day(self, column: str, text: str) -> date | None:
        if not text:
            return None
        found = read_day(text)
        if found is None or found < OLDEST:
            self.faults.append(Refusal("import.date", column))
            return None
        return found

    def one_of(self, column: str, text: str, names: Mapping[str, str], allowed: tuple[str, ...]) -> str:
        found = names.get(_plain(text))
        if found is None and text:
            self.faults.append(Refusal("import.word", column, allowed=allowed))
        return found or ""

    def money(self, column: str) -> int | None:
        text = re.sub(r"[,，元￥¥\s]|/月", "", unicodedata.normalize("NFKC", self.cells.get(column, "")))
        if not text:
            return None
        try:
            amount = Decimal(text)
        except InvalidOperation:
            amount = Decimal(-1)
        if not (amount.is_finite() and 0 <= amount < _MOST_MONEY):
            self.faults.append(Refusal("import.money", column))
            return None
        return int((amount * 100).to_integral_value())

    def checked(self, column: str, found: object) -> object:
        """Keep what a rule of the domain found, its refusal under our column."""
        if isinstance(found, Refusal):
            self.faults.append(Refusal(found.code, column, found.params, found.allowed))
        return found

    def unit(self) -> UnitWords:
        number = _plain(self.cells.get("unit_number", "")).upper() or None
        place = _plain(self.cells.get("address", "")) + _plain(self.cells.get("room", ""))
        if number is None and not self.cells.get("address"):
            self.faults.append(Refusal("import.unit_missing", "unit_number"))
        return UnitWords(number, place)

    def id_type(self, column: str) -> str:
        words = {code: code for code in DOCUMENT_TYPES} | _TYPE_SPELLINGS
        for code, kind in DOCUMENT_TYPES.items():
            words |= {_plain(kind.zh): code, _plain(kind.en): code}
        text = self.cells.get(column, "")
        allowed = tuple(f"{kind.zh} {kind.en.lower()}" for kind in DOCUMENT_TYPES.values())
        return self.one_of(column, text, words, allowed) if text else RESIDENT_ID

    def close(self) -> None:
        if self.faults:
            raise Refused.of(self.faults)


def read_lease_row(cells: Mapping[str, str], today: date) -> LeaseRow:
    """Read one tenancy. Raises Refused with every faulty column; no reason repeats what stood in a cell."""
    reader = _Reader(cells)
    unit = reader.unit()
    names = {**_KIND_SPELLINGS, **{code: code for code in KIND_NAMES}}
    names |= {_plain(word): code for code, words in KIND_NAMES.items() for word in words}
    allowed = tuple(f"{zh} {en.lower()}" for zh, en in KIND_NAMES.values())
    kind = reader.one_of("kind", reader.needed("kind"), names, allowed)
    starts_on = reader.day("starts_on", reader.needed("starts_on"))
    end = cells.get("ends_on", "")
    never = _is_never(end)
    ends_on = None if never or _plain(end) in _OPEN_ENDED else reader.day("ends_on", end)
    moved_in_on = reader.day("moved_in_on", cells.get("moved_in_on", ""))
    if moved_in_on is not None and moved_in_on > max(today, starts_on or today):
        reader.faults.append(Refusal("input.future_date", "moved_in_on"))
    alias = cells.get("alias") or cells.get("room") or cells.get("unit_number", "")
    if cells.get("alias") and len(alias) > 30:
        reader.faults.append(Refusal("input.length", "alias", {"least": 1, "most": 30}))
    name = reader.checked("tenant_name", decide_name(n, "tenant_name") if (n := reader.needed("tenant_name")) else "")
    id_type, number = reader.id_type("tenant_id_type"), reader.needed("tenant_id_number")
    document = (
        reader.checked("tenant_id_number", decide_document(id_type, number, today)) if id_type and number else None
    )
    phone = reader.checked(
        "tenant_phone", decide_phone(p, "tenant_phone") if (p := reader.needed("tenant_phone")) else ""
    )
    rent, deposit = reader.money("rent"), reader.money("deposit")
    reader.close()
    assert starts_on and isinstance(document, Document) and isinstance(name, str) and isinstance(phone, str)
    paper = [column for column in ("paper_declared_on", "paper_receipt_no") if cells.get(column)]
    notes = tuple(Refusal("import.no_declaration", column) for column in paper[:1])
    notes += (Refusal("import.open_ended", "ends_on", {"most": LATEST_YEAR}),) if never else ()
    return LeaseRow(
        unit, kind, starts_on, ends_on, bool(end), moved_in_on or starts_on, alias[:30], name, document, phone, rent,
        deposit, notes,
    )  # fmt: skip


def read_paper_row(cells: Mapping[str, str], today: date) -> PaperRow:
    """Read one paper registration. Raises Refused with every faulty column."""
    reader = _Reader(cells)
    unit = reader.unit()
    name = reader.checked("name", decide_name(n) if (n := reader.needed("name")) else "")
    id_type, number = reader.id_type("id_type"), reader.needed("id_number")
    document = reader.checked("id_number", decide_document(id_type, number, today)) if id_type and number else None
    birth_on = reader.day("birth_on", cells.get("birth_on", ""))
    if isinstance(document, Document) and document.birth_on is None and birth_on is None:
        reader.faults.append(Refusal("input.missing", "birth_on"))
    move_in_on = reader.day("move_in_on", reader.needed("move_in_on"))
    declared_on = reader.day("declared_on", reader.needed("declared_on"))
    for column, day in (("move_in_on", move_in_on), ("declared_on", declared_on)):
        if day is not None and day > today:
            reader.faults.append(Refusal("input.future_date", column))
    if move_in_on is not None and declared_on is not None and declared_on < move_in_on:
        reader.faults.append(Refusal("import.declared_before", "declared_on"))
    evidence_no = unicodedata.normalize("NFKC", reader.needed("evidence_no"))
    if evidence_no and (not _EVIDENCE.fullmatch(evidence_no) or _LONG_NUMBER.search(evidence_no)):
        reader.faults.append(Refusal("import.evidence", "evidence_no"))
    reader.close()
    assert isinstance(name, str) and isinstance(document, Document) and move_in_on and declared_on
    declared_at = datetime.combine(declared_on, NOON, CHINA).astimezone(UTC)
    return PaperRow(
        unit, name, id_type, document.id_number, birth_on, cells.get("hukou_division"), move_in_on, declared_at,
        evidence_no,
    )  # fmt: skip


def spellings_of(places: Sequence[str], label: str) -> Iterator[str]:
    """Every way to write a unit's address: with or without the parts from the province to the village, 101 for 101室.

    `places` are the parts from the province to the building; road, door and building are never left out.
    """
    kept = 3
    for begin in range(len(places) - kept + 1):
        start = "".join(places[begin:])
        for end in {label, label.removesuffix("室"), label + "室"}:
            if start:
                yield _plain(start + end)


def _is_never(text: str) -> bool:
    """Whether an end is a day that lists write for none, as 9999-12-31."""
    try:
        return date.fromisoformat(text).year > LATEST_YEAR
    except ValueError:
        return False


def _plain(text: str) -> str:
    """Without width, case and blanks."""
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", text)).lower()
