"""Printing for people: what is refused where nothing can be printed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from backend.domain.refusals import Refused
from backend.services.receipts import imprint, receipt_link


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_without_a_font_the_refusal_says_what_to_do_and_the_receipts_link_keeps_the_token_from_servers(
    world: Any,
) -> None:
    bare = replace(world, house=replace(world.house, print_font="gone.ttf"))
    with pytest.raises(Refused) as caught:
        imprint(bare, "zh")
    assert caught.value.refusal.code == "print.no_font"
    assert "fonts-wqy-microhei" in caught.value.refusal.remedy("en")
    assert receipt_link(world, "eyJ.a.b") == f"{world.house.mobile_url}/r/#RR1:eyJ.a.b"
    assert imprint(world, "en").language == "en"
