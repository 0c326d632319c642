"""A landlord's leases, found for use cases: another's lease is simply not found."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.domain.refusals import Refused
from backend.gateways.world import World
from backend.models.accounts import Account
from backend.models.keys import Key
from backend.models.leases import Lease
from backend.models.registrations import Registration
from backend.models.units import Unit
from backend.services.units import require_mandate


def own_lease_to_change(world: World, session: Session, account_id: str, lease_id: str) -> Lease:
    """A landlord's lease, to be changed: a manager's mandate must still run, other writers of the unit wait."""
    lease = own_lease(session, account_id, lease_id)
    session.get_one(Unit, lease.unit_id, with_for_update=True)
    session.refresh(lease)  # as whoever held the unit before has left it
    require_mandate(world, session, lease.unit_id, lease.landlord_id)
    return lease


def own_lease(session: Session, account_id: str, lease_id: str) -> Lease:
    """A lease of this landlord; another's is not found."""
    account = session.get_one(Account, account_id)
    lease = session.get(Lease, lease_id)
    if lease is None or account.person_id is None or lease.landlord_id != account.person_id:
        raise Refused("not_found", "lease_id")
    return lease


def registration_of(session: Session, lease_id: str) -> Registration:
    """The registration that belongs to a lease."""
    return session.scalars(select(Registration).where(Registration.lease_id == lease_id)).one()


def living_key(session: Session, lease_id: str) -> Key | None:
    """The lease's occupant key that has not ended."""
    return session.scalar(
        select(Key).where(Key.lease_id == lease_id, Key.kind == "occupant", Key.state.not_in(("revoking", "revoked")))
    )
