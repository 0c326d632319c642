"""Reconciliation with the registry by digest (registry.md, rule 6): compare a day and town, look closer, mend, tell.

What the registry lacks or holds older is told again through the outbox. Everything else goes to a person, once, with
ids only. Nothing is deleted, here or there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from backend.db import reading, transaction
from backend.domain.reconciliation import Difference, Entry, compare, with_untold_ends
from backend.domain.registry_rules import end_owed
from backend.gateways.world import World
from backend.models.cases import Case
from backend.models.dwellings import Dwelling
from backend.models.outbox import OutboxRow
from backend.models.persons import Person
from backend.models.registrations import Registration
from backend.models.registry_returns import Reconciliation, RegistryLeg
from backend.models.units import Unit
from backend.services import outbox
from backend.services.audit import Actor, write_leaf
from backend.services.case_opening import open_case, open_once
from backend.services.registration_changes import put_end
from backend.services.registry_settlement import ENDED_AS
from backend.wire.registry_answers import HeldRecord, digest_id, digest_root
from backend.wire.registry_messages import is_record_id

MOST_PULLED = 200  # records of one day and town looked at closely in one comparison; the rest the next time
MOST_LISTED = 500


@dataclass(frozen=True)
class Compared:
    """How a day and town compared; `details` are ids, kinds and what was done (`sent`, `case`)."""

    day: date
    town: str
    outcome: str  # 'equal', 'differs', 'unsettled' (what differs is on its way), 'digest_skew' (only the root is wrong)
    our_count: int
    their_count: int
    mended: int
    details: tuple[dict[str, Any], ...]


def reconcile(world: World, *, day: date, town: str, actor: Actor) -> Compared:
    """Compare one day and town with the registry and mend what is safe to mend.

    Raises RegistryUnavailable and RegistryRefused: nothing was changed then.
    """
    began = world.clock.now()
    ours = _our_entries(day, town)
    digest = world.registry.digest(day, town)
    ended = _ended_here(day, town)
    are_equal = (digest.count, digest.root) == (len(ours), digest_root(ours))
    if are_equal and not ended:
        return _store(world, actor, began, Compared(day, town, "equal", len(ours), digest.count, 0, ()), [])
    theirs = ours if are_equal else world.registry.digest(day, town, listed=True).entries
    moving = _in_flight([*ours, *theirs], began)
    untold = {name: state for name, state in ended.items() if name not in moving}
    differences = with_untold_ends(compare(ours, theirs, moving), ours, theirs, untold)
    confirmed = [found for found in differences[:MOST_PULLED] if _is_confirmed(world, found)]
    skewed = not are_equal and sorted(ours) == sorted(theirs)
    if are_equal and not confirmed:
        return _store(world, actor, began, Compared(day, town, "equal", len(ours), digest.count, 0, ()), [])
    outcome = "digest_skew" if skewed else "differs" if confirmed else "unsettled"
    compared = Compared(day, town, outcome, len(ours), len(theirs), 0, ())
    return _store(world, actor, began, compared, confirmed)


def _our_entries(day: date, town: str) -> list[Entry]:
    with reading() as session:
        rows = session.execute(
            select(RegistryLeg.registration_id, RegistryLeg.leg, RegistryLeg.version, RegistryLeg.state).where(
                RegistryLeg.day == day, RegistryLeg.town == town
            )
        )
        return [(digest_id(record, leg), version, state) for record, leg, version, state in rows]


def _ended_here(day: date, town: str) -> dict[str, str]:
    """Legs accepted as living whose residence has ended since: id → the state the registry should hold."""
    over = or_(Registration.residence != "living", Registration.scope.in_(("out_of_scope", "foreign")))
    with reading() as session:
        rows = session.execute(
            select(RegistryLeg.registration_id, RegistryLeg.leg, Registration.residence, Registration.scope)
            .join(Registration, Registration.id == RegistryLeg.registration_id)
            .where(RegistryLeg.day == day, RegistryLeg.town == town, RegistryLeg.state == "ACTIVE", over)
        )
        ends = {digest_id(record, leg): end_owed(residence, scope) for record, leg, residence, scope in rows}
    return {name: ENDED_AS[op] for name, op in ends.items() if op is not None}


def _in_flight(entries: Sequence[Entry], began: datetime) -> set[str]:
    """Legs of records with something on its way, or changed while we looked: they are compared the next time."""
    records = sorted({entry[0].rpartition(":")[0] for entry in entries})
    moving: set[str] = set()
    with reading() as session:
        for start in range(0, len(records), MOST_LISTED):
            some = [record for record in records[start : start + MOST_LISTED] if is_record_id(record)]
            open_rows = select(OutboxRow.aggregate_id).where(
                OutboxRow.destination == "registry", OutboxRow.aggregate_id.in_(some), OutboxRow.done_at.is_(None)
            )
            moving |= set(session.scalars(open_rows))
            changed = select(RegistryLeg.registration_id).where(
                RegistryLeg.registration_id.in_(some), RegistryLeg.changed_at > began
            )
            moving |= set(session.scalars(changed))
    return {entry[0] for entry in entries if entry[0].rpartition(":")[0] in moving}


def _is_confirmed(world: World, found: Difference) -> bool:
    """Ask for the record itself: a list may be older than what the registry holds now.

    That an end of ours has never been told needs no asking.
    """
    if found.kind == "end_untold":
        return True
    record, _, leg = found.id.rpartition(":")
    held = world.registry.find_record(record)
    return _held_as(held, leg) != found.ours


def _held_as(held: HeldRecord | None, leg: str) -> tuple[int, str] | None:
    if held is None:
        return None
    versions = (part.version for part in held.legs if part.leg == leg and part.op in ("UPSERT", "AMEND"))
    version = next(versions, None)
    return None if version is None else (version, held.state)


def _store(world: World, actor: Actor, began: datetime, compared: Compared, found: Sequence[Difference]) -> Compared:
    with transaction() as session:
        row = session.get(Reconciliation, (compared.day, compared.town), with_for_update=True)
        if row is not None and row.checked_at > began:  # we were held up: a later look counts, and has been acted on
            return _as_stored(row)
        told = {entry["id"]: entry["case"] for entry in (row.details if row else []) if entry.get("case")}
        details = [_treat(world, session, compared.town, one, told) for one in found]
        _send_ends(world, session, found, details)
        mended = sum("sent" in entry for entry in details)
        if row is None:
            row = Reconciliation(day=compared.day, town=compared.town)
            session.add(row)
        row.checked_at, row.outcome, row.mended = world.clock.now(), compared.outcome, mended
        row.our_count, row.their_count, row.details = compared.our_count, compared.their_count, details
        if compared.outcome in ("differs", "digest_skew"):
            write_leaf(
                world,
                session,
                actor,
                "registry_reconciled",
                object_kind="registry_day",
                object_id=f"{compared.day.isoformat()} {compared.town}",
                decision=compared.outcome,
            )
    return Compared(
        compared.day, compared.town, compared.outcome, compared.our_count, compared.their_count, mended, tuple(details)
    )


def _as_stored(row: Reconciliation) -> Compared:
    return Compared(row.day, row.town, row.outcome, row.our_count, row.their_count, row.mended, tuple(row.details))


def _treat(world: World, session: Session, town: str, found: Difference, told: dict[str, str]) -> dict[str, Any]:
    """Tell the registry again where that is safe, else give it to a person, once."""
    entry: dict[str, Any] = {"id": found.id, "kind": found.kind, "ours": found.ours, "theirs": found.theirs}
    record, _, leg = found.id.rpartition(":")
    registration = session.get(Registration, record) if is_record_id(record) else None
    sendable = found.can_be_sent and registration is not None and not _is_erased(session, registration)
    if sendable and registration is not None and found.ours is not None:
        entry["sent"] = _send_again(world, session, registration, leg, found)
        return entry
    reference = told.get(found.id)
    if reference is None:
        case = open_once(
            session,
            lambda: _find_case(session, registration, found),
            lambda: _open_case(world, session, town, registration, found),
        )
        reference = case.reference
    entry["case"] = reference
    return entry


def _is_erased(session: Session, registration: Registration) -> bool:
    """Whether its person was deleted: nothing is left to send, so a person decides."""
    person = session.get(Person, registration.person_id) if registration.person_id else None
    return person is not None and person.erased_at is not None


def _find_case(session: Session, registration: Registration | None, found: Difference) -> Case | None:
    """The undecided case about just this difference."""
    about = registration.id if registration else None
    same = (Case.kind == "registry_difference", Case.registration_id == about, Case.decided_at.is_(None))
    cases = session.scalars(select(Case).where(*same))
    return next((case for case in cases if case.evidence == _evidence_of(found)), None)


def _open_case(world: World, session: Session, town: str, registration: Registration | None, found: Difference) -> Case:
    unit = session.get_one(Unit, registration.unit_id) if registration else None
    return open_case(
        world,
        session,
        kind="registry_difference",
        area=session.get_one(Dwelling, unit.dwelling_id).division if unit else town,
        unit_id=unit.id if unit else None,
        registration_id=registration.id if registration else None,
        person_id=registration.person_id if registration else None,
        opened_by="rule",
        evidence=_evidence_of(found),
    )


def _evidence_of(found: Difference) -> dict[str, str]:
    record, _, leg = found.id.rpartition(":")
    return {"record": record, "leg": leg, "kind": found.kind}


def _send_again(world: World, session: Session, registration: Registration, leg: str, found: Difference) -> list[str]:
    """Put the leg into the outbox again if the registry lacks it or holds it older; answers the operations."""
    assert found.ours is not None
    if found.kind in ("state_skew", "end_untold"):
        return []
    op = "UPSERT" if found.theirs is None else "AMEND"
    payload = {"leg": leg, "version": found.ours[0], "again": True}
    outbox.put(world, session, "registry", registration.id, op, payload)
    return [op]


def _send_ends(world: World, session: Session, found: Sequence[Difference], details: Sequence[dict[str, Any]]) -> None:
    """Tell the end of a record again, once, behind its legs: it names a receipt that only they bring."""
    ended: set[str] = set()
    for one, entry in zip(found, details, strict=True):
        if "sent" not in entry or one.ours is None or one.ours[1] == "ACTIVE":
            continue
        if one.kind != "end_untold" and one.theirs is not None and one.theirs[1] != "ACTIVE":
            continue
        op = "CHECKOUT" if one.ours[1] == "MOVED_OUT" else "VOID"
        entry["sent"].append(op)
        record = one.id.rpartition(":")[0]
        if record not in ended:
            ended.add(record)
            put_end(world, session, session.get_one(Registration, record), op)
