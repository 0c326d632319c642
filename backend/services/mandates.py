"""A manager hears that a mandate ends, in time to have it renewed: two weeks before, the day before, and once over."""

from __future__ import annotations

from datetime import date, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.domain.landlord_board import MANDATE_NOTICE
from backend.gateways.world import World
from backend.models.units import UnitClaim
from backend.services.inbox import tell_person
from backend.services.unit_names import unit_alias

SAID_AFTERWARDS = timedelta(days=14)  # a worker that stood still for a while catches up; older ends are not dug out


def tell_mandate_ends(world: World, session: Session) -> None:
    """Tell each manager the latest step that has come of each mandate; repeated runs say nothing twice."""
    today = world.clock.today()
    ending = select(UnitClaim).where(
        UnitClaim.state == "accepted",
        UnitClaim.right_kind == "mandate",
        UnitClaim.mandate_ends_on.between(today - SAID_AFTERWARDS, today + MANDATE_NOTICE),
    )
    for claim in session.scalars(ending).all():
        assert claim.mandate_ends_on is not None
        _tell(world, session, claim, claim.mandate_ends_on, today)


def _tell(world: World, session: Session, claim: UnitClaim, ends_on: date, today: date) -> None:
    words = {"unit": unit_alias(session, claim.unit_id), "unit_id": claim.unit_id, "ends_on": ends_on.isoformat()}
    if ends_on < today:
        tell_person(world, session, claim.person_id, "mandate_over", once=claim.id, **words)
        return
    step = "day" if ends_on - today <= timedelta(days=1) else "weeks"
    tell_person(world, session, claim.person_id, "mandate_ends", once=f"{claim.id}:{step}", **words)
