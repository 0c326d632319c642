"""Names, phones and ages."""

from __future__ import annotations

from datetime import date

import pytest

from backend.domain.persons import age_band, age_on, decide_name, decide_phone, mask_phone
from backend.domain.refusals import Refusal


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("王小满", "王小满"),
        ("  王  小满 ", None),
        ("阿依古丽•买买提", "阿依古丽·买买提"),
        ("𠮷野", "𠮷野"),
        ("Mary-Jane O'Neil", "Mary-Jane O'Neil"),
        ("", None),
        ("王" * 51, None),
        ("王小满1", None),
        ("<b>王</b>", None),
        ("·王", None),
    ],
)
def test_a_name_is_kept_in_one_form_or_refused(written: str, kept: str | None) -> None:
    decided = decide_name(written)
    if kept is None:
        assert isinstance(decided, Refusal)
        assert (decided.code, decided.field) == ("person.name", "name")
    else:
        assert decided == kept


@pytest.mark.parametrize("written", ["19900010001", "+86 199 0001 0001", "１９９０００１０００１", "0086 199-00010001"])
def test_a_phone_without_a_country_code_is_chinese(written: str) -> None:
    assert decide_phone(written) == "+8619900010001"


@pytest.mark.parametrize("written", ["12345", "0572-6012345", "phone", "+86 10000000000", ""])
def test_what_is_no_mobile_number_is_refused(written: str) -> None:
    decided = decide_phone(written)
    assert isinstance(decided, Refusal)
    assert decided.code == "phone.invalid"


def test_a_masked_phone_hides_the_middle() -> None:
    assert mask_phone("+8619900010001") == "199******01"


def test_someone_born_on_29_february_is_a_year_older_on_1_march() -> None:
    born = date(2012, 2, 29)
    assert age_on(born, date(2026, 2, 28)) == 13
    assert age_on(born, date(2026, 3, 1)) == 14
    assert age_band(born, date(2026, 2, 28)) == "under_14"
    assert age_band(born, date(2026, 3, 1)) == "under_16"
    assert age_band(born, date(2028, 2, 29)) == "adult"
