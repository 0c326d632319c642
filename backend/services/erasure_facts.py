"""What stands against deleting a person's data, read from the rows, and what the law keeps afterwards."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from backend.domain.calendars import end_of
from backend.domain.cases import OPEN_STATES
from backend.domain.erasures import IDENTITY_KEPT, RECORDS_KEPT, Stays, Waits
from backend.domain.keys import ENDED
from backend.gateways.world import World
from backend.models.accounts import Account
from backend.models.audit import AuditLeaf
from backend.models.cases import Case
from backend.models.keys import Key
from backend.models.leases import Lease
from backend.models.outbox import OutboxRow
from backend.models.registrations import Registration
from backend.models.registry_returns import RegistryLeg
from backend.models.units import Unit, UnitClaim
from backend.services.unit_names import unit_alias
from backend.services.wards import children_of


def find_waits(world: World, session: Session, account: Account) -> tuple[Waits, ...]:
    """Everything that has to be over before this account and its person can go."""
    found = list(_keys(session, account.id))
    if account.person_id is not None:
        found += find_waits_of_person(world, session, account.person_id)
    return tuple(dict.fromkeys(found))


def find_waits_of_person(world: World, session: Session, person_id: str) -> tuple[Waits, ...]:
    """What leads to a person, whether or not an account does: homes, units let, those spoken for, open cases."""
    return (*_homes(session, person_id), *_others(world, session, person_id))


def find_stays(world: World, session: Session, account: Account) -> tuple[Stays, ...]:
    """What the law keeps of this person, each until when at the latest; nothing of it opens to a name."""
    now, person_id = world.clock.now(), account.person_id
    if person_id is None:
        return ()
    found = []
    last_look = session.scalar(select(func.max(AuditLeaf.at)).where(AuditLeaf.subject_id == person_id))
    if last_look is not None:
        found.append(Stays("access", last_look + RECORDS_KEPT))
    homes = select(Registration.id).where(Registration.person_id == person_id)
    told = session.scalar(select(func.max(RegistryLeg.changed_at)).where(RegistryLeg.registration_id.in_(homes)))
    if told is not None:
        found.append(Stays("receipts", told + RECORDS_KEPT))
    if session.scalar(select(Key.id).where(Key.holder_id == person_id, Key.activated_at.is_not(None)).limit(1)):
        found.append(Stays("doors", now + world.house.door_events_kept))
    return tuple(found)


def _keys(session: Session, account_id: str) -> Iterator[Waits]:
    living = select(Key).where(Key.holder_account_id == account_id, Key.state.not_in(ENDED))
    for key in session.scalars(living).all():
        what = "visit" if key.kind == "visitor" else "home" if key.activated_at else "invited"
        yield Waits(what, None, unit_alias(session, key.unit_id))


def _homes(session: Session, person_id: str) -> Iterator[Waits]:
    for row in session.scalars(select(Registration).where(Registration.person_id == person_id)).all():
        place = unit_alias(session, row.unit_id)
        if row.residence == "living":
            owed = row.tenant_leg == "declared" or row.exemption is not None
            yield Waits("home" if owed else "invited", None, place)
            continue
        legs = session.scalars(select(RegistryLeg).where(RegistryLeg.registration_id == row.id)).all()
        if any(leg.state == "ACTIVE" for leg in legs) or _is_on_its_way(session, row):
            yield Waits("check_out", None, place)
        elif legs:
            yield Waits("identity", max(leg.changed_at for leg in legs) + IDENTITY_KEPT, place)
        elif row.moved_out_on is not None:
            yield Waits("identity", end_of(row.moved_out_on + IDENTITY_KEPT), place)


def _is_on_its_way(session: Session, row: Registration) -> bool:
    """Whether something of a residence still waits to be told to the registry, or was set aside for a person."""
    waiting = select(OutboxRow.id).where(
        OutboxRow.destination == "registry", OutboxRow.aggregate_id == row.id, OutboxRow.done_at.is_(None)
    )
    return session.scalar(waiting.limit(1)) is not None


def _others(world: World, session: Session, person_id: str) -> Iterator[Waits]:
    letting = session.scalar(select(Unit.id).where(Unit.landlord_id == person_id).limit(1))
    letting = letting or session.scalar(
        select(Lease.id).where(Lease.landlord_id == person_id, Lease.state == "active").limit(1)
    )
    contested = select(UnitClaim.id).where(UnitClaim.person_id == person_id, UnitClaim.state == "contested").limit(1)
    if letting or session.scalar(contested):
        yield Waits("letting")
    if _speaks_for_others(world, session, person_id):
        yield Waits("speaking_for")
    undecided = select(Case.reference).where(Case.person_id == person_id, Case.state.in_(OPEN_STATES))
    for reference in session.scalars(undecided.order_by(Case.reference)):
        yield Waits("case", None, reference)


def _speaks_for_others(world: World, session: Session, person_id: str) -> bool:
    declared = select(Registration.id).where(
        Registration.declarer_id == person_id,
        or_(Registration.person_id.is_(None), Registration.person_id != person_id),
        Registration.residence == "living",
    )
    return session.scalar(declared.limit(1)) is not None or bool(children_of(world, session, person_id))
