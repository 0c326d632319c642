"""Cells and column names as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.domain.table_cells import clean_cell, header_name, normal_date


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2026-11-23", "2026-11-23"),
        ("2026/1/5", "2026-01-05"),
        ("2026.1.5", "2026-01-05"),
        ("2026年11月3日", "2026-11-03"),
        ("20261123", "2026-11-23"),
        ("２０２６－１１－２３", "2026-11-23"),
        ("2026-11-23 00:00:00", "2026-11-23"),
        ("2026-02-30", "2026-02-30"),
        ("2026-11-23 08:30", "2026-11-23 08:30"),
        ("soon", "soon"),
    ],
)
def test_a_day_is_read_however_it_is_written_and_nothing_else_is_taken_for_one(written: str, read: str) -> None:
    assert normal_date(written) == read


@pytest.mark.parametrize("written", ["门牌号", " 门 牌 号 ", "门牌号*", "门牌号（必填）", "门牌号(12号)", "门牌号\n"])
def test_a_column_is_known_with_what_people_add_to_its_name(written: str) -> None:
    assert header_name(written) == "门牌号"


@pytest.mark.parametrize("written", ["Door No.", "door_no", "DOOR-NO", "ＤＯＯＲ　ＮＯ"])
def test_an_english_column_is_known_whatever_its_case(written: str) -> None:
    assert header_name(written) == "doorno"


def test_a_cell_loses_blanks_and_control_characters_and_keeps_rare_letters() -> None:
    assert clean_cell("\ufeff　陈塘路\u200b 12\x00号\r\n") == "陈塘路 12号"
    assert clean_cell("𠮷·㛃") == "𠮷·㛃"


@given(st.text(max_size=60))
def test_cleaning_twice_is_cleaning_once(text: str) -> None:
    once = clean_cell(text)
    assert clean_cell(once) == once
