"""Duties in time: what is said when, driven by the one table of `domain.duties`.

A registration is looked at when something is to be said about it, or after it or its lease was changed:
`duties_look_at` holds when, and every write resets it (models.base.look_again), so that no use case has to think of
duties. A look says the latest step that has come, once, opens the case a missed duty leads to, and tells an open case
when its duty was fulfilled. From here no way leads to a key or a lock, which a test holds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import cast

import structlog
from sqlalchemy import Table, bindparam, select, update
from sqlalchemy.orm import Session

from backend.db import reading, transaction
from backend.domain.cases import KINDS, OPEN_STATES
from backend.domain.duties import (
    DUTIES,
    Duty,
    Running,
    Step,
    escalation_kinds,
    next_look_at,
    running_duties,
)
from backend.domain.duty_facts import DutyFacts
from backend.gateways.world import World
from backend.models.cases import Case
from backend.models.leases import Lease
from backend.models.registrations import Registration
from backend.services.audit import SYSTEM
from backend.services.duty_rows import SIDES, account_of_side, facts_of
from backend.services.inbox import tell_account
from backend.services.registration_changes import change_registration, open_registration_case
from backend.services.reminder_messages import remind_by_sms
from backend.services.unit_names import unit_alias

log = structlog.get_logger(__name__)

CHUNK = 100  # looks in one write unit: SQLite's writer is held for some tens of milliseconds
AGAIN_AFTER_FAULT = timedelta(hours=1)
_ANSWERABLE = tuple(
    kind for kind in escalation_kinds()
    if any({"declared_now", "mended"} & set(end.reasons) for end in KINDS[kind].decisions.values())
)  # fmt: skip


def keep_duties(world: World, *, limit: int = CHUNK) -> int:
    """Take one chunk of looks that are due, in one write unit; answers how many, 0 when there is nothing to do.

    Repeated calls say nothing twice. A row that cannot be read holds nobody else up: it is tried again in an hour.
    """
    if not _is_anything_due(world):
        return 0
    try:
        return _look_at_chunk(world, limit)
    except Exception as error:
        log.error("duties_chunk_failed", error=type(error).__name__)  # the text may carry values
    return _look_one_by_one(world, limit)


def _is_anything_due(world: World) -> bool:
    now = world.clock.now()
    with reading() as session:
        for kind in (Registration, Lease):
            if session.scalar(select(kind.id).where(kind.duties_look_at <= now).limit(1)) is not None:
                return True
    return False


def _look_at_chunk(world: World, limit: int) -> int:
    with transaction() as session:
        changed = _take_leases(world, session, limit)
        rows = _take_registrations(world, session, [lease.id for lease in changed], limit)
        leases = {lease.id: lease for lease in changed}
        looked = [(row, leases.get(row.lease_id or "") or _lease_of(session, row)) for row in rows]
        quiet = [row for row in rows if row.registry_alarmed_at is None]
        for registration, lease in looked:
            _look(world, session, registration, lease)
        near = sum(row.registry_alarmed_at is not None for row in quiet)
        session.flush()
        _answer_cases(world, session, looked)
        session.flush()
        seen = {registration.lease_id for registration in rows}
        _note_looks(world, session, looked, [lease.id for lease in changed if lease.id in seen])
    if near:  # one line for a chunk: an outage must not fill the log
        log.error("registry_deadline_near", declarations=near, see="registry status")
    return len(looked)


def _look_one_by_one(world: World, limit: int) -> int:
    """Each in a write unit of its own; the one that fails is put off."""
    now = world.clock.now()
    with reading() as session:
        due = select(Registration.id).where(Registration.duties_look_at <= now)
        of_leases = (
            select(Registration.id).join(Lease, Lease.id == Registration.lease_id).where(Lease.duties_look_at <= now)
        )
        ids = dict.fromkeys([*session.scalars(of_leases.limit(limit)), *session.scalars(due.limit(limit))])
    for registration_id in ids:
        try:
            with transaction() as session:
                registration = session.get_one(Registration, registration_id, with_for_update=True)
                lease = _lease_of(session, registration, locked=True)
                _look(world, session, registration, lease)
                session.flush()
                _answer_cases(world, session, [(registration, lease)])
                session.flush()
                _note_looks(world, session, [(registration, lease)], [lease.id] if lease else [])
        except Exception as error:
            log.error("duty_look_failed", registration_id=registration_id, error=type(error).__name__)
            _put_off(world, registration_id)
    return len(ids)


def _put_off(world: World, registration_id: str) -> None:
    with transaction() as session:
        later = update(Registration).where(Registration.id == registration_id)
        session.execute(later.values(duties_look_at=world.clock.now() + AGAIN_AFTER_FAULT))
        lease_id = select(Registration.lease_id).where(Registration.id == registration_id).scalar_subquery()
        session.execute(update(Lease).where(Lease.id == lease_id).values(duties_look_at=None))


def _take_leases(world: World, session: Session, limit: int) -> Sequence[Lease]:
    due = select(Lease).where(Lease.duties_look_at <= world.clock.now()).order_by(Lease.duties_look_at).limit(limit)
    return session.scalars(due.with_for_update(skip_locked=True)).all()


def _take_registrations(world: World, session: Session, lease_ids: list[str], limit: int) -> list[Registration]:
    of_leases = select(Registration).where(Registration.lease_id.in_(lease_ids)).with_for_update(skip_locked=True)
    found = {row.id: row for row in session.scalars(of_leases)} if lease_ids else {}
    due = (
        select(Registration)
        .where(Registration.duties_look_at <= world.clock.now())
        .order_by(Registration.duties_look_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    found |= {row.id: row for row in session.scalars(due)}
    return list(found.values())


def _lease_of(session: Session, registration: Registration, *, locked: bool = False) -> Lease | None:
    if registration.lease_id is None:
        return None
    return session.get(Lease, registration.lease_id, with_for_update=True if locked else None)


def _note_looks(
    world: World, session: Session, looked: list[tuple[Registration, Lease | None]], lease_ids: list[str]
) -> None:
    """Write when each is looked at next, by statements of their own: a write through the object would ask at once."""
    now = world.clock.now()
    next_ones = [
        {"row_id": registration.id, "at": next_look_at(facts_of(registration, lease), now)}
        for registration, lease in looked
    ]
    connection = session.connection()
    for kind, values in ((Registration, next_ones), (Lease, [{"row_id": i, "at": None} for i in lease_ids])):
        if values:
            noted = (
                update(cast(Table, kind.__table__))
                .where(kind.id == bindparam("row_id"))
                .values(duties_look_at=bindparam("at"))
            )
            connection.execute(noted, values)
    session.expire_all()


def _look(world: World, session: Session, registration: Registration, lease: Lease | None) -> None:
    """Take each duty's latest step, and open its case when that time has come."""
    now, facts = world.clock.now(), facts_of(registration, lease)
    for running in running_duties(facts):
        step = running.latest_step(facts, now)
        if step is None:
            continue
        act = _ACTS.get(running.duty.code)
        if act is not None:
            act(world, session, registration, running, facts)
        if step.notice is not None:
            _say(world, session, running, step, registration, lease)
        if running.escalates(now):
            _escalate(world, session, running, registration)


def _say(
    world: World, session: Session, running: Running, step: Step, registration: Registration, lease: Lease | None
) -> None:
    """One message to each side that owes it, in the inbox and, when it is near, to the phone."""
    duty, due_on = running.duty, running.due_on.isoformat()
    assert step.notice is not None
    for side in SIDES if duty.owner == "both" else (duty.owner,):
        account_id = account_of_side(world, session, side, registration, lease)
        if account_id is None:
            continue
        params = {"ends_on": due_on} if duty.runs_from == "lease_ends_on" else {}
        told = tell_account(
            world,
            session,
            account_id,
            step.notice,
            once=f"{registration.id}:{due_on}:{step.code}:{side}",
            rule=duty.rule,
            unit=unit_alias(session, registration.unit_id),
            due_on=due_on,
            duty=duty.code,
            side=side,
            registration_id=registration.id,
            lease_id=registration.lease_id,
            **params,
        )
        if told and duty.goes_by_sms(step):
            remind_by_sms(world, session, account_id)


def _escalate(world: World, session: Session, running: Running, registration: Registration) -> None:
    """A person helps: one case for each registration, kind and rule, whatever became of it."""
    row, rule = running.duty.escalation, running.duty.rule
    assert row is not None and rule is not None
    known = select(Case.id).where(Case.registration_id == registration.id, Case.kind == row.kind, Case.rule == rule)
    if row.kind != "dispute" and session.scalar(known.limit(1)) is not None:
        return
    evidence = {"due_on": running.due_on.isoformat(), "duty": running.duty.code}
    if row.kind == "dispute":
        evidence["tenant"] = "no_answer"
    case = open_registration_case(
        world, session, registration, kind=row.kind, rule=rule, opened_by="rule", evidence=evidence
    )
    if row.kind == "dispute":  # the key stays alive, a person decides
        registration.disputed, registration.case_id = True, case.id
        change_registration(world, session, registration, "no_answer", SYSTEM, source="system")
    elif registration.case_id is None:
        registration.case_id = case.id


def _answer_cases(world: World, session: Session, looked: Sequence[tuple[Registration, Lease | None]]) -> None:
    """Tell each open case whether its duty was fulfilled meanwhile; a person still closes it."""
    by_id = {registration.id: (registration, lease) for registration, lease in looked}
    if not by_id:
        return
    open_ones = select(Case).where(
        Case.registration_id.in_(by_id), Case.kind.in_(_ANSWERABLE), Case.opened_by == "rule",
        Case.state.in_(OPEN_STATES),
    )  # fmt: skip
    for case in session.scalars(open_ones).all():
        registration, lease = by_id[case.registration_id or ""]
        now, every = world.clock.now(), running_duties(facts_of(registration, lease))
        owed = {running.duty.code for running in every if running.escalates(now)}  # else done, or put off: an extension
        duty = _duty_of(case)
        if duty is None:
            continue
        evidence = {name: value for name, value in case.evidence.items() if name != "suggestion"}
        if duty.code not in owed and duty.escalation is not None:
            evidence["suggestion"] = duty.escalation.answer if registration.residence == "living" else "mended"
        if evidence != case.evidence:
            case.evidence = evidence


def _duty_of(case: Case) -> Duty | None:
    """The duty a case came from; one opened before duties were named in it is found by kind and rule."""
    for duty in DUTIES.values():
        named = case.evidence.get("duty") == duty.code
        alike = "duty" not in case.evidence and duty.escalation is not None
        if named or (alike and (duty.escalation.kind, duty.rule) == (case.kind, case.rule)):  # type: ignore[union-attr]
            return duty
    return None


Act = Callable[[World, Session, Registration, Running, DutyFacts], None]


def _expire_draft(
    world: World, session: Session, registration: Registration, running: Running, facts: DutyFacts
) -> None:
    """A draft nobody completed goes back to `invited`; what was entered with it stays the person's own."""
    if running.due_at <= world.clock.now():
        registration.tenant_leg, registration.draft_expires_at = "invited", None
        change_registration(world, session, registration, "draft_expired", SYSTEM, source="system")


def _note_registry(
    world: World, session: Session, registration: Registration, running: Running, facts: DutyFacts
) -> None:
    """The operator hears of a declaration the registry may not accept in time, then the paper form becomes due."""
    now = world.clock.now()
    step = running.latest_step(facts, now)
    if registration.registry_alarmed_at is None:
        registration.registry_alarmed_at = now
    if step is not None and step.code == "paper" and registration.paper_due_at is None:
        registration.paper_due_at = now


_ACTS: dict[str, Act] = {"draft": _expire_draft, "registry": _note_registry}
