"""Landlords claim units and locks."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.domain.claim_codes import spell_claim_code
from backend.domain.ids import new_id
from backend.domain.refusals import Refused
from backend.domain.spaces import decide_right, find_space_faults, is_mandate_over
from backend.gateways.world import World
from backend.models.accounts import Account
from backend.models.dwellings import Dwelling
from backend.models.keys import Key
from backend.models.leases import Lease
from backend.models.locks import Lock
from backend.models.units import Unit, UnitClaim
from backend.queries.local_standards import standard_on
from backend.services import idempotency
from backend.services.audit import Actor, write_leaf
from backend.services.case_opening import open_case
from backend.services.change_feed import note_unit
from backend.services.former_landlords import end_former_landlords_keys
from backend.services.hands import Desk, Hand, acting_for
from backend.services.key_changes import open_doors
from backend.services.key_lists import enqueue_key_list
from backend.services.letting_rights import note_seen
from backend.services.persons import is_document_checked


@dataclass(frozen=True)
class ClaimView:
    """A claim: 'accepted' at once, or 'contested' and with a person under `case_reference`."""

    unit_id: str
    state: str
    case_reference: str | None


@dataclass(frozen=True)
class LockClaimed:
    """A lock now belongs to a unit."""

    lock_id: str
    unit_id: str
    serial: str


def landlord_of(session: Session, account_id: str) -> str:
    """The person behind an account, identified. Raises Refused landlord.unidentified."""
    account = session.get_one(Account, account_id)
    if account.person_id is None or not is_document_checked(session, account.person_id):
        raise Refused("landlord.unidentified")
    return account.person_id


def own_unit(session: Session, account_id: str, unit_id: str, *, changing: bool = False) -> Unit:
    """A unit of this landlord; another's is not found. `changing` makes other writers of it wait their turn."""
    account = session.get_one(Account, account_id)
    unit = session.get(Unit, unit_id, with_for_update=changing)
    if unit is None or account.person_id is None or unit.landlord_id != account.person_id:
        raise Refused("unit.not_yours")
    return unit


def claim_unit(
    world: World,
    *,
    account_id: str,
    unit_id: str,
    right_kind: str,
    evidence: str,
    mandate_ends_on: date | None = None,
    seen: bool = False,
    idempotency_key: str | None = None,
    desk: Desk | None = None,
) -> ClaimView:
    """Claim a unit of the address base with the right to let it, or renew a mandate to a later end.

    A manager renews the own mandate by the same claim with a later end, before it is over or afterwards. A second
    landlord's claim goes to a person. `seen`: whoever serves at the window has the original before them.

    Raises Refused landlord.unidentified, unit.claimed, right.mandate_end, right.own, visit.present, unit.space (HR-7).
    """
    body: dict[str, Any] = {
        "unit_id": unit_id,
        "right_kind": right_kind,
        "evidence": evidence,
        "until": mandate_ends_on,
        "seen": seen,
    }
    with acting_for(world, account_id, desk, "claim_unit", unit_id=unit_id) as (session, hand):
        known = idempotency.find_answer(session, account_id, idempotency_key, "claim_unit", body)
        if known is not None:
            return ClaimView(**known)
        person_id = landlord_of(session, account_id)
        _check_right(world, right_kind, evidence, mandate_ends_on)
        unit = session.get(Unit, unit_id, with_for_update=True)
        if unit is None:
            raise Refused("not_found", "unit_id")
        _require_dwelling(session, unit.dwelling_id)
        standard = standard_on(session, world.house, world.clock.today())
        faults = find_space_faults(unit.space_kind, unit.usable_area_m2, unit.capacity, standard)
        if faults:
            raise Refused.of(faults)
        view = _claim(world, session, hand, person_id, unit, right_kind, evidence, mandate_ends_on, seen)
        idempotency.remember(world, session, account_id, idempotency_key, "claim_unit", body, view.__dict__)
        return view


def add_unit(
    world: World,
    *,
    account_id: str,
    dwelling_id: str,
    label: str,
    space_kind: str,
    usable_area_m2: float,
    capacity: int,
    right_kind: str,
    evidence: str,
    mandate_ends_on: date | None = None,
    seen: bool = False,
    idempotency_key: str | None = None,
    desk: Desk | None = None,
) -> ClaimView:
    """Add a unit to a dwelling of the address base and claim it; `seen` as for `claim_unit`.

    Raises Refused unit.space with rule HR-7, unit.area, unit.capacity, unit.duplicate, right.own, visit.present.
    """
    label = " ".join(label.split())
    body: dict[str, Any] = {
        "dwelling_id": dwelling_id,
        "label": label,
        "space_kind": space_kind,
        "area": usable_area_m2,
        "capacity": capacity,
        "right_kind": right_kind,
        "seen": seen,
    }
    with acting_for(world, account_id, desk, "add_unit", dwelling_id=dwelling_id) as (session, hand):
        known = idempotency.find_answer(session, account_id, idempotency_key, "add_unit", body)
        if known is not None:
            return ClaimView(**known)
        person_id = landlord_of(session, account_id)
        _check_right(world, right_kind, evidence, mandate_ends_on)
        standard = standard_on(session, world.house, world.clock.today())
        faults = find_space_faults(space_kind, usable_area_m2, capacity, standard)
        if faults:
            raise Refused.of(faults)
        if not 1 <= len(label) <= 30:
            raise Refused("input.length", "label", least=1, most=30)
        _require_dwelling(session, dwelling_id)
        if session.scalar(select(Unit.id).where(Unit.dwelling_id == dwelling_id, Unit.label == label)):
            raise Refused("unit.duplicate", "label")
        unit = Unit(
            id=new_id(),
            dwelling_id=dwelling_id,
            public_number=make_public_number(),
            label=label,
            space_kind=space_kind,
            usable_area_m2=usable_area_m2,
            capacity=capacity,
            created_at=world.clock.now(),
        )
        session.add(unit)
        session.flush()
        view = _claim(world, session, hand, person_id, unit, right_kind, evidence, mandate_ends_on, seen)
        idempotency.remember(world, session, account_id, idempotency_key, "add_unit", body, view.__dict__)
        return view


def claim_lock(
    world: World, *, account_id: str, unit_id: str, claim_code: str, desk: Desk | None = None
) -> LockClaimed:
    """Claim the lock of a unit by the code on its sticker; the same claim again changes nothing.

    Raises Refused lock.claim_code, lock.claimed, unit.has_lock.
    """
    digest = sha256(spell_claim_code(claim_code).encode()).digest()
    with acting_for(world, account_id, desk, "claim_lock", unit_id=unit_id) as (session, hand):
        unit = own_unit(session, account_id, unit_id, changing=True)
        require_mandate(world, session, unit.id, unit.landlord_id)
        lock = session.scalar(
            select(Lock).where(Lock.claim_code_hash == digest, Lock.retiring_at.is_(None), Lock.retired_at.is_(None))
        )
        if lock is None:
            raise Refused("lock.claim_code", "claim_code")
        if lock.unit_id == unit.id:
            return LockClaimed(lock.id, unit.id, lock.serial)
        if lock.unit_id is not None:
            raise Refused("lock.claimed", "claim_code")
        if session.scalar(select(Lock.id).where(Lock.unit_id == unit.id, Lock.retired_at.is_(None))) is not None:
            raise Refused("unit.has_lock", "unit_id")
        lock.unit_id, lock.claimed_by, lock.claimed_at = unit.id, unit.landlord_id, world.clock.now()
        write_leaf(world, session, hand.actor, "lock_claimed", object_kind="lock", object_id=lock.id)
        session.flush()
        for key in session.scalars(select(Key).where(Key.unit_id == unit.id, Key.state == "active")):
            open_doors(world, session, key)
        enqueue_key_list(world, session, lock.id)
        return LockClaimed(lock.id, unit.id, lock.serial)


def require_mandate(world: World, session: Session, unit_id: str, landlord_id: str | None) -> None:
    """A manager looks on and acts for as long as the mandate runs. Raises Refused right.mandate_over afterwards."""
    ends_on = mandate_end(session, unit_id, landlord_id)
    if ends_on is not None and is_mandate_over(ends_on, world.clock.today()):
        raise Refused("right.mandate_over", ends_on=ends_on.isoformat())


def mandate_end(session: Session, unit_id: str, landlord_id: str | None) -> date | None:
    """The last day of this manager's mandate; None for whoever lets by another right."""
    return session.scalar(
        select(UnitClaim.mandate_ends_on).where(
            UnitClaim.unit_id == unit_id,
            UnitClaim.person_id == landlord_id,
            UnitClaim.state == "accepted",
            UnitClaim.right_kind == "mandate",
        )
    )


def accept_claim(world: World, session: Session, claim: UnitClaim, *, actor: Actor) -> None:
    """A person accepts a contested claim inside the present write unit: the unit changes hands, its leases with it.

    With that the right to let counts as seen, unless it is the decider's own or a mandate that is over by now.
    """
    unit = session.get_one(Unit, claim.unit_id, with_for_update=True)
    former = session.scalars(select(UnitClaim).where(UnitClaim.unit_id == unit.id, UnitClaim.state == "accepted")).all()
    for other in former:
        other.state = "ended"
    session.flush()
    claim.state, unit.landlord_id, unit.version = "accepted", claim.person_id, unit.version + 1
    for lease in session.scalars(select(Lease).where(Lease.unit_id == unit.id, Lease.state == "active")):
        lease.landlord_id, lease.version = claim.person_id, lease.version + 1
    note_unit(world, session, unit, "changed" if former else "enrolled")
    if former:
        end_former_landlords_keys(world, session, unit.id)
    write_leaf(
        world, session, actor, "unit_claim_accepted", subject_id=claim.person_id, object_kind="unit", object_id=unit.id
    )
    note_seen(world, session, claim, actor, "in_case")


def refuse_claim(world: World, session: Session, claim: UnitClaim, *, actor: Actor) -> None:
    """A person refuses a contested claim inside the present write unit; the unit stays where it is."""
    claim.state = "refused"
    write_leaf(
        world,
        session,
        actor,
        "unit_claim_refused",
        subject_id=claim.person_id,
        object_kind="unit",
        object_id=claim.unit_id,
    )


def _require_dwelling(session: Session, dwelling_id: str) -> None:
    """Raises Refused not_found, dwelling.retired: the address base has dropped it."""
    dwelling = session.get(Dwelling, dwelling_id)
    if dwelling is None:
        raise Refused("not_found", "dwelling_id")
    if dwelling.retired_on is not None:
        raise Refused("dwelling.retired", "dwelling_id")


def make_public_number() -> str:
    """The number on a door's QR: random, so that it says nothing and cannot be counted through."""
    alphabet = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # without characters that look alike
    return "U-" + "".join(secrets.choice(alphabet) for _ in range(8))


def _check_right(world: World, right_kind: str, evidence: str, mandate_ends_on: date | None) -> None:
    refusal = decide_right(right_kind, mandate_ends_on, world.clock.today())
    if refusal is not None:
        raise Refused.of([refusal])
    if not 2 <= len(evidence.strip()) <= 120:
        raise Refused("input.length", "evidence", least=2, most=120)


def _claim(
    world: World,
    session: Session,
    hand: Hand,
    person_id: str,
    unit: Unit,
    right_kind: str,
    evidence: str,
    mandate_ends_on: date | None,
    seen: bool,
) -> ClaimView:
    renews = _end_mandate_to_renew(session, person_id, unit, right_kind, mandate_ends_on)
    contested = unit.landlord_id is not None and not renews
    claim = UnitClaim(
        id=new_id(),
        unit_id=unit.id,
        person_id=person_id,
        right_kind=right_kind,
        evidence=evidence.strip(),
        mandate_ends_on=mandate_ends_on,
        state="contested" if contested else "accepted",
        created_at=world.clock.now(),
    )
    session.add(claim)
    reference = None
    if contested:
        dwelling = session.get_one(Dwelling, unit.dwelling_id)
        session.flush()
        case = open_case(
            world,
            session,
            kind="unit_claim",
            area=dwelling.division,
            unit_id=unit.id,
            opened_by="landlord",
            evidence={"claim_id": claim.id},
        )
        claim.case_id, reference = case.id, case.reference
    elif not renews:
        unit.landlord_id = person_id
        unit.version += 1
        note_unit(world, session, unit, "enrolled")
    write_leaf(
        world,
        session,
        hand.actor,
        "mandate_renewed" if renews else "unit_claimed",
        object_kind="unit",
        object_id=unit.id,
        decision=claim.state,
    )
    if seen:
        _see_at_window(world, session, hand, claim)
    return ClaimView(unit.id, claim.state, reference)


def _end_mandate_to_renew(
    session: Session, person_id: str, unit: Unit, right_kind: str, mandate_ends_on: date | None
) -> bool:
    """End the own mandate that a mandate with a later end takes the place of; False where nothing is claimed yet.

    Raises Refused unit.claimed for any other claim of one's own.
    """
    mine = session.scalars(
        select(UnitClaim).where(
            UnitClaim.unit_id == unit.id,
            UnitClaim.person_id == person_id,
            UnitClaim.state.in_(("accepted", "contested")),
        )
    ).all()
    if not mine:
        return False
    (claim,) = mine
    runs_until = claim.mandate_ends_on if claim.state == "accepted" and claim.right_kind == "mandate" else None
    later = mandate_ends_on is not None and runs_until is not None and mandate_ends_on > runs_until
    if right_kind != "mandate" or not later:
        raise Refused("unit.claimed", "unit_id")
    claim.state = "ended"
    session.flush()  # before the one that takes its place: a unit has one accepted claim
    return True


def _see_at_window(world: World, session: Session, hand: Hand, claim: UnitClaim) -> None:
    """The original lies before whoever serves the landlord; with a form on paper nobody has brought one."""
    if hand.channel != "window":
        raise Refused("visit.present", "seen")
    refusal = note_seen(world, session, claim, hand.actor, "at_window")
    if refusal is not None:
        raise Refused(refusal.code, "seen", **refusal.params)
