"""Whole numbers in text from outside, read in one place."""

from __future__ import annotations

MOST = 2**31 - 1  # what a database's whole number holds


def read_whole(text: str, most: int = MOST) -> int | None:
    """The number that ASCII digits spell, from 0 to `most`; None for anything else.

    `str.isdigit` alone also knows "²", which `int` does not read, and `int` refuses text of more than 4,300 digits.
    """
    digits = text.lstrip("0") or "0"
    if not (text.isascii() and text.isdigit()) or len(digits) > len(str(most)):
        return None
    number = int(digits)
    return number if number <= most else None
