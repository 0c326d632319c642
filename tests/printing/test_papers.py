"""Papers: readable out of the file, the same bytes for the same content, nothing on them that must not be there."""

from __future__ import annotations

import re
import zlib
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from backend.printing.door_sheets import DoorSign, print_door_sheets
from backend.printing.fonts import FontMissing, find_font
from backend.printing.foreign_forms import ForeignForm, print_foreign_form
from backend.printing.forms import CheckOutForm, Companion, RegistrationForm, print_check_out_form, shown_number
from backend.printing.forms import print_registration_form as print_form
from backend.printing.letters import Letter, print_letter
from backend.printing.paper import Imprint
from backend.printing.receipts import ReceiptPaper, print_receipt
from backend.wire.receipts import ReceiptInvalid, find_receipt_in_file
from tests.printing.pdf_words import PdfReader
from tests.wire.registry_makers import NUMBER
from tests.wire.test_registry_receipts import KEY, KID, RECEIPT, sign_receipt

AT = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
TOKEN = sign_receipt(RECEIPT, KEY, KID)
LINK = f"https://anju.example/r/#RR1:{TOKEN}"
ADDRESS = "浙江省湖州市长兴县太湖街道陈塘村样本路1号2幢201室"
ZH = Imprint(find_font(), "zh", AT)
EN = replace(ZH, language="en")
FORM = RegistrationForm(
    reference=RECEIPT.record_id, name="测试甲", id_type="111", id_number=NUMBER, sex="female",
    birth_on=date(1992, 2, 29), hukou="安徽省合肥市肥东县", phone="19900010002", address=ADDRESS,
    public_number="U-7H2K9MPQ", place_type="30", move_in_on=date(2026, 11, 20), planned_end_on=date(2027, 11, 19),
    reason="204", companions=(Companion("测试乙", "子女", NUMBER),), declared_at=AT, declared_by="guardian",
    declarer="测试丙", landlord="测试房东", due_at=AT, is_outage=True,
)  # fmt: skip
CHECK_OUT = CheckOutForm(
    reference="x", receipt_no=RECEIPT.number, name="测试甲", id_type="111", id_number=NUMBER, address=ADDRESS
)
FOREIGN = ForeignForm(form_no="F-1", due_at=AT, surname="SPECIMEN", given_names="ANNA", sex="female", id_type="414",
                      id_number="X12345678", address=ADDRESS, arrived_on=date(2026, 11, 22))  # fmt: skip
DECLARED = ReceiptPaper("declaration", RECEIPT.number, LINK, ADDRESS, AT, AT, "测试甲")
CODE = Letter("code", "测试甲", ADDRESS, code="12345678", code_for="201室门锁", valid_until=AT)
ONE_PAGE: dict[str, tuple[Any, Any]] = {
    "declaration": (print_receipt, DECLARED),
    "check-out": (print_receipt, replace(DECLARED, kind="check_out", moved_out_on=date(2026, 11, 22))),
    "landlord": (print_receipt, replace(DECLARED, kind="landlord_report", holder_name="")),
    "form": (print_form, FORM),
    "blank form": (print_form, RegistrationForm()),
    "check-out form": (print_check_out_form, CHECK_OUT),
    "foreign form": (print_foreign_form, FOREIGN),
    "letter": (print_letter, Letter("receipt", "测试甲", ADDRESS, RECEIPT.number, LINK, AT)),
    "code": (print_letter, CODE),
}
RULES = {
    "declaration": "HK-15", "check-out": "ZJ-13", "landlord": "ZJ-9-1", "form": "ZJ-7", "blank form": "HK-15",
    "check-out form": "ZJ-9-2", "foreign form": "EEL-39", "letter": "ZJ-16", "code": "HR-12",
}  # fmt: skip
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def joined(pdf: bytes) -> str:
    return PdfReader(pdf).text().replace("\n", "")


@cache
def printed(kind: str, language: str) -> bytes:
    """Each paper is made once: most of the time goes into reading a font of fifty thousand letters."""
    make, content = ONE_PAGE[kind]
    result: bytes = make(content, ZH if language == "zh" else EN)
    return result


# English words need the most room; Chinese is held where it is what most people print.
@pytest.mark.parametrize(
    ("kind", "language"), [*((kind, "en") for kind in ONE_PAGE), ("declaration", "zh"), ("form", "zh")]
)
def test_a_paper_is_one_page_with_its_rule_its_address_and_a_place_to_sign(kind: str, language: str) -> None:
    reader = PdfReader(printed(kind, language))
    text = reader.text().replace("\n", "")
    assert len(reader.pages()) == 1, "it runs over"
    assert RULES[kind] in text and {"zh": "签名", "en": "Signature"}[language] in text
    assert kind == "blank form" or ADDRESS in text
    lines = reader.lines()
    assert min(line.y for line in lines) > 20 and max(line.y for line in lines) < 822, "outside the paper"
    for one in lines:
        for other in lines:
            apart = one is other or abs(one.x - other.x) > 0.5 or abs(one.y - other.y) >= min(one.size, other.size)
            assert apart, (one, other)


def test_the_same_content_gives_the_same_bytes() -> None:
    assert print_receipt(DECLARED, ZH) == printed("declaration", "zh")


def test_title_and_language_stand_in_the_file() -> None:
    chinese, english = printed("declaration", "zh"), printed("declaration", "en")
    assert b"/Lang (zh-CN)" in chinese and b"/Lang (en)" in english
    assert b"/Title (Receipt of residence registration)" in english and b"/DisplayDocTitle true" in english


def test_a_receipt_carries_its_token_in_plain_letters_and_no_number_of_a_person() -> None:
    pdf = printed("declaration", "zh")
    assert find_receipt_in_file(pdf) == TOKEN
    text = joined(pdf)
    assert "测试甲" in text and RECEIPT.number in text
    assert not re.search(r"\d{15}", text) and NUMBER not in text


def test_a_receipt_is_found_in_a_pdf_whose_parts_were_packed_again() -> None:
    packed = zlib.compress(printed("declaration", "zh"))
    again = b"%PDF-1.5\n1 0 obj\n<</Filter /FlateDecode>>\nstream\n" + packed + b"\nendstream\nendobj\n"
    assert TOKEN.encode() not in again and find_receipt_in_file(again) == TOKEN
    with pytest.raises(ReceiptInvalid, match="not_found"):
        find_receipt_in_file(b"%PDF-1.5\nstream\nnothing")


def test_an_english_paper_is_english_but_for_data_and_the_names_of_laws() -> None:
    text = PdfReader(printed("blank form", "en")).text()
    left = [line for line in text.splitlines() if CHINESE.search(line) and "条" not in line]
    assert not left


def test_a_number_is_masked_unless_its_holder_prints_it() -> None:
    assert NUMBER not in joined(printed("form", "zh")) and "340*************03" in joined(printed("form", "zh"))
    assert NUMBER in joined(print_form(replace(FORM, for_holder=True), ZH))
    assert NUMBER not in joined(printed("check-out form", "en")) and "X12345678" not in joined(
        printed("foreign form", "en")
    )
    assert shown_number("X12345678", True) == "X12345678" and shown_number("", False) == ""


def test_a_household_too_large_for_one_page_goes_on_on_the_next() -> None:
    household = tuple(Companion(f"测试{n}", "子女", NUMBER) for n in range(20))
    reader = PdfReader(print_form(replace(FORM, companions=household), ZH))
    assert len(reader.pages()) == 2
    text = reader.text()
    assert all(f"测试{n}\n" in text for n in range(20)) and min(line.y for line in reader.lines()) > 20


def test_door_sheets_stand_eight_to_a_page_and_say_nothing_but_the_door() -> None:
    signs = [DoorSign(f"U-7H2K9M{n:02}", f"https://anju.example/d/{n}", ADDRESS) for n in range(9)]
    reader = PdfReader(print_door_sheets(signs, ZH))
    assert len(reader.pages()) == 2
    numbers = [line.page for line in reader.lines() if line.text.startswith("U-")]
    assert numbers == [0] * 8 + [1]
    with pytest.raises(ValueError, match="no door"):
        print_door_sheets([], ZH)


def test_a_letter_the_font_lacks_is_marked_and_never_logged(caplog: pytest.LogCaptureFixture) -> None:
    text = joined(print_receipt(replace(DECLARED, holder_name="测试\U00020bb7甲"), ZH))
    assert "测试〓甲" in text and "请手写" in text
    assert not caplog.records


def test_the_chosen_font_is_taken_and_a_missing_one_is_said_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    mine = tmp_path / "deep" / "wqy-zenhei.ttc"
    mine.write_bytes(b"")
    assert find_font("", (str(tmp_path),)) == mine
    assert find_font(str(mine), ()) == mine
    for chosen, folders in (("", (str(tmp_path / "none"),)), (str(tmp_path / "gone.ttf"), (str(tmp_path),))):
        with pytest.raises(FontMissing, match="ANJU_PRINT_FONT"):
            find_font(chosen, folders)
