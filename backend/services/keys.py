"""Keys: look, fetch what the phone needs offline, suspend, resume, revoke.

Grounds of HR-12 for an occupant's key: `check_out` is the one a landlord may name, once the tenant has checked out.
`both_agreed` is that same check-out, made by the tenant: naming it gains a landlord nothing. `court_order` is entered
by an officer, with the court's number (see `officer_keys`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.db import reading, transaction
from backend.domain.ids import new_id
from backend.domain.keys import CODE_KINDS, STATE_NAMES, CredentialLife, credential_life, decide_restriction
from backend.domain.refusals import Refused
from backend.gateways.world import World
from backend.models.accounts import Account
from backend.models.keys import Key, KeyDoor
from backend.models.leases import Lease
from backend.models.locks import Lock
from backend.models.persons import Person
from backend.models.units import Unit
from backend.services.audit import Actor, write_leaf
from backend.services.inbox import tell_account
from backend.services.key_changes import (
    begin_revocation,
    change_key,
    doors_in_use,
    open_doors,
    restrict_doors,
    unit_alias,
)
from backend.services.key_lists import enqueue_key_list, key_begins, key_ends, lock_windows, sign_revocation
from backend.services.tenancies import KeyCard, key_card
from backend.services.units import require_mandate
from backend.wire.lock_documents import PLATFORM, Activation, HolderKey, claims_of
from backend.wire.lock_documents import Credential as CredentialDocument


@dataclass(frozen=True)
class DoorCredential:
    """What opens one lock over Bluetooth: the credential and the newest list of revoked keys to carry there.

    `lock_key` (JWK) is the lock's own public key, by which the phone knows before whom it stands.
    """

    lock_id: str
    lock_key: dict[str, str]
    credential: str
    revocations: str


@dataclass(frozen=True)
class Credential:
    """What a phone keeps for opening without a server, until `expires_at`.

    An occupant's opens only together with `activation`; a visitor's needs none, since nobody asked who the visitor is.
    """

    key_id: str
    doors: tuple[DoorCredential, ...]
    activation: str | None
    expires_at: datetime


def get_key(world: World, *, account_id: str, key_id: str) -> KeyCard:
    """A key, for its holder or its landlord; another's is not found."""
    with reading() as session:
        return key_card(session, _known_key(world, session, account_id, key_id)[0])


def fetch_credential(world: World, *, account_id: str, key_id: str) -> Credential:
    """Mint fresh credentials for the holder's phone, bound to its own key; renewed whenever the app is open.

    For an occupant's active key always: past the planned end, and while a case is open (HR-12).
    Raises Refused key.not_active, key.over, unit.no_lock.
    """
    with transaction() as session:
        key = held_key(session, account_id, key_id)
        now = world.clock.now()
        require_active(key, now)
        if key.phone_jwk is None:
            raise Refused("not_found", "key_id")
        locks = session.scalars(
            select(Lock)
            .join(KeyDoor, KeyDoor.lock_id == Lock.id)
            .where(KeyDoor.key_id == key.id, Lock.retiring_at.is_(None), Lock.retired_at.is_(None))
        ).all()
        if not locks:
            raise Refused("unit.no_lock")
        life = credential_life_of(world, key, now)
        key.credential_ends_at = max(key.credential_ends_at or life.expires_at, life.expires_at)
        doors = tuple(
            DoorCredential(
                lock.id,
                dict(lock.public_key),
                world.tokens.sign("ekey", claims_of(_credential(world, key, lock, now, life.expires_at))),
                sign_revocation(world, session, lock),
            )
            for lock in locks
        )
        activation = None
        if key.kind == "occupant":
            # Once a key has become active, a later doubt about the identity goes to a person and ends no key (HR-12).
            state = session.get_one(Person, key.holder_id).identity_state
            level = state if state in ("verified", "attested") else "attested"
            activation = sign_activation(world, key.id, dict(key.phone_jwk), level, now, life.expires_at)
        write_leaf(
            world,
            session,
            Actor("resident", account_id),
            "credential_minted",
            subject_id=key.holder_id,
            object_kind="key",
            object_id=key.id,
        )
        return Credential(key.id, doors, activation, life.expires_at)


def sign_activation(
    world: World, subject: str, phone_jwk: dict[str, str], level: str, now: datetime, expires_at: datetime
) -> str:
    """Sign the platform's word that the holder of this phone key has been identified (`verified` or `attested`)."""
    document = Activation(
        iss=PLATFORM,
        sub=subject,
        nbf=int(now.timestamp()),
        exp=int(expires_at.timestamp()),
        iat=int(now.timestamp()),
        jti=new_id(),
        cnf=HolderKey(phone_jwk),
        lvl=level,
    )
    return world.tokens.sign("activation", claims_of(document))


def suspend_key(world: World, *, account_id: str, key_id: str, ground: str | None = None) -> KeyCard:
    """Suspend a key. The holder may always (a lost phone); the landlord needs a ground for an occupant's (HR-12)."""
    with transaction() as session:
        key, by_holder = _restrictable(world, session, account_id, key_id, ground)
        if key.state != "suspended":
            change_key(world, session, key, "suspend", _actor(account_id, by_holder), ground)
            key.suspended_at, key.suspended_by = world.clock.now(), "tenant" if by_holder else "landlord"
            restrict_doors(world, session, key)
            _tell_holder(world, session, key, "key_suspended")
        return key_card(session, key)


def resume_key(world: World, *, account_id: str, key_id: str) -> KeyCard:
    """Let a suspended key open again; resuming an active one changes nothing.

    A key its holder has suspended (a lost phone) is resumed by the holder alone: Refused key.suspended_by_holder.
    """
    with transaction() as session:
        key, by_holder = _known_key(world, session, account_id, key_id)
        if key.state != "active":
            if key.suspended_by == "tenant" and not by_holder:
                raise Refused("key.suspended_by_holder")
            change_key(world, session, key, "resume", _actor(account_id, by_holder))
            key.suspended_at, key.suspended_by = None, None
            doors = doors_in_use(session, key)
            for door in doors:
                door.desired_version = enqueue_key_list(world, session, door.lock_id)
                door.confirmed_at, door.exposure_until = None, None
            if not doors:  # its unit may have got a lock meanwhile
                open_doors(world, session, key)
            _tell_holder(world, session, key, "key_resumed")
        return key_card(session, key)


def revoke_key(world: World, *, account_id: str, key_id: str, ground: str | None = None) -> KeyCard:
    """Revoke a key for good: `revoking` until every door has confirmed or is past its exposure.

    Raises Refused key.ground (HR-12) when a landlord names none for an occupant's key.
    """
    with transaction() as session:
        key, by_holder = _restrictable(world, session, account_id, key_id, ground)
        if key.state not in ("revoking", "revoked"):
            begin_revocation(world, session, key, _actor(account_id, by_holder), ground or "holder_request")
        return key_card(session, key)


def _restrictable(
    world: World, session: Session, account_id: str, key_id: str, ground: str | None
) -> tuple[Key, bool]:
    key, by_holder = _known_key(world, session, account_id, key_id)
    held = key.state not in ("draft", "invited")
    refusal = decide_restriction(key.kind, ground, by_holder) if held else None
    if refusal is not None:
        raise Refused.of([refusal])
    if held and not by_holder and key.kind == "occupant":
        _check_ground(session, key, ground)
    return key, by_holder


def _check_ground(session: Session, key: Key, ground: str | None) -> None:
    """A ground is a fact, not a word: the tenant's check-out must be there.

    Both sides' agreement is the tenant's own check-out; a court order is entered by an officer, not by a landlord.
    """
    lease = session.get_one(Lease, key.lease_id)
    if ground != "check_out" or lease.state != "ended":
        raise Refused("key.ground", "ground", allowed=("check_out",))


def _known_key(world: World, session: Session, account_id: str, key_id: str) -> tuple[Key, bool]:
    """The key and whether the caller is its holder (else its landlord); anyone else's is not found.

    Raises Refused right.mandate_over.
    """
    key = session.get(Key, key_id)
    if key is None:
        raise Refused("not_found", "key_id")
    if key.holder_account_id == account_id:
        return key, True
    account = session.get_one(Account, account_id)
    # A visitor's key belongs to the unit, an occupant's to the lease under which it was issued.
    landlord_id = (
        session.get_one(Unit, key.unit_id).landlord_id
        if key.lease_id is None
        else session.get_one(Lease, key.lease_id).landlord_id
    )
    if account.person_id is None or landlord_id != account.person_id:
        raise Refused("not_found", "key_id")
    require_mandate(world, session, key.unit_id, landlord_id)
    return key, False


def held_key(session: Session, account_id: str, key_id: str) -> Key:
    """A key this account holds; another's is not found."""
    key = session.get(Key, key_id, with_for_update=True)
    if key is None or key.holder_account_id != account_id:
        raise Refused("not_found", "key_id")
    return key


def require_active(key: Key, now: datetime) -> None:
    """Raises Refused key.not_active, or key.over when a visitor's key has come to its end."""
    if key.state != "active":
        raise Refused("key.not_active", state=STATE_NAMES[key.state])
    ends = key_ends(key)
    if ends is not None and ends <= now:
        raise Refused("key.over")


def credential_life_of(world: World, key: Key, now: datetime) -> CredentialLife:
    """The life of a credential of this key made now."""
    return credential_life(now, key.kind, world.house.key_life_occupant, world.house.key_life_visitor, key_ends(key))


def _actor(account_id: str, by_holder: bool) -> Actor:
    return Actor("resident", account_id, role="tenant" if by_holder else "landlord")


def _tell_holder(world: World, session: Session, key: Key, kind: str) -> None:
    if key.holder_account_id is not None:
        tell_account(
            world,
            session,
            key.holder_account_id,
            kind,
            once=f"{key.id}:{key.version}",
            unit=unit_alias(session, key.unit_id),
        )


def _credential(world: World, key: Key, lock: Lock, now: datetime, expires_at: datetime) -> CredentialDocument:
    is_occupant = key.kind == "occupant"
    limits: dict[str, Any] = {
        "sched": lock_windows(key),
        "uses": key.uses,
        "tvr": True if key.tvr else None,
        "cond": ("idv",) if is_occupant else None,
    }
    return CredentialDocument(
        iss=PLATFORM,
        sub=key.id,
        aud=lock.id,
        nbf=int(key_begins(key).timestamp()),
        exp=int(expires_at.timestamp()),
        iat=int(now.timestamp()),
        jti=new_id(),
        cnf=HolderKey(dict(key.phone_jwk or {})),
        rights=tuple(key.rights),
        occ=key.epoch,
        grc=int(world.house.outage_grace.total_seconds()) if is_occupant else None,
        # A visitor's code spans the key's whole life, which this day's credential does not tell: the list teaches it.
        pad=CODE_KINDS[key.kind] if key.kind == "occupant" else None,
        crit=(*(name for name, value in limits.items() if value is not None), "occ", "cnf", "rights"),
        **limits,
    )
