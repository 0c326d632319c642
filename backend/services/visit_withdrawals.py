"""Planned visits whose ground has gone: nobody is disturbed for what has come right. Inside the caller's write unit."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.domain.visits import has_ground
from backend.gateways.world import World
from backend.models.cases import Case
from backend.models.units import Unit
from backend.models.visits import Visit
from backend.models.window_visits import WindowVisit
from backend.queries.local_standards import standard_on
from backend.queries.visit_grounds import list_true_grounds
from backend.services.audit import SYSTEM
from backend.services.case_steps import advance, withdraw_visit

GONE = "ground_gone"


def withdraw_groundless(world: World, session: Session) -> None:
    """Withdraw what is planned for no ground any more; a case opened for the visit alone is over with it.

    Not while somebody is being served at that door: their registration is what takes the ground away.
    """
    now = world.clock.now()
    served = select(WindowVisit.id).where(WindowVisit.visit_id == Visit.id, WindowVisit.ends_at > now)
    planned = session.execute(
        select(Visit.id, Visit.unit_id, Case).join(Case, Case.id == Visit.case_id)
        .where(Visit.state == "planned", ~served.exists()).order_by(Case.id)
    ).all()  # fmt: skip
    if not planned:
        return
    standard = standard_on(session, world.house, world.clock.today())
    units = Unit.id.in_(select(Visit.unit_id).where(Visit.state == "planned"))
    true = list_true_grounds(now, standard, units)
    for visit_id, unit_id, case in planned:
        if not has_ground(case.kind, case.evidence, true.get(unit_id, set())):
            _withdraw(world, session, visit_id, case.id)


def _withdraw(world: World, session: Session, visit_id: str, case_id: str) -> None:
    case = session.get_one(Case, case_id, with_for_update=True, populate_existing=True)
    visit = session.get_one(Visit, visit_id, with_for_update=True, populate_existing=True)
    if visit.state != "planned":  # noted meanwhile
        return
    withdraw_visit(world, session, case, visit, SYSTEM, reason=GONE)
    if case.kind == "visit":  # nobody did anything, so nobody has to check it
        case.decision, case.decision_reason, case.decided_at = "handled", "mended", world.clock.now()
        advance(world, session, case, "settle", SYSTEM, reason=GONE)
        advance(world, session, case, "check", SYSTEM)
