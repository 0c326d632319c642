"""The feed of changes: noted where they happen, numbered afterwards, handed to whoever has an agreement.

`note_…` runs inside the caller's write unit and costs one statement, which writes nothing unless an agreement in force
wants that kind of change in that area. A note holds ids only; what an office is told is read when it is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Integer, String, Uuid, bindparam, exists, func, insert, select, update
from sqlalchemy.orm import Session

from backend.db import transaction
from backend.domain.ids import new_id
from backend.domain.sharing import OUT_KINDS
from backend.gateways.world import World
from backend.models.base import UtcDateTime
from backend.models.dwellings import Dwelling
from backend.models.leases import Lease
from backend.models.registrations import Registration
from backend.models.sharing import DataSharingAgreement, FeedEvent, SharingInterest
from backend.models.units import Unit
from backend.services import outbox

NUMBERED_AT_ONCE = 500

# What happens to a registration -> what is told of it. What does not stand here is told to no office.
REGISTRATION_CHANGES = {
    "declare": "declared",
    "amend": "amended",
    "extend": "amended",
    "identity_corrected": "amended",
    "still_here": "amended",
    "still_living": "amended",
    "became_local": "amended",
    "renumbered": "amended",
    "lease_joined": "amended",
    "registry_accepted": "accepted",
    "check_out": "checked-out",
    "void": "voided",
}


def note_registration(world: World, session: Session, registration: Registration, action: str) -> None:
    """Note a change of a registration by the name that its history has for it."""
    told = REGISTRATION_CHANGES.get(action)
    if told is not None:
        note_change(
            world,
            session,
            f"cn.anju.registration.{told}",
            object_id=registration.id,
            unit_id=registration.unit_id,
            person_id=registration.person_id,
            version=registration.version,
        )


def note_registrations(world: World, session: Session, registrations: Sequence[Registration], action: str) -> None:
    """Note the same change of many registrations, in two statements and not in one for each."""
    told = REGISTRATION_CHANGES.get(action)
    if told is None or not registrations:
        return
    kind, now = f"cn.anju.registration.{told}", world.clock.now()
    found = session.connection().execute(
        _AREAS, {"change": kind, "units": list({row.unit_id for row in registrations})}
    )
    areas = {row.id: row.division for row in found}
    events = [
        {"id": new_id(), "kind": kind, "object_kind": OUT_KINDS[kind].about, "object_id": row.id,
         "person_id": row.person_id, "area": areas[row.unit_id], "version": row.version, "at": now}
        for row in registrations
        if row.unit_id in areas
    ]  # fmt: skip
    if events:
        session.connection().execute(insert(FeedEvent), events)
        outbox.wake(world, session, "office")


def note_lease(world: World, session: Session, lease: Lease, told: str) -> None:
    """Note a change of a lease: 'recorded', 'extended', 'ended'."""
    note_change(
        world,
        session,
        f"cn.anju.lease.{told}",
        object_id=lease.id,
        unit_id=lease.unit_id,
        person_id=lease.tenant_id,
        version=lease.version,
    )


def note_unit(world: World, session: Session, unit: Unit, told: str) -> None:
    """Note a change of a unit: 'enrolled', 'renumbered', 'changed'."""
    note_change(
        world, session, f"cn.anju.unit.{told}", object_id=unit.id, unit_id=unit.id, person_id=None, version=unit.version
    )


def note_change(
    world: World, session: Session, kind: str, *, object_id: str, unit_id: str, person_id: str | None, version: int
) -> None:
    """Note one change of a kind of OUT_KINDS (KeyError for any other) at a unit, and wake the worker after the commit.

    The unit must be in the database already (flushed).
    """
    noted = session.connection().execute(
        _NOTE,
        {
            "event": new_id(),
            "change": kind,
            "about": OUT_KINDS[kind].about,
            "object": object_id,
            "person": person_id,
            "number": version,
            "moment": world.clock.now(),
            "unit": unit_id,
        },
    )
    if noted.rowcount:
        outbox.wake(world, session, "office")


def number_events(world: World, *, limit: int = NUMBERED_AT_ONCE) -> int:
    """Number what was noted, and put it into the outbox for each office that is told; answers how many.

    One after the other: a second worker waits for the first one's rows and then finds them numbered.
    """
    with transaction() as session:
        waiting = session.scalars(
            select(FeedEvent)
            .where(FeedEvent.sequence.is_(None))
            .order_by(FeedEvent.at, FeedEvent.id)
            .limit(limit)
            .with_for_update()
        ).all()
        if not waiting:
            return 0
        last = session.scalar(select(func.coalesce(func.max(FeedEvent.sequence), 0))) or 0
        session.connection().execute(
            _NUMBER, [{"event": event.id, "number": last + place} for place, event in enumerate(waiting, 1)]
        )
        told = session.scalars(
            select(DataSharingAgreement).where(
                DataSharingAgreement.state.in_(("active", "suspended")),
                DataSharingAgreement.delivery == "webhook",
                DataSharingAgreement.direction.in_(("out", "both")),
            )
        ).all()
        for event in waiting:
            for agreement in told:
                if event.kind in agreement.kinds and event.area.startswith(tuple(agreement.areas)):
                    _hand_over(world, session, agreement, event)
        return len(waiting)


def _hand_over(world: World, session: Session, agreement: DataSharingAgreement, event: FeedEvent) -> None:
    """Order is kept per office and object, whichever version of its agreement is in force."""
    ids = {"agreement_id": agreement.id, "event_id": event.id}
    outbox.put(world, session, "office", f"{agreement.subscriber}:{event.object_id}", "change", ids)


def _wanted() -> Any:
    """Whether any office is told of the kind of change `change` where the dwelling is."""
    return exists().where(
        SharingInterest.kind == bindparam("change", type_=String), Dwelling.division.startswith(SharingInterest.area)
    )


def _areas() -> Any:
    """The divisions of those of `units` where some office is told of the change."""
    units = Unit.id.in_(bindparam("units", expanding=True))
    return select(Unit.id, Dwelling.division).join(Dwelling, Dwelling.id == Unit.dwelling_id).where(units, _wanted())


def _note() -> Any:
    values = select(
        bindparam("event", type_=Uuid(as_uuid=False)),
        bindparam("change", type_=String),
        bindparam("about", type_=String),
        bindparam("object", type_=Uuid(as_uuid=False)),
        bindparam("person", type_=Uuid(as_uuid=False)),
        Dwelling.division,
        bindparam("number", type_=Integer),
        bindparam("moment", type_=UtcDateTime),
    )
    found = values.join_from(Unit, Dwelling, Dwelling.id == Unit.dwelling_id).where(
        Unit.id == bindparam("unit"), _wanted()
    )
    columns = ["id", "kind", "object_kind", "object_id", "person_id", "area", "version", "at"]
    return insert(FeedEvent).from_select(columns, found)


_NOTE = _note()
_AREAS = _areas()
_NUMBER = (
    update(FeedEvent.__table__)  # type: ignore[arg-type]
    .where(FeedEvent.__table__.c.id == bindparam("event"))
    .values(sequence=bindparam("number"))
)
