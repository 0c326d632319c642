"""Keys issued side by side without network: the landlord's phone as a delegate, and what it issued, taken in later.

The landlord's word is the delegate's signature, the platform's is the activation token of the tenant's phone; neither
opens a door alone. A delegate extends the exposure of every key of its lock until it ends.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.db import reading, transaction
from backend.domain.delegations import LONGEST_LIFE, decide_delegate
from backend.domain.ids import new_id
from backend.domain.keys import CLOCK_BOUND
from backend.domain.refusals import Refused
from backend.gateways.world import World
from backend.models.accounts import Account
from backend.models.keys import Key, KeyDelegate, KeyDoor
from backend.models.locks import Lock
from backend.models.persons import Person
from backend.services import idempotency
from backend.services.audit import Actor, write_leaf
from backend.services.invitations import phone_key
from backend.services.key_changes import is_handover_due, lock_of, unit_alias
from backend.services.key_lists import enqueue_key_list
from backend.services.keys import sign_activation
from backend.services.occupancy import leases_lived_in, tell_occupants
from backend.services.units import landlord_of, own_unit, require_mandate
from backend.wire.lock_documents import PLATFORM, Delegate, HolderKey, claims_of


@dataclass(frozen=True)
class DelegateView:
    """A phone that may issue keys of one lock until `expires_at`; `token` (`delegate+jwt`) only for who made it now.

    `lock_key` (JWK) goes with what the phone issues, so that the tenant's knows before which lock it stands.
    """

    id: str
    lock_id: str
    lock_key: dict[str, str]
    epoch: int
    phone_thumbprint: str
    expires_at: datetime
    ended_at: datetime | None
    token: str | None


@dataclass(frozen=True)
class ActivationView:
    """The platform's word that this phone's holder has been identified, for a key that another phone issues."""

    activation: str
    expires_at: datetime


def make_delegate(
    world: World,
    *,
    account_id: str,
    unit_id: str,
    phone_jwk: dict[str, Any],
    days: int = LONGEST_LIFE.days,
    idempotency_key: str | None = None,
) -> DelegateView:
    """Let the landlord's phone issue keys of a unit's lock without network, for up to three days.

    Raises Refused unit.not_yours, landlord.unidentified, right.mandate_over, unit.no_lock, unit.occupied (HR-12),
    delegate.days, key.phone_key.
    """
    jwk, print_ = phone_key(phone_jwk)
    body = {"unit": unit_id, "phone": print_, "days": days}
    with transaction() as session:
        known = idempotency.find_answer(session, account_id, idempotency_key, "make_delegate", body)
        if known is not None:
            row = session.get_one(KeyDelegate, known["delegate_id"])
            return _view(session, row, _sign(world, row, jwk))
        unit = own_unit(session, account_id, unit_id, changing=True)
        landlord_of(session, account_id)
        require_mandate(world, session, unit.id, unit.landlord_id)
        refusal = decide_delegate(days, leases_lived_in(session, unit.id))
        if refusal is not None:
            raise Refused.of([refusal])
        lock = lock_of(session, unit.id)
        if lock is None:
            raise Refused("unit.no_lock")
        session.refresh(lock, with_for_update=True)  # who revokes a key of it now counts this delegate, or we its key
        now = world.clock.now()
        row = KeyDelegate(
            id=new_id(),
            account_id=account_id,
            lock_id=lock.id,
            epoch=lock.epoch + 1 if is_handover_due(session, lock, None) else lock.epoch,
            phone_thumbprint=print_,
            issued_at=now,
            expires_at=now + timedelta(days=days),
        )
        session.add(row)
        session.flush()
        _extend_exposures(session, row)
        actor = Actor("resident", account_id, role="landlord")
        write_leaf(world, session, actor, "delegate_made", object_kind="lock", object_id=lock.id, decision=row.id)
        until = row.expires_at.isoformat(timespec="minutes")
        tell_occupants(
            world, session, unit.id, "delegate_made", once=row.id, unit=unit_alias(session, unit.id), until=until
        )
        answer = {"delegate_id": row.id}
        idempotency.remember(world, session, account_id, idempotency_key, "make_delegate", body, answer)
        return _view(session, row, _sign(world, row, jwk))


def end_delegate(world: World, *, account_id: str, delegate_id: str) -> DelegateView:
    """Take the right back: the lock's next list refuses the phone, and the platform takes in nothing more of it.

    Ended again, no change. A lock without network honours it until it ends by itself, and the exposure says so.
    """
    with transaction() as session:
        row = _own_delegate(session, account_id, delegate_id)
        if row.revoked_at is None:
            row.revoked_at = world.clock.now()
            session.flush()
            enqueue_key_list(world, session, row.lock_id)
            actor = Actor("resident", account_id, role="landlord")
            write_leaf(
                world, session, actor, "delegate_ended", object_kind="lock", object_id=row.lock_id, decision=row.id
            )
        return _view(session, row)


def list_delegates(world: World, *, account_id: str, unit_id: str) -> tuple[DelegateView, ...]:
    """The landlord's phones that may issue keys of this unit's lock now, newest first."""
    with reading() as session:
        lock = lock_of(session, own_unit(session, account_id, unit_id).id)
        if lock is None:
            return ()
        rows = session.scalars(
            select(KeyDelegate)
            .where(
                KeyDelegate.lock_id == lock.id,
                KeyDelegate.account_id == account_id,
                KeyDelegate.expires_at > world.clock.now(),
            )
            .order_by(KeyDelegate.id.desc())
        )
        return tuple(_view(session, row) for row in rows)


def fetch_activation(world: World, *, account_id: str, phone_jwk: dict[str, Any]) -> ActivationView:
    """The activation token for the account's own phone key, as long-lived as a credential.

    It opens nothing by itself. Raises Refused person.missing, identity.unsettled, key.phone_key.
    """
    jwk, print_ = phone_key(phone_jwk)
    with transaction() as session:
        account = session.get_one(Account, account_id)
        if account.person_id is None:
            raise Refused("person.missing")
        person = session.get_one(Person, account.person_id)
        if person.identity_state not in ("verified", "attested"):
            raise Refused("identity.unsettled")
        now = world.clock.now()
        expires_at = now + world.house.key_life_occupant
        actor = Actor("resident", account_id)
        write_leaf(world, session, actor, "activation_minted", subject_id=person.id, object_kind="phone_key")
        token = sign_activation(world, print_, jwk, person.identity_state, now, expires_at)
        return ActivationView(token, expires_at)


def _sign(world: World, row: KeyDelegate, phone_jwk: dict[str, Any]) -> str:
    document = Delegate(
        iss=PLATFORM,
        sub=row.id,
        aud=row.lock_id,
        nbf=int(row.issued_at.timestamp()),
        exp=int(row.expires_at.timestamp()),
        iat=int(row.issued_at.timestamp()),
        jti=row.id,
        cnf=HolderKey(phone_jwk),
        occ=row.epoch,
    )
    return world.tokens.sign("delegate", claims_of(document))


def _extend_exposures(session: Session, row: KeyDelegate) -> None:
    """Doors that have not confirmed a revocation could be opened anew by what this phone signs, until it ends."""
    doors = session.scalars(
        select(KeyDoor)
        .join(Key, Key.id == KeyDoor.key_id)
        .where(
            KeyDoor.lock_id == row.lock_id,
            KeyDoor.confirmed_at.is_(None),
            KeyDoor.exposure_until.is_not(None),
            Key.epoch <= row.epoch,
        )
    )
    for door in doors:
        assert door.exposure_until is not None
        door.exposure_until = max(door.exposure_until, row.expires_at + CLOCK_BOUND)


def _own_delegate(session: Session, account_id: str, delegate_id: str) -> KeyDelegate:
    row = session.get(KeyDelegate, delegate_id, with_for_update=True)
    if row is None or row.account_id != account_id:
        raise Refused("not_found", "delegate_id")
    session.get_one(Lock, row.lock_id, with_for_update=True)
    return row


def _view(session: Session, row: KeyDelegate, token: str | None = None) -> DelegateView:
    lock_key = dict(session.get_one(Lock, row.lock_id).public_key)
    return DelegateView(
        row.id, row.lock_id, lock_key, row.epoch, row.phone_thumbprint, row.expires_at, row.revoked_at, token
    )
