"""What is still owed about a dwelling that now lies in another division goes to the office of that division.

Everything here runs inside the caller's write unit.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from backend.domain.appointments import LIVE
from backend.domain.officers import covers
from backend.gateways.world import World
from backend.models.appointments import Appointment
from backend.models.cases import Case
from backend.models.dwellings import Dwelling
from backend.models.officers import Officer
from backend.models.registrations import Registration
from backend.models.units import Unit
from backend.models.visits import Visit
from backend.queries.case_lists import is_owed
from backend.services.audit import Actor, write_leaf
from backend.services.case_steps import advance, note_step, withdraw_visit
from backend.services.letter_rows import move_letters

MOVED = "home_moved"


def follow_home(world: World, session: Session, home: Dwelling, actor: Actor) -> None:
    """Hand the cases, planned visits and unprinted letters of a flushed dwelling to the office of its division.

    Who had taken a case and is not of that office gives it back, and a visit that such a one was to make is withdrawn.
    A review with an appointment stays with the office that expects the person.
    """
    units = session.scalars(select(Unit).where(Unit.dwelling_id == home.id)).all()
    about = or_(
        Case.unit_id.in_([unit.id for unit in units]),
        Case.unit_id.is_(None) & (Case.evidence["dwelling_id"].as_string() == home.id),
    )
    expected = select(Appointment.id).where(Appointment.case_id == Case.id, Appointment.state.in_(LIVE))
    owed = select(Case).where(about, is_owed(), ~expected.exists()).order_by(Case.id).with_for_update()
    for case in session.scalars(owed).all():
        if not covers(case.area, home.division):
            _hand_over(world, session, case, home.division, actor)
    move_letters(world, session, _written_to(session, units))


def follow_case(world: World, session: Session, case: Case, actor: Actor) -> None:
    """The same for one locked case that is owed again: its house may have moved, and its taker with it, meanwhile."""
    home = _home_of(session, case)
    if home is not None and not covers(case.area, home.division):
        _hand_over(world, session, case, home.division, actor)
    else:
        _give_back(world, session, case, actor)


def _hand_over(world: World, session: Session, case: Case, division: str, actor: Actor) -> None:
    case.area = division
    case.version += 1
    note_step(world, session, case, "route", actor, reason=MOVED)
    _give_back(world, session, case, actor)
    planned = select(Visit).where(Visit.case_id == case.id, Visit.state == "planned").with_for_update()
    for visit in session.scalars(planned).all():
        if _is_of(session, visit.assignee_id, division):
            visit.area = division
        else:  # it stays in the area of whoever was to make it, who can read why nobody has to go
            withdraw_visit(world, session, case, visit, actor, reason=MOVED)


def _give_back(world: World, session: Session, case: Case, actor: Actor) -> None:
    if case.state != "assigned" or case.assigned_to is None or _is_of(session, case.assigned_to, case.area):
        return
    case.assigned_to = case.assigned_at = case.touched_at = None
    advance(world, session, case, "release", actor, reason=MOVED)
    write_leaf(world, session, actor, "case_released", object_kind="case", object_id=case.reference, decision=MOVED)


def _is_of(session: Session, officer_id: str, division: str) -> bool:
    return covers(session.get_one(Officer, officer_id).area, division)


def _home_of(session: Session, case: Case) -> Dwelling | None:
    if case.unit_id is None:
        return session.get(Dwelling, case.evidence.get("dwelling_id", ""))
    return session.get_one(Dwelling, session.get_one(Unit, case.unit_id).dwelling_id)


def _written_to(session: Session, units: Sequence[Unit]) -> set[str]:
    """Whoever lives or lived in these units, or lets them."""
    lived = select(Registration.person_id).where(
        Registration.unit_id.in_([unit.id for unit in units]), Registration.person_id.is_not(None)
    )
    return {*session.scalars(lived), *(unit.landlord_id for unit in units)} - {None}
