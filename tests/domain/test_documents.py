"""Document numbers: form, check digit, birth; and what is never inferred."""

from __future__ import annotations

from datetime import date

import pytest

from backend.domain.documents import Document, decide_document, mask_number, normalise_number
from backend.domain.refusals import Refusal

TODAY = date(2026, 11, 23)


@pytest.mark.parametrize(
    ("id_type", "number", "birth_on", "sex"),
    [
        ("111", "330522199001010001", date(1990, 1, 1), "female"),
        ("516", "810000199001010000", date(1990, 1, 1), "female"),
        ("516", "820000199001010002", date(1990, 1, 1), "female"),
        ("511", "830000199001010004", date(1990, 1, 1), "female"),
    ],
)
def test_a_valid_number_gives_birth_and_sex(id_type: str, number: str, birth_on: date, sex: str) -> None:
    assert decide_document(id_type, number, TODAY) == Document(id_type, number, birth_on, sex)


@pytest.mark.parametrize(
    ("id_type", "number", "code"),
    [
        ("111", "330522199001010002", "document.check_digit"),
        ("111", "33052219900101000", "document.form"),
        ("111", "810000199001010000", "document.form"),
        ("511", "810000199001010000", "document.form"),
        ("516", "830000199001010004", "document.form"),
        ("111", "A30522199001010001", "document.form"),
        ("999", "330522199001010001", "document.type"),
        ("414", "AB", "document.form"),
        ("553", "ABC12345678901", "document.form"),
    ],
)
def test_a_faulty_number_is_refused_with_its_reason(id_type: str, number: str, code: str) -> None:
    refusal = decide_document(id_type, number, TODAY)
    assert isinstance(refusal, Refusal)
    assert refusal.code == code


@pytest.mark.parametrize("birth", ["19900230", "20270101", "18991231", "19901301"])
def test_an_impossible_date_of_birth_is_refused(birth: str) -> None:
    body = f"330522{birth}000"
    weights = [pow(2, 17 - index, 11) for index in range(17)]
    check = (12 - sum(int(digit) * weight for digit, weight in zip(body, weights, strict=True)) % 11) % 11
    number = body + "0123456789X"[check]
    refusal = decide_document("111", number, TODAY)
    assert isinstance(refusal, Refusal)
    assert refusal.code == "document.birth"


def test_lower_case_x_full_width_digits_and_spaces_are_normalised() -> None:
    assert normalise_number(" １１０105 1949-12310 02x ") == "11010519491231002X"


def test_a_passport_and_an_old_permanent_card_say_nothing_of_birth() -> None:
    assert decide_document("414", "e12345678", TODAY) == Document("414", "E12345678", None, None)
    assert decide_document("553", "ABC123456789012", TODAY) == Document("553", "ABC123456789012", None, None)


def test_a_masked_number_keeps_three_and_two() -> None:
    assert mask_number("330522199001010001") == "330*************01"
    assert len(mask_number("E1234")) >= 5
