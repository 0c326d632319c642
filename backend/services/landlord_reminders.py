"""A landlord of many units reminds those tenants who are late to declare, all at once: a message each, nothing more.

A reminder discloses nothing to the landlord and does nothing to a key (HR-12).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass, replace
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.db import reading, transaction
from backend.domain.landlord_board import LeaseFacts, may_be_reminded
from backend.domain.refusals import Refused
from backend.gateways.world import World
from backend.models.accounts import Account
from backend.models.keys import Key
from backend.models.leases import Lease
from backend.models.notices import Notice
from backend.models.registrations import Registration
from backend.services import idempotency
from backend.services.audit import Actor, write_leaf
from backend.services.inbox import tell_account
from backend.services.reminder_messages import remind_by_sms
from backend.services.unit_board import unit_lines
from backend.services.units import landlord_of, require_mandate

MOST_AT_ONCE = 200
RULE = "HK-15"


@dataclass(frozen=True)
class LateTenant:
    """A lease whose tenant should have declared by `due_on` and has not; last reminded on `reminded_on`."""

    lease_id: str
    unit_id: str
    unit_alias: str
    alias: str
    due_on: date
    reminded_on: date | None = None


@dataclass(frozen=True)
class Reminded:
    """How many were told now, how many had been told today already, and how many need it no more."""

    told: int
    told_before: int
    not_needed: int


def list_late_tenants(world: World, *, account_id: str) -> tuple[LateTenant, ...]:
    """Those of the landlord's tenants who are late to declare: never reminded, then longest not reminded, in front."""
    with reading() as session:
        person_id = session.get_one(Account, account_id).person_id
        if person_id is None:
            return ()
        reminded = _last_reminders(session, person_id)
        found = [replace(late, reminded_on=reminded.get(late.lease_id))
                 for late in _late(world, session, person_id).values()]  # fmt: skip
        return tuple(sorted(found, key=lambda late: (late.reminded_on or date.min, late.due_on, late.unit_alias)))


def _last_reminders(session: Session, person_id: str) -> dict[str, date]:
    """By lease, the day of the landlord's last reminder; the message's marker names the lease."""
    told = (
        select(Notice.once, Notice.day)
        .join(Key, Key.holder_account_id == Notice.account_id)
        .join(Lease, Lease.id == Key.lease_id)
        .where(Lease.landlord_id == person_id, Lease.state == "active", Notice.kind == "landlord_reminds")
        .order_by(Notice.day)
    )
    return {once.split(":")[1]: day for once, day in session.execute(told)}


def remind_tenants(
    world: World, *, account_id: str, lease_ids: Collection[str], idempotency_key: str | None = None
) -> Reminded:
    """Remind the tenants of these leases to declare, once a day at the most: inbox, and a short message by day.

    Raises Refused landlord.unidentified, input.missing, input.length, not_found (another's lease), right.mandate_over.
    """
    chosen = sorted(set(lease_ids))
    if not chosen:
        raise Refused("input.missing", "lease_ids")
    if len(chosen) > MOST_AT_ONCE:
        raise Refused("input.length", "lease_ids", least=1, most=MOST_AT_ONCE)
    with transaction() as session:
        known = idempotency.find_answer(session, account_id, idempotency_key, "remind_tenants", {"leases": chosen})
        if known is not None:
            return Reminded(**known)
        person_id = landlord_of(session, account_id)
        _require_own(world, session, person_id, chosen)
        late = _late(world, session, person_id)
        wanted = [late[lease_id] for lease_id in chosen if lease_id in late]
        told = _remind(world, session, account_id, wanted)
        result = Reminded(told, len(wanted) - told, len(chosen) - len(wanted))
        idempotency.remember(
            world, session, account_id, idempotency_key, "remind_tenants", {"leases": chosen}, asdict(result)
        )
        return result


def _require_own(world: World, session: Session, person_id: str, lease_ids: Collection[str]) -> None:
    lines = unit_lines(session, person_id, world.clock.today())
    others = set(lease_ids) - {lease.id for line in lines for lease in line.leases}
    hidden = select(Lease.unit_id).where(Lease.id.in_(others), Lease.landlord_id == person_id)
    for unit_id in session.scalars(hidden) if others else ():
        require_mandate(world, session, unit_id, person_id)
    if others:
        raise Refused("not_found", "lease_ids")


def _late(world: World, session: Session, person_id: str) -> dict[str, LateTenant]:
    today = world.clock.today()
    found: dict[str, LateTenant] = {}
    for line in unit_lines(session, person_id, today):
        for lease in line.leases:
            if may_be_reminded(lease, today) == "yes":
                found[lease.id] = _late_tenant(line.unit_id, line.alias, lease)
    return found


def _late_tenant(unit_id: str, unit_alias: str, lease: LeaseFacts) -> LateTenant:
    assert lease.tenant_due_on is not None
    return LateTenant(lease.id, unit_id, unit_alias, lease.alias, lease.tenant_due_on)


def _remind(world: World, session: Session, account_id: str, wanted: Collection[LateTenant]) -> int:
    by_lease = {late.lease_id: late for late in wanted}
    rows = session.execute(
        select(Key.lease_id, Key.holder_account_id, Registration.id)
        .join(Registration, Registration.lease_id == Key.lease_id)
        .where(Key.lease_id.in_(by_lease), Key.kind == "occupant", Key.holder_account_id.is_not(None))
        .where(Key.state.not_in(("revoking", "revoked")))
    ).all()
    return sum(
        _tell(world, session, account_id, by_lease[lease_id], tenant, registration_id)
        for lease_id, tenant, registration_id in rows
        if lease_id is not None and tenant is not None
    )


def _tell(world: World, session: Session, account_id: str, late: LateTenant, tenant: str, registration_id: str) -> bool:
    due_on = late.due_on.isoformat()
    told = tell_account(
        world, session, tenant, "landlord_reminds", once=f"{late.lease_id}:{world.clock.today()}", rule=RULE,
        unit=late.unit_alias, due_on=due_on, duty="declare", side="tenant", registration_id=registration_id,
    )  # fmt: skip
    if told:
        remind_by_sms(world, session, tenant)
        actor = Actor("resident", account_id, role="landlord")
        write_leaf(world, session, actor, "tenant_reminded", object_kind="lease", object_id=late.lease_id)
    return told
