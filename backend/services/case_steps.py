"""The one way a case moves: a step with its actor, reason and version; and the words that belong to steps.

What another noun does in the field for a case (a visit) is written down here too, as a step of that case.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from backend.domain.case_reports import WORDS_KEPT
from backend.domain.cases import OPEN_STATES, TRANSITIONS
from backend.domain.ids import new_id
from backend.gateways.world import World
from backend.models.cases import Case, CaseStep
from backend.models.data_keys import DataKey
from backend.models.officers import Officer
from backend.models.visits import Visit
from backend.services import vault
from backend.services.audit import Actor

PLACE = "case_steps.words"


@dataclass(frozen=True)
class StepView:
    """One step. `badge` is the officer's pseudonym; `words` are what was reported or answered, None once forgotten."""

    version: int
    action: str
    state: str
    actor: str
    badge: str | None
    reason: str | None
    words: str | None
    at: datetime


def advance(
    world: World, session: Session, case: Case, action: str, actor: Actor, *, reason: str | None = None, words: str = ""
) -> None:
    """Take one step inside the present write unit; the caller has asked the domain whether it is possible.

    With a case that is over, a visit that was still to be made for it is no longer needed.

    Raises KeyError for a step that the case's state does not have: a mistake of the code, never of a person.
    """
    case.state = TRANSITIONS[case.state][action]
    case.version += 1
    note_step(world, session, case, action, actor, reason=reason, words=words)
    if case.state not in OPEN_STATES:
        needless = update(Visit).where(Visit.case_id == case.id, Visit.state == "planned").values(state="withdrawn")
        session.execute(needless)


def withdraw_visit(
    world: World, session: Session, case: Case, visit: Visit, actor: Actor, *, reason: str
) -> None:
    """Nobody has to make this planned visit any more; its locked case goes on, and its history says why."""
    visit.state = "withdrawn"
    case.version += 1
    note_step(world, session, case, "withdraw_visit", actor, reason=reason)


def note_step(
    world: World, session: Session, case: Case, action: str, actor: Actor, *, reason: str | None = None, words: str = ""
) -> None:
    """Write down the step that led to the case's present state and version."""
    step = CaseStep(
        id=new_id(),
        case_id=case.id,
        version=case.version,
        action=action,
        state=case.state,
        actor=actor.kind,
        officer_id=actor.id if actor.kind == "officer" else None,
        reason=reason,
        at=world.clock.now(),
    )
    if words.strip():
        if session.get(DataKey, case.id) is None:
            vault.make_data_key(world, session, case.id)
        step.words_sealed = vault.seal(world, session, case.id, PLACE, step.id, words.strip())
    session.add(step)
    session.flush()


def list_steps(world: World, session: Session, case: Case) -> tuple[StepView, ...]:
    """The history of a case, the first step first. Inside a write unit that has written who reads it."""
    is_kept = session.get(DataKey, case.id) is not None
    rows = session.execute(
        select(CaseStep, Officer.badge)
        .outerjoin(Officer, Officer.id == CaseStep.officer_id)
        .where(CaseStep.case_id == case.id)
        .order_by(CaseStep.version)
    )
    return tuple(
        StepView(
            version=step.version,
            action=step.action,
            state=step.state,
            actor=step.actor,
            badge=badge,
            reason=step.reason,
            words=vault.unseal(world, session, case.id, PLACE, step.id, step.words_sealed)
            if step.words_sealed is not None and is_kept
            else None,
            at=step.at,
        )
        for step, badge in rows
    )


def last_words(steps: tuple[StepView, ...], *actions: str) -> str | None:
    """The words of the latest of these steps, if it had any."""
    return next((step.words for step in reversed(steps) if step.action in actions), None)


def forget_words(world: World, session: Session) -> None:
    """Retention: a year after its last step a case's words go, with the key they were sealed under."""
    before = world.clock.now() - WORDS_KEPT
    quiet = (
        select(CaseStep.case_id)
        .join(DataKey, DataKey.subject_id == CaseStep.case_id)
        .group_by(CaseStep.case_id)
        .having(func.max(CaseStep.at) < before)
    )
    session.execute(delete(DataKey).where(DataKey.subject_id.in_(session.scalars(quiet).all())))
