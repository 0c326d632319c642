"""Questions about the address base: addresses and units, no persons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session

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


def search_dwellings(text: str, limit: int = 20, *, area: str = "") -> tuple[DwellingView, ...]:
    """Dwellings of an area (all: '') whose address contains every word of `text`, in the order of their doors."""
    units = select(func.count()).where(Unit.dwelling_id == Dwelling.id).correlate(Dwelling).scalar_subquery()
    with reading() as session:
        return tuple(
            DwellingView(row.id, full_address(row), row.division, count)
            for row, count in session.execute(_matching(select(Dwelling, units), text, area).limit(limit))
        )


def find_dwellings(text: str, limit: int, *, area: str) -> tuple[DwellingDetail, ...]:
    """The same dwellings, each with its units: in two statements."""
    with reading() as session:
        homes = session.scalars(_matching(select(Dwelling), text, area).limit(limit)).all()
        return _details(session, homes)


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
        return _details(session, [row])[0]


def _matching(statement: Select[Any], text: str, area: str) -> Select[Any]:
    statement = statement.where(Dwelling.retired_on.is_(None), *says_address(text))
    if area:
        statement = statement.where(Dwelling.division.startswith(area, autoescape=True))
    return statement.order_by(
        Dwelling.division, Dwelling.road, func.length(Dwelling.door_no), Dwelling.door_no, Dwelling.building
    )


def _details(session: Session, homes: Sequence[Dwelling]) -> tuple[DwellingDetail, ...]:
    choices: dict[str, list[UnitChoice]] = {home.id: [] for home in homes}
    units = select(Unit).where(Unit.dwelling_id.in_(choices)).order_by(func.length(Unit.label), Unit.label)
    for u in session.scalars(units) if choices else ():
        choice = UnitChoice(u.id, u.label, u.space_kind, u.usable_area_m2, u.capacity, u.landlord_id is not None)
        choices[u.dwelling_id].append(choice)
    return tuple(DwellingDetail(home.id, full_address(home), home.division, tuple(choices[home.id])) for home in homes)


def full_address(row: Dwelling) -> str:
    """Street, village, road, door and building, as one reads it."""
    return f"{row.street}{row.village}{row.road}{row.door_no}{row.building}"
