"""The page behind a door's QR code, and the landlord's own sheets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.mobile_api.page_phones import PagePhone
from tests.services import stories


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_a_scanned_door_says_which_unit_it_is_and_nothing_more(
    make: Callable[..., Any], browser: Callable[..., PagePhone]
) -> None:
    make(stories.make_declared)
    found = browser().get("/u/u-test0101").html
    assert "101室" in found and "陈塘村陈塘路1号" in found
    assert not any(word in found for word in ("周来福", "沈安一", "已登记", "在住"))
    assert "没有找到" in browser().get("/u/U-NOSUCH00").text
    landlord = browser(stories.LANDLORD_PHONE)
    own = landlord.get("/l/door-sheets").html
    assert "陈塘村陈塘路1号 101室" in own and "U-TEST0101" in own and "102室" not in own
