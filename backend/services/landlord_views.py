"""What a landlord sees: units, locks, leases, progress. Never the tenant's answers, document, phone or openings.

These are one's own data read through the account, so that another's things are simply not found.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from backend.db import reading
from backend.domain.keys import ENDED, landlord_acts
from backend.domain.landlord_board import LeaseFacts, Todo, UnitFacts, lease_todos, unit_state, unit_todos
from backend.gateways.world import World
from backend.models.accounts import Account
from backend.models.dwellings import Dwelling
from backend.models.invitations import Invitation
from backend.models.keys import Key
from backend.models.leases import Lease
from backend.models.locks import Lock
from backend.models.persons import Person
from backend.models.registrations import Registration
from backend.models.units import Unit, UnitClaim
from backend.queries.locks import LockHealth, LockView, list_health, lock_view
from backend.services.household_members import count_household
from backend.services.identity_reviews import find_review
from backend.services.invitations import InvitationView, invitation_view
from backend.services.key_changes import unit_alias
from backend.services.letting_rights import LettingRight, find_right
from backend.services.own_leases import own_lease, registration_of
from backend.services.returned_legs import ReturnedReport, explain_to_landlord, may_name_anew
from backend.services.tenancies import KeyCard, address_of, key_card
from backend.services.units import own_unit, require_mandate


@dataclass(frozen=True)
class Progress:
    """How far the tenant is, in yes and no. `difference` names a field that differs, never its content."""

    invited: bool
    accepted: bool
    identity: str  # 'open' | 'review' | 'attested' | 'verified'
    declared: bool
    receipt: bool
    difference: str | None


@dataclass(frozen=True)
class LeaseView:
    """A lease as its landlord sees it."""

    id: str
    unit_id: str
    unit_alias: str
    kind: str
    starts_on: date
    ends_on: date | None
    state: str
    version: int
    alias: str
    progress: Progress
    landlord_leg: str
    landlord_due_on: date | None
    landlord_receipt_no: str | None
    invitation: InvitationView | None
    key: KeyCard | None
    ended_by_landlord_on: date | None
    residence: str
    disputed: bool
    can_attest: bool
    joint_id: str | None
    residents: int  # how many are declared under this lease; never who
    foreign_due_at: datetime | None  # EEL-39 binds the host too: the one thing of the tenant's path a landlord is told
    foreign_done_at: datetime | None
    can_correct: bool  # what was written of the tenant, until the report has gone to the registry
    can_move_start: bool
    returned: tuple[ReturnedReport, ...]  # what the registry has returned and the landlord can mend

    @property
    def key_acts(self) -> tuple[str, ...]:
        """What the landlord can do to the tenant's key now: see domain.keys.landlord_acts."""
        key = self.key
        return landlord_acts(key.state, key.state_reason, self.state == "ended") if key is not None else ()


@dataclass(frozen=True)
class UnitCard:
    """A unit on the landlord's home; `state` is one of landlord_board.STATES.

    To a manager whose mandate is over neither lock nor lease is shown: the unit's name, and when it ended.
    """

    unit_id: str
    dwelling_id: str
    address: str
    alias: str
    label: str
    public_number: str
    space_kind: str
    usable_area_m2: float
    capacity: int
    state: str
    lock: LockView | None
    lease: LeaseView | None
    without_lease: int  # how many have declared living here whom no lease names, and of whom a report is owed
    right: LettingRight | None
    mandate_ends_on: date | None  # of a manager; None for whoever lets by another right


@dataclass(frozen=True)
class LandlordHome:
    """The landlord's first page."""

    units: tuple[UnitCard, ...]
    contested: tuple[str, ...]
    todos: tuple[Todo, ...]


def landlord_home(world: World, *, account_id: str) -> LandlordHome:
    """All units of a landlord with states and to-dos."""
    with reading() as session:
        account = session.get_one(Account, account_id)
        if account.person_id is None:
            return LandlordHome((), (), ())
        units = session.scalars(
            select(Unit)
            .join(Dwelling, Dwelling.id == Unit.dwelling_id)
            .where(Unit.landlord_id == account.person_id)
            .order_by(
                Dwelling.road, func.length(Dwelling.door_no), Dwelling.door_no, func.length(Unit.label), Unit.label
            )
        ).all()
        waiting = _count_without_lease(session, [unit.id for unit in units])
        cards = tuple(_card(world, session, unit, waiting.get(unit.id, 0)) for unit in units)
        contested = session.scalars(
            select(UnitClaim.unit_id).where(UnitClaim.person_id == account.person_id, UnitClaim.state == "contested")
        )
        return LandlordHome(cards, tuple(unit_alias(session, unit_id) for unit_id in contested), _todos(world, cards))


def get_unit(world: World, *, account_id: str, unit_id: str, managing: bool = False) -> UnitCard:
    """One of the landlord's units; another's is not found. `managing` raises Refused right.mandate_over."""
    with reading() as session:
        unit = own_unit(session, account_id, unit_id)
        if managing:
            require_mandate(world, session, unit.id, unit.landlord_id)
        return _card(world, session, unit, _count_without_lease(session, [unit.id]).get(unit.id, 0))


def get_lease(world: World, *, account_id: str, lease_id: str) -> LeaseView:
    """One of the landlord's leases; another's is not found. Raises Refused right.mandate_over."""
    with reading() as session:
        lease = own_lease(session, account_id, lease_id)
        require_mandate(world, session, lease.unit_id, lease.landlord_id)
        return _lease(world, session, lease)


def list_leases(world: World, *, account_id: str, unit_id: str) -> tuple[LeaseView, ...]:
    """All leases of one of the landlord's units, newest first. Raises Refused right.mandate_over."""
    with reading() as session:
        unit = own_unit(session, account_id, unit_id)
        require_mandate(world, session, unit.id, unit.landlord_id)
        rows = session.scalars(
            select(Lease).where(Lease.unit_id == unit.id).order_by(Lease.starts_on.desc(), Lease.id.desc())
        ).all()
        return tuple(_lease(world, session, row) for row in rows)


def list_lock_health(world: World, *, account_id: str, unit_id: str) -> tuple[LockHealth, ...]:
    """Health and safety of the unit's lock: no comings and goings. Raises Refused right.mandate_over."""
    with reading() as session:
        unit = own_unit(session, account_id, unit_id)
        require_mandate(world, session, unit.id, unit.landlord_id)
        lock_id = session.scalar(select(Lock.id).where(Lock.unit_id == unit.id))
    return list_health(lock_id) if lock_id else ()


def _card(world: World, session: Session, unit: Unit, without_lease: int) -> UnitCard:
    dwelling = session.get_one(Dwelling, unit.dwelling_id)
    right = find_right(world, session, unit.id, unit.landlord_id)
    over = right is not None and right.is_over
    lock = session.scalar(select(Lock).where(Lock.unit_id == unit.id, Lock.retired_at.is_(None))) if not over else None
    lease = _first_lease(session, unit.id) if not over else None
    lease_view = _lease(world, session, lease) if lease else None
    view = lock_view(lock, world.clock.now()) if lock else None
    presence = view.presence if view else None
    return UnitCard(
        unit.id,
        dwelling.id,
        address_of(dwelling, unit),
        unit_alias(session, unit.id),
        unit.label,
        unit.public_number,
        unit.space_kind,
        unit.usable_area_m2,
        unit.capacity,
        unit_state(presence, lease is not None, lease_view is not None and lease_view.progress.declared)
        if not over
        else "mandate_over",
        view,
        lease_view,
        without_lease if not over else 0,
        right,
        right.ends_on if right else None,
    )


def _first_lease(session: Session, unit_id: str) -> Lease | None:
    running = select(Lease).where(Lease.unit_id == unit_id, Lease.state == "active")
    return session.scalar(running.order_by(Lease.starts_on, Lease.id).limit(1))


def _count_without_lease(session: Session, unit_ids: Sequence[str]) -> dict[str, int]:
    """By unit, how many have declared living there whom no lease names, and of whom a report is owed."""
    found = (
        select(Registration.unit_id, func.count())
        .where(
            Registration.unit_id.in_(unit_ids),
            Registration.lease_id.is_(None),
            Registration.landlord_due_on.is_not(None),
            Registration.residence == "living",
            Registration.scope == "in_scope",
        )
        .group_by(Registration.unit_id)
    )
    return dict(iter(session.execute(found)))


def _lease(world: World, session: Session, lease: Lease) -> LeaseView:
    registration = registration_of(session, lease.id)
    key = session.scalar(
        select(Key)
        .where(Key.lease_id == lease.id, Key.kind == "occupant")
        .order_by(Key.state.in_(ENDED), Key.created_at.desc(), Key.id.desc())  # the living one, else the newest
        .limit(1)
    )
    invitation = session.scalar(
        select(Invitation).where(Invitation.lease_id == lease.id).order_by(Invitation.id.desc()).limit(1)
    )
    progress = _progress(session, lease, registration, key)
    return LeaseView(
        id=lease.id,
        unit_id=lease.unit_id,
        unit_alias=unit_alias(session, lease.unit_id),
        kind=lease.kind,
        starts_on=lease.starts_on,
        ends_on=lease.ends_on,
        state=lease.state,
        version=lease.version,
        alias=lease.alias,
        progress=progress,
        landlord_leg=registration.landlord_leg,
        landlord_due_on=registration.landlord_due_on if registration.landlord_leg == "due" else None,
        landlord_receipt_no=registration.landlord_receipt_no,
        invitation=invitation_view(world, session, invitation) if invitation else None,
        key=key_card(session, key) if key else None,
        ended_by_landlord_on=lease.landlord_ended_on,
        residence=registration.residence,
        disputed=registration.disputed,
        can_attest=lease.state == "active" and progress.accepted and progress.identity in ("open", "review"),
        joint_id=lease.joint_id,
        residents=count_household(session, registration),
        foreign_due_at=registration.foreign_due_at,
        foreign_done_at=registration.foreign_done_at,
        can_correct=lease.state == "active" and may_name_anew(registration),
        can_move_start=lease.state == "active" and (not progress.accepted or lease.starts_on > world.clock.today()),
        returned=explain_to_landlord(registration) if lease.state == "active" else (),
    )


def _progress(session: Session, lease: Lease, registration: Registration, key: Key | None) -> Progress:
    accepted = key is not None and key.holder_account_id is not None
    person = None
    if key is not None and key.holder_account_id is not None:
        account = session.get_one(Account, key.holder_account_id)
        person = session.get(Person, account.person_id) if account.person_id else None
    identity = person.identity_state if person else "none"
    if identity == "none":
        identity = "review" if person is not None and find_review(session, person.id) else "open"
    differs = (
        person is not None
        and registration.landlord_leg == "reported"
        and person.id_number_token != lease.named_id_token
    )
    return Progress(
        invited=key is not None and key.state != "draft",
        accepted=accepted,
        identity=identity,
        declared=registration.tenant_leg == "declared" or registration.scope == "exempt",  # settled, not why
        receipt=registration.receipt_no is not None,
        difference="document" if differs else None,
    )


def _todos(world: World, cards: tuple[UnitCard, ...]) -> tuple[Todo, ...]:
    found: list[Todo] = []
    for card in cards:
        unit = UnitFacts(card.unit_id, card.alias, card.lock.presence if card.lock else None, card.mandate_ends_on)
        found += unit_todos(unit, world.clock.today())
        if card.lease is not None:
            found += lease_todos(unit, _facts(card.lease), world.clock.today())
    return tuple(found)


def _facts(lease: LeaseView) -> LeaseFacts:
    """A running lease as the rules of the to-dos ask for it."""
    progress, owes_report = lease.progress, lease.landlord_leg == "due"
    return LeaseFacts(
        id=lease.id,
        alias=lease.alias,
        starts_on=lease.starts_on,
        ends_on=lease.ends_on,
        invited=progress.invited,
        accepted=progress.accepted,
        identity=progress.identity,
        declared=progress.declared,
        living=lease.residence == "living",
        differs=progress.difference is not None,
        returned=bool(lease.returned),
        owes_report=owes_report,
        report_due_on=lease.landlord_due_on if owes_report else None,
        foreign_due_at=lease.foreign_due_at if lease.foreign_done_at is None else None,
        end_reported=lease.ended_by_landlord_on is not None,
        tenant_due_on=None,  # when a tenant may be reminded is the board's question, not a to-do's
    )
