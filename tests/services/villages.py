"""A whole village in the tables at once, for tests of what must stay quick: invented houses, units, registrations."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import insert

from backend.db import transaction
from backend.domain.ids import new_id
from backend.gateways.world import World
from backend.models.dwellings import Dwelling
from backend.models.registrations import Registration
from backend.models.units import Unit
from backend.services.standings import settle_dwellings
from tests.services import stories

VILLAGE = "330522003901"


def make_village(
    world: World, houses: int, units_each: int, *, division: str = VILLAGE, name: str = "样本村"
) -> list[str]:
    """Houses along roads of fifty, on a grid near Chentang; every fifth unit stands empty, every ninth tenant is late.

    Every tenth house is enrolled by nobody. Answers the houses' ids in the order of their doors.
    """
    landlord_id = _landlord(world)
    homes = [_house(world, number, division, name) for number in range(houses)]
    units, people = [], []
    for number, home in enumerate(homes):
        owner = None if number % 10 == 9 else landlord_id
        for place in range(units_each):
            unit = _unit(world, home["id"], place, owner)
            units.append(unit)
            if owner is not None and place % 5 != 4:
                people.append(_registration(world, unit["id"], late=(number + place) % 9 == 8))
    with transaction() as session:
        for kind, rows in ((Dwelling, homes), (Unit, units), (Registration, people)):
            if rows:
                session.execute(insert(kind), rows)
        settle_dwellings(session, [home["id"] for home in homes])
    return [home["id"] for home in homes]


def _landlord(world: World) -> str:
    from backend.services.persons import my_identity

    account_id = stories.make_landlord(world)
    identity = my_identity(world, account_id=account_id)
    assert identity is not None
    return identity.person_id


def _house(world: World, number: int, division: str, name: str) -> dict[str, Any]:
    east, north = 119.94 + number % 50 * 0.00035, 31.01 + number // 50 * 0.0009
    corners = ((-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -1))
    ring = [[east + x * 1e-4, north + y * 8e-5] for x, y in corners]
    return {
        "id": new_id(), "division": division, "division_version": "test", "province": "浙江省", "city": "湖州市",
        "county": "长兴县", "street": "太湖街道", "village": name, "road": f"样本{number // 50 + 1}路",
        "door_no": f"{number % 50 + 1}号", "building": "", "known_rental": True, "imported_at": world.clock.now(),
        "longitude": east, "latitude": north, "datum": "CGCS2000", "outline": ring,
    }  # fmt: skip


def _unit(world: World, home: str, place: int, owner: str | None) -> dict[str, Any]:
    return {
        "id": new_id(), "dwelling_id": home, "public_number": f"U-{home[-8:]}-{place}", "label": f"{101 + place}室",
        "space_kind": "bedroom", "usable_area_m2": 15.0, "capacity": 2, "landlord_id": owner,
        "created_at": world.clock.now(),
    }  # fmt: skip


def _registration(world: World, unit_id: str, *, late: bool) -> dict[str, Any]:
    now, today = world.clock.now(), world.clock.today()
    return {
        "id": new_id(), "unit_id": unit_id, "move_in_on": today - timedelta(days=9), "created_at": now,
        "updated_at": now, "tenant_leg": "invited" if late else "declared", "declared_at": None if late else now,
        "declared_by": None if late else "self", "tenant_due_on": today - timedelta(days=6),
    }  # fmt: skip
