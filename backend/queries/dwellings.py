"""Questions about the address base: addresses and units, no persons."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, or_, select

from backend.db import reading
from backend.domain.refusals import Refused
from backend.models.dwellings import Dwelling
from backend.models.units import Unit

MOST_WORDS = 6


@dataclass(frozen=True)
class DwellingView:
    """One dwelling of the address base."""

    id: str
    address: str
    division: str
    units: int


@dataclass(frozen=True)
class UnitChoice:
    """A unit to choose from; `claimed` says that a landlord has it already, not who."""

    id: str
    label: str
    space_kind: str
    usable_area_m2: float
    capacity: int
    claimed: bool


@dataclass(frozen=True)
class DwellingDetail:
    """One dwelling with its units."""

    id: str
    address: str
    division: str
    units: tuple[UnitChoice, ...]


def search_dwellings(text: str, limit: int = 20) -> tuple[DwellingView, ...]:
    """Dwellings whose address contains every word of `text`, in the order of their doors."""
    counted = select(Unit.dwelling_id, func.count().label("units")).group_by(Unit.dwelling_id).subquery()
    statement = (
        select(Dwelling, func.coalesce(counted.c.units, 0))
        .outerjoin(counted, counted.c.dwelling_id == Dwelling.id)
        .where(Dwelling.retired_on.is_(None), *says_address(text))
        .order_by(Dwelling.division, Dwelling.road, func.length(Dwelling.door_no), Dwelling.door_no, Dwelling.building)
        .limit(limit)
    )
    with reading() as session:
        return tuple(
            DwellingView(row.id, full_address(row), row.division, units) for row, units in session.execute(statement)
        )


def says_address(text: str) -> tuple[ColumnElement[bool], ...]:
    """What a dwelling must fulfil to be found by an address in words: every one of them, with or without spaces, part
    of its address from the street on or of its former one, or its division's code. The one search of all doors."""
    whole = Dwelling.street + Dwelling.village + Dwelling.road + Dwelling.door_no + Dwelling.building
    return tuple(
        or_(
            whole.contains(word, autoescape=True),
            Dwelling.former_address.contains(word, autoescape=True),
            Dwelling.division == word,
        )
        for word in text.split()[:MOST_WORDS]
    )


def get_dwelling(dwelling_id: str) -> DwellingDetail:
    """One dwelling with its units. Raises Refused('not_found')."""
    with reading() as session:
        row = session.get(Dwelling, dwelling_id)
        if row is None:
            raise Refused("not_found", "dwelling_id")
        units = session.scalars(
            select(Unit).where(Unit.dwelling_id == row.id).order_by(func.length(Unit.label), Unit.label)
        )
        choices = tuple(
            UnitChoice(u.id, u.label, u.space_kind, u.usable_area_m2, u.capacity, u.landlord_id is not None)
            for u in units
        )
        return DwellingDetail(row.id, full_address(row), row.division, choices)


def full_address(row: Dwelling) -> str:
    """Street, village, road, door and building, as one reads it."""
    return f"{row.street}{row.village}{row.road}{row.door_no}{row.building}"
