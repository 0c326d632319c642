"""A tenancy as its tenant sees it: the task list, the registration, the key. Reads of one's own data."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from backend.db import reading
from backend.domain.calendars import day_of
from backend.domain.cases import OPEN_STATES
from backend.domain.keys import ENDED, LIVE
from backend.domain.registrations import Facts, decide_tenant_action, describe, is_held, permit_from
from backend.domain.rejection_words import explain_rejection
from backend.domain.residence_paths import change_due_on, is_late
from backend.domain.visitors import WeeklyWindow
from backend.gateways.world import World
from backend.models.accounts import Account
from backend.models.cases import Case
from backend.models.dwellings import Dwelling
from backend.models.keys import Key, KeyDoor
from backend.models.leases import Lease
from backend.models.locks import Lock
from backend.models.persons import Person
from backend.models.registrations import FieldSource, Registration
from backend.models.units import Unit
from backend.services.consents import is_given
from backend.services.identity_reviews import find_review
from backend.services.invitations import host_alias
from backend.services.key_changes import unit_alias
from backend.services.key_lists import key_ends, windows_of
from backend.services.letting_rights import is_right_seen
from backend.services.own_registrations import own_registration, own_registrations
from backend.services.persons import is_document_checked


@dataclass(frozen=True)
class DoorView:
    """One door of a key: what the lock has confirmed, and how long an unconfirmed door could still open."""

    lock_id: str
    presence: str
    last_seen_at: datetime | None
    confirmed_at: datetime | None
    exposure_until: datetime | None


@dataclass(frozen=True)
class KeyCard:
    """A key as its holder or its landlord sees it; a visitor's has a purpose, windows or counted uses, and an end."""

    id: str
    state: str
    kind: str
    starts_on: date
    ends_on: date | None
    epoch: int
    state_reason: str | None
    doors: tuple[DoorView, ...]
    version: int
    phone_thumbprint: str | None
    lease_id: str | None
    unit_alias: str
    unit_id: str
    purpose: str | None
    windows: tuple[WeeklyWindow, ...]
    uses: int | None
    consent: str
    ends_at: datetime | None
    replaces_id: str | None
    used_up: bool = False  # told to the visitor and the occupants alone: an opening is none of the landlord's business


@dataclass(frozen=True)
class RegistrationView:
    """A registration as its person sees it; `state` is a key of domain.registrations.STATE_NAMES."""

    id: str
    version: int
    state: str
    scope: str
    declared_at: datetime | None
    tenant_due_on: date | None
    rule: str | None
    registry_state: str
    receipt_no: str | None
    accepted_at: datetime | None
    registry_errors: list[Any]
    move_in_on: date
    planned_end_on: date | None
    reason: str | None
    residence: str
    moved_out_on: date | None
    checkout_receipt_no: str | None
    disputed: bool
    case_reference: str | None
    permit_from: date | None
    changed_on: date | None
    change_due_on: date | None
    change_late: bool
    exemption: str | None
    exempt_until: date | None
    foreign_due_at: datetime | None
    foreign_form_no: str | None
    foreign_done_at: datetime | None
    void_reason: str | None
    void_asked: bool


@dataclass(frozen=True)
class Task:
    """One line of the task list. `state`: done, next, waiting (for the lock or office), person, later."""

    kind: str
    state: str


@dataclass(frozen=True)
class TenancyView:
    """Everything of one tenancy; without a lease (`basis` says why) there is no key."""

    registration_id: str
    lease_id: str | None
    key_id: str | None
    unit_alias: str
    landlord_alias: str | None
    address: str
    division: str
    office_place: str  # county, street and village: where the window is that looks after this home
    starts_on: date
    ends_on: date | None
    registration: RegistrationView
    key: KeyCard | None
    tasks: tuple[Task, ...]
    landlord_says_left_on: date | None
    may_check_out: bool  # also of a void registration, as long as its lease runs
    lives_along: bool  # under another's lease: no key is needed
    declared_by: str | None
    basis: str | None  # a key of domain.registrations.BASES
    right_seen: bool | None  # whether the staff has seen the landlord's right to let; None without a landlord


def my_tenancies(world: World, *, account_id: str) -> tuple[TenancyView, ...]:
    """All tenancies this account holds or held, newest first."""
    with reading() as session:
        return tuple(_view(world, session, account_id, row) for row in own_registrations(session, account_id))


def get_tenancy(world: World, *, account_id: str, registration_id: str) -> TenancyView:
    """One tenancy of this account; another's is not found."""
    with reading() as session:
        registration = own_registration(session, account_id, registration_id)
        return _view(world, session, account_id, registration)


def key_card(session: Session, key: Key) -> KeyCard:
    """A key with its doors."""
    statement = select(KeyDoor, Lock).join(Lock, Lock.id == KeyDoor.lock_id).where(KeyDoor.key_id == key.id)
    if key.state in LIVE:  # a lock that goes is no door of a key that lives on
        statement = statement.where(Lock.retiring_at.is_(None), Lock.retired_at.is_(None))
    rows = session.execute(statement).all()
    doors = tuple(
        DoorView(lock.id, lock.presence, lock.last_seen_at, door.confirmed_at, door.exposure_until)
        for door, lock in rows
    )
    return KeyCard(
        key.id,
        key.state,
        key.kind,
        key.starts_on,
        key.ends_on,
        key.epoch,
        _why(key),
        doors,
        key.version,
        key.phone_thumbprint,
        key.lease_id,
        unit_alias(session, key.unit_id),
        key.unit_id,
        key.purpose,
        windows_of(key),
        key.uses,
        key.consent,
        key_ends(key),
        key.replaces_id,
    )


def _why(key: Key) -> str | None:
    """Why a key is in its state: the ground on which it was ended, or who has suspended it."""
    if key.state == "suspended":
        return f"suspended_by_{key.suspended_by}" if key.suspended_by else None
    return key.revoke_ground


def registration_view(session: Session, row: Registration) -> RegistrationView:
    """A registration with the state derived from its facts."""
    facts = Facts(row.tenant_leg, row.landlord_leg, row.scope, row.residence, row.registry_state, row.disputed)
    case = session.get(Case, row.case_id) if row.case_id else None
    void_asked = case is not None and case.kind == "void_request" and case.state in OPEN_STATES
    return RegistrationView(
        id=row.id,
        version=row.version,
        state=describe(facts),
        scope=row.scope,
        declared_at=row.declared_at,
        tenant_due_on=row.tenant_due_on,
        rule=rule_of(row),
        registry_state=row.registry_state,
        receipt_no=row.receipt_no,
        accepted_at=row.accepted_at,
        registry_errors=[_explained(error) for error in row.registry_errors],
        move_in_on=row.move_in_on,
        planned_end_on=row.planned_end_on,
        reason=row.reason,
        residence=row.residence,
        moved_out_on=row.moved_out_on,
        checkout_receipt_no=row.checkout_receipt_no,
        disputed=row.disputed,
        case_reference=case.reference if case is not None and (row.disputed or void_asked) else None,
        permit_from=permit_from(day_of(row.declared_at)) if row.declared_at and row.scope == "in_scope" else None,
        changed_on=row.changed_on,
        change_due_on=change_due_on(row.changed_on) if row.changed_on else None,
        change_late=_is_change_late(session, row),
        exemption=row.exemption,
        exempt_until=row.exempt_until,
        foreign_due_at=row.foreign_due_at,
        foreign_form_no=row.foreign_form_no,
        foreign_done_at=row.foreign_done_at,
        void_reason=row.void_reason,
        void_asked=void_asked,
    )


def _explained(error: dict[str, Any]) -> dict[str, Any]:
    """A registry's refusal as it is kept, with plain words beside the registry's own."""
    words = explain_rejection(error["code"], error["owner"])
    plain = {"what_zh": words.zh, "what_en": words.en, "todo_zh": words.todo_zh, "todo_en": words.todo_en}
    return {**error, **plain}


def rule_of(row: Registration) -> str | None:
    """The rule that explains where a registration stands: why it is owed, or why it is not sent."""
    by_scope = {"exempt": "ZJ-12", "out_of_scope": "ZJ-2", "foreign": "EEL-39"}
    return by_scope.get(row.scope, "HK-15" if row.declared_at is None else None)


def _is_change_late(session: Session, row: Registration) -> bool:
    """Whether the change last reported came after its tenth day (ZJ-13): derived, shown, without consequence."""
    if row.changed_on is None:
        return False
    reported_at = session.scalar(
        select(func.max(FieldSource.at)).where(
            FieldSource.object_kind == "registration",
            FieldSource.object_id == row.id,
            FieldSource.field == "changed_on",
        )
    )
    return reported_at is not None and is_late(row.changed_on, reported_at)


def address_of(dwelling: Dwelling, unit: Unit) -> str:
    """The full address of a unit."""
    parts = (dwelling.province, dwelling.city, dwelling.county, dwelling.street, dwelling.village)
    return f"{''.join(parts)}{dwelling.road}{dwelling.door_no}{dwelling.building}{unit.label}"


def _view(world: World, session: Session, account_id: str, row: Registration) -> TenancyView:
    head = session.get_one(Registration, row.household_of_id) if row.household_of_id else row
    lease = session.get_one(Lease, head.lease_id) if head.lease_id is not None else None
    unit = session.get_one(Unit, row.unit_id)
    dwelling = session.get_one(Dwelling, unit.dwelling_id)
    key = _own_key(session, account_id, lease)
    of_lease = lease if head is row else None
    lease_state = of_lease.state if of_lease else None
    return TenancyView(
        registration_id=row.id,
        lease_id=lease.id if lease else None,
        key_id=key.id if key else None,
        unit_alias=unit_alias(session, unit.id),
        landlord_alias=host_alias(world, session, head),
        address=address_of(dwelling, unit),
        division=dwelling.division,
        office_place=f"{dwelling.county}{dwelling.street}{dwelling.village}",
        starts_on=of_lease.starts_on if of_lease else row.move_in_on,
        ends_on=of_lease.ends_on if of_lease else row.planned_end_on,
        registration=registration_view(session, row),
        key=key_card(session, key) if key else None,
        tasks=_tasks(session, account_id, row, key),
        landlord_says_left_on=of_lease.landlord_ended_on if of_lease and is_held(row.residence, lease_state) else None,
        may_check_out=decide_tenant_action(
            row.tenant_leg, row.residence, "check_out", row.exemption, lease_state=lease_state
        )
        is None,
        lives_along=head is not row,
        declared_by=row.declared_by,
        basis=row.basis if lease is None else None,
        right_seen=is_right_seen(world, session, unit.id, lease.landlord_id if lease else unit.landlord_id),
    )


def _own_key(session: Session, account_id: str, lease: Lease | None) -> Key | None:
    """The key to a lease that this account holds: the living one, else the newest."""
    if lease is None:
        return None
    return session.scalar(
        select(Key)
        .where(Key.lease_id == lease.id, Key.holder_account_id == account_id)
        .order_by(Key.state.in_(ENDED), Key.created_at.desc(), Key.id.desc())
        .limit(1)
    )


def _is_entered(session: Session, person: Person) -> bool:
    """Whether the step is done: an authority that has not answered yet holds nobody up, a mismatch (3002) does."""
    return person.document_state in ("matched", "unavailable") or is_document_checked(session, person.id)


def _is_settled(row: Registration) -> bool:
    """Declared or exempt; on the foreigners' path with the form handed out: what the key waits for besides identity."""
    if row.scope == "foreign":
        return row.tenant_leg == "declared" and row.foreign_form_at is not None
    return row.tenant_leg == "declared" or row.scope == "exempt"


def _tasks(session: Session, account_id: str, row: Registration, key: Key | None) -> tuple[Task, ...]:
    account = session.get_one(Account, account_id)
    person = session.get(Person, account.person_id) if account.person_id else None
    state = person.identity_state if person else "none"
    reviewing = person is not None and find_review(session, person.id) is not None
    done = {
        "notice": is_given(session, account_id, "registration_notice"),
        "identity": person is not None and _is_entered(session, person),
        "face": state in ("verified", "attested"),
        "declare": _is_settled(row),
        "key": key is not None and key.state == "active",
    }
    if key is None:  # lives along, or has no lease to accept yet
        del done["key"]
    tasks, found_next = [], False
    for kind, is_done in done.items():
        if is_done:
            tasks.append(Task(kind, "done"))
        elif kind in ("face", "identity") and reviewing:
            tasks.append(Task(kind, "person"))  # a person reviews; the declaration can go on meanwhile
        elif kind == "key" and not found_next:
            tasks.append(Task(kind, "waiting"))
        else:
            tasks.append(Task(kind, "later" if found_next else "next"))
            found_next = True
    return tuple(tasks)
