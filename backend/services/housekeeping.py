"""What time itself brings about: expired drafts, reminders, late reviews, finished revocations, forgetting."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

from sqlalchemy import delete, exists, func, select
from sqlalchemy.orm import Session

from backend.db import transaction
from backend.domain.cases import IDLE, returning_kinds
from backend.domain.registrations import landlord_end_due_on
from backend.gateways.world import World
from backend.models.accounts import LoginCode
from backend.models.cases import Case
from backend.models.commands import Command
from backend.models.data_keys import DataKey
from backend.models.dwellings import Dwelling
from backend.models.identity_checks import IdentityChallenge
from backend.models.keys import Key
from backend.models.leases import Lease
from backend.models.lock_events import LockAnomaly
from backend.models.network_identity import NetworkIdentityRequest
from backend.models.persons import Person
from backend.models.registrations import Registration
from backend.models.units import Unit
from backend.services.audit import SYSTEM, write_leaf
from backend.services.case_opening import open_case
from backend.services.event_months import forget_door_events, make_months_ahead
from backend.services.exemptions import end_past_exemptions
from backend.services.inbox import tell_account, tell_person
from backend.services.key_changes import end_past_visitors, finish_past_exposure, unit_alias
from backend.services.registration_changes import change_registration, open_registration_case

REMIND_BEFORE = timedelta(days=1)
ASK_BEFORE_END = timedelta(days=14)
ANSWER_WITHIN = timedelta(days=7)  # then silence goes to a person
Chore = Callable[[World, Session], None]
ANOMALIES_KEPT = timedelta(days=180)  # as application logs


def keep_house(world: World, chores: Sequence[Chore] | None = None) -> None:
    """Run all of the below, or those of `chores`, each in its own write unit; repeated runs change nothing more.

    A chore that fails does not keep the others from running; the first failure is raised at the end.
    """
    failures: list[Exception] = []
    for chore in CHORES if chores is None else chores:
        try:
            with transaction() as session:
                chore(world, session)
        except Exception as error:  # one unreadable row must not stop revocations and retention
            failures.append(error)
    if failures:
        raise failures[0]


def _expire_drafts(world: World, session: Session) -> None:
    """A draft nobody completed in 15 days goes back to `invited`; what was entered with it stays the person's own."""
    stale = session.scalars(
        select(Registration).where(
            Registration.tenant_leg == "draft", Registration.draft_expires_at < world.clock.now()
        )
    )
    for registration in stale.all():
        registration.tenant_leg, registration.draft_expires_at = "invited", None
        change_registration(world, session, registration, "draft_expired", SYSTEM, source="system")


def _remind(world: World, session: Session) -> None:
    """A missed or near deadline makes a reminder to the one who owes the duty: never a penalty, never a lock action."""
    today = world.clock.today()
    open_ones = session.execute(
        select(Registration, Lease)
        .join(Lease, Lease.id == Registration.lease_id)
        .where(Registration.residence == "living", Lease.state == "active")
    ).all()
    for registration, lease in open_ones:
        unit = unit_alias(session, lease.unit_id)
        due = registration.landlord_due_on
        if registration.landlord_leg == "due" and due is not None and due - REMIND_BEFORE <= today:
            tell_person(
                world,
                session,
                lease.landlord_id,
                "report_due",
                once=f"{lease.id}:{due}",
                rule="ZJ-9-1",
                unit=unit,
                due_on=due.isoformat(),
            )
        if registration.tenant_leg == "draft" and registration.scope != "exempt":
            _remind_tenant(world, session, registration, lease, unit)
        if lease.ends_on is not None and lease.ends_on - ASK_BEFORE_END <= today:
            _ask_at_end(world, session, lease, unit)


def _remind_tenant(world: World, session: Session, registration: Registration, lease: Lease, unit: str) -> None:
    holder = session.scalar(
        select(Key.holder_account_id).where(Key.lease_id == lease.id, Key.holder_account_id.is_not(None)).limit(1)
    )
    due = registration.tenant_due_on
    if holder is not None and due is not None and due - REMIND_BEFORE <= world.clock.today():
        tell_account(
            world,
            session,
            holder,
            "declare_due",
            once=f"{registration.id}:{due}",
            rule="HK-15",
            unit=unit,
            due_on=due.isoformat(),
        )


def _ask_at_end(world: World, session: Session, lease: Lease, unit: str) -> None:
    """Both sides are asked before the planned end; nobody is checked out automatically."""
    assert lease.ends_on is not None
    for person_id in (lease.landlord_id, lease.tenant_id):
        if person_id is not None:
            tell_person(
                world,
                session,
                person_id,
                "lease_ends",
                once=f"{lease.id}:{lease.ends_on}:{person_id}",
                unit=unit,
                ends_on=lease.ends_on.isoformat(),
            )
    if lease.ends_on < world.clock.today() and lease.landlord_ended_on is None:
        due = landlord_end_due_on(lease.ends_on)
        tell_person(
            world,
            session,
            lease.landlord_id,
            "report_end_due",
            once=f"{lease.id}:{due}",
            rule="ZJ-9-2",
            unit=unit,
            due_on=due.isoformat(),
        )


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
        case.state, case.assigned_to, case.assigned_at, case.touched_at = "routed", None, None, None
        case.version += 1
        write_leaf(
            world, session, SYSTEM, "case_released", object_kind="case", object_id=case.reference, decision="idle"
        )


def _escalate_late_reviews(world: World, session: Session) -> None:
    """A review past its time goes to the supervisors, once; the tenant is told, and no key is touched."""
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
        if case.person_id is not None:
            tell_person(world, session, case.person_id, "review_late", once=case.id, reference=case.reference)


def _open_overdue_cases(world: World, session: Session) -> None:
    """A declaration that is late becomes a task for a visit, once: people are helped, not locked out (HK-15)."""
    late = session.scalars(
        select(Registration).where(
            Registration.tenant_leg != "declared",
            Registration.scope != "exempt",
            Registration.residence == "living",
            ~exists().where(Case.registration_id == Registration.id, Case.kind == "overdue_registration"),
            Registration.tenant_due_on < world.clock.today(),
        )
    )
    for registration in late.all():
        unit = session.get_one(Unit, registration.unit_id)
        dwelling = session.get_one(Dwelling, unit.dwelling_id)
        case = open_case(
            world,
            session,
            kind="overdue_registration",
            area=dwelling.division,
            unit_id=unit.id,
            registration_id=registration.id,
            rule="HK-15",
            opened_by="rule",
            evidence={"due_on": registration.tenant_due_on.isoformat()} if registration.tenant_due_on else {},
        )
        registration.case_id = registration.case_id or case.id


def _ask_about_silence(world: World, session: Session) -> None:
    """The landlord said "left" and the tenant has not answered for a week: a person decides, the key stays alive."""
    unanswered = session.scalars(
        select(Registration)
        .join(Lease, Lease.id == Registration.lease_id)
        .where(
            Lease.landlord_ended_on.is_not(None),
            Lease.state == "active",
            Registration.residence == "living",
            Registration.disputed.is_(False),
            Registration.person_id.is_not(None),
            Registration.landlord_end_reported_at < world.clock.now() - ANSWER_WITHIN,
        )
    )
    for registration in unanswered.all():
        case = open_registration_case(
            world,
            session,
            registration,
            kind="dispute",
            rule="HR-12",
            opened_by="rule",
            evidence={"tenant": "no_answer"},
        )
        registration.disputed, registration.case_id = True, case.id
        change_registration(world, session, registration, "no_answer", SYSTEM, source="system")


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


def _keep_months(world: World, session: Session) -> None:
    make_months_ahead(world, session)


def _forget_door_events(world: World, session: Session) -> None:
    """Retention of what locks have told; in a unit of its own, since dropping a month locks the table for a moment."""
    forget_door_events(world, session)
    session.execute(delete(LockAnomaly).where(LockAnomaly.last_at < world.clock.now() - ANOMALIES_KEPT))


OFTEN = (
    _expire_drafts,
    _end_exemptions,
    _remind,
    _extend_attestations,
    _give_back_idle_cases,
    _escalate_late_reviews,
    _open_overdue_cases,
    _ask_about_silence,
    _end_visitors,
    _finish_revocations,
    _forget,
)
HOURLY = (_keep_months, _forget_door_events)  # they look through a month's rows
CHORES = (*OFTEN, *HOURLY)
