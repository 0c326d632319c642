"""Visitors' keys: for a cleaner or tradesman, with limits, and on an occupied unit with an occupant's word.

The visitor is a phone and nothing more: no identity, no residence. Who issues sees the link; nobody else sees number
or name. The landlord never sees an opening.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from backend.db import reading, transaction
from backend.domain.ids import is_id, new_id
from backend.domain.keys import ENDED
from backend.domain.persons import decide_phone
from backend.domain.refusals import Refusal, Refused
from backend.domain.visitors import (
    EMERGENCIES,
    EMERGENCY_SPAN,
    EMERGENCY_USES,
    MOST_EMERGENCIES,
    PURPOSES,
    WeeklyWindow,
    emergency_days,
    find_visitor_key_faults,
)
from backend.gateways.world import World
from backend.models.accounts import Account
from backend.models.commands import Command
from backend.models.invitations import Invitation
from backend.models.keys import Key
from backend.models.lock_events import LockEvent
from backend.models.units import Unit
from backend.services import idempotency, vault
from backend.services.audit import Actor, write_leaf
from backend.services.inbox import tell_account, tell_person
from backend.services.invitations import InvitationView, invitation_view, make_invitation
from backend.services.key_changes import activate_visitor, begin_revocation, change_key, unit_alias
from backend.services.occupancy import is_occupant, is_occupied, may_consent, occupants_of, tell_occupants
from backend.services.tenancies import KeyCard, key_card
from backend.services.units import require_mandate


@dataclass(frozen=True)
class VisitorKeyCard:
    """A visitor's key as the landlord or an occupant of its unit sees it; `invitation` is for its issuer alone."""

    key: KeyCard
    issuer_role: str
    is_mine: bool
    emergency: str | None
    invitation: InvitationView | None
    may_answer: bool
    may_end: bool


def issue_visitor_key(
    world: World,
    *,
    account_id: str,
    unit_id: str,
    purpose: str,
    phone: str,
    starts_on: date | None = None,
    ends_on: date | None = None,
    sched: Sequence[WeeklyWindow] = (),
    uses: int | None = None,
    emergency: str | None = None,
    idempotency_key: str | None = None,
) -> VisitorKeyCard:
    """Issue a key for a visit, by the unit's landlord or by an occupant whose key is active.

    On an occupied unit the landlord's waits for one occupant's consent; a stated `emergency` works at once, for four
    hours and two openings, and every occupant is told. An occupant's needs nobody, and the landlord learns purpose and
    dates. Raises Refused unit.not_yours, visitor.*, phone.invalid and every faulty field.
    """
    if emergency is not None:
        starts_on, ends_on = emergency_days(world.clock.now())
    starts_on = starts_on or world.clock.today()
    number = _check(world, purpose, phone, starts_on, ends_on, sched, uses, emergency)
    assert ends_on is not None
    windows = [] if emergency else [asdict(window) for window in sched]
    body: dict[str, Any] = {"unit": unit_id, "purpose": purpose, "from": starts_on, "to": ends_on, "when": windows,
                            "uses": uses, "emergency": emergency,
                            "who": world.key_ring.blind_index("phone", number).hex()}  # fmt: skip
    with transaction() as session:
        known = idempotency.find_answer(session, account_id, idempotency_key, "issue_visitor_key", body)
        if known is not None:
            return _card(world, session, account_id, session.get_one(Key, known["key_id"]))
        unit, role = _issuer(world, session, account_id, unit_id)
        occupied = is_occupied(session, unit.id)
        if emergency is not None:
            _check_emergency(world, session, unit.id, role, occupied=occupied)
        key = Key(
            id=new_id(),
            kind="visitor",
            unit_id=unit.id,
            state="draft",
            rights=["unlock", "lock"],
            sched=windows or None,
            uses=EMERGENCY_USES if emergency and uses is None else uses,
            tvr=True,
            purpose=purpose,
            issued_by=account_id,
            issuer_role=role,
            consent="emergency" if emergency else "asked" if role == "landlord" and occupied else "not_needed",
            emergency=emergency,
            starts_on=starts_on,
            ends_on=ends_on,
            created_at=world.clock.now(),
        )
        session.add(key)
        session.flush()
        vault.make_data_key(world, session, key.id)
        make_invitation(world, session, number, key_id=key.id)
        actor = Actor("resident", account_id, role=role)
        change_key(world, session, key, "invite", actor)
        _tell_of_issue(world, session, unit, key)
        action = "visitor_key_emergency" if emergency else "visitor_key_issued"
        write_leaf(
            world, session, actor, action, object_kind="key", object_id=key.id, decision=emergency or key.consent
        )
        idempotency.remember(world, session, account_id, idempotency_key, "issue_visitor_key", body, {"key_id": key.id})
        return _card(world, session, account_id, key)


def answer_visitor_key(world: World, *, account_id: str, key_id: str, agrees: bool) -> VisitorKeyCard:
    """An occupant consents to the landlord's key, which may then be used, or refuses and ends it.

    One occupant's word is enough, if that one's key has become active; the same word again changes nothing.
    Raises Refused not_found, visitor.answered.
    """
    with transaction() as session:
        key = _seen_key(world, session, account_id, key_id)
        if not may_consent(session, account_id, key.unit_id):
            raise Refused("not_found", "key_id")
        said = "given" if agrees else "refused"
        if key.consent == said:
            return _card(world, session, account_id, key)
        if key.consent != "asked" or key.state in ENDED:
            raise Refused("visitor.answered", "key_id")
        key.consent, key.consent_by, key.consent_at = said, account_id, world.clock.now()
        key.version += 1
        actor = Actor("resident", account_id, role="tenant")
        write_leaf(world, session, actor, "visitor_key_answered", object_kind="key", object_id=key.id, decision=said)
        if agrees:
            activate_visitor(world, session, key)
        else:
            begin_revocation(world, session, key, actor, "consent_refused")
        assert key.issued_by is not None
        _tell(world, session, key.issued_by, key, "visitor_consent_given" if agrees else "visitor_refused")
        return _card(world, session, account_id, key)


def end_visitor_key(world: World, *, account_id: str, key_id: str) -> VisitorKeyCard:
    """End a visitor's key: the landlord and every occupant may, whoever issued it; ended again, no change."""
    with transaction() as session:
        key = _seen_key(world, session, account_id, key_id)
        if key.state in ENDED:
            return _card(world, session, account_id, key)
        by_occupant = is_occupant(session, account_id, key.unit_id)
        actor = Actor("resident", account_id, role="tenant" if by_occupant else "landlord")
        begin_revocation(world, session, key, actor, "occupant_request" if by_occupant else "landlord_request")
        if key.issued_by is not None and key.issued_by != account_id:
            _tell(world, session, key.issued_by, key, "visitor_ended")
        tell_occupants(
            world, session, key.unit_id, "visitor_ended", once=key.id, but=account_id, **_words(session, key)
        )
        return _card(world, session, account_id, key)


def list_visitor_keys(
    world: World, *, account_id: str, unit_id: str, before: str | None = None, limit: int = 100
) -> tuple[VisitorKeyCard, ...]:
    """The visitors' keys of a unit, newest first, for its landlord and its occupants; those behind the key `before`.

    An occupant sees none that ended before the own tenancy. Raises Refused unit.not_yours, not_found.
    """
    with reading() as session:
        unit = session.get(Unit, unit_id)
        if unit is None or not _may_see(world, session, account_id, unit):
            raise Refused("unit.not_yours")
        statement = select(Key).where(Key.unit_id == unit.id, Key.kind == "visitor")
        own = [key for key in occupants_of(session, unit.id) if key.holder_account_id == account_id]
        if own:
            statement = statement.where(Key.state.not_in(ENDED) | (Key.created_at >= own[0].created_at))
        if before is not None:
            seen = session.scalar(statement.where(Key.id == before)) if is_id(before) else None
            if seen is None:
                raise Refused("not_found", "before")
            older = (Key.created_at == seen.created_at) & (Key.id < seen.id)
            statement = statement.where((Key.created_at < seen.created_at) | older)
        rows = session.scalars(statement.order_by(Key.created_at.desc(), Key.id.desc()).limit(limit))
        return tuple(_card(world, session, account_id, key) for key in rows)


def get_visitor_key(world: World, *, account_id: str, key_id: str) -> VisitorKeyCard:
    """One visitor's key, for the landlord and the occupants of its unit; anybody else's is not found."""
    with reading() as session:
        return _card(world, session, account_id, _seen_key(world, session, account_id, key_id))


def list_my_visits(world: World, *, account_id: str) -> tuple[KeyCard, ...]:
    """The visitors' keys this phone holds and that have not ended."""
    with reading() as session:
        rows = session.scalars(
            select(Key)
            .where(Key.holder_account_id == account_id, Key.kind == "visitor", Key.state.not_in(ENDED))
            .order_by(Key.created_at.desc(), Key.id.desc())
        )
        return tuple(replace(key_card(session, key), used_up=_is_used_up(session, key)) for key in rows)


def get_my_visit(world: World, *, account_id: str, key_id: str) -> KeyCard:
    """A visitor's key this phone holds or held: an ended one says why it opens no more. Another's is not found."""
    with reading() as session:
        key = session.get(Key, key_id)
        if key is None or key.kind != "visitor" or key.holder_account_id != account_id:
            raise Refused("not_found", "key_id")
        return replace(key_card(session, key), used_up=_is_used_up(session, key))


def _is_used_up(session: Session, key: Key) -> bool:
    """Whether the lock has told of as many openings as a counted key has, or has said itself that none is left.

    The lock counts; this is what has been heard from it so far, so it may know more.
    """
    if key.uses is None:
        return False
    opened = session.scalar(select(func.count()).where(LockEvent.key_id == key.id, LockEvent.kind == "lock.unlocked"))
    if (opened or 0) >= key.uses:
        return True
    refused = select(Command.id).where(Command.key_id == key.id, Command.reason == "used_up").limit(1)
    return session.scalar(refused) is not None


def _check(
    world: World,
    purpose: str,
    phone: str,
    starts_on: date,
    ends_on: date | None,
    sched: Sequence[WeeklyWindow],
    uses: int | None,
    emergency: str | None,
) -> str:
    number = decide_phone(phone)
    faults = [number] if isinstance(number, Refusal) else []
    if ends_on is None:
        faults.append(Refusal("input.missing", "ends_on"))
    faults += find_visitor_key_faults(
        purpose, starts_on, ends_on or starts_on, sched, uses, emergency, world.clock.today()
    )
    if faults:
        raise Refused.of(faults)
    assert isinstance(number, str)
    return number


def _check_emergency(world: World, session: Session, unit_id: str, role: str, *, occupied: bool) -> None:
    """Only the landlord of an occupied unit states one, and not again and again."""
    if role != "landlord" or not occupied:
        raise Refused("visitor.no_emergency", "emergency")
    stated = session.scalar(
        select(func.count()).where(
            Key.unit_id == unit_id,
            Key.emergency.is_not(None),
            Key.created_at > world.clock.now() - EMERGENCY_SPAN,
        )
    )
    if (stated or 0) >= MOST_EMERGENCIES:
        raise Refused("visitor.emergency_often", "emergency", most=MOST_EMERGENCIES, days=EMERGENCY_SPAN.days)


def _issuer(world: World, session: Session, account_id: str, unit_id: str) -> tuple[Unit, str]:
    """The unit and in which role this account may issue a key to it; for anyone else it is not there."""
    unit = session.get(Unit, unit_id, with_for_update=True)
    if unit is None:
        raise Refused("unit.not_yours")
    if any(key.holder_account_id == account_id and key.state == "active" for key in occupants_of(session, unit.id)):
        return unit, "tenant"
    if not _is_landlord(session, account_id, unit):
        raise Refused("unit.not_yours")
    require_mandate(world, session, unit.id, unit.landlord_id)
    return unit, "landlord"


def _is_landlord(session: Session, account_id: str, unit: Unit) -> bool:
    person_id = session.get_one(Account, account_id).person_id
    return person_id is not None and unit.landlord_id == person_id


def _may_see(world: World, session: Session, account_id: str, unit: Unit) -> bool:
    """Raises Refused right.mandate_over for a manager who does not live there."""
    if is_occupant(session, account_id, unit.id):
        return True
    if not _is_landlord(session, account_id, unit):
        return False
    require_mandate(world, session, unit.id, unit.landlord_id)
    return True


def _seen_key(world: World, session: Session, account_id: str, key_id: str) -> Key:
    key = session.get(Key, key_id)
    if key is None or key.kind != "visitor":
        raise Refused("not_found", "key_id")
    if not _may_see(world, session, account_id, session.get_one(Unit, key.unit_id)):
        raise Refused("not_found", "key_id")
    return key


def _tell_of_issue(world: World, session: Session, unit: Unit, key: Key) -> None:
    words = _words(session, key)
    if key.consent in ("asked", "emergency"):
        kind = "visitor_emergency" if key.emergency else "visitor_consent_asked"
        tell_occupants(world, session, unit.id, kind, once=key.id, **words)
    elif key.issuer_role == "tenant":
        if unit.landlord_id is not None:
            tell_person(world, session, unit.landlord_id, "visitor_key_issued", once=key.id, **words)
        tell_occupants(world, session, unit.id, "visitor_key_issued", once=key.id, but=key.issued_by, **words)


def _tell(world: World, session: Session, account_id: str, key: Key, kind: str) -> None:
    tell_account(world, session, account_id, kind, once=key.id, **_words(session, key))


def _words(session: Session, key: Key) -> dict[str, str]:
    """What a message may say of a visitor's key: where, what for, when; never who."""
    zh, en = PURPOSES[key.purpose or ""]
    words = {"unit": unit_alias(session, key.unit_id), "purpose_zh": zh, "purpose_en": en}
    words["unit_id"] = key.unit_id
    words["starts_on"], words["ends_on"] = key.starts_on.isoformat(), (key.ends_on or key.starts_on).isoformat()
    if key.emergency is not None:
        words["emergency_zh"], words["emergency_en"] = EMERGENCIES[key.emergency]
    return words


def _card(world: World, session: Session, account_id: str, key: Key) -> VisitorKeyCard:
    is_mine, is_living = key.issued_by == account_id, key.state not in ENDED
    invitation = None
    if is_mine and key.state == "invited":  # afterwards the link has done its work, and at the end its data key is gone
        found = session.scalar(select(Invitation).where(Invitation.key_id == key.id, Invitation.state == "pending"))
        invitation = invitation_view(world, session, found) if found else None
    card = key_card(session, key)
    if is_living and is_occupant(session, account_id, key.unit_id):
        card = replace(card, used_up=_is_used_up(session, key))
    return VisitorKeyCard(
        key=card,
        issuer_role=key.issuer_role or "landlord",
        is_mine=is_mine,
        emergency=key.emergency,
        invitation=invitation,
        may_answer=is_living and key.consent == "asked" and may_consent(session, account_id, key.unit_id),
        may_end=is_living,
    )
