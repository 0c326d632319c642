"""Corrections made at the registry: fetched once, shown to the person first, counting only after the answer.

What a person accepts becomes an amendment whose source is the registry; it is not sent back, for the registry has it.
An objection, silence, or a field nobody may amend by own word goes to a person. The values are sealed throughout.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.db import reading, transaction
from backend.domain.corrections import (
    ANSWER_WITHIN,
    COUNTING,
    FIELD_NAMES,
    STATE_NAMES,
    shown_value,
)
from backend.domain.ids import new_id
from backend.domain.refusals import Refused, illegal_transition
from backend.gateways.world import World
from backend.models.registrations import Registration
from backend.models.registry_returns import RegistryCorrection, RegistryCursor
from backend.services.accepted_corrections import seal_values, values_of
from backend.services.audit import SYSTEM, Actor
from backend.services.correction_effects import count_own_fields
from backend.services.hands import Desk, acting_for
from backend.services.inbox import tell_person
from backend.services.key_changes import unit_alias
from backend.services.own_registrations import own_registration, own_registration_to_change
from backend.services.registration_changes import change_registration, hold_registration, open_registration_case
from backend.wire.registry_answers import Change
from backend.wire.registry_messages import is_record_id

log = structlog.get_logger(__name__)

FEED = "changes"
MOST_AT_ONCE = 100


@dataclass(frozen=True)
class CorrectedField:
    """One field as the registry has corrected it, in words."""

    field: str
    name_zh: str
    name_en: str
    value_zh: str
    value_en: str


@dataclass(frozen=True)
class CorrectionView:
    """A correction as its person sees it; `state`: 'shown', 'accepted', 'objected' or 'unanswered'."""

    id: str
    made_at: datetime
    due_at: datetime
    state: str
    state_zh: str
    state_en: str
    fields: tuple[CorrectedField, ...]


def fetch_corrections(world: World) -> int:
    """Read on in the registry's feed; answers how many were new. Stored with the cursor, so none is lost or doubled.

    Raises RegistryUnavailable and RegistryRefused.
    """
    with reading() as session:
        held = session.get(RegistryCursor, FEED)
        cursor = held.cursor if held else "0"
    changes, following = world.registry.changes(cursor)
    if not changes:
        return 0
    with transaction() as session:
        row = session.get(RegistryCursor, FEED, with_for_update=True)
        if (row.cursor if row else "0") != cursor:
            return 0  # another worker was quicker
        if row is None:
            row = RegistryCursor(name=FEED)
            session.add(row)
        row.cursor, row.at = following, world.clock.now()
        session.flush()
        return sum(_keep(world, session, change) for change in changes)


def list_corrections(world: World, *, account_id: str, registration_id: str) -> tuple[CorrectionView, ...]:
    """The corrections of one's own registration, newest first."""
    with reading() as session:
        registration = own_registration(session, account_id, registration_id)
        rows = session.scalars(
            select(RegistryCorrection)
            .where(RegistryCorrection.registration_id == registration.id)
            .order_by(RegistryCorrection.sequence.desc())
        ).all()
        return tuple(_view(world, session, registration, row) for row in rows)


def answer_correction(
    world: World,
    *,
    account_id: str,
    registration_id: str,
    correction_id: str,
    accept: bool,
    desk: Desk | None = None,
) -> CorrectionView:
    """Accept a correction, which then counts, or object, and a person decides. The same answer again changes nothing.

    Raises Refused not_found, and transition when it was answered otherwise.
    """
    with acting_for(world, account_id, desk, "answer_correction", registration_id=registration_id) as (session, hand):
        registration = own_registration_to_change(world, session, account_id, registration_id)
        row = session.get(RegistryCorrection, correction_id, with_for_update=True)
        if row is None or row.registration_id != registration.id:
            raise Refused("not_found", "correction_id")
        wanted = "accepted" if accept else "objected"
        if row.state not in ("shown", wanted):
            raise Refused.of([illegal_transition(STATE_NAMES[row.state], {})])
        if row.state == "shown":
            row.state, row.answered_at = wanted, world.clock.now()
            if not accept:
                _ask_a_person(world, session, registration, row, "objected")
            elif not _count(world, session, registration, row, hand.actor):
                _ask_a_person(world, session, registration, row, "needs_a_person")
        return _view(world, session, registration, row)


def decide_unanswered(world: World) -> int:
    """Corrections nobody answered in 15 days go to a person; answers how many."""
    with transaction() as session:
        late = session.scalars(
            select(RegistryCorrection)
            .where(RegistryCorrection.state == "shown", RegistryCorrection.due_at < world.clock.now())
            .order_by(RegistryCorrection.due_at)
            .limit(MOST_AT_ONCE)
            .with_for_update(skip_locked=True)
        ).all()
        for row in late:
            row.state, row.answered_at = "unanswered", world.clock.now()
            registration = session.get_one(Registration, row.registration_id)
            _ask_a_person(world, session, registration, row, "no_answer")
        return len(late)


def _keep(world: World, session: Session, change: Change) -> bool:
    """Store one correction and tell the person; what nobody can be shown is told to the operator."""
    registration = session.get(Registration, change.record_id) if is_record_id(change.record_id) else None
    known = select(RegistryCorrection.id).where(RegistryCorrection.sequence == change.sequence)
    if registration is not None:
        hold_registration(session, registration)
    if registration is None or registration.person_id is None or change.kind != "CORRECTED" or not change.fields:
        log.error("registry_change_ignored", sequence=change.sequence, kind=change.kind[:40])
        return False
    if session.scalar(known) is not None:
        return False
    now = world.clock.now()
    row = RegistryCorrection(
        id=new_id(),
        sequence=change.sequence,
        registration_id=registration.id,
        made_at=change.at,
        received_at=now,
        due_at=now + ANSWER_WITHIN,
        fields=sorted(change.fields),
        state="shown",
    )
    row.values_sealed = seal_values(world, session, registration, row.id, change.fields)
    session.add(row)
    session.flush()
    change_registration(
        world, session, registration, "correction_received", SYSTEM, source="registry", fields=row.fields
    )
    unit = unit_alias(session, registration.unit_id)
    if not tell_person(world, session, registration.person_id, "registry_correction", once=row.id, unit=unit):
        row.state, row.answered_at = "unanswered", now  # the paper path: nobody would see it
        _ask_a_person(world, session, registration, row, "no_account")
    return True


def _count(world: World, session: Session, registration: Registration, row: RegistryCorrection, actor: Actor) -> bool:
    """Let an accepted correction count; False when some of it, or all, is not for the person alone to change."""
    values = values_of(world, session, registration, row)
    return count_own_fields(world, session, registration, values, actor) and set(values) <= set(COUNTING)


def _ask_a_person(
    world: World, session: Session, registration: Registration, row: RegistryCorrection, why: str
) -> None:
    case = open_registration_case(
        world,
        session,
        registration,
        kind="registry_correction",
        rule="PIPL-46",
        opened_by="tenant" if why == "objected" else "rule",
        evidence={"correction": row.id, "why": why, "fields": " ".join(row.fields)},
    )
    row.case_id = case.id
    registration.case_id = registration.case_id or case.id


def _view(world: World, session: Session, registration: Registration, row: RegistryCorrection) -> CorrectionView:
    shown = corrected_fields(world, session, registration, row)
    return CorrectionView(row.id, row.made_at, row.due_at, row.state, *STATE_NAMES[row.state], shown)


def corrected_fields(
    world: World, session: Session, registration: Registration, row: RegistryCorrection
) -> tuple[CorrectedField, ...]:
    """What a correction says in words, numbers with only their ends; for the person or under an audit leaf."""
    return tuple(
        CorrectedField(field, *FIELD_NAMES.get(field, (field, field)), *shown_value(field, value))
        for field, value in sorted(values_of(world, session, registration, row).items())
    )
