"""谁看过我的数据: who has looked at one's data, told to that person; own door entries, to them alone; the export."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import false, select, union_all
from sqlalchemy.orm import Session

from backend.db import reading
from backend.domain.ids import is_id
from backend.domain.keys import ENDED
from backend.domain.refusals import Refused
from backend.gateways.world import World
from backend.models.accounts import Account
from backend.models.audit import AuditLeaf
from backend.models.keys import Key
from backend.models.leases import Lease
from backend.models.lock_events import LockEvent
from backend.models.persons import Person
from backend.models.registry_returns import RegistryRead
from backend.services.audit import write_leaf
from backend.services.consents import list_consents
from backend.services.field_origins import list_all_origins
from backend.services.hands import Desk, acting_for
from backend.services.inbox import list_notices
from backend.services.look_answers import LookQuestion, questions_of
from backend.services.occupancy import joint_group
from backend.services.office_names import english_names
from backend.services.persons import my_identity, name_of
from backend.services.sign_ins import list_sessions
from backend.services.tenancies import my_tenancies
from backend.services.wards import children_of

OPENINGS = (
    "lock.unlocked",
    "lock.locked",
    "door.opened",
    "door.closed",
    "access.denied",
    "inside.opened",
    "mech_key.used",
    "lock.unlock_timeout",
)


@dataclass(frozen=True)
class AccessView:
    """One look at a person's data: office, role and badge pseudonym, purpose, case, which fields.

    `office_en` is the office's English name where one is known. `about` is the name of a child whose guardian reads
    this; None when it is about oneself. `question` is what this reader has asked about the look.
    """

    id: str
    at: datetime
    actor: str  # 'officer' | 'registry' | 'operator' | 'office'
    office: str | None
    role: str | None
    badge: str | None
    purpose: str | None
    case_ref: str | None
    action: str
    fields: tuple[str, ...]
    decision: str | None
    about: str | None = None
    office_en: str | None = None
    question: LookQuestion | None = None


@dataclass(frozen=True)
class AccessPage:
    """A page of records, newest first; `next` goes on where it ended."""

    items: tuple[AccessView, ...]
    next: str | None


@dataclass(frozen=True)
class DoorEvent:
    """One of the tenant's own door entries; `late` was told by the lock after the fact.

    `by`: 'own', or 'visitor' for a visitor's key to the own door: which kind of key, never which person.
    """

    at: datetime
    kind: str
    late: bool
    by: str


def my_access_records(world: World, *, account_id: str, before: str | None = None, limit: int = 50) -> AccessPage:
    """All accesses to one's data by offices and the system, newest first; one's own acts are not among them.

    A guardian reads those to the data of their children under 16 as well (ZJ-7).
    """
    with reading() as session:
        account = session.get_one(Account, account_id)
        if account.person_id is None:
            return AccessPage((), None)
        children = _children(world, session, account.person_id)
        # before a tenant accepts, the lease stands for them: what an office was told of it is theirs to see as well
        account_subjects = union_all(
            select(Person.id.label("id")).where(Person.id.in_([account.person_id, *children])),
            select(Lease.id).where(Lease.tenant_id == account.person_id),
        ).subquery()
        statement = select(AuditLeaf).where(
            AuditLeaf.subject_id.in_(select(account_subjects.c.id)),
            AuditLeaf.actor_kind.in_(("officer", "registry", "operator", "office")),
        )
        if before is not None:
            statement = statement.where(AuditLeaf.id < before)
        rows = session.scalars(statement.order_by(AuditLeaf.id.desc()).limit(limit + 1)).all()
        there = select(RegistryRead).where(RegistryRead.person_id.in_([account.person_id, *children]))
        if before is not None:
            there = there.where(RegistryRead.id < before)
        reads = session.scalars(there.order_by(RegistryRead.id.desc()).limit(limit + 1)).all()
        # by id, which is the order in which they became known here: a page ends at the same place for both
        looks = [_access(row, children) for row in rows] + [_read_there(row, children) for row in reads]
        found = sorted(looks, key=lambda item: item.id, reverse=True)
        names, asked = english_names(session), questions_of(session, account.person_id)
        items = tuple(
            replace(item, office_en=names.get(item.office or ""), question=asked.get(item.id)) for item in found[:limit]
        )
        return AccessPage(items, items[-1].id if len(found) > limit else None)


def find_access_record(world: World, *, account_id: str, record_id: str) -> AccessView:
    """One access to one's data. Raises Refused not_found for what is nobody's, or another's."""
    page = my_access_records(world, account_id=account_id, before=_just_after(record_id), limit=1)
    if not page.items or page.items[0].id != record_id:
        raise Refused("not_found")
    return page.items[0]


def _just_after(record_id: str) -> str:
    """The smallest id behind this one: a page that begins before it begins with the record itself."""
    if not is_id(record_id) or UUID(record_id) == UUID(int=2**128 - 1):
        raise Refused("not_found")
    return str(UUID(int=UUID(record_id).int + 1))


def view_of(exported: Mapping[str, Any]) -> AccessView:
    """An access as the export holds it, for whoever prints it."""
    asked = exported["question"]
    return AccessView(**{**exported, "question": LookQuestion(**asked) if asked else None})


def my_door_events(
    world: World, *, account_id: str, key_id: str, until: datetime | None = None, skip: int = 0, limit: int = 100
) -> tuple[DoorEvent, ...]:
    """The openings with one's own key, on a former phone too, and by one's visitors and the landlord's meanwhile.

    For the tenant alone: a visitor's phone is not told either, since the door is the tenant's. Whom others in a shared
    flat let in is theirs to know, unless they are of the same joint tenancy. Newest first; `until` begins at a moment
    and `skip` passes over what was seen of it.
    """
    with reading() as session:
        key = session.get(Key, key_id)
        if key is None or key.holder_account_id != account_id or key.kind != "occupant":
            raise Refused("not_found", "key_id")
        own = session.execute(
            select(Key.id, Key.activated_at, Key.state, Key.revoke_asked_at).where(
                Key.lease_id == key.lease_id, Key.holder_account_id == account_id
            )
        ).all()
        mine = [row.id for row in own]
        began = min((row.activated_at for row in own if row.activated_at), default=None)
        ended = max((row.revoke_asked_at for row in own if row.revoke_asked_at), default=None)
        household = [lease.id for lease in joint_group(session, session.get_one(Lease, key.lease_id))]
        members = select(Key.holder_account_id).where(Key.lease_id.in_(household), Key.kind == "occupant")
        theirs = select(Key.id).where(
            Key.unit_id == key.unit_id,
            Key.kind == "visitor",
            (Key.issuer_role == "landlord") | Key.issued_by.in_(members),
        )
        visits = LockEvent.key_id.in_(theirs) & (LockEvent.at >= began) if began else false()
        if ended is not None and all(row.state in ENDED for row in own):
            visits = visits & (LockEvent.at <= ended)
        statement = select(LockEvent).where(LockEvent.key_id.in_(mine) | visits, LockEvent.kind.in_(OPENINGS))
        if until is not None:
            statement = statement.where(LockEvent.at <= until)
        statement = statement.order_by(LockEvent.at.desc(), LockEvent.seq.desc())
        rows = session.scalars(statement.offset(skip).limit(limit))
        return tuple(DoorEvent(row.at, row.kind, row.late, "own" if row.key_id in mine else "visitor") for row in rows)


def export_my_data(world: World, *, account_id: str, desk: Desk | None = None) -> dict[str, Any]:
    """Everything Anju holds about the account's person, machine-readable (PIPL-45); the number stays masked here.

    At the window it is printed; nothing leaves before its leaf is written.
    """
    identity = my_identity(world, account_id=account_id)
    export = {
        "identity": asdict(identity) if identity else None,
        "tenancies": [asdict(tenancy) for tenancy in my_tenancies(world, account_id=account_id)],
        "sources": {
            about: [asdict(origin) for origin in origins]
            for about, origins in list_all_origins(world, account_id=account_id).items()
        },
        "consents": [asdict(consent) for consent in list_consents(world, account_id=account_id)],
        "sessions": [asdict(session) for session in list_sessions(world, account_id=account_id)],
        "notices": [asdict(notice) for notice in list_notices(world, account_id=account_id, limit=100_000)],
        "accesses": [asdict(item) for item in my_access_records(world, account_id=account_id, limit=1000).items],
    }
    with acting_for(world, account_id, desk, "export") as (session, hand):
        write_leaf(world, session, hand.actor, "data_exported", subject_id=_person_of(session, account_id))
    return export


def _person_of(session: Session, account_id: str) -> str | None:
    return session.get_one(Account, account_id).person_id


def _children(world: World, session: Session, person_id: str) -> dict[str, str]:
    """The children under 16 this person answers for, by name."""
    return {child.id: name_of(world, session, child) for child in children_of(world, session, person_id)}


def _read_there(row: RegistryRead, children: Mapping[str, str]) -> AccessView:
    """A read at the registry itself, with the time it happened there."""
    return AccessView(
        row.id, row.at, "registry", row.office, None, row.badge, row.purpose, None, "registry_read", (), None,
        children.get(row.person_id or ""),
    )  # fmt: skip


def _access(row: AuditLeaf, children: Mapping[str, str]) -> AccessView:
    return AccessView(
        row.id,
        row.at,
        row.actor_kind,
        row.office,
        row.role,
        row.actor_badge,
        row.purpose,
        row.case_ref,
        row.action,
        tuple(row.fields),
        row.decision,
        children.get(row.subject_id or ""),
    )
