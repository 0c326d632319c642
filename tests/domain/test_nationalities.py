"""A nationality is a code of a table: nothing else can be written in its place."""

from __future__ import annotations

import pytest
from babel.core import get_global

from backend.domain.nationalities import NATIONALITIES, decide_nationality
from backend.domain.refusals import Refusal


def test_the_table_is_that_of_iso_3166_and_of_passports_without_a_country() -> None:
    countries = {code for code in NATIONALITIES if not code.startswith("XX")}
    assert len(countries) == 249
    two_letters = get_global("territory_aliases")
    assert len({two_letters[code][0] for code in countries}) == 249, "each is another country of the CLDR"


@pytest.mark.parametrize(
    ("id_type", "typed", "code"),
    [("414", "deu", "DEU"), ("414", " FRA ", "FRA"), ("414", None, "CHN"), ("414", "", "CHN"), ("111", "DEU", "CHN"),
     ("111", "态度恶劣，邻居说他欠债", "CHN"), ("553", "XXA", "XXA")],
)  # fmt: skip
def test_a_code_is_taken_and_an_identity_card_is_chinas(id_type: str, typed: str | None, code: str) -> None:
    assert decide_nationality(id_type, typed) == code


@pytest.mark.parametrize("typed", ["ZZZ", "DE", "德国", "态度恶劣，邻居说他欠债", "é" * 200])
def test_whatever_is_no_code_is_refused(typed: str) -> None:
    refusal = decide_nationality("414", typed)
    assert isinstance(refusal, Refusal)
    assert (refusal.code, refusal.field) == ("input.wrong_type", "nationality")
