"""Data-sharing agreements: handed in by the operator, approved by two supervisors, suspended, resumed, ended.

Only an agreement in force lets anything out; its end is looked at again each time something would leave.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, insert, or_, select, update
from sqlalchemy.orm import Session

from backend.db import reading, transaction
from backend.domain.ids import is_id, new_id
from backend.domain.officers import covers
from backend.domain.refusals import Refusal, Refused
from backend.domain.sharing import OUT_KINDS, Terms, decide_approval, find_agreement_faults
from backend.gateways.world import World
from backend.models.officers import Officer
from backend.models.outbox import OutboxRow
from backend.models.sharing import DataSharingAgreement, SharingInterest
from backend.services.audit import SYSTEM, Actor, write_leaf
from backend.services.outbox import wake
from backend.wire.jwk import keys_from_jwks

OPERATOR = Actor("operator")
_WRITTEN = (
    "subscriber", "office_zh", "office_en", "direction", "areas", "purpose", "legal_basis", "kinds", "fields",
    "delivery", "webhook_url",
)  # fmt: skip


@dataclass(frozen=True)
class AgreementView:
    """An agreement as operators, auditors and the office itself see it: nothing about a person is in it."""

    id: str
    subscriber: str
    version: int
    office_zh: str
    office_en: str
    direction: str
    areas: tuple[str, ...]
    purpose: str
    legal_basis: str
    kinds: tuple[str, ...]
    fields: tuple[str, ...]
    starts_on: date
    ends_on: date
    delivery: str
    webhook_url: str | None
    batch_size: int
    state: str
    state_reason: str | None
    approvals: int
    changed_at: datetime


def add_agreement(world: World, *, written: Mapping[str, Any]) -> AgreementView:
    """Take in an agreement as a draft; for a known office it is the next version. The same again changes nothing.

    Raises Refused with every faulty member.
    """
    with transaction() as session:
        return view_of(add_in(world, session, written, OPERATOR))


def add_in(world: World, session: Session, written: Mapping[str, Any], actor: Actor) -> DataSharingAgreement:
    """The same inside the present write unit."""
    faults = find_agreement_faults(written, demo=world.house.demo)
    if faults:
        raise Refused.of(faults)
    values: dict[str, Any] = {name: written.get(name) for name in _WRITTEN}
    values["starts_on"] = date.fromisoformat(str(written["starts_on"]))
    values["ends_on"] = date.fromisoformat(str(written["ends_on"]))
    values["batch_size"] = written.get("batch_size", 1)
    values["keys"] = written["keys"]
    _check_keys(session, world, str(values["subscriber"]), values["keys"])
    latest = session.scalar(
        select(DataSharingAgreement)
        .where(DataSharingAgreement.subscriber == values["subscriber"])
        .order_by(DataSharingAgreement.version.desc())
        .limit(1)
    )
    if latest is not None and latest.state != "ended" and all(getattr(latest, n) == v for n, v in values.items()):
        return latest
    if latest is not None and latest.state == "draft":
        latest.state, latest.state_reason = "ended", "replaced"
    now = world.clock.now()
    version = latest.version + 1 if latest else 1
    agreement = DataSharingAgreement(id=new_id(), version=version, created_at=now, changed_at=now, **values)
    session.add(agreement)
    session.flush()
    _leaf(world, session, actor, "agreement_added", agreement)
    return agreement


def approve_agreement(world: World, *, agreement_id: str, officer_id: str) -> AgreementView:
    """A supervisor of the agreement's area approves; with the second, different one it takes the former's place.

    Raises Refused not_found, agreement.supervisor, area.foreign, agreement.state, agreement.four_eyes.
    """
    with transaction() as session:
        agreement = get_in(session, agreement_id)
        officer = session.get(Officer, officer_id)
        if officer is None or not officer.active or officer.role != "supervisor":
            raise Refused("agreement.supervisor")
        if not all(covers(officer.area, area) for area in agreement.areas):
            raise Refused("area.foreign")
        actor = Actor("officer", officer.id, officer.badge, officer.role, officer.office)
        approve_in(world, session, agreement, officer.id, actor)
        return view_of(agreement)


def approve_in(world: World, session: Session, agreement: DataSharingAgreement, officer_id: str, actor: Actor) -> None:
    """The same inside the present write unit, by a supervisor whose area has been checked."""
    refusal = decide_approval(agreement.state, (agreement.first_approver_id, agreement.second_approver_id), officer_id)
    if refusal is not None:
        raise Refused.of([refusal])
    now = world.clock.now()
    if agreement.first_approver_id is None:
        agreement.first_approver_id, agreement.first_approved_at = officer_id, now
    else:
        agreement.second_approver_id, agreement.second_approved_at = officer_id, now
        _take_force(world, session, agreement)
    agreement.changed_at = now
    _leaf(world, session, actor, "agreement_approved", agreement)


def suspend_agreement(world: World, *, agreement_id: str, reason: str, actor: Actor = OPERATOR) -> AgreementView:
    """Stop telling until it is resumed; what happens meanwhile waits. Raises Refused not_found, agreement.state."""
    with transaction() as session:
        agreement = get_in(session, agreement_id)
        require_state(agreement, "active")
        suspend_in(world, session, agreement, reason, actor)
        return view_of(agreement)


def suspend_in(world: World, session: Session, agreement: DataSharingAgreement, reason: str, actor: Actor) -> None:
    """The same inside the present write unit, for one that is active."""
    agreement.state, agreement.state_reason = "suspended", reason[:120]
    agreement.changed_at = world.clock.now()
    _leaf(world, session, actor, "agreement_suspended", agreement)


def resume_agreement(world: World, *, agreement_id: str) -> AgreementView:
    """Tell again, what has waited first. Raises Refused not_found, agreement.state."""
    with transaction() as session:
        agreement = get_in(session, agreement_id)
        resume_in(world, session, agreement, OPERATOR)
        return view_of(agreement)


def resume_in(world: World, session: Session, agreement: DataSharingAgreement, actor: Actor) -> None:
    """The same inside the present write unit."""
    require_state(agreement, "suspended")
    agreement.state, agreement.state_reason = "active", None
    agreement.changed_at = world.clock.now()
    _leaf(world, session, actor, "agreement_resumed", agreement)
    _make_due(world, session, agreement)


def end_agreement(world: World, *, agreement_id: str, reason: str) -> AgreementView:
    """End it for good: nothing leaves any more, what was waiting neither. Raises Refused not_found, agreement.state."""
    with transaction() as session:
        agreement = get_in(session, agreement_id)
        end_in(world, session, agreement, reason, OPERATOR)
        return view_of(agreement)


def end_overdue(world: World) -> int:
    """End the agreements whose last day is over; answers how many."""
    with transaction() as session:
        over = session.scalars(
            select(DataSharingAgreement).where(
                DataSharingAgreement.state.in_(("active", "suspended")),
                DataSharingAgreement.ends_on < world.clock.today(),
            )
        ).all()
        for agreement in over:
            end_in(world, session, agreement, "term_over", SYSTEM)
        return len(over)


def list_agreements() -> tuple[AgreementView, ...]:
    """All agreements, by office, the newest version first."""
    with reading() as session:
        order = (DataSharingAgreement.subscriber, DataSharingAgreement.version.desc())
        return tuple(view_of(row) for row in session.scalars(select(DataSharingAgreement).order_by(*order)))


def get_agreement(agreement_id: str) -> AgreementView:
    """One agreement. Raises Refused not_found."""
    with reading() as session:
        return view_of(get_in(session, agreement_id))


def get_draft(agreement_id: str) -> AgreementView:
    """One agreement that still waits for approval. Raises Refused not_found, agreement.state."""
    with reading() as session:
        agreement = get_in(session, agreement_id)
        require_state(agreement, "draft")
        return view_of(agreement)


def terms_of(agreement: DataSharingAgreement) -> Terms:
    """What it says, for decisions."""
    return Terms(
        agreement.direction,
        tuple(agreement.areas),
        tuple(agreement.kinds),
        tuple(agreement.fields),
        agreement.starts_on,
        agreement.ends_on,
        agreement.state,
    )


def office_actor(agreement: DataSharingAgreement) -> Actor:
    """The office as it stands in a leaf: its name, the purpose, and which version of which agreement."""
    reference = f"{agreement.subscriber}-v{agreement.version}"
    return Actor("office", agreement.id, office=agreement.office_zh, purpose=agreement.purpose, case_ref=reference)


def find_in_force(session: Session, subscriber: str) -> DataSharingAgreement | None:
    """The office's agreement that is active or suspended."""
    return session.scalar(
        select(DataSharingAgreement).where(
            DataSharingAgreement.subscriber == subscriber, DataSharingAgreement.state.in_(("active", "suspended"))
        )
    )


def view_of(row: DataSharingAgreement) -> AgreementView:
    """What of an agreement is shown."""
    plain = {
        name: getattr(row, name)
        for name in ("id", "version", "starts_on", "ends_on", "batch_size", "state", "state_reason", "changed_at",
                     *_WRITTEN)
    }  # fmt: skip
    plain |= {name: tuple(plain[name]) for name in ("areas", "kinds", "fields")}
    approvals = sum(who is not None for who in (row.first_approver_id, row.second_approver_id))
    return AgreementView(**plain, approvals=approvals)


def _take_force(world: World, session: Session, agreement: DataSharingAgreement) -> None:
    former = find_in_force(session, agreement.subscriber)
    if former is not None:
        end_in(world, session, former, "superseded", SYSTEM)
        session.flush()  # one version in force at a time
    agreement.state = "active"
    session.flush()
    rows = [
        {"agreement_id": agreement.id, "kind": kind, "area": area}
        for kind in sorted(set(agreement.kinds) & set(OUT_KINDS))
        for area in sorted(set(agreement.areas))
    ]
    if rows and agreement.direction != "in":
        session.execute(insert(SharingInterest), rows)


def end_in(world: World, session: Session, agreement: DataSharingAgreement, reason: str, actor: Actor) -> None:
    """End it inside the present write unit; what was waiting is closed at once. Raises Refused agreement.state."""
    require_state(agreement, "draft", "active", "suspended")
    agreement.state, agreement.state_reason = "ended", reason[:120]
    agreement.changed_at = world.clock.now()
    session.execute(delete(SharingInterest).where(SharingInterest.agreement_id == agreement.id))
    _leaf(world, session, actor, "agreement_ended", agreement)
    _make_due(world, session, agreement)


def find_earlier(session: Session, agreement: DataSharingAgreement) -> tuple[Terms, ...]:
    """What the office's earlier versions say that were approved: some of what waits may have been agreed then."""
    rows = session.scalars(
        select(DataSharingAgreement).where(
            DataSharingAgreement.subscriber == agreement.subscriber,
            DataSharingAgreement.version < agreement.version,
            DataSharingAgreement.second_approver_id.is_not(None),
        )
    )
    return tuple(terms_of(row) for row in rows)


def rows_of_office(agreement: DataSharingAgreement) -> tuple[ColumnElement[bool], ...]:
    """The rows of the outbox for an agreement's office that are not done, under whichever version they were written.

    Order is kept per office and object, across versions; rows of before that are found by the version's id.
    """
    keys = (f"{agreement.subscriber}:", f"{agreement.id}:")
    return (
        OutboxRow.destination == "office",
        or_(*(OutboxRow.aggregate_id.startswith(key) for key in keys)),
        OutboxRow.done_at.is_(None),
    )


def _make_due(world: World, session: Session, agreement: DataSharingAgreement) -> None:
    waiting = (*rows_of_office(agreement), OutboxRow.parked_at.is_(None))
    session.execute(update(OutboxRow).where(*waiting).values(available_at=world.clock.now()))
    wake(world, session, "office")


def get_in(session: Session, agreement_id: str) -> DataSharingAgreement:
    """The locked row. Raises Refused not_found."""
    known = is_id(agreement_id)
    agreement = session.get(DataSharingAgreement, agreement_id, with_for_update=True) if known else None
    if agreement is None:
        raise Refused("not_found", "agreement_id")
    return agreement


def require_state(agreement: DataSharingAgreement, *states: str) -> None:
    """Raises Refused agreement.state, naming the states in which it could be done."""
    if agreement.state not in states:
        raise Refused.of([Refusal("agreement.state", allowed=states)])


def _check_keys(session: Session, world: World, subscriber: str, jwks: Any) -> None:
    try:
        kids = set(keys_from_jwks(jwks))
    except (ValueError, TypeError):
        raise Refused("agreement.keys", "keys") from None
    others = session.scalars(select(DataSharingAgreement.keys).where(DataSharingAgreement.subscriber != subscriber))
    taken: Sequence[dict[str, Any]] = others.all()
    if not kids or kids & (set(world.tokens.public_keys()) | {key["kid"] for keys in taken for key in keys["keys"]}):
        raise Refused("agreement.keys", "keys")


def _leaf(world: World, session: Session, actor: Actor, action: str, agreement: DataSharingAgreement) -> None:
    write_leaf(
        world,
        session,
        actor,
        action,
        object_kind="agreement",
        object_id=agreement.id,
        fields=agreement.fields,
        decision=agreement.state_reason[:40] if agreement.state_reason else agreement.state,
    )
