"""Opening a case where more people live than the standard allows (HR-7): a chore of time, never about a person."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.domain.cases import OPEN_STATES
from backend.domain.spaces import SpaceStandard
from backend.gateways.world import World
from backend.models.cases import Case
from backend.models.dwellings import Dwelling
from backend.models.units import Unit
from backend.queries.discrepancies import crowded_units
from backend.queries.local_standards import standard_on
from backend.services.case_opening import open_case, open_once

EVERYWHERE = ""


def open_crowding_cases(world: World, session: Session) -> None:
    """One case for each crowded unit, for the housing office; run again it opens none for the same number of people.

    Once a case is decided, the same number of people under the same standard opens no other.
    """
    standard = standard_on(session, world.house, world.clock.today())
    for unit_id, _since, people in session.execute(crowded_units(EVERYWHERE, standard)).all():
        _open(world, session, unit_id, people, standard)


def _open(world: World, session: Session, unit_id: str, people: int, standard: SpaceStandard) -> None:
    evidence = {
        "people": people,
        "area_per_head_m2": standard.area_per_head_m2,
        "persons_per_room": standard.persons_per_room,
    }

    def find() -> Case | None:
        known = select(Case).where(Case.unit_id == unit_id, Case.kind == "over_capacity").order_by(Case.reference)
        for case in session.scalars(known).all():
            if case.state in OPEN_STATES or evidence.items() <= case.evidence.items():
                return case
        return None

    def make() -> Case:
        unit = session.get_one(Unit, unit_id)
        area = session.get_one(Dwelling, unit.dwelling_id).division
        return open_case(
            world, session, kind="over_capacity", area=area, unit_id=unit_id, rule="HR-7", opened_by="rule",
            evidence=evidence,
        )  # fmt: skip

    open_once(session, find, make)
