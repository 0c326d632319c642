"""What happens to keys inside other use cases: activation, restriction, confirmation by the doors, handover.

Everything here runs inside the caller's write unit.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from backend.domain.calendars import start_of
from backend.domain.delegations import is_closed
from backend.domain.keys import CLOCK_BOUND, ENDED, LIVE, exposure_until, last_once, may_activate, next_state
from backend.domain.refusals import Refusal, Refused
from backend.gateways.world import World
from backend.models.data_keys import DataKey
from backend.models.invitations import Invitation
from backend.models.keys import Key, KeyDelegate, KeyDoor
from backend.models.leases import Lease
from backend.models.locks import Lock
from backend.models.persons import Person
from backend.models.registrations import Registration
from backend.services.audit import Actor, write_leaf
from backend.services.commands import expire_unsent
from backend.services.inbox import tell_account
from backend.services.key_lists import enqueue_key_list, key_ends
from backend.services.occupancy import joint_group, leases_lived_in, occupants_of
from backend.services.unit_names import unit_alias as unit_alias  # where most of its callers look for it

FARTHEST_EPOCH = 1_000  # further ahead than any database can be behind: such a report is a fault, not a loss


def change_key(world: World, session: Session, key: Key, action: str, actor: Actor, ground: str | None = None) -> None:
    """Move a key along its machine, raise its version, write the leaf. Raises Refused('transition').

    What others have made of it meanwhile counts: the key is held and read anew first.
    """
    hold_key(session, key)
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


def hold_key(session: Session, key: Key) -> None:
    """Let other writers of this key wait until the present unit ends, and see it as they have left it."""
    session.flush()  # what this unit has made of it already would be read over
    session.refresh(key, with_for_update=True)


def activate_waiting_keys(world: World, session: Session, person_id: str) -> list[str]:
    """Activate the person's claimed keys whose declaration is complete; answers their ids.

    Needs identity verified or attested; needs neither the landlord's leg nor the registry.
    """
    waiting = session.scalars(
        select(Key).where(Key.holder_id == person_id, Key.kind == "occupant", Key.state == "claimed")
    ).all()
    return [key.id for key in waiting if activate_occupant(world, session, key)]


def activate_occupant(world: World, session: Session, key: Key, *, anew: bool = False) -> bool:
    """Activate a claimed occupant's key when identity and declaration are there; whether it is active now.

    `anew`: it stands for a key that had become active, whose conditions are not asked a second time.
    """
    session.flush()
    # Held, so that of a declaration and an identity check that commit at once the later one sees the earlier.
    person = (
        session.get(Person, key.holder_id, populate_existing=True, with_for_update=True) if key.holder_id else None
    )
    if person is None or not (anew or may_activate(person.identity_state, _is_declared(session, key))):
        return False
    _activate(world, session, key)
    return True


def activate_visitor(world: World, session: Session, key: Key) -> bool:
    """Activate a claimed visitor's key unless an occupant is still to be asked; whether it is active now."""
    if key.state != "claimed" or key.consent not in ("not_needed", "given", "emergency"):
        return False
    _activate(world, session, key)
    return True


def _is_declared(session: Session, key: Key) -> bool:
    """Declared; or exempt (ZJ-12); a foreigner's also needs the form of the other path handed out (EEL-39)."""
    registration = session.scalar(select(Registration).where(Registration.lease_id == key.lease_id))
    if registration is None or registration.residence != "living":
        return False
    if registration.scope == "foreign":
        return registration.tenant_leg == "declared" and registration.foreign_form_at is not None
    return registration.tenant_leg == "declared" or registration.scope == "exempt"


def _activate(world: World, session: Session, key: Key) -> None:
    key.activated_at = world.clock.now()
    change_key(world, session, key, "activate", Actor("system"))
    if key.kind == "occupant":
        _end_landlords_visitors(world, session, key)
        if is_closed(leases_lived_in(session, key.unit_id)):  # a landlord issues to an empty unit, not to a home
            end_delegates(world, session, key.unit_id)
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
    lock = lock_of(session, key.unit_id)
    if lock is None:
        return
    if key.kind == "occupant" and is_handover_due(session, lock, key.lease_id):
        _raise_epoch(world, session, lock, lock.epoch + 1)
    key.epoch = lock.epoch
    door = session.get(KeyDoor, (key.id, lock.id)) or KeyDoor(key_id=key.id, lock_id=lock.id)
    session.add(door)
    session.flush()
    door.desired_version, door.confirmed_at = enqueue_key_list(world, session, lock.id), None


def lock_of(session: Session, unit_id: str) -> Lock | None:
    """The lock in use at a unit."""
    return session.scalar(
        select(Lock).where(Lock.unit_id == unit_id, Lock.retiring_at.is_(None), Lock.retired_at.is_(None))
    )


def is_handover_due(session: Session, lock: Lock, lease_id: str | None) -> bool:
    """Whether a new key of `lease_id` begins another occupancy of this door.

    It does when keys of other leases have had the door at its present epoch and nobody of them lives there any more.
    Co-tenants and those who let bed by bed are of one occupancy as long as one of them stays.
    """
    keys = session.execute(
        select(Key.lease_id, Key.state)
        .join(KeyDoor, KeyDoor.key_id == Key.id)
        .where(KeyDoor.lock_id == lock.id, Key.kind == "occupant", Key.epoch == lock.epoch)
    ).all()
    if any(state in LIVE for key_lease, state in keys if key_lease != lease_id):
        return False
    lease = session.get(Lease, lease_id) if lease_id else None
    own = {each.id for each in joint_group(session, lease)} if lease else set()
    return any(key_lease not in own for key_lease, _state in keys)


def adopt_epoch(world: World, session: Session, lock: Lock, epoch: int) -> bool:
    """Go on from the higher epoch a lock reports, inside the present write unit; False when it is not believable.

    Only a database put back from a backup is behind its locks, or a delegated key that has opened before anybody told
    us. Whoever lives there gets the new epoch and the lock a new list; no resident is left outside for our loss.
    """
    if not lock.epoch < epoch <= lock.epoch + FARTHEST_EPOCH:
        return False
    living = session.scalars(
        select(Key)
        .join(KeyDoor, KeyDoor.key_id == Key.id)
        .where(KeyDoor.lock_id == lock.id, Key.epoch == lock.epoch, Key.state.in_(LIVE))
    ).all()
    write_leaf(world, session, Actor("system"), "epoch_adopted", object_kind="lock", object_id=lock.id)
    lock.epoch = epoch
    for key in living:
        key.epoch, key.version = epoch, key.version + 1
    version = enqueue_key_list(world, session, lock.id)
    for key in living:
        door = session.get_one(KeyDoor, (key.id, lock.id))
        door.desired_version, door.confirmed_at = version, None
    return True


def raise_to_delegate(world: World, session: Session, lock: Lock, epoch: int, lease_id: str) -> None:
    """A key issued without network begins the occupancy its delegate was made for, if that still is to begin."""
    if epoch == lock.epoch + 1 and is_handover_due(session, lock, lease_id):
        _raise_epoch(world, session, lock, epoch)
        enqueue_key_list(world, session, lock.id)


def _raise_epoch(world: World, session: Session, lock: Lock, epoch: int) -> None:
    """Begin another occupancy: every key of the one before is dead with the first opening, visitors' keys too."""
    lock.epoch = epoch
    session.flush()
    earlier = session.scalars(
        select(Key)
        .join(KeyDoor, KeyDoor.key_id == Key.id)
        .where(KeyDoor.lock_id == lock.id, Key.kind == "visitor", Key.epoch < epoch, Key.state.in_(LIVE))
    ).all()
    for key in earlier:
        begin_revocation(world, session, key, Actor("system"), "handover")


def _end_landlords_visitors(world: World, session: Session, key: Key) -> None:
    """The first occupant of a unit has not consented to what the landlord issued while it stood empty."""
    others = (other for other in occupants_of(session, key.unit_id) if other.id != key.id and other.state != "claimed")
    if key.replaces_id is not None or any(others):
        return
    issued = session.scalars(
        select(Key).where(
            Key.unit_id == key.unit_id,
            Key.kind == "visitor",
            Key.issuer_role == "landlord",
            Key.consent == "not_needed",
            Key.state.not_in(ENDED),
        )
    ).all()
    for visitor in issued:
        begin_revocation(world, session, visitor, Actor("system"), "moved_in")


def end_delegates(world: World, session: Session, unit_id: str) -> None:
    """Phones may issue keys of the unit's lock no longer: the list that goes out now says so."""
    now = world.clock.now()
    issuing = session.scalars(
        select(KeyDelegate)
        .join(Lock, Lock.id == KeyDelegate.lock_id)
        .where(Lock.unit_id == unit_id, KeyDelegate.revoked_at.is_(None), KeyDelegate.expires_at > now)
    )
    for delegate in issuing.all():
        delegate.revoked_at = now


def restrict_doors(world: World, session: Session, key: Key) -> None:
    """Tell every door of the key that it opens no longer, and note how long an unconfirmed door could still open."""
    expire_unsent(world, session, key.id)
    for door in doors_in_use(session, key):
        restrict_door(world, session, key, door, enqueue_key_list(world, session, door.lock_id))


def restrict_door(world: World, session: Session, key: Key, door: KeyDoor, version: int) -> None:
    """One door opens no longer for this key, from the list `version` on; note how long it could while unconfirmed."""
    door.desired_version, door.confirmed_at = version, None
    door.exposure_until = _exposure(world, session, key, door.lock_id)


def doors_in_use(session: Session, key: Key) -> Sequence[KeyDoor]:
    """The key's doors, without those whose lock is going: what these could still open was settled when they went."""
    return session.scalars(
        select(KeyDoor)
        .join(Lock, Lock.id == KeyDoor.lock_id)
        .where(KeyDoor.key_id == key.id, Lock.retiring_at.is_(None), Lock.retired_at.is_(None))
    ).all()


def _exposure(world: World, session: Session, key: Key, lock_id: str) -> datetime:
    """How long this door could still open (see backend.domain.keys.exposure_until).

    A command asked for just now may still be on its way, and dies with its own short life.
    """
    delegates = session.scalars(
        select(KeyDelegate.expires_at).where(
            KeyDelegate.lock_id == lock_id,
            KeyDelegate.epoch >= key.epoch,
            KeyDelegate.expires_at > world.clock.now() - CLOCK_BOUND,
        )
    ).all()
    once_on, _number = last_once(key.code_counter)
    once_ends = start_of(once_on + timedelta(days=1)) + CLOCK_BOUND  # a lock takes it as yesterday's for that long
    others = [world.clock.now() + world.house.command_life, once_ends, *delegates]
    until = exposure_until(key.credential_ends_at, key.kind, world.house.outage_grace, CLOCK_BOUND, others)
    assert until is not None  # there are others
    return until


def begin_revocation(world: World, session: Session, key: Key, actor: Actor, ground: str) -> None:
    """Revoke a key: at once where no phone ever held it, else `revoking` until every door has confirmed.

    One that somebody else has ended meanwhile stays as it is.
    """
    hold_key(session, key)
    if key.state in ENDED:
        return
    if key.state in ("draft", "invited"):
        change_key(world, session, key, "cancel", actor, ground)
        key.revoke_ground, key.revoked_at = ground, world.clock.now()
        _forget_visitor(session, key)
        return
    change_key(world, session, key, "revoke", actor, ground)
    key.revoke_ground, key.revoke_asked_at = ground, world.clock.now()
    restrict_doors(world, session, key)
    session.flush()
    _end_guests_of(world, session, key, actor)
    _finish_if_confirmed(world, session, key)


def _end_guests_of(world: World, session: Session, key: Key, actor: Actor) -> None:
    """Who leaves takes along the visitors' keys they issued; who only changes the phone keeps them."""
    if key.kind != "occupant" or key.revoke_ground == "lost_phone" or key.holder_account_id is None:
        return
    guests = session.scalars(
        select(Key).where(
            Key.unit_id == key.unit_id,
            Key.kind == "visitor",
            Key.issued_by == key.holder_account_id,
            Key.issuer_role == "tenant",
            Key.state.not_in(ENDED),
        )
    ).all()
    for guest in guests:
        begin_revocation(world, session, guest, actor, "issuer_left")


def end_past_visitors(world: World, session: Session) -> int:
    """End the visitors' keys whose time is over, whether a phone ever took them or not; answers how many."""
    now = world.clock.now()
    living = session.scalars(
        select(Key).where(
            Key.kind == "visitor",
            Key.state.not_in(ENDED),
            (Key.ends_on < world.clock.today()) | Key.emergency.is_not(None),
        )
    ).all()
    over = [key for key in living if (key_ends(key) or now) <= now]
    for key in over:
        begin_revocation(world, session, key, Actor("system"), "over")
    return len(over)


def _forget_visitor(session: Session, key: Key) -> None:
    """With a visitor's key ends what we knew of the visitor: the sealed number's data key, and open links."""
    if key.kind != "visitor":
        return
    for invitation in session.scalars(
        select(Invitation).where(Invitation.key_id == key.id, Invitation.state == "pending")
    ):
        invitation.state = "cancelled"
    session.execute(delete(DataKey).where(DataKey.subject_id == key.id))


def confirm_doors(world: World, session: Session, lock_id: str, reported_version: int) -> None:
    """A lock has reported its key list: doors up to that version are confirmed, revocations may be complete."""
    now = world.clock.now()
    doors = session.scalars(
        select(KeyDoor)
        .where(
            KeyDoor.lock_id == lock_id, KeyDoor.confirmed_at.is_(None), KeyDoor.desired_version <= reported_version
        )
        .order_by(KeyDoor.key_id)
    ).all()
    for door in doors:
        door.reported_version, door.confirmed_at, door.exposure_until = reported_version, now, None
    session.flush()
    for door in doors:
        _finish_if_confirmed(world, session, session.get_one(Key, door.key_id))


def finish_past_exposure(world: World, session: Session) -> int:
    """Turn `revoking` keys whose every door is confirmed or past its exposure into `revoked`; answers how many."""
    waiting = session.scalars(select(Key).where(Key.state == "revoking").order_by(Key.id)).all()
    return sum(_finish_if_confirmed(world, session, key) for key in waiting)


def _finish_if_confirmed(world: World, session: Session, key: Key) -> bool:
    if key.state != "revoking":
        return False
    now = world.clock.now()
    doors = session.scalars(select(KeyDoor).where(KeyDoor.key_id == key.id))
    if any(d.confirmed_at is None and (d.exposure_until is None or d.exposure_until > now) for d in doors):
        return False
    hold_key(session, key)
    if key.state != "revoking":  # another has finished it
        return False
    change_key(world, session, key, "confirm", Actor("system"))
    key.revoked_at = now
    _forget_visitor(session, key)
    if key.holder_account_id is not None and key.revoke_ground != "lost_phone":  # the new phone has been told
        tell_account(
            world, session, key.holder_account_id, "key_revoked", once=key.id, unit=unit_alias(session, key.unit_id)
        )
    return True
