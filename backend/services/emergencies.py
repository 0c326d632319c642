"""How many people are registered in a building, for whoever goes into it in a fire or a flood: numbers, no names."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from backend.db import transaction
from backend.domain.purposes import EMERGENCY
from backend.gateways.world import World
from backend.queries import ledger
from backend.queries.local_standards import get_standard
from backend.services.audit import write_leaf
from backend.services.disclosures import answer, judge_area, note_refusal
from backend.services.officer_sessions import acting_officer


@dataclass(frozen=True)
class BuildingCount:
    """The units of a building and how many are registered in each, at a moment; who asked for it."""

    dwelling_id: str
    address: str
    units: tuple[ledger.UnitRow, ...]
    at: datetime
    badge: str

    @property
    def people(self) -> int:
        """All of them."""
        return sum(unit.registered for unit in self.units)


def count_building(world: World, *, session_id: str, dwelling_id: str) -> BuildingCount:
    """Count who is registered in a building of the area, under the purpose of an emergency, whatever else is chosen.

    It is written down before the answer leaves. Raises Refused not_found, area.foreign (written down).
    """
    with transaction() as session:
        acting = acting_officer(world, session, session_id)
        refusal = judge_area(acting, ledger.find_division("dwelling", dwelling_id))
        note_refusal(world, session, acting, refusal, "dwelling", dwelling_id)
        if refusal is None:
            actor = replace(acting.actor, purpose=EMERGENCY, case_ref=None)
            write_leaf(world, session, actor, "building_counted", object_kind="dwelling", object_id=dwelling_id)
        area, badge = acting.officer.area, acting.officer.badge
    if refusal is not None:
        answer(refusal)
    today = world.clock.today()
    standard = get_standard(world.house, today)
    building = ledger.find_dwelling(area, dwelling_id, today, standard=standard)
    assert building is not None
    units = ledger.list_units(area, dwelling_id, today, standard=standard)
    return BuildingCount(dwelling_id, building.address, units, world.clock.now(), badge)
