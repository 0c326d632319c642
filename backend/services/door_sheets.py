"""Door sheets: what is printed and put at a door, so that a scan tells which unit this is and nothing else."""

from __future__ import annotations

from dataclasses import dataclass

from backend.db import reading
from backend.domain.officers import covers
from backend.domain.refusals import Refused
from backend.gateways.world import World
from backend.models.accounts import Account
from backend.models.dwellings import Dwelling
from backend.models.units import Unit
from backend.queries.doors import Door, list_doors

SHEETS_PER_PAGE = 120  # twelve A4 pages of ten


@dataclass(frozen=True)
class DoorSheet:
    """One sheet: the number in words and in `url` (for the QR code), and the address line. No personal data."""

    unit_id: str
    public_number: str
    url: str
    address_line: str


def list_door_sheets(
    world: World,
    *,
    area: str,
    dwelling_id: str | None = None,
    division: str | None = None,
    after: str | None = None,
    limit: int = SHEETS_PER_PAGE,
) -> tuple[DoorSheet, ...]:
    """Sheets of an officer's area by address: of one dwelling, of one village, or a page of all after a unit.

    Raises Refused area.foreign for a village outside the area; a dwelling outside it has none here.
    """
    where = [Dwelling.division.startswith(area, autoescape=True)]
    if division is not None:
        if not covers(area, division):
            raise Refused("area.foreign", "division")
        where.append(Dwelling.division == division)
    if dwelling_id is not None:
        where.append(Dwelling.id == dwelling_id)
    return tuple(_sheet(world, door) for door in list_doors(where, after=after, limit=limit))


def list_own_door_sheets(world: World, *, account_id: str, unit_id: str | None = None) -> tuple[DoorSheet, ...]:
    """Sheets of the units that this landlord has enrolled, or of one of them. Raises Refused unit.not_yours."""
    with reading() as session:
        person_id = session.get_one(Account, account_id).person_id
    if person_id is None:
        return ()
    where = [Unit.landlord_id == person_id]
    if unit_id is not None:
        where.append(Unit.id == unit_id)
    sheets = tuple(_sheet(world, door) for door in list_doors(where, limit=1000))
    if unit_id is not None and not sheets:
        raise Refused("unit.not_yours")
    return sheets


def _sheet(world: World, door: Door) -> DoorSheet:
    url = f"{world.house.mobile_url}/u/{door.public_number}"
    return DoorSheet(door.unit_id, door.public_number, url, f"{door.address} {door.label}")
