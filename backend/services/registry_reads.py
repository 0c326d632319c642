"""Who read a record at the registry: fetched a few records at a time, for the person's own access page alone."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.db import reading, transaction
from backend.domain.ids import new_id
from backend.gateways.registry_client import RegistryRead as Told
from backend.gateways.registry_client import RegistryRefused
from backend.gateways.world import World
from backend.models.registrations import Registration
from backend.models.registry_returns import RegistryLeg, RegistryRead

EACH_DAY = timedelta(days=1)
MOST_AT_ONCE = 20  # a pass each 15 s: a hundred thousand records a day, and never a burst at the registry


def fetch_reads(world: World, *, limit: int = MOST_AT_ONCE) -> int:
    """Ask about the records not asked about for a day, longest first; answers how many reads were new.

    Raises RegistryUnavailable: what was asked before stands.
    """
    now = world.clock.now()
    with reading() as session:
        records = session.scalars(
            select(RegistryLeg.registration_id)
            .where(RegistryLeg.leg == "TENANT", RegistryLeg.reads_asked_at <= now - EACH_DAY)
            .order_by(RegistryLeg.reads_asked_at)
            .limit(limit)
        ).all()
    found = 0
    for record in records:
        try:
            told = world.registry.list_reads(record)
        except RegistryRefused:
            told = []  # it knows no such record: reconciliation finds that, not we
        found += _keep(world, record, told)
    return found


def _keep(world: World, record: str, told: list[Told]) -> int:
    with transaction() as session:
        leg = session.get_one(RegistryLeg, (record, "TENANT"), with_for_update=True)
        fresh = list(enumerate(told, 1))[leg.reads_seen :]
        leg.reads_asked_at, leg.reads_seen = world.clock.now(), max(leg.reads_seen, len(told))
        person_id = _person_of(session, record)
        if person_id is None:
            return 0
        for number, read in fresh:
            session.add(
                RegistryRead(
                    id=new_id(),
                    registration_id=record,
                    number=number,
                    person_id=person_id,
                    at=read.at,
                    office=read.office[:120],
                    badge=read.badge[:120],
                    purpose=read.purpose[:120],
                )
            )
        return len(fresh)


def _person_of(session: Session, record: str) -> str | None:
    return session.scalar(select(Registration.person_id).where(Registration.id == record))
