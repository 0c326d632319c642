"""Doors by the public number on their QR sheet: an address and a label, never a person."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select

from backend.db import reading
from backend.models.dwellings import Dwelling
from backend.models.units import Unit
from backend.queries.pages import comes_after
from backend.queries.unit_facts import short_address

_ORDER = (
    Dwelling.division,
    Dwelling.road,
    func.length(Dwelling.door_no),
    Dwelling.door_no,
    Dwelling.building,
    Dwelling.id,
    func.length(Unit.label),
    Unit.label,
)


@dataclass(frozen=True)
class Door:
    """One unit as its door shows it; `address` is village, road, door and building."""

    unit_id: str
    public_number: str
    address: str
    label: str


def find_door(public_number: str) -> Door | None:
    """The unit of a public number, whatever the case it was typed in; None also when its dwelling is gone."""
    found = list_doors([Unit.public_number == public_number.strip().upper()], limit=1)
    return found[0] if found else None


def list_doors(where: list[ColumnElement[bool]], *, after: str | None = None, limit: int) -> tuple[Door, ...]:
    """Units of dwellings in force by address and label, those after the unit `after` where one is given."""
    statement = select(Unit, Dwelling).join(Dwelling, Dwelling.id == Unit.dwelling_id)
    wishes: list[ColumnElement[bool]] = [Dwelling.retired_on.is_(None), *where]
    with reading() as session:
        if after is not None:
            anchor = session.execute(
                select(*_ORDER).join(Unit, Unit.dwelling_id == Dwelling.id).where(Unit.id == after)
            ).first()
            wishes += [comes_after(_ORDER, anchor)] if anchor is not None else []
        rows = session.execute(statement.where(*wishes).order_by(*_ORDER).limit(limit)).all()
        return tuple(Door(unit.id, unit.public_number, short_address(home), unit.label) for unit, home in rows)
