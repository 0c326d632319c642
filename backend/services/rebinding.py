"""A key to a new phone: the old one is lost, or a browser has forgotten it. The old phone's key dies with it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.db import transaction
from backend.domain.ids import new_id
from backend.domain.keys import LIVE, STATE_NAMES
from backend.domain.refusals import Refused
from backend.gateways.world import World
from backend.models.accounts import Account
from backend.models.cases import Case
from backend.models.dwellings import Dwelling
from backend.models.identity_checks import IdentityCheck
from backend.models.keys import Key
from backend.models.units import Unit
from backend.services.audit import Actor, write_leaf
from backend.services.case_opening import open_case
from backend.services.inbox import tell_account
from backend.services.invitations import phone_key
from backend.services.key_changes import activate_occupant, begin_revocation, unit_alias
from backend.services.keys import held_key
from backend.services.own_leases import living_key
from backend.services.tenancies import KeyCard, key_card

FACE_GOOD_FOR = timedelta(minutes=15)
DECISION_GOOD_FOR = timedelta(hours=72)


@dataclass(frozen=True)
class RebindAsked:
    """A person has been asked to confirm the holder; `decision` is 'confirmed' once they have, for 72 hours."""

    reference: str
    due_at: datetime | None
    decision: str | None


def rebind_key(world: World, *, account_id: str, key_id: str, phone_jwk: dict[str, Any]) -> KeyCard:
    """Bind one's own key to this phone after a fresh identity check; answers the new key, at once as active as the old.

    The old phone's key is revoked on the ground `lost_phone`, its commands, codes and credential with it; the new phone
    carries that news to the lock. Again with the same phone key: no change. A check serves one rebinding.
    Raises Refused not_found, key.phone_key, key.identity, key.not_active.
    """
    jwk, print_ = phone_key(phone_jwk)
    with transaction() as session:
        old = held_key(session, account_id, key_id)
        if old.kind != "occupant" or old.lease_id is None:
            raise Refused("not_found", "key_id")
        present = living_key(session, old.lease_id)
        if present is not None and present.holder_account_id == account_id and present.phone_thumbprint == print_:
            return key_card(session, present)
        if old.state not in LIVE or old.suspended_by == "landlord":
            raise Refused("key.not_active", state=STATE_NAMES[old.state])
        person_id = session.get_one(Account, account_id).person_id  # the key knows its holder only once declared
        if person_id is None or not _is_freshly_identified(world, session, old, person_id):
            raise Refused("key.identity")
        actor = Actor("resident", account_id, role="tenant")
        was_active = old.activated_at is not None
        begin_revocation(world, session, old, actor, "lost_phone")
        session.flush()  # before the new one: a lease has one living key
        new = Key(
            id=new_id(),
            kind="occupant",
            lease_id=old.lease_id,
            unit_id=old.unit_id,
            holder_id=old.holder_id,
            holder_account_id=account_id,
            state="claimed",
            phone_jwk=jwk,
            phone_thumbprint=print_,
            rights=list(old.rights),
            epoch=old.epoch,
            starts_on=old.starts_on,
            ends_on=old.ends_on,
            replaces_id=old.id,
            created_at=world.clock.now(),
        )
        session.add(new)
        session.flush()
        write_leaf(
            world, session, actor, "key_rebound", subject_id=old.holder_id, object_kind="key", object_id=new.id
        )
        activate_occupant(world, session, new, anew=was_active)
        tell_account(world, session, account_id, "key_rebound", once=new.id, unit=unit_alias(session, new.unit_id))
        return key_card(session, new)


def ask_rebind(world: World, *, account_id: str, key_id: str) -> RebindAsked:
    """Ask a person to confirm the holder, for whom a face check is no way; asked again, the open case is found.

    Raises Refused not_found, person.missing, key.not_active.
    """
    with transaction() as session:
        key = held_key(session, account_id, key_id)
        if key.kind != "occupant":
            raise Refused("not_found", "key_id")
        if key.state not in LIVE:
            raise Refused("key.not_active", state=STATE_NAMES[key.state])
        person_id = session.get_one(Account, account_id).person_id
        if person_id is None:
            raise Refused("person.missing")
        case = _find_case(world, session, key, person_id)
        if case is None:
            dwelling = session.get_one(Dwelling, session.get_one(Unit, key.unit_id).dwelling_id)
            case = open_case(
                world,
                session,
                kind="rebind",
                area=dwelling.division,
                unit_id=key.unit_id,
                person_id=person_id,
                opened_by="tenant",
                evidence={"key_id": key.id},
            )
        return RebindAsked(case.reference, case.due_at, case.decision)


def _is_freshly_identified(world: World, session: Session, key: Key, person_id: str) -> bool:
    """A face matched minutes ago, or a person's word of these days; neither may be older than the present binding."""
    now = world.clock.now()
    bound_at = key.created_at if key.replaces_id is not None else None
    face = session.scalar(
        select(IdentityCheck.checked_at)
        .where(
            IdentityCheck.person_id == person_id,
            IdentityCheck.method == "face",
            IdentityCheck.outcome == "pass",
            IdentityCheck.checked_at >= now - FACE_GOOD_FOR,
        )
        .order_by(IdentityCheck.checked_at.desc())
        .limit(1)
    )
    if face is not None and (bound_at is None or face > bound_at):
        return True
    case = _find_case(world, session, key, person_id)
    return case is not None and case.decision == "confirmed"


def _find_case(world: World, session: Session, key: Key, person_id: str) -> Case | None:
    """The request about this very key that is open, or was decided within the time a decision is good for.

    A rebinding makes another key, so that a decision serves once.
    """
    cases = session.scalars(
        select(Case)
        .where(Case.person_id == person_id, Case.kind == "rebind")
        .order_by(Case.opened_at.desc(), Case.id.desc())
        .limit(5)
    )
    newest = next((case for case in cases if case.evidence.get("key_id") == key.id), None)
    if newest is None or newest.decided_at is None:
        return newest
    good = newest.decision == "confirmed" and newest.decided_at >= world.clock.now() - DECISION_GOOD_FOR
    return newest if good else None
