"""Turning pages of a list by the last row seen, so that a page costs the same wherever it stands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, literal, tuple_


def comes_after(order: Sequence[Any], seen: Sequence[Any]) -> ColumnElement[bool]:
    """Whether a row stands behind the one whose values of the columns in `order` are `seen`.

    Each value is bound as its column is: an id is written otherwise in the database than in Python.
    """
    values = (literal(value, column.type) for column, value in zip(order, seen, strict=True))
    return tuple_(*order) > tuple_(*values)
