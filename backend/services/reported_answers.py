"""Reported changes as those see them whom they concern: confirm, object, or leave it to a person by saying nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from backend.db import reading, transaction
from backend.domain.cases import KINDS, REASON_NAMES
from backend.domain.officers import covers
from backend.domain.refusals import Refusal, Refused
from backend.domain.reported import (
    ANSWER_WITHIN,
    BECAME_LOCAL,
    OBJECT_WITHIN,
    RENUMBERED,
    STATE_NAMES,
    WITH_A_PERSON,
    field_name,
    shown_value,
)
from backend.domain.sharing import IN_KINDS
from backend.gateways.world import World
from backend.models.accounts import Account
from backend.models.cases import Case
from backend.models.dwellings import Dwelling
from backend.models.leases import Lease
from backend.models.persons import Person
from backend.models.registrations import Registration
from backend.models.sharing import DataSharingAgreement, InboundChange
from backend.models.units import Unit
from backend.services.audit import SYSTEM, Actor
from backend.services.batches import do_each
from backend.services.hands import Desk, acting_for
from backend.services.inbox import tell_account
from backend.services.key_changes import unit_alias
from backend.services.persons import name_of
from backend.services.reported_changes import payload_of
from backend.services.reported_effects import (
    count_report,
    find_dwelling,
    find_speaker,
    is_plain,
    landlords_of,
    open_report_case,
    settle,
)
from backend.services.wards import children_of

MOST_AT_ONCE = 50
SHOWN = 50


@dataclass(frozen=True)
class ReportedField:
    """One reported field in words; a number with its ends only."""

    field: str
    name_zh: str
    name_en: str
    value: str


@dataclass(frozen=True)
class ReportedView:
    """A change that another office has reported, as whom it concerns sees it.

    `about` is a child's name when it concerns one; `may_answer` while confirming or objecting is possible.
    """

    id: str
    kind: str
    kind_zh: str
    kind_en: str
    office_zh: str
    office_en: str
    received_at: datetime
    due_at: datetime | None
    state: str
    state_zh: str
    state_en: str
    may_answer: bool
    registration_id: str | None
    unit_alias: str | None
    about: str | None
    fields: tuple[ReportedField, ...]


def list_reported(
    world: World, *, account_id: str, waiting: bool = False, area: str | None = None
) -> tuple[ReportedView, ...]:
    """What other offices have reported about this account's person, children or units, newest first.

    With `waiting` only what can still be confirmed or objected to; `area`: only what is about a home there, or none.
    """
    with reading() as session:
        rows = _concerning(world, session, account_id, waiting)
        near = rows if area is None else [row for row in rows if _lies_in(session, row, area)]
        return tuple(_view(world, session, account_id, row) for row in near)


def answer_reported(
    world: World, *, account_id: str, change_id: str, accept: bool, desk: Desk | None = None
) -> ReportedView:
    """Confirm a change, which then counts, or object, and a person decides. The same answer again changes nothing.

    Raises Refused not_found, report.settled, and at the window as `acting_for`.
    """
    about = _place_of(world, account_id, change_id) if desk is not None else {}
    with acting_for(world, account_id, desk, "answer_reported", **about) as (session, hand):
        change = session.get(InboundChange, change_id, with_for_update=True)
        if change is None or not _concerns(world, session, account_id, change):
            raise Refused("not_found", "change_id")
        if change.state == ("counted" if accept else "objected"):
            return _view(world, session, account_id, change)
        if not _may_answer(change):
            raise Refused("report.settled", "change_id")
        office = session.get_one(DataSharingAgreement, change.agreement_id).office_zh
        data = payload_of(world, session, change)
        if not accept:
            change.state = "objected"
            open_report_case(world, session, change, office, "objected", data)
        elif not (_may_count(session, change, data) and count_report(world, session, change, data, hand.actor)):
            open_report_case(world, session, change, office, "needs_a_person", data)
        session.flush()
        return _view(world, session, account_id, change)


def settle_late_reports(world: World) -> int:
    """What nobody answered: a renumbering that is plain counts, everything else goes to a person. Answers how many."""
    now = world.clock.now()
    with transaction() as session:
        late = session.scalars(
            select(InboundChange)
            .where(
                InboundChange.state == "shown",
                InboundChange.case_id.is_(None),
                or_(
                    InboundChange.shown_at <= now - ANSWER_WITHIN,
                    (InboundChange.kind == RENUMBERED) & (InboundChange.shown_at <= now - OBJECT_WITHIN),
                ),
            )
            .order_by(InboundChange.shown_at)
            .limit(MOST_AT_ONCE)
            .with_for_update(skip_locked=True)
        ).all()
        return do_each(session, late, lambda change: _settle_late(world, session, change), name="late_reports")


def _settle_late(world: World, session: Session, change: InboundChange) -> None:
    data = payload_of(world, session, change)
    office = session.get_one(DataSharingAgreement, change.agreement_id).office_zh
    counts = change.kind == RENUMBERED and _may_count(session, change, data)
    if not counts or not count_report(world, session, change, data, SYSTEM):
        open_report_case(world, session, change, office, "no_answer", data)


def settle_report(world: World, session: Session, case: Case, actor: Actor) -> Refusal | None:
    """Carry out what a person has decided about a reported change, and tell those it concerns."""
    change = session.get_one(InboundChange, case.evidence["report"], with_for_update=True)
    if case.decision == "counted":
        data = payload_of(world, session, change)
        if not data or not count_report(world, session, change, data, actor):
            return Refusal("case.decision", "decision", allowed=("refused",))
    else:
        settle(world, change, "refused", case.decision_reason)
    office = session.get_one(DataSharingAgreement, change.agreement_id)
    zh, en = REASON_NAMES[case.decision_reason or ""]
    decided = KINDS[case.kind].decisions[case.decision or ""]
    told = {
        "rule": case.rule, "office": office.office_zh, "office_en": office.office_en, "reason_zh": zh, "reason_en": en,
        "change_zh": IN_KINDS[change.kind].zh, "change_en": IN_KINDS[change.kind].en, "decision_zh": decided.zh,
        "decision_en": decided.en,
    }  # fmt: skip
    for number, account_id in enumerate(_accounts(world, session, change)):
        tell_account(world, session, account_id, "office_change_decided", once=f"{case.id}:{number}", **told)
    return None


def _accounts(world: World, session: Session, change: InboundChange) -> Sequence[str]:
    """The accounts of whom a change concerns."""
    if change.person_id is not None:
        speaker = find_speaker(world, session, session.get_one(Person, change.person_id))
        return [speaker] if speaker is not None else []
    if change.lease_id is not None:
        lease = session.get_one(Lease, change.lease_id)
        persons = [party for party in (lease.landlord_id, lease.tenant_id) if party is not None]
    else:
        persons = _landlords(session, change)
    found = select(Account.id).where(Account.person_id.in_(persons)).order_by(Account.id)
    return session.scalars(found).all()


def _landlords(session: Session, change: InboundChange) -> list[str]:
    """The landlords of the dwelling that a renumbering is about."""
    if change.unit_id is None:
        return []
    home = session.get_one(Dwelling, session.get_one(Unit, change.unit_id).dwelling_id)
    return list(landlords_of(session, home))


def _concerning(world: World, session: Session, account_id: str, waiting: bool) -> Sequence[InboundChange]:
    person_id = session.get_one(Account, account_id).person_id
    if person_id is None:
        return []
    mine = select(Unit.dwelling_id).where(Unit.landlord_id == person_id)
    of_mine = select(Unit.id).where(Unit.dwelling_id.in_(mine))
    children = children_of(world, session, person_id)
    leases = select(Lease.id).where(or_(Lease.landlord_id == person_id, Lease.tenant_id == person_id))
    statement = select(InboundChange).where(
        or_(
            InboundChange.person_id.in_([person_id, *(child.id for child in children)]),
            (InboundChange.kind == RENUMBERED) & InboundChange.unit_id.in_(of_mine),
            InboundChange.lease_id.in_(leases),
        )
    )
    if waiting:
        statement = statement.where(InboundChange.state == "shown", InboundChange.case_id.is_(None))
    return session.scalars(statement.order_by(InboundChange.id.desc()).limit(SHOWN)).all()


def _place_of(world: World, account_id: str, change_id: str) -> dict[str, Any]:
    """Which unit a change is about, as `hands.Place` has it; nothing of a change that does not concern the account."""
    with reading() as session:
        change = session.get(InboundChange, change_id)
        if change is None or not _concerns(world, session, account_id, change):
            return {}
        unit_id = _unit_of(session, change)
    return {} if unit_id is None else {"unit_id": unit_id}


def _lies_in(session: Session, change: InboundChange, area: str) -> bool:
    """Whether a change is about a unit in an area; about no unit it is about a person, who may be served anywhere."""
    unit_id = _unit_of(session, change)
    if unit_id is None:
        return True
    return covers(area, session.get_one(Dwelling, session.get_one(Unit, unit_id).dwelling_id).division)


def _unit_of(session: Session, change: InboundChange) -> str | None:
    if change.registration_id is not None:
        return session.get_one(Registration, change.registration_id).unit_id
    if change.lease_id is not None:
        return session.get_one(Lease, change.lease_id).unit_id
    return change.unit_id


def _concerns(world: World, session: Session, account_id: str, change: InboundChange) -> bool:
    return account_id in _accounts(world, session, change)


def _may_answer(change: InboundChange) -> bool:
    return change.state == "shown" and change.case_id is None and change.kind in (BECAME_LOCAL, RENUMBERED)


def _may_count(session: Session, change: InboundChange, data: dict[str, str]) -> bool:
    """Whether it still needs nobody's judgement: what was plain when it came may not be so any more."""
    if change.kind != RENUMBERED:
        return True
    home = find_dwelling(session, data)
    return home is not None and is_plain(session, home, data)


def _view(world: World, session: Session, account_id: str, change: InboundChange) -> ReportedView:
    office = session.get_one(DataSharingAgreement, change.agreement_id)
    data = payload_of(world, session, change)
    deciding = change.state == "shown" and change.case_id is not None
    state_zh, state_en = WITH_A_PERSON if deciding else STATE_NAMES[change.state]
    within = OBJECT_WITHIN if change.kind == RENUMBERED else ANSWER_WITHIN
    may_answer = _may_answer(change)
    own = session.get_one(Account, account_id).person_id
    child = change.person_id if change.person_id not in (None, own) else None
    return ReportedView(
        id=change.id,
        kind=change.kind,
        kind_zh=IN_KINDS[change.kind].zh,
        kind_en=IN_KINDS[change.kind].en,
        office_zh=office.office_zh,
        office_en=office.office_en,
        received_at=change.received_at,
        due_at=change.shown_at + within if may_answer and change.shown_at else None,
        state=change.state,
        state_zh=state_zh,
        state_en=state_en,
        may_answer=may_answer,
        registration_id=change.registration_id,
        unit_alias=unit_alias(session, change.unit_id) if change.unit_id else None,
        about=name_of(world, session, session.get_one(Person, child)) if child else None,
        fields=tuple(
            ReportedField(name, *field_name(name), shown_value(name, value))
            for name, value in sorted(data.items())
            if name != "lease.reference"
        ),
    )
