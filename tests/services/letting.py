"""Test factories for the right to let: the claim by which a unit is let, and a clerk who sees its evidence."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import select

from backend.db import db, transaction
from backend.models.units import UnitClaim
from backend.services.letting_right_acts import see_right
from tests.services import staff, stories


def claim_of(unit_id: str) -> UnitClaim:
    """The accepted claim on a unit as it is stored now."""
    db.session.rollback()
    return db.session.scalars(
        select(UnitClaim).where(UnitClaim.unit_id == unit_id, UnitClaim.state == "accepted")
    ).one()


def see(world: Any, session_id: str, unit_id: str, how: str = "at_window", claim_id: str | None = None) -> None:
    """Note that the right to let this unit was seen."""
    see_right(world, session_id=session_id, unit_id=unit_id, claim_id=claim_id or claim_of(unit_id).id, how=how)


def make_seen(world: Any, unit_id: str) -> None:
    """A window clerk has seen the right to let this unit."""
    see(world, staff.make_session(world, "window_clerk", purpose="help_request"), unit_id)


def make_over(world: Any) -> str:
    """A unit let by a manager whose mandate ended yesterday; answers its id."""
    story = stories.make_let_unit(world)
    with transaction() as session:
        claim = session.get_one(UnitClaim, claim_of(story.unit_id).id)
        claim.right_kind, claim.mandate_ends_on = "mandate", world.clock.today() - timedelta(days=1)
    return story.unit_id
