"""A claim code is found however it was typed off the sticker."""

from __future__ import annotations

import pytest

from backend.domain.claim_codes import spell_claim_code


@pytest.mark.parametrize(
    "typed",
    ["ANJU-7K2M-Q9XD", "anju-7k2m-q9xd", "7k2m q9xd", "anju 7k2m q9xd", "ANJU7K2MQ9XD", " 7K2M–Q9XD ", "7k2mq9xd"],
)
def test_a_code_is_spelled_as_printed(typed: str) -> None:
    assert spell_claim_code(typed) == "ANJU-7K2M-Q9XD"


def test_a_code_that_begins_like_the_makers_name_keeps_its_letters() -> None:
    assert spell_claim_code("anju 7k2m") == "ANJU-ANJU-7K2M"
    assert spell_claim_code("ANJU-ANJU-7K2M") == "ANJU-ANJU-7K2M"


@pytest.mark.parametrize("typed", ["7K2M", "lock 4-7", "", "ANJU-7K2M-Q9XD-1"])
def test_what_is_no_code_of_ours_stays_as_typed(typed: str) -> None:
    assert spell_claim_code(typed) == "".join(typed.split()).upper()
