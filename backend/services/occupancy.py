"""Who lives in a unit, as far as keys are concerned; and telling them. All of it inside the caller's write unit."""

from __future__ import annotations

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session, aliased

from backend.domain.keys import LIVE
from backend.gateways.world import World
from backend.models.keys import Key
from backend.models.leases import Lease
from backend.models.registrations import Registration
from backend.services.inbox import tell_account


def occupants_of(session: Session, unit_id: str) -> list[Key]:
    """The occupants' keys of a unit that a phone holds and that have not ended, oldest first."""
    rows = session.scalars(
        select(Key)
        .where(Key.unit_id == unit_id, Key.kind == "occupant", Key.state.in_(LIVE))
        .order_by(Key.created_at, Key.id)
    )
    return list(rows)


def is_occupied(session: Session, unit_id: str) -> bool:
    """Whether somebody lives in the unit or holds its key, on paper too: then nobody enters without their word."""
    if occupants_of(session, unit_id):
        return True
    declared = session.scalar(
        select(Registration.id)
        .where(
            Registration.unit_id == unit_id, Registration.residence == "living", Registration.tenant_leg == "declared"
        )
        .limit(1)
    )
    return declared is not None


def may_consent(session: Session, account_id: str, unit_id: str) -> bool:
    """Whether this account may consent to a visitor: it holds an occupant's key that has become active.

    An accepted invitation is the landlord's word alone, and the landlord asks.
    """
    occupants = occupants_of(session, unit_id)
    return any(key.holder_account_id == account_id and key.activated_at is not None for key in occupants)


def is_occupant(session: Session, account_id: str, unit_id: str) -> bool:
    """Whether this account holds an occupant's key of the unit that has not ended."""
    return any(key.holder_account_id == account_id for key in occupants_of(session, unit_id))


def tell_occupants(
    world: World, session: Session, unit_id: str, kind: str, /, *, once: str, but: str | None = None, **params: str
) -> None:
    """Put a message into the inbox of every occupant, but not into that of the account `but`."""
    accounts = {key.holder_account_id for key in occupants_of(session, unit_id)} - {None, but}
    for account_id in sorted(account for account in accounts if account is not None):
        tell_account(world, session, account_id, kind, once=f"{once}:{account_id[-12:]}", **params)


def leases_lived_in(session: Session, unit_id: str) -> list[tuple[str, bool]]:
    """Everyone who lives in a unit, on paper too: kind of lease ("" without one), and whether it is a joint one."""
    head = aliased(Registration)  # who lives along lives under the tenant's lease, as long as the tenant does
    declared = session.scalars(
        select(func.coalesce(Registration.lease_id, head.lease_id))
        .outerjoin(head, and_(head.id == Registration.household_of_id, head.residence == "living"))
        .where(
            Registration.unit_id == unit_id, Registration.residence == "living", Registration.tenant_leg == "declared"
        )
    )
    ids = {*declared, *(key.lease_id for key in occupants_of(session, unit_id))}
    leases = [session.get_one(Lease, lease_id) if lease_id else None for lease_id in sorted(ids, key=str)]
    return [(lease.kind, len(joint_group(session, lease)) > 1) if lease else ("", False) for lease in leases]


def joint_group(session: Session, lease: Lease) -> list[Lease]:
    """All leases of a joint tenancy, this one among them, oldest first; alone where it is none."""
    first_id = lease.joint_id or lease.id
    rows = session.scalars(
        select(Lease).where((Lease.id == first_id) | (Lease.joint_id == first_id)).order_by(Lease.created_at, Lease.id)
    )
    return list(rows)
