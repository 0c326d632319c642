"""The foreigners' form at the window: an officer notes that the police have taken it, for who has no phone at hand."""

from __future__ import annotations

from datetime import date

from sqlalchemy.orm import Session

from backend.db import transaction
from backend.domain.purposes import HANDLE_CASE, decide_act
from backend.domain.refusals import Refusal
from backend.gateways.world import World
from backend.models.registrations import Registration
from backend.queries.unit_facts import find_residence, find_unit
from backend.services.disclosures import answer, judge_area, note_refusal
from backend.services.foreign_paths import note_foreign_done
from backend.services.officer_sessions import Acting, acting_officer


def mark_foreign_done_at_window(world: World, *, session_id: str, registration_id: str, done_on: date) -> date:
    """Note the day on which the police took a foreigner's form (EEL-39); the person is told and reads who noted it.

    Raises Refused purpose.missing, purpose.unfit, area.foreign (written down), not_found, transition,
    input.future_date, foreign.done_on.
    """
    with transaction() as session:
        acting = acting_officer(world, session, session_id)
        outcome = _registration_for(session, acting, registration_id)
        note_refusal(world, session, acting, outcome, "registration", registration_id)
        if isinstance(outcome, Registration):
            note_foreign_done(world, session, outcome, done_on, acting.actor, source="officer")
    answer(outcome)
    return done_on


def _registration_for(session: Session, acting: Acting, registration_id: str) -> Registration | Refusal:
    residence = find_residence(registration_id)
    unit = find_unit(residence.unit_id) if residence else None
    refusal = decide_act(acting.session.purpose, HANDLE_CASE) or judge_area(acting, unit.division if unit else None)
    return refusal or session.get(Registration, registration_id) or Refusal("not_found")
