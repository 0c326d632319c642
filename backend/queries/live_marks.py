"""Marks: a digest of the rows a page depends on, so that "has anything moved?" costs one statement.

A mark discloses nothing: equal marks mean equal rows. It names the account that looks, and every `LOOK_ANYWAY_SECONDS`
it changes by itself, so that what no column tells (a clock, an hour gone by) is looked at then.
"""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import ColumnElement, LargeBinary, Select, and_, func, or_, select, union_all
from sqlalchemy.orm import aliased

from backend.db import reading
from backend.models.accounts import Account
from backend.models.audit import AuditLeaf
from backend.models.cases import Case
from backend.models.commands import Command
from backend.models.consents import Consent
from backend.models.imports import ImportRun
from backend.models.invitations import Invitation
from backend.models.keys import Key, KeyDoor
from backend.models.leases import Lease
from backend.models.lock_events import LockEvent
from backend.models.locks import Lock
from backend.models.notices import Notice
from backend.models.persons import Person
from backend.models.registrations import Registration
from backend.models.registry_returns import RegistryCorrection, RegistryRead
from backend.models.units import Unit, UnitClaim
from backend.queries.locks import HEALTH_KINDS

LOOK_ANYWAY_SECONDS = 60
# Written by the worker, or on every word of a lock, without a change to what is shown.
_SILENT = {"duties_look_at", "last_seen_at", "signal_dbm", "command_counter", "stored_seq", "checked_seq",
           "replay_asked_at", "reported_at"}  # fmt: skip


def mark_page(name: str, account_id: str, of: str, now: datetime) -> str:
    """The mark of a page (a key of PAGES) for an account; `of` is the id in its address, or "".

    Who an account's children are is not to be read off columns: the page of looks names them in `of`.

    The statement names what the page shows, not who may see it: that is decided when the page is made.
    """
    with reading() as session:
        rows = session.execute(PAGES[name](account_id, of)).all()
    every = int(sha256(account_id.encode()).hexdigest()[:4], 16) % LOOK_ANYWAY_SECONDS  # not all at the same moment
    turn = int(now.timestamp() + every) // LOOK_ANYWAY_SECONDS
    seen = repr((name, account_id, of, turn, sorted(map(repr, rows))))
    return sha256(seen.encode()).hexdigest()[:32]


def _told(kind: Any) -> list[ColumnElement[Any]]:
    """Every column of a table that can change what is shown; sealed values are not read."""
    return [
        column
        for column in kind.__table__.c
        if not isinstance(column.type, LargeBinary) and column.name not in _SILENT
    ]


def _own(account_id: str) -> list[ColumnElement[Any]]:
    """The account's inbox, identity, consents and cases: on every page that has tabs or a task list."""
    person = select(Account.person_id).where(Account.id == account_id).scalar_subquery()
    unread = select(func.count()).where(Notice.account_id == account_id, Notice.read_at.is_(None))
    latest = select(func.max(Notice.at)).where(Notice.account_id == account_id)
    consents = select(func.count()).where(Consent.account_id == account_id)
    cases = select(func.coalesce(func.sum(Case.version), 0) + func.count()).where(Case.person_id == person)
    identity = [
        select(column).where(Person.id == person).scalar_subquery()
        for column in (Person.version, Person.identity_state, Person.document_state)
    ]
    return [*(each.scalar_subquery() for each in (unread, latest, consents, cases)), *identity]


def _home(account_id: str, registration_id: str) -> Select[Any]:
    """A tenant's home: the registration, its lease, the account's keys to it with their doors, what came back."""
    head = aliased(Registration)
    key = and_(Key.lease_id == Lease.id, Key.holder_account_id == account_id)
    moved = select(Command.state).where(Command.key_id == Key.id).order_by(Command.created_at.desc()).limit(1)
    asked = select(func.count()).where(Command.key_id == Key.id)
    corrections = select(func.count(), func.max(RegistryCorrection.answered_at)).where(
        RegistryCorrection.registration_id == registration_id
    )
    return (
        select(*_told(Registration), *_told(Lease), *_told(Key), *_told(KeyDoor), *_told(Lock), *_told(Case),
               *_own(account_id), moved.correlate(Key).scalar_subquery(), asked.correlate(Key).scalar_subquery(),
               *(_each(corrections)), *_right(Registration.unit_id))
        .select_from(Registration)
        .outerjoin(head, head.id == Registration.household_of_id)
        .outerjoin(Lease, Lease.id == func.coalesce(Registration.lease_id, head.lease_id))
        .outerjoin(Key, key)
        .outerjoin(KeyDoor, KeyDoor.key_id == Key.id)
        .outerjoin(Lock, Lock.id == KeyDoor.lock_id)
        .outerjoin(Case, Case.id == Registration.case_id)
        .where(Registration.id == registration_id)
    )  # fmt: skip


def _right(unit_id: Any) -> list[Any]:
    """The claim by which a unit is let, and when it was seen: no column of the unit tells it."""
    claim = select(UnitClaim.id, UnitClaim.seen_at).where(UnitClaim.unit_id == unit_id, UnitClaim.state == "accepted")
    return _each(claim, unit_id.class_)


def _homes(account_id: str, _of: str) -> Select[Any]:
    """All a tenant holds: keys with their registrations, and invitations to this phone that are open."""
    open_ones = select(func.count()).where(Invitation.phone_token == Account.phone_token, Invitation.state == "pending")
    along = select(func.count()).where(Registration.person_id == Account.person_id)
    return (
        select(*_own(account_id), open_ones.correlate(Account).scalar_subquery(),
               along.correlate(Account).scalar_subquery(), *_told(Key), *_told(Registration))
        .select_from(Account)
        .outerjoin(Key, Key.holder_account_id == Account.id)
        .outerjoin(Registration, Registration.lease_id == Key.lease_id)
        .where(Account.id == account_id)
    )  # fmt: skip


def _lease(account_id: str, lease_id: str) -> Select[Any]:
    """A landlord's lease: how far its tenant is, its invitations, its keys with their doors."""
    tenant = aliased(Person)
    return (
        select(*_told(Lease), *_told(Registration), *_told(Invitation), *_told(Key), *_told(KeyDoor), *_told(Lock),
               *_told(Case), tenant.identity_state, tenant.version, *_own(account_id), _people_of_lease())
        .select_from(Lease)
        .outerjoin(Registration, Registration.lease_id == Lease.id)
        .outerjoin(Case, Case.id == Registration.case_id)
        .outerjoin(Invitation, Invitation.lease_id == Lease.id)
        .outerjoin(Key, Key.lease_id == Lease.id)
        .outerjoin(KeyDoor, KeyDoor.key_id == Key.id)
        .outerjoin(Lock, Lock.id == KeyDoor.lock_id)
        .outerjoin(tenant, tenant.id == func.coalesce(Lease.tenant_id, Registration.person_id, Key.holder_id))
        .where(Lease.id == lease_id)
    )  # fmt: skip


def _people_of_lease() -> Any:
    """How often anything moved about those who live along."""
    along = aliased(Registration)
    moved = select(func.coalesce(func.sum(along.version), 0)).where(along.household_of_id == Registration.id)
    return moved.correlate(Registration).scalar_subquery()


def _unit(account_id: str, unit_id: str) -> Select[Any]:
    """A landlord's unit: its lock with what it has told of its health, its leases and who is registered.

    No opening of the door may move it: comings and goings are none of the landlord's business, not even that there
    were some.
    """
    newest = select(func.max(LockEvent.received_at)).where(
        LockEvent.lock_id == Lock.id, LockEvent.kind.in_(HEALTH_KINDS)
    )
    return (
        select(*_told(Unit), *_told(Lock), *_told(Lease), *_told(Registration), Key.state, *_own(account_id),
               newest.correlate(Lock).scalar_subquery(), *_right(Unit.id))
        .select_from(Unit)
        .outerjoin(Lock, Lock.unit_id == Unit.id)
        .outerjoin(Lease, Lease.unit_id == Unit.id)
        .outerjoin(Registration, Registration.lease_id == Lease.id)
        .outerjoin(Key, Key.lease_id == Lease.id)
        .where(Unit.id == unit_id)
    )  # fmt: skip


def _board(account_id: str, _of: str) -> Select[Any]:
    """All of a landlord's units: few columns of each, since there may be hundreds."""
    claims = select(func.count(), func.max(UnitClaim.state)).where(UnitClaim.person_id == Account.person_id)
    return (
        select(*_own(account_id), *(_each(claims, Account)), Unit.id, Unit.version, Lock.presence, Lock.door_state,
               Lock.alarm, Lock.battery_percent, Lease.id, Lease.version, Lease.state, Lease.ends_on,
               Lease.landlord_ended_on, Registration.version, Registration.updated_at, Registration.landlord_leg,
               Registration.disputed, Key.state)
        .select_from(Account)
        .outerjoin(Unit, Unit.landlord_id == Account.person_id)
        .outerjoin(Lock, and_(Lock.unit_id == Unit.id, Lock.retired_at.is_(None)))
        .outerjoin(Lease, and_(Lease.unit_id == Unit.id, Lease.state == "active"))
        .outerjoin(Registration, Registration.lease_id == Lease.id)
        .outerjoin(Key, and_(Key.lease_id == Lease.id, Key.state.not_in(("revoking", "revoked"))))
        .where(Account.id == account_id)
    )  # fmt: skip


def _each(counted: Any, *correlated: Any) -> list[Any]:
    """A select of several columns as scalar subqueries."""
    return [
        counted.with_only_columns(column).correlate(*correlated).scalar_subquery()
        for column in counted.selected_columns
    ]


def _messages(account_id: str, _of: str) -> Select[Any]:
    """The inbox."""
    return select(*_own(account_id))


def _access(account_id: str, children: str) -> Select[Any]:
    """Who has seen one's data or that of one's `children` (ids with blanks between), and the answers to questions."""
    own = select(Account.person_id).where(Account.id == account_id).scalar_subquery()
    subjects = union_all(
        select(Person.id).where(or_(Person.id == own, Person.id.in_(children.split()))),
        select(Lease.id).where(Lease.tenant_id == own),
    )
    looks = select(func.count(), func.max(AuditLeaf.at)).where(AuditLeaf.subject_id.in_(subjects))
    there = select(func.count()).where(RegistryRead.person_id.in_(subjects))
    return select(*_each(looks), there.scalar_subquery(), *_own(account_id))


def _visit(account_id: str, key_id: str) -> Select[Any]:
    """A visitor's own key at the door it opens."""
    moved = select(Command.state).where(Command.key_id == Key.id).order_by(Command.created_at.desc()).limit(1)
    return _of_visitor(account_id, key_id).add_columns(moved.correlate(Key).scalar_subquery())


def _visitor(account_id: str, key_id: str) -> Select[Any]:
    """A visitor's key as whoever issued it or lives there sees it: no opening moves it."""
    return _of_visitor(account_id, key_id)


def _of_visitor(account_id: str, key_id: str) -> Select[Any]:
    return (
        select(*_told(Key), *_told(KeyDoor), *_told(Lock), Invitation.state, *_own(account_id))
        .select_from(Key)
        .outerjoin(KeyDoor, KeyDoor.key_id == Key.id)
        .outerjoin(Lock, Lock.id == KeyDoor.lock_id)
        .outerjoin(Invitation, Invitation.key_id == Key.id)
        .where(Key.id == key_id)
    )


def _import(account_id: str, import_id: str) -> Select[Any]:
    """An import and how far it is."""
    return select(*_told(ImportRun), *_own(account_id)).where(ImportRun.id == import_id)


PAGES = {
    "home": _home,
    "homes": _homes,
    "lease": _lease,
    "unit": _unit,
    "board": _board,
    "messages": _messages,
    "access": _access,
    "visit": _visit,
    "visitor": _visitor,
    "import": _import,
}
