"""Taking in a key that a landlord's phone issued without network: both signatures checked, bound to the lease's key."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.db import transaction
from backend.domain.ids import is_id
from backend.domain.refusals import Refused
from backend.gateways.world import World
from backend.models.accounts import Account
from backend.models.invitations import Invitation
from backend.models.keys import Key, KeyDelegate, KeyDoor
from backend.models.leases import Lease
from backend.models.locks import Lock
from backend.models.units import Unit
from backend.services import vault
from backend.services.audit import Actor, write_leaf
from backend.services.inbox import tell_person
from backend.services.invitations import hold_lease, phone_key
from backend.services.key_changes import (
    activate_occupant,
    begin_revocation,
    change_key,
    lock_of,
    raise_to_delegate,
)
from backend.services.own_leases import living_key
from backend.services.tenancies import KeyCard, key_card
from backend.services.units import require_mandate
from backend.wire import tokens
from backend.wire.jwk import public_key_from_jwk
from backend.wire.lock_documents import PLATFORM, Credential, Delegate, document_from

_RIGHTS = {"unlock", "lock"}


@dataclass(frozen=True)
class _Issued:
    """What both signatures say together."""

    key_id: str
    delegate_id: str
    lock_id: str
    epoch: int
    phone_jwk: dict[str, Any]
    ends_at: datetime


def adopt_delegated_key(
    world: World, *, account_id: str, lease_id: str, credential: str, delegate: str
) -> KeyCard:
    """Take in the key that the landlord's phone issued for a lease, told by the landlord or by the tenant's phone.

    The lease's key gets the id and the phone key of the credential and is claimed; the tenant becomes its holder with
    their own telling, or by accepting the invitation with the same phone key. Told again, no change.
    Raises Refused not_found, delegate.chain, delegate.ended, key.other_holder, invitation.not_open.
    """
    with transaction() as session:
        lease, by_tenant = _lease_of(world, session, account_id, lease_id)
        issued = _read_chain(world, credential, delegate)
        lock = _checked_lock(session, lease, issued)
        key = _bind(world, session, account_id, lease, lock, issued, by_tenant)
        if by_tenant and key.holder_account_id is None:
            account = session.get_one(Account, account_id)
            hold_lease(world, session, account, lease, key)
            _close_invitations(world, session, account_id, lease)
            tell_person(world, session, lease.landlord_id, "invitation_accepted", once=key.id, alias=lease.alias,
                        lease_id=lease.id)  # fmt: skip
            session.flush()
            activate_occupant(world, session, key)
        return key_card(session, key)


def _read_chain(world: World, credential: str, delegate: str) -> _Issued:
    """Check the platform's signature on the delegate, the delegate's on the credential, and the limits between them."""
    try:
        claims = tokens.verify("delegate", delegate, world.tokens.public_keys())
        issuer = document_from(Delegate, claims)
        signer = public_key_from_jwk(issuer.cnf.jwk)
        issued = document_from(
            Credential, tokens.verify("ekey", credential, {tokens.key_id_of(credential): signer})
        )
    except (tokens.TokenRejected, ValueError):
        raise Refused("delegate.chain") from None
    holds = (
        issuer.iss == PLATFORM
        and issued.iss == issuer.jti
        and issued.aud == issuer.aud
        and issued.occ == issuer.occ
        and issuer.nbf <= issued.nbf < issued.exp <= issuer.exp
        and "idv" in (issued.cond or ())
        and set(issued.rights) <= _RIGHTS
        and is_id(issued.sub)
    )
    if not holds or not isinstance(issued.aud, str):
        raise Refused("delegate.chain")
    ends_at = datetime.fromtimestamp(issued.exp, UTC)
    return _Issued(issued.sub, issuer.jti, issued.aud, issued.occ, dict(issued.cnf.jwk), ends_at)


def _lease_of(world: World, session: Session, account_id: str, lease_id: str) -> tuple[Lease, bool]:
    """The lease, and whether its tenant tells (else its landlord): the invited phone, or who holds its key already."""
    lease = session.get(Lease, lease_id)
    if lease is None:
        raise Refused("not_found", "lease_id")
    session.get_one(Unit, lease.unit_id, with_for_update=True)
    account = session.get_one(Account, account_id)
    if account.person_id is not None and lease.landlord_id == account.person_id:
        require_mandate(world, session, lease.unit_id, lease.landlord_id)
        return lease, False
    key = living_key(session, lease.id)
    if key is not None and key.holder_account_id == account_id:
        return lease, True
    named = vault.unseal(world, session, lease.id, "leases.named_phone", lease.id, lease.named_phone_sealed)
    invited = session.scalar(
        select(Invitation.id).where(
            Invitation.lease_id == lease.id,
            Invitation.state == "pending",
            Invitation.phone_token == account.phone_token,
        )
    )
    if invited is None and world.key_ring.blind_index("phone", named) != account.phone_token:
        raise Refused("not_found", "lease_id")
    return lease, True


def _checked_lock(session: Session, lease: Lease, issued: _Issued) -> Lock:
    """The lock of the lease's unit, for which this landlord's phone was made a delegate."""
    lock = lock_of(session, lease.unit_id)
    row = session.get(KeyDelegate, issued.delegate_id)
    if lock is None or row is None or row.lock_id != lock.id or issued.lock_id != lock.id:
        raise Refused("delegate.chain")
    if session.get_one(Account, row.account_id).person_id != lease.landlord_id:
        raise Refused("delegate.chain")
    return lock


def _bind(
    world: World, session: Session, account_id: str, lease: Lease, lock: Lock, issued: _Issued, by_tenant: bool
) -> Key:
    jwk, print_ = phone_key(issued.phone_jwk)
    known = session.get(Key, issued.key_id)
    if known is not None and known.lease_id != lease.id:
        raise Refused("key.other_holder", "credential")
    if known is not None and known.phone_thumbprint is not None:  # taken in before, or already on this very phone
        if known.phone_thumbprint != print_:
            raise Refused("key.other_holder", "credential")
        known.delegate_id = known.delegate_id or issued.delegate_id
        known.credential_ends_at = max(known.credential_ends_at or issued.ends_at, issued.ends_at)
        return known
    if session.get_one(KeyDelegate, issued.delegate_id).revoked_at is not None:
        raise Refused("delegate.ended")
    draft = living_key(session, lease.id)
    if lease.state != "active" or draft is None:
        raise Refused("invitation.not_open")
    if draft.state not in ("draft", "invited"):
        raise Refused("key.other_holder", "credential")
    actor = Actor("resident", account_id, role="tenant" if by_tenant else "landlord")
    key = draft if draft.id == issued.key_id else _rename(world, session, draft, issued.key_id, actor)
    key.phone_jwk, key.phone_thumbprint, key.delegate_id = jwk, print_, issued.delegate_id
    key.credential_ends_at = issued.ends_at
    if key.state == "draft":
        change_key(world, session, key, "invite", actor)
    change_key(world, session, key, "claim", actor)
    write_leaf(
        world, session, actor, "key_adopted", object_kind="key", object_id=key.id, decision=issued.delegate_id
    )
    raise_to_delegate(world, session, lock, issued.epoch, lease.id)
    key.epoch = issued.epoch
    session.add(KeyDoor(key_id=key.id, lock_id=lock.id))  # so that ending it reaches the door it may already open
    session.flush()
    return key


def _rename(world: World, session: Session, draft: Key, key_id: str, actor: Actor) -> Key:
    """The lease's key under the id the landlord's phone gave it: the lock knows no other."""
    begin_revocation(world, session, draft, actor, "never_active")
    session.flush()
    key = Key(
        id=key_id,
        lease_id=draft.lease_id,
        unit_id=draft.unit_id,
        state="draft",
        starts_on=draft.starts_on,
        ends_on=draft.ends_on,
        created_at=world.clock.now(),
    )
    session.add(key)
    session.flush()
    return key


def _close_invitations(world: World, session: Session, account_id: str, lease: Lease) -> None:
    pending = session.scalars(
        select(Invitation).where(Invitation.lease_id == lease.id, Invitation.state == "pending")
    )
    for invitation in pending:
        invitation.state, invitation.accepted_by = "accepted", account_id
        invitation.accepted_at = world.clock.now()
