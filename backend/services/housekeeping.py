"""What time itself brings about besides duties: late reviews, finished revocations, forgetting."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from backend.db import transaction
from backend.domain.cases import IDLE, returning_kinds
from backend.domain.duties import DUTIES
from backend.gateways.world import World
from backend.models.accounts import LoginCode
from backend.models.cases import Case
from backend.models.commands import Command
from backend.models.data_keys import DataKey
from backend.models.identity_checks import IdentityChallenge
from backend.models.lock_events import LockAnomaly
from backend.models.network_identity import NetworkIdentityRequest
from backend.models.persons import Person
from backend.services.audit import SYSTEM, write_leaf
from backend.services.case_messages import forget_contacts
from backend.services.case_steps import advance, forget_words, note_step
from backend.services.crowding import open_crowding_cases
from backend.services.duties import keep_duties
from backend.services.erasures import finish_erasures
from backend.services.event_months import forget_door_events, make_months_ahead
from backend.services.exemptions import end_past_exemptions
from backend.services.identity_retention import forget_adrift
from backend.services.inbox import tell_person
from backend.services.key_changes import end_past_visitors, finish_past_exposure
from backend.services.mandates import tell_mandate_ends
from backend.services.office_retention import forget_shared
from backend.services.outbox import forget_done
from backend.services.staff_notices import tell_supervisors
from backend.services.visit_withdrawals import withdraw_groundless

Chore = Callable[[World, Session], None]
ANOMALIES_KEPT = timedelta(days=180)  # as application logs
TOLD_KEPT = timedelta(days=30)


def keep_house(world: World, chores: Sequence[Chore] | None = None) -> None:
    """Run all of the below and what duties bring, or those of `chores`, each in its own write unit.

    Repeated runs change nothing more.
    A chore that fails does not keep the others from running; the first failure is raised at the end.
    """
    failures: list[Exception] = []
    for chore in CHORES if chores is None else chores:
        try:
            with transaction() as session:
                chore(world, session)
        except Exception as error:  # one unreadable row must not stop revocations and retention
            failures.append(error)
    while chores is None and keep_duties(world):
        pass
    if failures:
        raise failures[0]


def _extend_attestations(world: World, session: Session) -> None:
    """An attestation the office was late to review goes on; only a person ends it."""
    late = session.scalars(
        select(Person).where(Person.identity_state == "attested", Person.identity_review_due_at < world.clock.now())
    )
    for person in late.all():
        person.identity_review_due_at = world.clock.now() + world.house.attestation_review


def _give_back_idle_cases(world: World, session: Session) -> None:
    """A case that was taken and then left alone goes back to the queue: somebody waits for it."""
    idle = session.scalars(
        select(Case).where(
            Case.state == "assigned",
            Case.kind.in_(returning_kinds()),
            func.coalesce(Case.touched_at, Case.assigned_at) < world.clock.now() - IDLE,
        )
    )
    for case in idle.all():
        case.assigned_to, case.assigned_at, case.touched_at = None, None, None
        advance(world, session, case, "release", SYSTEM, reason="idle")
        write_leaf(
            world, session, SYSTEM, "case_released", object_kind="case", object_id=case.reference, decision="idle"
        )


def _escalate_late_reviews(world: World, session: Session) -> None:
    """A review past its time goes to the supervisors, once; the tenant is told, and no key is touched."""
    [step] = DUTIES["identity_review"].steps
    assert step.notice is not None
    late = session.scalars(
        select(Case).where(
            Case.kind == "identity_review",
            Case.decided_at.is_(None),
            Case.escalated_at.is_(None),
            Case.due_at < world.clock.now(),
        )
    )
    for case in late.all():
        case.escalated_at = world.clock.now()
        case.version += 1
        note_step(world, session, case, "escalate", SYSTEM)
        if case.person_id is not None:
            tell_person(world, session, case.person_id, step.notice, once=case.id, reference=case.reference)


def _escalate_late_calls(world: World, session: Session) -> None:
    """Who left a number and was not called in time: the supervisors hear of it, once."""
    late = session.scalars(
        select(Case).where(
            Case.call_due_at.is_not(None),
            Case.call_due_at < world.clock.now(),
            Case.answered_at.is_(None),
            Case.escalated_at.is_(None),
        )
    )
    for case in late.all():
        case.escalated_at = world.clock.now()
        case.version += 1
        note_step(world, session, case, "escalate", SYSTEM)
        once = f"{case.id}:{case.version}"
        tell_supervisors(world, session, case.area, "call_late", once=once, reference=case.reference)


def _end_exemptions(world: World, session: Session) -> None:
    end_past_exemptions(world, session)


def _end_visitors(world: World, session: Session) -> None:
    end_past_visitors(world, session)


def _finish_revocations(world: World, session: Session) -> None:
    finish_past_exposure(world, session)


def _forget(world: World, session: Session) -> None:
    """Retention: codes and challenges go within a day of their end, commands after 30 days as door events do."""
    before = world.clock.now() - timedelta(days=1)
    old = session.scalars(select(LoginCode.id).where(LoginCode.expires_at < before)).all()
    if old:
        session.execute(delete(LoginCode).where(LoginCode.id.in_(old)))
        session.execute(delete(DataKey).where(DataKey.subject_id.in_(old)))
    session.execute(delete(Command).where(Command.created_at < world.clock.now() - world.house.door_events_kept))
    session.execute(delete(NetworkIdentityRequest).where(NetworkIdentityRequest.expires_at < before))
    unused = IdentityChallenge.used_at.is_(None) & (IdentityChallenge.expires_at < before)
    session.execute(delete(IdentityChallenge).where(unused))


def _finish_erasures(world: World, session: Session) -> None:
    finish_erasures(world, session)


def _keep_months(world: World, session: Session) -> None:
    make_months_ahead(world, session)


def _forget_door_events(world: World, session: Session) -> None:
    """Retention of what locks have told; in a unit of its own, since dropping a month locks the table for a moment."""
    forget_door_events(world, session)
    session.execute(delete(LockAnomaly).where(LockAnomaly.last_at < world.clock.now() - ANOMALIES_KEPT))


def _forget_adrift(world: World, session: Session) -> None:
    """Retention of identities whose entries were voided or never declared, and to which nothing leads any more."""
    forget_adrift(world, session)


def _open_crowding_cases(world: World, session: Session) -> None:
    """Where more people live than the standard in force allows, a person of the housing office looks, once (HR-7)."""
    open_crowding_cases(world, session)


def _forget_words(world: World, session: Session) -> None:
    """Retention of what was written in reports and answers, and of callers' numbers."""
    forget_words(world, session)
    forget_contacts(world, session)


def _forget_shared(world: World, session: Session) -> None:
    """Retention of what went to and came from other offices; the leaves that show it to people stay."""
    forget_shared(world, session)


def _forget_told(world: World, session: Session) -> None:
    """What was sent is found by its own history (attempts, deliveries, commands); its row of the outbox may go."""
    forget_done(session, world.clock.now() - TOLD_KEPT)


def _withdraw_groundless_visits(world: World, session: Session) -> None:
    """Nobody is visited for what has come right meanwhile."""
    withdraw_groundless(world, session)


OFTEN = (
    _end_exemptions,
    _extend_attestations,
    _give_back_idle_cases,
    _escalate_late_reviews,
    _escalate_late_calls,
    _end_visitors,
    _withdraw_groundless_visits,
    _finish_revocations,
    _forget,
    _finish_erasures,
)
# They look through a month's rows.
HOURLY = (
    _keep_months,
    _forget_door_events,
    _forget_words,
    _forget_adrift,
    _forget_shared,
    _forget_told,
    _open_crowding_cases,
    tell_mandate_ends,
)
CHORES = (*OFTEN, *HOURLY)
