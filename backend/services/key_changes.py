"""What happens to keys inside other use cases: activation, restriction, confirmation by the doors, handover.

Everything here runs inside the caller's write unit.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.domain.keys import CLOCK_BOUND, exposure_until, may_activate, next_state
from backend.domain.refusals import Refusal, Refused
from backend.gateways.world import World
from backend.models.dwellings import Dwelling
from backend.models.keys import Key, KeyDoor
from backend.models.locks import Lock
from backend.models.persons import Person
from backend.models.registrations import Registration
from backend.models.units import Unit
from backend.services.audit import Actor, write_leaf
from backend.services.inbox import tell_account
from backend.services.key_lists import enqueue_key_list


def change_key(world: World, session: Session, key: Key, action: str, actor: Actor, ground: str | None = None) -> None:
    """Move a key along its machine, raise its version, write the leaf. Raises Refused('transition')."""
    following = next_state(key.state, action)
    if isinstance(following, Refusal):
        raise Refused.of([following])
    key.state = following
    key.version += 1
    write_leaf(
        world,
        session,
        actor,
        f"key_{action}",
        subject_id=key.holder_id,
        object_kind="key",
        object_id=key.id,
        decision=ground,
    )


def activate_waiting_keys(world: World, session: Session, person_id: str) -> list[str]:
    """Activate the person's claimed keys whose declaration is complete; answers their ids.

    Needs identity verified or attested; needs neither the landlord's leg nor the registry.
    """
    person = session.get_one(Person, person_id)
    waiting = session.scalars(select(Key).where(Key.holder_id == person_id, Key.state == "claimed")).all()
    activated = []
    for key in waiting:
        if may_activate(person.identity_state, _is_declared(session, key)):
            _activate(world, session, key)
            activated.append(key.id)
    return activated


def _is_declared(session: Session, key: Key) -> bool:
    leg = session.scalar(select(Registration.tenant_leg).where(Registration.lease_id == key.lease_id))
    return leg == "declared"


def _activate(world: World, session: Session, key: Key) -> None:
    key.activated_at = world.clock.now()
    change_key(world, session, key, "activate", Actor("system"))
    open_doors(world, session, key)
    if key.holder_account_id is not None:
        tell_account(
            world,
            session,
            key.holder_account_id,
            "key_active",
            once=f"{key.id}:{key.version}",
            unit=unit_alias(session, key.unit_id),
        )


def open_doors(world: World, session: Session, key: Key) -> None:
    """Give the key every door of its unit and tell the locks; a first key after a tenancy raises the epoch."""
    lock = session.scalar(select(Lock).where(Lock.unit_id == key.unit_id, Lock.retired_at.is_(None)))
    if lock is None:
        return
    if _is_handover(session, lock, key):
        lock.epoch += 1
    key.epoch = lock.epoch
    door = session.get(KeyDoor, (key.id, lock.id)) or KeyDoor(key_id=key.id, lock_id=lock.id)
    session.add(door)
    session.flush()
    door.desired_version, door.confirmed_at = enqueue_key_list(world, session, lock.id), None


def _is_handover(session: Session, lock: Lock, key: Key) -> bool:
    """Another lease's occupant key has had this door at the lock's present epoch and has ended."""
    earlier = session.scalar(
        select(Key.id)
        .join(KeyDoor, KeyDoor.key_id == Key.id)
        .where(
            KeyDoor.lock_id == lock.id,
            Key.kind == "occupant",
            Key.lease_id != key.lease_id,
            Key.epoch == lock.epoch,
            Key.state.in_(("revoking", "revoked")),
        )
        .limit(1)
    )
    living = session.scalar(
        select(Key.id)
        .join(KeyDoor, KeyDoor.key_id == Key.id)
        .where(KeyDoor.lock_id == lock.id, Key.id != key.id, Key.state.in_(("active", "suspended")))
        .limit(1)
    )
    return earlier is not None and living is None


def restrict_doors(world: World, session: Session, key: Key) -> None:
    """Tell every door of the key that it opens no longer, and note how long an unconfirmed door could still open."""
    for door in doors_in_use(session, key):
        restrict_door(world, key, door, enqueue_key_list(world, session, door.lock_id))


def restrict_door(world: World, key: Key, door: KeyDoor, version: int) -> None:
    """One door opens no longer for this key, from the list `version` on; note how long it could while unconfirmed."""
    door.desired_version, door.confirmed_at = version, None
    door.exposure_until = exposure_until(key.credential_ends_at, key.kind, world.house.outage_grace, CLOCK_BOUND)


def doors_in_use(session: Session, key: Key) -> Sequence[KeyDoor]:
    """The key's doors, without those whose lock is going: what these could still open was settled when they went."""
    return session.scalars(
        select(KeyDoor)
        .join(Lock, Lock.id == KeyDoor.lock_id)
        .where(KeyDoor.key_id == key.id, Lock.retiring_at.is_(None), Lock.retired_at.is_(None))
    ).all()


def begin_revocation(world: World, session: Session, key: Key, actor: Actor, ground: str) -> None:
    """Revoke a key: at once where no phone ever held it, else `revoking` until every door has confirmed."""
    if key.state in ("draft", "invited"):
        change_key(world, session, key, "cancel", actor, ground)
        key.revoke_ground, key.revoked_at = ground, world.clock.now()
        return
    change_key(world, session, key, "revoke", actor, ground)
    key.revoke_ground, key.revoke_asked_at = ground, world.clock.now()
    restrict_doors(world, session, key)
    session.flush()
    _finish_if_confirmed(world, session, key)


def confirm_doors(world: World, session: Session, lock_id: str, reported_version: int) -> None:
    """A lock has reported its key list: doors up to that version are confirmed, revocations may be complete."""
    now = world.clock.now()
    doors = session.scalars(
        select(KeyDoor).where(
            KeyDoor.lock_id == lock_id, KeyDoor.confirmed_at.is_(None), KeyDoor.desired_version <= reported_version
        )
    ).all()
    for door in doors:
        door.reported_version, door.confirmed_at, door.exposure_until = reported_version, now, None
    session.flush()
    for door in doors:
        _finish_if_confirmed(world, session, session.get_one(Key, door.key_id))


def finish_past_exposure(world: World, session: Session) -> int:
    """Turn `revoking` keys whose every door is confirmed or past its exposure into `revoked`; answers how many."""
    waiting = session.scalars(select(Key).where(Key.state == "revoking")).all()
    return sum(_finish_if_confirmed(world, session, key) for key in waiting)


def _finish_if_confirmed(world: World, session: Session, key: Key) -> bool:
    if key.state != "revoking":
        return False
    now = world.clock.now()
    doors = session.scalars(select(KeyDoor).where(KeyDoor.key_id == key.id))
    if any(d.confirmed_at is None and (d.exposure_until is None or d.exposure_until > now) for d in doors):
        return False
    change_key(world, session, key, "confirm", Actor("system"))
    key.revoked_at = now
    if key.holder_account_id is not None:
        tell_account(
            world, session, key.holder_account_id, "key_revoked", once=key.id, unit=unit_alias(session, key.unit_id)
        )
    return True


def unit_alias(session: Session, unit_id: str) -> str:
    """How a unit is called among people: door number and label, no personal data."""
    unit = session.get_one(Unit, unit_id)
    dwelling = session.get_one(Dwelling, unit.dwelling_id)
    return f"{dwelling.road}{dwelling.door_no}{dwelling.building} {unit.label}".strip()
